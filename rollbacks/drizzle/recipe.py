"""The files of a consistent rollback: reverse migration, journal entry and snapshot.

Tried with drizzle-kit 0.31.11: the snapshot must hold the content of the return point's, a fresh id, and
the id of the newest snapshot as prevId. Every other combination makes check or generate go wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rollbacks.drizzle.journal import ORIGIN, Folder, Layout, Migration, file_hash, prefix_of, stringify
from rollbacks.drizzle.preflight import Ledger

# One second, not one millisecond: Drizzle 1.0's ledger upgrade orders by whole seconds. Never more, because
# a `when` in the future hides every migration that is generated before it.
STEP_MS = 1000
EMPTIED = ("tables", "enums", "schemas", "sequences", "roles", "policies", "views")


class NoSnapshot(Exception):
    """The return point has no snapshot and none comes before it; drizzle-kit could not go on after the rollback."""


@dataclass(frozen=True)
class RollbackFiles:
    """What has to be written: names relative to the migrations folder, texts, and the ledger row's two values."""

    tag: str
    idx: int
    when: int
    sql: str
    sha256: str
    journal_text: str
    snapshot_name: str
    snapshot_text: str


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

    `sql` is written byte for byte. Raises NoSnapshot, or KeyError for an unknown return point.
    """
    last = folder.migrations[-1]
    applied = max((row.created_at or 0 for row in ledger.rows), default=0)
    when = max(now_ms, last.when + STEP_MS, applied + STEP_MS)
    idx = last.idx + 1
    prefix = _prefix(layout.prefix, idx, when)
    tag = f"{prefix}_rollback_{tag_description}" if prefix else f"rollback_{tag_description}"
    entry = {"idx": idx, "version": _version(folder, return_to), "when": when, "tag": tag, "breakpoints": True}
    journal = json.loads(folder.journal_text)
    journal["entries"].append(entry)
    return RollbackFiles(
        tag=tag,
        idx=idx,
        when=when,
        sql=sql,
        sha256=file_hash(sql.encode()),
        journal_text=stringify(journal),
        snapshot_name=f"{prefix or tag}_snapshot.json",
        snapshot_text=stringify(_snapshot(folder, layout, return_to, snapshot_id)),
    )


def snapshot_in_force(folder: Folder, layout: Layout, tag: str) -> dict[str, Any]:
    """Return the snapshot of the state after this migration: its own, or the last one by name before it."""
    own = f"{prefix_of(tag, layout.prefix)}_snapshot.json"
    names = [name for name, content in folder.snapshots.items() if content is not None and name <= own]
    if not names:
        raise NoSnapshot(str(NoSnapshot.__doc__))
    return dict(folder.snapshots[max(names)] or {})


def _snapshot(folder: Folder, layout: Layout, return_to: str | None, snapshot_id: str) -> dict[str, Any]:
    newest = folder.newest_snapshot()
    if newest is None:
        raise NoSnapshot(str(NoSnapshot.__doc__))
    content = snapshot_in_force(folder, layout, return_to) if return_to else _empty(newest[1])
    rest = {key: value for key, value in content.items() if key not in {"id", "prevId", "_meta"}}
    meta: dict[str, dict[str, str]] = {"columns": {}, "schemas": {}, "tables": {}}
    return {"id": snapshot_id, "prevId": newest[1].get("id", ORIGIN), **rest, "_meta": meta}


def _empty(newest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: ({} if key in EMPTIED else value) for key, value in newest.items()}


def _version(folder: Folder, return_to: str | None) -> str:
    source: Migration = folder.by_tag(return_to) if return_to else folder.migrations[-1]
    return source.version


def _prefix(kind: str, idx: int, when: int) -> str:
    if kind == "index":
        return f"{idx:04d}"
    if kind in {"timestamp", "supabase"}:
        return datetime.fromtimestamp(when / 1000, UTC).strftime("%Y%m%d%H%M%S")
    return str(when // 1000) if kind == "unix" else ""
