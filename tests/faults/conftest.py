"""What the soak and the kill matrix share: the lines to the portal and the target, and workers behind them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TargetDatabase
from tests.faults.relay import Relay
from tests.faults.world import World, nursery, portal_socket


@pytest.fixture(scope="session")
def portal(django_db_setup: None, django_db_blocker: Any) -> Iterator[Relay]:
    with django_db_blocker.unblock():
        relay = Relay(portal_socket())
    yield relay
    relay.close()


@pytest.fixture(scope="session")
def workers(
    portal: Relay, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[subprocess.Popen[str]]:
    with django_db_blocker.unblock(), nursery(portal, tmp_path_factory.mktemp("nursery")) as process:
        yield process


@pytest.fixture
def world(nzila: TargetDatabase, portal: Relay, workers: subprocess.Popen[str], tmp_path: Path) -> Iterator[World]:
    target = Relay(portal_socket())
    made = World(nzila, workers, portal, target, tmp_path / "worker.log")
    yield made
    made.dismiss()
    portal.flow()
    target.close()
