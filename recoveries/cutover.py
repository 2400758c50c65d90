"""What has to be shown before a cutover is signed off, in plain Python.

Source: the runbook's emergency section, steps 4 and 5 (verify integrity, planned cutover with a downtime window).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

BY_HAND = "restored_by_hand"


@dataclass(frozen=True)
class Item:
    """One thing that a person does and gives evidence of."""

    key: str
    title: str
    question: str


ITEMS = (
    Item(
        "integrity",
        "The recovered data was looked at",
        "Who compared it with what was expected, and what about the differences that the inspection lists?",
    ),
    Item(
        "stopped",
        "The application writes nothing",
        "How was it stopped, and since when does nothing reach the old server?",
    ),
    Item(
        "carried_over",
        "What was written since the point is accounted for",
        "Which rows written after the point are carried over, from where, or who accepts that they are gone?",
    ),
    Item("switched", "Connection strings lead to the new server", "Where were they changed, the direct URL included?"),
    Item("works", "The application works on the new server", "Which checks passed after it was started again?"),
    Item(
        "old_kept",
        "The old server is kept, read-only",
        "How is it kept from being written to, and until when does it stay?",
    ),
    Item(
        "backed_up",
        "Backups and monitoring of the new server run",
        "When was its first backup taken, and who is alerted?",
    ),
)
BY_KEY = {item.key: item for item in ITEMS}


def unmet(answered: Collection[str]) -> tuple[Item, ...]:
    """Return the items without evidence, in the order in which they are done."""
    return tuple(item for item in ITEMS if item.key not in answered)
