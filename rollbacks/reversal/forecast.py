"""How long the reverse SQL may hold its locks on the target, as a range, from the proof and the target's sizes.

A range and no promise: what a disk and its neighbours do at night is not in any catalog. The rehearsal on the
restored backup measures it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# Bytes in a second at which a table is written anew: a busy network disk, and a local one with nothing else to do.
SLOW, FAST = 30_000_000, 300_000_000


def touched(statements: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the `schema.table` of everything that the proof's statements lock strongly or write anew."""
    return {name for each in statements for name in (*_locked(each), *each["rewritten"])}


def forecast(statement: Mapping[str, Any], sizes: Mapping[str, int]) -> tuple[float, float]:
    """Return the least and the most seconds of one of the proof's statements on tables of these sizes (bytes).

    What is written anew takes at least its size at full speed; whatever is locked may have to be read once.
    """
    rewritten = sum(sizes.get(name, 0) for name in statement["rewritten"])
    seen = sum(sizes.get(name, 0) for name in {*_locked(statement), *statement["rewritten"]})
    return rewritten / FAST, seen / SLOW


def _locked(statement: Mapping[str, Any]) -> list[str]:
    return [lock.rsplit(" ", 1)[0] for lock in statement["locks"]]
