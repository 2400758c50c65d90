"""A proof: what was seen when reverse SQL was tried on a scratch server, as a value with a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PROVEN, DISPROVEN = "proven", "disproven"


def chain_digest(hashes: Iterable[str]) -> str:
    """Return the SHA-256 over the hashes of all migrations in their order."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


@dataclass(frozen=True)
class Subject:
    """What is to be proven: the reverse SQL of each migration, newest first, on one chain, to one return point.

    `undo` has tag and SQL; `return_to` is None for the empty database. Any other wording of the request keeps
    the proof; one other character of the SQL, or of a forward migration, is another subject.
    """

    chain_sha256: str
    return_to: str | None
    undo: tuple[tuple[str, str], ...]

    @property
    def reverse(self) -> str:
        """The whole reverse SQL in the order in which it runs."""
        return "\n".join(f"-- Undo {tag}\n{sql}\n" for tag, sql in self.undo)

    def place(self, line: int) -> tuple[str, int]:
        """Return the migration and the line within its own reverse SQL for a line of `reverse`."""
        before = 0
        for tag, sql in self.undo:
            length = sql.count("\n") + 1
            if line <= before + length + 2 or tag == self.undo[-1][0]:
                return tag, max(1, line - before - 1)
            # Each part has its heading before it and an empty line after it.
            before += length + 2
        raise ValueError("There is nothing to undo, so no line belongs anywhere.")

    @property
    def digest(self) -> str:
        """The SHA-256 by which a proof is found again."""
        said = [self.chain_sha256, self.return_to, [list(each) for each in self.undo]]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Proof:
    """Whether the SQL leads back, by what it differs if not, and what it did on the way.

    `statements` has, for each statement in its order: line, milliseconds, strong locks on what was there before
    (`schema.table mode`) and the relations that were written anew. `reordered` names tables whose columns stand in
    another order, which is no difference. `round_trip` is "held", "broke", "not tried", or "hindered" where what was
    done to the live database by hand stands in a second deployment's way, which `notes` then says. Facts are named by their digest, SQL and migrations by their SHA-256.
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
    notes: tuple[str, ...] = ()

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
            "notes": list(self.notes),
        }
