"""Building any state of a migrations folder on the scratch server, one migration at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from rollbacks.adapters.ledger import Unreplayable, apply_one, insert_row
from rollbacks.adapters.scratch import Scratch, replay_name
from rollbacks.drizzle.journal import Folder, Layout, Migration, pieces
from rollbacks.reversal import drift
from rollbacks.reversal.objects import Shape

Connection = psycopg.Connection[tuple[Any, ...]]
MISSING_ROLE = re.compile(r'role "(?P<role>[^"]+)" does not exist')
ROLES_AT_MOST = 50


class Replay:
    """One scratch database in which a folder's migrations are applied; roles that they name are made for the time."""

    def __init__(self, scratch: Scratch, connection: Connection, folder: Folder, layout: Layout) -> None:
        self.scratch, self.connection, self.folder, self.layout = scratch, connection, folder, layout
        self.roles: list[str] = []

    def forward(self, migration: Migration) -> None:
        """Apply one migration as migrate() would, alone in its transaction; raises Unreplayable with its tag.

        A chain that was deployed bit by bit need not run as a whole, for example when a later migration uses an
        enum value that an earlier one added.
        """
        try:
            self._with_roles(lambda: self._apply(migration))
        except psycopg.Error as error:
            raise self._failed(migration, error) from error

    def run(self, statements: Sequence[str]) -> None:
        """Run statements that belong to no migration in one transaction of their own; raises psycopg.Error."""
        self._with_roles(lambda: self._run(statements))

    def do_by_hand(self, newest: Shape, live: Shape) -> list[str]:
        """Do here what was done to the live database by hand; return a sentence for each thing that cannot be done here.

        An extension that only operators use (pg_stat_statements) cannot be made without a superuser and is in nobody's way.
        """
        failed = []
        for key, statements in drift.made_by_hand(newest, live):
            try:
                self.run(statements)
            except psycopg.Error as error:
                self.connection.rollback()
                said = error.diag.message_primary or str(error).strip()
                if key[0] != "extension":
                    failed.append(
                        f"{key[0].capitalize()} {'.'.join(key[1:])} was changed on the target by hand, which cannot be done "
                        f"on the scratch server ({said}), so the draft does not know of it."
                    )
        return failed

    def _run(self, statements: Sequence[str]) -> None:
        for sql_text in statements:
            self.connection.execute(sql_text.encode())
        self.connection.commit()

    def _with_roles(self, act: Callable[[], None]) -> None:
        """Do something that may name roles, making each that is missing and doing it again from its beginning."""
        for _ in range(ROLES_AT_MOST):
            try:
                act()
                return
            except psycopg.errors.UndefinedObject as error:
                missing = MISSING_ROLE.search(str(error))
                if missing is None:
                    raise
                self._make_role(missing["role"])
        raise Unreplayable(f"More than {ROLES_AT_MOST} roles are named that do not exist on the scratch server.")

    def _apply(self, migration: Migration) -> None:
        try:
            apply_one(self.connection, migration, self.folder, self.layout)
        except psycopg.errors.ActiveSqlTransaction:
            # CREATE INDEX CONCURRENTLY and its like: such a file was applied statement by statement.
            self._apply_alone(migration)

    def _apply_alone(self, migration: Migration) -> None:
        self.connection.autocommit = True
        try:
            for piece in pieces(migration.sql or ""):
                self.connection.execute(piece.encode(), prepare=False)
            insert_row(self.connection, migration, self.folder, self.layout)
        finally:
            self.connection.autocommit = False

    def _make_role(self, role: str) -> None:
        self.connection.rollback()
        self.scratch.make_role(self.connection, role)
        self.connection.commit()
        self.roles.append(role)

    def _failed(self, migration: Migration, error: psycopg.Error) -> Unreplayable:
        said = error.diag.message_primary or str(error).strip().splitlines()[0]
        return Unreplayable(f"{migration.tag} cannot be replayed on the scratch server: {said}.")


@contextmanager
def replay(scratch: Scratch, folder: Folder, layout: Layout, *, purpose: str) -> Iterator[Replay]:
    """Yield a replay in a new empty scratch database; database and roles are gone afterwards."""
    name = replay_name(purpose)
    scratch.create(name)
    made: list[str] = []
    try:
        with scratch.connect(name) as connection:
            state = Replay(scratch, connection, folder, layout)
            made = state.roles
            yield state
            connection.rollback()
    finally:
        scratch.drop(name)
        scratch.drop_roles(made)


def apply_up_to(state: Replay, tag: str | None, *, told: Callable[[int, int], None]) -> None:
    """Apply the migrations up to and with the tag (None: none of them); `told` hears number and total."""
    if tag is None:
        return
    last = state.folder.migrations.index(state.folder.by_tag(tag)) + 1
    for number, migration in enumerate(state.folder.migrations[:last], 1):
        state.forward(migration)
        told(number, last)
