"""What an earlier attempt to apply may have left: its session, its COMMIT, and the timeline that it was made on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from rollbacks.adapters import sessions
from rollbacks.adapters import target as targets
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.adapters.store import Store, StoreRefused
from rollbacks.ports import Evidence, StepContext, StepFailed, StepInterrupted, StepUncertain
from rollbacks.steps.ledger_row import find_row
from rollbacks.steps.observation import connect_directly, lock_target
from rollbacks.steps.statements import Connection

# How long a new attempt waits for the old attempt's transaction to end before it calls a person.
LOCK_WAIT_SECONDS = 20


def session_name(ctx: StepContext, attempt: int = 0) -> str:
    """Return the application name of an attempt's sessions on the target, of this one by default."""
    return f"rollback-portal-{ctx.token}-{attempt or ctx.attempt}"


def look(ctx: StepContext) -> Evidence | None:
    """Return the evidence when an earlier attempt's COMMIT is on the primary, None when it is certain that none is.

    The first attempt looks as well: a portal that was restored from its backup does not know what came after. An earlier attempt's session is ended first: its worker has lost the lease, and while its transaction is open it
    could still commit (acceptance F06). Raises StepUncertain where nobody can tell, StepInterrupted to look again.
    """
    with _reading(ctx) as connection:
        sessions.end_named(connection, [session_name(ctx, number) for number in range(1, ctx.attempt)])
        if not lock_target(connection, ctx.plan, LOCK_WAIT_SECONDS):
            raise StepUncertain(
                "An earlier attempt still holds its lock on the target, so whether it commits cannot be told yet. "
                "Wait until that session has ended, then let the portal look again."
            )
        row, now_on = find_row(connection, ctx), targets.timeline(connection)
        connection.rollback()
    if row is not None:
        return {"ledger_row": row, "known_by": "ledger", "timeline": now_on}
    _refuse_lost(ctx, now_on)
    return None


def keep_commit(ctx: StepContext, timeline: str) -> None:
    """Keep, beside the backup, that a COMMIT is about to be sent and on which timeline; raises StepFailed when it cannot be."""
    try:
        Store.of(ctx.environ).keep_note(_note(ctx), json.dumps({"timeline": timeline, "attempt": ctx.attempt}))
    except StoreRefused as error:
        raise StepFailed(f"{error} Everything was rolled back; the target is as it was.") from error


def _refuse_lost(ctx: StepContext, now_on: str) -> None:
    """A server that was promoted since a COMMIT was sent may have lost it: applying again would be a guess (F45)."""
    try:
        note = Store.of(ctx.environ).read_note(_note(ctx))
        sent: Evidence = json.loads(note or "{}")
    except (StoreRefused, ValueError) as error:
        raise StepUncertain(
            "What an earlier attempt came to is kept beside the backup and cannot be read; look at the target's ledger."
        ) from error
    if not sent or sent["timeline"] == now_on:
        return
    stop = ctx.cancelled()
    if stop:
        # A person has looked and decided; the ledger of the server that answers does not have the row.
        raise StepFailed(stop, evidence={"commit_sent": sent, "timeline": now_on})
    raise StepUncertain(
        f"An earlier attempt sent its COMMIT on timeline {sent['timeline']}, and the server is on {now_on} now: a "
        "standby was promoted, and the rollback is not in its ledger. It may have been lost by the failover, or "
        "may still be on the old primary. Find out which of the two serves the application before anything is run.",
        evidence={"commit_sent": sent, "timeline": now_on},
    )


@contextmanager
def _reading(ctx: StepContext) -> Iterator[Connection]:
    """Connect to look: whatever goes wrong here says nothing about what an earlier attempt did."""
    try:
        with connect_directly(ctx.target, ctx.environ, application_name=session_name(ctx)) as connection:
            targets.refuse_standby(connection)
            targets.refuse_other_database(connection, ctx.plan.target)
            yield connection
    except targets.Standby as error:
        raise _not_read(ctx, error, later=StepInterrupted) from error
    except targets.Unreachable as error:
        raise StepInterrupted(
            f"{error} Whether an earlier attempt applied the rollback is looked for again."
        ) from error
    except targets.REFUSALS as error:
        raise _not_read(ctx, error, later=StepUncertain) from error
    except psycopg.Error as error:
        raise StepInterrupted(
            f"The target could not be read ({one_sentence(error)}) Whether an earlier attempt applied the rollback is "
            "looked for again."
        ) from error


def _not_read(
    ctx: StepContext, error: Exception, *, later: type[StepInterrupted] | type[StepUncertain]
) -> StepFailed | StepInterrupted | StepUncertain:
    """Nothing was begun on the first attempt; on a later one nobody knows yet what the earlier did."""
    if ctx.attempt == 1:
        return StepFailed(f"{error} Nothing was run.")
    return later(
        f"{error} Whether an earlier attempt applied the rollback could not be read; once this is mended, let the portal look again."
    )


def lost_since(ctx: StepContext, now_on: str) -> str:
    """Return the sentence for a target that was promoted after it acknowledged the rollback; empty when it was not."""
    then = str(ctx.evidence["apply"].get("timeline", ""))
    if not then or then == now_on:
        return ""
    return (
        f"The rollback was acknowledged on timeline {then} and the server is on {now_on} now: a standby was promoted, "
        "and what it had not received is lost by the failover."
    )


def require_alone(connection: Connection, ctx: StepContext) -> None:
    """Take the target's lock for the open transaction; raises StepFailed when another session keeps it."""
    if not lock_target(connection, ctx.plan, LOCK_WAIT_SECONDS):
        raise StepFailed("Another session works on this target under the portal's lock; start again when it ended.")


def _note(ctx: StepContext) -> str:
    return f"commit-{ctx.token}.json"
