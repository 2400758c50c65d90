"""The roles of the portal: a person holds those that an open, confirmed grant gives them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, OuterRef, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from approvals.models import Delegation, RoleGrant
from approvals.role_names import (
    ADMINISTRATOR,
    AUDITOR,
    CTO,
    ENGINEER,
    ON_CALL,
    PLATFORM,
    REQUESTING_ROLES,
    SECURITY,
    SIGNING_ROLES,
    TWO_ADMINISTRATOR_ROLES,
)

__all__ = [
    "ADMINISTRATOR", "AUDITOR", "CTO", "ENGINEER", "ON_CALL", "PLATFORM", "REQUESTING_ROLES", "ROLES", "SECURITY",
    "SIGNING_ROLES", "TWO_ADMINISTRATOR_ROLES", "held_now", "may", "roles_of", "signing_roles_of",
]  # fmt: skip

ROLES = {
    ENGINEER: _("Engineer"),
    PLATFORM: _("Platform"),
    SECURITY: _("Security"),
    CTO: _("CTO"),
    ON_CALL: _("On-call"),
    AUDITOR: _("Auditor"),
    ADMINISTRATOR: _("Administrator"),
}
# A delegated role signs and does nothing else, so it must not be mistaken for a role that is held.
DELEGATED = "delegated:"


def roles_of(person: Any) -> tuple[str, ...]:
    """Return the roles that an account holds itself, in the order of ROLES; none when it is switched off."""
    held = _held(person)
    return tuple(role for role in ROLES if role in held)


def signing_roles_of(person: Any) -> tuple[str, ...]:
    """Return the roles that an account may sign in: those it holds, and those delegated to it at this moment."""
    held = _held(person)
    return tuple(role for role in SIGNING_ROLES if role in held or f"{DELEGATED}{role}" in held)


def held_now(person: str) -> Func:
    """Return the annotation that reads a person's roles with the row; none for an account that is switched off.

    Roles delegated to the person have the prefix DELEGATED. `person` is the path from the row to the account's id.
    """
    grants = RoleGrant.objects.held().filter(person=OuterRef(person)).values(name=Cast("role", TextField()))
    delegated = Delegation.objects.running().filter(delegate=OuterRef(person))
    names = delegated.values(name=Concat(Value(DELEGATED), F("role"), output_field=TextField()))
    return Func(ArraySubquery(grants), ArraySubquery(names), function="array_cat", output_field=ArrayField(TextField()))


def may(person: Any, roles: Iterable[str]) -> bool:
    """Tell whether the person holds at least one of the roles."""
    return bool(set(roles_of(person)) & set(roles))


def _held(person: Any) -> list[str]:
    if not person.is_active:
        return []
    # Remembered for this request only: a view and its template ask several times.
    if not hasattr(person, "held_now"):
        found = get_user_model()._default_manager.filter(pk=person.pk)
        person.held_now = found.values_list(held_now("pk"), flat=True).first() or []
    held: list[str] = person.held_now
    return held
