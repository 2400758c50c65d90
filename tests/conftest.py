"""What all tests share: the cluster's services, demo people, and targets made from one template database."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql

from demo import target as demo_target

KEPT_TRIGGERS = (
    ("records_fact", "records_fact_keep_all"),
    ("records_changerecord", "records_changerecord_keep_all"),
    ("approvals_signoff", "approvals_signoff_keep_all"),
)
NUMBERS = itertools.count(1)
# A password's hash takes a quarter of a second on purpose; seven are made once and not for every test.
HASHES: dict[str, str] = {}
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
# All test processes share one broker, so each has a queue of its own, and so have the workers that it starts.
os.environ["CELERY_QUEUE"] = settings.CELERY_TASK_DEFAULT_QUEUE = f"tests-{WORKER}"


@pytest.fixture(autouse=True, scope="session")
def _flush_may_truncate() -> Iterator[None]:
    """Cleaning up after a committing test truncates, which the append-only tables refuse: lift just that."""
    original = TransactionTestCase._fixture_teardown

    def teardown(self: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            for table, trigger in KEPT_TRIGGERS:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        try:
            original(self)
        finally:
            with connection.cursor() as cursor:
                for table, trigger in KEPT_TRIGGERS:
                    cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = original


@dataclass(frozen=True)
class TargetDatabase:
    """A target of one test: its name, URL, repository, and the worker's environment that leads to it."""

    name: str
    url: str
    repository: Path
    environ: dict[str, str]

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as line:
            return line.execute(query).fetchall()


@pytest.fixture(scope="session")
def cluster_url() -> str:
    """The URL of the cluster that holds the targets, as its superuser."""
    return os.environ["DATABASE_URL"]


@pytest.fixture(scope="session")
def target_template(cluster_url: str) -> Iterator[str]:
    """One migrated and seeded nzila database, from which every test's target is copied in milliseconds."""
    name = f"nzila_template_{WORKER}"
    demo_target.create_database(cluster_url, name)
    demo_target.seed(_url(cluster_url, name, name))
    yield name
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)


@pytest.fixture
def nzila(cluster_url: str, target_template: str, tmp_path: Path) -> Iterator[TargetDatabase]:
    """A fresh nzila target with its repository; its owner is the template's role, which is no superuser."""
    name = f"nzila-{WORKER}-{next(NUMBERS)}"
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(target_template), sql.Identifier(target_template)
            )
        )
    url = _url(cluster_url, name, target_template)
    backups = tmp_path / "backups"
    backups.mkdir()
    environ = {
        **os.environ,
        f"{name.upper().replace('-', '_')}_DIRECT_DATABASE_URL": url,
        "BACKUP_DIR": str(backups),
    }
    yield TargetDatabase(name, url, demo_target.create_repository(tmp_path / "repository"), environ)
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)


@pytest.fixture
def people(db: None) -> dict[str, Any]:
    """The demo people by role."""
    from django.contrib.auth.models import Group

    from approvals.roles import ROLES
    from demo.organisation import PEOPLE, add_people

    # A committing test before this one flushed the groups that a migration made.
    for role in ROLES:
        Group.objects.get_or_create(name=role)
    accounts = add_people([replace(person, password=None) for person in PEOPLE])
    for person in PEOPLE:
        account = accounts[person.role]
        if person.username not in HASHES:
            HASHES[person.username] = make_password(person.password)
        account.password = HASHES[person.username]
        account.save(update_fields=["password"])
    return accounts


def _url(admin: str, database: str, user: str) -> str:
    scheme, rest = admin.split("://", 1)
    host = rest.split("?", 1)[1]
    return f"{scheme}://{user}@/{database}?{host}"
