"""The rule book at work: frozen rules, expiry, windows and freezes at the claim, votes taken back, witnesses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from approvals.in_force import rulebook
from approvals.models import Case, SignOff, Withdrawal
from approvals.policy import Choice, State
from approvals.services import VoteRefused, decision_on, open_case_of, open_roles
from demo import authenticators
from rollbacks.models import Request
from rollbacks.services import running, signing, submission
from rollbacks.services.moves import Refused
from tests.conftest import TargetDatabase
from tests.rollback import approve, draft, drive, register, sign, state_of, step

pytestmark = pytest.mark.django_db(transaction=True)

ALL = 'version = "test"\n[[rule]]\nname = "all"\nneeds = [{ role = "platform" }]\n'


@pytest.fixture
def use(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Put a policy file in force, as a restart with another POLICY_FILE would."""
    before = settings.POLICY_FILE

    def put(text: str) -> None:
        path = tmp_path / "policy.toml"
        path.write_text(text)
        settings.POLICY_FILE = str(path)
        rulebook.cache_clear()

    yield put
    settings.POLICY_FILE = before
    rulebook.cache_clear()


def submitted(people: dict[str, Any], nzila: TargetDatabase) -> tuple[Request, str]:
    request = draft(people, register(nzila))
    return request, submission.submit(people["engineer"], request.pk).digest


def test_a_request_keeps_the_rule_it_was_submitted_under(
    nzila: TargetDatabase, people: dict[str, Any], use: Callable[[str], None]
) -> None:
    use(ALL)
    request, digest = submitted(people, nzila)
    use(ALL.replace('role = "platform"', 'role = "cto"'))
    sign(people["platform"], request, "platform", digest)
    assert drive(running.start(people["engineer"], request.pk), nzila.environ) == "succeeded"


def test_what_no_rule_catches_cannot_be_submitted(
    nzila: TargetDatabase, people: dict[str, Any], use: Callable[[str], None]
) -> None:
    use(ALL.replace("needs", 'when = { environment = ["staging"] }\nneeds'))
    request = draft(people, register(nzila))
    with pytest.raises(Refused, match="No rule of the policy catches"):
        submission.submit(people["engineer"], request.pk)


def test_an_expired_request_never_runs(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = draft(people, register(nzila))
    approve(people, request)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_case SET opened_at = now() - interval '15 days'")
    with pytest.raises(Refused, match="has expired; submit it again"):
        running.start(people["engineer"], request.pk)
    with pytest.raises(VoteRefused, match="has expired"):
        sign(people["security"], request, "security", Case.objects.get(closed_at__isnull=True).digest)


def test_a_request_that_expires_while_it_runs_stops_before_the_target(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = draft(people, register(nzila))
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)
    drive(execution, nzila.environ, until="apply")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_case SET opened_at = now() - interval '15 days'")
    assert drive(execution, nzila.environ) == "failed"
    assert "has expired" in step(execution, "apply").sentence


def test_a_freeze_and_a_window_stand_above_every_approval(
    nzila: TargetDatabase, people: dict[str, Any], use: Callable[[str], None]
) -> None:
    freeze = '[[freeze]]\nname = "Quarter end"\nfrom = 2020-01-01T00:00:00\nto = 2099-01-01T00:00:00\n'
    request = draft(people, register(nzila))
    approve(people, request)
    use(ALL + freeze)
    with pytest.raises(Refused, match="frozen until 2099.*Quarter end"):
        running.start(people["engineer"], request.pk)
    use(ALL + freeze + 'environments = ["staging"]\n')
    execution = running.start(people["engineer"], request.pk)
    use(ALL + freeze)
    assert drive(execution, nzila.environ) == "failed"
    assert "Nothing was run. Changes are frozen" in step(execution, "preflight").sentence


def test_the_window_of_the_rule_is_asked_at_the_start_and_at_the_claim(
    nzila: TargetDatabase, people: dict[str, Any], use: Callable[[str], None]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower(to_char(now() + interval '3 days', 'dy'))")
        day = cursor.fetchone()[0]
    use(ALL + f'windows = [{{ days = ["{day}"], from = "01:00", to = "02:00" }}]\n')
    request, digest = submitted(people, nzila)
    sign(people["platform"], request, "platform", digest)
    with pytest.raises(Refused, match=f"lets it run {day} from 01:00 to 02:00"):
        running.start(people["engineer"], request.pk)


def test_a_vote_taken_back_counts_no_more_and_may_be_given_again(
    nzila: TargetDatabase, people: dict[str, Any], use: Callable[[str], None]
) -> None:
    use(ALL)
    request, digest = submitted(people, nzila)
    platform = people["platform"]
    for reason, sentence in ((" ", "Say why"), ("I read it wrong.", "no vote on this plan")):
        with pytest.raises(VoteRefused, match=sentence):
            signing.take_back_vote(platform, request.pk, reason=reason, digest_seen=digest)
    sign(platform, request, "platform", digest)
    decision = signing.take_back_vote(platform, request.pk, reason="I read it wrong.", digest_seen=digest)
    assert decision.state is State.WAITING and "took the vote back: I read it wrong." in decision.lapsed[0].sentence
    with pytest.raises(Refused, match="not approved yet"):
        running.start(people["engineer"], request.pk)
    case = open_case_of(f"request:{request.pk}")
    assert case is not None and open_roles(case, decision, platform) == ("platform",)
    assert sign(platform, request, "platform", digest).state is State.APPROVED
    assert (SignOff.objects.count(), Withdrawal.objects.count()) == (2, 1)


def test_a_vote_taken_back_while_it_runs_stops_it_before_the_target(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = draft(people, register(nzila))
    digest = approve(people, request)
    execution = running.start(people["engineer"], request.pk)
    drive(execution, nzila.environ, until="apply")
    signing.take_back_vote(people["cto"], request.pk, reason="The numbers look wrong.", digest_seen=digest)
    assert drive(execution, nzila.environ) == "failed"
    assert "The numbers look wrong." in step(execution, "apply").sentence


def test_a_rejection_while_it_runs_is_kept_and_stops_it(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    from approvals.people import add_person

    late = add_person(None, username="lena", name="Lena Ka", email="", password=None, roles=["security"])
    request = draft(people, register(nzila))
    digest = approve(people, request)
    execution = running.start(people["engineer"], request.pk)
    drive(execution, nzila.environ, until="stage")
    sign(late, request, "security", digest, Choice.REJECT, "Wait for the incident call.")
    assert state_of(execution) == "executing"
    assert drive(execution, nzila.environ) == "failed"
    assert not SignOff.objects.filter(person=late, choice="approve").exists()


def test_who_abstains_has_voted(nzila: TargetDatabase, people: dict[str, Any], use: Callable[[str], None]) -> None:
    use(ALL)
    request, digest = submitted(people, nzila)
    assert sign(people["platform"], request, "platform", digest, Choice.ABSTAIN).state is State.WAITING
    with pytest.raises(VoteRefused, match="one person has one vote"):
        sign(people["platform"], request, "platform", digest)


def test_a_witness_is_anybody_who_took_no_part(
    nzila: TargetDatabase, people: dict[str, Any], use: Callable[[str], None]
) -> None:
    use(ALL + "witness = true\n")
    request, digest = submitted(people, nzila)
    assert sign(people["platform"], request, "platform", digest).state is State.WAITING
    with pytest.raises(VoteRefused, match="You filed this request"):
        sign(people["engineer"], request, "witness", digest)
    with pytest.raises(VoteRefused, match="one person has one vote"):
        sign(people["platform"], request, "witness", digest)
    assert sign(people["auditor"], request, "witness", digest).state is State.APPROVED


def test_a_code_does_not_sign_where_a_passkey_is_asked_for(
    nzila: TargetDatabase, people: dict[str, Any], use: Callable[[str], None]
) -> None:
    use(ALL + 'second_factor = "passkey"\n')
    request, digest = submitted(people, nzila)
    platform = people["platform"]
    statement = signing.statement_of(
        platform, request.pk, role="platform", choice="approve", reason="", digest=digest
    )  # fmt: skip
    authenticators.enrol(platform)
    code = authenticators.confirm(platform, statement)
    with pytest.raises(VoteRefused, match="asks for a passkey"):
        signing.sign_off(
            platform, request.pk, role="platform", choice=Choice.APPROVE, reason="", digest_seen=digest, confirmation=code
        )  # fmt: skip
    assert sign(platform, request, "platform", digest).state is State.APPROVED


def test_comments_are_facts_with_the_lines_they_speak_of(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request, digest = submitted(people, nzila)
    signing.comment(people["cto"], request.pk, digest=digest, lines="12-14", text="Why is this dropped?")
    for lines, text in (("twelve", "x"), ("0", "x"), ("", " ")):
        with pytest.raises(VoteRefused):
            signing.comment(people["cto"], request.pk, digest=digest, lines=lines, text=text)
    case = open_case_of(f"request:{request.pk}")
    assert case is not None and decision_on(case).state is State.WAITING
