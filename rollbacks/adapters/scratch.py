"""The scratch server: a cluster of its own, never a target's, where backups are restored and plans rehearsed."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any

import psycopg
from psycopg import sql

from rollbacks.adapters.target import Credentials, Identity, connect, credentials_from_url, identity

Connection = psycopg.Connection[tuple[Any, ...]]

VARIABLE = "SCRATCH_DATABASE_URL"
PREFIX = "rollback_"
# A replay says in its name when it began, in minutes since 1970, so that one that was left behind can be told.
REPLAY = re.compile(PREFIX + "[a-z]+_([0-9]+)_[0-9a-f]{12}")
LEFT_BEHIND_SECONDS = 2 * 3600
# Before PostgreSQL 15 files are always copied.
STRATEGIES_SINCE = 150_000
ROLE_COMMENT = "rollback-portal: made for a replay in minute "
EXECUTION = re.compile(PREFIX + "([0-9a-f]{12})_([0-9]+)_")


class ScratchRefused(Exception):
    """The scratch server may not be used; the sentence says why."""


class Scratch:
    """Databases on the scratch server, named by us and dropped by us."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Scratch:
        """Return the scratch server of the environment; raises ScratchRefused when none is configured."""
        url = environ.get(VARIABLE, "")
        if not url:
            raise ScratchRefused(
                f"{VARIABLE} is not set, and nothing is run on a target that was not rehearsed elsewhere; "
                "set it to a server of the target's major version."
            )
        return cls(credentials_from_url("scratch", url, source=VARIABLE))

    def credentials(self, name: str) -> Credentials:
        """Return the credentials of one scratch database."""
        return Credentials("scratch", {**self._credentials.parameters, "dbname": name})

    def system_identifier(self) -> str:
        """Return the scratch cluster's own identifier."""
        with connect(self._credentials, autocommit=True) as connection:
            return identity(connection).system_identifier

    def refuse_superuser(self) -> None:
        """Raise ScratchRefused when our role there could reach the server's files, its programs and other databases."""
        with connect(self._credentials, autocommit=True) as connection:
            row = connection.execute("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user").fetchone()
        if row is not None and row[0]:
            raise ScratchRefused(
                "It has a code block, function, trigger or rule, which nobody can analyse and nobody has signed, and the "
                f"role of {VARIABLE} is a superuser: give the worker a role there with CREATEDB and CREATEROLE only."
            )

    def refuse_same_cluster(self, target: Identity) -> None:
        """Raise ScratchRefused when this is the target's own cluster, or another major than the target's."""
        with connect(self._credentials, autocommit=True) as connection:
            found = identity(connection)
        if found.system_identifier == target.system_identifier:
            raise ScratchRefused(
                f"{VARIABLE} leads to the target's own cluster; a rehearsal there could harm it. Set it to another server."
            )
        if found.major != target.major:
            raise ScratchRefused(
                f"The scratch server runs PostgreSQL {found.major} and the target {target.major}; their catalogs "
                "cannot be compared. Set it to a server of the target's major version."
            )

    def create(self, name: str) -> None:
        """Create an empty database.

        Copying files takes half the time of writing every page to the log, but waits for two checkpoints, so it is
        done where these sync nothing.
        """
        with connect(self._credentials, autocommit=True) as connection:
            row = connection.execute("SELECT pg_catalog.current_setting('fsync')").fetchone()
            copied = row == ("off",) and connection.info.server_version >= STRATEGIES_SINCE
            strategy = sql.SQL("STRATEGY file_copy" if copied else "")
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(sql.Identifier(_ours(name)), strategy)
            )

    def drop(self, name: str) -> None:
        """Drop a database with whatever of ours is connected to it; nothing happens when it is not there.

        Not WITH (FORCE): that is refused to a role that is no superuser while autovacuum is at work in the database,
        whereas the plain form sends autovacuum away itself (and waits for sessions that are ending).
        """
        with connect(self._credentials, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
                "WHERE datname = %s AND usename = current_user AND pid <> pg_catalog.pg_backend_pid()",
                [_ours(name)],
            )
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))

    def sweep_replays(self, *, now: float) -> None:
        """Drop the replays, and the roles made for them, that a killed worker left behind (`now` in seconds since 1970)."""
        for name in self.stale_replays(self.names(), now=now):
            self.drop(name)
        with connect(self._credentials, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT rolname, pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles"
            ).fetchall()
        made = [(role, text[len(ROLE_COMMENT) :]) for role, text in rows if (text or "").startswith(ROLE_COMMENT)]
        self.drop_roles([role for role, minute in made if minute.isdigit() and _left_behind(int(minute), now)])

    def stale_replays(self, names: Collection[str], *, now: float) -> list[str]:
        """Return which of these databases are replays that began so long ago that nobody can be at work on them."""
        begun = {name: int(found[1]) for name in names if (found := REPLAY.fullmatch(name))}
        return sorted(name for name, minute in begun.items() if _left_behind(minute, now))

    def make_role(self, connection: Connection, role: str) -> None:
        """Make a role that a replayed migration names, marked as ours until drop_roles takes it away."""
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        mark = f"{ROLE_COMMENT}{int(time.time()) // 60}"
        connection.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role), sql.Literal(mark)))

    def drop_roles(self, roles: Collection[str]) -> None:
        """Drop roles that were made for a replay; one that is still used by somebody stays."""
        if not roles:
            return
        with connect(self._credentials, autocommit=True) as connection:
            for role in roles:
                with contextlib.suppress(psycopg.errors.DependentObjectsStillExist, psycopg.errors.UndefinedObject):
                    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))

    def names(self, prefix: str = PREFIX) -> set[str]:
        """Return the names of our databases that begin so."""
        with connect(self._credentials, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT datname::text FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname::text, %s)",
                [prefix],
            ).fetchall()
        return {row[0] for row in rows}

    def connect(self, name: str) -> Connection:
        """Connect to one of our databases."""
        return connect(self.credentials(name))


def execution_prefix(digest: str, execution: int) -> str:
    """Return how the names of one execution's scratch databases begin."""
    return f"{PREFIX}{digest[:12]}_{execution}_"


def replay_name(purpose: str) -> str:
    """Return a new name for a replay's database; `purpose` is a word of small letters."""
    return f"{PREFIX}{purpose}_{int(time.time()) // 60}_{secrets.token_hex(6)}"


def _left_behind(minute: int, now: float) -> bool:
    return now - minute * 60 > LEFT_BEHIND_SECONDS


def _ours(name: str) -> str:
    """Never create or drop a database that does not carry our prefix, whatever a caller got wrong."""
    if not name.startswith(PREFIX):
        raise ScratchRefused(f"{name!r} is not a scratch database of the portal.")
    return name
