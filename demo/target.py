"""The demo's target: the nzila database as Drizzle's migrate() leaves it, and its repository with a bare origin."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from rollbacks.adapters.ledger import apply_forward
from rollbacks.drizzle.journal import Folder, Layout, read_folder

MONOREPO = Path(__file__).parent / "nzila"
REVERSE = Path(__file__).parent / "reverse"
OUT = "packages/db/drizzle"
LAYOUT = Layout(out=OUT)
AUTHOR = ("Nzila", "platform@nzila.example")


def reverse_sql() -> dict[str, str]:
    """Return the reverse SQL that ships with the demo, by the tag of the migration that it undoes."""
    return {path.stem: path.read_text() for path in sorted(REVERSE.glob("*.sql"))}


def migrations() -> Folder:
    """Return the fixture's migrations folder."""
    root = MONOREPO / OUT
    return read_folder({str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()})


def create_database(admin_url: str, name: str) -> None:
    """Make the database afresh, owned by a role of the same name that is no superuser; one that exists is dropped."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        role = connection.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", [name]).fetchone()
        if role is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        drop_database(connection, name)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(name)))


def drop_database(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    """Drop a demo database with whatever is connected to it, if it is there."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def seed(url: str, *, until: str | None = None) -> None:
    """Apply the migrations (up to and with `until`) with ledger rows as migrate() writes them, then add the rows.

    Rows exist for the newest state and for the one after 0000; other states are left empty.
    """
    with psycopg.connect(url) as connection:
        apply_forward(connection, migrations(), LAYOUT, until=until)
        connection.commit()
    seeds = {None: "seed.sql", "0000_initial": "seed-at-0000.sql"}
    if until in seeds:
        # The files open and close their own transaction.
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((MONOREPO / seeds[until]).read_bytes())


def create_repository(folder: Path) -> Path:
    """Make the monorepo a real git repository with a first commit on main and a bare origin beside it.

    Whatever was in the folder before is replaced; returns the path of the clone.
    """
    clone, origin = folder / "nzila", folder / "nzila.git"
    for old in (clone, origin):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(MONOREPO, clone, ignore=shutil.ignore_patterns("node_modules"))
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    _git(clone, "init", "--quiet", "--initial-branch=main")
    _git(clone, "add", "--all")
    _git(clone, "commit", "--quiet", "--message", "Import the monorepo")
    _git(clone, "remote", "add", "origin", str(origin))
    _git(clone, "push", "--quiet", "--set-upstream", "origin", "main")
    return clone


def _git(folder: Path, *arguments: str) -> None:
    name, email = AUTHOR
    command = ["git", "-c", f"user.name={name}", "-c", f"user.email={email}", "-c", "commit.gpgsign=false", "-c",
               "core.hooksPath=/dev/null", "-c", "safe.directory=*", "-C", str(folder), *arguments]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
