"""What the worker checks for itself, whatever the portal let through: plan, ledger, window, catalog, transaction."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rollbacks.models import Execution
from rollbacks.ports import StepUncertain
from rollbacks.reversal.catalog import read_facts
from rollbacks.services import running
from rollbacks.steps.statements import run_statements
from tests.conftest import TargetDatabase
from tests.rollback import approve, draft, drive, register, started, state_of, step

pytestmark = pytest.mark.django_db(transaction=True)

OUT = "packages/db/drizzle"


def facts_of(nzila: TargetDatabase) -> str:
    with nzila.connect() as line:
        return read_facts(line, ignore_schemas=()).digest


def test_a_plan_that_was_changed_in_the_portals_database_is_not_run(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    before = facts_of(nzila)
    execution = started(people, nzila)
    changed = {**execution.plan, "reason": "Something else entirely."}
    Execution.objects.filter(pk=execution.pk).update(plan=changed)

    assert drive(execution, nzila.environ) == "failed"
    assert "not the one that was signed" in step(execution, "preflight").sentence
    assert facts_of(nzila) == before


def test_a_migration_applied_after_the_signatures_stops_the_rollback(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    _deploy_another(nzila)
    before = facts_of(nzila)

    assert drive(execution, nzila.environ) == "failed"
    assert "The ledger moved since the plan was signed" in step(execution, "preflight").sentence
    assert facts_of(nzila) == before


def test_a_rollback_that_waited_past_its_window_is_not_run(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    end = datetime.now(UTC) + timedelta(seconds=3)
    request = draft(people, register(nzila), window_end=end)
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)
    before = facts_of(nzila)
    while datetime.now(UTC) <= end:
        time.sleep(0.05)

    assert drive(execution, nzila.environ) == "failed"
    assert "window" in step(execution, "preflight").sentence
    assert facts_of(nzila) == before


def test_a_backup_that_was_damaged_in_the_store_stops_the_rollback(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    before = facts_of(nzila)
    dump = next(Path(nzila.environ["BACKUP_DIR"]).glob("*.dump"))
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)

    assert drive(execution, nzila.environ) == "failed"
    assert "checksum differs" in step(execution, "apply").sentence
    assert facts_of(nzila) == before


def test_a_catalog_that_is_not_the_proven_one_is_rolled_back_before_commit(
    nzila: TargetDatabase, people: dict[str, Any], cluster_url: str
) -> None:
    """The target does more than the rehearsal's copy did: here an event trigger, made in between, adds a table."""
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    with psycopg.connect(cluster_url.replace("/postgres?", f"/{nzila.name}?"), autocommit=True) as superuser:
        superuser.execute(
            "CREATE FUNCTION public.sneak() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER "
            "AS 'BEGIN CREATE TABLE public.sneaked (id int); END'"
        )
        superuser.execute(
            "CREATE EVENT TRIGGER sneak ON ddl_command_end WHEN TAG IN ('CREATE TYPE') EXECUTE FUNCTION public.sneak()"
        )
    before = facts_of(nzila)

    assert drive(execution, nzila.environ) == "failed"
    assert "sneaked" in step(execution, "apply").sentence
    assert facts_of(nzila) == before
    assert nzila.rows("SELECT count(*) FROM drizzle.__drizzle_migrations") == [(5,)]


@pytest.mark.parametrize("escape", ["COMMIT", "COMMIT AND CHAIN", "ROLLBACK", "ROLLBACK AND CHAIN"])
def test_a_statement_that_leaves_the_transaction_is_noticed_even_if_the_parser_let_it_through(
    nzila: TargetDatabase, escape: str
) -> None:
    with nzila.connect() as line:
        with pytest.raises(StepUncertain, match="no longer the one the portal opened"):
            run_statements(line, f"SELECT 1; {escape}; DROP TABLE audit_events;", heartbeat=lambda progress: None)
        line.rollback()
    assert nzila.rows("SELECT to_regclass('public.audit_events') IS NOT NULL") == [(True,)]


def test_the_request_says_where_it_stands_after_a_refused_preflight(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    _deploy_another(nzila)
    drive(execution, nzila.environ)
    assert state_of(execution) == "failed"
    assert [each.state for each in execution.steps.order_by("position")][1:] == ["pending"] * 7


def _deploy_another(nzila: TargetDatabase) -> None:
    """Add a migration as a colleague's deploy does: file and journal entry on main, ledger row on the target."""
    out = nzila.repository / OUT
    text = "CREATE TABLE came_later (id integer);\n"
    (out / "0005_came_later.sql").write_text(text)
    journal = json.loads((out / "meta" / "_journal.json").read_text())
    when = journal["entries"][-1]["when"] + 1000
    entry = {"idx": 5, "version": "7", "when": when, "tag": "0005_came_later", "breakpoints": True}
    journal["entries"].append(entry)
    (out / "meta" / "_journal.json").write_text(json.dumps(journal, indent=2))
    parent = json.loads((out / "meta" / "0004_snapshot.json").read_text())
    snapshot = {**parent, "id": "11111111-2222-4333-8444-555555555555", "prevId": parent["id"]}
    (out / "meta" / "0005_snapshot.json").write_text(json.dumps(snapshot, indent=2))
    author = ["-c", "user.name=Colleague", "-c", "user.email=colleague@example.com"]
    for arguments in (["add", "-A"], [*author, "commit", "-qm", "Add a migration"], ["push", "-q", "origin", "main"]):
        subprocess.run(["git", *arguments], cwd=nzila.repository, check=True, capture_output=True)
    with nzila.connect() as line:
        line.execute("CREATE TABLE came_later (id integer)")
        line.execute(
            "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES (%s, %s)",
            [hashlib.sha256(text.encode()).hexdigest(), when],
        )
