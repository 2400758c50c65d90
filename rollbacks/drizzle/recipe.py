"""The files of a consistent rollback: reverse migration, journal entry and snapshot.

Tried with drizzle-kit 0.31.11: the snapshot must hold the content of the return point's, a fresh id, and
the id of the newest snapshot as prevId. Every other combination makes check or generate go wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollbacks.drizzle.journal import (
    JOURNAL,
    ORIGIN,
    SNAPSHOT_SUFFIX,
    Folder,
    Layout,
    append_entry,
    file_hash,
    stringify,
    write_prefix,
)
from rollbacks.drizzle.preflight import Ledger

# One second, not one millisecond: Drizzle 1.0's ledger upgrade orders by whole seconds. Never more, because
# a `when` in the future hides every migration that is generated before it.
STEP_MS = 1000
EMPTIED = frozenset({"tables", "enums", "schemas", "sequences", "roles", "policies", "views"})
OWN = frozenset({"id", "prevId", "_meta"})
LONGEST = 180


class NoSnapshot(Exception):
    """The return point has no snapshot and none comes before it; choose another one, or restore its snapshot."""


class NameTaken(Exception):
    """The rollback's snapshot would not be the last one in meta/; remove the one that sorts after it first."""


@dataclass(frozen=True)
class RollbackFiles:
    """What has to be written: contents by their path in the migrations folder, and the ledger row's values.

    `sha256` and `when` (ms) are the ledger row's hash and created_at, `ledger_name` its name in the 1.0 line, else None.
    """

    tag: str
    idx: int
    when: int
    sql: str
    sha256: str
    contents: Mapping[str, bytes]
    ledger_name: str | None = None


def compose(
    folder: Folder,
    ledger: Ledger,
    *,
    layout: Layout,
    return_to: str | None,
    tag_description: str,
    sql: str,
    now_ms: int,
    snapshot_id: str,
) -> RollbackFiles:
    """Return the files for rolling back everything after `return_to` (None: everything).

    `sql` is kept byte for byte and the journal's text only grows. Expects a folder without blocking violations;
    raises NoSnapshot or NameTaken when drizzle-kit could not go on, and KeyError for an unknown return point.
    """
    last = folder.migrations[-1]
    applied = max((row.created_at or 0 for row in ledger.rows), default=0)
    when = max(now_ms, last.when + STEP_MS, applied + STEP_MS)
    idx = last.idx + 1
    content = _content(folder, return_to)
    prefix = write_prefix(layout.prefix, idx=idx, when=when)
    snapshot_name = _name_last(folder, f"{prefix}{SNAPSHOT_SUFFIX}")
    tag = f"{prefix}_rollback_{file_safe(tag_description)}"
    entry = {"idx": idx, "version": str(content["version"]), "when": when, "tag": tag, "breakpoints": True}
    return RollbackFiles(
        tag=tag,
        idx=idx,
        when=when,
        sql=sql,
        sha256=file_hash(sql.encode()),
        contents={
            f"{tag}.sql": sql.encode(),
            JOURNAL: append_entry(folder.journal_text, entry).encode(),
            f"meta/{snapshot_name}": stringify(_snapshot(folder, content, snapshot_id)).encode(),
        },
    )


def _content(folder: Folder, return_to: str | None) -> Mapping[str, Any]:
    """Return the snapshot of the return point; before the first migration everything in it is empty."""
    found = folder.snapshot_in_force(return_to) if return_to is not None else folder.newest_snapshot()
    if found is None:
        raise NoSnapshot(str(NoSnapshot.__doc__))
    if return_to is not None:
        return found[1]
    return {key: ({} if key in EMPTIED else value) for key, value in found[1].items()}


def _snapshot(folder: Folder, content: Mapping[str, Any], snapshot_id: str) -> dict[str, Any]:
    newest = folder.newest_snapshot()
    parent = newest[1].get("id", ORIGIN) if newest else ORIGIN
    rest = {key: value for key, value in content.items() if key not in OWN}
    meta: dict[str, dict[str, str]] = {"columns": {}, "schemas": {}, "tables": {}}
    return {"id": snapshot_id, "prevId": parent, **rest, "_meta": meta}


def _name_last(folder: Folder, name: str) -> str:
    """Refuse a name that generate would not find: it takes the last file by name, whatever the journal says."""
    if any(each >= name for each in folder.snapshots):
        raise NameTaken(str(NameTaken.__doc__))
    return name


def file_safe(description: str) -> str:
    """Return the description as part of a file name: letters, digits, dash and underscore, at most 180 of them."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", description).strip("_-")[:LONGEST] or "migration"
