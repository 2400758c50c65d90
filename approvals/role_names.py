"""The names of the roles and what each kind of role may do, in plain Python."""

from __future__ import annotations

ENGINEER, PLATFORM, SECURITY, CTO = "engineer", "platform", "security", "cto"
ON_CALL, AUDITOR, ADMINISTRATOR = "on-call", "auditor", "administrator"

ROLE_NAMES = (ENGINEER, PLATFORM, SECURITY, CTO, ON_CALL, AUDITOR, ADMINISTRATOR)
SIGNING_ROLES = (PLATFORM, SECURITY, CTO)
REQUESTING_ROLES = (ENGINEER, PLATFORM, ON_CALL)
# One administrator alone must not be able to make somebody who signs, or somebody who makes such people.
TWO_ADMINISTRATOR_ROLES = (*SIGNING_ROLES, ADMINISTRATOR)
