"""How the apply behaves among other sessions: locks, deadlocks, deadlines, paused workers, the wrong database."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from demo import target as demo_target
from rollbacks import engine
from rollbacks.models import Execution
from rollbacks.plan import Limits
from rollbacks.ports import StepFailed
from rollbacks.services import running
from rollbacks.states import RunState
from rollbacks.steps import apply, watch
from rollbacks.steps.statements import limit
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.engine.test_faults import _is_stopped, facts_of, ledger_rows, wait_for, worker_process
from tests.engine.test_lost_commit import advance_apply
from tests.rollback import drive, started, state_of, step

pytestmark = pytest.mark.django_db(transaction=True)

# A table that the demo's reverse SQL changes, some statements after it has locked the ledger.
HELD = "audit_events"


@pytest.fixture
def ready(nzila: TargetDatabase, people: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch) -> Execution:
    """An execution whose apply comes next, with short limits."""
    monkeypatch.setattr(apply, "FIRST_PAUSE", 0.05)
    settings.LOCK_TIMEOUT_MS = 400
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    return execution


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the apply told the page, and a place for a reaction to it."""
    heard: dict[str, Any] = {"all": [], "react": lambda progress: None}
    renew = engine.renew

    def listening(claim: Any, progress: Any) -> None:
        renew(claim, progress)
        if progress is not None:
            heard["all"].append(progress)
            heard["react"](progress)

    monkeypatch.setattr(engine, "renew", listening)
    return heard


def on_create_type(cluster_url: str, nzila: TargetDatabase, body: str) -> None:
    """Make the target do something of its own inside the statement of the reverse SQL that creates a type."""
    with psycopg.connect(cluster_url.replace("/postgres?", f"/{nzila.name}?"), autocommit=True) as superuser:
        superuser.execute(
            "CREATE FUNCTION public.beside() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN " + body + " END $$"
        )
        superuser.execute(
            "CREATE EVENT TRIGGER beside ON ddl_command_end WHEN TAG IN ('CREATE TYPE') EXECUTE FUNCTION public.beside()"
        )


def test_a_lock_that_is_not_granted_is_waited_for_in_tries_of_the_whole_transaction(
    nzila: TargetDatabase, ready: Execution, told: dict[str, Any]
) -> None:
    with psycopg.connect(nzila.url, application_name="nightly report") as holder:
        pid = holder.info.backend_pid
        holder.execute(f"LOCK TABLE {HELD} IN ACCESS SHARE MODE")
        told["react"] = lambda progress: holder.rollback() if "try" in progress else None
        assert drive(ready, nzila.environ) == "succeeded"

    evidence = step(ready, "apply").evidence
    assert evidence["tries"] == 2 and ledger_rows(nzila) == 6
    assert f"session {pid} (nightly report, user" in evidence["conflicts"][0]
    waiting = [each for each in told["all"] if each.get("waits_for")]
    assert f"session {pid} (nightly report" in waiting[0]["waits_for"][0] and waiting[0]["statement"]


def test_a_lock_that_is_never_granted_ends_the_run_and_names_who_has_it(
    nzila: TargetDatabase, ready: Execution, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "TRIES", 2)
    before = facts_of(nzila)
    with psycopg.connect(nzila.url, application_name="nightly report") as holder:
        holder.execute(f"LOCK TABLE {HELD} IN ACCESS SHARE MODE")
        assert drive(ready, nzila.environ) == "failed"

    sentence = step(ready, "apply").sentence
    assert "nightly report" in sentence and "try 2 of 2" in sentence and "the target is as it was" in sentence
    assert facts_of(nzila) == before and ledger_rows(nzila) == 5


def test_a_deadlock_is_tried_again(
    nzila: TargetDatabase, ready: Execution, told: dict[str, Any], cluster_url: str
) -> None:
    plan = {**ready.plan, "limits": {**ready.plan["limits"], "lock_timeout_ms": 10_000}}
    assert plan["limits"] != ready.plan["limits"]
    Execution.objects.filter(pk=ready.pk).update(plan=plan)
    with psycopg.connect(cluster_url.replace("/postgres?", f"/{nzila.name}?")) as other:
        # Whoever looks for the deadlock first gives way, and here that is to be the portal.
        other.execute("SET deadlock_timeout = '1h'")
        other.execute(f"LOCK TABLE {HELD} IN ACCESS SHARE MODE")

        def wait_for_the_ledger() -> None:
            other.execute("LOCK TABLE drizzle.__drizzle_migrations IN ACCESS SHARE MODE")
            other.rollback()

        crossing = threading.Thread(target=wait_for_the_ledger)

        def react(progress: dict[str, Any]) -> None:
            if progress.get("statement") == 1 and not crossing.ident:
                crossing.start()
                with nzila.connect() as line:
                    wait_for(lambda: line.execute(
                        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND pid = %s", [other.info.backend_pid]
                    ).fetchone() == (True,))  # fmt: skip

        told["react"] = react
        assert drive(ready, nzila.environ) == "succeeded"
        crossing.join()

    evidence = step(ready, "apply").evidence
    assert evidence["tries"] == 2 and "deadlock detected" in evidence["conflicts"][0]
    assert ledger_rows(nzila) == 6
    assert any(each.get("holds_up") for each in told["all"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("PERFORM set_config('statement_timeout', '0', false);", "changed the time limits"),
        ("PERFORM pg_advisory_lock(1); PERFORM set_config('lock_timeout', '0', true);", "changed the time limits"),
        (
            "FOR i IN 1..100 LOOP BEGIN PERFORM pg_sleep(1); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;",
            "ran longer than the 0.5 s",
        ),
    ],
    ids=["limit", "lock limit", "catches its cancellation"],
)
def test_a_statement_that_lifts_its_limits_is_noticed_or_ended(
    nzila: TargetDatabase, ready: Execution, cluster_url: str, body: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {**ready.plan["limits"], "statement_timeout_ms": 500 if "longer" in says else 60_000}
    Execution.objects.filter(pk=ready.pk).update(plan={**ready.plan, "limits": limits})
    for name, value in (("GRACE_SECONDS", 0.0), ("CANCEL_SECONDS", 0.5), ("LOOK", 0.2)):
        monkeypatch.setattr(watch, name, value)
    on_create_type(cluster_url, nzila, body)
    before = facts_of(nzila)

    assert drive(ready, nzila.environ) == "failed"

    assert says in step(ready, "apply").sentence
    assert facts_of(nzila) == before and ledger_rows(nzila) == 5


def test_a_cancelled_run_ends_the_statement_that_is_running(
    nzila: TargetDatabase, people: dict[str, Any], ready: Execution, cluster_url: str, told: dict[str, Any]
) -> None:
    on_create_type(cluster_url, nzila, "PERFORM pg_sleep(100);")
    before = facts_of(nzila)

    def react(progress: dict[str, Any]) -> None:
        if "waits_for" in progress and not Execution.objects.get(pk=ready.pk).cancel_asked_at:
            running.cancel(people["engineer"], ready.request_id, reason="It takes too long.")

    told["react"] = react
    assert drive(ready, nzila.environ) == "failed"

    assert "It takes too long." in step(ready, "apply").sentence
    assert facts_of(nzila) == before and ledger_rows(nzila) == 5


def test_a_paused_workers_transaction_is_ended_and_its_numbers_never_come_again(
    nzila: TargetDatabase, people: dict[str, Any], cluster_url: str
) -> None:
    execution = started(people, nzila)
    paused = worker_process(execution, nzila, "pause", "9")
    try:
        wait_for(lambda: _is_stopped(paused.pid), 60)
        wait_for(lambda: execution.pk in engine.claimable())
        assert drive(execution, nzila.environ) == "succeeded"
        applied = step(execution, "apply")
        assert (applied.attempt, applied.observed, ledger_rows(nzila)) == (2, False, 6)
        after = facts_of(nzila)
    finally:
        os.kill(paused.pid, signal.SIGCONT)
    output, _ = paused.communicate(timeout=60)

    assert paused.returncode == 0, output.decode()
    assert facts_of(nzila) == after and ledger_rows(nzila) == 6
    assert step(execution, "apply").attempt == 2 and state_of(execution) == "succeeded"


def test_an_approval_that_was_lost_meanwhile_stops_the_second_attempt(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    from approvals.models import Case

    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    assert advance_apply(nzila, execution, "before") is True
    Case.objects.update(digest="0" * 64)

    assert drive(execution, nzila.environ) == "failed"

    applied = step(execution, "apply")
    assert applied.attempt == 2 and "no longer the request's plan" in applied.sentence
    assert ledger_rows(nzila) == 5


def _elsewhere(nzila: TargetDatabase, cluster_url: str) -> Iterator[dict[str, str]]:
    """The worker's environment when the direct URL leads to a copy of the target."""
    name = f"{nzila.name}-copy"
    owner = psycopg.conninfo.conninfo_to_dict(nzila.url)["user"]
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{nzila.name}" OWNER "{owner}"')
        yield {**nzila.environ, _variable(nzila): nzila.url.replace(f"/{nzila.name}?", f"/{name}?")}
        demo_target.drop_database(admin, name)


def _variable(nzila: TargetDatabase) -> str:
    return f"{nzila.name.upper().replace('-', '_')}_DIRECT_DATABASE_URL"


@pytest.mark.parametrize("since_the_look", [False, True])
def test_another_database_than_the_signed_one_is_not_touched(
    nzila: TargetDatabase, ready: Execution, cluster_url: str, since_the_look: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if since_the_look:
        monkeypatch.setattr(apply, "observe", lambda ctx: None)
    for environ in _elsewhere(nzila, cluster_url):
        assert drive(ready, environ) == "failed"
    assert "not the database that was signed for" in step(ready, "apply").sentence
    assert ledger_rows(nzila) == 5


def _another_user(nzila: TargetDatabase, cluster_url: str) -> Iterator[dict[str, str]]:
    yield {**nzila.environ, _variable(nzila): nzila.url.replace("postgresql://", "postgresql://nobody_here_", 1)}


def _read_only(nzila: TargetDatabase, cluster_url: str) -> Iterator[dict[str, str]]:
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{nzila.name}" SET default_transaction_read_only = on')
        yield nzila.environ
        admin.execute(f'ALTER DATABASE "{nzila.name}" RESET default_transaction_read_only')


@pytest.mark.parametrize("wrong", [_elsewhere, _another_user, _read_only])
def test_what_keeps_the_portal_from_looking_says_nothing_about_the_first_attempt(
    nzila: TargetDatabase,
    people: dict[str, Any],
    cluster_url: str,
    wrong: Callable[[TargetDatabase, str], Iterator[dict[str, str]]],
    settings: Any,
) -> None:
    """The COMMIT is there; nothing that the second attempt meets may close the run as if it were not."""
    settings.STEP_ATTEMPTS, settings.RETRY_SECONDS = 2, 0
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    assert advance_apply(nzila, execution, "after") is True
    assert ledger_rows(nzila) == 6

    for environ in wrong(nzila, cluster_url):
        assert drive(execution, environ) == "needs_attention"
    doubt = step(execution, "apply")
    assert doubt.state == RunState.UNCERTAIN and "earlier attempt" in doubt.sentence
    page = client_of(people["engineer"]).get(f"/requests/{execution.request_id}/run/").content.decode()
    for words in (
        "it is on the target as a whole or not at all",
        "Whether its COMMIT is on the target",
        "Give the run up",
    ):
        assert words in page
    assert page.count("Look again and go on") == 2 and "Bring the state before back" not in page

    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "succeeded"
    applied = step(execution, "apply")
    assert applied.observed and applied.attempt > doubt.attempt and ledger_rows(nzila) == 6


def test_a_commit_that_a_failover_may_have_lost_is_not_sent_again(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    assert advance_apply(nzila, execution, "before") is True
    # As it reads after a standby was promoted: the COMMIT was sent on another timeline than the server's.
    kept = Path(nzila.environ["BACKUP_DIR"]) / f"commit-execution-{execution.pk}.json"
    assert json.loads(kept.read_text()) == {"attempt": 1, "timeline": "00000001"}
    kept.write_text(json.dumps({"attempt": 1, "timeline": "00000009"}))

    assert drive(execution, nzila.environ) == "needs_attention"

    assert "a standby was promoted" in step(execution, "apply").sentence and ledger_rows(nzila) == 5
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "needs_attention"
    # What the night's text says to do when the row is on neither server.
    running.cancel(people["engineer"], execution.request_id, reason="Neither server has it.")
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "failed" and ledger_rows(nzila) == 5


class Deaf:
    """A session through something that answers settings without keeping them."""

    def __init__(self, line: Any, name: str) -> None:
        self.line, self.name = line, name

    def execute(self, query: Any, values: Any = None) -> Any:
        lost = "set_config" in query and values[0] == self.name
        return self.line.execute("SELECT 1" if lost else query, None if lost else values)


@pytest.mark.parametrize("name", ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"])
def test_limits_that_a_server_does_not_take_stop_it(nzila: TargetDatabase, name: str) -> None:
    limits = Limits(lock_timeout_ms=1_000, statement_timeout_ms=2_000)
    with nzila.connect() as line:
        assert limit(line, limits)["statement_timeout"] == 2_000
        line.rollback()
        with pytest.raises(StepFailed, match=f"{name} is 0 ms"):
            limit(Deaf(line, name), limits)  # type: ignore[arg-type]
