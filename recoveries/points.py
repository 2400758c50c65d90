"""Moments that are offered for going back to, from a target's newest inventory; plain Python.

Drizzle's ledger keeps when a migration was generated, not when it was applied, so that moment is certainly before the
migration and may be long before. What the portal itself saw is closer: the last reading that did not have it yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Offer:
    """A moment before a migration: `ledger` by the ledger's time, `seen` by the portal's last reading without it."""

    tag: str
    ledger: datetime | None
    seen: datetime | None


def offers(content: Mapping[str, Any], readings: Sequence[tuple[datetime, int]]) -> list[Offer]:
    """Return an offer for each applied migration, newest first.

    `readings` are (when it was written down, created_at of the ledger's head in ms), oldest first: a target's head only
    grows, so the last reading with a smaller head than the migration's did not have it.
    """
    found = []
    for migration in content.get("migrations", ()):
        if migration.get("applied_at") is None:
            continue
        when = int(migration["when"])
        before = [at for at, head in readings if head < when]
        ledger = datetime.fromtimestamp(when / 1000, UTC).replace(microsecond=0) - timedelta(seconds=1)
        found.append(Offer(migration["tag"], ledger, before[-1].replace(microsecond=0) if before else None))
    return found[::-1]
