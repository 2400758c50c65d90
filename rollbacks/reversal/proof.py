"""A proof: what was seen when reverse SQL was tried on a scratch server, as a value with a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROVEN, DISPROVEN = "proven", "disproven"


@dataclass(frozen=True)
class Proof:
    """Whether the SQL leads back, by what it differs if not, and what it did on the way.

    `statements` has, for each statement in its order: line, milliseconds, strong locks on what was there before
    (`schema.table mode`) and the relations that were written anew. `reordered` names tables whose columns stand in
    another order, which is no difference. Facts are named by their digest, SQL and migrations by their SHA-256.
    """

    outcome: str
    differences: tuple[str, ...]
    reordered: tuple[str, ...]
    round_trip: str
    statements: tuple[Mapping[str, Any], ...]
    reverse_sha256: str
    chain_sha256: str
    return_point_facts: str
    newest_facts: str
    server_version: str

    @property
    def passed(self) -> bool:
        """Whether the catalog came back and the round trip held."""
        return self.outcome == PROVEN

    @property
    def digest(self) -> str:
        """SHA-256 of what the proof says, without what differs from run to run (times)."""
        said = self.document()
        said["statements"] = [
            {name: value for name, value in each.items() if name != "milliseconds"} for each in self.statements
        ]
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """Return the proof as JSON values."""
        return {
            "outcome": self.outcome,
            "differences": list(self.differences),
            "reordered": list(self.reordered),
            "round_trip": self.round_trip,
            "statements": [dict(each) for each in self.statements],
            "reverse_sha256": self.reverse_sha256,
            "chain_sha256": self.chain_sha256,
            "return_point_facts": self.return_point_facts,
            "newest_facts": self.newest_facts,
            "server_version": self.server_version,
        }
