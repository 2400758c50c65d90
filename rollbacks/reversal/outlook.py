"""What undoing a migration would mean, read from its forward SQL: the runbook's "Reversible?" column."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rollbacks.reversal import assess, parse

REVIEW, DESTRUCTIVE, SPECIAL, UNKNOWN = "review", "destructive", "special", "unknown"


@dataclass(frozen=True)
class Outlook:
    """How reversible a migration looks before anyone has written its reverse: a level and one sentence."""

    level: str
    sentence: str
    impacts: tuple[str, ...]


def outlook(sql: str, *, first: bool, audit_tables: Collection[str]) -> Outlook:
    """Return the outlook of a migration; `first` says that undoing it leaves an empty database."""
    try:
        statements = parse.read(sql)
        impacts = assess.assess_forward(sql, audit_tables=audit_tables).impacts
    except parse.Unreadable as error:
        return Outlook(UNKNOWN, f"The forward SQL cannot be analysed: {error}", ())
    sentences = tuple(dict.fromkeys(impact.sentence for impact in impacts))
    kinds = {statement.kind for statement in statements}
    if first:
        return Outlook(DESTRUCTIVE, "Destructive: undoing the first migration drops everything it made.", sentences)
    if kinds <= {"create_function_stmt", "create_trig_stmt"} and sentences:
        return Outlook(SPECIAL, "Special procedure: it protects the audit trail, see the runbook.", sentences)
    if "create_stmt" in kinds:
        return Outlook(
            REVIEW, "Review the reverse SQL: undoing it drops tables with the rows written since.", sentences
        )
    return Outlook(REVIEW, "Review the reverse SQL before signing it.", sentences)
