"""Outages in the middle of a run that are told apart and survived: the portal's database, the scratch server, the target."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection
from django.test import Client

from portal.settings import database as portal_database
from records import trail
from records.models import Fact
from rollbacks import engine, settling
from rollbacks.models import Execution, StepRun
from rollbacks.services import running
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.engine.test_faults import facts_of, ledger_rows, wait_for
from tests.faults.history import before, contradictions
from tests.rollback import drive, started, state_of, step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "RETRY_SECONDS", 0)
    monkeypatch.setattr(settings, "STEP_ATTEMPTS", 3)


@pytest.fixture
def admin(cluster_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(cluster_url, autocommit=True) as line:
        yield line


def end_sessions(admin: psycopg.Connection[Any], database: str) -> int:
    """Terminate every session of a database, as a restart does; return how many there were."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    return len(admin.execute(query, [database]).fetchall())


def insist(execution: Execution, environ: dict[str, str]) -> str:
    """Go on as often as the sweep would, while the run neither ends nor calls a person."""
    for _ in range(settings.STEP_ATTEMPTS + 1):
        if drive(execution, environ) != "executing":
            break
        wait_for(lambda: execution.pk in engine.claimable())
    return state_of(execution)


def once_at(monkeypatch: pytest.MonkeyPatch, progress: dict[str, Any], act: Callable[[], object]) -> None:
    """Act once, when a step first tells that it has come so far."""
    renew, done = engine.renew, []

    def told(claim: settling.Claim, so_far: dict[str, Any] | None) -> None:
        if so_far and so_far.items() >= progress.items() and not done:
            done.append(act())
        renew(claim, so_far)

    monkeypatch.setattr(engine, "renew", told)


@contextmanager
def database_away(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """Let nobody connect to the portal's database, superusers included."""
    name = connection.settings_dict["NAME"]
    admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    end_sessions(admin, name)
    try:
        yield
    finally:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_a_line_to_the_portal_that_breaks_inside_a_step_is_an_interruption(
    nzila: TargetDatabase, people: dict[str, Any], admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    was, execution = before(nzila), started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    once_at(monkeypatch, {"statement": 5}, lambda: end_sessions(admin, connection.settings_dict["NAME"]))

    assert engine.advance(execution.pk, worker="cut", environ=nzila.environ) is True

    broken = step(execution, "apply")
    assert (broken.state, broken.attempt) == ("pending", 1) and "own database broke off" in broken.sentence
    assert ledger_rows(nzila) == 5 and contradictions(execution.request_id, nzila, was, settled=True) == []
    assert drive(execution, nzila.environ) == "succeeded" and ledger_rows(nzila) == 6


def test_an_outcome_is_written_once_the_portals_database_is_back(
    nzila: TargetDatabase, people: dict[str, Any], admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    was, execution = before(nzila), started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    settle, refused, back = settling.settle, list[Exception](), threading.Event()

    def settled(*given: Any) -> bool:
        """The database is away when apply has committed, and comes back when its outcome could not be written."""
        away = database_away(admin)
        if not refused:
            away.__enter__()
        try:
            return settle(*given)
        except OperationalError as error:
            refused.append(error)
            away.__exit__(None, None, None)
            back.set()
            raise

    monkeypatch.setattr(settling, "settle", settled)

    assert engine.advance(execution.pk, worker="waits", environ=nzila.environ) is True

    applied = step(execution, "apply")
    assert back.is_set() and len(refused) == 1
    assert (applied.state, applied.attempt, applied.evidence["known_by"]) == ("done", 1, "acknowledged")
    assert contradictions(execution.request_id, nzila, was) == []


def test_a_page_says_when_the_portals_database_is_away(people: dict[str, Any], admin: psycopg.Connection[Any]) -> None:
    browser = client_of(people["engineer"])
    browser.raise_request_exception = False
    with database_away(admin):
        page = browser.get("/")
        program = Client(headers={"host": "localhost", "Authorization": f"Bearer rbp_{'0' * 10}_{'x' * 43}"})
        answered = program.get("/api/v1/requests")
        # What is no outage stays what it is.
        ready = Client(headers={"host": "localhost"}).get("/readyz")
    connection.close()

    assert page.status_code == 503 and page.headers["Retry-After"] == "5"
    assert "does not answer at the moment" in page.text
    assert answered.status_code == 503 and answered.headers["Retry-After"] == "5" and ready.status_code == 503
    assert answered.json()["type"].endswith("#unavailable")
    assert browser.get("/").status_code == 200


def test_a_session_that_stands_still_in_a_transaction_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a worker whose host vanished while it wrote: it holds the trail's lock, which every use case needs."""
    monkeypatch.setenv("DATABASE_IDLE_SECONDS", "0.3")
    made, place = portal_database("DATABASE_URL"), connection.settings_dict
    given = {"host": place["HOST"], "user": place["USER"], "dbname": place["NAME"], **made["OPTIONS"]}
    given.pop("pool", None)
    with psycopg.connect(**given) as vanished, psycopg.connect(**given, autocommit=True) as waiting:
        lock = "SELECT pg_advisory_xact_lock(%s)"
        vanished.execute(lock, [trail.TRAIL_LOCK])
        waiting.execute(lock, [trail.TRAIL_LOCK])
        assert waiting.execute("SHOW lock_timeout").fetchone() == ("5300ms",)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            vanished.execute("SELECT 1")


def test_a_message_that_comes_again_while_its_step_runs_starts_nothing(
    nzila: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    execution, answers = started(people, nzila), list[bool]()
    drive(execution, nzila.environ, until="apply")

    def again() -> None:
        def other() -> None:
            answers.append(engine.advance(execution.pk, worker="second", environ=nzila.environ))
            connection.close()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    once_at(monkeypatch, {"statement": 3}, again)

    assert drive(execution, nzila.environ) == "succeeded"
    assert answers == [False] and step(execution, "apply").attempt == 1 and ledger_rows(nzila) == 6


def test_a_scratch_server_that_goes_away_is_no_failure_of_the_sql(
    nzila: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    was, execution = before(nzila), started(people, nzila)
    drive(execution, nzila.environ, until="rehearse")
    with psycopg.connect(nzila.environ["SCRATCH_DATABASE_URL"], autocommit=True) as scratch:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid() AND datname <> 'postgres'"
        once_at(monkeypatch, {"statement": 4}, lambda: scratch.execute(ended).fetchall())
        # Broken off inside the reverse SQL: tried again.
        assert engine.advance(execution.pk, worker="cut", environ=nzila.environ) is True
    assert step(execution, "rehearse").state == "pending" and step(execution, "rehearse").attempt == 1

    # Away for good: the run ends with the server's name, the votes hold, and the request is started again as signed.
    away = {**nzila.environ, "SCRATCH_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/postgres"}
    assert insist(execution, away) == "failed" and step(execution, "rehearse").attempt == settings.STEP_ATTEMPTS
    assert "scratch cannot be reached" in step(execution, "rehearse").sentence
    assert contradictions(execution.request_id, nzila, was) == []
    again = running.start(people["engineer"], execution.request_id)
    assert drive(again, nzila.environ) == "succeeded"


def test_a_backend_that_is_terminated_is_looked_after(
    nzila: TargetDatabase, people: dict[str, Any], admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before_it, execution = facts_of(nzila), started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    once_at(monkeypatch, {"statement": 6}, lambda: end_sessions(admin, nzila.name))

    assert engine.advance(execution.pk, worker="ended", environ=nzila.environ) is True
    assert step(execution, "apply").state == "pending" and "broke off" in step(execution, "apply").sentence
    assert facts_of(nzila) == before_it and ledger_rows(nzila) == 5
    assert drive(execution, nzila.environ) == "succeeded" and step(execution, "apply").attempt == 2


def test_a_target_that_cannot_be_looked_at_is_applied_and_not_verified(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    was, execution = before(nzila), started(people, nzila)
    drive(execution, nzila.environ, until="verify")
    variable = f"{nzila.name.upper().replace('-', '_')}_DIRECT_DATABASE_URL"

    assert insist(execution, {**nzila.environ, variable: "postgresql://nobody@127.0.0.1:1/x"}) == "needs_attention"

    assert step(execution, "apply").state == "done" and step(execution, "verify").state == "uncertain"
    assert "cannot be reached" in step(execution, "verify").sentence
    assert contradictions(execution.request_id, nzila, was) == []
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "succeeded" and ledger_rows(nzila) == 6


def test_a_target_that_was_changed_after_the_apply_needs_a_person(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="verify")
    with nzila.connect() as line:
        line.execute("CREATE TABLE nobody_signed (id integer)")

    assert drive(execution, nzila.environ) == "needs_attention"

    told = step(execution, "verify")
    assert "was applied, but the target is not as proven" in told.sentence and "nobody_signed" in told.sentence
    page = client_of(people["engineer"]).get(f"/requests/{execution.request_id}/run/").content.decode()
    for words in ("The target has committed the rollback", "Bring the state before back", "/recoveries/new/"):
        assert words in page
    assert "Give the run up" not in page
    with nzila.connect() as line:
        line.execute("DROP TABLE nobody_signed")
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "succeeded" and ledger_rows(nzila) == 6


@pytest.mark.parametrize("action", ["step.started", "step.done"])
def test_without_its_fact_no_step_is_claimed_or_settled(
    nzila: TargetDatabase, people: dict[str, Any], action: str
) -> None:
    execution = started(people, nzila)
    told = Fact.objects.count()
    with refused_facts(action), pytest.raises(DatabaseError, match="no fact is taken"):
        engine.advance(execution.pk, worker="mute", environ=nzila.environ)

    claimed = step(execution, "preflight")
    assert Fact.objects.count() - told == (action == "step.done")
    assert (claimed.state, claimed.attempt) == (("running", 1) if action == "step.done" else ("pending", 0))
    StepRun.objects.filter(pk=claimed.pk).update(lease_until=None)
    assert engine.advance(execution.pk, worker="next", environ=nzila.environ) is True
    assert state_of(execution) == "executing" and step(execution, "preflight").state == "done"


@contextmanager
def refused_facts(action: str) -> Iterator[None]:
    """Let the trail's table refuse this kind of fact."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_fact() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no fact is taken'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER refuse_fact BEFORE INSERT ON records_fact FOR EACH ROW WHEN (NEW.action = '{action}') "
            "EXECUTE FUNCTION refuse_fact()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse_fact CASCADE")
