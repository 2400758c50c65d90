"""Checkouts of the monorepo with the real toolchain in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from demo import target as demo_target
from tests.conftest import TargetDatabase
from tests.toolchain.drizzle import Drizzle, drizzle

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture
def toolchain(nzila: TargetDatabase) -> Drizzle:
    """The toolchain in the working tree of a fresh target's repository, for that target's database."""
    return drizzle(nzila.repository, nzila.url)


@pytest.fixture
def empty_url(cluster_url: str) -> Iterator[str]:
    """The URL of an empty database, as the role that owns it."""
    name = f"toolchain_{WORKER}"
    demo_target.create_database(cluster_url, name)
    scheme, rest = cluster_url.split("://", 1)
    yield f"{scheme}://{name}@/{name}?{rest.split('?', 1)[1]}"
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of the monorepo without a database."""
    return demo_target.create_repository(tmp_path / "plain")
