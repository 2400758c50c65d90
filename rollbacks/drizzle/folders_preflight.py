"""Every way in which folders, snapshots and ledger of Drizzle 1.0 can disagree, each with its own sentence.

Source: drizzle-kit and drizzle-orm 1.0.0-rc.4 and rc.5, read and tried. migrate() runs every folder whose name is not
in the ledger, whatever its order, and never compares a hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from rollbacks.drizzle.journal import Folder, Migration
from rollbacks.drizzle.preflight import FUTURE_MS, LEDGER_COLUMNS, Ledger, LedgerRow, Violation

COLUMNS = frozenset({*LEDGER_COLUMNS, "name", "applied_at"})
VERSIONS = frozenset({"8", "9"})


def violations(folder: Folder, ledger: Ledger, *, now_ms: int) -> tuple[Violation, ...]:
    """Return every violation in this order: files, ledger, snapshots. Empty: all is well."""
    return (*_files(folder, now_ms), *_ledger(folder, ledger), *_snapshots(folder))


def leaves(folder: Folder) -> list[str]:
    """Return the ids of the snapshots that no other one continues; a straight history has exactly one."""
    readable = [content for content in folder.snapshots.values() if content is not None]
    parents = {parent for content in readable for parent in _parents(content)}
    return [str(content.get("id")) for content in readable if content.get("id") not in parents]


def _files(folder: Folder, now_ms: int) -> Iterator[Violation]:
    if not folder.migrations:
        yield Violation("no-migrations", "The migrations folder has no migration, so there is nothing to roll back.")
    for migration in folder.migrations:
        if not migration.valid_utf8:
            yield Violation(
                "not-utf8",
                f"{migration.tag}/migration.sql is not valid UTF-8, so neither its hash nor its text can be trusted; "
                "restore the file that ran.",
            )
        if migration.when > now_ms + FUTURE_MS:
            yield Violation(
                "future-folder",
                f"{migration.tag} is named for a time in the future; the rollback's folder is named for the second after.",
                blocks=False,
            )


def _ledger(folder: Folder, ledger: Ledger) -> Iterator[Violation]:
    if not ledger.exists:
        yield Violation(
            "no-ledger", "The database has no ledger table; check the target's ledger schema and table settings."
        )
    elif set(ledger.columns) == LEDGER_COLUMNS:
        yield Violation(
            "ledger-0.x",
            "The ledger is still of Drizzle 0.x (it has no column name); migrate() of 1.0 upgrades it at its next run, "
            "so deploy once, then read the target again.",
        )
    elif set(ledger.columns) != COLUMNS:
        yield Violation(
            "ledger-columns",
            f"The ledger has the columns {', '.join(ledger.columns)} instead of id, hash, created_at, name and applied_at, "
            "and nobody can tell what migrate() would make of it; check the target's ledger schema and table settings.",
        )
    elif not ledger.rows:
        yield Violation(
            "empty-ledger",
            "The ledger has no rows, so no migration was applied to this database; check that this is the right one.",
        )
    else:
        yield from _rows(folder, ledger)


def _rows(folder: Folder, ledger: Ledger) -> Iterator[Violation]:
    by_name: dict[str, list[LedgerRow]] = {}
    for row in ledger.rows:
        if row.name is None:
            yield Violation(
                "nameless-row",
                f"Ledger row {row.id} has no name, so migrate() would run its migration again; set it to the folder's name.",
            )
        else:
            by_name.setdefault(row.name, []).append(row)
    for migration in folder.migrations:
        yield from _row_of(migration, by_name.get(migration.tag, []))
    known = {migration.tag for migration in folder.migrations}
    for name, rows in by_name.items():
        if name not in known:
            yield Violation(
                "unknown-row",
                f"Ledger row {rows[0].id} ({name}) belongs to no folder; bring the repository's base branch up to date, "
                "or find out who ran it.",
            )
    yield from _order(folder, by_name)


def _row_of(migration: Migration, rows: list[LedgerRow]) -> Iterator[Violation]:
    if not rows:
        yield Violation(
            "not-applied",
            f"{migration.tag} is in the folder but not in the ledger; deploy it, or take it off the base branch, before "
            "rolling back.",
        )
    if len(rows) > 1:
        yield Violation(
            "duplicate-row",
            f"{migration.tag} is in the ledger {len(rows)} times: two deploys ran at once; look at what it did twice, "
            "then delete the later row.",
        )
    if rows and migration.sha256 != rows[0].hash:
        yield Violation(
            "edited",
            f"{migration.tag}/migration.sql is not what was applied: its hash differs from the ledger's; restore the file "
            "that ran from the repository's history.",
        )


def _order(folder: Folder, by_name: Mapping[str, list[LedgerRow]]) -> Iterator[Violation]:
    applied = [(by_name[each.tag][0].id, each.tag) for each in folder.migrations if each.tag in by_name]
    for before, after in pairwise(applied):
        if after[0] < before[0]:
            yield Violation(
                "out-of-order",
                f"{after[1]} was applied before {before[1]} though it comes after it, which Drizzle 1.0 allows; the "
                "rollback undoes them in the order of the folders.",
                blocks=False,
            )


def _snapshots(folder: Folder) -> Iterator[Violation]:
    for migration in folder.migrations:
        if migration.tag not in folder.snapshots:
            yield Violation(
                "missing-snapshot",
                f"{migration.tag} has no snapshot.json, so drizzle-kit cannot follow the history; restore it from the "
                "repository's history.",
            )
    for name, content in folder.snapshots.items():
        if content is None or not isinstance(content.get("id"), str) or not _parents(content):
            yield Violation(
                "malformed-snapshot",
                f"{name}/snapshot.json is not a snapshot that drizzle-kit wrote; restore it from the repository's history.",
            )
    versions = {str(content.get("version")) for content in folder.snapshots.values() if content}
    if versions - VERSIONS:
        yield Violation(
            "snapshot-version",
            f"The snapshots have version {', '.join(sorted(versions - VERSIONS))}, and the portal knows 8 and 9; look for "
            "a version of the portal that knows it.",
        )
    elif len(versions) > 1:
        yield Violation(
            "snapshot-versions", "The snapshots are of versions 8 and 9; run drizzle-kit up and merge what it changes."
        )
    found = leaves(folder)
    if len(found) > 1:
        yield Violation(
            "leaves",
            f"The history has {len(found)} ends, because branches were merged without a migration that joins them; run "
            "drizzle-kit generate on the base branch first.",
        )
    yield from _collisions(folder)


def _collisions(folder: Folder) -> Iterator[Violation]:
    counted = Counter(str(each.get("id")) for each in folder.snapshots.values() if each)
    for identifier, count in counted.items():
        if count > 1:
            yield Violation(
                "snapshot-collision",
                f"{count} snapshots have the id {identifier}; give each folder the snapshot it was made with.",
            )


def _parents(content: Mapping[str, Any]) -> list[str]:
    parents = content.get("prevIds")
    return [str(each) for each in parents] if isinstance(parents, list) else []
