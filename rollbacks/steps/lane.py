"""The lane: statements outside the transaction, one by one, each looked for before it is sent and after.

Before each statement the catalog is probed (index absent, invalid or valid) and a resume point is kept, so a killed
worker's successor repeats nothing that is done. Nothing here is atomic, and no sentence says so. Source: acceptance F46.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from psycopg import pq, sql

from rollbacks.adapters import indexes
from rollbacks.adapters import target as targets
from rollbacks.adapters.indexes import ABSENT, INVALID, VALID, Index
from rollbacks.adapters.ledger import read_ledger
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.ports import Evidence, StepContext, StepFailed, StepInterrupted, StepUncertain
from rollbacks.reversal import parse
from rollbacks.reversal.lane import AFTER, BEFORE, CREATE, NOT_ATOMIC, REINDEX, Form, form_of
from rollbacks.steps.observation import connect_directly, head_of
from rollbacks.steps.statements import Connection, limit

# How long a new attempt waits for the session of a killed one, which the server ends by itself within seconds.
LOCK_WAIT_SECONDS = 20
# How often a statement is tried whose lock was not granted, and the longest pause between two tries in seconds.
TRIES, PAUSE_SECONDS = 3, 2.0


class Stopped(Exception):
    """The lane stopped before or at a statement; the sentence says why, the resume points what is done."""


class Unclear(Exception):
    """The catalog is not as a resume point says; a person has to look."""


@dataclass(frozen=True)
class Line:
    """One statement of the lane: its number through both sides, its text and what it does."""

    number: int
    text: str
    form: Form


def perform(ctx: StepContext, side: str) -> Evidence:
    """Run one side of the lane and return what was seen at each statement.

    Raises StepFailed (before the transaction) or StepUncertain (after it) where it stopped, StepInterrupted when the
    line to the target broke or another session holds the target's lock.
    """
    ended = StepFailed if side == BEFORE else StepUncertain
    try:
        with session(ctx, ended) as (connection, settings):
            if side == BEFORE:
                _refuse_moved_ledger(connection, ctx)
            done = [run_line(connection, ctx, line) for line in lines_of(ctx, side)]
    except Stopped as stop:
        raise ended(str(stop)) from stop
    except Unclear as doubt:
        raise StepUncertain(str(doubt)) from doubt
    return {"not_atomic": NOT_ATOMIC, "statements": done, "settings": settings}


def lines_of(ctx: StepContext, side: str) -> list[Line]:
    """Return the statements of one side as they were signed."""
    before, after = (list(ctx.plan.lane.get(each, ())) for each in (BEFORE, AFTER))
    texts, first = (before, 1) if side == BEFORE else (after, len(before) + 1)
    return [Line(number, text, form_of(parse.read(text)[0])) for number, text in enumerate(texts, first)]


@contextmanager
def session(ctx: StepContext, ended: type[StepFailed] | type[StepUncertain]) -> Iterator[tuple[Connection, Evidence]]:
    """Connect under the target's lock, as the owner, with the signed limits.

    The lock is the session's: a transaction of ours that stays open would be waited for by CONCURRENTLY for ever.
    """
    try:
        with connect_directly(ctx.target, ctx.environ, autocommit=True) as connection:
            targets.refuse_standby(connection)
            targets.refuse_other_database(connection, ctx.plan.target)
            if not _locked(connection, ctx):
                raise StepInterrupted(
                    "Another session still works on the target under the portal's lock; the next attempt looks again."
                )
            if ctx.target.owner_role:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ctx.target.owner_role)))
            try:
                yield connection, limit(connection, ctx.plan.limits, session=True)
            except psycopg.Error as error:
                if connection.closed or connection.broken:
                    raise StepInterrupted(
                        "The connection to the target broke off; the next attempt looks what of the statements is there."
                    ) from error
                raise ended(one_sentence(error)) from error
    except targets.Unreachable as error:
        raise StepInterrupted(str(error)) from error
    except targets.REFUSALS as error:
        raise ended(str(error)) from error


def run_line(connection: Connection, ctx: StepContext, line: Line) -> Evidence:
    """See to it that the statement's effect is there; returns what was seen. Raises Stopped, Unclear or psycopg.Error."""
    ctx.heartbeat({"outside": line.number, "of": sum(map(len, ctx.plan.lane.values()))})
    point = ctx.resume_points().get(line.number)
    found = indexes.probe(connection, line.form)
    if _is_there(line.form, found, point):
        _sweep(connection, line.form, found, point)
        shown = {**_shown(line, found), "ran": False}
        if point is None or point["state"] != "done":
            ctx.keep_point(line.number, "done", {**_kept(point), **shown})
        return shown
    _refuse_strange(line, found, point)
    stop = ctx.cancelled()
    if stop:
        raise Stopped(stop)
    begun = _begin(connection, ctx, line, found, point)
    started = time.monotonic()
    tries = _send(connection, ctx, line, begun)
    seen = indexes.probe(connection, line.form)
    if not _is_there(line.form, seen, begun):
        raise Stopped(f"Statement {line.number} ended without its effect: the index is {seen.state}. {_looked(line)}")
    shown = {
        **_shown(line, found), "after": seen.state, "ran": True, "tries": tries,
        "milliseconds": round((time.monotonic() - started) * 1000),
    }  # fmt: skip
    ctx.keep_point(line.number, "done", {**_kept(begun), **shown})
    return shown


def _is_there(form: Form, found: Index, point: Evidence | None) -> bool:
    if form.action == REINDEX:
        # The index that took the name over is another one, by its oid.
        return point is not None and "oid" in point and found.state == VALID and found.oid != point["oid"]
    return found.state == (VALID if form.action == CREATE else ABSENT)


def _refuse_strange(line: Line, found: Index, point: Evidence | None) -> None:
    """What nobody of this plan left behind is not ours to remove, and what we did is not done twice unasked."""
    if point is not None and point["state"] == "done":
        raise Unclear(
            f"Statement {line.number} was done, but the index is {found.state} now: somebody changed it since. {_looked(line)}"
        )
    if line.form.action == CREATE and found.state == INVALID and point is None:
        raise Stopped(
            f"Statement {line.number}: there is an INVALID index of that name that this plan did not leave behind. "
            "Drop it by hand (DROP INDEX CONCURRENTLY), then go on."
        )
    if line.form.action == REINDEX and found.state == ABSENT:
        raise Stopped(f"Statement {line.number}: there is no index of that name. {_looked(line)}")


def _begin(connection: Connection, ctx: StepContext, line: Line, found: Index, point: Evidence | None) -> Evidence:
    """Keep the resume point, then take away what an interrupted attempt left; the point is there before any effect."""
    begun = {"oid": found.oid, "left": [], **_kept(point)}
    if line.form.action == REINDEX and "left" not in _kept(point):
        begun["left"] = [each.oid for each in indexes.left_by_reindex(connection, found.table)]
    ctx.keep_point(line.number, "begun", begun)
    if line.form.action == CREATE and found.state == INVALID:
        indexes.drop_unfinished(connection, found)
    _sweep(connection, line.form, found, begun)
    return {"state": "begun", **begun}


def _send(connection: Connection, ctx: StepContext, line: Line, begun: Evidence) -> int:
    """Send the statement, again when its lock was not granted; return how often. What a refusal leaves is taken away."""
    for number in range(1, TRIES + 1):
        try:
            # binary=True makes psycopg use the extended protocol, which takes exactly one statement.
            connection.execute(line.text, binary=True)
        except psycopg.Error as error:
            if connection.closed or connection.broken:
                raise
            clean = _taken_back(connection, line, begun)
            if isinstance(error, psycopg.errors.LockNotAvailable) and clean and number < TRIES:
                ctx.heartbeat({"outside": line.number, "of": sum(map(len, ctx.plan.lane.values())), "try": number + 1})
                time.sleep(random.uniform(PAUSE_SECONDS / 4, PAUSE_SECONDS))  # noqa: S311
                stop = ctx.cancelled()
                if stop:
                    ctx.keep_point(line.number, "undone", _kept(begun))
                    raise Stopped(stop) from error
                continue
            if clean:
                ctx.keep_point(line.number, "undone", _kept(begun))
            rest = (
                "The index is as it was before."
                if clean
                else "It left the index INVALID; the next attempt removes that."
            )
            raise Stopped(f"Statement {line.number} was refused by the server: {one_sentence(error)} {rest}") from error
        if connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            raise Unclear(f"Statement {line.number} opened a transaction of its own. {_looked(line)}")
        return number
    raise AssertionError("unreachable")


def _taken_back(connection: Connection, line: Line, begun: Evidence) -> bool:
    """Take away what the refused statement left; tell whether the index is as it was before."""
    with suppress(psycopg.Error):
        found = indexes.probe(connection, line.form)
        if line.form.action == CREATE and found.state == INVALID:
            indexes.drop_unfinished(connection, found)
        _sweep(connection, line.form, found, begun)
        found = indexes.probe(connection, line.form)
        return (
            found.state == ABSENT if line.form.action == CREATE else (found.state, found.oid) == (VALID, begun["oid"])
        )
    return False


def _sweep(connection: Connection, form: Form, found: Index, point: Evidence | None) -> None:
    """Drop the unfinished indexes that this plan's own REINDEX left beside its table's index."""
    if form.action != REINDEX or point is None or "left" not in point:
        return
    for each in indexes.left_by_reindex(connection, found.table):
        if each.oid not in point["left"]:
            indexes.drop_unfinished(connection, each)


def _locked(connection: Connection, ctx: StepContext) -> bool:
    key = targets.target_lock_key(ctx.plan.target.system_identifier + ctx.plan.target.database)
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [key]).fetchone()
        if row is not None and row[0]:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)


def _refuse_moved_ledger(connection: Connection, ctx: StepContext) -> None:
    if head_of(read_ledger(connection, ctx.target.layout)) != ctx.plan.ledger_head:
        raise Stopped(
            "The ledger moved since the plan was signed: another migration was applied. Edit the request and have it "
            "signed again."
        )


def _shown(line: Line, found: Index) -> Evidence:
    return {"number": line.number, "text": line.text, "before": found.state}


def _kept(point: Evidence | None) -> Evidence:
    return {key: point[key] for key in ("oid", "left") if key in point} if point else {}


def _looked(line: Line) -> str:
    name = ".".join((*line.form.table[:-1], line.form.name[-1]) if line.form.action == CREATE else line.form.name)
    return f"Look at the index {name} on the target, then let the portal look again."
