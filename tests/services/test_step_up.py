"""Step-up: what confirms a vote and what does not, once, for five minutes, for exactly one statement."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models.functions import Now
from fido2.utils import websafe_encode

from approvals import step_up
from approvals.models import Challenge, SignOff
from approvals.step_up import Confirmation, NotConfirmed, Statement
from demo import authenticators
from tests.clients import until_a_code_lasts
from tests.passkeys import HOST, PRESENT, Passkey, confirmed, passkey_of
from tests.records.votes import any_vote
from tests.services.test_sign_off import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person(people: dict[str, Any]) -> Any:
    return people["platform"]


@pytest.fixture
def statement(person: Any) -> Statement:
    return Statement(person.pk, "request:7", "d" * 64, "platform", "approve", " Read it twice. ")


def fresh_code(person: Any) -> str:
    """Return a code that stays valid for the next seconds."""
    authenticators.enrol(person)
    until_a_code_lasts()
    return authenticators.code_of(person)


def expire(asked: step_up.Asked, statement: Statement) -> step_up.Asked:
    """Ask again, for a challenge whose five minutes are over by the database's clock."""
    row = Challenge.objects.get(pk=asked.challenge)
    row.pk, row.nonce, row.expires_at = None, secrets.token_hex(32), Now() - timedelta(seconds=1)
    row.save(force_insert=True)
    challenge = websafe_encode(step_up._signed_bytes(statement, row))
    return step_up.Asked(row.pk, {**asked.options, "challenge": challenge})


def use(statement: Statement, given: Confirmation) -> None:
    """Use the confirmation up as a vote does."""
    with transaction.atomic():
        step_up.claim(statement, given)


def test_a_passkey_confirms_the_statement_and_the_evidence_is_whole(person: Any, statement: Statement) -> None:
    passkey = passkey_of(person)
    given = confirmed(statement, person)
    assert given.method == "webauthn" and given.evidence["credential_id"] == websafe_encode(passkey.id)
    assert given.evidence["statement"] == statement.document(Challenge.objects.get().nonce)
    assert {
        "rp_id",
        "origin",
        "public_key",
        "clientDataJSON",
        "authenticatorData",
        "signature",
    } <= given.evidence.keys()
    assert step_up.begin(statement, rp_id=HOST).options["userVerification"] == "required"
    use(statement, given)
    made = Challenge.objects.get(pk=given.challenge)
    assert made.used_at is not None and made.expires_at - made.made_at == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"subject": "request:8"}, "another request"), ({"digest": "e" * 64}, "another digest"),
        ({"role": "cto"}, "changed after you confirmed"), ({"choice": "reject"}, "changed after you confirmed"),
        ({"reason": "Other."}, "changed after you confirmed"), ({"person": "other"}, "not asked of you"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)  # fmt: skip
def test_a_confirmation_is_for_one_statement(
    people: dict[str, Any], person: Any, statement: Statement, change: dict[str, Any], sentence: str
) -> None:
    if "person" in change:
        change = {"person": people["cto"].pk}
        passkey_of(people["cto"])
    passkey = passkey_of(person)
    asked = step_up.begin(statement, rp_id=HOST)
    response = passkey.answer(asked.options)
    other = dataclasses.replace(statement, **change)
    with pytest.raises(NotConfirmed, match=sentence):
        step_up.confirm_webauthn(other, challenge=asked.challenge, response=response)
    given = step_up.confirm_webauthn(statement, challenge=asked.challenge, response=response)
    with pytest.raises(NotConfirmed, match=sentence):
        use(other, given)
    assert Challenge.objects.get().used_at is None


def test_a_confirmation_counts_once_whoever_comes_first(person: Any, statement: Statement) -> None:
    passkey_of(person)
    for _round in range(20):
        given = confirmed(statement, person)
        results = at_once(*[lambda given=given: use(statement, given)] * 4)
        assert results.count(None) == 1
        assert all("used already" in str(each) for each in results if each is not None)
    with pytest.raises(NotConfirmed, match="used already"):
        step_up.confirm_webauthn(statement, challenge=given.challenge, response={})


def test_a_confirmation_older_than_five_minutes_counts_no_more(person: Any, statement: Statement) -> None:
    passkey = passkey_of(person)
    asked = expire(step_up.begin(statement, rp_id=HOST), statement)
    with pytest.raises(NotConfirmed, match="older than five minutes"):
        step_up.confirm_webauthn(statement, challenge=asked.challenge, response=passkey.answer(asked.options))
    late = Confirmation("totp", Challenge.objects.get(pk=asked.challenge).made_at, asked.challenge, {})
    with pytest.raises(NotConfirmed, match="older than five minutes"):
        use(statement, late)


def test_only_a_signature_of_ones_own_passkey_on_this_page_with_the_person_verified(
    people: dict[str, Any], person: Any, statement: Statement
) -> None:
    passkey, foreign, stranger = passkey_of(person), passkey_of(people["cto"]), Passkey()
    asked = step_up.begin(statement, rp_id=HOST)
    swapped = passkey.answer(asked.options) | {"response": stranger.answer(asked.options)["response"]}
    other = step_up.begin(statement, rp_id=HOST)
    refused = {
        "somebody else's": foreign.answer(asked.options),
        "not enrolled": stranger.answer(asked.options),
        "another key under this id": swapped,
        "person not verified": passkey.answer(asked.options, flags=PRESENT),
        "another site": passkey.answer(asked.options, origin="https://localhost.evil.example"),
        "in a frame of another site": passkey.answer(asked.options, cross_origin=True),
        "another challenge": passkey.answer(other.options),
        "enrolment instead": passkey.answer(asked.options, kind="webauthn.create"),
        "nothing": {}, "no answer": {"id": "a", "rawId": "a", "response": None, "type": "public-key"},
        "numbers": {"id": 1, "rawId": 1, "response": {"clientDataJSON": 1}}, "a list": {"response": []},
    }  # fmt: skip
    for name, response in refused.items():
        with pytest.raises(NotConfirmed, match="does not confirm this vote"):
            print(name, step_up.confirm_webauthn(statement, challenge=asked.challenge, response=response))
    assert step_up.confirm_webauthn(statement, challenge=asked.challenge, response=passkey.answer(asked.options))


def test_a_passkey_that_was_removed_no_longer_signs(person: Any, statement: Statement) -> None:
    given = confirmed_by(Passkey(), person, statement)
    Authenticator.objects.filter(user=person).delete()
    with pytest.raises(NotConfirmed, match="removed"):
        use(statement, given)
    with pytest.raises(NotConfirmed, match="no second factor"):
        step_up.begin(statement, rp_id=HOST)


def confirmed_by(passkey: Passkey, person: Any, statement: Statement) -> Confirmation:
    if not Authenticator.objects.filter(user=person).exists():
        passkey.enrol(person)
    asked = step_up.begin(statement, rp_id=HOST)
    return step_up.confirm_webauthn(statement, challenge=asked.challenge, response=passkey.answer(asked.options))


def test_a_counter_that_does_not_grow_is_a_copy(person: Any, statement: Statement) -> None:
    passkey = Passkey(counts=True)
    use(statement, confirmed_by(passkey, person, statement))
    passkey.count = 0
    with pytest.raises(NotConfirmed, match="may have been copied"):
        confirmed_by(passkey, person, statement)
    passkey.count = 8
    use(statement, confirmed_by(passkey, person, statement))
    assert Authenticator.objects.get(user=person).data["sign_count"] == 9


def test_a_code_signs_once_and_for_its_statement(person: Any, statement: Statement) -> None:
    code = fresh_code(person)
    given = step_up.confirm_totp(statement, f"{code[:3]} {code[3:]}")
    assert given.method == "totp" and given.evidence["authenticator"] == Authenticator.objects.get().pk
    for again in (statement, dataclasses.replace(statement, subject="request:8")):
        with pytest.raises(NotConfirmed, match="used already"):
            step_up.confirm_totp(again, code)
    with pytest.raises(NotConfirmed, match="another request"):
        use(dataclasses.replace(statement, subject="request:8"), given)
    use(statement, given)
    assert Challenge.objects.count() == 1


def test_a_code_of_the_sign_in_does_not_sign_and_the_other_way_round(
    people: dict[str, Any], person: Any, statement: Statement
) -> None:
    code = fresh_code(person)
    assert Authenticator.objects.get(user=person).wrap().validate_code(code)
    with pytest.raises(NotConfirmed, match="used already"):
        step_up.confirm_totp(statement, code)
    signer = people["cto"]
    used = fresh_code(signer)
    step_up.confirm_totp(dataclasses.replace(statement, person=signer.pk), used)
    assert not Authenticator.objects.get(user=signer).wrap().validate_code(used)


def test_a_code_in_many_tabs_at_once_is_one_confirmation(people: dict[str, Any], statement: Statement) -> None:
    for role in ("platform", "security", "cto"):
        asked = dataclasses.replace(statement, person=people[role].pk)
        code = fresh_code(people[role])
        results = at_once(*[lambda asked=asked, code=code: step_up.confirm_totp(asked, code)] * 6)
        assert sum(isinstance(each, Confirmation) for each in results) == 1
        assert all("used already" in str(each) for each in results if isinstance(each, Exception))


def test_wrong_codes_and_recovery_codes_do_not_sign(person: Any, statement: Statement) -> None:
    code = fresh_code(person)
    recovery = RecoveryCodes.activate(person).get_unused_codes()[0]
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for given in (wrong, recovery, "", "000 00", "٠٠٠٠٠٠", "x" * 200):
        with pytest.raises(NotConfirmed, match="wrong or no longer valid"):
            step_up.confirm_totp(statement, given)
    assert recovery in Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()


def test_without_a_factor_one_is_told_how_to_enrol(person: Any, statement: Statement) -> None:
    RecoveryCodes.activate(person)
    for attempt in (lambda: step_up.begin(statement, rp_id=HOST), lambda: step_up.confirm_totp(statement, "000000")):
        with pytest.raises(NotConfirmed, match="enrol a passkey or an authenticator app") as refusal:
            attempt()
        assert refusal.value.link == "mfa_index"
    assert step_up.factors_of(person) == frozenset() and not Challenge.objects.exists()


def test_the_database_keeps_challenges_and_takes_no_vote_without_one(people: dict[str, Any]) -> None:
    vote = any_vote(people)
    made = Challenge.objects.filter(pk=vote.challenge_id)
    changes: tuple[dict[str, Any], ...] = (
        {"digest": "e" * 64}, {"expires_at": Now() + timedelta(days=1)}, {"used_at": Now(), "role": "cto"}, {"used_at": None},
    )  # fmt: skip
    for change in changes:
        with pytest.raises(DatabaseError, match="only be used, once"), transaction.atomic():
            made.update(**change)
    assert made.update(used_at=Now()) == 1
    with pytest.raises(DatabaseError, match="only be used, once"), transaction.atomic():
        made.update(used_at=Now())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM approvals_challenge")
    with pytest.raises(IntegrityError, match="sign_off_confirmed"), transaction.atomic():
        SignOff.objects.create(
            case=vote.case, person=people["cto"], role="cto", choice="approve", digest=vote.digest,
            method="password", confirmed_at=Now(),
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="challenge"), transaction.atomic():
        SignOff.objects.create(
            case=vote.case, person=people["cto"], role="cto", choice="approve", digest=vote.digest,
            method="totp", confirmed_at=Now(), challenge_id=vote.challenge_id,
        )  # fmt: skip
