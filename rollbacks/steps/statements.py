"""Running the reverse SQL inside one transaction, statement by statement, with a guard after each."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
from psycopg import pq, sql

from rollbacks.adapters.server_errors import one_sentence
from rollbacks.plan import Limits
from rollbacks.ports import Evidence, StepFailed, StepUncertain
from rollbacks.reversal import parse

Connection = psycopg.Connection[tuple[Any, ...]]

STRONG_LOCKS = """
    SELECT DISTINCT n.nspname || '.' || c.relname, l.mode
      FROM pg_catalog.pg_locks l
      JOIN pg_catalog.pg_class c ON c.oid = l.relation
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted
       AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
       AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND c.relkind IN ('r', 'p', 'm')
     ORDER BY 1, 2
"""


STANDING = """
    SELECT pg_catalog.current_setting('lock_timeout'), pg_catalog.current_setting('statement_timeout'),
           pg_catalog.current_setting('idle_in_transaction_session_timeout'), current_user,
           (SELECT pg_catalog.array_agg(ROW(classid, objid, objsubid)::text ORDER BY classid, objid, objsubid)
              FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid())
"""


class StatementFailed(Exception):
    """A statement of the reverse SQL was refused by the server; the message names it and its position."""


def limit(connection: Connection, limits: Limits, *, session: bool = False) -> Evidence:
    """Set the time limits of the transaction, or of the session, and return them in milliseconds as the server reads them back.

    Raises StepFailed when the server keeps other ones (acceptance F13): nothing may run unlimited.
    """
    wanted = {
        "lock_timeout": limits.lock_timeout_ms,
        "statement_timeout": limits.statement_timeout_ms,
        "idle_in_transaction_session_timeout": limits.statement_timeout_ms,
    }
    for name, value in wanted.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, %s)", [name, f"{value}ms", not session])
    rows = connection.execute(
        "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY(%s)", [list(wanted)]
    ).fetchall()
    found = {name: int(setting) for name, setting in rows}
    if found != wanted:
        raise StepFailed(
            "The server did not take the time limits that were signed "
            f"({', '.join(f'{name} is {found.get(name)} ms' for name in wanted if found.get(name) != wanted[name])}), "
            "so nothing was run. Look for what resets them, a pooler or an extension, then start again."
        )
    return found


def act_as(connection: Connection, role: str) -> None:
    """Work as the role that owns the objects until the transaction ends, so that new ones belong to it too."""
    if role:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))


def _directly(call: Callable[[], int]) -> int:
    return call()


def run_statements(
    connection: Connection,
    text: str,
    *,
    heartbeat: Callable[[Evidence], None],
    within: Callable[[Callable[[], int]], int] = _directly,
) -> list[Evidence]:
    """Execute every statement of the file on its own; return number, line, text, milliseconds and row count of each.

    `within` is given each statement to execute and may watch it. Raises StatementFailed when the server refuses one or
    when it changed the session's limits, role or locks (F39), StepUncertain when a statement ended or replaced the
    transaction, which would let half of the rollback stay (acceptance E4).
    """
    statements = parse.read(text)
    xid, standing = transaction_id(connection), _standing(connection)
    done: list[Evidence] = []
    for number, statement in enumerate(statements, 1):
        heartbeat({"statement": number, "of": len(statements), "line": statement.line})
        started = time.monotonic()
        try:
            rows = within(partial(_execute, connection, statement.text))
        except psycopg.OperationalError:
            # A lost line, a lock that was not granted, a limit: the caller knows what each means.
            raise
        except psycopg.Error as error:
            raise StatementFailed(_refusal(number, statement, error)) from error
        refuse_escaped(connection, xid, number)
        _refuse_loosened(connection, standing, number)
        done.append(
            {
                "number": number,
                "line": statement.line,
                "text": statement.text,
                "milliseconds": round((time.monotonic() - started) * 1000),
                "rows": rows,
            }
        )
    return done


def transaction_id(connection: Connection) -> str:
    """Assign and return the id of the open transaction."""
    row = connection.execute("SELECT pg_catalog.pg_current_xact_id()::text").fetchone()
    return str(row[0]) if row else ""


def refuse_escaped(connection: Connection, xid: str, number: int) -> None:
    """Raise StepUncertain when this is not the transaction that we opened any more."""
    inside = connection.pgconn.transaction_status == pq.TransactionStatus.INTRANS
    if inside and transaction_id(connection) == xid:
        return
    raise StepUncertain(
        f"After statement {number} the transaction was no longer the one the portal opened, so part of the "
        "rollback may have been committed. Look at the target before anything else is run on it."
    )


def strong_locks(connection: Connection) -> list[str]:
    """Return the locks that this transaction holds and that keep others waiting, as `schema.table mode`."""
    return [f"{relation} {mode}" for relation, mode in connection.execute(STRONG_LOCKS).fetchall()]


def _execute(connection: Connection, text: str) -> int:
    # binary=True makes psycopg use the extended protocol, which takes exactly one statement.
    return connection.execute(text, binary=True).rowcount


def _standing(connection: Connection) -> tuple[Any, ...]:
    return connection.execute(STANDING).fetchone() or ()


def _refuse_loosened(connection: Connection, standing: tuple[Any, ...], number: int) -> None:
    """A function can do what the file may not say: lift a limit, become another role, let go of the target's lock."""
    if _standing(connection) != standing:
        raise StatementFailed(
            f"Statement {number} changed the time limits, the role or the locks that the portal works under, "
            "which reverse SQL must not."
        )


def _refusal(number: int, statement: parse.Statement, error: psycopg.Error) -> str:
    return f"Statement {number} (line {statement.line}) was refused by the server: {one_sentence(error)}"
