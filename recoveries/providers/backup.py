"""A kept backup: a dump of the store is restored into a new database on a server that is set aside for it.

RESTORE_DATABASE_URL leads to that server, as a role with CREATEDB; it is never the cluster of a registered target. The
database gets its name when it is complete, in one step, so nothing half restored is ever found under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from recoveries.ports import NewServer, Order, ProviderInterrupted, ProviderRefused, Restorable, Told
from rollbacks.adapters import target as targets
from rollbacks.adapters.counts import row_counts
from rollbacks.adapters.envelope import KeyRefused
from rollbacks.adapters.pg_tools import NoTools, RestoreFailed, find_tools, restore
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.adapters.store import Manifest, Store, StoreRefused
from rollbacks.adapters.target import Credentials
from rollbacks.ports import Evidence, TargetSettings

VARIABLE = "RESTORE_DATABASE_URL"
MARK = "rollback-portal: "
RESTORE_SECONDS = 12 * 3600

Connection = psycopg.Connection[tuple[Any, ...]]


class KeptBackup:
    """The worker's store of backups, and the server into which they are restored."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def restorable(self, target: TargetSettings) -> Restorable:
        """Return the backups of the store, newest first; whose they are is for the portal to know by their tokens."""
        self.place()
        store = self._store()
        try:
            found = [each for token in store.tokens() if (each := self._find(store, token))]
        except StoreRefused as error:
            raise ProviderRefused(str(error)) from error
        newest = sorted(found, key=lambda each: each.taken_at, reverse=True)
        backups = tuple({"token": each.token, "title": f"{each.name} ({each.taken_at[:19]} UTC)"} for each in newest)
        return Restorable(note="A backup has what was committed when it was taken.", backups=backups)

    def place(self) -> Credentials:
        """Return the server on which the new database is made; raises ProviderRefused."""
        url = self._environ.get(VARIABLE, "")
        if not url:
            raise ProviderRefused(
                f"{VARIABLE} is not set; set it to a server for restored databases, never a target's."
            )
        try:
            return targets.credentials_from_url("the server for restored databases", url, source=VARIABLE)
        except targets.NoCredentials as error:
            raise ProviderRefused(str(error)) from error

    def find(self, order: Order) -> NewServer | None:
        """Return the database of that name when it carries this order's mark; it was complete when it got the name."""
        with self._connect() as line:
            return self._found(line, order) if _mark(line, order.server) == MARK + order.token else None

    def refuse_taken(self, order: Order) -> None:
        """Raise ProviderRefused when a database of that name exists that is not this order's."""
        with self._connect() as line:
            if _mark(line, order.server) not in {None, MARK + order.token}:
                raise ProviderRefused(f"There is a database named {order.server} already; choose another name.")

    def make(self, order: Order, *, known: Evidence, told: Told) -> NewServer:
        """Check the dump whole, restore it into a new database, count, and give the database its name."""
        self.refuse_taken(order)
        store = self._store()
        manifest = self._find(store, order.backup)
        if manifest is None:
            raise ProviderRefused("The chosen backup is not in the store any more; choose another.")
        half = f"restoring-{order.token}"[:63]
        try:
            told({"doing": f"Checking {manifest.name}"})
            store.keys.refuse_foreign(manifest.recipients)
            store.verify(manifest)
            with self._connect() as line:
                _drop(line, half)
                line.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(half)))
                major = line.info.server_version // 10_000
                told({"doing": f"Restoring {manifest.name}"})
                tools = find_tools(major, self._environ)
                restore(
                    tools, partial(store.pour, manifest), self._at(half), environ=self._environ,
                    timeout_seconds=RESTORE_SECONDS,
                )  # fmt: skip
                self._refuse_incomplete(manifest, half)
                told({"doing": "Naming the restored database"})
                mark = sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                    sql.Identifier(half), sql.Literal(MARK + order.token)
                )
                line.execute(mark)
                line.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(half), sql.Identifier(order.server))
                )
                return self._found(line, order)
        except psycopg.errors.DuplicateDatabase as error:
            raise ProviderRefused(f"There is a database named {order.server} already; choose another name.") from error
        except (KeyRefused, NoTools, RestoreFailed, StoreRefused) as error:
            raise ProviderRefused(str(error)) from error
        except psycopg.Error as error:
            raise ProviderInterrupted(one_sentence(error)) from error

    def credentials(self, order: Order, server: NewServer) -> Credentials:
        """Return the sign-in of RESTORE_DATABASE_URL to the new database."""
        return self._at(order.server)

    def _refuse_incomplete(self, manifest: Manifest, name: str) -> None:
        with targets.connect(self._at(name)) as line:
            counts = row_counts(line, ignore_schemas=())
        if counts != manifest.extra["row_counts"]:
            raise ProviderRefused(
                f"{manifest.name} was restored but has other rows than were counted when it was taken."
            )

    def _found(self, line: Connection, order: Order) -> NewServer:
        return NewServer(order.server, line.info.host, {"backup": order.backup, "rows_as_backed_up": True})

    def _find(self, store: Store, token: str) -> Manifest | None:
        try:
            return store.find(token)
        except StoreRefused:
            # One damaged manifest must not hide the others; that backup cannot be chosen.
            return None

    def _store(self) -> Store:
        try:
            return Store.of(self._environ)
        except StoreRefused as error:
            raise ProviderRefused(str(error)) from error

    def _at(self, database: str) -> Credentials:
        return Credentials("the restored database", {**self.place().parameters, "dbname": database})

    def _connect(self) -> Connection:
        try:
            return targets.connect(self.place(), autocommit=True)
        except targets.Unreachable as error:
            raise ProviderInterrupted(str(error)) from error


def _mark(line: Connection, database: str) -> str | None:
    """Return the comment of the database, empty when it has none; None when there is no such database."""
    row = line.execute(
        "SELECT coalesce(pg_catalog.shobj_description(oid, 'pg_database'), '') FROM pg_catalog.pg_database WHERE datname = %s",
        [database],
    ).fetchone()
    return None if row is None else str(row[0])


def _drop(line: Connection, name: str) -> None:
    """Drop what an earlier attempt of this order left half restored; its name carries the order's token."""
    line.execute(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = %s", [name]
    )
    line.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
