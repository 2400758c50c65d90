"""Faults while a rollback runs: killed workers, lost messages, full disks, refused statements (acceptance F)."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection

from rollbacks import doorbell, engine, settling, tasks
from rollbacks.adapters.pg_tools import find_tools
from rollbacks.adapters.scratch import Scratch, execution_prefix
from rollbacks.models import Execution, StepRun
from rollbacks.queries import current_execution, waiting_sentence
from rollbacks.reversal.catalog import read_facts
from rollbacks.services import running
from tests.conftest import THOROUGH, TargetDatabase
from tests.rollback import approve, draft, drive, forge_proof, register, started, state_of, step

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Path(__file__).with_name("killed_worker.py")
STEPS = ("preflight", "backup", "rehearse", "stage", "apply", "verify", "publish", "record")
LEASE = "1"


def worker_process(execution: Execution, nzila: TargetDatabase, *point: str, **popen: Any) -> subprocess.Popen[bytes]:
    """Start a real worker process on the test's database."""
    command = [sys.executable, str(SCRIPT), str(execution.pk), *point]
    environ = process_environment(nzila)
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen)


def process_environment(nzila: TargetDatabase) -> dict[str, str]:
    """Return the environment of a process that works on the test's own portal database."""
    place = connection.settings_dict
    url = f"postgresql://{place['USER']}@/{place['NAME']}?host={place['HOST']}"
    return {**nzila.environ, "DATABASE_URL": url, "LEASE_SECONDS": LEASE, "PYTHONPATH": os.getcwd()}


def killed(execution: Execution, nzila: TargetDatabase, *point: str) -> None:
    """Run a worker that kills itself at the point, and see that it really died of SIGKILL."""
    child = worker_process(execution, nzila, *point)
    output, _ = child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL, output.decode()


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def ledger_rows(nzila: TargetDatabase) -> int:
    return int(nzila.rows("SELECT count(*) FROM drizzle.__drizzle_migrations")[0][0])


def facts_of(nzila: TargetDatabase) -> str:
    with nzila.connect() as line:
        return read_facts(line, ignore_schemas=()).digest


def carry_on(execution: Execution, nzila: TargetDatabase) -> str:
    """Do what the sweep and the next worker do: wait until the dead worker's lease is over, then go on."""
    wait_for(lambda: execution.pk in engine.claimable())
    return drive(execution, nzila.environ)


@pytest.mark.parametrize("name", STEPS if THOROUGH else ("backup", "apply", "publish"))
def test_a_worker_killed_after_the_effect_causes_it_once(
    nzila: TargetDatabase, people: dict[str, Any], name: str
) -> None:
    execution = started(people, nzila)
    killed(execution, nzila, "effect", name)
    assert step(execution, name).state == "running"

    assert carry_on(execution, nzila) == "succeeded"

    assert ledger_rows(nzila) == 6
    assert step(execution, name).attempt == 2
    backups = list(Path(nzila.environ["BACKUP_DIR"]).glob("backup-*.dump"))
    assert len(backups) == 1
    assert execution.request.target.requests.count() == 1


def test_the_next_worker_finds_a_committed_rollback_instead_of_running_it_again(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    killed(execution, nzila, "effect", "apply")
    assert ledger_rows(nzila) == 6

    assert carry_on(execution, nzila) == "succeeded"

    applied = step(execution, "apply")
    assert applied.observed and applied.evidence["known_by"] == "ledger"
    assert ledger_rows(nzila) == 6


@pytest.mark.parametrize("statement", ["1", "5", "9"] if THOROUGH else ["5"])
def test_a_worker_killed_inside_the_apply_transaction_leaves_the_target_as_it_was(
    nzila: TargetDatabase, people: dict[str, Any], statement: str
) -> None:
    before = facts_of(nzila)
    execution = started(people, nzila)
    killed(execution, nzila, "statement", statement)

    assert facts_of(nzila) == before
    assert ledger_rows(nzila) == 5

    assert carry_on(execution, nzila) == "succeeded"
    assert ledger_rows(nzila) == 6


def test_a_worker_killed_right_after_its_claim_is_replaced_and_cannot_write_any_more(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    killed(execution, nzila, "claim")
    stale = step(execution, "preflight")
    wait_for(lambda: execution.pk in engine.claimable())
    assert engine.advance(execution.pk, worker="next", environ=nzila.environ)

    claim = settling.Claim(execution, stale.pk, "preflight", 1, stale.attempt)
    settled = settling.settle(claim, engine.BY_NAME["preflight"], settling.Outcome("failed", sentence="too late"))

    assert settled is False
    assert step(execution, "preflight").state == "done"
    assert step(execution, "preflight").attempt == 2


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def test_one_message_delivered_to_two_workers_is_worked_on_once(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = started(people, nzila)
    barrier, claims = threading.Barrier(8), []

    def claim() -> None:
        barrier.wait()
        try:
            claims.append(settling.claim(execution.pk, worker=threading.current_thread().name))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([each for each in claims if each is not None]) == 1
    assert step(execution, "preflight").attempt == 1


START = """
import sys, django
django.setup()
from django.contrib.auth import get_user_model
from rollbacks.services import running
running.start(get_user_model().objects.get(username="ada"), int(sys.argv[1]))
"""


def test_a_broker_that_is_away_delays_the_start_but_loses_nothing(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = draft(people, register(nzila))
    approve(people, request)
    environ = {**process_environment(nzila), "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run([sys.executable, "-c", START, str(request.pk)], env=environ, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()

    execution = Execution.objects.get(request=request)
    assert execution.rung_at is None
    assert "broker cannot be reached" in waiting_sentence(current_execution(request))
    assert execution.pk in engine.claimable()
    assert doorbell.ring(execution.pk)
    assert Execution.objects.get(pk=execution.pk).rung_at is not None
    assert drive(execution, nzila.environ) == "succeeded"


def test_messages_that_the_broker_forgot_are_sent_again_by_the_sweep(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    broker = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"])
    broker.flushall()
    assert broker.llen(settings.CELERY_TASK_DEFAULT_QUEUE) == 0

    tasks.sweep()

    queued = [json.loads(message)["headers"] for message in broker.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)]
    assert [(each["task"], each["argsrepr"]) for each in queued] == [("rollbacks.tasks.advance", f"({execution.pk},)")]
    broker.flushall()


def test_a_full_disk_during_the_dump_leaves_no_partial_and_changes_nothing(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    before = facts_of(nzila)
    execution = started(people, nzila)
    # The dump is about 60 kB; a file of 20 kB is all that this worker's disk takes.
    child = worker_process(
        execution, nzila, "none", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    )
    output, _ = child.communicate(timeout=120)

    assert child.returncode == 0, output.decode()
    assert state_of(execution) == "failed"
    assert "disk with the backups is full" in step(execution, "backup").sentence
    assert list(Path(nzila.environ["BACKUP_DIR"]).iterdir()) == []
    assert facts_of(nzila) == before


def test_a_killed_pg_dump_is_a_failed_step_and_the_request_can_be_started_again(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="backup")
    real = find_tools(18, nzila.environ)
    # The real pg_dump writes its first 5 kB, then what the worker started dies of SIGKILL.
    (tmp_path / "pg_dump").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {real.pg_dump} --version\n'
        f'{real.pg_dump} "$@" | head -c 5000\nkill -KILL $$\n'
    )
    (tmp_path / "pg_dump").chmod(0o755)
    (tmp_path / "pg_restore").symlink_to(real.pg_restore)

    killed_tools = {**nzila.environ, "PG_BINDIR": str(tmp_path)}
    assert drive(execution, killed_tools) == "failed"
    assert "SIGKILL" in step(execution, "backup").sentence
    assert list(Path(nzila.environ["BACKUP_DIR"]).iterdir()) == []
    again = running.start(people["engineer"], execution.request_id)
    assert drive(again, nzila.environ) == "succeeded"


def test_a_statement_that_fails_rolls_everything_back_and_says_which(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    """The rehearsal would find this one, so the row that breaks it is written between rehearsal and apply."""
    execution = started(people, nzila, "0001_solid_cargill", reverse_sql={
        "0002_rich_marten_broadcloak": REVERSE_0002_WITH_CHECK,
    })  # fmt: skip
    drive(execution, nzila.environ, until="apply")
    with nzila.connect() as line:
        line.execute("UPDATE entities SET country = 'XX' WHERE slug = (SELECT min(slug) FROM entities)")
    before = facts_of(nzila)

    assert drive(execution, nzila.environ) == "failed"

    sentence = step(execution, "apply").sentence
    assert "Statement " in sentence and "rolled back" in sentence
    assert facts_of(nzila) == before
    assert ledger_rows(nzila) == 5


REVERSE_0002_WITH_CHECK = """
ALTER TABLE "entities" ADD CONSTRAINT "temporary_check" CHECK ("country" <> 'XX');
ALTER TABLE "entities" DROP CONSTRAINT "temporary_check";
ALTER TABLE "members" DROP CONSTRAINT "members_email_has_at";
ALTER TABLE "entities" DROP CONSTRAINT "entities_registration_number_unique";
DROP TABLE "subscriptions";
ALTER TABLE "members" DROP COLUMN "family_name";
ALTER TABLE "members" DROP COLUMN "given_name";
ALTER TABLE "members" DROP COLUMN "tier";
ALTER TABLE "entities" DROP COLUMN "registration_number";
DROP TYPE "public"."membership_tier";
"""


def test_reverse_sql_that_leads_elsewhere_is_stopped_by_the_rehearsal_whatever_the_portal_says(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    before = facts_of(nzila)
    wrong = {"0004_audit_events_immutable": 'DROP TRIGGER audit_events_no_update ON "audit_events";'}
    request = draft(people, register(nzila), "0003_redundant_starfox", reverse_sql=wrong)
    forge_proof(request)
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)

    assert drive(execution, nzila.environ) == "failed"

    assert "does not lead back to 0003_redundant_starfox" in step(execution, "rehearse").sentence
    assert "audit_events_no_delete" in step(execution, "rehearse").sentence
    assert facts_of(nzila) == before
    branches = subprocess.run(
        ["git", "-C", str(nzila.repository), "branch", "--list", "rollback/*"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert branches.stdout == ""


def test_nothing_is_left_on_the_scratch_server(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ)
    assert Scratch.of(nzila.environ).names(execution_prefix(execution.digest, execution.pk)) == set()
    assert StepRun.objects.filter(execution=execution, state="done").count() == len(STEPS)


def test_what_a_killed_worker_left_on_the_scratch_server_is_swept_and_nothing_else(
    nzila: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = started(people, nzila)
    scratch = Scratch.of(nzila.environ)
    own = f"{execution_prefix(execution.digest, execution.pk)}restored"
    others = f"{execution_prefix('0' * 64, execution.pk)}restored"
    monkeypatch.setenv("SCRATCH_DATABASE_URL", nzila.environ["SCRATCH_DATABASE_URL"])
    scratch.create(others)
    try:
        scratch.create(own)
        tasks.sweep_scratch()
        assert own in scratch.names(), "the execution is still running"

        drive(execution, nzila.environ)
        scratch.create(own)
        tasks.sweep_scratch()
        assert {own, others} & scratch.names() == {others}
    finally:
        scratch.drop(own)
        scratch.drop(others)
