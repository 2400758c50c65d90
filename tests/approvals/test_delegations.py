"""A signing role left to somebody for a period: who may make it, what it gives, and that two people sign once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, IntegrityError, connection, transaction

from approvals import delegations, grants
from approvals.models import Delegation, RoleGrant, SignOff
from approvals.people import add_person, end_sessions
from approvals.policy import Choice
from approvals.refusals import NotAllowed, Refused
from approvals.roles import REQUESTING_ROLES, may, roles_of, signing_roles_of
from approvals.services import VoteRefused, open_roles
from approvals.standing import standing_of
from records.models import Fact
from tests.approvals.cases import (
    decided,
    forced_vote,
    lapses,
    open_case,
    period,
    second_administrator,
    vote,
)

pytestmark = pytest.mark.django_db

AGED = {
    "approvals_case": ["opened_at"], "approvals_signoff": ["signed_at"], "approvals_rolegrant": ["confirmed_at"],
    "approvals_delegation": ["confirmed_at", "starts_at"],
}  # fmt: skip


def fresh(person: Any) -> Any:
    return get_user_model().objects.get(pk=person.pk)


def leave(people: dict[str, Any], role: str = "cto", to: str = "auditor", **changes: Any) -> Delegation:
    given = {"holder_id": people[role].pk, "delegate_id": people[to].pk, "role": role, "reason": "Away.", **period()}
    return delegations.delegate(changes.pop("by", people[role]), **{**given, **changes})


def test_a_delegate_signs_and_every_vote_shows_for_whom(people: dict[str, Any]) -> None:
    made = leave(people)
    case = open_case(people)
    assert open_roles(case, decided(), fresh(people["auditor"])) == ("cto",)

    decision = vote(people["auditor"], "cto")

    assert [each.name for each in decision.counted] == [
        f"Aude Lukusa for Carine Tshala (cto) until {made.ends_at:%Y-%m-%d %H:%M} UTC"
    ]
    assert SignOff.objects.get().delegation_id == made.pk
    standing = standing_of([people["auditor"].pk])[people["auditor"].pk]["cto"]
    assert (standing.delegated_by, standing.delegation) == (people["cto"].pk, made.pk)
    detail = Fact.objects.filter(action="vote.cast").get().line
    assert f'"delegated_by":{people["cto"].pk}' in detail and f'"delegation":{made.pk}' in detail


def test_it_gives_the_signature_and_nothing_else(people: dict[str, Any]) -> None:
    leave(people, role="platform")
    aude = fresh(people["auditor"])
    assert roles_of(aude) == ("auditor",) and signing_roles_of(aude) == ("platform",)
    assert not may(aude, REQUESTING_ROLES)


@pytest.mark.parametrize("first", ["holder", "delegate"])
def test_holder_and_delegate_are_one_signature(people: dict[str, Any], first: str) -> None:
    made = leave(people)
    case = open_case(people)
    pair = [(people["cto"], None), (people["auditor"], made)]
    (one, _by), (other, by) = pair if first == "holder" else pair[::-1]
    vote(one, "cto")
    with pytest.raises(VoteRefused, match="a holder and their delegate have one vote"):
        vote(other, "cto")
    forced_vote(case, other, "cto", by)
    assert len(decided().counted) == 1 and "is counted already" in lapses()[0]


def test_nor_does_a_holder_of_two_roles_count_twice_through_a_delegate(people: dict[str, Any]) -> None:
    add_person(None, username="carine", name="", email="", password=None, roles=["cto", "security"])
    leave(people)
    open_case(people)
    vote(people["auditor"], "cto")
    with pytest.raises(VoteRefused, match="a holder and their delegate have one vote"):
        vote(people["cto"], "security")


def test_a_delegate_who_signs_as_themselves_has_no_second_vote(people: dict[str, Any]) -> None:
    leave(people, to="platform")
    open_case(people)
    vote(people["platform"], "platform")
    with pytest.raises(VoteRefused, match="one person has one vote"):
        vote(people["platform"], "cto")


def test_nobody_signs_for_somebody_who_touched_it(people: dict[str, Any]) -> None:
    made = leave(people)
    case = open_case(people, barred={people["cto"].pk: "You edited it."})
    with pytest.raises(VoteRefused, match="The person for whom you sign touched this request"):
        vote(people["auditor"], "cto")
    forced_vote(case, people["auditor"], "cto", made)
    assert decided().counted == ()


def test_a_role_that_the_requester_gave_the_holder_counts_no_more_by_delegation(people: dict[str, Any]) -> None:
    second, ada = second_administrator(), people["engineer"]
    grants.confirm(second, grants.propose(people["administrator"], ada.pk, role="administrator", reason="x").pk)
    grants.confirm(second, grants.propose(ada, people["on-call"].pk, role="cto", reason="x").pk)
    leave(people, by=people["on-call"], holder_id=people["on-call"].pk)
    open_case(people)
    with pytest.raises(VoteRefused, match="Odette Mwamba has the role cto for less than a day"):
        vote(people["auditor"], "cto")


@pytest.mark.parametrize("who", ["cto", "auditor", "administrator"])
def test_holder_delegate_and_administrators_end_it_at_once(people: dict[str, Any], who: str) -> None:
    made = leave(people)
    open_case(people)
    vote(people["auditor"], "cto")
    with pytest.raises(NotAllowed):
        delegations.end(people["engineer"], made.pk, reason="")
    delegations.end(people[who], made.pk, reason="Back again.")
    assert signing_roles_of(fresh(people["auditor"])) == ()
    assert lapses() == ["The delegation by which Aude Lukusa signed in the role cto is over."]
    with pytest.raises(Refused, match="over already"):
        delegations.end(people[who], made.pk, reason="")
    assert vote(people["cto"], "cto").counted[0].name == "Carine Tshala"


def test_it_ends_with_the_holders_role_and_with_their_account(people: dict[str, Any]) -> None:
    leave(people)
    leave(people, role="security", to="on-call")
    open_case(people)
    vote(people["auditor"], "cto")
    vote(people["on-call"], "security")
    grants.end(people["administrator"], RoleGrant.objects.get(person=people["cto"]).pk, reason="Left.")
    get_user_model().objects.filter(pk=people["security"].pk).update(is_active=False)
    assert len(lapses()) == 2 and decided().counted == ()


def test_the_holders_lost_sessions_take_the_delegates_vote_along(people: dict[str, Any]) -> None:
    leave(people)
    open_case(people)
    vote(people["auditor"], "cto")
    end_sessions(people["administrator"], people["cto"].pk, reason="Lost laptop.")
    assert lapses() == ["An administrator ended all sessions of Carine Tshala after the vote."]


def test_outside_its_period_it_gives_nothing(people: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    leave(people, starts_at=now + timedelta(hours=1), ends_at=now + timedelta(days=2))
    over = Delegation.objects.create(
        holder=people["security"], delegate=people["auditor"], role="security", made_by=people["security"],
        starts_at=now - timedelta(days=2), ends_at=now - timedelta(seconds=1), confirmed_at=now - timedelta(days=2),
    )  # fmt: skip
    assert signing_roles_of(fresh(people["auditor"])) == () and set(
        standing_of([people["auditor"].pk])[people["auditor"].pk]
    ) == {"auditor"}
    case = open_case(people)
    forced_vote(case, people["auditor"], "security", over)
    assert lapses() == ["The delegation by which Aude Lukusa signed in the role security is over."]


def test_what_cannot_be_delegated(people: dict[str, Any]) -> None:
    leave(people)
    stranger = get_user_model().objects.create_user("stranger")
    now = datetime.now(UTC)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"by": people["auditor"], "holder_id": people["auditor"].pk, "delegate_id": people["on-call"].pk}, "themself"),
        ({"role": "platform", "delegate_id": people["platform"].pk}, "another person"),
        ({"role": "platform", "delegate_id": stranger.pk}, "no role in the portal"),
        ({"role": "platform", "starts_at": now, "ends_at": now + timedelta(days=31)}, "at most 30 days"),
        ({"role": "platform", "starts_at": now, "ends_at": now}, "before it begins"),
        ({"role": "platform", "starts_at": now - timedelta(2), "ends_at": now - timedelta(1)}, "over already"),
        ({"role": "cto"}, "end that delegation first"),
        ({"by": people["engineer"], "holder_id": people["engineer"].pk, "role": "engineer"}, "themself"),
    ]
    for changes, sentence in wrong:
        arguments = {"role": "cto", **changes}
        role = arguments.pop("role")
        with pytest.raises(Refused, match=sentence):
            if "holder_id" in arguments:
                delegations.delegate(
                    arguments.pop("by"), **{"delegate_id": people["auditor"].pk, "role": role, "reason": "", **period(), **arguments}
                )  # fmt: skip
            else:
                leave(people, role=role, **arguments)
    add_person(None, username="odette", name="", email="", password=None, roles=["platform"])
    with pytest.raises(Refused, match="signs for themself"):
        leave(people, role="platform", to="on-call")


def test_for_a_holder_who_cannot_it_takes_two_administrators(people: dict[str, Any]) -> None:
    adele, second = people["administrator"], second_administrator()
    open_case(people)
    made = leave(people, by=adele)
    with pytest.raises(VoteRefused, match="do not hold the role cto"):
        vote(people["auditor"], "cto")
    with pytest.raises(Refused, match="second administrator"):
        delegations.confirm(adele, made.pk)
    with pytest.raises(NotAllowed):
        delegations.confirm(people["platform"], made.pk)
    delegations.confirm(second, made.pk)
    assert len(vote(people["auditor"], "cto").counted) == 1
    actions = Fact.objects.filter(action__startswith="delegation.").order_by("seq").values_list("action", "actor")
    assert list(actions) == [("delegation.proposed", adele.pk), ("delegation.made", second.pk)]


def test_not_for_themselves_and_not_by_anybody_else(people: dict[str, Any]) -> None:
    second = second_administrator()
    with pytest.raises(NotAllowed):
        leave(people, by=people["platform"])
    with pytest.raises(Refused, match="to themselves"):
        leave(people, by=second, delegate_id=second.pk)
    made = leave(people, by=second, to="administrator")
    with pytest.raises(Refused, match="not who it is about"):
        delegations.confirm(people["administrator"], made.pk)


def test_administrators_who_touched_the_request_make_no_delegation_for_it(people: dict[str, Any]) -> None:
    second, ada = second_administrator(), people["engineer"]
    grants.confirm(second, grants.propose(people["administrator"], ada.pk, role="administrator", reason="x").pk)
    open_case(people)
    delegations.confirm(second, leave(people, by=ada).pk)
    with pytest.raises(VoteRefused, match="somebody who touched this request"):
        vote(people["auditor"], "cto", Choice.REJECT)


def test_the_database_repeats_it(people: dict[str, Any]) -> None:
    adele, now = people["administrator"], datetime.now(UTC)
    given = {
        "holder": people["cto"], "delegate": people["auditor"], "role": "cto", "made_by": people["cto"],
        "starts_at": now, "ends_at": now + timedelta(days=30), "confirmed_at": now,
    }  # fmt: skip
    wrong: dict[str, dict[str, Any]] = {
        "delegation_signing_role": {"role": "administrator"},
        "delegation_to_another": {"delegate": people["cto"]},
        "delegation_period": {"ends_at": now + timedelta(days=30, seconds=1)},
        "delegation_by_holder_or_two": {"made_by": adele},
        "delegation_confirmed_by_another": {"made_by": adele, "confirmed_by": adele},
    }
    for constraint, change in wrong.items():
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Delegation.objects.create(**{**given, **change})
    made = Delegation.objects.create(**given)
    for later in ({"ends_at": now + timedelta(days=29)}, {"delegate": adele}, {"confirmed_at": None}):
        with pytest.raises(DatabaseError, match="only be confirmed and ended"), transaction.atomic():
            Delegation.objects.filter(pk=made.pk).update(**later)


def test_a_signature_that_expired_may_be_given_once_more(people: dict[str, Any]) -> None:
    leave(people)
    open_case(people)
    vote(people["auditor"], "cto")
    vote(people["platform"], "platform")
    with connection.cursor() as cursor:
        # Three days and an hour go by. Triggers keep these rows; the end of the test puts them back.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, columns in AGED.items():
            moved = ", ".join(f"{column} = {column} - interval '73 hours'" for column in columns)
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"UPDATE {table} SET {moved}")
    assert decided().counted == () and len(lapses()) == 2
    assert [each.role for each in vote(people["platform"], "platform").counted] == ["platform"]
    assert [each.role for each in vote(people["cto"], "cto").counted] == ["platform", "cto"]
