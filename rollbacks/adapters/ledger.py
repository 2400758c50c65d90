"""Drizzle's ledger in a database: reading it, and doing what drizzle-orm 0.45's migrate() does to it."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from rollbacks.drizzle.journal import Folder, Layout, pieces
from rollbacks.drizzle.preflight import Ledger, LedgerRow

Connection = psycopg.Connection[tuple[Any, ...]]

COLUMNS = """
    SELECT a.attname FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum
"""


class MissingFile(Exception):
    """A migration of the journal has no file, so the migrations cannot be replayed; restore the file."""


def read_ledger(connection: Connection, layout: Layout) -> Ledger:
    """Return the ledger's columns and rows, oldest first; a missing table is told from an empty one."""
    table = sql.Identifier(layout.ledger_schema, layout.ledger_table)
    columns = tuple(row[0] for row in connection.execute(COLUMNS, [table.as_string(connection)]).fetchall())
    if not columns:
        return Ledger(exists=False, columns=(), rows=())
    if not {"id", "hash", "created_at"} <= set(columns):
        return Ledger(exists=True, columns=columns, rows=())
    rows = connection.execute(
        sql.SQL("SELECT id, hash, created_at FROM {} ORDER BY created_at, id").format(table)
    ).fetchall()
    return Ledger(True, columns, tuple(LedgerRow(number, text, created_at) for number, text, created_at in rows))


def apply_forward(connection: Connection, folder: Folder, layout: Layout, *, until: str | None) -> list[str]:
    """Apply what is pending up to and with the entry `until` (None: all) as migrate() would; return the tags.

    One transaction, pieces sent one by one as they stand, ledger rows inside it. Raises MissingFile, and
    psycopg.Error with everything rolled back.
    """
    create_ledger(connection, layout)
    table = sql.Identifier(layout.ledger_schema, layout.ledger_table)
    applied = []
    with connection.transaction():
        row = connection.execute(
            sql.SQL("SELECT created_at FROM {} ORDER BY created_at DESC LIMIT 1").format(table)
        ).fetchone()
        for migration in folder.migrations:
            if row is None or int(row[0] or 0) < migration.when:
                if migration.sql is None:
                    raise MissingFile(f"{migration.tag}.sql is missing, so the migrations cannot be replayed.")
                for piece in pieces(migration.sql):
                    _send(connection, piece)
                connection.execute(
                    sql.SQL("INSERT INTO {} (hash, created_at) VALUES (%s, %s)").format(table),
                    [migration.sha256, migration.when],
                )
                applied.append(migration.tag)
            if migration.tag == until:
                break
    return applied


def create_ledger(connection: Connection, layout: Layout) -> None:
    """Create the ledger's schema and table exactly as migrate() does, if they are not there."""
    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(layout.ledger_schema)))
        connection.execute(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)"
            ).format(sql.Identifier(layout.ledger_schema, layout.ledger_table))
        )


def _send(connection: Connection, piece: str) -> None:
    """Send a piece by the simple protocol as node-postgres does: it may hold several statements, or none."""
    connection.execute(piece.encode())
