"""What the rule book can ask of a request: its environment, risk, tables, owners, and whether rows would be lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals.rulebook import Traits
from rollbacks.models import ProofRun
from rollbacks.services.reading import Reading

# Classes of a statement (rollbacks.reversal.classes) that make a rollback more than low in risk.
DESTRUCTIVE, OPAQUE, ANOTHER_LANE = "P", "X", "N"
LOST = frozenset({"rows", "values"})


def traits_of(reading: Reading, run: ProofRun | None) -> Traits:
    """Return the traits of the request as it stands; what the proof counted on the target decides on loss.

    Without a proof that could read the target, loss is assumed for every statement that destroys something.
    """
    classes = {judged.cls for each in reading.assessments.values() for judged in each.judgements}
    lost = loses_rows(run.live if run else {}, destructive=DESTRUCTIVE in classes)
    security = bool(reading.impacts)
    high = security or lost or OPAQUE in classes
    target = reading.request.target
    return Traits(
        environment=target.environment,
        target=target.name,
        risk="high" if high else "medium" if classes & {DESTRUCTIVE, ANOTHER_LANE} else "low",
        security=security,
        data_loss=lost,
        non_transactional=ANOTHER_LANE in classes,
        emergency=reading.revision.emergency,
        tables=_tables(reading),
        owners=_owners(reading),
    )


def loses_rows(live: Mapping[str, Any], *, destructive: bool) -> bool:
    """Tell whether rows or values would be lost that no archive keeps; what could not be counted counts as some."""
    if not live or live.get("unread"):
        return destructive
    stakes = [each for each in live.get("at_stake", ()) if each["kind"] in LOST and not each["archived"]]
    return any(each["count"] is None or each["count"] > 0 for each in stakes)


def _tables(reading: Reading) -> tuple[str, ...]:
    named = {name for each in reading.assessments.values() for judged in each.judgements for name in judged.relations}
    return tuple(sorted(name if "." in name else f"public.{name}" for name in named))


def _owners(reading: Reading) -> tuple[str, ...]:
    owners: Mapping[str, list[str]] = reading.content.get("owners") or {}
    return tuple(sorted({handle for tag in reading.revision.reverse_sql for handle in owners.get(tag, ())}))
