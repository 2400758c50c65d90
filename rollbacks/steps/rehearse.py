"""Rehearse: run the plan on the restored copy and compare the result with a replay of the migrations."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import psycopg

from rollbacks.adapters import target as targets
from rollbacks.adapters.ledger import Unreplayable
from rollbacks.adapters.pg_tools import NoTools, RestoreFailed
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.adapters.store import StoreRefused
from rollbacks.ports import Evidence, StepContext, StepFailed, StepInterrupted
from rollbacks.reversal.catalog import ACCESS_KINDS, Facts, read_facts
from rollbacks.reversal.immutability import removed
from rollbacks.reversal.lane import AFTER, BEFORE
from rollbacks.steps import lane
from rollbacks.steps.backup import restore_backup, scratch_name
from rollbacks.steps.expectation import differences_from, keep_expected, want
from rollbacks.steps.observation import read_migrations
from rollbacks.steps.proving import states_of
from rollbacks.steps.statements import StatementFailed, limit, run_statements, strong_locks


def observe(ctx: StepContext) -> Evidence | None:
    """Return None: the rehearsal leaves no trace but its evidence, so it is simply done again."""
    return None


def perform(ctx: StepContext) -> Evidence:
    """Return what the rehearsal showed; raises StepFailed when the reverse SQL fails or leads elsewhere.

    A scratch server that goes away says nothing about the SQL, so it is tried again: StepInterrupted.
    """
    try:
        replayed = _replay(ctx)
        rehearsed = _rehearse(ctx, replayed)
    except targets.Unreachable as error:
        raise StepInterrupted(f"Rehearsal: {error} Nothing was changed on the target.") from error
    except (NoTools, RestoreFailed, StatementFailed, ScratchRefused, StoreRefused, Unreplayable) as error:
        if broke_off(error.__cause__):
            raise StepInterrupted(f"Rehearsal: {error} Nothing was changed on the target.") from error
        raise StepFailed(f"Rehearsal: {error} Nothing was changed on the target.") from error
    except psycopg.Error as error:
        if broke_off(error):
            raise StepInterrupted(f"Rehearsal: {one_sentence(error)} Nothing was changed on the target.") from error
        raise StepFailed(f"Rehearsal: {one_sentence(error)} Nothing was changed on the target.") from error
    clean(ctx)
    return rehearsed


def clean(ctx: StepContext) -> None:
    """Drop the restored copy of this execution."""
    scratch = Scratch.of(ctx.environ)
    scratch.drop(scratch_name(ctx))


def broke_off(error: BaseException | None) -> bool:
    """Tell whether the server went away, as opposed to refusing something: no SQLSTATE, class 08, or it was shut down."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    state = error.sqlstate or ""
    return state[:2] in {"", "08"} or state[:4] == "57P0"


def _replay(ctx: StepContext) -> tuple[Facts, Facts]:
    """Build the return point and the newest state from the migrations; return the facts of both."""
    _commit, folder = read_migrations(ctx.target, ref=ctx.evidence["preflight"]["base_commit"])
    return_point, newest = states_of(
        Scratch.of(ctx.environ), folder, ctx.target.layout, ctx.plan.return_to,
        told=lambda number, of: ctx.heartbeat({"replaying": number, "of": of}),
    )  # fmt: skip
    _refuse_other_states(ctx, return_point, newest)
    return return_point.without(ACCESS_KINDS), newest.without(ACCESS_KINDS)


def _refuse_other_states(ctx: StepContext, return_point: Facts, newest: Facts) -> None:
    """What was signed rests on a proof between two states; on other ones it proves nothing."""
    proven = (ctx.plan.proof["return_point_facts"], ctx.plan.proof["newest_facts"])
    if proven != (return_point.digest, newest.digest):
        raise StepFailed(
            "The migrations replay to another catalog than the one that the signed proof rests on: the scratch server "
            "or its extensions changed. Nothing was changed on the target; edit the request, have it proven and signed again."
        )


def _rehearse(ctx: StepContext, replayed: tuple[Facts, Facts]) -> Evidence:
    scratch, name = Scratch.of(ctx.environ), scratch_name(ctx)
    # An attempt that was killed may have committed what runs outside the transaction to its copy.
    if name not in scratch.names(name) or (ctx.plan.lane and ctx.attempt > 1):
        restore_backup(ctx, name)
    return_point, newest = replayed
    with scratch.connect(name) as connection:
        live = _facts(connection, ctx)
        outside = _outside(connection, ctx, BEFORE)
        limit(connection, ctx.plan.limits)
        started = time.monotonic()
        statements = run_statements(connection, ctx.plan.transaction_text, heartbeat=ctx.heartbeat)
        elapsed = round((time.monotonic() - started) * 1000)
        locks = strong_locks(connection)
        committed = after = _facts(connection, ctx)
        if ctx.plan.lane.get(AFTER):
            connection.commit()
            outside += _outside(connection, ctx, AFTER)
            after = _facts(connection, ctx)
        # Rolled back, so that a second rehearsal of this execution starts from the same copy.
        connection.rollback()
    expected = want(live=live, newest=newest, return_point=return_point)
    differences = differences_from(expected, after, live=live, made=newest, return_point=return_point)
    if not differences.equal:
        raise StepFailed(
            f"The reverse SQL does not lead back to {ctx.plan.return_to or 'the empty database'}: "
            f"{' '.join(differences.sentences()[:20])} Nothing was changed on the target; correct the SQL and "
            "have it signed again."
        )
    return {
        "statements": statements,
        "milliseconds": elapsed,
        "locks": locks,
        "equal": True,
        "facts": len(after.entries),
        "facts_digest": after.digest,
        "column_order_differs": [str(each) for each in differences.reordered],
        # What the record says of it, and what the follow-up asks to be put back.
        "immutability_removed": [each.document() for each in removed(live, after, ctx.target.audit_tables)],
        "drift": [" ".join(entry) for entry in sorted(live.entries - newest.entries)][:50],
        # What was seen here is what the apply step has to see, to the last word.
        "expected": keep_expected(ctx, committed, at_end=after if ctx.plan.lane.get(AFTER) else None),
        **({"outside": outside} if outside else {}),
    }


def _outside(connection: psycopg.Connection[tuple[Any, ...]], ctx: StepContext, side: str) -> list[Evidence]:
    """Run one side of the lane on the copy as it would run on the target; raises StatementFailed where it stops."""
    points: dict[int, Evidence] = {}
    here = replace(
        ctx, resume_points=points.copy, cancelled=str,
        keep_point=lambda number, state, evidence: points.update({number: {**evidence, "state": state}}),
    )  # fmt: skip
    connection.rollback()
    connection.autocommit = True
    try:
        limit(connection, ctx.plan.limits, session=True)
        return [lane.run_line(connection, here, line) for line in lane.lines_of(ctx, side)]
    except (lane.Stopped, lane.Unclear) as stop:
        raise StatementFailed(f"Outside the transaction: {stop}") from stop
    finally:
        connection.autocommit = False


def _facts(connection: psycopg.Connection[tuple[Any, ...]], ctx: StepContext) -> Facts:
    return read_facts(connection, ignore_schemas={ctx.target.layout.ledger_schema}).without(ACCESS_KINDS)
