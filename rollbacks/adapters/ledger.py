"""Drizzle's ledger in a database: reading it, and doing what migrate() of drizzle-orm 0.45.4 and 1.0.0-rc.5 does to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from rollbacks.drizzle.journal import LINE_1, Folder, Layout, Migration, pieces
from rollbacks.drizzle.preflight import LEDGER_COLUMNS, Ledger, LedgerRow

Connection = psycopg.Connection[tuple[Any, ...]]

COLUMNS = """
    SELECT a.attname FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum
"""


NAMED = ", name text, applied_at timestamp with time zone DEFAULT now()"


class Unreplayable(Exception):
    """The migrations cannot be replayed; the sentence says which file is at fault and what to do next."""


def read_ledger(connection: Connection, layout: Layout) -> Ledger:
    """Return the ledger's columns and rows, oldest first; a missing table is told from an empty one.

    A table without Drizzle's columns comes back with its columns and no rows. Raises psycopg.Error.
    """
    table = _table(layout)
    columns = tuple(row[0] for row in connection.execute(COLUMNS, [table.as_string(connection)]).fetchall())
    if not columns:
        return Ledger(exists=False, columns=(), rows=())
    if not set(columns) >= LEDGER_COLUMNS:
        return Ledger(exists=True, columns=columns, rows=())
    named = {"name", "applied_at"} <= set(columns)
    more = ", name, applied_at" if named else ""
    rows = connection.execute(
        sql.SQL("SELECT id, hash, created_at{} FROM {} ORDER BY created_at, id").format(sql.SQL(more), table)
    ).fetchall()
    return Ledger(True, columns, tuple(_row(*row) for row in rows))


def apply_forward(connection: Connection, folder: Folder, layout: Layout, *, until: str | None) -> list[str]:
    """Apply what is pending up to and with the entry `until` (None: all) as migrate() would; return the tags.

    One transaction, pieces sent one by one as they stand, ledger rows inside it; what the connection had open
    is committed first. Raises KeyError for an unknown `until`, Unreplayable before anything runs, and
    psycopg.Error with everything rolled back (unless a migration holds a COMMIT of its own, as with Drizzle).
    """
    wanted = _up_to(folder, until)
    connection.commit()
    create_ledger(connection, layout, folder.line)
    pending = _pending(connection, folder, layout, wanted)
    with _transaction(connection):
        for migration in pending:
            _apply(connection, migration, folder, layout)
    return [each.tag for each in pending]


def apply_one(connection: Connection, migration: Migration, folder: Folder, layout: Layout) -> None:
    """Apply this one migration as migrate() would, whatever the ledger's newest row makes migrate() skip.

    A file whose `when` is not later than an earlier one's ran where all were pending at once, so a state of the
    chain has it in its place. Raises as apply_forward does.
    """
    _refuse_unsendable(migration)
    connection.commit()
    create_ledger(connection, layout, folder.line)
    connection.commit()
    with _transaction(connection):
        _apply(connection, migration, folder, layout)


def create_ledger(connection: Connection, layout: Layout, line: str) -> None:
    """Create the ledger's schema and table exactly as migrate() of that line does, if they are not there."""
    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(layout.ledger_schema)))
        connection.execute(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint{})"
            ).format(_table(layout), sql.SQL(NAMED if line == LINE_1 else ""))
        )


def insert_row(connection: Connection, migration: Migration, folder: Folder, layout: Layout) -> None:
    """Write the row of a migration that was just applied."""
    values = {"hash": migration.sha256, "created_at": migration.when}
    if folder.line == LINE_1:
        values["name"] = migration.tag
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            _table(layout),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        ),
        values,
    )


def forget_after(connection: Connection, folder: Folder, layout: Layout, kept: Sequence[Migration]) -> None:
    """Delete the rows of every migration that is not kept, so that migrate() would apply them again."""
    table = _table(layout)
    if folder.line == LINE_1:
        names = [each.tag for each in kept]
        connection.execute(sql.SQL("DELETE FROM {} WHERE name IS NULL OR name <> ALL(%s)").format(table), [names])
        return
    newest = max((each.when for each in kept), default=-1)
    connection.execute(sql.SQL("DELETE FROM {} WHERE created_at > %s").format(table), [newest])


def _up_to(folder: Folder, until: str | None) -> Sequence[Migration]:
    last = len(folder.migrations) if until is None else folder.migrations.index(folder.by_tag(until)) + 1
    wanted = folder.migrations[:last]
    for migration in wanted:
        _refuse_unsendable(migration)
    return wanted


def _refuse_unsendable(migration: Migration) -> None:
    if migration.sql is None:
        raise Unreplayable(f"{migration.tag}.sql is missing, so the migrations cannot be replayed; restore the file.")
    if "\0" in migration.sql:
        # libpq would stop at the NUL and send half of the piece without a word.
        raise Unreplayable(f"{migration.tag}.sql holds a NUL character, so it cannot be sent; restore the file.")


def _row(identifier: int, text: str, created_at: int | None, name: Any = None, applied_at: Any = None) -> LedgerRow:
    return LedgerRow(identifier, text, created_at, name, None if applied_at is None else applied_at.isoformat())


def _pending(
    connection: Connection, folder: Folder, layout: Layout, wanted: Sequence[Migration]
) -> Sequence[Migration]:  # fmt: skip
    """Return what migrate() would run: in 1.0 every name that the ledger lacks, before that what is newer than it."""
    if folder.line == LINE_1:
        rows = connection.execute(sql.SQL("SELECT name FROM {}").format(_table(layout))).fetchall()
        connection.commit()
        known = {row[0] for row in rows}
        return [each for each in wanted if each.tag not in known]
    newest = _newest(connection, layout)
    return [each for each in wanted if newest is None or newest < each.when]


def _newest(connection: Connection, layout: Layout) -> int | None:
    """Return the created_at that migrate() compares with: NULL sorts first and counts as 0; None: no rows."""
    row = connection.execute(
        sql.SQL("SELECT created_at FROM {} ORDER BY created_at DESC LIMIT 1").format(_table(layout))
    ).fetchone()
    connection.commit()
    return None if row is None else int(row[0] or 0)


def _apply(connection: Connection, migration: Migration, folder: Folder, layout: Layout) -> None:
    for piece in pieces(migration.sql or ""):
        # By the simple protocol as node-postgres does, so a piece may hold several statements, or none.
        connection.execute(piece.encode(connection.info.encoding), prepare=False)
    insert_row(connection, migration, folder, layout)


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """Open the transaction by hand, so that a COMMIT inside a migration ends it and nothing opens it again.

    Migrations use that to get out of it for CREATE INDEX CONCURRENTLY; psycopg would begin anew.
    """
    autocommit = connection.autocommit
    connection.autocommit = True
    try:
        connection.execute("BEGIN")
        yield
        if connection.info.transaction_status == TransactionStatus.INTRANS:
            connection.execute("COMMIT")
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    finally:
        if not connection.closed:
            connection.autocommit = autocommit


def _table(layout: Layout) -> sql.Identifier:
    return sql.Identifier(layout.ledger_schema, layout.ledger_table)
