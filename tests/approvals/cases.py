"""A case without a request behind it, votes on it, and what they decide: for tests of who may sign."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from approvals import services
from approvals.in_force import rulebook
from approvals.models import Case, Challenge, Delegation, SignOff
from approvals.people import add_person
from approvals.policy import Choice, Decision
from approvals.rulebook import Traits
from approvals.step_up import Statement
from records import trail
from tests.passkeys import confirmed, passkey_of

SUBJECT, DIGEST = "request:1", "d" * 64


def second_administrator() -> Any:
    """Add another administrator beside the demo's, as an operator would."""
    return add_person(None, username="bruno", name="Bruno Kanza", email="", password=None, roles=["administrator"])


def open_case(people: dict[str, Any], *, barred: dict[int, str] | None = None) -> Case:
    """Open a case that needs platform, security and the CTO, filed by the engineer."""
    with trail.recording(people["engineer"]) as facts:
        return services.open_case(
            facts, subject=SUBJECT, digest=DIGEST, policy=rulebook().policy_for(Traits(security=True)),
            barred={people["engineer"].pk: "You filed this request.", **(barred or {})}, opened_by=people["engineer"],
        )  # fmt: skip


def vote(person: Any, role: str, choice: Choice = Choice.APPROVE) -> Decision:
    """Vote on the open case."""
    passkey_of(person)
    confirmation = confirmed(Statement(person.pk, SUBJECT, DIGEST, role, choice.value, "Because."), person)
    with trail.recording(person) as facts:
        return services.sign(
            facts, subject=SUBJECT, person=person, role=role, choice=choice, reason="Because.", digest_seen=DIGEST,
            confirmation=confirmation,
        )  # fmt: skip


def decided() -> Decision:
    """Return what the votes on the open case decide at this moment."""
    return services.decision_on(Case.objects.get(closed_at__isnull=True))


def lapses() -> list[str]:
    """Return why votes do not count at this moment."""
    return [lapsed.sentence for lapsed in decided().lapsed]


def forced_vote(case: Case, person: Any, role: str, delegation: Delegation | None = None) -> SignOff:
    """Put a vote into the database past every check of the service."""
    challenge = Challenge.objects.create(
        person=person, subject=case.subject, digest=case.digest, role=role, choice="approve", reason_sha256="0" * 64,
        nonce=secrets.token_hex(32),
    )  # fmt: skip
    return SignOff.objects.create(
        case=case, person=person, role=role, choice="approve", digest=case.digest, method="webauthn",
        confirmed_at=datetime.now(UTC), challenge=challenge, delegation=delegation,
    )  # fmt: skip


def period(days: float = 7) -> dict[str, datetime]:
    """Return a period that began a moment ago."""
    now = datetime.now(UTC)
    return {"starts_at": now - timedelta(seconds=5), "ends_at": now - timedelta(seconds=5) + timedelta(days=days)}
