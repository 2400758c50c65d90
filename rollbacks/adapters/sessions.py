"""Sessions on the target: whom one waits for, whom it holds up, and ending a statement or what an earlier attempt left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]

SHOWN = 20
# What a session that is not ours does is only shown to members of pg_read_all_stats; its name and user always are.
WAITS_FOR = """
    SELECT found.pid, a.usename, a.application_name, a.state,
           extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::int
      FROM (SELECT DISTINCT pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(%s)) AS blocking(pid)) found
      LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
     ORDER BY found.pid LIMIT %s"""
HOLDS_UP = """
    SELECT found.pid, a.usename, a.application_name, a.state,
           extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::int
      FROM (SELECT DISTINCT pid FROM pg_catalog.pg_locks WHERE NOT granted) found
      LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
     WHERE %s = ANY (pg_catalog.pg_blocking_pids(found.pid))
     ORDER BY found.pid LIMIT %s"""
# One that waits for its standby has committed here already: ending it would show what the standby may never have.
END_EARLIER = """
    SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
       AND application_name = ANY (%s) AND wait_event IS DISTINCT FROM 'SyncRep'"""


@dataclass(frozen=True)
class Session:
    """A session on the target; `state` and `seconds` since its transaction began are None where we may not see them."""

    pid: int
    user: str | None
    application: str | None
    state: str | None
    seconds: int | None

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction"
        said = [self.application, f"user {self.user}" if self.user else ""]
        if self.state and self.seconds is not None:
            said.append(f"{self.state} for {self.seconds} s")
        words = ", ".join(each for each in said if each)
        return f"session {self.pid}" + (f" ({words})" if words else "")


def waits_for(connection: Connection, pid: int) -> tuple[Session, ...]:
    """Return the sessions that keep this one waiting for a lock, at most 20."""
    connection.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
    return tuple(Session(*row) for row in connection.execute(WAITS_FOR, [pid, SHOWN]).fetchall())


def holds_up(connection: Connection, pid: int) -> tuple[Session, ...]:
    """Return the sessions that wait for a lock which this one has, at most 20."""
    return tuple(Session(*row) for row in connection.execute(HOLDS_UP, [pid, SHOWN]).fetchall())


def cancel(connection: Connection, pid: int) -> None:
    """Ask the server to cancel what this session is executing."""
    connection.execute("SELECT pg_catalog.pg_cancel_backend(%s)", [pid])


def terminate(connection: Connection, pid: int) -> None:
    """Ask the server to end this session."""
    connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [pid])


def end_named(connection: Connection, names: list[str]) -> None:
    """End the sessions of these application names in this database.

    A session that waits for a synchronous standby is left alone: whether its COMMIT holds is not decided yet.
    """
    connection.execute(END_EARLIER, [names])
