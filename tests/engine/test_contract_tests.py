"""The project's contract tests in the verify step: on the rollback's branch, against the live target."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from records.markdown import render
from records.models import ChangeRecord
from rollbacks.models import Execution, Target
from rollbacks.services import running
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.rollback import approve, draft, drive, register, state_of, step

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = "canary-Zx9-password"
# Passes when the file of its argument says so, and tells where it is and what it sees.
SCRIPT = """
import os, pathlib, psycopg, sys, time
rollback = sorted(pathlib.Path("packages/db/drizzle").glob("0005_rollback_*.sql"))
with psycopg.connect(os.environ["DATABASE_URL"]) as line:
    columns = line.execute("SELECT count(*) FROM information_schema.columns WHERE table_name = 'members'").fetchone()[0]
print("branch has", [each.name for each in rollback], "and members has", columns, "columns")
print("sees", os.environ["DATABASE_URL"], sorted(name for name in os.environ if name.startswith("SECRET")))
verdict = open(sys.argv[1]).read()
time.sleep(60 if verdict == "sleep" else 0)
sys.exit(0 if verdict == "pass" else 3)
"""
PREPARE = """
import os, sys
print("prepares without", [name for name in os.environ if "DATABASE" in name])
sys.exit(9 if open(sys.argv[1]).read() == "unprepared" else 0)
"""


def with_password(nzila: TargetDatabase) -> TargetDatabase:
    """The same target, its URL with a password that the server does not ask for and nobody may ever read."""
    variable = f"{nzila.name.upper().replace('-', '_')}_DIRECT_DATABASE_URL"
    url = nzila.url.replace("@", f":{CANARY}@", 1)
    environ = {**nzila.environ, variable: url, "SECRET_KEY": "portal-key-of-this-test"}
    return replace(nzila, url=url, environ=environ)


def begun(people: dict[str, Any], nzila: TargetDatabase, verdict: Path, **options: Any) -> Execution:
    given = {"contract_tests": [sys.executable, "-c", SCRIPT, str(verdict)], **options}
    request = draft(people, register(nzila, **given))
    approve(people, request)
    return running.start(people["engineer"], request.pk)


def everything_kept() -> str:
    """All text that the portal's database has, as one string."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
            found.append(cursor.fetchone()[0])
    return "\n".join(found)


def test_they_call_a_person_until_they_pass_and_are_in_evidence_and_record(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    nzila, verdict = with_password(nzila), tmp_path / "verdict"
    verdict.write_text("fail")
    execution = begun(
        people, nzila, verdict, prepare_command=[sys.executable, "-c", PREPARE, str(verdict)], command_seconds=2
    )

    assert drive(execution, nzila.environ) == "needs_attention"

    failed = step(execution, "verify")
    assert failed.state == "uncertain" and failed.evidence["catalog_equal"]
    assert "was applied" in failed.sentence and "contract tests did not pass" in failed.sentence
    assert failed.evidence["contract_tests"]["exit_code"] == 3
    page = client_of(people["engineer"]).get(f"/requests/{execution.request_id}/run/").content.decode()
    assert "branch has" in page and "exit code 3" in page and CANARY not in page

    # Each time that a person asks, they are run anew and nothing is applied again.
    shown = again(people, execution, nzila, verdict, "unprepared")
    assert shown["exit_code"] == 9 and shown["output"] == "prepares without []"
    shown = again(people, execution, nzila, verdict, "sleep")
    assert shown["ended_at_limit"] and shown["exit_code"] is None
    assert "ended at its limit after 2." in step(execution, "verify").sentence
    shown = again(people, execution, nzila, verdict, "pass")
    assert state_of(execution) == "succeeded" and step(execution, "apply").attempt == 1
    assert nzila.rows("SELECT count(*) FROM drizzle.__drizzle_migrations") == [(6,)]

    assert shown["exit_code"] == 0 and shown["milliseconds"] > 0 and not shown["ended_at_limit"]
    assert "branch has ['0005_rollback_to_0002_rich_marten_broadcloak.sql']" in shown["output"]
    assert shown["output"].endswith("sees … []")
    document = json.loads(ChangeRecord.objects.get().document)
    assert next(each for each in document["steps"] if each["name"] == "verify")["evidence"]["contract_tests"] == shown
    assert document["plan"]["options"]["contract_tests"][0] == sys.executable
    markdown = render(document, digest="d" * 64)
    assert "exit code 0" in markdown and f"````text\n{shown['output']}\n````" in markdown
    assert CANARY not in everything_kept() and "portal-key-of-this-test" not in everything_kept()


def again(people: dict[str, Any], execution: Execution, nzila: TargetDatabase, verdict: Path, word: str) -> Any:
    """Let the portal look again with another verdict; return what the contract tests then showed."""
    verdict.write_text(word)
    running.resume(people["engineer"], execution.request_id)
    drive(execution, nzila.environ)
    return step(execution, "verify").evidence["contract_tests"]


def test_other_commands_than_the_signed_ones_are_not_run(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    verdict = tmp_path / "verdict"
    execution = begun(people, nzila, verdict)
    with connection.cursor() as cursor:
        # As somebody who owns the portal's database could; a target's row is not changed by anybody else.
        cursor.execute("ALTER TABLE rollbacks_target DISABLE TRIGGER rollbacks_target_keep")
        Target.objects.filter(pk=execution.target_id).update(contract_tests=["touch", str(tmp_path / "ran")])
        cursor.execute("ALTER TABLE rollbacks_target ENABLE ALWAYS TRIGGER rollbacks_target_keep")
    execution.refresh_from_db()

    assert drive(execution, nzila.environ) == "failed"
    assert "commands" in step(execution, "preflight").sentence and "signed" in step(execution, "preflight").sentence
    assert not (tmp_path / "ran").exists()


def test_a_worker_without_the_program_stops_before_anything_is_changed(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    execution = begun(people, nzila, tmp_path, contract_tests=["no-such-program"])
    assert drive(execution, nzila.environ) == "failed"
    assert "no-such-program is not on the worker's PATH" in step(execution, "preflight").sentence
    assert state_of(execution) == "failed"
