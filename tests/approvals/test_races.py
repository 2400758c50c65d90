"""Two people at the same moment: one clear result each."""

from __future__ import annotations

from typing import Any

import pytest

from approvals import delegations, grants
from approvals.models import Delegation, RoleGrant, SignOff
from approvals.people import add_person
from approvals.refusals import Refused
from approvals.services import VoteRefused
from approvals.standing import standing_of
from records.models import Fact
from tests.approvals.cases import decided, open_case, period, second_administrator, vote
from tests.barrier import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 40


def outcomes(results: list[Any], refused: type[Exception]) -> tuple[int, int]:
    return sum(not isinstance(each, Exception) for each in results), sum(isinstance(each, refused) for each in results)


def test_two_confirmations_at_once_are_one(people: dict[str, Any]) -> None:
    second, ada = second_administrator(), people["engineer"]
    third = add_person(None, username="chris", name="", email="", password=None, roles=["administrator"])
    for _round in range(ROUNDS):
        grant = grants.propose(people["administrator"], ada.pk, role="cto", reason="Deputy.")
        results = at_once(lambda pk=grant.pk: grants.confirm(second, pk), lambda pk=grant.pk: grants.confirm(third, pk))
        assert outcomes(results, Refused) == (1, 1)
        grants.end(second, grant.pk, reason="Next round.")
    assert Fact.objects.filter(subject=f"person:{ada.pk}", action="person.role_granted").count() == ROUNDS + 1


def test_a_confirmation_and_a_refusal_at_once_are_one_of_them(people: dict[str, Any]) -> None:
    second, ada = second_administrator(), people["engineer"]
    for _round in range(ROUNDS):
        grant = grants.propose(people["administrator"], ada.pk, role="cto", reason="Deputy.")
        results = at_once(
            lambda pk=grant.pk: grants.confirm(second, pk),
            lambda pk=grant.pk: grants.refuse(people["administrator"], pk, reason=""),
        )
        assert outcomes(results, Refused) == (1, 1)
        grant.refresh_from_db()
        assert grant.state == ("held" if results[0] is None else "refused")
        if grant.state == "held":
            grants.end(second, grant.pk, reason="Next round.")


def test_two_proposals_at_once_are_one(people: dict[str, Any]) -> None:
    second, ada = second_administrator(), people["engineer"]
    results = at_once(
        *[lambda: grants.propose(people["administrator"], ada.pk, role="cto", reason="Deputy.")] * 3,
        *[lambda: grants.propose(second, ada.pk, role="cto", reason="Deputy.")] * 3,
    )
    assert outcomes(results, Refused) == (1, 5)


def test_a_vote_and_the_end_of_its_role_at_once_never_leave_a_counted_vote(people: dict[str, Any]) -> None:
    adele, carine, second = people["administrator"], people["cto"], second_administrator()
    open_case(people)
    grant = RoleGrant.objects.get(person=carine, role="cto")
    results = at_once(lambda: vote(carine, "cto"), lambda: grants.end(adele, grant.pk, reason="Left."))
    assert isinstance(results[1], RoleGrant)
    assert not isinstance(results[0], Exception) or isinstance(results[0], VoteRefused)
    assert decided().counted == () and standing_of([carine.pk]) == {}
    again = grants.propose(adele, carine.pk, role="cto", reason="Back.")
    grants.confirm(second, again.pk)
    assert decided().counted == ()


def test_a_vote_before_the_confirmation_of_its_role_is_never_there(people: dict[str, Any]) -> None:
    second, aude = second_administrator(), people["auditor"]
    open_case(people)
    for _round in range(ROUNDS):
        grant = grants.propose(people["administrator"], aude.pk, role="cto", reason="Deputy.")
        results = at_once(lambda pk=grant.pk: grants.confirm(second, pk), lambda: vote(aude, "cto"))
        assert results[0] is None
        if not isinstance(results[1], Exception):
            assert [each.person for each in decided().counted] == [aude.pk]
            break
        assert isinstance(results[1], VoteRefused) and not SignOff.objects.exists()
        grants.end(second, grant.pk, reason="Next round.")


def test_holder_and_delegate_at_once_are_one_signature(people: dict[str, Any]) -> None:
    delegations.delegate(
        people["cto"], holder_id=people["cto"].pk, delegate_id=people["auditor"].pk, role="cto", reason="", **period()
    )
    open_case(people)
    results = at_once(*[lambda: vote(people["cto"], "cto")] * 3, *[lambda: vote(people["auditor"], "cto")] * 3)
    assert outcomes(results, VoteRefused) == (1, 5)
    assert SignOff.objects.count() == 1 and len(decided().counted) == 1


def test_two_delegations_of_one_role_at_once_are_one(people: dict[str, Any]) -> None:
    carine = people["cto"]
    results = at_once(*[
        lambda to=to: delegations.delegate(
            carine, holder_id=carine.pk, delegate_id=people[to].pk, role="cto", reason="", **period()
        )
        for to in ("auditor", "on-call", "platform", "security")
    ])  # fmt: skip
    assert outcomes(results, Refused) == (1, 3) and Delegation.objects.count() == 1
