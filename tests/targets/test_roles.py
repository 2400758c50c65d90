"""The worker's role on a target: the script that makes it, and the powers for which a target is refused (F14)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from demo.target import LAYOUT
from rollbacks.adapters import roles
from rollbacks.adapters import target as targets
from rollbacks.adapters.pg_tools import find_tools
from tests.conftest import WORKER, TargetDatabase
from tests.rollback import drive, started, step

SCRIPT = Path(settings.BASE_DIR) / "deploy" / "create-target-role.sql"


@pytest.fixture
def admin(cluster_url: str, nzila: TargetDatabase) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(cluster_url.replace("/postgres?", f"/{nzila.name}?"), autocommit=True) as superuser:
        yield superuser
        for (name,) in superuser.execute(
            f"SELECT rolname FROM pg_roles WHERE rolname LIKE 'role\\_{WORKER}%'"
        ).fetchall():
            superuser.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


@pytest.mark.parametrize(
    ("attributes", "member_of", "says"),
    [
        ("SUPERUSER", "", "is a superuser"),
        ("CREATEROLE", "", "may create roles"),
        ("REPLICATION", "", "may replicate"),
        ("", "pg_execute_server_program", "pg_execute_server_program, which reaches files or programs"),
        ("", "pg_read_server_files", "pg_read_server_files, which reaches files or programs"),
        ("NOINHERIT", "pg_write_server_files", "pg_write_server_files, which reaches files or programs"),
    ],
)
def test_a_role_that_could_do_more_than_a_rollback_is_refused(
    nzila: TargetDatabase, admin: psycopg.Connection[tuple[Any, ...]], attributes: str, member_of: str, says: str
) -> None:
    name = f"role_{WORKER}"
    admin.execute(f"CREATE ROLE {name} LOGIN {attributes}")
    if member_of:
        admin.execute(f"GRANT {member_of} TO {name}")
    with psycopg.connect(_as(nzila, name)) as line, pytest.raises(targets.NotPrivileged, match=says):
        roles.refuse_powerful_role(line)


@pytest.mark.django_db(transaction=True)
def test_a_run_with_a_powerful_role_stops_before_anything_is_read(
    nzila: TargetDatabase, people: dict[str, Any], admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    execution = started(people, nzila)
    owner = conninfo_to_dict(nzila.url)["user"]
    admin.execute(f'CREATE ROLE role_{WORKER} LOGIN CREATEROLE IN ROLE "{owner}"')
    variable = f"{nzila.name.upper().replace('-', '_')}_DIRECT_DATABASE_URL"

    assert drive(execution, {**nzila.environ, variable: _url(nzila, f"role_{WORKER}")}) == "failed"

    assert "may create roles" in step(execution, "preflight").sentence


def test_the_script_makes_a_role_that_can_roll_back_and_nothing_else(
    nzila: TargetDatabase, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    owner, name = str(conninfo_to_dict(nzila.url)["user"]), f"role_{WORKER}"
    psql = find_tools(admin.info.server_version // 10_000, nzila.environ).pg_dump.with_name("psql")
    variables = [word for pair in (f"worker={name}", f"owner={owner}", "ledger=drizzle") for word in ("-v", pair)]
    subprocess.run(
        [psql, "-X", "-q", "-d", _as(nzila, "postgres"), *variables, "-f", SCRIPT], check=True, capture_output=True
    )
    with psycopg.connect(_as(nzila, name)) as line:
        roles.refuse_powerful_role(line)
        roles.refuse_missing_privileges(line, layout=LAYOUT, owner_role=owner)
        line.execute(f'SET LOCAL ROLE "{owner}"; CREATE SCHEMA rollback_archive; DROP TABLE audit_events CASCADE')
        line.rollback()
        assert line.execute("SELECT count(*) >= 0 FROM audit_events").fetchone() == (True,)


def _as(nzila: TargetDatabase, role: str) -> str:
    return psycopg.conninfo.make_conninfo(nzila.url, user=role)


def _url(nzila: TargetDatabase, role: str) -> str:
    return nzila.url.replace(f"//{conninfo_to_dict(nzila.url)['user']}@", f"//{role}@")
