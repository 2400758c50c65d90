"""Apply: one transaction on the target, verified before it commits, and the COMMIT a message of its own.

Source: Drizzle's ledger needs ACCESS EXCLUSIVE, because a concurrent migrate() that read the old last row
would otherwise run on top of ours (seen with drizzle-orm 0.45).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from rollbacks.adapters import target as targets
from rollbacks.adapters.ledger import read_ledger
from rollbacks.ports import Evidence, StepContext, StepFailed, StepInterrupted, StepUncertain
from rollbacks.reversal.catalog import ACCESS_KINDS, read_facts
from rollbacks.steps.backup import verified_backup
from rollbacks.steps.expectation import load_expected
from rollbacks.steps.observation import connect_directly, head_of, lock_target
from rollbacks.steps.statements import (
    Connection,
    StatementFailed,
    act_as,
    limit,
    run_statements,
    transaction_id,
)

# How long a new attempt waits for the old attempt's transaction to end before it calls a person.
LOCK_WAIT_SECONDS = 20


def observe(ctx: StepContext) -> Evidence | None:
    """Look for this rollback's ledger row on the primary, once no earlier attempt can still be at work.

    Raises StepUncertain while another session holds the target's lock: its COMMIT may still arrive.
    """
    with _connection(ctx) as connection:
        if not lock_target(connection, ctx.plan, LOCK_WAIT_SECONDS):
            raise StepUncertain(
                "An earlier attempt still holds its lock on the target, so whether it commits cannot be told yet. "
                "Wait until that session has ended, then let the portal look again."
            )
        row = _ledger_row(connection, ctx)
        connection.rollback()
    return None if row is None else {"ledger_row": row, "known_by": "ledger"}


def perform(ctx: StepContext) -> Evidence:
    """Run the plan in one transaction; raise StepFailed when it was rolled back and nothing has changed."""
    expected = load_expected(ctx)
    # Hours may lie between the rehearsal and this moment; without its backup the rollback must not begin.
    verified_backup(ctx)
    with _connection(ctx) as connection:
        if not lock_target(connection, ctx.plan, LOCK_WAIT_SECONDS):
            raise StepFailed("Another session works on this target under the portal's lock; start again when it ended.")
        evidence = _inside(connection, ctx, expected)
        # From here on only the answer to COMMIT can be lost, and the ledger row then tells what happened.
        _beat(ctx, {"commit": True})
        connection.commit()
        return {**evidence, "known_by": "acknowledged"}


def _inside(connection: Connection, ctx: StepContext, expected: Any) -> Evidence:
    settings = limit(connection, ctx.plan.limits)
    act_as(connection, ctx.target.owner_role)
    _lock_ledger(connection, ctx)
    ignored = {ctx.target.layout.ledger_schema}
    before = read_facts(connection, ignore_schemas=ignored)
    xid = transaction_id(connection)
    started = _server_time(connection)
    statements = run_statements(connection, ctx.plan.file.text, heartbeat=partial(_beat, ctx))
    row = _insert_ledger_row(connection, ctx)
    after = read_facts(connection, ignore_schemas=ignored)
    expected.refuse_difference(before, after)
    return {
        "xid": xid,
        "backend_pid": connection.info.backend_pid,
        "started_at_server": started,
        "settings": settings,
        "statements": statements,
        "ledger_row": row,
        "facts_before": before.digest,
        "facts_after": after.without(ACCESS_KINDS).digest,
    }


def _beat(ctx: StepContext, progress: Evidence) -> None:
    """Renew the lease; raise StepFailed, which rolls everything back, when somebody wants the execution stopped."""
    ctx.heartbeat(progress)
    stop = ctx.cancelled()
    if stop:
        raise StepFailed(stop)


@contextmanager
def _connection(ctx: StepContext) -> Iterator[Connection]:
    """Connect, and turn what the outside world answers into what the engine must do next."""
    try:
        with connect_directly(ctx.target, ctx.environ) as connection:
            targets.refuse_standby(connection)
            try:
                yield connection
            except StatementFailed as failure:
                raise StepFailed(f"{failure} Everything was rolled back; the target is as it was.") from failure
            except psycopg.Error as error:
                if connection.closed or connection.broken:
                    raise StepInterrupted(
                        "The connection to the target broke off; the next attempt looks whether the rollback is there."
                    ) from error
                raise StepFailed(
                    f"{targets.one_sentence(error)} Everything was rolled back; the target is as it was."
                ) from error
    except targets.Unreachable as error:
        raise StepInterrupted(str(error)) from error
    except targets.REFUSALS as error:
        raise StepFailed(str(error)) from error


def _lock_ledger(connection: Connection, ctx: StepContext) -> None:
    layout = ctx.target.layout
    connection.execute(
        sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(
            sql.Identifier(layout.ledger_schema, layout.ledger_table)
        )
    )
    if head_of(read_ledger(connection, layout)) != ctx.plan.ledger_head:
        raise StepFailed(
            "The ledger moved since the plan was signed: another migration was applied. "
            "Nothing was changed; edit the request and have it signed again."
        )


def _insert_ledger_row(connection: Connection, ctx: StepContext) -> Evidence:
    layout, staged = ctx.target.layout, ctx.evidence["stage"]
    table = sql.Identifier(layout.ledger_schema, layout.ledger_table)
    # Drizzle 1.0 goes by the name: a row without it would make migrate() run the rollback once more (seen).
    named = {"name": staged["ledger_name"]} if staged.get("ledger_name") else {}
    values = {"hash": ctx.plan.file.sha256, "created_at": staged["when"], **named}
    row = connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id, hash, created_at").format(
            table, sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(map(sql.Placeholder, values))
        ),
        values,
    ).fetchone()
    return _row(row)


def _ledger_row(connection: Connection, ctx: StepContext) -> Evidence | None:
    layout, staged = ctx.target.layout, ctx.evidence["stage"]
    row = connection.execute(
        sql.SQL("SELECT id, hash, created_at FROM {} WHERE hash = %s AND created_at = %s").format(
            sql.Identifier(layout.ledger_schema, layout.ledger_table)
        ),
        [ctx.plan.file.sha256, staged["when"]],
    ).fetchone()
    return None if row is None else _row(row)


def _row(row: tuple[Any, ...] | None) -> Evidence:
    if row is None:
        raise StepFailed("The ledger did not take the rollback's row, so everything was rolled back.")
    return {"id": row[0], "hash": row[1], "created_at": row[2]}


def _server_time(connection: Connection) -> str:
    row = connection.execute("SELECT pg_catalog.clock_timestamp()::text").fetchone()
    return str(row[0]) if row else ""
