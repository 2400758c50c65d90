"""The roles of the portal; a person holds those whose groups they are a member of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.utils.translation import gettext_lazy as _

ENGINEER, PLATFORM, SECURITY, CTO = "engineer", "platform", "security", "cto"
ON_CALL, AUDITOR, ADMINISTRATOR = "on-call", "auditor", "administrator"

ROLES = {
    ENGINEER: _("Engineer"),
    PLATFORM: _("Platform"),
    SECURITY: _("Security"),
    CTO: _("CTO"),
    ON_CALL: _("On-call"),
    AUDITOR: _("Auditor"),
    ADMINISTRATOR: _("Administrator"),
}
SIGNING_ROLES = (PLATFORM, SECURITY, CTO)
REQUESTING_ROLES = (ENGINEER, PLATFORM, ON_CALL)


def roles_of(person: Any) -> tuple[str, ...]:
    """Return the roles of an account, in the order of ROLES; none for an account that is switched off."""
    if not person.is_active:
        return ()
    # Remembered for this request only: a view and its template ask several times.
    if not hasattr(person, "held_now"):
        person.held_now = list(person.groups.values_list("name", flat=True))
    return tuple(role for role in ROLES if role in person.held_now)


def held_now(person: str) -> ArraySubquery:
    """Return the annotation that reads a person's group names with the row; none for an account that is switched off."""
    groups = Group.objects.filter(user=OuterRef(person), user__is_active=True)
    return ArraySubquery(groups.values("name"))


def may(person: Any, roles: Iterable[str]) -> bool:
    """Tell whether the person holds at least one of the roles."""
    return bool(set(roles_of(person)) & set(roles))
