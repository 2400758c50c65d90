"""Two things at one moment, over HTTP: whichever comes first, nothing is approved that nobody saw, and nothing twice.

RACE_ROUNDS sets how often each race is run; a release is tried with hundreds of rounds.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from approvals.grants import follow_groups
from approvals.models import RoleGrant, SignOff
from approvals.services import decision_on, open_case_of
from records.models import Fact
from rollbacks import engine
from rollbacks.models import Execution, Request
from rollbacks.services import requests, running, submission
from rollbacks.services.moves import Refused
from rollbacks.services.reading import current_revision
from tests.abuse.browsing import ballot, confirmed, edit_form, vote
from tests.barrier import at_once
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.passkeys import passkey_of
from tests.rollback import draft, drive, prove, register, sign, state_of, wording

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = int(os.environ.get("RACE_ROUNDS", "12"))


@pytest.fixture
def in_review(nzila: TargetDatabase, people: dict[str, Any]) -> Request:
    request = draft(people, register(nzila))
    submission.submit(people["engineer"], request.pk)
    return request


@pytest.fixture
def browsers(people: dict[str, Any]) -> dict[str, Client]:
    for role in ("platform", "security", "cto"):
        passkey_of(people[role])
    return {role: client_of(people[role]) for role in ("engineer", "platform", "security", "cto")}


def again(people: dict[str, Any], request: Request, number: int) -> None:
    """Put another plan of the request into review: the votes on the one before are history."""
    request.refresh_from_db()
    revision = current_revision(request)
    changed = wording(request.target, request.return_to, reason=f"Round {number}.")
    requests.edit_request(people["engineer"], request.pk, wording=changed, seen_revision=revision.number)
    prove(request)
    submission.submit(people["engineer"], request.pk)


def counted(request: Request) -> list[str]:
    case = open_case_of(f"request:{request.pk}")
    return [] if case is None else sorted(each.role for each in decision_on(case).counted)


def test_a07_many_presses_of_one_button_are_one_vote(
    people: dict[str, Any], in_review: Request, browsers: dict[str, Client]
) -> None:
    page, platform = f"/requests/{in_review.pk}/sign/", browsers["platform"]
    for number in range(ROUNDS):
        again(people, in_review, number)
        forms = [confirmed(platform, people["platform"], in_review, ballot(in_review, "platform")) for _ in range(4)]
        answers = at_once(*[lambda form=form: platform.post(page, form) for form in forms])
        assert sorted(each.status_code for each in answers) == [302, 409, 409, 409], number
        assert counted(in_review) == ["platform"]
    assert SignOff.objects.count() == ROUNDS


def test_a21_the_last_vote_and_an_edit(people: dict[str, Any], in_review: Request, browsers: dict[str, Client]) -> None:
    page, address = f"/requests/{in_review.pk}/sign/", f"/requests/{in_review.pk}/edit/"
    for number in range(ROUNDS):
        again(people, in_review, number)
        digest = current_revision(in_review).digest
        for role in ("security", "cto"):
            sign(people[role], in_review, role, digest)
        form = confirmed(browsers["platform"], people["platform"], in_review, ballot(in_review, "platform"))
        edit = edit_form(in_review, reason=f"Edited in round {number}.")
        signed, edited = at_once(
            lambda form=form: browsers["platform"].post(page, form),
            lambda edit=edit: browsers["engineer"].post(address, edit),
        )  # fmt: skip
        assert edited.status_code == 302 and signed.status_code in {302, 409}, number
        assert Request.objects.get(pk=in_review.pk).state == "draft"
        with pytest.raises(Refused):
            running.start(people["engineer"], in_review.pk)
    assert not Execution.objects.exists()


def test_a22_two_last_votes(people: dict[str, Any], in_review: Request, browsers: dict[str, Client]) -> None:
    page = f"/requests/{in_review.pk}/sign/"
    for number in range(ROUNDS):
        again(people, in_review, number)
        sign(people["platform"], in_review, "platform", current_revision(in_review).digest)
        forms = {
            role: confirmed(browsers[role], people[role], in_review, ballot(in_review, role))
            for role in ("security", "cto")
        }
        answers = at_once(
            *[lambda role=role, form=form: browsers[role].post(page, form) for role, form in forms.items()]
        )
        assert [each.status_code for each in answers] == [302, 302], number
        assert counted(in_review) == ["cto", "platform", "security"]
    # Who presses Start first starts it, and it starts once.
    started = at_once(
        *[lambda: browsers["engineer"].post(f"/requests/{in_review.pk}/start/", {"database": in_review.target.name})]
        * 4
    )
    assert sorted(each.status_code for each in started) == [302, 409, 409, 409]
    assert Execution.objects.count() == 1


def test_a23_the_last_vote_and_a_rejection(
    people: dict[str, Any], in_review: Request, browsers: dict[str, Client]
) -> None:
    page = f"/requests/{in_review.pk}/sign/"
    for number in range(ROUNDS):
        again(people, in_review, number)
        sign(people["platform"], in_review, "platform", current_revision(in_review).digest)
        yes = confirmed(browsers["security"], people["security"], in_review, ballot(in_review, "security"))
        no = confirmed(browsers["cto"], people["cto"], in_review, ballot(in_review, "cto", "reject", "Not tonight."))
        approved, rejected = at_once(
            lambda yes=yes: browsers["security"].post(page, yes), lambda no=no: browsers["cto"].post(page, no)
        )  # fmt: skip
        assert rejected.status_code == 302 and approved.status_code in {302, 409}, number
        assert Request.objects.get(pk=in_review.pk).state == "rejected"
        with pytest.raises(Refused):
            running.start(people["engineer"], in_review.pk)


def test_a23_an_approval_and_a_rejection_in_two_tabs(
    people: dict[str, Any], in_review: Request, browsers: dict[str, Client]
) -> None:
    page, cto = f"/requests/{in_review.pk}/sign/", browsers["cto"]
    for number in range(ROUNDS):
        again(people, in_review, number)
        digest = current_revision(in_review).digest
        for role in ("platform", "security"):
            sign(people[role], in_review, role, digest)
        forms = [
            confirmed(cto, people["cto"], in_review, ballot(in_review, "cto", *words))
            for words in ((), ("reject", "Not tonight."))
        ]
        approved, rejected = at_once(*[lambda form=form: cto.post(page, form) for form in forms])
        assert sorted((approved.status_code, rejected.status_code)) == [302, 409], number
        state = Request.objects.get(pk=in_review.pk).state
        assert state == ("rejected" if rejected.status_code == 302 else "in_review")
        if rejected.status_code == 302:
            with pytest.raises(Refused):
                running.start(people["engineer"], in_review.pk)
        else:
            assert counted(in_review) == ["cto", "platform", "security"]


def test_a25_a_captured_vote_that_is_sent_again(
    people: dict[str, Any], in_review: Request, browsers: dict[str, Client]
) -> None:
    page, platform = f"/requests/{in_review.pk}/sign/", browsers["platform"]
    for number in range(ROUNDS):
        again(people, in_review, number)
        form = confirmed(platform, people["platform"], in_review, ballot(in_review, "platform"))
        answers = at_once(*[lambda form=form: platform.post(page, form)] * 4)
        assert sorted(each.status_code for each in answers) == [302, 409, 409, 409], number
        assert platform.post(page, form).status_code == 409
        assert SignOff.objects.count() == number + 1
        assert Fact.objects.filter(action="vote.cast").count() == number + 1


def test_a13_a_group_that_is_taken_away_while_a_worker_claims(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    """Either the worker was first and stops at its next step, or it finds the vote lapsed; the target stays as it was."""
    request, person = draft(people, register(nzila)), people["platform"]
    RoleGrant.objects.filter(person=person, role="platform").update(ended_at=Now())
    ledger = "SELECT count(*) FROM drizzle.__drizzle_migrations"
    before = nzila.rows(ledger)
    for number in range(ROUNDS):
        follow_groups(person, {"platform": f"group-{number}"})
        again(people, request, number)
        for role in ("platform", "security", "cto"):
            sign(people[role], request, role, current_revision(request).digest)
        execution = running.start(people["engineer"], request.pk)
        at_once(
            lambda execution=execution: engine.advance(execution.pk, worker="test", environ=nzila.environ),
            lambda: follow_groups(person, {}),
        )  # fmt: skip
        drive(execution, nzila.environ)
        assert state_of(execution) == "failed", number
        failed = execution.steps.get(state="failed")
        assert failed.name in {"preflight", "backup"} and "no longer approved" in failed.sentence
    assert nzila.rows(ledger) == before


def test_one_person_may_press_from_two_browsers(people: dict[str, Any], in_review: Request) -> None:
    assert vote(people["platform"], in_review, "platform").status_code == 302
    assert vote(people["platform"], in_review, "platform").status_code == 409
