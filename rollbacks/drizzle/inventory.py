"""The runbook's migration inventory: idx, tag, description, when it was applied, and whether the file is the one that ran."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from rollbacks.drizzle.journal import Folder, Migration
from rollbacks.drizzle.preflight import Ledger

CREATED = re.compile(r'CREATE (?:TABLE|VIEW|TYPE)\s+(?:IF NOT EXISTS\s+)?(?:"?\w+"?\.)?"?(\w+)"?', re.IGNORECASE)
ALTERED = re.compile(r'ALTER TABLE\s+(?:"?\w+"?\.)?"?(\w+)"?', re.IGNORECASE)


@dataclass(frozen=True)
class InventoryRow:
    """One line of the inventory. `applied_at` is the ledger's created_at in ISO 8601; `hash_matches` is None
    when there is no ledger row to compare with."""

    idx: int
    tag: str
    when: int
    description: str
    applied_at: str | None
    hash_matches: bool | None


def inventory(folder: Folder, ledger: Ledger) -> tuple[InventoryRow, ...]:
    """Return one row for each journal entry, oldest first."""
    applied = {row.created_at: row for row in ledger.rows if row.created_at is not None}
    rows = []
    for migration in folder.migrations:
        row = applied.get(migration.when)
        rows.append(
            InventoryRow(
                idx=migration.idx,
                tag=migration.tag,
                when=migration.when,
                description=describe(migration),
                applied_at=None if row is None else _moment(migration.when),
                hash_matches=None if row is None else row.hash == migration.sha256,
            )
        )
    return tuple(rows)


def describe(migration: Migration) -> str:
    """Return a line for people: the file's leading comment, or what it creates and alters.

    Only a caption: nothing is decided by it, so a text search is good enough here.
    """
    sql = migration.sql or ""
    first = sql.lstrip().split("\n", 1)[0].strip()
    if first.startswith("--") and not first.startswith("-->"):
        return first.lstrip("- ").strip()
    created = list(dict.fromkeys(CREATED.findall(sql)))
    altered = [name for name in dict.fromkeys(ALTERED.findall(sql)) if name not in created]
    parts = [f"creates {', '.join(created)}"] if created else []
    parts += [f"changes {', '.join(altered)}"] if altered else []
    return "; ".join(parts).capitalize() or "Custom SQL"


def _moment(when: int) -> str:
    return datetime.fromtimestamp(when / 1000, UTC).isoformat(timespec="milliseconds")
