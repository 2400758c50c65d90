"""What all tests share: the cluster's services, demo people, and targets made from one template database."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from psycopg import sql

from demo import target as demo_target

# The password with which every worker of a test signs in to its target; nothing that is kept or shown may hold it.
CANARY = "canary-Zx7-kept-nowhere"
# Where it was met, to fail the test that is running.
MET: list[str] = []

# With THOROUGH=1 every row of a table of faults is tried, and not only those that differ most.
THOROUGH = os.environ.get("THOROUGH") == "1"

# What Django makes for the models themselves, which no test changes.
STANDING = {"django_content_type", "auth_permission"}
ALWAYS_ON_DELETE = """
    SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger
     WHERE tgrelid = ANY (%s::regclass[]) AND tgenabled = 'A' AND tgtype & 8 <> 0"""
NUMBERS = itertools.count(1)
# A password's hash takes a quarter of a second on purpose; seven are made once and not for every test.
HASHES: dict[str, str] = {}
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
# All test processes share one broker, so each has a queue of its own, and so have the workers that it starts.
os.environ["CELERY_QUEUE"] = settings.CELERY_TASK_DEFAULT_QUEUE = f"tests-{WORKER}"


@pytest.fixture(autouse=True, scope="session")
def _emptied_after_commits() -> Iterator[None]:
    """Empty after a committing test what it filled, which the append-only tables refuse: lift just that.

    Django would truncate every table and make permissions and content types again, in a quarter of a second.
    """
    original = TransactionTestCase._fixture_teardown

    def teardown(self: TransactionTestCase) -> None:
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - STANDING
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables))
            filled = [row[0] for row in cursor.fetchall()]
            met = (
                f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name} AS r WHERE r::text LIKE '%{CANARY}%')"
                for name in filled
            )
            cursor.execute(" UNION ALL ".join(met) or "SELECT WHERE false")
            MET.extend(f"the portal's table {row[0]}" for row in cursor.fetchall())
            cursor.execute(ALWAYS_ON_DELETE, [filled])
            always = cursor.fetchall()
            # Ordinary triggers, foreign keys among them, do not fire in this role, so any order will do.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table, trigger in always:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
            for table in filled:
                cursor.execute(f"DELETE FROM {table}")
            for table, trigger in always:
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = original


class Listener(logging.Handler):
    """Listens to everything that is logged in this process."""

    def emit(self, record: logging.LogRecord) -> None:
        if CANARY in self.format(record):
            MET.append(f"the log of {record.name}")


@pytest.fixture(autouse=True, scope="session")
def _listened() -> Iterator[None]:
    """Look for the canary in every log line and every answer of the portal."""
    listener, request = Listener(), Client.request
    logging.getLogger().addHandler(listener)

    def answered(self: Client, **environ: Any) -> Any:
        response = request(self, **environ)
        if not response.streaming and CANARY.encode() in response.content:
            MET.append(f"the page {environ.get('PATH_INFO')}")
        return response

    Client.request = answered
    yield
    Client.request = request
    logging.getLogger().removeHandler(listener)


@pytest.fixture(autouse=True)
def _nothing_secret() -> Iterator[None]:
    """Fail the test in which the canary got anywhere."""
    yield
    met = MET.copy()
    MET.clear()
    assert met == [], f"The target's password is in {', '.join(met)}."


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


@pytest.fixture(scope="session")
def repository_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one committed and pushed nzila repository and its origin, to be copied for every test."""
    folder = tmp_path_factory.mktemp("repository")
    demo_target.create_repository(folder)
    return folder


def copied(template: Path, folder: Path) -> Path:
    """Copy a repository with its origin, which the copy then points at; return the clone."""
    shutil.copytree(template, folder, symlinks=True)
    config = folder / "nzila" / ".git" / "config"
    config.write_text(config.read_text().replace(str(template), str(folder)))
    return folder / "nzila"


@pytest.fixture
def nzila(
    cluster_url: str, target_template: str, repository_template: Path, tmp_path: Path
) -> Iterator[TargetDatabase]:
    """A fresh nzila target with its repository; its owner is the template's role, which is no superuser."""
    name = f"nzila-{WORKER}-{next(NUMBERS)}"
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(target_template), sql.Identifier(target_template)
            )
        )
    url = _url(cluster_url, name, target_template)
    backups = tmp_path / "backups"
    backups.mkdir()
    environ = {
        **os.environ,
        f"{name.upper().replace('-', '_')}_DIRECT_DATABASE_URL": url.replace("@", f":{CANARY}@", 1),
        "BACKUP_DIR": str(backups),
    }
    yield TargetDatabase(name, url, copied(repository_template, tmp_path / "repository"), environ)
    _look_for_the_canary(backups)
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)


def _look_for_the_canary(backups: Path) -> None:
    """Look at what the worker kept in files and at what waits in the queue."""
    MET.extend(
        f"the file {each.name}"
        for each in backups.rglob("*")
        if each.is_file() and CANARY.encode() in each.read_bytes()
    )
    broker = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"])
    if any(CANARY.encode() in message for message in broker.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)):
        MET.append("the queue")


@pytest.fixture
def people(db: None) -> dict[str, Any]:
    """The demo people by role."""
    from demo.organisation import PEOPLE, add_people

    accounts = add_people([replace(person, password=None) for person in PEOPLE])
    for person in PEOPLE:
        account = accounts[person.role]
        if person.username not in HASHES:
            # Django's own hasher, also where the first test of a process has put a cheaper one in force.
            hasher = PBKDF2PasswordHasher()
            HASHES[person.username] = hasher.encode(person.password, hasher.salt())
        account.password = HASHES[person.username]
        account.save(update_fields=["password"])
    return accounts


def _url(admin: str, database: str, user: str) -> str:
    scheme, rest = admin.split("://", 1)
    host = rest.split("?", 1)[1]
    return f"{scheme}://{user}@/{database}?{host}"
