"""Roles: two administrators for those that sign, one for the others, nobody for themselves; the database repeats it."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction

from approvals import grants
from approvals.models import RoleGrant
from approvals.people import add_person
from approvals.refusals import NotAllowed, Refused
from approvals.roles import roles_of
from approvals.standing import standing_of
from records.models import Fact
from tests.approvals.cases import lapses, open_case, second_administrator, vote

pytestmark = pytest.mark.django_db
SIGNING = ["platform", "security", "cto", "administrator"]


@pytest.fixture
def second(people: dict[str, Any]) -> Any:
    return second_administrator()


def roles(person: Any) -> tuple[str, ...]:
    return roles_of(get_user_model().objects.get(pk=person.pk))


def grant_of(person: Any, role: str) -> RoleGrant:
    return RoleGrant.objects.get(person=person, role=role, ended_at__isnull=True)


@pytest.mark.parametrize("role", SIGNING)
def test_a_role_that_signs_is_held_once_a_second_administrator_confirmed_it(
    people: dict[str, Any], second: Any, role: str
) -> None:
    ada, adele = people["engineer"], people["administrator"]
    proposed = grants.propose(adele, ada.pk, role=role, reason="Joins the team.")
    assert roles(ada) == ("engineer",) and role not in standing_of([ada.pk])[ada.pk]
    with pytest.raises(Refused, match="second administrator"):
        grants.confirm(adele, proposed.pk)

    grants.confirm(second, proposed.pk)

    assert role in roles(ada)
    standing = standing_of([ada.pk])[ada.pk][role]
    assert standing.made_by == {adele.pk, second.pk} and standing.seconded and standing.grant == proposed.pk
    facts = Fact.objects.filter(subject=f"person:{ada.pk}").order_by("seq").values_list("action", "actor")
    assert list(facts)[-2:] == [("person.role_proposed", adele.pk), ("person.role_granted", second.pk)]


@pytest.mark.parametrize("role", ["on-call", "auditor"])
def test_a_role_that_signs_nothing_takes_one_administrator(people: dict[str, Any], role: str) -> None:
    grants.propose(people["administrator"], people["engineer"].pk, role=role, reason="Week of duty.")
    assert role in roles(people["engineer"])


def test_nobody_grants_or_confirms_for_themselves(people: dict[str, Any], second: Any) -> None:
    adele = people["administrator"]
    for role in ("auditor", "cto"):
        with pytest.raises(Refused, match="themselves"):
            grants.propose(adele, adele.pk, role=role, reason="I need it.")
    proposed = grants.propose(second, adele.pk, role="cto", reason="Deputy.")
    with pytest.raises(Refused, match="of their own"):
        grants.confirm(adele, proposed.pk)
    assert roles(adele) == ("administrator",)


@pytest.mark.parametrize("role", ["engineer", "platform", "security", "cto", "on-call", "auditor"])
def test_only_administrators_grant_confirm_refuse_and_end(people: dict[str, Any], role: str) -> None:
    actor, person = people[role], people["auditor" if role != "auditor" else "engineer"]
    proposed = grants.propose(people["administrator"], person.pk, role="platform", reason="Joins.")
    for call in (
        lambda: grants.propose(actor, person.pk, role="on-call", reason="Because."),
        lambda: grants.confirm(actor, proposed.pk),
        lambda: grants.refuse(actor, proposed.pk, reason=""),
        lambda: grants.end(actor, grant_of(people["cto"], "cto").pk, reason=""),
    ):
        with pytest.raises(NotAllowed):
            call()
    assert grant_of(person, "platform").state == "proposed" and "cto" in roles(people["cto"])


def test_somebody_who_was_an_administrator_a_moment_ago_is_none(people: dict[str, Any], second: Any) -> None:
    adele = people["administrator"]
    assert roles_of(adele) == ("administrator",)  # as the page of this request knows them
    grants.end(second, grant_of(adele, "administrator").pk, reason="Left.")
    with pytest.raises(NotAllowed):
        grants.propose(adele, people["engineer"].pk, role="auditor", reason="Because.")


def test_ending_takes_one_administrator_and_acts_at_once(people: dict[str, Any]) -> None:
    open_case(people)
    vote(people["cto"], "cto")
    grants.end(people["administrator"], grant_of(people["cto"], "cto").pk, reason="Left.")
    assert roles(people["cto"]) == ()
    assert lapses() == ["Carine Tshala no longer holds the role cto."]


def test_a_refused_proposal_is_over(people: dict[str, Any], second: Any) -> None:
    proposed = grants.propose(people["administrator"], people["engineer"].pk, role="cto", reason="Why not.")
    grants.refuse(second, proposed.pk, reason="No.")
    with pytest.raises(Refused, match="answered already"):
        grants.confirm(second, proposed.pk)
    proposed.refresh_from_db()
    assert proposed.state == "refused" and Fact.objects.filter(action="person.role_refused").count() == 1


def test_what_cannot_be_granted(people: dict[str, Any]) -> None:
    adele, ada = people["administrator"], people["engineer"]
    grants.propose(adele, ada.pk, role="cto", reason="Deputy.")
    for role, reason, sentence in [
        ("engineer", "Why.", "holds the role engineer already"), ("cto", "Why.", "is proposed"),
        ("king", "Why.", "no such role"), ("auditor", " ", "Say why"),
    ]:  # fmt: skip
        with pytest.raises(Refused, match=sentence):
            grants.propose(adele, ada.pk, role=role, reason=reason)
    get_user_model().objects.filter(pk=ada.pk).update(is_active=False)
    with pytest.raises(Refused, match="switched off"):
        grants.propose(adele, ada.pk, role="auditor", reason="Why.")


def test_the_database_repeats_it(people: dict[str, Any], second: Any) -> None:
    adele, ada, now = people["administrator"], people["engineer"], datetime.now(UTC)
    given = {"person": ada, "role": "cto", "source": "administrator", "proposed_by": adele}
    wrong = {
        "grant_two_administrators": {"confirmed_at": now},
        "grant_confirmed_by_another": {"confirmed_at": now, "confirmed_by": adele},
        "grant_not_to_oneself": {"proposed_by": ada},
        "grant_has_proposer": {"proposed_by": None},
        "grant_known_role": {"role": "king"},
        "grant_known_source": {"source": "me"},
        "grant_one_open": {"role": "engineer", "confirmed_at": now},
    }
    for constraint, change in wrong.items():
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            RoleGrant.objects.create(**{**given, **change})
    with pytest.raises(IntegrityError, match="grant_confirmed_by_another"), transaction.atomic():
        RoleGrant.objects.create(**given, confirmed_at=now, confirmed_by=ada)
    RoleGrant.objects.create(**given, confirmed_at=now, confirmed_by=second)


def test_a_grant_only_goes_on(people: dict[str, Any], second: Any) -> None:
    grant = grant_of(people["cto"], "cto")
    grants.end(second, grant.pk, reason="")
    held, later = grant_of(people["platform"], "platform"), datetime.now(UTC) + timedelta(days=1)
    for row, change in [
        (grant, {"ended_at": None}), (held, {"role": "cto"}), (held, {"person": people["auditor"]}),
        (held, {"confirmed_at": later}), (held, {"source": "sso"}), (held, {"proposed_by": second}),
    ]:  # fmt: skip
        with pytest.raises(DatabaseError, match="only be confirmed and ended"), transaction.atomic():
            RoleGrant.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(DatabaseError, match="only be confirmed and ended"), transaction.atomic():
        held.delete()


def test_a_group_that_is_called_like_a_role_gives_nothing(people: dict[str, Any]) -> None:
    group, _made = Group.objects.get_or_create(name="cto")
    people["engineer"].groups.add(group)
    assert roles(people["engineer"]) == ("engineer",)


def test_a_group_of_the_same_name_with_another_id_does_not_carry_votes_over(people: dict[str, Any]) -> None:
    carol = get_user_model().objects.create_user("carol")
    grants.follow_groups(carol, {"cto": "8f14-old"})
    open_case(people)
    assert len(vote(carol, "cto").counted) == 1
    grants.follow_groups(carol, {"cto": "8f14-old"})
    assert lapses() == []

    grants.follow_groups(carol, {"cto": "c9f0-new"})

    assert roles(carol) == ("cto",)
    assert lapses() == ["carol got the role cto after the vote; it was not the one they signed with."]
    grants.follow_groups(carol, {})
    assert roles(carol) == () and lapses() == ["carol no longer holds the role cto."]


def test_single_sign_on_leaves_what_administrators_gave(people: dict[str, Any]) -> None:
    grants.follow_groups(people["cto"], {"auditor": "g1"})
    assert roles(people["cto"]) == ("cto", "auditor")
    grants.follow_groups(people["cto"], {})
    assert roles(people["cto"]) == ("cto",)


def test_memberships_of_before_become_grants_with_the_id_of_their_group(db: None) -> None:
    group, _made = Group.objects.get_or_create(name="security")
    sam = get_user_model().objects.create_user("sam")
    sam.groups.add(group, Group.objects.create(name="choir"))
    importlib.import_module("approvals.migrations.0006_people_stay").grants_from_groups(apps, None)
    grant = RoleGrant.objects.get(person=sam)
    assert (grant.role, grant.source, grant.group) == ("security", "migration", str(group.pk))
    assert grant.confirmed_at == sam.date_joined and roles(sam) == ("security",)


def test_an_operator_adds_the_first_people_from_a_shell(people: dict[str, Any]) -> None:
    call_command("add_person", "eve", "--name", "Eve Kalala", "--role", "cto", "--role", "auditor", "--no-password")
    eve = get_user_model().objects.get(username="eve")
    assert roles(eve) == ("cto", "auditor")
    assert set(RoleGrant.objects.filter(person=eve).values_list("source", flat=True)) == {"command"}
    proposed = grants.propose(people["administrator"], eve.pk, role="platform", reason="Joins.")
    before = Fact.objects.count()
    call_command("add_person", "eve", "--role", "auditor", "--no-password")
    assert roles(eve) == ("auditor",)
    proposed.refresh_from_db()
    assert proposed.state == "refused" and Fact.objects.count() == before + 2
    call_command("add_person", "eve", "--role", "auditor", "--no-password")
    assert Fact.objects.count() == before + 2


@pytest.mark.parametrize(
    ("username", "name", "email", "sentence"),
    [
        ("sеfu", "", "", "letters a-z"),  # a Cyrillic е
        ("Sefu", "", "", "letters a-z"),
        ("se.fu", "", "", "looks like sefu"),
        ("sefu2", "Sеfu Kabоngo", "", "Somebody called Sefu Kabongo"),
        ("adele2", "Adele  KASONGO", "", "Somebody called Adèle Kasongo"),
        ("sefu2", "Sefu\u200b Kabongo", "", "Somebody called Sefu Kabongo"),
        ("paul2", "Paul I.", "PAUL@nzila.example", "one account"),
    ],
)
def test_a_twin_of_somebody_is_not_added(
    people: dict[str, Any], username: str, name: str, email: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        add_person(None, username=username, name=name, email=email, password=None, roles=["platform"])
    with pytest.raises(CommandError, match=sentence):
        call_command("add_person", username, "--name", name, "--email", email, "--no-password")
    assert not get_user_model().objects.filter(username=username).exists()


def test_a_name_that_contains_another_is_another(people: dict[str, Any]) -> None:
    add_person(None, username="joada", name="Jo Ada Mbuyi", email="", password=None, roles=["engineer"])
    assert roles(get_user_model().objects.get(username="joada")) == ("engineer",)
