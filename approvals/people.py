"""Accounts: adding people from a shell, switching accounts off and on, and ending what they were signed in with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.db import connection

from approvals import sessions
from approvals.grants import end_open, hold, lock_person, require_administrator
from approvals.models import Interruption, RoleGrant
from approvals.refusals import Refused
from approvals.roles import ROLES, held_now
from approvals.standing import name_of
from approvals.twins import fault_of_username, twin_of
from records import trail
from records.trail import Facts

# Two people who are added at once would not see one another; this transaction-level lock puts them in a row.
PEOPLE_LOCK = 0x7065_6F70_6C65


# Two people who are added at once would not see one another; this transaction-level lock puts them in a row.
PEOPLE_LOCK = 0x7065_6F70_6C65


class UnknownRole(ValueError):
    """There is no such role; use one of engineer, platform, security, cto, on-call, auditor, administrator."""


class PersonRefused(ValueError):
    """The account was not made or linked; the sentence says why and what to do."""


def add_person(actor: Any, *, username: str, name: str, email: str, password: str | None, roles: Sequence[str]) -> Any:
    """Add a person with these roles, or give an existing one exactly these roles; return the account.

    For operators with a shell and for the demo: the grants have the source `command` and are held at once, because
    somebody has to be the first two administrators. Without a password the account cannot sign in until one is set.
    Raises UnknownRole, and Refused for a name or address that could be taken for somebody else's.
    """
    if not set(roles) <= set(ROLES):
        raise UnknownRole(str(UnknownRole.__doc__))
    with trail.recording(actor) as facts:
        person = get_user_model().objects.filter(username=username).first()
        if person is None:
            person = _make(facts, username=username, name=name, email=email, password=password)
        lock_person(person.pk)
        before = RoleGrant.objects.filter(person=person, ended_at__isnull=True)
        for grant in before.exclude(role__in=roles, confirmed_at__isnull=False):
            end_open(facts, grant, reason="Set with the command add_person.")
        held = set(before.values_list("role", flat=True))
        for role in sorted(set(roles) - held):
            hold(facts, person, role, source=RoleGrant.Source.COMMAND)
        return person


def admit(*, provider: str, subject: str, username: str, name: str, email: str) -> Any:
    """Make an account without roles for somebody whom the identity provider vouches for; return it.

    Raises Refused for a twin, as add_person does: an account that is there is never taken over by a name or an address
    that a provider sends.
    """
    with trail.recording(None) as facts:
        person = _make(facts, username=username, name=name, email=email, password=None, source="sso")
        _link(facts, person, provider, subject)
        return person


def link(actor: Any, *, username: str, provider: str, subject: str) -> None:
    """Let the identity of this provider sign in as the account with this user name.

    Raises Refused when there is no such account or the identity belongs to another one.
    """
    with trail.recording(actor) as facts:
        person = get_user_model().objects.filter(username=username).first()
        if person is None:
            raise Refused(f"There is no account {username}; add it first.")
        _link(facts, person, provider, subject)


def holders_of(roles: Sequence[str], *, without: Collection[int] = ()) -> dict[str, list[str]]:
    """Return the names of the active people, but these, who hold each of these roles now, in one query."""
    people = get_user_model()._default_manager.filter(is_active=True).annotate(held_now=held_now("pk"))
    found: dict[str, list[str]] = {role: [] for role in roles}
    for person in people.filter(held_now__overlap=list(roles)).exclude(pk__in=without).order_by("pk") if roles else ():
        for role in set(person.held_now) & found.keys():
            found[role].append(name_of(person))
    return found


def refuse_twin(*, username: str, name: str, email: str) -> None:
    """Raise Refused when a new account's names or address could be taken for those of an existing one."""
    fault = fault_of_username(username)
    if fault:
        raise Refused(fault)
    people = list(get_user_model().objects.only("username", "first_name", "last_name", "email"))
    twin = twin_of(username, (each.get_username() for each in people))
    if twin:
        raise Refused(f"The user name {username} looks like {twin}, who is here already; choose one that does not.")
    called = twin_of(name, (each.get_full_name() for each in people))
    if called:
        raise Refused(f"Somebody called {called} is here already; add to the name what tells the two apart.")
    if email and any(each.email.casefold() == email.casefold() for each in people):
        raise Refused(f"Somebody with the address {email} is here already; one person has one account.")


def switch_off(administrator: Any, person_id: int, *, reason: str) -> None:
    """Switch the account off: it cannot sign in, holds no role, and its votes lapse, also after it is switched on."""
    with trail.recording(administrator) as facts:
        person = _other(administrator, person_id, reason)
        if not person.is_active:
            raise Refused(f"The account of {name_of(person)} is switched off already.")
        person.is_active = False
        person.save(update_fields=["is_active"])
        facts.add("person.switched_off", f"person:{person_id}", reason=reason.strip())


def switch_on(administrator: Any, person_id: int, *, reason: str) -> None:
    """Switch the account on again: every role that takes two administrators has to be granted anew."""
    with trail.recording(administrator) as facts:
        person = _other(administrator, person_id, reason)
        if person.is_active:
            raise Refused(f"The account of {name_of(person)} is in use already.")
        # Otherwise one administrator alone could bring a signer back whom two had let go.
        for grant in RoleGrant.objects.filter(person=person, ended_at__isnull=True):
            end_open(facts, grant, reason="The account was switched off.")
        person.is_active = True
        person.save(update_fields=["is_active"])
        facts.add("person.switched_on", f"person:{person_id}", reason=reason.strip())


def withdraw_password(administrator: Any, person_id: int, *, reason: str) -> None:
    """Make the person set a new password: all sessions end with the old one, and votes given until now lapse."""
    with trail.recording(administrator) as facts:
        person = _other(administrator, person_id, reason)
        if not person.has_usable_password():
            raise Refused(f"{name_of(person)} has no password to withdraw; end their sessions instead.")
        person.set_unusable_password()
        person.save(update_fields=["password"])
        facts.add("person.password_withdrawn", f"person:{person_id}", reason=reason.strip())


def end_sessions(administrator: Any, person_id: int, *, reason: str) -> None:
    """End everything the person is signed in with; votes given until now lapse."""
    with trail.recording(administrator) as facts:
        person = _other(administrator, person_id, reason)
        ended = sessions.end_sessions(person)
        Interruption.objects.create(person=person, kind=Interruption.Kind.SESSIONS_ENDED)
        facts.add("person.sessions_ended", f"person:{person_id}", reason=reason.strip(), sessions=ended)


def _make(facts: Facts, *, username: str, name: str, email: str, password: str | None, **detail: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [PEOPLE_LOCK])
    refuse_twin(username=username, name=name, email=email)
    first, _space, last = name.partition(" ")
    person = get_user_model().objects.create_user(
        username, email, password, first_name=first[:150], last_name=last[:150]
    )
    facts.add("person.added", f"person:{person.pk}", username=username, **detail)
    return person


def _link(facts: Facts, person: Any, provider: str, subject: str) -> None:
    found, made = SocialAccount.objects.get_or_create(provider=provider, uid=subject, defaults={"user": person})
    if found.user_id != person.pk:
        raise Refused("This identity signs in as another account already; unlink it there first.")
    if made:
        facts.add("person.identity_linked", f"person:{person.pk}", provider=provider, identity=subject)


def _other(administrator: Any, person_id: int, reason: str) -> Any:
    require_administrator(administrator)
    if administrator.pk == person_id:
        raise Refused("Another administrator has to do that to your account.")
    if not reason.strip():
        raise Refused("Say why; the reason goes into the trail.")
    return lock_person(person_id)
