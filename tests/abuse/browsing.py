"""What people do in a browser, request by request: reading a plan, voting on it with a passkey, editing, starting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.test import Client

from rollbacks.models import Request
from rollbacks.plan import Plan
from rollbacks.services.reading import current_revision
from tests.clients import client_of
from tests.passkeys import passkey_of

ORIGIN = "http://localhost"


def ballot(request: Request, role: str, choice: str = "approve", reason: str = "", **more: Any) -> dict[str, Any]:
    """The sign form as the page gives it for the plan that is in review now."""
    plan = Plan.of(current_revision(request).plan or {})
    return {
        "digest": plan.digest, "shown": plan.file.sha256, "role": role, "choice": choice, "reason": reason, **more,
    }  # fmt: skip


def confirmed(client: Client, person: Any, request: Request, given: Mapping[str, Any]) -> dict[str, Any]:
    """The form with the answer of the person's passkey to the portal's challenge; without it when none was asked."""
    passkey = passkey_of(person)
    asked = client.post(f"/requests/{request.pk}/sign/begin/", given)
    if asked.status_code != 200:
        return dict(given)
    challenge = asked.json()
    answer = passkey.answer(challenge["publicKey"], origin=ORIGIN)
    return {**given, "challenge": challenge["challenge"], "assertion": json.dumps(answer)}


def vote(person: Any, request: Request, role: str, choice: str = "approve", reason: str = "") -> Any:
    """Vote as somebody at a browser does, and return the portal's answer."""
    passkey_of(person)
    client = client_of(person)
    form = confirmed(client, person, request, ballot(request, role, choice, reason))
    return client.post(f"/requests/{request.pk}/sign/", form)


def edit_form(request: Request, **changes: Any) -> dict[str, Any]:
    """The edit form as the page gives it, with changes."""
    revision = current_revision(request)
    form = {
        "revision": revision.number, "reason": revision.reason, "incident_reference": revision.incident_reference,
        "emergency_reason": revision.emergency_reason, "security_incident": revision.security_incident,
        "justification": revision.justification,
        **{f"sql-{tag}": sql for tag, sql in revision.reverse_sql.items()},
    }  # fmt: skip
    return {**form, **changes}
