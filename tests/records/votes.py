"""One vote in the database, for tests that try to change it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from approvals.in_force import rulebook
from approvals.models import Case, SignOff
from approvals.rulebook import Traits


def any_vote(people: dict[str, Any]) -> SignOff:
    """Insert a case and a sign-off."""
    case = Case.objects.create(
        subject="request:1", digest="d" * 64, policy=rulebook().policy_for(Traits()).document(),
        opened_by=people["engineer"],
    )  # fmt: skip
    return SignOff.objects.create(
        case=case, person=people["platform"], role="platform", choice="approve", digest=case.digest,
        method="password", reauthenticated_at=datetime.now(UTC),
    )  # fmt: skip
