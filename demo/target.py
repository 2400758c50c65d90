"""The demo's target: the nzila database as Drizzle's migrate() leaves it, and its repository with a bare origin."""

from __future__ import annotations

import os
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
INITIAL = "0000_initial"
# The fixture has rows for two states: the newest one, and the first, to watch 0002 fill its new columns.
SEEDS = {None: "seed.sql", INITIAL: "seed-at-0000.sql"}
BUILT = shutil.ignore_patterns("node_modules", "__pycache__")
AUTHOR = ("Nzila", "platform@nzila.example")


def reverse_sql() -> dict[str, str]:
    """Return the reverse SQL that ships with the demo, by the tag of the migration that it undoes."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(REVERSE.glob("*.sql"))}


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


def forward(url: str, *, until: str | None = None, folder: Folder | None = None) -> list[str]:
    """Apply what is pending up to and with `until` (None: all), ledger rows included; return the tags."""
    with psycopg.connect(url) as connection:
        return apply_forward(connection, folder or migrations(), LAYOUT, until=until)


def seed(url: str, *, until: str | None = None) -> None:
    """Apply the migrations (up to and with `until`) with ledger rows as migrate() writes them, then add the rows.

    Rows exist for the newest state and for the one after 0000; other states are left as they are. A database
    that is already seeded is left alone, so this can be done again.
    """
    forward(url, until=until)
    if until not in SEEDS:
        return
    # The files open and close their own transaction.
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM public.entities LIMIT 1").fetchone() is None:
            connection.execute((MONOREPO / SEEDS[until]).read_bytes())


def create_repository(folder: Path) -> Path:
    """Make the monorepo a real git repository with a first commit on main and a bare origin beside it.

    Whatever was in the folder before is replaced; returns the path of the clone.
    """
    clone, origin = folder / "nzila", folder / "nzila.git"
    for old in (clone, origin):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(MONOREPO, clone, ignore=BUILT, copy_function=shutil.copyfile)
    _make_writable(clone)
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    _git(clone, "init", "--quiet", "--initial-branch=main")
    _git(clone, "add", "--all")
    _git(clone, "commit", "--quiet", "--message", "Import the monorepo")
    _git(clone, "remote", "add", "origin", str(origin))
    _git(clone, "push", "--quiet", "--set-upstream", "origin", "main")
    return clone


def _make_writable(clone: Path) -> None:
    """The portal may be installed read-only, and a copied folder has the rights of the original."""
    for path in (clone, *clone.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)


def _git(folder: Path, *arguments: str) -> None:
    name, email = AUTHOR
    command = [
        "git", "-c", f"user.name={name}", "-c", f"user.email={email}", "-c", "commit.gpgsign=false",
        # What the fixture holds is committed byte for byte, whatever this machine does to line endings.
        "-c", "core.autocrlf=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*",
        "-C", str(folder), *arguments,
    ]  # fmt: skip
    # Without the variables of a git that we may run under, such as a hook's GIT_DIR.
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(command, check=True, capture_output=True, env=environ)
