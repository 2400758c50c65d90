"""All embedded services together: start, stop, the variables that lead to them, and service entries for targets."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from portal.embedded.postgres import Postgres
from portal.embedded.state import State, mapped
from portal.embedded.valkey import Valkey

# Durability is not what the tests test: nothing is synced, and no log is kept for a crash or a standby.
FAST = (
    "fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_level=minimal", "max_wal_senders=0",
    "max_wal_size=256MB",
)  # fmt: skip
DEMO_TARGET = "nzila"
# What runs on the scratch server has not been signed yet, so its role may make databases and roles and no more.
SCRATCH_ROLE = "rollback_scratch"


class Services:
    """Both clusters and Valkey of one state folder."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.portal = Postgres(self.state, "portal")
        self.scratch = Postgres(self.state, "scratch")
        self.valkey = Valkey(self.state)
        self.started: list[Postgres | Valkey] = []

    def start(self, *, tied: bool, fast: bool = False) -> None:
        """Start what does not run yet and make the portal's roles and database; raises EmbeddedError."""
        self.state.prepare()
        settings = FAST if fast else ()
        for cluster in (self.portal, self.scratch):
            if cluster.start(*settings, tied=tied):
                self.started.append(cluster)
        if self.valkey.start(tied=tied):
            self.started.append(self.valkey)
        self._prepare_roles()
        (self.state.root / "ready").touch()

    def stop(self, *, only_started: bool = False) -> None:
        """Stop everything, or only what this object started; Valkey first, the clusters last."""
        for service in (self.valkey, self.scratch, self.portal):
            if not only_started or service in self.started:
                service.stop()
        self.started.clear()
        if not any(self.status().values()):
            shutil.rmtree(self.state.sockets, ignore_errors=True)

    def status(self) -> dict[str, bool]:
        """Return which service answers."""
        return {
            "portal": self.portal.running(),
            "scratch": self.scratch.running(),
            "valkey": self.valkey.running(),
        }

    def environment(self) -> dict[str, str]:
        """Return the variables that lead the portal, its worker and a shell to these services."""
        root = self.state.root
        return {
            "DATABASE_URL": self.portal.url("portal", "portal_app"),
            "MIGRATE_DATABASE_URL": self.portal.url("portal", "portal_owner"),
            "REDIS_URL": self.valkey.url,
            "SCRATCH_DATABASE_URL": self.scratch.url("postgres", SCRATCH_ROLE),
            "PGSERVICEFILE": str(root / "pg_service.conf"),
            "BACKUP_DIR": str(root / "backups"),
            "SECRET_KEY": self._secret(),
            "PORTAL_DEMO": "1",
            "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
            "PORTAL_STATE": str(root),
            # For a shell and for the toolchain; the portal itself uses the service entry of the target.
            "NZILA_DIRECT_DATABASE_URL": self.portal.url(DEMO_TARGET, DEMO_TARGET),
        }

    def write_service(self, name: str, *, database: str, user: str) -> None:
        """Add or replace a libpq service entry: the worker, and nobody else, finds a target's database by it."""
        path = self.state.root / "pg_service.conf"
        with mapped(f"write {path}"):
            kept = _sections(path.read_text() if path.exists() else "")
            kept[name] = f"host={self.portal.socket}\ndbname={database}\nuser={user}\n"
            _write_private(path, "".join(f"[{section}]\n{body}\n" for section, body in kept.items()))

    def drop_service(self, name: str) -> None:
        """Remove a service entry, if it is there."""
        path = self.state.root / "pg_service.conf"
        if path.exists():
            kept = _sections(path.read_text())
            kept.pop(name, None)
            _write_private(path, "".join(f"[{section}]\n{body}\n" for section, body in kept.items()))

    def _prepare_roles(self) -> None:
        _ensure_role(self.portal, "portal_owner", "LOGIN CREATEDB")
        _ensure_role(self.portal, "portal_app", "LOGIN")
        _ensure_role(self.scratch, SCRATCH_ROLE, "LOGIN CREATEDB CREATEROLE")
        if not self.portal.has("SELECT 1 FROM pg_catalog.pg_database WHERE datname = 'portal'"):
            self.portal.run("postgres", "CREATE DATABASE portal OWNER portal_owner")

    def _secret(self) -> str:
        path = self.state.root / "secret"
        if not path.exists():
            with mapped(f"write {path}"):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_private(path, secrets.token_urlsafe(48))
        return path.read_text()


def _ensure_role(cluster: Postgres, role: str, rights: str) -> None:
    if not cluster.has(f"SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = '{role}'"):
        cluster.run("postgres", f"CREATE ROLE {role} {rights}")


def _sections(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            name = line[1:-1]
            found[name] = ""
        elif name and line.strip():
            found[name] += f"{line}\n"
    return found


def _write_private(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)
