"""The runbook's pre-rollback checklist and what of it is still unmet, in plain Python."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One line of the checklist: its key, the runbook's sentence, and what evidence answers it."""

    key: str
    title: str
    ask: str
    by_worker: bool = False
    incident_only: bool = False


ITEMS = (
    Item(
        "snapshot",
        "Take a full database snapshot before executing any rollback",
        "Answered by the worker: it takes the backup, restores it on the scratch server and compares row counts.",
        by_worker=True,
    ),
    Item(
        "incident",
        "Open an incident if the rollback is triggered by a production incident",
        "Link or number of the incident, or the file kept under ops/incident-response/.",
        incident_only=True,
    ),
    Item(
        "on_call",
        "Notify on-call",
        "Who was told, how and when: a link to the message or page, as ops/oncall/ describes.",
    ),
    Item(
        "return_point",
        "Confirm the return point with the platform team",
        "Who on the platform team confirmed it, and where that can be read.",
    ),
    Item(
        "feature_flags",
        "Verify that feature flags switch off the code paths that depend on the schema",
        "Which flags are off, in which environment, and how that was checked.",
    ),
)
BY_KEY = {item.key: item for item in ITEMS}


def asked(*, production_incident: bool) -> tuple[Item, ...]:
    """Return the items that a person has to answer for such a request."""
    return tuple(item for item in ITEMS if not item.by_worker and (production_incident or not item.incident_only))


def unmet(answered: Collection[str], *, production_incident: bool) -> tuple[Item, ...]:
    """Return the items that a person still has to answer, in the runbook's order."""
    return tuple(item for item in asked(production_incident=production_incident) if item.key not in answered)
