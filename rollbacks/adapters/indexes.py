"""How an index stands in the catalog: absent, invalid or valid; and what an interrupted REINDEX left beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from rollbacks.reversal.lane import CREATE, Form

Connection = psycopg.Connection[tuple[Any, ...]]

ABSENT, INVALID, VALID = "absent", "invalid", "valid"
FOUND = """
    SELECT i.oid::bigint, x.indisvalid AND x.indisready AND x.indislive, n.nspname::text, i.relname::text, x.indrelid::bigint
      FROM pg_catalog.pg_index x
      JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
"""
# The name may be taken by an index of another table; that is another index, and the server refuses the second one.
ON_TABLE = f"{FOUND} WHERE x.indrelid = pg_catalog.to_regclass(%s) AND i.relname = %s"
BY_NAME = f"{FOUND} WHERE x.indexrelid = pg_catalog.to_regclass(%s)"
# REINDEX CONCURRENTLY builds NAME_ccnew, swaps the names and drops what is NAME_ccold by then.
LEFT_BY_REINDEX = (
    f"{FOUND} WHERE x.indrelid = %s AND NOT x.indisvalid AND i.relname ~ '_cc(new|old)[0-9]*$' ORDER BY i.relname"
)


@dataclass(frozen=True)
class Index:
    """What a probe saw: `state` is absent, invalid or valid; the rest says nothing where it is absent."""

    state: str
    oid: int = 0
    name: tuple[str, ...] = ()
    table: int = 0


def probe(connection: Connection, form: Form) -> Index:
    """Look for the index that the statement is about, by the rules of the server's own search path."""
    if form.action == CREATE:
        row = connection.execute(ON_TABLE, [_written(form.table), form.name[-1]]).fetchone()
    else:
        row = connection.execute(BY_NAME, [_written(form.name)]).fetchone()
    return Index(ABSENT) if row is None else _index(row)


def left_by_reindex(connection: Connection, table: int) -> list[Index]:
    """Return the unfinished indexes of the table (its oid) that REINDEX CONCURRENTLY makes for the time of its work."""
    return [_index(row) for row in connection.execute(LEFT_BY_REINDEX, [table]).fetchall()]


def drop_unfinished(connection: Connection, index: Index) -> None:
    """Drop an index CONCURRENTLY; the connection has to be in autocommit."""
    connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(*index.name)), binary=True)


def _index(row: tuple[Any, ...]) -> Index:
    oid, whole, schema, name, table = row
    return Index(VALID if whole else INVALID, oid, (schema, name), table)


def _written(name: tuple[str, ...]) -> str:
    return sql.Identifier(*name).as_string(None)
