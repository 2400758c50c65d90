"""Votes over the API: only in a session, freshly confirmed, once, and never by a token or a service account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from approvals.models import SignOff
from approvals.people import add_person
from approvals.services import VoteRefused
from demo import authenticators
from records.models import Fact
from rollbacks.models import Request, Target
from rollbacks.services import requests, submission
from tests.api.conftest import Caller
from tests.clients import until_a_code_lasts
from tests.rollback import draft, sign, wording

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_review(people: dict[str, Any], target: Target) -> Request:
    request = draft(people, target)
    submission.submit(people["engineer"], request.pk)
    request.refresh_from_db()
    return request


def ballot(request: Request, role: str, code: str = "000000", **changes: str) -> dict[str, str]:
    digest = request.revisions.order_by("-number")[0].digest
    return {"digest": digest, "role": role, "choice": "approve", "code": code, **changes}


def code_of(person: Any) -> str:
    """Return a code of this person's app that was not used yet, as after half a minute."""
    authenticators.enrol(person)
    until_a_code_lasts()
    code = authenticators.code_of(person)
    cache.delete(f"allauth.mfa.totp.used?user={person.pk}&code={code}")
    return code


def votes() -> tuple[int, int]:
    return SignOff.objects.count(), Fact.objects.filter(action="vote.cast").count()


def test_who_votes_and_who_does_not(
    people: dict[str, Any], in_review: Request, token_for: Callable[..., Caller], service: Any
) -> None:
    path = f"/requests/{in_review.pk}/votes"

    # A01, A42: the requester, whatever roles and flags they have.
    author = add_person(
        None, username="ada", name="", email="", password=None, roles=["engineer", "platform", "security", "cto"]
    )
    type(author).objects.filter(pk=author.pk).update(is_superuser=True, is_staff=True)
    refused = Caller(people["engineer"]).post(path, ballot(in_review, "platform", code_of(people["engineer"])))
    assert refused.status_code == 409 and "You filed this request" in refused.json()["detail"]

    # A40: a token of a person who may sign; A39: a service account, even one that got a signing role.
    for person in (people["platform"], service, author):
        refused = token_for(person, "file", "run").post(path, ballot(in_review, "platform"))
        assert refused.status_code == 403 and refused.json()["sign_at"] == f"/requests/{in_review.pk}/sign/"
        assert "A token cannot vote" in refused.json()["detail"]
    add_person(None, username="ci", name="", email="", password=None, roles=["engineer", "platform"])
    with pytest.raises(VoteRefused, match="service account has no vote"):
        sign(type(service).objects.get(pk=service.pk), in_review, "platform", ballot(in_review, "platform")["digest"])
    assert votes() == (0, 0)

    # A31: a session without the CSRF token, and a form that another site could send.
    careful = Caller(people["platform"], csrf=True)
    assert careful.post(path, ballot(in_review, "platform")).status_code == 403
    plain = careful.client.post(f"/api/v1{path}", '{"a": 1}', content_type="text/plain")
    assert plain.status_code == 415 and plain["Content-Type"] == "application/problem+json"
    assert votes() == (0, 0)

    platform = Caller(people["platform"])
    code_of(people["platform"])
    wrong = platform.post(path, ballot(in_review, "platform", "canary"))
    assert wrong.status_code == 409 and "canary" not in wrong.content.decode()
    mine = code_of(people["platform"])
    reasonless = platform.post(path, ballot(in_review, "platform", mine, choice="reject"))
    assert reasonless.status_code == 409 and "needs a reason" in reasonless.json()["detail"]
    other = platform.post(path, ballot(in_review, "cto", code_of(people["platform"])))
    assert other.status_code == 409 and "do not hold the role cto" in other.json()["detail"]

    # A25: sent again with its key it is the same answer, without one a refusal; neither is a second vote.
    sent = ballot(in_review, "platform", code_of(people["platform"]))
    given = platform.post(path, sent, **{"Idempotency-Key": "vote-1"})
    assert given.status_code == 200 and [need["role"] for need in given.json()["missing"]] == ["security", "cto"]
    again = platform.post(path, sent, **{"Idempotency-Key": "vote-1"})
    assert again.json() == given.json() and again["Idempotent-Replayed"] == "true"
    assert platform.post(path, ballot(in_review, "platform", code_of(people["platform"]))).status_code == 409
    assert votes() == (1, 1)


def test_a_vote_on_an_older_plan_says_what_changed(people: dict[str, Any], in_review: Request) -> None:
    old = ballot(in_review, "platform", code_of(people["platform"]))
    changed = wording(in_review.target, in_review.return_to, reason="Another reason.")
    requests.edit_request(people["engineer"], in_review.pk, wording=changed, seen_revision=1)
    submission.submit(people["engineer"], in_review.pk)
    stale = Caller(people["platform"]).post(f"/requests/{in_review.pk}/votes", old)
    assert stale.status_code == 409 and stale.json()["type"].endswith("#stale")
    assert "+Reason: Another reason." in stale.json()["changed"]
    assert votes() == (0, 0)


def test_guessing_the_code_over_the_api_is_slowed_down(people: dict[str, Any], in_review: Request) -> None:
    caller = Caller(people["platform"])
    path = f"/requests/{in_review.pk}/votes"
    mine = code_of(people["platform"])
    codes = [caller.post(path, ballot(in_review, "platform", f"guess-{number}")).status_code for number in range(12)]
    assert codes[0] == 409 and codes[-1] == 429
    right = caller.post(path, ballot(in_review, "platform", mine))
    assert right.status_code == 429 and votes() == (0, 0)


def test_a_rejection_closes_the_case(people: dict[str, Any], in_review: Request) -> None:
    caller = Caller(people["cto"])
    rejected = ballot(in_review, "cto", code_of(people["cto"]), choice="reject", reason="Names are lost.")
    given = caller.post(f"/requests/{in_review.pk}/votes", rejected)
    assert given.status_code == 200 and given.json()["state"] == "rejected"
    cases = caller.get(f"/requests/{in_review.pk}/case").json()
    assert cases["open"] is None and cases["closed"][0]["votes"][0]["reason"] == "Names are lost."
