"""The roles of the portal; a person holds those whose groups they are a member of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
    if not hasattr(person, "_portal_roles"):
        names = set(person.groups.values_list("name", flat=True))
        person._portal_roles = tuple(role for role in ROLES if role in names)
    roles: tuple[str, ...] = person._portal_roles
    return roles


def may(person: Any, roles: Iterable[str]) -> bool:
    """Tell whether the person holds at least one of the roles."""
    return bool(set(roles_of(person)) & set(roles))
