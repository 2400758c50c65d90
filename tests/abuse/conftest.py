"""What the tests of abuse share, and the way to send them through a web server of their own.

OVER_SOCKETS=1 sends every request to uvicorn on loopback instead of through the application in this process. It is
slower and shows the same, so it is for a release.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import client as django_client

from portal.embedded.supervise import Supervisor
from tests.abuse.sockets import SocketHandler
from tests.e2e.stack import free_port

OVER_SOCKETS = os.environ.get("OVER_SOCKETS") == "1"


@pytest.fixture(autouse=True)
def _unlimited(settings: Any) -> None:
    """Attempts are limited per minute, which tests/accounts tries; here hundreds are made on purpose."""
    settings.ACCOUNT_RATE_LIMITS = False


@pytest.fixture(scope="session")
def web_server(django_db_setup: None) -> Iterator[tuple[int, str]]:
    """A web server on this process's test database, with a cache of its own; yields its port and the cache's URL."""
    place, port = connection.settings_dict, free_port()
    cache = os.environ["REDIS_URL"].replace("virtual_host=0", f"virtual_host={1 + port % 15}")
    environ = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{place['USER']}@/{place['NAME']}?host={place['HOST']}",
        "REDIS_URL": cache,
        "DATABASE_POOL_SIZE": "8",
    }
    command = [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--port", str(port), "--log-level", "error"]
    supervisor = Supervisor(environ)
    try:
        supervisor.start("web", command)
        supervisor.wait_ready(f"http://127.0.0.1:{port}/readyz")
        yield port, cache
    finally:
        supervisor.stop()


@pytest.fixture(autouse=OVER_SOCKETS)
def over_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what a test's browsers ask to the web server, whose limits of attempts begin anew for each request."""
    if request.module.__name__.endswith("test_routes"):
        # It undoes what each request did, and a server's own transactions cannot be undone.
        return
    port, cache = request.getfixturevalue("web_server")
    store = redis.Redis.from_url(cache.replace("redis+socket://", "unix://").replace("?virtual_host=", "?db="))
    monkeypatch.setattr(django_client, "ClientHandler", lambda *_checks: SocketHandler(port, store.flushdb))
