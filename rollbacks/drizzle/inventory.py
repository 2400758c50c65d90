"""The runbook's migration inventory: idx, tag, description, when it was applied, and whether the file is what ran."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rollbacks.drizzle.journal import Folder, Migration
from rollbacks.drizzle.preflight import Ledger

NAME = r'(?:"?\w+"?\.)?"?(\w+)"?'
CREATED = re.compile(
    r"^[ \t]*CREATE\s+(?:OR\s+REPLACE\s+)?(?:MATERIALIZED\s+)?(?:TABLE|VIEW|TYPE|FUNCTION|SEQUENCE|TRIGGER)\s+"
    rf"(?:IF\s+NOT\s+EXISTS\s+)?{NAME}",
    re.IGNORECASE | re.MULTILINE,
)
ALTERED = re.compile(
    rf"^[ \t]*ALTER\s+(?:TABLE|TYPE|VIEW)\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{NAME}", re.IGNORECASE | re.MULTILINE
)
DROPPED = re.compile(
    rf"^[ \t]*DROP\s+(?:MATERIALIZED\s+)?(?:TABLE|VIEW|TYPE|FUNCTION|SEQUENCE|TRIGGER)\s+(?:IF\s+EXISTS\s+)?{NAME}",
    re.IGNORECASE | re.MULTILINE,
)
# What `drizzle-kit generate --custom` writes says nothing about the migration.
PLACEHOLDER = "Custom SQL migration file, put your code below!"
SHOWN = 5


@dataclass(frozen=True)
class InventoryRow:
    """One line of the inventory.

    `applied_at` is the ledger's created_at in ISO 8601 (UTC), None for an entry without a ledger row. Drizzle 0.x
    copies it from the journal, so it is when the migration was generated. `hash_matches` is None without a row.
    """

    idx: int
    tag: str
    when: int
    description: str
    applied_at: str | None
    hash_matches: bool | None


def inventory(folder: Folder, ledger: Ledger) -> tuple[InventoryRow, ...]:
    """Return one row for each journal entry, oldest first."""
    hashes: dict[int, set[str]] = {}
    for row in ledger.rows:
        if row.created_at is not None:
            hashes.setdefault(row.created_at, set()).add(row.hash)
    return tuple(_row(migration, hashes.get(migration.when)) for migration in folder.migrations)


def describe(migration: Migration) -> str:
    """Return a line for people: the file's leading comment, or what it creates, changes and drops.

    Only a caption: nothing is decided by it, so a text search is good enough here.
    """
    sql = migration.sql or ""
    comment = _leading_comment(sql)
    if comment:
        return comment
    created = list(dict.fromkeys(CREATED.findall(sql)))
    dropped = [name for name in dict.fromkeys(DROPPED.findall(sql)) if name not in created]
    altered = [name for name in dict.fromkeys(ALTERED.findall(sql)) if name not in (*created, *dropped)]
    parts = [_part("creates", created), _part("changes", altered), _part("drops", dropped)]
    summary = "; ".join(part for part in parts if part) or "custom SQL"
    return summary[0].upper() + summary[1:]


def _row(migration: Migration, hashes: set[str] | None) -> InventoryRow:
    applied = None if hashes is None else datetime.fromtimestamp(migration.when / 1000, UTC)
    return InventoryRow(
        idx=migration.idx,
        tag=migration.tag,
        when=migration.when,
        description=describe(migration),
        applied_at=None if applied is None else applied.isoformat(timespec="milliseconds"),
        hash_matches=None if hashes is None else hashes == {migration.sha256},
    )


def _leading_comment(sql: str) -> str:
    for line in sql.lstrip("\ufeff").splitlines():
        text = line.strip()
        if text and (not text.startswith("--") or text.startswith("-->")):
            return ""
        comment = text.strip("- \t")
        if comment and comment != PLACEHOLDER:
            return comment
    return ""


def _part(verb: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{verb} {', '.join(names[:SHOWN])}{more}"
