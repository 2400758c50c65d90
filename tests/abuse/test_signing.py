"""Matrix A over HTTP: who may sign what, and what an edit, a lapse or another request does to a signature."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from approvals.models import Case, SignOff
from approvals.people import add_person
from approvals.services import decision_on, open_case_of
from records.models import Fact
from rollbacks.models import Execution, Request, Target
from rollbacks.services import running, submission
from rollbacks.services.moves import Refused
from rollbacks.services.reading import current_revision
from rollbacks.states import State
from rollbacks.tasks import advance
from tests.abuse.browsing import ballot, confirmed, edit_form, vote
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.passkeys import passkey_of
from tests.rollback import ENVIRONMENTS, approve, draft, drive, prove, read, register, sign, state_of, step

pytestmark = pytest.mark.django_db(transaction=True)

EVERY_ROLE = ["engineer", "platform", "security", "cto"]
PLAIN = "0003_redundant_starfox"


@pytest.fixture
def in_review(nzila: TargetDatabase, people: dict[str, Any]) -> Request:
    request = draft(people, register(nzila))
    submission.submit(people["engineer"], request.pk)
    return request


def promote(username: str) -> Any:
    """Give somebody every role, and the flags of a superuser besides."""
    person = add_person(None, username=username, name="", email="", password=None, roles=EVERY_ROLE)
    get_user_model().objects.filter(pk=person.pk).update(is_superuser=True, is_staff=True)
    return get_user_model().objects.get(pk=person.pk)


def decided(request: Request) -> Any:
    case = open_case_of(f"request:{request.pk}")
    return None if case is None else decision_on(case)


def test_a01_a42_the_requester_signs_by_no_door(people: dict[str, Any], in_review: Request) -> None:
    requester = promote("ada")
    client = client_of(requester)
    page = client.get(f"/requests/{in_review.pk}/").content.decode()
    assert "You filed this request" in page and "Your turn: read and sign" not in page
    assert "sign-form" not in client.get(f"/requests/{in_review.pk}/sign/").content.decode()
    for role in ("platform", "security", "cto"):
        answer = vote(requester, in_review, role)
        assert answer.status_code == 409 and "You filed this request" in answer.content.decode()
    told = client.post(
        f"/api/v1/requests/{in_review.pk}/votes",
        {**ballot(in_review, "platform"), "code": "000000"}, content_type="application/json",
    )  # fmt: skip
    assert told.status_code in {403, 409, 422} and not SignOff.objects.exists()


def test_a02_a05_an_editor_stays_an_editor_under_another_name(people: dict[str, Any], in_review: Request) -> None:
    editor = promote("paul")
    edited = client_of(editor).post(f"/requests/{in_review.pk}/edit/", edit_form(in_review, reason="Said better."))
    assert edited.status_code == 302
    submission.submit(people["engineer"], in_review.pk)
    get_user_model().objects.filter(pk=editor.pk).update(
        username="somebody.else", first_name="Some", last_name="Body", email="else@nzila.example"
    )
    answer = vote(get_user_model().objects.get(pk=editor.pk), in_review, "platform")
    assert answer.status_code == 409 and "You edited this request" in answer.content.decode()
    answer = vote(promote("ada"), in_review, "cto")
    assert answer.status_code == 409 and "You filed this request" in answer.content.decode()
    assert not SignOff.objects.exists()


def test_a03_a14_a15_one_space_by_an_approver_voids_everything(people: dict[str, Any], in_review: Request) -> None:
    for role in ("security", "cto"):
        assert vote(people[role], in_review, role).status_code == 302
    tag, sql = next(iter(current_revision(in_review).reverse_sql.items()))
    fixed = edit_form(in_review, **{f"sql-{tag}": sql.replace(" ", "  ", 1)})
    assert client_of(people["platform"]).post(f"/requests/{in_review.pk}/edit/", fixed).status_code == 302
    prove(in_review)
    submission.submit(people["engineer"], in_review.pk)
    answer = vote(people["platform"], in_review, "platform")
    assert answer.status_code == 409 and "You edited this request" in answer.content.decode()
    assert decided(in_review).counted == ()
    page = client_of(people["engineer"]).get(f"/requests/{in_review.pk}/").content.decode()
    assert "Votes that no longer count" in page and "paul edited the request" in page


@pytest.mark.parametrize("shared", ["address", "key", "app"])
def test_a04_two_accounts_of_one_person_have_one_vote(people: dict[str, Any], in_review: Request, shared: str) -> None:
    platform, cto = people["platform"], people["cto"]
    assert vote(platform, in_review, "platform").status_code == 302
    if shared == "address":
        # The portal itself refuses a second account with this address; a row of old may have one.
        get_user_model().objects.filter(pk=cto.pk).update(email=platform.email.upper())
    elif shared == "key":
        passkey = passkey_of(platform)
        Authenticator.objects.filter(user=cto, type="webauthn").delete()
        passkey.enrol(cto)
    else:
        for person in (platform, cto):
            Authenticator.objects.filter(user=person, type="totp").delete()
        app = Authenticator.objects.create(user=platform, type="totp", data={"secret": _sealed()})
        Authenticator.objects.create(user=cto, type="totp", data={"secret": _sealed()})
        assert app.data["secret"] != Authenticator.objects.get(user=cto, type="totp").data["secret"]
    answer = vote(cto, in_review, "cto")
    assert answer.status_code == 409 and "one person" in answer.content.decode(), shared
    assert SignOff.objects.count() == 1


def _sealed() -> str:
    from allauth.mfa.utils import encrypt

    return str(encrypt("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"))


def test_a06_two_roles_are_one_vote_and_the_page_says_who_can(people: dict[str, Any], in_review: Request) -> None:
    both = add_person(None, username="paul", name="", email="", password=None, roles=["platform", "cto"])
    assert vote(both, in_review, "platform").status_code == 302
    answer = vote(both, in_review, "cto")
    assert answer.status_code == 409 and "voted already" in answer.content.decode()
    page = client_of(both).get(f"/requests/{in_review.pk}/").content.decode()
    assert "not signed yet" in page and "Carine Tshala" in page, "who else holds the role is named"


def test_a10_a11_what_is_taken_away_takes_the_vote_along(people: dict[str, Any], in_review: Request) -> None:
    digest = current_revision(in_review).digest
    for role in ("platform", "security", "cto"):
        sign(people[role], in_review, role, digest)
    add_person(None, username="carine", name="", email="", password=None, roles=["auditor"])
    started = client_of(people["engineer"]).post(
        f"/requests/{in_review.pk}/start/", {"database": in_review.target.name}
    )
    assert started.status_code == 409 and "waits for: cto" in started.content.decode()
    get_user_model().objects.filter(pk=people["security"].pk).update(is_active=False)
    started = client_of(people["engineer"]).post(
        f"/requests/{in_review.pk}/start/", {"database": in_review.target.name}
    )
    assert started.status_code == 409 and not Execution.objects.exists()
    assert {lapsed.vote.role for lapsed in decided(in_review).lapsed} == {"cto", "security"}


def test_a16_another_database_of_the_same_name_is_not_the_one_that_was_signed_for(
    people: dict[str, Any], nzila: TargetDatabase, cluster_url: str, target_template: str
) -> None:
    import psycopg
    from psycopg import sql

    from demo import target as demo_target

    request = draft(people, register(nzila))
    approve(people, request)
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, nzila.name)
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
                sql.Identifier(nzila.name), sql.Identifier(target_template), sql.Identifier(target_template)
            )
        )
    execution = running.start(people["engineer"], request.pk)
    assert drive(execution, nzila.environ) == "failed"
    assert "This is not the database that was signed for" in step(execution, "preflight").sentence


@pytest.mark.parametrize("part", ["reason", "window", "evidence"])
def test_a17_every_part_of_the_request_is_signed(people: dict[str, Any], in_review: Request, part: str) -> None:
    assert vote(people["platform"], in_review, "platform").status_code == 302
    engineer = client_of(people["engineer"])
    if part == "evidence":
        proof = SimpleUploadedFile("flags.txt", b"off")
        changed = engineer.post(
            f"/requests/{in_review.pk}/checklist/feature_flags/", {"text": "All off.", "upload": proof}
        )
    else:
        changes = (
            {"reason": "Another one."} if part == "reason" else {"window_end_0": "", "window_end": "2031-01-01T00:00"}
        )
        changed = engineer.post(f"/requests/{in_review.pk}/edit/", edit_form(in_review, **changes))
    assert changed.status_code == 302
    assert Request.objects.get(pk=in_review.pk).state == "draft" and decided(in_review) is None


def test_a24_a_rejection_after_the_approval_cancels_before_the_claim(
    people: dict[str, Any], in_review: Request
) -> None:
    digest = current_revision(in_review).digest
    for role in ("platform", "security", "cto"):
        sign(people[role], in_review, role, digest)
    late = add_person(None, username="late", name="Late Witness", email="", password=None, roles=["security"])
    answer = vote(late, in_review, "security", "reject", "The flag is still on.")
    assert answer.status_code in {302, 409}
    if answer.status_code == 409:
        # No signature is missing any more; whoever signed takes theirs back, which stops it as well.
        back = client_of(people["security"]).post(
            f"/requests/{in_review.pk}/take-back/", {"digest": digest, "reason": "The flag is still on."}
        )
        assert back.status_code == 302
    with pytest.raises(Refused):
        running.start(people["engineer"], in_review.pk)


AGED = {"approvals_signoff": "signed_at", "approvals_case": "opened_at", "approvals_rolegrant": "confirmed_at"}


def _age(table: str, column: str) -> None:
    """Let 73 hours go by; what keeps the rows from being changed is switched off for it, and on again as it was."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled = 'A'", [table]
        )
        always = [row[0] for row in cursor.fetchall()]
        for trigger in always:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        cursor.execute(f"UPDATE {table} SET {column} = {column} - interval '73 hours'")
        for trigger in always:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def test_a28_a_vote_that_expired_before_the_claim_has_to_be_given_again(
    people: dict[str, Any], nzila: TargetDatabase
) -> None:
    request = draft(people, register(nzila))
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)
    for table, column in AGED.items():
        _age(table, column)
    assert drive(execution, nzila.environ) == "failed"
    assert "no longer approved" in step(execution, "preflight").sentence


def test_a33_a34_evidence_is_reached_through_its_own_request_only(
    people: dict[str, Any], nzila: TargetDatabase
) -> None:
    target = register(nzila)
    mine, other = draft(people, target), draft(people, target, PLAIN)
    engineer = client_of(people["engineer"])
    engineer.post(
        f"/requests/{mine.pk}/checklist/on_call/",
        {"text": "Told.", "upload": SimpleUploadedFile("page.txt", b"Odette was told.")},
    )
    file = mine.answers.exclude(attachment=None).get().attachment_id
    assert engineer.get(f"/requests/{mine.pk}/files/{file}/").status_code == 200
    stranger = client_of(get_user_model().objects.create_user("stranger"))
    for address in (f"/requests/{other.pk}/files/{file}/", f"/requests/{mine.pk}/files/{file + 1}/"):
        assert engineer.get(address).status_code == 404
    for address in ("", "sign/", "run/", "edit/", f"files/{file}/"):
        assert stranger.get(f"/requests/{mine.pk}/{address}").status_code == 403


def test_a35_what_the_portal_decides_cannot_be_posted(people: dict[str, Any], in_review: Request) -> None:
    request = Request.objects.get(pk=in_review.pk)
    smuggled = {
        "state": "succeeded", "status": "approved", "author": people["platform"].pk, "requester": "paul",
        "approved_by": "cto", "policy": "{}", "is_emergency": "1", "fence": "99", "digest": "0" * 64,
    }  # fmt: skip
    edited = client_of(people["engineer"]).post(
        f"/requests/{in_review.pk}/edit/", edit_form(in_review, reason="Said better.", **smuggled)
    )
    assert edited.status_code == 302
    after = Request.objects.get(pk=in_review.pk)
    assert (after.state, after.author_id) == ("draft", request.author_id) and not SignOff.objects.exists()
    assert current_revision(after).emergency is False and current_revision(after).digest == ""
    noted = Fact.objects.filter(action="fields.refused", subject=f"request:{in_review.pk}").get()
    assert "approved_by" in noted.line and "0000" not in noted.line


@pytest.mark.parametrize("state", list(State))
def test_a36_no_page_jumps_a_state(people: dict[str, Any], nzila: TargetDatabase, state: State) -> None:
    request = draft(people, register(nzila))
    Request.objects.filter(pk=request.pk).update(state=state)
    engineer, place = client_of(people["engineer"]), f"/requests/{request.pk}"
    assert engineer.post(f"{place}/start/", {"database": request.target.name}).status_code == 409
    assert engineer.post(f"{place}/resume/").status_code == 409
    made_up = {"digest": "0" * 64, "shown": "0" * 64, "role": "platform", "choice": "approve", "code": "000000"}
    assert client_of(people["platform"]).post(f"{place}/sign/", made_up).status_code == 409
    if state not in {State.DRAFT}:
        assert engineer.post(f"{place}/submit/").status_code == 409
    editable = state in {State.DRAFT, State.IN_REVIEW, State.FAILED, State.REJECTED}
    assert engineer.post(f"{place}/edit/", edit_form(request, reason="Again.")).status_code == (
        302 if editable else 409
    )
    if not editable:
        assert Request.objects.get(pk=request.pk).state == state
        assert engineer.post(f"{place}/withdraw/", {"reason": ""}).status_code == 409


def test_a37_a_role_that_nobody_holds_any_more_stays_required(people: dict[str, Any], in_review: Request) -> None:
    digest = current_revision(in_review).digest
    for role in ("platform", "security"):
        sign(people[role], in_review, role, digest)
    add_person(None, username="carine", name="", email="", password=None, roles=[])
    started = client_of(people["engineer"]).post(
        f"/requests/{in_review.pk}/start/", {"database": in_review.target.name}
    )
    assert started.status_code == 409 and "waits for: cto" in started.content.decode()


def test_a38_a_target_cannot_be_relabelled(people: dict[str, Any], nzila: TargetDatabase) -> None:
    request = draft(people, register(nzila))
    for change in ("environment = 'staging'", "name = 'other'", "repository = '/elsewhere'", "out = 'drizzle'"):
        with pytest.raises(Exception, match="retire it"), connection.cursor() as cursor:
            cursor.execute(f"UPDATE rollbacks_target SET {change}")
    # Nor is the same database taken under a second name with a weaker label.
    twin = Target.objects.create(
        name="staging", title="Staging", environment="staging", repository=str(nzila.repository), out=request.target.out,
    )  # fmt: skip
    environ = {**nzila.environ, "STAGING_DIRECT_DATABASE_URL": nzila.url}
    ENVIRONMENTS["staging"] = environ
    read(TargetDatabase("staging", nzila.url, nzila.repository, environ), twin)
    weaker = draft(people, twin, PLAIN)
    refused = client_of(people["engineer"]).post(f"/requests/{weaker.pk}/submit/")
    assert refused.status_code == 409 and "is registered as production as well" in refused.content.decode()


def test_a43_a_message_about_nothing_does_nothing_and_is_noticed(
    people: dict[str, Any], in_review: Request, caplog: pytest.LogCaptureFixture
) -> None:
    facts = Fact.objects.count()
    advance(10**9)
    assert "no execution 1000000000," in caplog.text
    forged = Execution.objects.create(
        request=in_review, target=in_review.target, number=1, plan=current_revision(in_review).plan,
        digest=current_revision(in_review).digest, started_by=people["engineer"],
    )  # fmt: skip
    advance(forged.pk)
    assert Fact.objects.count() == facts, "an execution without steps has nothing to do"


def test_a44_the_second_of_two_approved_rollbacks_finds_another_ledger(
    people: dict[str, Any], nzila: TargetDatabase
) -> None:
    target = register(nzila)
    first, second = draft(people, target), draft(people, target)
    for request in (first, second):
        approve(people, request)
    assert drive(running.start(people["engineer"], first.pk), nzila.environ) == "succeeded"
    late = running.start(people["engineer"], second.pk)
    assert drive(late, nzila.environ) == "failed" and state_of(late) == "failed"
    assert "Ledger row 6" in step(late, "preflight").sentence, "which the first one wrote"


def test_a45_a_signature_on_one_request_is_none_on_another(people: dict[str, Any], nzila: TargetDatabase) -> None:
    target = register(nzila)
    signed, other = draft(people, target), draft(people, target)
    for request in (signed, other):
        submission.submit(people["engineer"], request.pk)
    platform = client_of(people["platform"])
    passkey_of(people["platform"])
    form = confirmed(platform, people["platform"], signed, ballot(signed, "platform"))
    theirs = {name: ballot(other, "platform")[name] for name in ("digest", "shown")}
    crossed = platform.post(f"/requests/{other.pk}/sign/", {**form, **theirs})
    assert crossed.status_code == 409 and not SignOff.objects.exists()
    assert platform.post(f"/requests/{signed.pk}/sign/", form).status_code == 302
    assert decided(other).counted == () and Case.objects.count() == 2
