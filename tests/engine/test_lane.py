"""The lane outside the transaction: order, killed workers at each point, cancelling, and what is never called atomic (F46)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from demo import target as demo_target
from rollbacks import engine
from rollbacks.models import Execution, ResumePoint
from rollbacks.ports import LeaseLost
from rollbacks.services import running
from rollbacks.steps import lane
from tests.clients import client_of
from tests.conftest import THOROUGH, TargetDatabase
from tests.engine.test_faults import carry_on, facts_of, ledger_rows, process_environment, wait_for
from tests.rollback import drive, started, step

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Path(__file__).with_name("killed_lane_worker.py")
RETURN, UNDONE = "0003_redundant_starfox", "0004_audit_events_immutable"
INSIDE = """
DROP TRIGGER IF EXISTS audit_events_no_update ON "audit_events";
DROP TRIGGER IF EXISTS audit_events_no_delete ON "audit_events";
DROP FUNCTION IF EXISTS prevent_audit_mutation();
"""
DROPPED, CREATED = "members_entity_id_idx", "audit_events_severity_idx"
BEFORE = f"DROP INDEX CONCURRENTLY {DROPPED};"
AFTER = (
    f"CREATE INDEX CONCURRENTLY {DROPPED} ON members USING btree (entity_id);\nREINDEX INDEX CONCURRENTLY {CREATED};"
)
# Statement 1 before the transaction, 2 and 3 after it; the catalog ends as it has to.
BOTH = {UNDONE: f"{BEFORE}\n{INSIDE}\n{AFTER}"}
# THOROUGH=1 kills at every one of these points; the others of the file are kills as well.
KILLS = [
    ("sent", 1, False), ("begun", 1, True), ("done", 1, False), ("begun", 2, True), ("sent", 2, False), ("sent", 3, False),
]  # fmt: skip
INDEX = "SELECT x.indisvalid FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE i.relname = '{}'"


def begun(people: dict[str, Any], nzila: TargetDatabase, sql: dict[str, str] | None = None) -> Execution:
    return started(people, nzila, RETURN, reverse_sql=sql or BOTH)


def worker(
    execution: Execution, nzila: TargetDatabase, point: str = "none", number: int = 0
) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), str(execution.pk), point, str(number)]
    return subprocess.Popen(command, env=process_environment(nzila), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def killed(execution: Execution, nzila: TargetDatabase, point: str, number: int) -> None:
    child = worker(execution, nzila, point, number)
    output, _ = child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL, output.decode()


def index(nzila: TargetDatabase, name: str = DROPPED) -> str:
    found = nzila.rows(INDEX.format(name))
    return "absent" if not found else "valid" if found[0][0] else "invalid"


def states(execution: Execution) -> dict[int, str]:
    return dict(ResumePoint.objects.filter(execution=execution).values_list("number", "state"))


def test_a_plan_with_a_lane_runs_in_the_signed_order_and_says_what_is_not_atomic(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    before = facts_of(nzila)
    execution = begun(people, nzila)
    oid = nzila.rows(f"SELECT '{CREATED}'::regclass::oid")
    names = list(execution.steps.values_list("name", flat=True))
    assert names == [
        "preflight", "backup", "rehearse", "stage", "lane_before", "apply", "lane_after", "verify", "publish", "record",
    ]  # fmt: skip
    assert "CONCURRENTLY" not in execution.plan["file"]["text"]
    assert execution.plan["lane"]["before"] == [BEFORE.rstrip(";")]

    drive(execution, nzila.environ, until="apply")
    assert index(nzila) == "absent" and ledger_rows(nzila) == 5
    drive(execution, nzila.environ, until="lane_after")
    assert index(nzila) == "absent" and ledger_rows(nzila) == 6

    assert drive(execution, nzila.environ) == "succeeded"
    assert index(nzila) == "valid" and nzila.rows(f"SELECT '{CREATED}'::regclass::oid") != oid
    assert facts_of(nzila) != before and states(execution) == {1: "done", 2: "done", 3: "done"}
    shown = step(execution, "lane_after").evidence
    assert "not atomic" in shown["not_atomic"] and [each["ran"] for each in shown["statements"]] == [True, True]
    assert [each["number"] for each in step(execution, "rehearse").evidence["outside"]] == [1, 2, 3]
    page = client_of(people["engineer"]).get(f"/requests/{execution.request_id}/run/").content.decode()
    assert "Outside, before" in page and "they are not atomic" in page


@pytest.mark.parametrize(("point", "number", "ran"), KILLS if THOROUGH else KILLS[:1])
def test_a_killed_worker_is_followed_by_one_that_repeats_nothing(
    nzila: TargetDatabase, people: dict[str, Any], point: str, number: int, ran: bool
) -> None:
    execution = begun(people, nzila)
    drive(execution, nzila.environ, until="lane_before" if number == 1 else "lane_after")
    killed(execution, nzila, point, number)
    assert states(execution)[number] == ("begun" if point != "done" else "done")
    oid = nzila.rows(f"SELECT '{CREATED}'::regclass::oid")

    assert carry_on(execution, nzila) == "succeeded"

    name = "lane_before" if number == 1 else "lane_after"
    found = next(each for each in step(execution, name).evidence["statements"] if each["number"] == number)
    assert found["ran"] is ran and step(execution, name).attempt == 2
    assert index(nzila) == "valid" and ledger_rows(nzila) == 6
    if number == 3:
        assert nzila.rows(f"SELECT '{CREATED}'::regclass::oid") == oid


def test_an_invalid_index_that_a_kill_leaves_is_dropped_and_built_again(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = begun(people, nzila)
    drive(execution, nzila.environ, until="lane_after")
    with nzila.connect() as line:
        # Somebody's open transaction, which CREATE INDEX CONCURRENTLY has to wait for.
        line.execute("LOCK TABLE members IN ROW EXCLUSIVE MODE")
        child = worker(execution, nzila)
        wait_for(lambda: index(nzila) == "invalid", 60)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate(timeout=60)
        # The server notices that its client is gone, as client_connection_check_interval asks it to.
        activity = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%' AND pid <> pg_backend_pid()"
        wait_for(lambda: not nzila.rows(f"{activity} AND state = 'active'"), 60)
        line.rollback()
    assert index(nzila) == "invalid" and states(execution)[2] == "begun"

    assert carry_on(execution, nzila) == "succeeded"

    found = step(execution, "lane_after").evidence["statements"][0]
    assert found["before"] == "invalid" and found["ran"] and index(nzila) == "valid"


def invalid_by_hand(nzila: TargetDatabase) -> None:
    """Leave an INVALID index as a build that met duplicates does."""
    with nzila.connect() as line:
        line.autocommit = True
        with pytest.raises(psycopg.errors.UniqueViolation):
            line.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {DROPPED} ON members ((1))")


def test_an_invalid_index_of_somebody_else_is_left_alone(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = begun(people, nzila)
    drive(execution, nzila.environ, until="lane_after")
    invalid_by_hand(nzila)

    assert drive(execution, nzila.environ) == "needs_attention"

    sentence = step(execution, "lane_after").sentence
    assert "that this plan did not leave behind" in sentence and index(nzila) == "invalid"
    assert f"Done outside the transaction, and staying: 1 (DROP INDEX CONCURRENTLY {DROPPED})." in sentence
    with nzila.connect() as line:
        line.execute(f"DROP INDEX {DROPPED}")
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "succeeded"
    assert index(nzila) == "valid"


def cancel(people: dict[str, Any], execution: Execution) -> None:
    running.cancel(people["engineer"], execution.request_id, reason="The wrong release.")


def cancel_after(people: dict[str, Any], execution: Execution, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the run cancelled as soon as this statement is done."""
    keep = engine.keep_point

    def kept(found: Execution, step: int, attempt: int, line: int, state: str, evidence: dict[str, Any]) -> None:
        keep(found, step, attempt, line, state, evidence)
        if (found.pk, line, state) == (execution.pk, number, "done"):
            cancel(people, execution)

    monkeypatch.setattr(engine, "keep_point", kept)


def test_cancelling_between_statements_says_what_is_done_and_what_is_not(
    nzila: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = f"DROP INDEX CONCURRENTLY {CREATED};\nREINDEX INDEX CONCURRENTLY {DROPPED};"
    second = demo_target.reverse_sql()[RETURN].replace(f'DROP INDEX "public"."{CREATED}";', "")
    execution = started(people, nzila, reverse_sql={UNDONE: f"{first}\n{INSIDE}", RETURN: second})
    cancel_after(people, execution, 1, monkeypatch)

    assert drive(execution, nzila.environ) == "failed"

    sentence = step(execution, "lane_before").sentence
    assert "Cancelled by" in sentence and "The transaction was not run." in sentence
    assert f"Done outside the transaction, and staying: 1 (DROP INDEX CONCURRENTLY {CREATED})." in sentence
    assert f"Not done: 2 (REINDEX INDEX CONCURRENTLY {DROPPED})." in sentence
    assert "Nothing was changed" not in sentence and index(nzila, CREATED) == "absent" and ledger_rows(nzila) == 5
    page = client_of(people["engineer"]).get(f"/requests/{execution.request_id}/run/").content.decode()
    assert "Nothing was changed on the target" not in page

    # The same plan can be started again: what it did before is found done.
    again = running.start(people["engineer"], execution.request_id)
    assert drive(again, nzila.environ) == "succeeded"
    assert not step(again, "lane_before").evidence["statements"][0]["ran"] and ledger_rows(nzila) == 6


def test_cancelling_after_the_commit_leaves_it_to_a_person_who_may_go_on(
    nzila: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = begun(people, nzila)
    cancel_after(people, execution, 2, monkeypatch)

    assert drive(execution, nzila.environ) == "needs_attention"

    sentence = step(execution, "lane_after").sentence
    assert "The transaction was committed before." in sentence and "Not done: 3 (" in sentence
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "succeeded"


def test_a_transaction_that_fails_after_the_lane_calls_a_person_and_can_be_given_up(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = begun(people, nzila)
    drive(execution, nzila.environ, until="apply")
    with nzila.connect() as line:
        line.execute("CREATE TABLE sneaked (id int)")

    assert drive(execution, nzila.environ) == "needs_attention"
    assert "sneaked" in step(execution, "apply").sentence
    assert "Done outside the transaction, and staying: 1 (" in step(execution, "apply").sentence

    cancel(people, execution)
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "failed"
    assert "Done outside the transaction, and staying: 1 (" in step(execution, "apply").sentence
    assert index(nzila) == "absent" and ledger_rows(nzila) == 5


def test_a_build_that_the_server_refuses_leaves_no_invalid_index(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    sql = f"CREATE UNIQUE INDEX CONCURRENTLY one_each ON members (phone);\n{INSIDE}\nDROP INDEX one_each;"
    execution = begun(people, nzila, {UNDONE: sql})
    drive(execution, nzila.environ, until="lane_before")
    with nzila.connect() as line:
        line.execute("UPDATE members SET phone = '1'")

    assert drive(execution, nzila.environ) == "failed"

    sentence = step(execution, "lane_before").sentence
    assert "The index is as it was before." in sentence and "Nothing was changed on the target." in sentence
    assert index(nzila, "one_each") == "absent" and states(execution) == {1: "undone"}


def test_a_lock_that_is_not_granted_is_tried_again_and_the_limits_hold(
    nzila: TargetDatabase, people: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOCK_TIMEOUT_MS = 100
    monkeypatch.setattr(lane, "PAUSE_SECONDS", 0.01)
    execution = begun(people, nzila)
    drive(execution, nzila.environ, until="lane_before")
    with nzila.connect() as line:
        line.execute("LOCK TABLE members IN SHARE MODE")
        assert drive(execution, nzila.environ) == "failed"
        line.rollback()
    assert "lock timeout" in step(execution, "lane_before").sentence and states(execution) == {1: "undone"}

    again = running.start(people["engineer"], execution.request_id)
    drive(again, nzila.environ, until="lane_before")
    holder = nzila.connect()
    holder.execute("LOCK TABLE members IN SHARE MODE")
    monkeypatch.setattr(lane.time, "sleep", lambda _seconds: holder.close())
    assert drive(again, nzila.environ) == "succeeded"
    shown = step(again, "lane_before").evidence
    assert shown["statements"][0]["tries"] == 2 and shown["settings"]["lock_timeout"] == 100


def test_votes_that_lapse_between_two_statements_stop_the_lane(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = begun(people, nzila)
    killed(execution, nzila, "begun", 1)
    Execution.objects.filter(pk=execution.pk).update(digest="0" * 64)

    assert carry_on(execution, nzila) == "needs_attention"

    stopped = step(execution, "lane_before")
    assert "no longer the request's plan" in stopped.sentence
    assert index(nzila) == "valid" and ledger_rows(nzila) == 5
    # The worker of the attempt that is over may wake up, but it can keep no point and so send nothing.
    with pytest.raises(LeaseLost):
        engine.keep_point(execution, stopped.pk, stopped.attempt, 1, "begun", {})


def test_while_another_session_holds_the_targets_lock_nothing_is_sent(
    nzila: TargetDatabase, people: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RETRY_SECONDS = 0.05
    monkeypatch.setattr(lane, "LOCK_WAIT_SECONDS", 0.1)
    execution = begun(people, nzila)
    drive(execution, nzila.environ, until="lane_before")
    plan = execution.plan["target"]
    key = lane.targets.target_lock_key(plan["system_identifier"] + plan["database"])
    with nzila.connect() as line:
        line.execute("SELECT pg_advisory_xact_lock(%s)", [key])
        drive(execution, nzila.environ)
        assert step(execution, "lane_before").state == "pending" and index(nzila) == "valid"
        assert "works on the target under the portal's lock" in step(execution, "lane_before").sentence
        line.rollback()
    wait_for(lambda: drive(execution, nzila.environ) == "succeeded")
