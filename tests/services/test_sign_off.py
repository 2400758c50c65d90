"""Signing over the services: who may, what voids, and races with barriers."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Case, SignOff
from approvals.people import add_person
from approvals.policy import Choice, State
from approvals.services import VoteRefused, decision_on
from approvals.step_up import NotConfirmed
from records.models import Fact
from rollbacks.models import Execution, Request
from rollbacks.services import reading, requests, running, signing, submission
from rollbacks.services.moves import Refused
from tests.barrier import at_once
from tests.conftest import TargetDatabase
from tests.passkeys import confirmed, passkey_of
from tests.rollback import approve, draft, drive, register, sign, state_of, step, wording

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def in_review(nzila: TargetDatabase, people: dict[str, Any]) -> Request:
    request = draft(people, register(nzila))
    submission.submit(people["engineer"], request.pk)
    return request


def digest_of(request: Request) -> str:
    return str(Case.objects.get(subject=f"request:{request.pk}", closed_at__isnull=True).digest)


def test_the_author_may_not_sign_even_with_every_role(in_review: Request, people: dict[str, Any]) -> None:
    author = add_person(
        None, username="ada", name="", email="", password=None, roles=["engineer", "platform", "security", "cto"]
    )
    with pytest.raises(VoteRefused, match="You filed this request"):
        sign(author, in_review, "platform", digest_of(in_review))
    assert not SignOff.objects.exists()


def test_whoever_edited_or_answered_may_not_sign(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = draft(people, register(nzila))
    requests.edit_request(
        people["platform"],
        request.pk,
        wording=wording(request.target, request.return_to, reason="Other."),
        seen_revision=1,
    )
    requests.answer(people["on-call"], request.pk, item="on_call", text="I was told.")
    add_person(None, username="odette", name="", email="", password=None, roles=["on-call", "platform"])
    plan = submission.submit(people["engineer"], request.pk)
    from django.contrib.auth import get_user_model

    for name in ("paul", "odette"):
        with pytest.raises(VoteRefused, match="touched"):
            sign(get_user_model().objects.get(username=name), request, "platform", plan.digest)


def test_one_person_with_two_roles_has_one_vote(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    both = add_person(None, username="dora", name="", email="", password=None, roles=["platform", "cto"])
    request = draft(people, register(nzila))
    digest = submission.submit(people["engineer"], request.pk).digest
    sign(both, request, "platform", digest)
    with pytest.raises(VoteRefused, match="one person has one vote"):
        sign(both, request, "cto", digest)


def test_twenty_presses_are_one_vote(in_review: Request, people: dict[str, Any]) -> None:
    digest = digest_of(in_review)
    results = at_once(*[lambda: sign(people["platform"], in_review, "platform", digest)] * 20)
    assert sum(not isinstance(each, Exception) for each in results) == 1
    assert SignOff.objects.count() == 1


def test_an_edit_voids_and_the_old_digest_is_refused(in_review: Request, people: dict[str, Any]) -> None:
    old = digest_of(in_review)
    sign(people["platform"], in_review, "platform", old)
    requests.edit_request(
        people["engineer"],
        in_review.pk,
        wording=wording(in_review.target, in_review.return_to, reason="Other."),
        seen_revision=1,
    )
    with pytest.raises(VoteRefused, match="Nothing waits"):
        sign(people["security"], in_review, "security", old)
    new = submission.submit(people["engineer"], in_review.pk).digest
    with pytest.raises(VoteRefused, match="changed after you opened it"):
        sign(people["security"], in_review, "security", old)
    decision = decision_on(Case.objects.get(digest=new))
    assert decision.state is State.WAITING and decision.counted == ()


def test_a_new_answer_voids_as_well(in_review: Request, people: dict[str, Any]) -> None:
    sign(people["platform"], in_review, "platform", digest_of(in_review))
    requests.answer(people["engineer"], in_review.pk, item="on_call", text="Somebody else was told.")
    assert Request.objects.get(pk=in_review.pk).state == "draft"
    assert not Case.objects.filter(closed_at__isnull=True).exists()


def test_the_last_vote_and_an_edit_at_once_never_approve_unseen_bytes(
    in_review: Request, people: dict[str, Any]
) -> None:
    for round_ in range(15):
        digest = digest_of(in_review)
        for role in ("security", "cto"):
            sign(people[role], in_review, role, digest)
        seen = reading.current_revision(in_review).number
        changed = wording(in_review.target, in_review.return_to, reason=f"Reason {round_}.")
        at_once(
            lambda digest=digest: sign(people["platform"], in_review, "platform", digest),
            lambda seen=seen, changed=changed: requests.edit_request(
                people["engineer"], in_review.pk, wording=changed, seen_revision=seen
            ),
        )  # fmt: skip
        request = Request.objects.get(pk=in_review.pk)
        assert request.state == "draft"
        with pytest.raises(Refused):
            running.start(people["engineer"], in_review.pk)
        submission.submit(people["engineer"], in_review.pk)


def test_a_confirmation_of_another_vote_is_no_vote(in_review: Request, people: dict[str, Any]) -> None:
    person, digest = people["platform"], digest_of(in_review)
    passkey_of(person)
    asked = signing.statement_of(
        person, in_review.pk, role="platform", choice="reject", reason="The members lose their names.", digest=digest
    )
    given = confirmed(asked, person)
    with pytest.raises(NotConfirmed, match="changed after you confirmed"):
        signing.sign_off(
            person,
            in_review.pk,
            role="platform",
            choice=Choice.APPROVE,
            reason="",
            digest_seen=digest,
            confirmation=given,
        )
    assert not SignOff.objects.exists()
    refused = Fact.objects.get(action="vote.refused")
    assert refused.actor_id == person.pk and refused.subject == f"request:{in_review.pk}"


def test_a_rejection_needs_a_reason_and_opens_the_request_for_edits(in_review: Request, people: dict[str, Any]) -> None:
    digest = digest_of(in_review)
    with pytest.raises(VoteRefused, match="needs a reason"):
        sign(people["cto"], in_review, "cto", digest, Choice.REJECT, " ")
    sign(people["cto"], in_review, "cto", digest, Choice.REJECT, "The members lose their names.")
    assert Request.objects.get(pk=in_review.pk).state == "rejected"
    requests.edit_request(
        people["engineer"],
        in_review.pk,
        wording=wording(in_review.target, in_review.return_to, reason="Better."),
        seen_revision=1,
    )
    assert Request.objects.get(pk=in_review.pk).state == "draft"


def test_a_role_taken_away_after_the_vote_stops_the_run_before_anything_happens(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = draft(people, register(nzila))
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)
    add_person(None, username="carine", name="", email="", password=None, roles=["auditor"])

    assert drive(execution, nzila.environ) == "failed"

    assert "no longer approved" in step(execution, "preflight").sentence
    assert "Carine Tshala no longer holds the role cto" in step(execution, "preflight").sentence


def test_two_starts_at_once_are_one_execution(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = draft(people, register(nzila))
    approve(people, request)
    results = at_once(*[lambda: running.start(people["engineer"], request.pk)] * 6)
    assert sum(isinstance(each, Execution) for each in results) == 1
    assert all(isinstance(each, Execution | Refused) for each in results)


def test_one_rollback_at_a_time_on_a_target(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    target = register(nzila)
    first, second = draft(people, target), draft(people, target, "0003_redundant_starfox")
    for request in (first, second):
        approve(people, request)
    execution = running.start(people["engineer"], first.pk)
    with pytest.raises(Refused, match="Another rollback is under way"):
        running.start(people["engineer"], second.pk)
    assert drive(execution, nzila.environ) == "succeeded"
    late = running.start(people["engineer"], second.pk)
    assert drive(late, nzila.environ) == "failed"
    assert state_of(late) == "failed"


def test_an_unapproved_plan_cannot_be_started(in_review: Request, people: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="platform, security, cto"):
        running.start(people["engineer"], in_review.pk)
    with pytest.raises(requests.NotAllowed):
        running.start(people["auditor"], in_review.pk)
