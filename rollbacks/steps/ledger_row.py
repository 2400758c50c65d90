"""The rollback's own row in Drizzle's ledger: writing it inside the apply transaction, and finding it afterwards."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from rollbacks.adapters.ledger import read_ledger
from rollbacks.ports import Evidence, StepContext, StepFailed
from rollbacks.steps.observation import head_of
from rollbacks.steps.statements import Connection


def lock_ledger(connection: Connection, ctx: StepContext) -> None:
    """Lock the ledger against migrate(); raises StepFailed when it moved since the plan was signed.

    ACCESS EXCLUSIVE, because a concurrent migrate() that read the old last row would otherwise run on top of ours
    (seen with drizzle-orm 0.45).
    """
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(_table(ctx)))
    refuse_moved(connection, ctx)


def refuse_moved(connection: Connection, ctx: StepContext) -> None:
    """Raise StepFailed when the ledger is not as it was signed, before anything was changed."""
    if head_of(read_ledger(connection, ctx.target.layout)) != ctx.plan.ledger_head:
        raise StepFailed(
            "The ledger moved since the plan was signed: another migration was applied. "
            "Nothing was changed; edit the request and have it signed again."
        )


def insert_row(connection: Connection, ctx: StepContext) -> Evidence:
    """Write the row that makes Drizzle take the rollback for applied, and tells a later attempt that it was."""
    staged = ctx.evidence["stage"]
    # Drizzle 1.0 goes by the name: a row without it would make migrate() run the rollback once more (seen).
    named = {"name": staged["ledger_name"]} if staged.get("ledger_name") else {}
    values = {"hash": ctx.plan.file.sha256, "created_at": staged["when"], **named}
    row = connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id, hash, created_at").format(
            _table(ctx),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        ),
        values,
    ).fetchone()
    if row is None:
        raise StepFailed("The ledger did not take the rollback's row, so everything was rolled back.")
    return _document(row)


def find_row(connection: Connection, ctx: StepContext) -> Evidence | None:
    """Return the row when an attempt of this execution committed it."""
    row = connection.execute(
        sql.SQL("SELECT id, hash, created_at FROM {} WHERE hash = %s AND created_at = %s").format(_table(ctx)),
        [ctx.plan.file.sha256, ctx.evidence["stage"]["when"]],
    ).fetchone()
    return None if row is None else _document(row)


def _table(ctx: StepContext) -> sql.Identifier:
    return sql.Identifier(ctx.target.layout.ledger_schema, ctx.target.layout.ledger_table)


def _document(row: tuple[Any, ...]) -> Evidence:
    return {"id": row[0], "hash": row[1], "created_at": row[2]}
