"""Keeping what a reverse statement would destroy: moved or copied into an archive schema on the target itself.

The archive is part of the SQL that is signed. Columns are copied with the key of their row and only where the
value is not the default; tables are moved, bare of what would clash with an earlier archive of the same table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rollbacks.reversal import ddl
from rollbacks.reversal.objects import Key, Shape, Thing, literal, name

SCHEMA = "rollback_archive"
MANIFEST = "manifest"
KEPT_DAYS = 90
# A default that is called anew for every row says nothing about whether somebody wrote the value.
CALLED = re.compile(r"\w\(")

PREPARE = (
    f"CREATE SCHEMA IF NOT EXISTS {name(SCHEMA)};",
    f"CREATE TABLE IF NOT EXISTS {name(SCHEMA, MANIFEST)} (\n"
    '\t"kept_as" text PRIMARY KEY,\n\t"source" text NOT NULL,\n\t"key_columns" text[] NOT NULL,\n'
    '\t"row_count" bigint NOT NULL,\n\t"kept_at" timestamp with time zone NOT NULL DEFAULT now(),\n'
    '\t"expires_at" timestamp with time zone NOT NULL\n);',
)


@dataclass(frozen=True)
class Kept:
    """One archive table: the statements that fill it, and the one that brings its rows back after a re-deploy."""

    statements: tuple[str, ...]
    reapply: str
    source: str
    kept_as: str


def keep_columns(table: Thing, columns: Sequence[Thing], shape: Shape, *, label: str) -> Kept:
    """Copy the key and the values that are not the default; without a primary key the whole row is kept as JSON."""
    key = [column for column in shape.primary_key(table.key) if column not in {each.key[3] for each in columns}]
    kept_as = f"{label}_{table.key[-1]}_columns"[:63]
    source = name(*table.key[1:3])
    parts = [name(column) for column in key] or [f"to_jsonb({name(table.key[-1])}) AS {name('whole_row')}"]
    parts += [_kept_value(column, shape) for column in columns]
    condition = " OR ".join(_written(column) for column in columns)
    statements = (
        f"CREATE TABLE {name(SCHEMA, kept_as)} AS\nSELECT {', '.join(parts)}\nFROM {source} WHERE {condition};",
        _manifest(kept_as, source, key),
    )
    return Kept(statements, _columns_back(source, kept_as, key, columns, shape), source, kept_as)


def keep_table(table: Thing, shape: Shape, *, label: str) -> Kept:
    """Move the table with its rows; its constraints, indexes and triggers have been dropped before."""
    kept_as = f"{label}_{table.key[-1]}"[:63]
    source = name(*table.key[1:3])
    statements = [statement for column in shape.columns(table.key) for statement in _bare(source, column, shape)]
    statements += [
        f"ALTER TABLE {source} SET SCHEMA {name(SCHEMA)};",
        f"ALTER TABLE {name(SCHEMA, table.key[-1])} RENAME TO {name(kept_as)};",
        _manifest(kept_as, source, shape.primary_key(table.key)),
    ]
    columns = ", ".join(name(each.key[3]) for each in shape.columns(table.key) if not each.get("generated"))
    values = ", ".join(_back(each, shape) for each in shape.columns(table.key) if not each.get("generated"))
    override = " OVERRIDING SYSTEM VALUE" if any(each.get("identity") for each in shape.columns(table.key)) else ""
    reapply = (
        f"INSERT INTO {source} ({columns}){override}\n"
        f"SELECT {values} FROM {name(SCHEMA, kept_as)} AS kept\nON CONFLICT DO NOTHING;"
    )
    return Kept(tuple(statements), reapply, source, kept_as)


def keep_rows(table: Key, condition: str, key: Sequence[str], shape: Shape, *, label: str) -> Kept:
    """Copy the whole rows that fulfil the condition; after a re-deploy what they held by then wins."""
    kept_as = f"{label}_{table[-1]}_rows"[:63]
    source = name(*table[1:3])
    # Values of own types as text, because their types may have to go.
    values = ", ".join(_kept_value(each, shape) for each in shape.columns(table))
    statements = (
        f"CREATE TABLE {name(SCHEMA, kept_as)} AS\nSELECT {values}\nFROM {source} WHERE {condition};",
        _manifest(kept_as, source, key),
    )
    written = [
        each
        for each in shape.columns(table)
        if each.key[3] not in key and not each.get("generated") and not each.get("identity")
    ]
    # A row that has nothing but its key needs nothing back.
    back = _columns_back(source, kept_as, key, written, shape) if written else "SELECT 1;"
    return Kept(statements, back, source, kept_as)


def keep_rounded(table: Thing, now: Thing, wanted: Thing, shape: Shape, *, label: str) -> Kept:
    """Copy the values that going back to the old type rounds or cuts without a word."""
    key = shape.primary_key(table.key)
    column = now.key[3]
    kept_as = f"{label}_{table.key[-1]}_{column}_rounded"[:63]
    source, quoted = name(*table.key[1:3]), name(column)
    parts = [name(each) for each in key if each != column] or [
        f"to_jsonb({name(table.key[-1])}) AS {name('whole_row')}"
    ]
    changed = f"({quoted}::{wanted.get('type')})::{now.get('type')} IS DISTINCT FROM {quoted}"
    statements = (
        f"CREATE TABLE {name(SCHEMA, kept_as)} AS\nSELECT {', '.join([*parts, quoted])}\nFROM {source} WHERE {changed};",
        _manifest(kept_as, source, [each for each in key if each != column]),
    )
    keys = [] if column in key else key
    return Kept(statements, _columns_back(source, kept_as, keys, [now], shape), source, kept_as)


def _bare(source: str, column: Thing, shape: Shape) -> list[str]:
    """Take away what ties a column to objects that go: identity, default, expression, own types."""
    alter = f"ALTER TABLE {source} ALTER COLUMN {name(column.key[3])}"
    statements = []
    if column.get("identity"):
        statements.append(f"{alter} DROP IDENTITY;")
    if column.get("default"):
        statements.append(f"{alter} DROP DEFAULT;")
    statements += [ddl.drop(sequence) for sequence in shape.sequences_of(column.key)]
    if column.get("generated").endswith(" STORED"):
        statements.append(f"{alter} DROP EXPRESSION;")
    elif column.get("generated"):
        statements.append(f"ALTER TABLE {source} DROP COLUMN {name(column.key[3])};")
    elif _own_type(column, shape):
        statements.append(f"{alter} SET DATA TYPE {_text_of(column)};")
    return statements


def _kept_value(column: Thing, shape: Shape) -> str:
    quoted = name(column.key[3])
    return f"{quoted}::{_text_of(column)} AS {quoted}" if _own_type(column, shape) else quoted


def _written(column: Thing) -> str:
    default = column.get("default")
    if default and not CALLED.search(default):
        return f"{name(column.key[3])} IS DISTINCT FROM {default}"
    return f"{name(column.key[3])} IS NOT NULL"


def _own_type(column: Thing, shape: Shape) -> bool:
    """Tell whether the column's type was made in this database, so that it may have to go."""
    own = {"enum", "domain", "composite type"}
    return bool(column.get("of_extension")) or any(need[0] in own for need in column.needs)


def _text_of(column: Thing) -> str:
    return "text[]" if column.get("type").endswith("[]") else "text"


def _back(column: Thing, shape: Shape) -> str:
    quoted = f"kept.{name(column.key[3])}"
    return f"{quoted}::{column.get('type')}" if _own_type(column, shape) else quoted


def _columns_back(source: str, kept_as: str, key: Sequence[str], columns: Sequence[Thing], shape: Shape) -> str:
    if not key:
        return f"-- {source} has no primary key: the values are in {name(SCHEMA, kept_as)}, to be joined by hand."
    sets = ", ".join(f"{name(column.key[3])} = {_back(column, shape)}" for column in columns)
    match = " AND ".join(f"live.{name(each)} = kept.{name(each)}" for each in key)
    return f"UPDATE {source} AS live SET {sets}\nFROM {name(SCHEMA, kept_as)} AS kept WHERE {match};"


def _manifest(kept_as: str, source: str, key: Sequence[str]) -> str:
    columns = ", ".join(literal(column) for column in key)
    return (
        f'INSERT INTO {name(SCHEMA, MANIFEST)} ("kept_as", "source", "key_columns", "row_count", "expires_at")\n'
        f"SELECT {literal(kept_as)}, {literal(source)}, ARRAY[{columns}]::text[], count(*), "
        f"now() + interval '{KEPT_DAYS} days'\nFROM {name(SCHEMA, kept_as)};"
    )


def goes(key: Key) -> bool:
    """Tell whether an object belongs to the archive, which is never part of what is compared."""
    return key[1] == SCHEMA
