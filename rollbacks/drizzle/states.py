"""The schema that a snapshot of Drizzle 1.0 stands for, and the difference between two of them.

Version 8 keeps every row in every snapshot. Version 9 keeps a base and then deltas, so a state is what drizzle-kit would
reconstruct: rows by key, and where a key changes (a rename) every row that refers to it follows. Source: drizzle-kit
1.0.0-rc.4 and rc.5, read and compared with what the tool itself reconstructs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rollbacks.drizzle.journal import ORIGIN

Row = dict[str, Any]
State = dict[str, Row]
Snapshots = Mapping[str, Mapping[str, Any]]

OF_TABLE = ("schema", "table", "name")
OF_SCHEMA = ("schema", "name")
IDENTITY: dict[str, tuple[str, ...]] = {
    "schemas": ("name",), "roles": ("name",), "tables": OF_SCHEMA, "enums": OF_SCHEMA, "sequences": OF_SCHEMA,
    "views": OF_SCHEMA, "indexes": OF_SCHEMA, "columns": OF_TABLE, "fks": OF_TABLE, "pks": OF_TABLE, "uniques": OF_TABLE,
    "checks": OF_TABLE, "policies": OF_TABLE, "privileges": ("schema", "table", "grantor", "grantee", "type"),
}  # fmt: skip
TABLE = (("schema", "schema"), ("name", "table"))
COLUMNS = (("schema", "schema"), ("table", "table"))
# Who refers to whom: kind → (kind it refers to, its key fields and ours, list of names, field within the list).
EDGES: dict[str, tuple[tuple[str, tuple[tuple[str, str], ...], str, str], ...]] = {
    **dict.fromkeys(("tables", "enums", "sequences", "views"), (("schemas", (("name", "schema"),), "", ""),)),
    "checks": (("tables", TABLE, "", ""),),
    "policies": (("tables", TABLE, "", ""), ("roles", (), "roles", "")),
    "privileges": (
        ("tables", TABLE, "", ""), ("roles", (("name", "grantee"),), "", ""), ("roles", (("name", "grantor"),), "", ""),
    ),
    "columns": (("tables", TABLE, "", ""), ("enums", (("schema", "typeSchema"), ("name", "type")), "", "")),
    "indexes": (("tables", TABLE, "", ""), ("columns", COLUMNS, "columns", "value")),
    "pks": (("tables", TABLE, "", ""), ("columns", COLUMNS, "columns", "")),
    "uniques": (("tables", TABLE, "", ""), ("columns", COLUMNS, "columns", "")),
    "fks": (
        ("tables", TABLE, "", ""), ("columns", COLUMNS, "columns", ""),
        ("tables", (("schema", "schemaTo"), ("name", "tableTo")), "", ""),
        ("columns", (("schema", "schemaTo"), ("table", "tableTo")), "columnsTo", ""),
    ),
}  # fmt: skip


class Unfoldable(ValueError):
    """A snapshot's history cannot be followed; the sentence says where it breaks off."""


def state_of(snapshots: Snapshots, identifier: str) -> State:
    """Return the rows of the snapshot with this id, by drizzle-kit's key; `snapshots` are by id, in folder order.

    Raises Unfoldable when a parent is missing or a delta is of a kind that is not known.
    """
    diffs, snapshot = [], _find(snapshots, identifier)
    while snapshot.get("type") == "diff":
        diffs.append(snapshot)
        snapshot = _find(snapshots, snapshot["prevIds"][0])
    state = {_key(row): dict(row) for row in snapshot["ddl"]}
    for each in reversed(diffs):
        first, *others = each["prevIds"]
        beside = _history(snapshots, others) - _history(snapshots, [first])
        for identity, other in snapshots.items():
            if identity in beside and other.get("type") == "diff":
                _apply(state, other["deltas"])
        _apply(state, each["deltas"])
    return state


def difference(before: State, after: State) -> list[dict[str, Any]]:
    """Return the deltas that lead from one state to the other, in drizzle-kit's order: created, dropped, altered."""
    created = [{"op": "create", "row": row} for key, row in after.items() if key not in before]
    dropped = [{"op": "drop", "key": key} for key in before if key not in after]
    altered = [
        {"op": "alter", "key": key, "set": changed}
        for key, row in before.items()
        if key in after and (changed := _changed(row, after[key]))
    ]
    return [*created, *dropped, *altered]


def _find(snapshots: Snapshots, identifier: str) -> Mapping[str, Any]:
    found = snapshots.get(identifier)
    if found is None or not isinstance(found.get("prevIds"), list) or not found["prevIds"]:
        raise Unfoldable(f"The snapshot {identifier} is not in the migrations folder, or names no parent; restore it.")
    return found


def _history(snapshots: Snapshots, identifiers: Sequence[str]) -> set[str]:
    found, waiting = set[str](), list(identifiers)
    while waiting:
        identifier = waiting.pop()
        if identifier not in found and identifier != ORIGIN:
            found.add(identifier)
            waiting += _find(snapshots, identifier)["prevIds"]
    return found


def _apply(state: State, deltas: Iterable[Mapping[str, Any]]) -> None:
    for delta in deltas:
        match delta.get("op"):
            case "create":
                state.setdefault(_key(delta["row"]), dict(delta["row"]))
            case "drop":
                state.pop(delta["key"], None)
            case "alter" | "rename":
                _alter(state, delta["key"], delta["set"])
            case other:
                raise Unfoldable(f"A snapshot has a delta “{other}”, which the portal does not know.")


def _alter(state: State, key: str, changes: Mapping[str, Any]) -> None:
    row = state.get(key)
    if row is None:
        return
    before = dict(row)
    row.update({field: value for field, value in changes.items() if field in row})
    moved = [(before, row)] if _key(before) != _key(row) else []
    seen = {_key(before)}
    while moved:
        old, new = moved.pop(0)
        for other in state.values():
            was = dict(other)
            if _follow(other, old, new) and _key(other) != _key(was) and _key(was) not in seen:
                seen.add(_key(was))
                moved.append((was, other))
    if len(seen) > 1 or _key(before) != _key(row):
        rows = list(state.values())
        state.clear()
        state.update({_key(each): each for each in rows})


def _follow(row: Row, old: Row, new: Row) -> bool:
    """Let a row that refers to the old key refer to the new one; tell whether it did."""
    changed = False
    for kind, fields, names, within in EDGES.get(row["entityType"], ()):
        if kind != old["entityType"] or any(row.get(ours) != old[theirs] for theirs, ours in fields):
            continue
        if names and not _renamed(row, names, within, old["name"], new["name"]):
            continue
        row.update({ours: new[theirs] for theirs, ours in fields})
        changed = True
    return changed


def _renamed(row: Row, names: str, within: str, old: str, new: str) -> bool:
    elements = row.get(names) or []
    after = [_element(each, within, old, new) for each in elements]
    changed = after != elements
    row[names] = after
    return changed


def _element(each: Any, within: str, old: str, new: str) -> Any:
    if not within:
        return new if each == old else each
    return each if each.get("isExpression") or each.get(within) != old else {**each, within: new}


def _changed(before: Row, after: Row) -> dict[str, Any]:
    fields = dict.fromkeys([*before, *after])
    return {field: after.get(field) for field in fields if before.get(field) != after.get(field)}


def _key(row: Mapping[str, Any]) -> str:
    kind = row["entityType"]
    if kind not in IDENTITY:
        raise Unfoldable(f"A snapshot holds “{kind}”, which the portal does not know.")
    words = json.dumps([row.get(field) for field in IDENTITY[kind]], ensure_ascii=False, separators=(",", ":"))
    return f"{kind}\0{words}"
