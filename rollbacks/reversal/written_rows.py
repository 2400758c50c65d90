"""Rows that a migration wrote: which of them a statement can take back, and which are left to a person.

Source: reversal, section 4. Only an INSERT that gives its rows' keys as constants has an inverse that can be read off
it; what an UPDATE or a DELETE overwrote is nowhere but in a backup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbacks.reversal import archive
from rollbacks.reversal.objects import Key, Shape, literal, name
from rollbacks.reversal.parse import Statement
from rollbacks.reversal.tree import strings, walk

CHANGES = {
    "insert_stmt": "inserted rows", "update_stmt": "changed rows", "delete_stmt": "deleted rows",
    "truncate_stmt": "emptied tables", "merge_stmt": "merged rows", "copy_stmt": "copied rows",
}  # fmt: skip
# Where rows can be written; a rule or a function only says what will be.
WRITING = {*CHANGES, "select_stmt", "create_table_as_stmt"}
CODE = {"do_stmt": "is a DO block", "call_stmt": "calls code", "select_stmt": "calls code"}
# What people ask the catalog and their rows in a condition; any other function may write.
READS = {
    "array_agg", "array_length", "btrim", "concat", "concat_ws", "count", "current_database", "current_schema",
    "current_setting", "format", "gen_random_uuid", "has_table_privilege", "jsonb_typeof", "length", "lower", "max", "min",
    "now", "pg_get_constraintdef", "pg_get_expr", "quote_ident", "quote_literal", "replace", "string_agg", "substring",
    "sum", "to_regclass", "to_regproc", "to_regprocedure", "to_regtype", "trim", "unnest", "upper", "version",
}  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """What one forward statement wrote: the statements that take it back, or the sentence that leaves it to a person."""

    line: int
    statements: tuple[str, ...] = ()
    note: str = ""
    left: str = ""
    reapply: str = ""


def rows_written(forward: Sequence[Statement], *, now: Shape, wanted: Shape, label: str | None) -> Iterator[Rows]:
    """Return what has to be said or done about the rows that each statement wrote, the last statement first.

    Rows of a table that goes with the migration go with it, and so do the values of a column that it added: nothing is
    said of them.
    """
    for place, statement in reversed(list(enumerate(forward))):
        if statement.inside is not None:
            # Whether it ran, and so whether its rows were there before, was decided by a condition.
            yield from filter(None, (_left(each, now, wanted) for each in reversed(statement.inside)))
        elif found := _left(statement, now, wanted):
            before = sum(_beside(each, statement, now) for each in forward[:place])
            # Two statements of one line about one table must not be archived under one name.
            mark = f"{label}_line{statement.line}{f'_{before + 1}' if before else ''}" if label is not None else None
            yield _taken_back(statement, now, mark) or found


def _beside(one: Statement, other: Statement, now: Shape) -> bool:
    """Tell whether both stand on one line and insert into the same table."""
    same_place = one.line == other.line and one.kind == other.kind == "insert_stmt"
    return same_place and _found(one.tree, now) == _found(other.tree, now)


def _left(statement: Statement, now: Shape, wanted: Shape) -> Rows | None:
    """Return what a person has to see to, None when the statement wrote nothing that stays."""
    found = walk(statement.kind, statement.tree) if statement.kind in WRITING else ()
    staying = [name for name, tree in found if name in CHANGES and _stays(name, tree, now, wanted)]
    if staying:
        said = "take the rows from a backup or write the statement that turns them back."
        return Rows(statement.line, left=f"Line {statement.line} {CHANGES[staying[0]]}; that is not undone: {said}")
    if statement.kind in CODE and not _only_reads(statement):
        said = f"Line {statement.line} {CODE[statement.kind]}; only what it did to the catalog is undone."
        return Rows(statement.line, left=said)
    return None


def _stays(kind: str, tree: Mapping[str, Any], now: Shape, wanted: Shape) -> bool:
    """Tell whether anything that was written is still there when tables and columns have gone."""
    tables = [key for key in _tables(tree, now) if key in wanted.things]
    if kind != "update_stmt" or len(tables) != 1:
        return bool(tables)
    (table,) = tables
    columns = [("column", *table[1:], each["res_target"]["name"]) for each in tree["target_list"]]
    goes = all(key in now.things and key not in wanted.things for key in columns)
    # A trigger may have written more than the statement says.
    return not goes or bool(now.children(table, "trigger"))


def _only_reads(statement: Statement) -> bool:
    called = [
        strings(node.get("funcname")) for name, node in walk(statement.kind, statement.tree) if name == "func_call"
    ]
    return statement.kind == "select_stmt" and all(
        each[-1] in READS and each[:-1] in ([], ["pg_catalog"]) for each in called
    )


def _tables(tree: Mapping[str, Any], now: Shape) -> list[Key]:
    """Return the tables that a statement writes; one that cannot be found counts as there, which says too much."""
    return _found(tree, now) or [key for key in now.things if key[0] == "table"]


def _found(tree: Mapping[str, Any], now: Shape) -> list[Key]:
    """Return the tables that a statement writes and that are still there."""
    relations = tree.get("relations") or [{"range_var": tree.get("relation", {})}]
    wanted = [(each["range_var"].get("schemaname", ""), each["range_var"].get("relname", "")) for each in relations]
    known = [key for key in now.things if key[0] == "table"]
    return [key for schema, table in wanted for key in known if key[2] == table and schema in {"", key[1]}]


def _taken_back(statement: Statement, now: Shape, label: str | None) -> Rows | None:
    # A table that the same migration dropped is not there any more; nothing may be deleted from another in its place.
    tables = _found(statement.tree, now)
    if len(tables) != 1 or "on_conflict_clause" in statement.tree:
        # A row that a conflict left alone was there before.
        return None
    (table,) = tables
    columns = [each["res_target"]["name"] for each in statement.tree.get("cols", ())]
    for key in _keys(table, now):
        keys = _constants(statement.tree, columns, key)
        if keys:
            return _deleted(statement.line, table, key, keys, now, label)
    return None


def _keys(table: Key, now: Shape) -> list[list[str]]:
    """Return the columns of the primary key and of each unique constraint, the primary key first."""
    found = [each for each in now.children(table, "constraint") if each.get("type") in {"p", "u"}]
    return [each.get("columns").split("\0") for each in sorted(found, key=lambda each: each.get("type"))]


def _constants(tree: Mapping[str, Any], columns: Sequence[str], key: Sequence[str]) -> list[str]:
    """Return each row's key as SQL, none unless every row gives every part of it as a constant."""
    lists = tree.get("select_stmt", {}).get("select_stmt", {}).get("values_lists", ())
    if not set(key) <= set(columns):
        return []
    rows = []
    for each in lists:
        items = each["list"]["items"]
        values = [_constant(items[columns.index(column)]) for column in key]
        if not all(values):
            return []
        rows.append(f"({', '.join(values)})")
    return rows


def _constant(value: Mapping[str, Any]) -> str:
    """Return a constant as SQL, empty for NULL, DEFAULT and whatever has to be worked out."""
    while "type_cast" in value:
        value = value["type_cast"]["arg"]
    constant = value.get("a_const", {})
    if "sval" in constant:
        return literal(constant["sval"].get("sval", ""))
    if "ival" in constant:
        return str(constant["ival"].get("ival", 0))
    if "fval" in constant:
        return str(constant["fval"]["fval"])
    return ""


def _deleted(line: int, table: Key, key: Sequence[str], keys: Sequence[str], now: Shape, label: str | None) -> Rows:
    source = name(*table[1:3])
    condition = f"({', '.join(name(column) for column in key)}) IN ({', '.join(keys)})"
    note = f"The rows that line {line} inserted go, edited since or not."
    statements: tuple[str, ...] = (f"DELETE FROM {source} WHERE {condition};",)
    if label is None:
        return Rows(line, statements, note)
    kept = archive.keep_rows(table, condition, key, now, label=label)
    return Rows(line, (*kept.statements, *statements), note, reapply=kept.reapply)
