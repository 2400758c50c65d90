"""One vote in the database, for tests that try to change it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from approvals.in_force import rulebook
from approvals.models import Case, Challenge, SignOff
from approvals.rulebook import Traits


def any_vote(people: dict[str, Any]) -> SignOff:
    """Insert a case and a sign-off."""
    case = Case.objects.create(
        subject="request:1", digest="d" * 64, policy=rulebook().policy_for(Traits()).document(),
        opened_by=people["engineer"],
    )  # fmt: skip
    challenge = Challenge.objects.create(
        person=people["platform"], subject=case.subject, digest=case.digest, role="platform", choice="approve",
        reason_sha256="0" * 64, nonce="0" * 64,
    )  # fmt: skip
    return SignOff.objects.create(
        case=case, person=people["platform"], role="platform", choice="approve", digest=case.digest,
        method="webauthn", confirmed_at=datetime.now(UTC), challenge=challenge,
    )  # fmt: skip
