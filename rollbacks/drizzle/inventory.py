"""The runbook's migration inventory: idx, tag, description, when it was applied, and whether the file is what ran."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rollbacks.drizzle.journal import LINE_1, Folder, Migration
from rollbacks.drizzle.preflight import Ledger, LedgerRow

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
    copies it from the journal, so it is when the migration was generated; 1.0 has a time of application beside it. `hash_matches` is None without a row.
    """

    idx: int
    tag: str
    when: int
    description: str
    applied_at: str | None
    hash_matches: bool | None


def inventory(folder: Folder, ledger: Ledger) -> tuple[InventoryRow, ...]:
    """Return one row for each migration, oldest first."""
    rows: dict[int | str, list[LedgerRow]] = {}
    for row in ledger.rows:
        key = row.name if folder.line == LINE_1 else row.created_at
        if key is not None:
            rows.setdefault(key, []).append(row)
    keys = [each.tag if folder.line == LINE_1 else each.when for each in folder.migrations]
    return tuple(_row(each, rows.get(key), folder.line) for each, key in zip(folder.migrations, keys, strict=True))


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


def _row(migration: Migration, rows: Sequence[LedgerRow] | None, line: str) -> InventoryRow:
    return InventoryRow(
        idx=migration.idx,
        tag=migration.tag,
        when=migration.when,
        description=describe(migration),
        applied_at=_applied_at(migration, rows, line),
        hash_matches=None if rows is None else {row.hash for row in rows} == {migration.sha256},
    )


def _applied_at(migration: Migration, rows: Sequence[LedgerRow] | None, line: str) -> str | None:
    if rows is None:
        return None
    kept = next((row.applied_at for row in rows if row.applied_at), None) if line == LINE_1 else None
    return kept or datetime.fromtimestamp(migration.when / 1000, UTC).isoformat(timespec="milliseconds")


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
