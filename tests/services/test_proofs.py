"""Proving a request on a worker: what passes, what does not, who may ask, and what a dying worker leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from records.models import Fact
from rollbacks import doorbell, proof_runs, tasks
from rollbacks.adapters.scratch import Scratch
from rollbacks.models import ProofRun, Request, Revision, Target
from rollbacks.services import proofs, reading, requests, running, submission
from rollbacks.services.moves import NotAllowed, Refused
from tests.conftest import TargetDatabase
from tests.rollback import DEFAULT_RETURN, approve, draft, drive, register, step, wording
from tests.services.test_sign_off import at_once

pytestmark = pytest.mark.django_db(transaction=True)

# What a killed worker leaves on the scratch server that all test processes share has to be told apart from others'.
KILLING = pytest.mark.xdist_group("killed provers")

SCRIPT = Path(__file__).with_name("killed_prover.py")
TRIGGERS = "0004_audit_events_immutable"
NEWEST = "0003_redundant_starfox"


def opened(people: dict[str, Any], nzila: TargetDatabase, return_to: str = DEFAULT_RETURN, **changes: Any) -> Request:
    """File a request and answer its checklist; its proof waits for a worker."""
    target = register(nzila)
    request = requests.open_request(
        people["engineer"], target=target, return_to=return_to, wording=wording(target, return_to, **changes)
    )
    for item in ("on_call", "return_point", "feature_flags"):
        requests.answer(people["engineer"], request.pk, item=item, text="Done.")
    return request


def worked(nzila: TargetDatabase) -> ProofRun:
    """Do the worker's part of the newest run."""
    run = ProofRun.objects.latest("id")
    proof_runs.work(run.pk, worker="test", environ=nzila.environ)
    run.refresh_from_db()
    return run


def test_a_new_request_is_proven_and_what_was_proven_is_what_is_signed(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = opened(people, nzila)
    with pytest.raises(Refused, match="is being proven"):
        submission.submit(people["engineer"], request.pk)
    run = worked(nzila)

    assert (run.state, run.proof["outcome"], run.proof["round_trip"]) == ("done", "proven", "held")
    (fact,) = Fact.objects.filter(subject=f"request:{request.pk}", action="request.proven")
    assert run.proof["digest"] in fact.line
    plan = submission.submit(people["engineer"], request.pk)
    assert plan.proof == {**run.proof, "live": run.live}
    counted = {(each["relation"], *each["columns"]): each["count"] for each in run.live["at_stake"]}
    assert counted and counted == {place: nzila.rows(f"SELECT count(*) FROM {place[0]}")[0][0] for place in counted} | {
        place: count for place, count in counted.items() if len(place) > 1
    }


def test_a_second_opinion_is_kept_with_the_proof_and_signed_with_it(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = opened(people, nzila)
    run = worked(nzila)
    findings = run.proof["second_opinion"]
    lines = proofs.subject_kept(run).reverse.split("\n")
    (drop,) = [each for each in findings if each["rule"] == "ban-drop-function"]
    assert "DROP FUNCTION" in lines[drop["line"] - 1]
    assert run.proof["no_second_opinion"] == ""
    assert submission.submit(people["engineer"], request.pk).document()["proof"]["second_opinion"] == findings


def test_a_proof_needs_no_second_opinion_and_is_the_same_without(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    opened(people, nzila)
    with_one = worked(nzila)
    run = ProofRun.objects.create(
        request=with_one.request, revision=with_one.revision, subject=with_one.subject, wanted=with_one.wanted,
        asked_by=people["engineer"],
    )  # fmt: skip
    proof_runs.work(run.pk, worker="test", environ={**nzila.environ, "SQUAWK": "/nowhere/squawk"})
    run.refresh_from_db()
    assert run.proof["outcome"] == "proven"
    assert (run.proof["second_opinion"], run.proof["no_second_opinion"][:17]) == ([], "no second opinion")
    assert run.proof["digest"] == with_one.proof["digest"]


def test_sql_that_leads_elsewhere_is_disproven_by_name_and_not_submitted(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = opened(
        people, nzila, return_to=NEWEST, reverse_sql={TRIGGERS: "DROP TRIGGER audit_events_no_update ON audit_events;"}
    )
    run = worked(nzila)
    assert run.proof["outcome"] == "disproven"
    assert any("audit_events_no_delete" in sentence for sentence in run.proof["differences"])
    with pytest.raises(Refused, match="does not lead back"):
        submission.submit(people["engineer"], request.pk)
    assert Fact.objects.filter(action="request.disproven").count() == 1


def test_sql_that_the_server_refuses_is_disproven_with_its_place(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    opened(people, nzila, reverse_sql={NEWEST: "SELECT 1;\n\nDROP TABLE there_is_none;"})
    run = worked(nzila)
    assert run.proof["differences"][0].startswith(f"{NEWEST}, line 3, was refused by the server: table")


def test_a_proof_is_of_exactly_this_sql(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = opened(people, nzila)
    worked(nzila)
    author, target = people["engineer"], request.target
    requests.edit_request(author, request.pk, wording=wording(target, DEFAULT_RETURN, reason="Other."), seen_revision=1)
    assert proofs.passed(proofs.current_run(reading.read_request(request)))
    assert ProofRun.objects.count() == 1

    sql = wording(target, DEFAULT_RETURN).reverse_sql[TRIGGERS]
    changed = wording(target, DEFAULT_RETURN, reason="Other.", reverse_sql={TRIGGERS: f"{sql}\n-- One more line."})
    requests.edit_request(author, request.pk, wording=changed, seen_revision=2)
    with pytest.raises(Refused, match="is being proven"):
        submission.submit(author, request.pk)
    assert worked(nzila).proof["outcome"] == "proven"
    submission.submit(author, request.pk)


def test_a_worker_runs_nothing_that_is_refused_whatever_the_row_says(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = opened(people, nzila, return_to=NEWEST)
    Revision.objects.filter(request=request).update(reverse_sql={TRIGGERS: "SELECT 1;\nCREATE ROLE proof_intruder;"})
    run = worked(nzila)
    assert run.state == "failed" and run.sentence.startswith(f"{TRIGGERS}, line 2: ")
    with Scratch.of(nzila.environ).connect("postgres") as scratch:
        assert scratch.execute("SELECT FROM pg_roles WHERE rolname = 'proof_intruder'").fetchone() is None


def test_code_that_nobody_can_analyse_is_not_run_by_a_superuser(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    block = "DO $$ BEGIN PERFORM 1; END $$;\n"
    sql = wording(register(nzila), NEWEST).reverse_sql[TRIGGERS]
    request = draft(people, Target.objects.get(), NEWEST, reverse_sql={TRIGGERS: block + sql})
    assert proofs.passed(proofs.current_run(reading.read_request(request)))

    again = proofs.ask(people["engineer"], request.pk)
    superuser = nzila.environ["SCRATCH_DATABASE_URL"].replace("rollback_scratch@", "postgres@")
    proof_runs.work(again.pk, worker="test", environ={**nzila.environ, "SCRATCH_DATABASE_URL": superuser})
    again.refresh_from_db()
    assert "is a superuser: give the worker a role there" in again.sentence


def test_sql_that_never_ends_is_stopped(nzila: TargetDatabase, people: dict[str, Any], settings: LazySettings) -> None:
    settings.STATEMENT_TIMEOUT_MS = 300
    opened(people, nzila, return_to=NEWEST, reverse_sql={TRIGGERS: "SELECT pg_sleep(600);"})
    assert "statement timeout" in worked(nzila).proof["differences"][0]


def test_a_chain_that_changed_meanwhile_is_not_proven(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = opened(people, nzila)
    run = ProofRun.objects.get()
    ProofRun.objects.update(wanted={**run.wanted, "chain_sha256": "0" * 64})
    assert "The migrations changed since the target was read" in worked(nzila).sentence
    with pytest.raises(Refused, match="could not be proven: The migrations changed"):
        submission.submit(people["engineer"], request.pk)


def test_without_a_scratch_server_it_says_what_to_set_and_can_be_asked_again(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = opened(people, nzila)
    run = ProofRun.objects.get()
    proof_runs.work(run.pk, worker="test", environ={**nzila.environ, "SCRATCH_DATABASE_URL": ""})
    run.refresh_from_db()
    assert run.state == "failed" and "SCRATCH_DATABASE_URL is not set" in run.sentence
    again = proofs.ask(people["engineer"], request.pk)
    assert again.pk != run.pk
    assert worked(nzila).proof["outcome"] == "proven"


def test_the_live_target_is_read_for_drift(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    with nzila.connect() as line:
        line.execute("CREATE INDEX by_hand ON audit_events (occurred_at)")
    opened(people, nzila)
    run = worked(nzila)
    assert run.proof["outcome"] == "proven"
    assert any("by_hand" in sentence for sentence in run.live["drift"])


def test_nobody_without_a_requesting_role_may_ask(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = opened(people, nzila)
    with pytest.raises(NotAllowed):
        proofs.ask(people["auditor"], request.pk)


def test_an_incomplete_request_is_not_proven(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = opened(people, nzila, reverse_sql={NEWEST: "-- FILL IN: something\nSELECT 1;"})
    assert ProofRun.objects.count() == 0
    with pytest.raises(Refused, match="still says “FILL IN:”"):
        proofs.ask(people["engineer"], request.pk)


def test_two_who_ask_at_once_get_one_run(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = opened(people, nzila)
    ProofRun.objects.all().delete()
    first, second = at_once(
        lambda: proofs.ask(people["engineer"], request.pk), lambda: proofs.ask(people["on-call"], request.pk)
    )
    assert first.pk == second.pk and ProofRun.objects.count() == 1


def test_two_workers_prove_it_once(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    opened(people, nzila)
    run = ProofRun.objects.get()
    at_once(*[lambda: proof_runs.work(run.pk, worker="test", environ=nzila.environ)] * 2)
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("done", 1)
    assert Fact.objects.filter(action="request.proven").count() == 1


@pytest.mark.parametrize("point", ["claim", "replay"])
@KILLING
def test_after_a_killed_worker_another_one_proves_it(
    nzila: TargetDatabase, people: dict[str, Any], point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(people, nzila)
    run = ProofRun.objects.get()
    _killed(run, nzila, point)
    run.refresh_from_db()
    assert run.state == "running" and proof_runs.claimable() == []

    _let_the_lease_run_out(run)
    rung: list[int] = []
    monkeypatch.setattr(doorbell, "ring_proof", rung.append)
    tasks.sweep()
    assert rung == [run.pk]
    assert worked(nzila).proof["outcome"] == "proven"
    assert ProofRun.objects.get().attempt == 2


@KILLING
def test_what_a_killed_worker_left_on_the_scratch_server_is_swept(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    opened(people, nzila)
    scratch = Scratch.of(nzila.environ)
    before = scratch.names()
    _killed(ProofRun.objects.get(), nzila, "replay")
    found = {name for name in scratch.names() - before if "_proof_" in name}
    assert found
    now = time.time()
    scratch.sweep_replays(now=now)
    # Other test processes prove on the same server and may take theirs away at any moment; what a killed worker left stays.
    left = sorted(found & scratch.names())
    assert left, "a replay that may still be going on must be left alone"
    assert scratch.stale_replays(left, now=now + 3 * 3600) == left
    if len(left) == 1:
        scratch.drop(left[0])


@KILLING
def test_a_run_that_kills_every_worker_is_given_up(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    opened(people, nzila)
    run = ProofRun.objects.get()
    for _ in range(proof_runs.ATTEMPTS):
        _killed(run, nzila, "claim")
        _let_the_lease_run_out(run)
    given_up = worked(nzila)
    assert given_up.state == "failed" and "was lost 3 times" in given_up.sentence


def test_a_worker_that_was_taken_over_writes_nothing(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    opened(people, nzila)
    run = ProofRun.objects.get()
    claim = proof_runs._claim(run.pk, "slow")
    assert claim is not None
    _let_the_lease_run_out(run)
    taken = worked(nzila)
    proof_runs._settle(claim, state="failed", sentence="late")
    run.refresh_from_db()
    assert (run.state, run.proof) == ("done", taken.proof)


def test_the_rehearsal_stops_when_the_states_are_not_the_proven_ones(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = opened(people, nzila)
    run = worked(nzila)
    ProofRun.objects.update(proof={**run.proof, "return_point_facts": "0" * 64})
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)
    assert drive(execution, nzila.environ) == "failed"
    assert "another catalog than the one that the signed proof rests on" in step(execution, "rehearse").sentence


def test_the_task_proves_over_the_real_broker_row(
    nzila: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in nzila.environ.items():
        monkeypatch.setenv(name, value)
    draft(people, register(nzila), TRIGGERS.replace(TRIGGERS, NEWEST))
    ProofRun.objects.update(state="pending", proof=None, attempt=0)
    tasks.prove(ProofRun.objects.get().pk)
    assert ProofRun.objects.get().state == "done"


def _killed(run: ProofRun, nzila: TargetDatabase, point: str) -> None:
    place = connection.settings_dict
    url = f"postgresql://{place['USER']}@/{place['NAME']}?host={place['HOST']}"
    environ = {**nzila.environ, "DATABASE_URL": url, "PYTHONPATH": os.getcwd()}
    child = subprocess.Popen([sys.executable, str(SCRIPT), str(run.pk), point], env=environ, stderr=subprocess.PIPE)
    _, errors = child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL, errors.decode()


def _let_the_lease_run_out(run: ProofRun) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rollbacks_proofrun SET lease_until = now() - interval '1 s' WHERE id = %s", [run.pk])
