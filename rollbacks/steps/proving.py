"""Proving reverse SQL on the scratch server: back to the return point, forward again, and back once more.

Source: reversal, section 9, step 5. A person's own SQL goes through exactly the same.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from rollbacks.adapters import ledger as ledgers
from rollbacks.adapters.scratch import Scratch
from rollbacks.drizzle.journal import Folder, Layout
from rollbacks.plan import Limits
from rollbacks.reversal import drift, lane, parse
from rollbacks.reversal.archive import SCHEMA as ARCHIVE_SCHEMA
from rollbacks.reversal.catalog import Facts, compare, read_facts
from rollbacks.reversal.objects import Shape, read_shape
from rollbacks.reversal.proof import DISPROVEN, PROVEN, Proof, chain_digest
from rollbacks.steps.expectation import differences_from, want
from rollbacks.steps.replay import Replay, apply_up_to, replay
from rollbacks.steps.statements import limit, strong_locks, transaction_id

FILENODES = """
    SELECT c.oid, pg_catalog.pg_relation_filenode(c.oid), n.nspname || '.' || c.relname
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""


@dataclass(frozen=True)
class Tried:
    """One run of the reverse SQL: the sentence that stopped it (empty when it ran), its statements, the facts after."""

    stopped: str
    statements: tuple[dict[str, Any], ...]
    after: Facts | None


@dataclass(frozen=True)
class States:
    """The catalogs that a proof is about: what it starts from, the newest migration's, and the return point's.

    It starts from the newest migration's, with whatever was done to the live database by hand.
    """

    start: Facts
    newest: Facts
    return_point: Facts

    @property
    def drifted(self) -> bool:
        """Whether anything was done by hand."""
        return self.start.entries != self.newest.entries

    def judge(self, tried: Tried) -> tuple[list[str], tuple[str, ...]]:
        """Return what differs after one run, in sentences, and the tables whose columns stand in another order."""
        if tried.after is None:
            return [tried.stopped], ()
        wanted = want(live=self.start, newest=self.newest, return_point=self.return_point)
        found = differences_from(wanted, tried.after, live=self.start, made=self.newest, return_point=self.return_point)
        return ([] if found.equal else found.sentences()), found.reordered

    def undrifting(self) -> States:
        """Return the same states without what only a hand made or took away."""
        return States(self.undrifted(self.start), self.undrifted(self.newest), self.undrifted(self.return_point))

    def undrifted(self, facts: Facts) -> Facts:
        """Leave out what only a hand made or took away: a migration that is deployed again may undo that."""
        return Facts(facts.entries - (self.start.entries ^ self.newest.entries), facts.order)


def prove(
    scratch: Scratch,
    folder: Folder,
    layout: Layout,
    *,
    return_to: str | None,
    reverse: str,
    live: Shape | None = None,
    limits: Limits | None = None,
    told: Callable[[int, int], None] = lambda number, of: None,
    newest_seen: Callable[[Facts], None] = lambda facts: None,
    place: Callable[[int], str] = lambda line: f"Line {line}",
) -> Proof:
    """Try the whole reverse SQL (newest migration first) on replayed states; the target is never asked.

    `live` is the target's own shape: the replay is then made like it before the reverse SQL runs, and what was done
    by hand must still be there afterwards. `limits` are those under which it would run on the target; `newest_seen`
    gets the catalog of the whole chain; `place` says in words where a line stands.

    Raises Unreplayable when the chain cannot be built and parse.Unreadable when the SQL cannot be taken apart:
    neither proves nor disproves anything.
    """
    statements = parse.read(reverse)
    with replay(scratch, folder, layout, purpose="proof") as state:
        apply_up_to(state, return_to, told=told)
        return_point = _facts(state)
        _go_on(state, return_to, told)
        newest = _facts(state)
        newest_seen(newest)
        states = States(_like_live(state, live) if live else newest, newest, return_point)
        first = _try(state, statements, limits, place)
        differences, reordered = states.judge(first)
        round_trip = "" if differences else _round_trip(state, statements, limits, place, return_to, states)
        version = str(state.connection.info.parameter_status("server_version"))
    # What was done by hand may stand in a second deployment's way without making the way back any worse.
    hindered = bool(round_trip) and states.drifted
    trouble = [*differences, *([round_trip] if round_trip and not hindered else [])]
    return Proof(
        outcome=DISPROVEN if trouble else PROVEN,
        differences=tuple(trouble),
        reordered=reordered,
        round_trip=_round_trip_word(differences, round_trip, hindered),
        notes=(round_trip,) if hindered else (),
        statements=first.statements,
        reverse_sha256=hashlib.sha256(reverse.encode()).hexdigest(),
        chain_sha256=chain_sha256(folder),
        return_point_facts=return_point.digest,
        newest_facts=newest.digest,
        server_version=version,
    )


def _round_trip_word(differences: Sequence[str], broken: str, hindered: bool) -> str:
    if differences:
        return "not tried"
    return "hindered" if hindered else "broke" if broken else "held"


def states_of(
    scratch: Scratch, folder: Folder, layout: Layout, return_to: str | None, *, told: Callable[[int, int], None]
) -> tuple[Facts, Facts]:
    """Return the catalogs at the return point and at the newest migration, as a proof reads them.

    Raises Unreplayable when the chain cannot be built.
    """
    with replay(scratch, folder, layout, purpose="states") as state:
        apply_up_to(state, return_to, told=told)
        return_point = _facts(state)
        _go_on(state, return_to, told)
        return return_point, _facts(state)


def chain_sha256(folder: Folder) -> str:
    """Return the SHA-256 over the hashes of all migrations in their order."""
    return chain_digest(each.sha256 or "" for each in folder.migrations)


def _go_on(state: Replay, return_to: str | None, told: Callable[[int, int], None]) -> None:
    total = len(state.folder.migrations)
    done = 0 if return_to is None else state.folder.migrations.index(state.folder.by_tag(return_to)) + 1
    for number, migration in enumerate(state.folder.migrations[done:], done + 1):
        state.forward(migration)
        told(number, total)


def _try(
    state: Replay, statements: Sequence[parse.Statement], limits: Limits | None, place: Callable[[int], str]
) -> Tried:
    """Run the statements as the plan would: the lane's by themselves, the others in one transaction that is committed.

    What was stopped inside the transaction is rolled back.
    """
    parts = lane.split(statements)
    if parts.between:
        return Tried(f"{place(parts.between[0].line)}: {lane.BETWEEN}", (), None)
    done: list[dict[str, Any]] = []
    stopped = _try_alone(state, parts.before, limits, place, done)
    if stopped:
        return Tried(stopped, tuple(done), None)
    tried = _try_together(state, parts.inside, limits, place)
    done += tried.statements
    if tried.after is None or not parts.after:
        return replace(tried, statements=tuple(done))
    stopped = _try_alone(state, parts.after, limits, place, done)
    return Tried(stopped, tuple(done), None if stopped else _facts(state))


def _try_alone(
    state: Replay, statements: Sequence[parse.Statement], limits: Limits | None,
    place: Callable[[int], str], done: list[dict[str, Any]],
) -> str:  # fmt: skip
    """Run the lane's statements one by one and add what each showed to `done`; return what stopped it, or nothing."""
    if not statements:
        return ""
    connection = state.connection
    connection.rollback()
    connection.autocommit = True
    try:
        if limits:
            limit(connection, limits, session=True)
        for statement in statements:
            started = time.monotonic()
            connection.execute(statement.text.encode(), binary=True)
            milliseconds = round((time.monotonic() - started) * 1000)
            # CONCURRENTLY takes no lock that keeps others from reading or writing, and writes no table anew.
            done.append(
                {"line": statement.line, "milliseconds": milliseconds, "locks": [], "rewritten": [], "outside": True}
            )
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error).strip()
        return f"{place(statement.line)} was refused by the server: {said}."
    finally:
        connection.execute("RESET lock_timeout; RESET statement_timeout; RESET idle_in_transaction_session_timeout")
        connection.autocommit = False
    return ""


def _try_together(
    state: Replay, statements: Sequence[parse.Statement], limits: Limits | None, place: Callable[[int], str]
) -> Tried:
    connection, done = state.connection, list[dict[str, Any]]()
    if limits:
        limit(connection, limits)
    xid = transaction_id(connection)
    before = _held(connection)
    for statement in statements:
        started = time.monotonic()
        try:
            connection.execute(statement.text.encode(), binary=True)
        except psycopg.Error as error:
            connection.rollback()
            said = error.diag.message_primary or str(error).strip()
            return Tried(f"{place(statement.line)} was refused by the server: {said}.", tuple(done), None)
        milliseconds = round((time.monotonic() - started) * 1000)
        if connection.info.transaction_status.name != "INTRANS" or transaction_id(connection) != xid:
            connection.rollback()
            return Tried(f"{place(statement.line)} left the transaction; remove it.", tuple(done), None)
        after = _held(connection)
        done.append(_evidence(statement, milliseconds, before, after))
        before = after
    facts = _facts(state)
    connection.commit()
    return Tried("", tuple(done), facts)


@dataclass(frozen=True)
class _Held:
    """Between two statements: which file each relation is in and what it is called, and the strong locks held."""

    files: dict[int, tuple[int, str]]
    locks: frozenset[str]


def _held(connection: psycopg.Connection[tuple[Any, ...]]) -> _Held:
    files = {oid: (node, relation) for oid, node, relation in connection.execute(FILENODES).fetchall()}
    return _Held(files, frozenset(strong_locks(connection)))


def _evidence(statement: parse.Statement, milliseconds: int, before: _Held, after: _Held) -> dict[str, Any]:
    known = {relation for _, relation in before.files.values()}
    return {
        "line": statement.line,
        "milliseconds": milliseconds,
        "locks": sorted(lock for lock in after.locks - before.locks if lock.rsplit(" ", 1)[0] in known),
        "rewritten": sorted(
            before.files[oid][1]
            for oid, (node, _) in after.files.items()
            if oid in before.files and before.files[oid][0] != node
        ),
    }


def _round_trip(
    state: Replay, statements: Sequence[parse.Statement], limits: Limits | None,
    place: Callable[[int], str], return_to: str | None, states: States,
) -> str:  # fmt: skip
    """Deploy the migrations again and take them back again; return what went wrong, empty when nothing did."""
    _forget(state, return_to)
    try:
        _go_on(state, return_to, lambda number, of: None)
    except Exception as error:
        state.connection.rollback()
        return f"After the rollback the migrations cannot be deployed again: {error}"
    again = compare(states.undrifted(states.start), states.undrifted(_facts(state)))
    if not again.equal:
        return f"Deployed again after the rollback, the catalog is another one: {' '.join(again.sentences()[:5])}"
    tried = _try(state, statements, limits, place)
    if tried.after is not None:
        tried = replace(tried, after=states.undrifted(tried.after))
    differences, _ = states.undrifting().judge(tried)
    return f"Taken back a second time, the catalog is another one: {' '.join(differences[:5])}" if differences else ""


def _like_live(state: Replay, live: Shape) -> Facts:
    """Do on the replay what was done to the target by hand; what cannot be done here is left to the rehearsal."""
    newest = read_shape(state.connection, ignore_schemas=(state.layout.ledger_schema,))
    state.connection.rollback()
    if drift.drifted(live, newest):
        state.do_by_hand(newest, live)
    return _facts(state)


def _forget(state: Replay, return_to: str | None) -> None:
    """Take the ledger back to the return point and purge the archive, as before a second deploy and rollback."""
    migrations = state.folder.migrations
    kept = migrations[: migrations.index(state.folder.by_tag(return_to)) + 1] if return_to else ()
    ledgers.forget_after(state.connection, state.folder, state.layout, kept)
    state.connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(ARCHIVE_SCHEMA)))
    state.connection.commit()


def _facts(state: Replay) -> Facts:
    """Read the catalog with its grants: unlike a restored backup, a replay has them."""
    return read_facts(state.connection, ignore_schemas={state.layout.ledger_schema})
