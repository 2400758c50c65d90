"""Adding people and giving them roles, with a fact in the trail for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from approvals.roles import ROLES, held_now
from records import trail


class UnknownRole(ValueError):
    """There is no such role; use one of engineer, platform, security, cto, on-call, auditor, administrator."""


def add_person(actor: Any, *, username: str, name: str, email: str, password: str | None, roles: Sequence[str]) -> Any:
    """Add a person with these roles, or give an existing one exactly these roles; return the account.

    Without a password the account cannot sign in until one is set. Raises UnknownRole.
    """
    if not set(roles) <= set(ROLES):
        raise UnknownRole(str(UnknownRole.__doc__))
    first, _space, last = name.partition(" ")
    with trail.recording(actor) as facts:
        person, created = get_user_model().objects.get_or_create(
            username=username, defaults={"email": email, "first_name": first, "last_name": last}
        )
        if created:
            person.set_password(password)
            person.save(update_fields=["password"])
            facts.add("person.added", f"person:{person.pk}", username=username)
        before = sorted(person.groups.values_list("name", flat=True))
        if before != sorted(roles):
            person.groups.set(Group.objects.filter(name__in=roles))
            facts.add("person.roles_set", f"person:{person.pk}", before=before, after=sorted(roles))
        return person


def holders_of(roles: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of the active people who hold each of these roles now, in one query."""
    people = get_user_model()._default_manager.filter(is_active=True).annotate(held_now=held_now("pk"))
    found: dict[str, list[str]] = {role: [] for role in roles}
    for person in people.filter(held_now__overlap=list(roles)).order_by("pk") if roles else ():
        for role in set(person.held_now) & found.keys():
            found[role].append(person.get_full_name() or person.get_username())
    return found
