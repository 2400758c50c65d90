"""Apply: one transaction on the target, verified before it commits, and the COMMIT a message of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from rollbacks.adapters import target as targets
from rollbacks.adapters.server_errors import CONFLICTS, one_sentence
from rollbacks.ports import Evidence, StepContext, StepFailed, StepInterrupted
from rollbacks.reversal.catalog import ACCESS_KINDS, read_facts
from rollbacks.steps import earlier
from rollbacks.steps.backup import verified_backup
from rollbacks.steps.expectation import load_expected
from rollbacks.steps.ledger_row import insert_row, lock_ledger
from rollbacks.steps.observation import connect_directly
from rollbacks.steps.statements import (
    Connection,
    StatementFailed,
    act_as,
    limit,
    run_statements,
    transaction_id,
)
from rollbacks.steps.watch import Watch, watching

# How often the whole transaction is tried when others are in its way, and the pause after the first time in seconds.
TRIES = 5
FIRST_PAUSE = 1.0
JITTER = random.SystemRandom()


def observe(ctx: StepContext) -> Evidence | None:
    """Look for this rollback's ledger row on the primary, once no earlier attempt can still be at work."""
    return earlier.look(ctx)


def perform(ctx: StepContext) -> Evidence:
    """Run the plan in one transaction; raise StepFailed when it was rolled back and nothing has changed."""
    expected = load_expected(ctx)
    # Hours may lie between the rehearsal and this moment; without its backup the rollback must not begin.
    verified_backup(ctx)
    with _connection(ctx) as (connection, watch):
        evidence = _tried(connection, watch, ctx, expected)
        timeline = targets.timeline(connection)
        earlier.keep_commit(ctx, timeline)
        # From here on only the answer to COMMIT can be lost, and the ledger row then tells what happened.
        _beat(ctx, {"commit": True})
        connection.commit()
        return {**evidence, "known_by": "acknowledged", "timeline": timeline}


def _tried(connection: Connection, watch: Watch, ctx: StepContext, expected: Any) -> Evidence:
    """Try the whole transaction until no lock, deadlock or concurrent change is in its way (acceptance F32, F33)."""
    met: list[str] = []
    while True:
        try:
            earlier.require_alone(connection, ctx)
            targets.refuse_other_database(connection, ctx.plan.target)
            return {**_inside(connection, watch, ctx, expected), "tries": len(met) + 1, "conflicts": met}
        except CONFLICTS as error:
            met.append(_conflict(watch, error))
            connection.rollback()
            if len(met) == TRIES:
                raise StepFailed(
                    f"{met[-1]} That was try {TRIES} of {TRIES}. Everything was rolled back; the target is as it was. "
                    "End what is in the way or choose a quieter moment, then start again."
                ) from error
        _pause(ctx, met)


def _conflict(watch: Watch, error: psycopg.Error) -> str:
    others = ", ".join(str(each) for each in watch.waited_for)
    return f"{watch.where}: {one_sentence(error)}" + (f" It waited for {others}." if others else "")


def _pause(ctx: StepContext, met: list[str]) -> None:
    """Wait before the next try, each time about twice as long, so that two that collide do not do so again."""
    until = time.monotonic() + FIRST_PAUSE * 2 ** (len(met) - 1) * JITTER.uniform(0.5, 1.5)
    while time.monotonic() < until:
        _beat(ctx, {"try": len(met) + 1, "of_tries": TRIES, "conflict": met[-1]})
        time.sleep(max(0.0, min(1.0, until - time.monotonic())))


def _inside(connection: Connection, watch: Watch, ctx: StepContext, expected: Any) -> Evidence:
    settings = limit(connection, ctx.plan.limits)
    act_as(connection, ctx.target.owner_role)
    watch.mark({"locking": True})
    watch.run(lambda: lock_ledger(connection, ctx))
    ignored = {ctx.target.layout.ledger_schema}
    before = read_facts(connection, ignore_schemas=ignored)
    xid = transaction_id(connection)
    started = _server_time(connection)
    statements = run_statements(connection, ctx.plan.transaction_text, heartbeat=watch.mark, within=watch.run)
    watch.mark({"checking": True})
    row = insert_row(connection, ctx)
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
def _connection(ctx: StepContext) -> Iterator[tuple[Connection, Watch]]:
    """Connect twice, to work and to watch, and turn what the outside world answers into what the engine must do next.

    Nobody comes here before it is certain that no earlier attempt applied anything (earlier.look).
    """
    try:
        credentials = targets.credentials_of(ctx.target.name, ctx.environ)
        with (
            connect_directly(ctx.target, ctx.environ, application_name=earlier.session_name(ctx)) as connection,
            watching(credentials, connection, ctx.plan.limits, lambda progress: _beat(ctx, progress)) as watch,
        ):
            targets.refuse_standby(connection)
            try:
                yield connection, watch
            except StatementFailed as failure:
                raise StepFailed(f"{failure} Everything was rolled back; the target is as it was.") from failure
            except psycopg.Error as error:
                if connection.closed or connection.broken:
                    raise StepInterrupted(
                        "The connection to the target broke off; the next attempt looks whether the rollback is there."
                    ) from error
                raise StepFailed(
                    f"{watch.where}: {one_sentence(error)} Everything was rolled back; the target is as it was."
                ) from error
    except targets.Rejected as error:
        raise StepFailed(f"{error} Nothing was changed on the target.") from error
    except targets.Unreachable as error:
        raise StepInterrupted(str(error)) from error
    except targets.REFUSALS as error:
        raise StepFailed(str(error)) from error


def _server_time(connection: Connection) -> str:
    row = connection.execute("SELECT pg_catalog.clock_timestamp()::text").fetchone()
    return str(row[0]) if row else ""
