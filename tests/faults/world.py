"""What a run depends on, all of it real and all of it breakable: workers, lines, the broker, the clusters."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

from portal.embedded.services import FAST, Services
from portal.embedded.state import State
from rollbacks import doorbell, tasks
from tests.conftest import TargetDatabase
from tests.faults.relay import Relay

LEASE_SECONDS = 1.5
WORKERS = 2
SMALL_FILE = 4096


@dataclass
class Worker:
    """A Celery worker: `pid` is its parent process and leads the group of both."""

    pid: int

    def alive(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()

    def children(self) -> list[int]:
        with suppress(OSError):
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        return []

    def send(self, sign: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, sign)

    def send_all(self, sign: signal.Signals) -> None:
        """Signal parent and child, also a child whose parent is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, sign)


@dataclass
class World:
    """One run's surroundings; `nursery` and the portal's relay outlive it."""

    nzila: TargetDatabase
    nursery: subprocess.Popen[str]
    portal: Relay
    target: Relay
    log: Path
    point: list[str] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    old: list[Worker] = field(default_factory=list)
    swept: float = 0.0
    # Whether the beat rings for notices as well.
    telling: bool = False

    def environ(self) -> dict[str, str]:
        """Return what a worker of this run finds in its environment beside the nursery's."""
        parts = urlsplit(self.nzila.url)
        url = f"postgresql://{parts.username}@127.0.0.1:{self.target.port}{parts.path}?sslmode=disable"
        variable = f"{self.nzila.name.upper().replace('-', '_')}_DIRECT_DATABASE_URL"
        return {
            variable: url,
            "BACKUP_DIR": self.nzila.environ["BACKUP_DIR"],
            "TMPDIR": str(self.log.parent),
            "PAUSED": str(self.log.with_name("paused")),
        }

    def hire(self) -> Worker:
        """Start one worker more."""
        assert self.nursery.stdin is not None and self.nursery.stdout is not None
        order = {"environ": self.environ(), "log": str(self.log), "point": self.point}
        self.nursery.stdin.write(json.dumps(order) + "\n")
        self.nursery.stdin.flush()
        worker = Worker(int(self.nursery.stdout.readline()))
        self.workers.append(worker)
        return worker

    def tend(self) -> None:
        """Do what a container platform and the beat do: replace workers that ended, and sweep."""
        for worker in [each for each in self.workers if not each.alive()]:
            self.workers.remove(worker)
            self.old.append(worker)
        while len(self.workers) < WORKERS:
            self.hire()
        if time.monotonic() - self.swept > 0.3:
            self.swept = time.monotonic()
            patiently(tasks.sweep)
            if self.telling:
                patiently(lambda: doorbell.send("notices.tasks.work"))

    def paused(self) -> Worker | None:
        """Return the process that stopped itself at the point, once it has; its parent is the worker."""
        with suppress(OSError, ValueError):
            pid = int(Path(self.environ()["PAUSED"]).read_text())
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T":
                return Worker(pid)
        return None

    def dismiss(self) -> None:
        """Let no process of this run live on."""
        for worker in (*self.workers, *self.old):
            worker.send_all(signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(_group_lives(worker.pid) for worker in (*self.workers, *self.old)):
            assert time.monotonic() < deadline, "a worker does not die"
            time.sleep(0.02)
        self.workers, self.old = [], []

    def limit_files(self, size: int) -> None:
        """Make the disk as good as full for every process of the workers, or (-1) not any more."""
        for pid in [pid for worker in self.workers for pid in (worker.pid, *worker.children())]:
            with suppress(ProcessLookupError, PermissionError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size < 0 else size, hard))

    def restart_portal(self, sign: signal.Signals) -> None:
        """Restart the cluster with the portal's database and the target: SIGINT politely, SIGQUIT as a crash does."""
        services().portal.restart(sign)

    def restart_scratch(self, sign: signal.Signals) -> None:
        """Restart the scratch server."""
        services().scratch.restart(sign)

    def restart_broker(self) -> None:
        """Kill the broker and start it again, with all messages forgotten."""
        found = services().valkey
        pid = int(found.pid_file.read_text())
        os.kill(pid, signal.SIGKILL)
        _wait_dead(pid)
        for part in (found.folder / "appendonlydir").glob("*"):
            part.unlink()
        found.socket.unlink(missing_ok=True)
        found.start(tied=True)


class _Restartable:
    """The clusters of this test run, stopped by a signal and started again as they were."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster

    def restart(self, sign: signal.Signals) -> None:
        pid = int((self.cluster.folder / "postmaster.pid").read_text().split("\n", 1)[0])
        connection.close()
        os.kill(pid, sign)
        _wait_dead(pid)
        self.cluster.start(*FAST, tied=True)


@dataclass
class _Parts:
    portal: _Restartable
    scratch: _Restartable
    valkey: Any


def services() -> _Parts:
    """Return the services of `./dev test`, found by the folder that it made for them."""
    found = Services(State(Path(os.environ["PORTAL_STATE"])))
    return _Parts(_Restartable(found.portal), _Restartable(found.scratch), found.valkey)


def patiently(call: Callable[[], Any]) -> Any:
    """Call; None when the portal's database or the broker is away at this moment."""
    try:
        return call()
    except (OperationalError, InterfaceError, redis.RedisError):
        connection.close()
        return None


@contextmanager
def nursery(portal: Relay, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the process that forks workers; they reach the portal's database through the relay only."""
    place = connection.settings_dict
    environ = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{place['USER']}@127.0.0.1:{portal.port}/{place['NAME']}?sslmode=disable",
        "LEASE_SECONDS": str(LEASE_SECONDS), "RETRY_SECONDS": "0.1", "DATABASE_POOL_SIZE": "0",
        "DATABASE_IDLE_SECONDS": "2",
        "CELERY_QUEUE": settings.CELERY_TASK_DEFAULT_QUEUE, "PYTHONPATH": os.getcwd(),
        "DJANGO_SETTINGS_MODULE": "portal.settings", "EMAIL_URL": f"filemail:///{folder / 'mail'}",
        "NOTICE_LEASE_SECONDS": str(LEASE_SECONDS), "NOTICE_RETRY_SECONDS": "0.1",
    }  # fmt: skip
    script = str(Path(__file__).with_name("nursery.py"))
    with (folder / "nursery.log").open("w") as log:
        child = subprocess.Popen(
            [sys.executable, script], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        yield child
    finally:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.close()
        child.wait(20)
        child.stdout.close()


def portal_socket() -> str:
    """Return the path of the socket at which the cluster of portal and target listens."""
    return f"{connection.settings_dict['HOST']}/.s.PGSQL.5432"


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_dead(pid: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/stat")
        try:
            if status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
        except FileNotFoundError:
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} does not die")
