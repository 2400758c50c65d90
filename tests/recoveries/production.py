"""A production cluster of its own with a WAL archive, and what tests do to bring a recovery to its steps."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from approvals.policy import Choice
from demo import target as demo_target
from portal.embedded.postgres import Postgres
from portal.embedded.state import State
from recoveries import engine
from recoveries.models import Recovery
from recoveries.providers.recovering_server import RecoveringServer
from recoveries.services import opening, running, signing
from rollbacks.models import Target
from rollbacks.services import targets
from rollbacks.steps.observation import observe_target
from tests.passkeys import confirmed, passkey_of

SERVER_USER = "nobody"
NEWEST, PROBLEM = "0003_redundant_starfox", "0004_audit_events_immutable"


@dataclass(frozen=True)
class Production:
    """The cluster, its folders, and the worker's environment that leads there."""

    cluster: Postgres
    root: Path
    repository: Path

    @property
    def url(self) -> str:
        return self.cluster.url("prod")

    @property
    def archive(self) -> Path:
        return self.root / "wal"

    @property
    def servers(self) -> Path:
        return self.root / "new"

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "PROD_DIRECT_DATABASE_URL": self.cluster.url("prod", "prod"),
            "PROD_BASE_BACKUPS": str(self.root / "base"),
            "PROD_WAL_ARCHIVE": str(self.archive),
            "RECOVERY_SERVERS": str(self.servers),
            "RECOVERY_SERVER_USER": SERVER_USER,
            "PG_BINDIR": str(self.cluster.bin),
        }

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as line:
            return line.execute(query).fetchall()

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as line:
            for statement in statements:
                line.execute(statement.encode())

    def now(self) -> datetime:
        """The server's time with a whole second before and after it, because points are whole seconds."""
        time.sleep(1.1 - datetime.now(UTC).microsecond / 1_000_000 % 1)
        return datetime.now(UTC).replace(microsecond=0)

    def archived(self) -> None:
        """Have everything that was committed archived."""
        name = self.rows("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
        self.run("SELECT pg_switch_wal()")
        deadline = time.monotonic() + 20
        while not (self.archive / name).exists():
            assert time.monotonic() < deadline, "the WAL was not archived"
            time.sleep(0.02)

    def base_backup(self, label: str) -> Path:
        folder = self.root / "base" / label
        done = subprocess.run(
            [str(self.cluster.bin / "pg_basebackup"), "-D", str(folder), "-X", "none", "-c", "fast", "-l", label,
             "-h", str(self.cluster.socket), "-U", "postgres", "--no-sync"], capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return folder

    def new_server(self, name: str) -> RecoveringServer:
        return RecoveringServer(self.servers / name, self.cluster.bin, {}, {"dbname": "prod", "user": "prod"})

    def damage(self) -> datetime:
        """Let a moment pass and a migration damage the data; return the moment. Everything is archived."""
        point = self.now()
        time.sleep(1)
        demo_target.forward(self.cluster.url("prod", "prod"), until=PROBLEM)
        self.run(
            "UPDATE public.entities SET legal_name = 'damaged'", "UPDATE public.members SET email = id || '@damaged'"
        )
        self.archived()
        return point

    def on_new(self, name: str, query: str) -> list[tuple[Any, ...]]:
        host = self.servers / name / "socket"
        with psycopg.connect(host=str(host), dbname="prod", user="prod") as line:
            return line.execute(query.encode()).fetchall()


@contextmanager
def production(repository: Path) -> Iterator[Production]:
    """Start the cluster with the demo's database and one base backup; every new server is stopped at the end."""
    # A socket's path may have 103 bytes, so this is not below pytest's folders.
    root = Path(tempfile.mkdtemp(prefix="pr-", dir="/var/tmp"))
    root.chmod(0o755)
    for name in ("wal", "base", "new", "logs"):
        (root / name).mkdir(mode=0o755)
    cluster = Postgres(State(root), "old")
    if cluster.user:
        os.chown(root / "wal", pwd.getpwnam("nobody").pw_uid, -1)
    made = Production(cluster, root, repository)
    try:
        cluster.start(
            "archive_mode=on", f"archive_command=test ! -f {root}/wal/%f && cp %p {root}/wal/%f", "fsync=off",
            "wal_level=replica", "log_timezone=UTC", tied=True,
        )  # fmt: skip
        demo_target.create_database(cluster.url("postgres"), "prod")
        demo_target.seed(cluster.url("prod", "prod"), until=demo_target.INITIAL)
        demo_target.forward(cluster.url("prod", "prod"), until=NEWEST)
        # Settings that a base backup brings along and that a new server must not have.
        cluster.run(
            "postgres", "ALTER SYSTEM SET archive_mode = 'on'", "ALTER SYSTEM SET archive_command = 'false'",
            "ALTER SYSTEM SET recovery_target_name = 'another'", "ALTER SYSTEM SET listen_addresses = '127.0.0.1'",
        )  # fmt: skip
        made.base_backup("monday")
        # What only the archived WAL has.
        made.run("UPDATE public.entities SET legal_name = legal_name || ', since Monday'")
        yield made
    finally:
        for folder in made.servers.iterdir():
            made.new_server(folder.name).stop()
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


def register(made: Production) -> Target:
    """Register the target and keep one reading of it."""
    target = targets.register_target(
        None, name="prod", title="Production", environment="production", repository=str(made.repository),
        out=demo_target.OUT, audit_tables=["audit_events"],
    )  # fmt: skip
    observation = observe_target(targets.settings_of(target), environ=made.environ)
    targets.keep_inventory(target.pk, content=observation.content())
    return target


def chosen(
    people: Mapping[str, Any], target: Target, environ: Mapping[str, str], *, provider: str = "self_managed", **choice: Any
) -> Recovery:  # fmt: skip
    """Open a recovery, ask the provider, and choose."""
    recovery = opening.open_recovery(
        people["engineer"], target=target, provider=provider, incident="INC-7", purpose="Amounts are wrong."
    )
    engine.read_restorable(recovery.pk, environ=environ)
    opening.choose(people["engineer"], recovery.pk, opening.Choice(**choice))
    recovery.refresh_from_db()
    return recovery


def approved(people: Mapping[str, Any], recovery: Recovery) -> Recovery:
    """Submit it and have it signed by platform."""
    digest = opening.submit(people["engineer"], recovery.pk).digest
    vote(people["platform"], recovery, digest)
    recovery.refresh_from_db()
    return recovery


def vote(person: Any, recovery: Recovery, digest: str, role: str = "platform", choice: Choice = Choice.APPROVE) -> Any:
    """Sign with the person's passkey."""
    passkey_of(person)
    reason = "" if choice is Choice.APPROVE else "Carry the rows over instead."
    statement = signing.statement_of(
        person, recovery.pk, role=role, choice=choice.value, reason=reason, digest=digest
    )  # fmt: skip
    return signing.sign_off(
        person, recovery.pk, role=role, choice=choice, reason=reason, digest_seen=digest,
        confirmation=confirmed(statement, person),
    )  # fmt: skip


def started(people: Mapping[str, Any], recovery: Recovery) -> Recovery:
    """Have it signed and start it."""
    approved(people, recovery)
    running.start(people["engineer"], recovery.pk)
    recovery.refresh_from_db()
    return recovery


def driven(recovery: Recovery, environ: Mapping[str, str]) -> str:
    """Do the worker's steps until it waits for somebody; return the state."""
    while engine.advance(recovery.pk, worker="test", environ=environ):
        pass
    recovery.refresh_from_db()
    return recovery.state


def worker_environment() -> dict[str, str]:
    """Return what a worker process of its own needs to find this test's database."""
    name = connection.settings_dict
    return {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": f"postgresql://{name['USER']}@/{name['NAME']}?host={name['HOST']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
