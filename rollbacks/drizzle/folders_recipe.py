"""The files of a consistent rollback in Drizzle 1.0: one folder with the reverse migration and its snapshot.

Tried with drizzle-kit 1.0.0-rc.4 (snapshots of version 8) and rc.5 (version 9): the snapshot continues the newest one
and stands for the return point's schema. In version 9 it holds the deltas that lead there, worked out from what
drizzle-kit would reconstruct, and the footprints of the migrations that are undone: whatever would have conflicted
with them on another branch conflicts with taking them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rollbacks.drizzle.folders import SNAPSHOT_FILE, SQL_FILE
from rollbacks.drizzle.folders_preflight import leaves
from rollbacks.drizzle.journal import Folder, file_hash, stringify
from rollbacks.drizzle.preflight import Ledger
from rollbacks.drizzle.recipe import STEP_MS, NoSnapshot, RollbackFiles, file_safe
from rollbacks.drizzle.states import State, Unfoldable, difference, state_of


def compose(
    folder: Folder, ledger: Ledger, *, return_to: str | None, tag_description: str, sql: str, now_ms: int, snapshot_id: str
) -> RollbackFiles:  # fmt: skip
    """Return the files for rolling back everything after `return_to` (None: everything).

    Expects a folder without blocking violations; raises NoSnapshot when the history cannot be followed and KeyError for
    an unknown return point.
    """
    last = folder.migrations[-1]
    applied = max((row.created_at or 0 for row in ledger.rows), default=0)
    # Whole seconds, because the folder's name has no more.
    when = -(-max(now_ms, last.when + STEP_MS, applied + STEP_MS) // 1000) * 1000
    moment = datetime.fromtimestamp(when // 1000, UTC)
    tag = f"{moment:%Y%m%d%H%M%S}_rollback_{file_safe(tag_description)}"
    return RollbackFiles(
        tag=tag,
        idx=last.idx + 1,
        when=when,
        sql=sql,
        sha256=file_hash(sql.encode()),
        contents={
            f"{tag}/{SQL_FILE}": sql.encode(),
            f"{tag}/{SNAPSHOT_FILE}": stringify(_snapshot(folder, return_to, snapshot_id)).encode(),
        },
        ledger_name=tag,
    )


def _snapshot(folder: Folder, return_to: str | None, snapshot_id: str) -> dict[str, Any]:
    found = leaves(folder)
    by_id = {str(each["id"]): each for each in folder.snapshots.values() if each}
    if len(found) != 1:
        raise NoSnapshot(str(NoSnapshot.__doc__))
    newest = by_id[found[0]]
    try:
        wanted = _state_after(folder, by_id, return_to)
        now = state_of(by_id, found[0])
    except Unfoldable as error:
        raise NoSnapshot(str(error)) from error
    if str(newest["version"]) == "8":
        head = {"version": newest["version"], "dialect": newest["dialect"], "id": snapshot_id, "prevIds": found}
        return {**head, "ddl": list(wanted.values()), "renames": []}
    return {
        "type": "diff",
        "version": newest["version"],
        "dialect": newest["dialect"],
        "id": snapshot_id,
        "prevIds": found,
        "footprints": _footprints(folder, return_to),
        "deltas": difference(now, wanted),
    }


def _state_after(folder: Folder, by_id: Mapping[str, Mapping[str, Any]], return_to: str | None) -> State:
    if return_to is None:
        return {}
    content = folder.snapshots.get(folder.by_tag(return_to).tag)
    if content is None:
        raise NoSnapshot(str(NoSnapshot.__doc__))
    return state_of(by_id, str(content["id"]))


def _footprints(folder: Folder, return_to: str | None) -> list[Any]:
    position = -1 if return_to is None else folder.migrations.index(folder.by_tag(return_to))
    undone = [folder.snapshots.get(each.tag) or {} for each in folder.migrations[position + 1 :]]
    return [footprint for each in reversed(undone) for footprint in reversed(each.get("footprints", []))]
