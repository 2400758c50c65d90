"""Row counts that belong to one moment: taken in an exported snapshot that pg_dump reads as well."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[Any, ...]]

TABLES = """
    SELECT n.nspname, c.relname
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
     ORDER BY 1, 2
"""


@contextmanager
def exported_snapshot(connection: Connection) -> Iterator[str]:
    """Hold a REPEATABLE READ transaction open and yield the name by which others can read the same state."""
    connection.rollback()
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    row = connection.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
    try:
        yield str(row[0]) if row else ""
    finally:
        connection.rollback()


def row_counts(connection: Connection, *, ignore_schemas: Collection[str]) -> dict[str, int]:
    """Return the exact number of rows of every ordinary table, by `schema.table`.

    row_security is switched off, so that a role under policies fails instead of counting a part.
    """
    connection.execute("SET LOCAL row_security = off")
    counts: dict[str, int] = {}
    for schema, table in connection.execute(TABLES).fetchall():
        if schema in ignore_schemas:
            continue
        row = connection.execute(
            sql.SQL("SELECT pg_catalog.count(*) FROM ONLY {}").format(sql.Identifier(schema, table))
        ).fetchone()
        counts[f"{schema}.{table}"] = int(row[0]) if row else 0
    return counts
