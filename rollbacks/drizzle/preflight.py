"""Every way in which journal, files, snapshots and ledger can disagree, each with its own sentence.

Source: drizzle-kit 0.31.11 and drizzle-orm 0.45.4, read and tried: what migrate(), check and generate stumble
over, and what they pass over in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from rollbacks.drizzle.journal import PREFIXES, SNAPSHOT_SUFFIX, Folder, Layout, Migration, file_hash, write_prefix

LEDGER_COLUMNS = frozenset({"id", "hash", "created_at"})
JOURNAL_VERSIONS = frozenset({"5", "6", "7"})
DIALECTS = frozenset({"postgresql", "pg"})
SNAPSHOT_VERSION = "7"
SNAPSHOT_PARTS = ("tables", "enums", "schemas", "_meta")
# A clock that is a little ahead is everyday life; a migration from tomorrow hides every later one.
FUTURE_MS = 60_000
SHOWN = 3


@dataclass(frozen=True)
class LedgerRow:
    """One row of Drizzle's ledger; `created_at` is the journal's `when` in ms, or NULL."""

    id: int
    hash: str
    created_at: int | None
    # Of the 1.0 line only: the migration's folder, and when it was applied (ISO 8601).
    name: str | None = None
    applied_at: str | None = None


@dataclass(frozen=True)
class Ledger:
    """Drizzle's ledger as it is in the database; `exists` tells a missing table from an empty one."""

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
    """Return every violation in this order: settings, files, journal, ledger, snapshots. Empty: all is well."""
    return (
        *_settings(folder, layout),
        *_prefixes(folder, layout),
        *_files(folder),
        *_journal(folder, now_ms),
        *_ledger(folder, ledger),
        *_snapshots(folder),
        *_chain(folder, layout, now_ms),
    )


def _settings(folder: Folder, layout: Layout) -> Iterator[Violation]:
    if PurePosixPath(layout.out).is_absolute():
        yield Violation(
            "absolute-out",
            "The migrations folder is configured with an absolute path, which drizzle-kit 0.31 cannot open; "
            "make the out setting of drizzle.config relative.",
        )
    if folder.dialect not in DIALECTS:
        yield Violation(
            "dialect",
            f"The journal is of the dialect {folder.dialect or 'none'}, not of PostgreSQL; check the target's out setting.",
        )
    if folder.version not in JOURNAL_VERSIONS:
        yield Violation(
            "journal-version",
            f"The journal has version {folder.version or 'none'}, and the portal knows 5, 6 and 7; "
            "look for a version of the portal that knows it.",
        )


def _prefixes(folder: Folder, layout: Layout) -> Iterator[Violation]:
    if layout.prefix not in PREFIXES:
        yield Violation(
            "prefix-unknown",
            f"The prefix setting {layout.prefix} is none of drizzle-kit's; set it to one of {', '.join(PREFIXES)}.",
        )
    elif layout.prefix == "none":
        # Seen: every snapshot is written to meta/_snapshot.json, and files with "_" are not read back.
        yield Violation(
            "prefix-none",
            "With the prefix setting none drizzle-kit 0.31 never reads its snapshots back, so no rollback can be made "
            "consistent; set migrations.prefix in drizzle.config to timestamp first.",
        )
    else:
        yield from _strangers(folder, layout.prefix)


def _strangers(folder: Folder, kind: str) -> Iterator[Violation]:
    strangers = [each.tag for each in folder.migrations if not PREFIXES[kind].match(each.tag)]
    if folder.migrations and folder.migrations[-1].tag in strangers:
        yield Violation(
            "prefix",
            f"{folder.migrations[-1].tag} does not begin with a prefix of the kind {kind}; correct the target's "
            "prefix setting, or the rollback's snapshot would sort to the wrong place.",
        )
    elif strangers:
        yield Violation(
            "prefix-changed",
            f"{_list(strangers)} does not begin with a prefix of the kind {kind}, though the newest migration does; "
            "make sure that the setting was changed on purpose.",
            blocks=False,
        )


def _files(folder: Folder) -> Iterator[Violation]:
    if not folder.migrations:
        yield Violation("no-migrations", "The journal has no entries, so there is nothing to roll back.")
    for migration in folder.migrations:
        if migration.sql is None:
            yield Violation(
                "missing-file",
                f"The file {migration.tag}.sql is missing, so migrate() refuses to run; restore it from the "
                "repository's history.",
            )
        elif not migration.valid_utf8:
            yield Violation(
                "not-utf8",
                f"{migration.tag}.sql is not valid UTF-8, so neither its hash nor its text can be trusted; restore "
                "the file that ran.",
            )


def _journal(folder: Folder, now_ms: int) -> Iterator[Violation]:
    for tag, count in Counter(each.tag for each in folder.migrations).items():
        if count > 1:
            yield Violation("duplicate-tag", f"The journal names {tag} {count} times; remove the entry that never ran.")
    yield from _times(folder.migrations, now_ms)
    for before, after in pairwise(folder.migrations):
        if after.idx <= before.idx:
            yield Violation(
                "falling-idx",
                f"{after.tag} has idx {after.idx} after {before.idx}, so the next generate can overwrite a snapshot; "
                "correct the journal first.",
            )
        elif after.idx != before.idx + 1:
            yield Violation(
                "idx-gap",
                f"The journal jumps from idx {before.idx} to {after.idx}: a migration in between was dropped, which "
                "Drizzle allows; make sure that nothing of it is left.",
                blocks=False,
            )


def _times(migrations: Sequence[Migration], now_ms: int) -> Iterator[Violation]:
    latest: Migration | None = None
    for migration in migrations:
        if latest is not None and migration.when <= latest.when:
            yield Violation(
                "falling-when",
                f"{migration.tag} has a `when` that is not later than that of {latest.tag}, so migrate() can skip it "
                "in silence; correct the journal and the ledger row together.",
            )
        else:
            latest = migration
        if migration.when > now_ms + FUTURE_MS:
            yield Violation(
                "future-when",
                f"{migration.tag} has a `when` in the future, so migrate() would skip every later migration until "
                "then; correct the clock, or the journal and the ledger row together.",
            )


def _ledger(folder: Folder, ledger: Ledger) -> Iterator[Violation]:
    if not ledger.exists:
        yield Violation(
            "no-ledger", "The database has no ledger table; check the target's ledger schema and table settings."
        )
    elif {"name", "applied_at"} & set(ledger.columns):
        yield Violation(
            "ledger-1.0",
            "The ledger is of Drizzle 1.0 (it has a column name or applied_at), but the folder still has a journal; "
            "run drizzle-kit up there and merge what it changes.",
        )
    elif set(ledger.columns) != LEDGER_COLUMNS:
        yield Violation(
            "ledger-columns",
            f"The ledger has the columns {', '.join(ledger.columns)} instead of id, hash and created_at, and nobody "
            "can tell what migrate() would make of it; check the target's ledger schema and table settings.",
        )
    elif not ledger.rows:
        yield Violation(
            "empty-ledger",
            "The ledger has no rows, so no migration was applied to this database; check that this is the right one.",
        )
    else:
        yield from _null_rows(ledger)
        yield from _rows(folder, ledger)


def _null_rows(ledger: Ledger) -> Iterator[Violation]:
    for row in ledger.rows:
        if row.created_at is None:
            yield Violation(
                "null-created-at",
                f"Ledger row {row.id} has no created_at, so migrate() would sort it first and run everything again; "
                "set it to the `when` of its migration.",
            )


def _rows(folder: Folder, ledger: Ledger) -> Iterator[Violation]:
    by_when: dict[int, list[LedgerRow]] = {}
    for row in ledger.rows:
        if row.created_at is not None:
            by_when.setdefault(row.created_at, []).append(row)
    newest = max(by_when, default=0)
    for migration in folder.migrations:
        yield from _row_of(migration, by_when.get(migration.when, []), newest)
    known = {migration.when for migration in folder.migrations}
    by_hash = {migration.sha256: migration for migration in folder.migrations if migration.sha256}
    for when, rows in by_when.items():
        if when not in known:
            yield from (_stranger(row, by_hash.get(row.hash)) for row in rows)


def _row_of(migration: Migration, rows: Sequence[LedgerRow], newest: int) -> Iterator[Violation]:
    if not rows and migration.when <= newest:
        yield Violation(
            "ledger-gap",
            f"{migration.tag} is not in the ledger although later migrations are, so migrate() will never run it; "
            "find out whether it was applied, and add its row or its changes.",
        )
    elif not rows:
        yield Violation(
            "not-applied",
            f"{migration.tag} is in the journal but not in the ledger; deploy it, or take it off the base branch, "
            "before rolling back.",
        )
    if len(rows) > 1:
        yield Violation(
            "duplicate-row",
            f"{migration.tag} is in the ledger {len(rows)} times: two deploys ran at once; look at what it did twice, "
            "then delete the later row.",
        )
    if rows and migration.sha256 is not None and any(row.hash != migration.sha256 for row in rows):
        yield _edited(migration, next(row for row in rows if row.hash != migration.sha256))


def _edited(migration: Migration, row: LedgerRow) -> Violation:
    assert migration.sql is not None  # noqa: S101  (the caller compared its hash)
    unix = migration.sql.replace("\r\n", "\n")
    if row.hash in {file_hash(unix.encode()), file_hash(unix.replace("\n", "\r\n").encode())}:
        return Violation(
            "line-endings",
            f"{migration.tag}.sql was applied with other line endings than it has now; check out the repository with "
            "the endings that the deploys use, and keep them with a .gitattributes file.",
        )
    return Violation(
        "edited-file",
        f"{migration.tag}.sql is not the file that was applied: the ledger has the hash {row.hash[:12]}… and the file "
        f"{(migration.sha256 or '')[:12]}…; restore the file that ran.",
    )


def _stranger(row: LedgerRow, migration: Migration | None) -> Violation:
    if migration is not None:
        return Violation(
            "moved-when",
            f"Ledger row {row.id} has the hash of {migration.tag} but created_at {row.created_at} instead of "
            f"{migration.when}; somebody changed `when` in the journal, so put it back.",
        )
    return Violation(
        "unknown-row",
        f"Ledger row {row.id} (created_at {row.created_at}, hash {row.hash[:12]}…) belongs to no journal entry; "
        "bring the repository's base branch up to date, or find out who ran it.",
    )


def _snapshots(folder: Folder) -> Iterator[Violation]:
    for name, content in folder.snapshots.items():
        if not name.endswith(SNAPSHOT_SUFFIX):
            yield Violation(
                "stray-file", f"drizzle-kit takes meta/{name} for a snapshot and stumbles over it; move it elsewhere."
            )
        elif content is not None and str(content.get("version")) != SNAPSHOT_VERSION:
            yield Violation(
                "snapshot-version",
                f"meta/{name} has version {content.get('version')}, not {SNAPSHOT_VERSION}; run drizzle-kit up first.",
            )
        elif content is None or not _well_formed(content):
            yield Violation(
                "malformed-snapshot",
                f"meta/{name} is not a snapshot that drizzle-kit wrote; restore it from the repository's history.",
            )
    yield from _collisions(folder)


def _collisions(folder: Folder) -> Iterator[Violation]:
    parents: dict[str, list[str]] = {}
    for name, content in folder.snapshots.items():
        if content is not None and isinstance(content.get("prevId"), str):
            parents.setdefault(content["prevId"], []).append(name)
    for names in parents.values():
        if len(names) > 1:
            yield Violation(
                "snapshot-collision",
                f"The snapshots {_list(names)} all continue the same one, which drizzle-kit refuses; give each the id "
                "of the one before it as prevId.",
            )


def _well_formed(content: dict[str, object]) -> bool:
    texts = all(isinstance(content.get(key), str) for key in ("id", "prevId"))
    return texts and all(isinstance(content.get(key), dict) for key in SNAPSHOT_PARTS)


def _chain(folder: Folder, layout: Layout, now_ms: int) -> Iterator[Violation]:
    """Judge whether the snapshots fit the journal: a rollback takes one back and writes one after all others."""
    newest = folder.newest_snapshot()
    if newest is None:
        if layout.prefix != "none":
            yield Violation(
                "no-snapshots",
                "The folder meta/ has no snapshot, so drizzle-kit could not go on after a rollback; restore the "
                "snapshots from the repository's history.",
            )
        return
    for migration in folder.migrations:
        if migration.snapshot_name not in folder.snapshots:
            yield _without_snapshot(folder, migration)
    following = _following_name(folder, layout.prefix, now_ms)
    if following and newest[0] >= following:
        yield Violation(
            "snapshot-ahead",
            f"meta/{newest[0]} does not sort before {following}, which a rollback would write, so drizzle-kit would go "
            "on from the wrong one; remove it, or restore its journal entry.",
        )


def _without_snapshot(folder: Folder, migration: Migration) -> Violation:
    fallback = folder.snapshot_in_force(migration.tag)
    if fallback is None:
        sentence = f"{migration.tag} has no snapshot and none comes before it; choose another return point."
    else:
        sentence = (
            f"{migration.tag} has no snapshot; with it as the return point meta/{fallback[0]} counts, which is right "
            "only if it changes nothing that a snapshot holds."
        )
    return Violation("no-own-snapshot", sentence, blocks=False)


def _following_name(folder: Folder, kind: str, now_ms: int) -> str:
    """Return the name of a snapshot written now; empty where no such name can be told."""
    if not folder.migrations or kind not in PREFIXES or kind == "none":
        return ""
    last = folder.migrations[-1]
    return write_prefix(kind, idx=last.idx + 1, when=max(now_ms, last.when + 1000)) + SNAPSHOT_SUFFIX


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
