"""The main job without a browser: file, sign, execute through a real worker and broker, check the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from approvals.policy import Choice
from demo import authenticators, organisation
from demo import target as demo_target
from portal.embedded.services import Services
from records.models import ChangeRecord
from records.trail import head
from records.verification import verify
from rollbacks.adapters.ledger import read_ledger
from rollbacks.models import Execution, Request, StepRun, Target
from rollbacks.reversal.catalog import ACCESS_KINDS, compare, read_facts
from rollbacks.services import proofs, reading, requests, running, signing, submission, targets
from rollbacks.states import RunState, State

PREFIX = "nzila-once-"
WAIT_SECONDS = 180
Say = Callable[[str, str, int, dict[str, Any]], None]


class OnceFailed(Exception):
    """The demo run did not end at the return point with a sealed record; the sentence says where it stopped."""


@dataclass
class Once:
    """One run: what it made and what it found, as `--json` prints it."""

    target: Target
    request: Request
    digest: str = ""
    record: str = ""


def fresh_target(services: Services) -> Target:
    """Make a target of its own for this run, so that a demo somebody is clicking through is left alone.

    The databases of earlier runs are dropped; their requests and records stay.
    """
    _retire_earlier(services)
    name = f"{PREFIX}{datetime.now(UTC):%Y%m%d%H%M%S%f}"
    return organisation.add_target(services, name=name, title="Nzila (demo run)")


def file_and_sign(people: dict[str, Any], target: Target, return_to: str, say: Say) -> Once:
    """File the request as the engineer, answer the checklist, submit, and let the approvers sign."""
    begun = time.monotonic()
    wait_for_inventory(target)
    say("inventory", "done", _ms(begun), {"target": target.name})
    begun = time.monotonic()
    request = requests.open_request(
        people["engineer"], target=target, return_to=return_to, wording=_wording(target, return_to)
    )
    for item in ("on_call", "return_point", "feature_flags"):
        requests.answer(people["engineer"], request.pk, item=item, text=ANSWERS[item])
    wait_for_proof(request)
    plan = submission.submit(people["engineer"], request.pk)
    say("file", "done", _ms(begun), {"request": str(request), "digest": plan.digest, "file": plan.file.sha256})
    begun = time.monotonic()
    roles = ("platform", "security", "cto") if plan.security_impacting else ("platform",)
    for role in roles:
        authenticators.enrol(people[role])
        statement = signing.statement_of(
            people[role], request.pk, role=role, choice=Choice.APPROVE.value, reason="", digest=plan.digest
        )
        signing.sign_off(
            people[role], request.pk, role=role, choice=Choice.APPROVE, reason="", digest_seen=plan.digest,
            confirmation=authenticators.confirm(people[role], statement),
        )  # fmt: skip
    say("sign", "done", _ms(begun), {"roles": list(roles), "digest": plan.digest})
    return Once(target, request, digest=plan.digest)


def execute(people: dict[str, Any], once: Once, say: Say) -> Execution:
    """Start the signed plan and follow its steps until it ends; the work is done by the worker process."""
    execution = running.start(people["engineer"], once.request.pk)
    shown: set[str] = set()
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        for run in StepRun.objects.filter(execution=execution).order_by("position"):
            if run.state in {"done", "failed", "uncertain"} and run.name not in shown:
                shown.add(run.name)
                say(run.name, run.state, _took(run), run.evidence or {"sentence": run.sentence})
        state = Request.objects.values_list("state", flat=True).get(pk=once.request.pk)
        if state != State.EXECUTING:
            break
        if time.monotonic() > deadline:
            raise OnceFailed(f"The rollback did not end within {WAIT_SECONDS} s; the worker's lines above say why.")
        time.sleep(0.1)
    if state != State.SUCCEEDED:
        stuck = StepRun.objects.filter(execution=execution).exclude(state="done").order_by("position").first()
        raise OnceFailed(f"The rollback ended as {state}: {stuck.sentence if stuck else ''}")
    return execution


def check(services: Services, once: Once, return_to: str) -> dict[str, Any]:
    """Look at the target with our own eyes: catalog as a replay up to the return point, ledger, sealed record.

    Raises OnceFailed when anything is not as it must be.
    """
    url = organisation.target_url(services, once.target.name)
    replay = f"{once.target.name}-replay"
    demo_target.create_database(services.scratch.url("postgres"), replay)
    try:
        demo_target.seed(services.scratch.url(replay, replay), until=return_to)
        with psycopg.connect(services.scratch.url(replay, replay)) as expected, psycopg.connect(url) as actual:
            wanted = read_facts(expected, ignore_schemas={"drizzle"}).without(ACCESS_KINDS)
            found = read_facts(actual, ignore_schemas={"drizzle"}).without(ACCESS_KINDS)
            ledger = read_ledger(actual, demo_target.LAYOUT)
    finally:
        with psycopg.connect(services.scratch.url("postgres"), autocommit=True) as connection:
            demo_target.drop_database(connection, replay)
    differences = compare(wanted, found)
    if not differences.equal:
        raise OnceFailed(f"The target is not at {return_to}: {' '.join(differences.sentences()[:5])}")
    record = ChangeRecord.objects.filter(subject=f"request:{once.request.pk}").first()
    broken = verify().broken
    if record is None or broken is not None:
        raise OnceFailed(broken.sentence if broken else "There is no sealed change record.")
    return {"record": record, "ledger_rows": len(ledger.rows), "facts": len(found.entries), "trail_head": head()[1]}


def result(
    services: Services, once: Once, execution: Execution, steps: list[dict[str, Any]], found: dict[str, Any]
) -> dict[str, Any]:
    """Return what `--json` prints; the record's path is inside the repository, on the branch."""
    filed = StepRun.objects.get(execution=execution, name="record").evidence
    staged = StepRun.objects.get(execution=execution, name="stage").evidence
    return {
        "request": str(once.request),
        "digest": once.digest,
        "steps": steps,
        "target_url": organisation.target_url(services, once.target.name),
        "repository": once.target.repository,
        "branch": staged["branch"],
        "record": next(path for path in filed["files"] if path.endswith(".json")),
        "record_digest": found["record"].digest,
        "trail_head": found["trail_head"],
        "backup": str(Path(services.environment()["BACKUP_DIR"]) / _backup_name(execution)),
    }


def wait_for_inventory(target: Target) -> None:
    """Wait until the worker has read the target; raises OnceFailed with its sentence when it cannot."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        inventory = targets.newest_inventory(target.pk)
        if inventory is not None and inventory.content is not None:
            return
        if inventory is not None:
            raise OnceFailed(f"The target could not be read: {inventory.error}")
        time.sleep(0.1)
    raise OnceFailed(f"No worker read the target within {WAIT_SECONDS} s.")


def wait_for_proof(request: Request) -> None:
    """Wait until the worker has proven the reverse SQL; raises OnceFailed with its sentence when it does not lead back."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        run = proofs.current_run(reading.read_request(request))
        if proofs.passed(run):
            return
        if run is None or run.state not in {RunState.PENDING, RunState.RUNNING}:
            sentences = (run.proof or {}).get("differences", [run.sentence]) if run else ["Nobody asked for it."]
            raise OnceFailed(f"The reverse SQL was not proven: {' '.join(sentences)}")
        time.sleep(0.1)
    raise OnceFailed(f"No worker proved the reverse SQL within {WAIT_SECONDS} s.")


ANSWERS = {
    "on_call": "Odette Mwamba was paged and confirmed.",
    "return_point": "Paul Ilunga confirmed the return point in the platform channel.",
    "feature_flags": "audit-severity and member-names are off in production; checked in the flag console.",
}


def _wording(target: Target, return_to: str) -> requests.Wording:
    reverse = demo_target.reverse_sql()
    return requests.Wording(
        reason="Release 2026.11 writes audit events that the reporting service cannot read.",
        security_incident="SEC-2026-041",
        justification=(
            "Audit immutability is lifted for the time of the rollback only; the triggers come back with the "
            "corrected migration, and until then audit_events is watched by the security team."
        ),
        reverse_sql={tag: reverse[tag] for tag in reading.undo_tags(target, return_to)},
    )


def _retire_earlier(services: Services) -> None:
    for target in Target.objects.filter(name__startswith=PREFIX, retired_at__isnull=True):
        if Execution.objects.filter(target=target, is_open=True).exists():
            continue
        targets.retire_target(None, target)
        services.drop_service(target.name)
        with psycopg.connect(services.portal.url("postgres"), autocommit=True) as connection:
            demo_target.drop_database(connection, target.name)


def _backup_name(execution: Execution) -> str:
    return str(StepRun.objects.get(execution=execution, name="backup").evidence["name"])


def _took(run: StepRun) -> int:
    if run.started_at is None or run.finished_at is None:
        return 0
    return round((run.finished_at - run.started_at).total_seconds() * 1000)


def _ms(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
