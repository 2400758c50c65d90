"""What is signed: one recovery as a value, with the digest of its canonical JSON; plain Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from records.chain import canonical, sha256

FORMAT = "recovery-plan/1"
# What every provider takes as the name of a new server or database.
SERVER = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class RecoveryPlan:
    """Where to restore what from, as of when, and why. `point` is ISO 8601 UTC; it or `backup` is empty.

    `identity` says which database the target is (rollbacks.steps.observation); `before` names the migration that the
    point was chosen to lie before, empty when the time was typed.
    """

    recovery: int
    target: str
    environment: str
    identity: Mapping[str, Any]
    provider: str
    point: str
    before: str
    backup: str
    server: str
    incident: str
    purpose: str
    policy: Mapping[str, Any]
    emergency_reason: str = ""
    format: str = field(default=FORMAT)

    def document(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RecoveryPlan:
        """Return the plan that `document()` wrote."""
        return cls(**document)

    @property
    def digest(self) -> str:
        """SHA-256 of the RFC 8785 canonical JSON."""
        return sha256(canonical(self.document()))

    @property
    def moment(self) -> datetime | None:
        """The point as an aware time; None when a kept backup is restored."""
        return datetime.fromisoformat(self.point).astimezone(UTC) if self.point else None


def name_problem(server: str) -> str:
    """Return what is wrong with the new server's name; empty when nothing is."""
    if SERVER.fullmatch(server):
        return ""
    return "Name the new server with 3 to 63 small letters, digits and hyphens, beginning with a letter."
