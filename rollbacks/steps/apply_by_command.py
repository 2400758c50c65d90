"""Apply by the project's own migrate command: what came of it is read off the ledger and the catalog, never its exit code.

Fewer promises hold than where the portal applies by itself (rollbacks.options.FEWER_PROMISES): the comparison comes
after the command's COMMIT. So a difference calls a person instead of being rolled back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from rollbacks.adapters import target as targets
from rollbacks.adapters.commands import Ended, url_of
from rollbacks.adapters.ledger import read_ledger
from rollbacks.adapters.repository import RepositoryError
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.adapters.store import Store, StoreRefused
from rollbacks.drizzle.preflight import Ledger
from rollbacks.options import FEWER_PROMISES, command_name
from rollbacks.ports import Evidence, StepContext, StepFailed, StepInterrupted, StepUncertain
from rollbacks.reversal.catalog import ACCESS_KINDS, Facts, compare, read_facts
from rollbacks.steps import project
from rollbacks.steps.backup import verified_backup
from rollbacks.steps.expectation import load_expected, lost_access
from rollbacks.steps.ledger_row import refuse_moved
from rollbacks.steps.observation import connect_directly, head_of, lock_target
from rollbacks.steps.statements import Connection

# How long is waited for an earlier attempt's lock and for sessions of a command that is gone.
WAIT_SECONDS = 20
# A session whose client is gone gets so long to come to its own end before it is ended.
GRACE_SECONDS = 2
SESSIONS = (
    "FROM pg_catalog.pg_stat_activity"
    " WHERE datname = pg_catalog.current_database() AND application_name = %s AND pid <> pg_catalog.pg_backend_pid()"
)
STILL_THERE = f"SELECT count(*) {SESSIONS}"
END_OURS = f"SELECT pg_catalog.pg_terminate_backend(pid) {SESSIONS} AND usename = current_user"


def observe(ctx: StepContext) -> Evidence | None:
    """Say what an earlier attempt's command came to, once none of its sessions is left.

    None: the target is as it was. Raises StepUncertain while a session is left, and when the target is neither as it
    was nor as proven.
    """
    with _connected(ctx, StepInterrupted) as connection, _observed():
        _lock(connection, ctx, StepUncertain)
        _wait_for_sessions(connection, ctx)
        evidence = _outcome(connection, ctx, None)
        connection.rollback()
    return evidence


def perform(ctx: StepContext) -> Evidence:
    """Run the command on the rollback's branch; raises StepFailed only when the target is exactly as it was."""
    load_expected(ctx)
    verified_backup(ctx)
    try:
        with project.checkout(ctx) as folder, _connected(ctx, StepFailed) as connection:
            _begin(connection, ctx)
            _prepare(ctx, folder)
            # Once the command runs, only what it leaves behind says what happened.
            stop = ctx.cancelled()
            if stop:
                raise StepFailed(stop)
            ctx.heartbeat({"command": command_name(ctx.plan.chosen.migrate)})
            ended = project.run(ctx, ctx.plan.chosen.migrate, folder, url=_url(ctx))
            with _observed():
                _wait_for_sessions(connection, ctx, ended)
                evidence = _outcome(connection, ctx, ended)
                connection.rollback()
    except RepositoryError as error:
        raise StepFailed(f"{error} Nothing was changed on the target.") from error
    if evidence is None:
        raise StepFailed(
            f"The command “{command_name(ended.command)}” {ended.words} and did not apply the rollback: the ledger and "
            "the catalog are as they were. What it said is in the evidence; mend it, then start again.",
            evidence=_shown(ended),
        )
    return evidence


def _begin(connection: Connection, ctx: StepContext) -> None:
    """Take the lock that keeps two attempts apart, look at the ledger once more, and keep what the target is like."""
    try:
        # Held in this session while the command works in its own.
        _lock(connection, ctx, StepFailed)
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        refuse_moved(connection, ctx)
        _keep_before(ctx, _facts(connection, ctx))
    except StoreRefused as error:
        raise StepFailed(f"{error} Nothing was changed on the target.") from error
    except psycopg.Error as error:
        raise StepFailed(f"{one_sentence(error)} Nothing was changed on the target.") from error


def _prepare(ctx: StepContext, folder: Path) -> None:
    before = project.prepared(ctx, folder)
    if before is not None and not before.well:
        raise StepFailed(
            f"The checkout could not be prepared: “{command_name(before.command)}” {before.words}. "
            "Nothing was changed on the target; what it said is in the evidence.",
            evidence={"prepared": before.document()},
        )


@contextmanager
def _connected(ctx: StepContext, refused: type[StepFailed] | type[StepInterrupted]) -> Iterator[Connection]:
    try:
        with connect_directly(ctx.target, ctx.environ) as connection:
            targets.refuse_standby(connection)
            targets.refuse_other_database(connection, ctx.plan.target)
            yield connection
    except targets.Unreachable as error:
        raise StepInterrupted(str(error)) from error
    except targets.REFUSALS as error:
        raise refused(str(error)) from error


@contextmanager
def _observed() -> Iterator[None]:
    """What breaks off once the command may have done something is no failure: the next attempt looks again."""
    try:
        yield
    except psycopg.Error as error:
        raise StepInterrupted(
            f"What the project's command came to could not be read ({one_sentence(error)}) "
            "The next attempt looks at the target before it does anything."
        ) from error


def _outcome(connection: Connection, ctx: StepContext, ended: Ended | None) -> Evidence | None:
    """Judge the target as it is now: applied as proven, as it was (None), or a person's to look at (StepUncertain)."""
    ledger, facts = read_ledger(connection, ctx.target.layout), _facts(connection, ctx)
    row, head = _row_in(ledger, ctx), head_of(ledger)
    before, shown = _read_before(ctx), _shown(ended)
    if row is None:
        # Kept before the command is started, so without it no command ever was.
        if before is None or (before == facts and head == ctx.plan.ledger_head):
            return None
        raise StepUncertain(
            "The project's command left the target changed without the rollback's ledger row, or other rows were added: "
            "part of it may have been committed. Compare the target with the backup before anything else; the portal "
            "cannot finish it by itself.",
            evidence=shown,
        )
    differences = compare(load_expected(ctx).facts, facts.without(ACCESS_KINDS))
    sentences = [] if differences.equal else list(differences.sentences())
    sentences += lost_access(before, facts) if before is not None else []
    if head.rows != ctx.plan.ledger_head.rows + 1:
        sentences.append("The command applied other migrations as well.")
    if sentences:
        raise StepUncertain(
            f"The project's command applied the rollback, but the target is not as proven: {' '.join(sentences[:20])} "
            "It was committed before the portal could compare; decide what to do, then let the portal look again.",
            evidence={**shown, "ledger_row": row},
        )
    return {
        **shown,
        "ledger_row": row,
        "known_by": "ledger",
        "facts_after": facts.without(ACCESS_KINDS).digest,
        "not_promised": list(FEWER_PROMISES),
    }


def _row_in(ledger: Ledger, ctx: StepContext) -> Evidence | None:
    wanted = (ctx.plan.file.sha256, ctx.evidence["stage"]["when"])
    found = next((row for row in ledger.rows if (row.hash, row.created_at) == wanted), None)
    return None if found is None else {"id": found.id, "hash": found.hash, "created_at": found.created_at}


def _shown(ended: Ended | None) -> Evidence:
    return {"migrate_command": ended.document()} if ended else {}


def _lock(connection: Connection, ctx: StepContext, error: type[StepFailed] | type[StepUncertain]) -> None:
    if not lock_target(connection, ctx.plan, WAIT_SECONDS):
        raise error(
            "An earlier attempt still holds its lock on the target, so what it does cannot be told yet. "
            "Wait until that session has ended, then let the portal look again."
        )


def _wait_for_sessions(connection: Connection, ctx: StepContext, ended: Ended | None = None) -> None:
    """Wait until no session of the command is left, and end what stays: only then does the ledger tell the outcome.

    The command's process is gone by then, but the server does not know that before it writes to it.
    """
    grace, deadline = time.monotonic() + GRACE_SECONDS, time.monotonic() + WAIT_SECONDS
    while True:
        # Within a transaction the list of sessions stays as it was first read.
        connection.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
        found = connection.execute(STILL_THERE, [_session_name(ctx)]).fetchone()
        if found is not None and found[0] == 0:
            return
        if time.monotonic() >= deadline:
            raise StepUncertain(
                "A session of the project's command is still at work on the target, so whether it commits cannot be told "
                f"yet. End it or wait (application name {_session_name(ctx)}), then let the portal look again.",
                evidence=_shown(ended),
            )
        if time.monotonic() >= grace:
            connection.execute(END_OURS, [_session_name(ctx)])
        time.sleep(0.1)


def _session_name(ctx: StepContext) -> str:
    return f"rollback-portal-{ctx.token}"


def _url(ctx: StepContext) -> str:
    """The direct URL, with a name by which the command's sessions are known and the limits that were signed."""
    limits = ctx.plan.limits
    settings = {
        "lock_timeout": f"{limits.lock_timeout_ms}ms",
        "statement_timeout": f"{limits.statement_timeout_ms}ms",
        # So that a server soon notices that the command was ended.
        **({"client_connection_check_interval": "2s"} if ctx.plan.target.server_major >= 14 else {}),
    }
    credentials = targets.credentials_of(ctx.target.name, ctx.environ)
    return url_of(credentials, application_name=_session_name(ctx), settings=settings)


def _facts(connection: Connection, ctx: StepContext) -> Facts:
    return read_facts(connection, ignore_schemas={ctx.target.layout.ledger_schema})


def _keep_before(ctx: StepContext, facts: Facts) -> None:
    """Keep what the target was like before the first attempt, so that the next worker knows it as well."""
    store, name = Store.of(ctx.environ), _before_note(ctx)
    if store.read_note(name) is None:
        store.keep_note(name, json.dumps(facts.to_json(), ensure_ascii=False, sort_keys=True))


def _read_before(ctx: StepContext) -> Facts | None:
    try:
        text = Store.of(ctx.environ).read_note(_before_note(ctx))
        return None if text is None else Facts.from_json(json.loads(text))
    except (StoreRefused, ValueError) as error:
        raise StepUncertain(
            "What the target was like before the command ran cannot be read beside the backup, so whether it changed "
            "anything cannot be told; look at the target."
        ) from error


def _before_note(ctx: StepContext) -> str:
    return f"before-{ctx.token}.json"
