"""The portal's own processes on a test's database: web, worker and beat, as an operator would run them."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from portal.embedded.supervise import Supervisor
from tests.conftest import TargetDatabase


@contextmanager
def stack(nzila: TargetDatabase) -> Iterator[str]:
    """Run web, worker and beat until the block ends; yields the address. Only the worker knows the target."""
    place = connection.settings_dict
    port = free_port()
    environ = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{place['USER']}@/{place['NAME']}?host={place['HOST']}",
        "CELERY_QUEUE": f"e2e-{port}",
        # A cache of its own: sign-ins of other tests at this moment count against the same limit of an address.
        "REDIS_URL": os.environ["REDIS_URL"].replace("virtual_host=0", f"virtual_host={1 + port % 15}"),
        "SWEEP_SECONDS": "2",
        "DATABASE_POOL_SIZE": "4",
    }
    celery = [sys.executable, "-m", "celery", "-A", "portal"]
    uvicorn = [
        sys.executable,
        "-m",
        "uvicorn",
        "portal.asgi:application",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    supervisor = Supervisor(environ)
    schedule = nzila.repository.parent / "beat"
    try:
        supervisor.start("web", uvicorn, extra={"SCRATCH_DATABASE_URL": "", "BACKUP_DIR": "", "PGSERVICEFILE": ""})
        supervisor.start(
            "worker",
            [*celery, "worker", "--concurrency", "2", "--loglevel", "warning", "--without-mingle", "--without-gossip"],
            extra=nzila.environ
            | {name: environ[name] for name in ("DATABASE_URL", "REDIS_URL", "CELERY_QUEUE", "DATABASE_POOL_SIZE")},
        )
        supervisor.start("beat", [*celery, "beat", "--loglevel", "warning", "--schedule", str(schedule)])
        supervisor.wait_ready(f"http://127.0.0.1:{port}/readyz")
        # Passkeys belong to a name: a browser makes none for an address.
        yield f"http://localhost:{port}"
    finally:
        supervisor.stop()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])
