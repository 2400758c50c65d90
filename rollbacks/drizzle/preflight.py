"""Every way in which journal, files and ledger can disagree, each with its own sentence.

Source: the preflight and the traps of Drizzle 0.x by experiment (drizzle-kit 0.31.11, drizzle-orm 0.45.4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rollbacks.drizzle.journal import PREFIXES, Folder, Layout, Migration

LEDGER_COLUMNS = ("id", "hash", "created_at")
JOURNAL_VERSIONS = {"5", "6", "7"}
SNAPSHOT_VERSION = "7"
# A clock that is a little ahead is everyday life; a migration from tomorrow hides every later one.
FUTURE_MS = 60_000


@dataclass(frozen=True)
class LedgerRow:
    """One row of Drizzle's ledger; `created_at` is the journal's `when` in ms, or NULL."""

    id: int
    hash: str
    created_at: int | None


@dataclass(frozen=True)
class Ledger:
    """Drizzle's ledger as it is in the database."""

    exists: bool
    columns: tuple[str, ...]
    rows: tuple[LedgerRow, ...]


@dataclass(frozen=True)
class Violation:
    """One disagreement: a stable code, a sentence with what to do next, and whether it blocks a request."""

    code: str
    sentence: str
    blocks: bool = True


def violations(folder: Folder, ledger: Ledger, *, layout: Layout, now_ms: int) -> tuple[Violation, ...]:
    """Return every violation, the gravest first: shape of things, files, journal, ledger, snapshots."""
    return (
        *_layout(folder, layout),
        *_files(folder),
        *_journal(folder, now_ms),
        *_ledger(folder, ledger),
        *_snapshots(folder),
    )


def _layout(folder: Folder, layout: Layout) -> Iterator[Violation]:
    if layout.out.startswith("/"):
        yield Violation(
            "absolute-out",
            "The migrations folder is configured with an absolute path, which drizzle-kit 0.31 cannot open; "
            "make drizzle.config's out relative.",
        )
    if folder.dialect not in {"postgresql", "pg"}:
        yield Violation("dialect", f"The journal is of the dialect {folder.dialect or 'none'}, not of PostgreSQL.")
    if folder.version not in JOURNAL_VERSIONS:
        yield Violation(
            "journal-version",
            f"The journal has version {folder.version or 'none'}, which the portal does not know; it knows 5, 6 and 7.",
        )
    pattern = PREFIXES[layout.prefix]
    strangers = [each.tag for each in folder.migrations if not pattern.match(each.tag)]
    if strangers:
        yield Violation(
            "prefix",
            f"{', '.join(strangers[:3])} does not begin with a prefix of the kind {layout.prefix}; correct the "
            "target's prefix setting, or the next snapshot would sort to the wrong place.",
        )


def _files(folder: Folder) -> Iterator[Violation]:
    if not folder.migrations:
        yield Violation("no-migrations", "The journal has no entries, so there is nothing to roll back.")
    for migration in folder.migrations:
        if migration.sql is None:
            yield Violation(
                "missing-file",
                f"The file {migration.tag}.sql is missing; restore it from the repository's history.",
            )
        elif not migration.valid_utf8:
            yield Violation(
                "not-utf8",
                f"{migration.tag}.sql is not valid UTF-8, so its hash is not the one of its bytes; save it as UTF-8 "
                "only if the ledger agrees.",
            )


def _journal(folder: Folder, now_ms: int) -> Iterator[Violation]:
    doubled = [tag for tag, count in Counter(each.tag for each in folder.migrations).items() if count > 1]
    for tag in doubled:
        yield Violation("duplicate-tag", f"The journal names {tag} twice; remove the entry that never ran.")
    for before, after in pairwise(folder.migrations):
        if after.when <= before.when:
            yield Violation(
                "falling-when",
                f"{after.tag} has a `when` that is not later than that of {before.tag}, so migrate() can skip it in "
                "silence; correct the journal before rolling back.",
            )
        if after.idx <= before.idx:
            yield Violation(
                "falling-idx",
                f"{after.tag} has idx {after.idx} after {before.idx}; the next generate would overwrite a snapshot. "
                "Correct the journal first.",
            )
        elif after.idx != before.idx + 1:
            yield Violation(
                "gap",
                f"The journal jumps from idx {before.idx} to {after.idx}: a migration in between was dropped. "
                "That is allowed; make sure that nothing of it is left.",
                blocks=False,
            )
    for migration in folder.migrations:
        if migration.when > now_ms + FUTURE_MS:
            yield Violation(
                "future-when",
                f"{migration.tag} has a `when` in the future, so migrate() would skip every later migration until "
                "then; correct the journal and the ledger row together.",
            )


def _ledger(folder: Folder, ledger: Ledger) -> Iterator[Violation]:
    if not ledger.exists:
        yield Violation("no-ledger", "The database has no ledger table; check the target's ledger schema and table.")
        return
    if "name" in ledger.columns:
        yield Violation(
            "ledger-1.0",
            "The ledger is of Drizzle 1.0 (it has a column name), which this version of the portal does not roll back.",
        )
        return
    if ledger.columns != LEDGER_COLUMNS:
        yield Violation(
            "ledger-columns",
            f"The ledger has the columns {', '.join(ledger.columns)} instead of id, hash and created_at; "
            "nobody can tell what migrate() would make of it.",
        )
        return
    yield from _null_rows(ledger)
    yield from _rows(folder, ledger)


def _null_rows(ledger: Ledger) -> Iterator[Violation]:
    for row in ledger.rows:
        if row.created_at is None:
            yield Violation(
                "null-created-at",
                f"Ledger row {row.id} has no created_at; migrate() would sort it first and run everything again. "
                "Set it to the `when` of its migration.",
            )


def _rows(folder: Folder, ledger: Ledger) -> Iterator[Violation]:
    by_when: dict[int, list[LedgerRow]] = {}
    for row in ledger.rows:
        if row.created_at is not None:
            by_when.setdefault(row.created_at, []).append(row)
    for migration in folder.migrations:
        yield from _row_of(migration, by_when.pop(migration.when, []))
    for rows in by_when.values():
        for row in rows:
            yield Violation(
                "unknown-row",
                f"Ledger row {row.id} (created_at {row.created_at}, hash {row.hash[:12]}…) belongs to no journal "
                "entry; bring the repository's base branch up to date, or find out who ran it.",
            )


def _row_of(migration: Migration, rows: Sequence[LedgerRow]) -> Iterator[Violation]:
    if not rows:
        yield Violation(
            "not-applied",
            f"{migration.tag} is in the journal but not in the ledger; deploy it or remove it before rolling back.",
        )
        return
    if len(rows) > 1:
        yield Violation(
            "duplicate-row",
            f"{migration.tag} is in the ledger {len(rows)} times: two deploys ran at once. Look at what it did twice, "
            "then delete the later row.",
        )
    if migration.sha256 is not None and all(row.hash != migration.sha256 for row in rows):
        yield Violation(
            "edited-file",
            f"{migration.tag}.sql is not the file that was applied: the ledger has the hash {rows[0].hash[:12]}… and "
            f"the file {migration.sha256[:12]}…. Restore the file that ran.",
        )


def _snapshots(folder: Folder) -> Iterator[Violation]:
    for name, content in folder.snapshots.items():
        if not name.endswith("_snapshot.json"):
            yield Violation("stray-file", f"meta/{name} is no snapshot, and drizzle-kit stumbles over it; remove it.")
        elif content is None:
            yield Violation("bad-snapshot", f"meta/{name} is not a snapshot that Drizzle wrote; restore it.")
        elif str(content.get("version")) != SNAPSHOT_VERSION:
            yield Violation(
                "snapshot-version",
                f"meta/{name} has version {content.get('version')}, not {SNAPSHOT_VERSION}; run drizzle-kit up first.",
            )
    parents = Counter(content["prevId"] for content in folder.snapshots.values() if content and "prevId" in content)
    for parent, count in parents.items():
        if count > 1:
            yield Violation(
                "snapshot-collision",
                f"{count} snapshots continue the same one ({parent}); drizzle-kit refuses that. Resolve it first.",
            )
    if not folder.snapshots:
        yield Violation("no-snapshots", "The folder meta/ has no snapshot, so drizzle-kit could not go on after it.")
