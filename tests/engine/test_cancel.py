"""Cancelling a run: before COMMIT it stops and the target is as it was, afterwards it is too late and says so."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

import pytest

from records.models import Fact
from rollbacks import engine, tasks
from rollbacks.models import Execution, Request, StepRun
from rollbacks.services import running
from rollbacks.services.moves import NotAllowed, Refused
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.engine.test_faults import facts_of, killed, ledger_rows, wait_for, worker_process
from tests.rollback import drive, started, state_of, step

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(people: dict[str, Any], execution: Execution, who: str = "engineer") -> None:
    running.cancel(people[who], execution.request_id, reason="The wrong release.")


def test_a_cancelled_run_stops_before_its_next_step_and_cleans_up(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    before = facts_of(nzila)
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    cancel(people, execution, "security")

    assert drive(execution, nzila.environ) == "failed"

    stopped = step(execution, "apply")
    assert stopped.state == "failed" and stopped.attempt == 0
    assert "The wrong release." in stopped.sentence and "Nothing was changed on the target." in stopped.sentence
    assert facts_of(nzila) == before and ledger_rows(nzila) == 5
    assert branches(nzila) == ""
    fact = Fact.objects.get(action="execution.cancel_asked")
    assert fact.actor_id == people["security"].pk and "The wrong release." in fact.line


def branches(nzila: TargetDatabase) -> str:
    listed = ["git", "-C", str(nzila.repository), "branch", "--list", "rollback/*"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout


def test_what_nobody_could_clean_up_is_swept(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    cancel(people, execution)
    # As if the worker had been killed before it could: nobody can reach the repository.
    away = nzila.repository.rename(nzila.repository.with_name("away"))
    assert drive(execution, nzila.environ) == "failed"
    away.rename(nzila.repository)
    assert "rollback/" in branches(nzila)

    tasks.sweep_scratch()

    assert branches(nzila) == ""


@pytest.mark.parametrize("progress", [{"statement": 5}, {"commit": True}])
def test_a_run_that_is_cancelled_inside_the_transaction_is_rolled_back(
    nzila: TargetDatabase, people: dict[str, Any], progress: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = facts_of(nzila)
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    renew = engine.renew

    def asked_at(claim: Any, told: dict[str, Any] | None) -> None:
        renew(claim, told)
        if told and told.items() >= progress.items():
            cancel(people, execution)

    monkeypatch.setattr(engine, "renew", asked_at)

    assert drive(execution, nzila.environ) == "failed"

    assert "Cancelled by" in step(execution, "apply").sentence
    assert facts_of(nzila) == before and ledger_rows(nzila) == 5


def test_a_dump_is_given_up_when_the_run_is_cancelled(
    nzila: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="backup")
    monkeypatch.setattr("rollbacks.adapters.pg_tools.PROGRESS_SECONDS", 0.0)
    renew = engine.renew

    def asked_at(claim: Any, told: dict[str, Any] | None) -> None:
        if told and not Execution.objects.filter(pk=execution.pk, cancel_asked_at__isnull=False).exists():
            cancel(people, execution)
        renew(claim, told)

    monkeypatch.setattr(engine, "renew", asked_at)

    assert drive(execution, nzila.environ) == "failed"

    assert "Cancelled by" in step(execution, "backup").sentence
    assert step(execution, "rehearse").state == "pending"


def test_after_the_commit_it_is_too_late_and_the_run_goes_on(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="verify")

    with pytest.raises(Refused, match="has committed the rollback"):
        cancel(people, execution)

    assert drive(execution, nzila.environ) == "succeeded"


def test_a_run_whose_commit_nobody_saw_is_looked_for_although_it_was_cancelled(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    killed(execution, nzila, "effect", "apply")
    cancel(people, execution)
    wait_for(lambda: execution.pk in engine.claimable())

    assert drive(execution, nzila.environ) == "succeeded"

    assert step(execution, "apply").observed and ledger_rows(nzila) == 6


def test_a_run_that_needs_attention_is_looked_at_although_it_was_cancelled(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    killed(execution, nzila, "effect", "apply")
    StepRun.objects.filter(execution=execution, name="apply").update(state="uncertain", lease_until=None)
    Request.objects.filter(pk=execution.request_id).update(state="needs_attention")
    cancel(people, execution)
    running.resume(people["engineer"], execution.request_id)

    # Failed would say that nothing was changed.
    assert drive(execution, nzila.environ) == "succeeded"

    assert step(execution, "apply").observed and ledger_rows(nzila) == 6


def test_a_paused_worker_finds_the_wish_when_it_goes_on(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    before = facts_of(nzila)
    execution = started(people, nzila)
    child = worker_process(execution, nzila, "pause", "3")
    wait_for(lambda: step(execution, "apply").progress.get("statement") == 2, 60)
    cancel(people, execution)
    child.send_signal(signal.SIGCONT)
    wait_for(lambda: child.poll() is not None or _continued(child), 60)
    child.communicate(timeout=60)

    wait_for(lambda: state_of(execution) == "failed" or bool(engine.claimable()), 60)
    assert drive(execution, nzila.environ) == "failed"
    assert facts_of(nzila) == before and ledger_rows(nzila) == 5


def _continued(child: Any) -> bool:
    """Let it go on again and again: it may not have stopped yet when the first signal came."""
    child.send_signal(signal.SIGCONT)
    return child.poll() is not None


def test_who_may_neither_start_nor_sign_may_not_cancel_and_a_reason_is_asked_for(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    with pytest.raises(NotAllowed):
        cancel(people, execution, "auditor")
    with pytest.raises(Refused, match="Say why"):
        running.cancel(people["engineer"], execution.request_id, reason="  ")
    place = f"/requests/{execution.request_id}"
    engineer = client_of(people["engineer"])
    assert f"{place}/cancel/" in engineer.get(f"{place}/run/").text
    assert f"{place}/cancel/" not in client_of(people["auditor"]).get(f"{place}/run/").text

    answered = engineer.post(f"{place}/cancel/", {"reason": "The wrong window."})

    assert answered.status_code == 302
    assert "The wrong window." in engineer.get(f"{place}/run/").text
    with pytest.raises(Refused, match="already"):
        cancel(people, execution)
