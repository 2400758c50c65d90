"""What every page's template may use: demo mode, the person's roles and how many requests wait for them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from approvals.roles import roles_of, signing_roles_of


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return the context that templates/base.html needs on every page."""
    person = getattr(request, "user", None)
    signed_in = person is not None and person.is_authenticated
    roles = roles_of(person) if signed_in else ()
    signing = signing_roles_of(person) if signed_in else ()
    return {
        "demo_mode": settings.DEMO,
        "person_roles": roles,
        "delegated_roles": tuple(role for role in signing if role not in roles),
        "signing_roles": signing,
    }
