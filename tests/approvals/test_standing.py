"""A vote counts by the grant it was given with, while that is held, and only if the case's own people did not make it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals import grants
from approvals import people as accounts
from approvals.models import Interruption, RoleGrant
from approvals.people import add_person
from approvals.policy import State
from approvals.refusals import NotAllowed, Refused
from approvals.roles import roles_of
from approvals.services import VoteRefused, decision_on, open_case_of
from approvals.standing import standing_of
from records.models import Fact
from tests.approvals.cases import SUBJECT, decided, forced_vote, lapses, open_case, second_administrator, vote
from tests.clients import client_of

pytestmark = pytest.mark.django_db


def granted(proposer: Any, confirmer: Any, person: Any, role: str) -> None:
    grants.confirm(confirmer, grants.propose(proposer, person.pk, role=role, reason="Needed.").pk)


def test_a_role_that_the_requester_had_a_hand_in_after_opening_signs_nothing(people: dict[str, Any]) -> None:
    adele, ada, second = people["administrator"], people["engineer"], second_administrator()
    granted(adele, second, ada, "administrator")
    case = open_case(people)
    granted(ada, second, people["auditor"], "cto")
    with pytest.raises(VoteRefused, match="less than a day from somebody who touched"):
        vote(people["auditor"], "cto")
    forced_vote(case, people["auditor"], "cto")
    assert "touched this request" in lapses()[0] and decided().counted == ()


def test_a_role_that_the_requester_confirmed_just_before_opening_signs_nothing_either(people: dict[str, Any]) -> None:
    adele, ada, second = people["administrator"], people["engineer"], second_administrator()
    granted(adele, second, ada, "administrator")
    granted(second, ada, people["auditor"], "cto")
    case = open_case(people)
    with pytest.raises(VoteRefused, match="less than a day"):
        vote(people["auditor"], "cto")
    forced_vote(case, people["auditor"], "cto")
    assert decided().counted == ()


def test_two_administrators_who_touched_nothing_may_grant_while_a_case_is_open(people: dict[str, Any]) -> None:
    second = second_administrator()
    open_case(people)
    granted(people["administrator"], second, people["auditor"], "cto")
    assert [each.role for each in vote(people["auditor"], "cto").counted] == ["cto"]


def test_what_one_command_or_group_gave_after_opening_counts_from_the_next_case_on(people: dict[str, Any]) -> None:
    open_case(people)
    add_person(None, username="aude", name="", email="", password=None, roles=["auditor", "cto"])
    grants.follow_groups(people["on-call"], {"platform": "g7"})
    for person, role in ((people["auditor"], "cto"), (people["on-call"], "platform")):
        with pytest.raises(VoteRefused, match="after this request was submitted"):
            vote(person, role)
    open_case_again(people)
    vote(people["auditor"], "cto")
    assert len(vote(people["on-call"], "platform").counted) == 2


def open_case_again(people: dict[str, Any]) -> None:
    from approvals import services
    from records import trail
    from tests.approvals.cases import SUBJECT

    with trail.recording(None) as facts:
        services.close_case(facts, subject=SUBJECT, reason="Edited.")
    connection.cursor().execute("UPDATE approvals_case SET digest = 'old'")
    open_case(people)


def test_a_role_that_was_taken_and_given_again_does_not_revive_the_vote(people: dict[str, Any]) -> None:
    second = second_administrator()
    open_case(people)
    vote(people["cto"], "cto")
    grants.end(second, RoleGrant.objects.get(person=people["cto"], role="cto").pk, reason="")
    granted(people["administrator"], second, people["cto"], "cto")
    assert lapses() == ["Carine Tshala got the role cto after the vote; it was not the one they signed with."]


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (accounts.switch_off, "account is switched off"),
        (accounts.withdraw_password, "had to set a new password after the vote"),
        (accounts.end_sessions, "ended all sessions of Paul Ilunga after the vote"),
    ],
)
def test_what_happens_to_the_account_takes_the_vote_along(people: dict[str, Any], act: Any, sentence: str) -> None:
    open_case(people)
    paul, adele = people["platform"], people["administrator"]
    paul.set_password("a-password-of-his")
    paul.save()
    vote(paul, "platform")
    with pytest.raises(NotAllowed):
        act(people["engineer"], paul.pk, reason="Because.")
    with pytest.raises(Refused, match="Say why"):
        act(adele, paul.pk, reason=" ")
    assert lapses() == []
    act(adele, paul.pk, reason="Lost laptop.")
    assert len(lapses()) == 1 and sentence in lapses()[0]
    assert Fact.objects.filter(subject=f"person:{paul.pk}").order_by("-seq")[0].actor_id == adele.pk


def test_no_administrator_does_it_to_themselves(people: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="Another administrator"):
        accounts.switch_off(people["administrator"], people["administrator"].pk, reason="Bye.")


def test_an_account_that_is_switched_on_again_has_neither_vote_nor_role(people: dict[str, Any]) -> None:
    open_case(people)
    paul = people["platform"]
    vote(paul, "platform")
    accounts.switch_off(people["administrator"], paul.pk, reason="Lost laptop.")
    accounts.switch_on(people["administrator"], paul.pk, reason="Found.")
    assert roles_of(get_user_model().objects.get(pk=paul.pk)) == ()
    assert lapses() == ["Paul Ilunga no longer holds the role platform."]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [("is_active = false", "switched off after"), ("password = '!x'", "had to set a new password")],
)
def test_a_shell_that_changes_the_account_and_back_takes_the_vote_along_too(
    people: dict[str, Any], change: str, sentence: str
) -> None:
    open_case(people)
    paul = people["platform"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET password = 'x' WHERE id = %s", [paul.pk])
        vote(paul, "platform")
        cursor.execute(f"UPDATE auth_user SET {change} WHERE id = %s", [paul.pk])
        cursor.execute("UPDATE auth_user SET is_active = true, password = 'x' WHERE id = %s", [paul.pk])
    assert len(lapses()) == 1 and sentence in lapses()[0]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Interruption.objects.all().delete()


def test_signing_in_and_a_new_password_interrupt_nothing(people: dict[str, Any]) -> None:
    open_case(people)
    vote(people["platform"], "platform")
    Client().force_login(people["platform"])
    people["platform"].set_password("another-long-one")
    people["platform"].save()
    assert lapses() == [] and not Interruption.objects.exists()


def test_ending_sessions_ends_that_persons_only(people: dict[str, Any]) -> None:
    theirs, others = client_of(people["platform"]), client_of(people["cto"])
    assert Session.objects.count() == 2
    accounts.end_sessions(people["administrator"], people["platform"].pk, reason="Lost laptop.")
    assert theirs.get("/").status_code == 302 and others.get("/").status_code == 200


def test_everybodys_standing_takes_one_query_and_a_decision_two(people: dict[str, Any]) -> None:
    open_case(people)
    for role in ("platform", "security", "cto"):
        vote(people[role], role)
    case = open_case_of(SUBJECT)
    ids = [person.pk for person in people.values()]
    with CaptureQueriesContext(connection) as captured:
        assert {role for held in standing_of(ids).values() for role in held} == set(people)
    assert len(captured) == 1
    with CaptureQueriesContext(connection) as captured:
        assert case is not None and decision_on(case).state is State.APPROVED
    assert len(captured) == 2


def test_nobody_has_standing_without_an_account_in_use(people: dict[str, Any]) -> None:
    get_user_model().objects.filter(pk=people["cto"].pk).update(is_active=False)
    assert standing_of([people["cto"].pk, 10**9]) == {}
