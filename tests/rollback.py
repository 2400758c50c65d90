"""Steps that many tests take: register the target, file, sign and start a request, drive it to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from approvals.policy import Choice
from demo import target as demo_target
from rollbacks import engine, proof_runs
from rollbacks.models import Execution, ProofRun, Request, StepRun, Target
from rollbacks.services import proofs, reading, requests, running, signing, submission, targets
from rollbacks.states import RunState
from rollbacks.steps.drafting import drafts_of
from rollbacks.steps.observation import observe_target
from tests.conftest import TargetDatabase
from tests.passkeys import confirmed, passkey_of

# Workers find a target by its name in their environment; these are the ones of this test.
ENVIRONMENTS: dict[str, dict[str, str]] = {}
# What was proven once in this test process need not be proven again by every test that only needs it to have been.
PROVEN: dict[str, dict[str, Any]] = {}
DEFAULT_RETURN = "0002_rich_marten_broadcloak"
SIGNING = ("platform", "security", "cto")


def register(nzila: TargetDatabase, **options: Any) -> Target:
    """Register the target and keep one reading of it; `options` are the operator's, as register_target takes them."""
    target = targets.register_target(
        None,
        name=nzila.name,
        title="Nzila",
        environment="production",
        repository=str(nzila.repository),
        out=demo_target.OUT,
        audit_tables=["audit_events"],
        **options,
    )
    ENVIRONMENTS[target.name] = nzila.environ
    read(nzila, target)
    return target


def read(nzila: TargetDatabase, target: Target, *, drafted: bool = False) -> None:
    """Read the target as the worker's task would; most tests write their own SQL and need no draft."""
    observation = observe_target(targets.settings_of(target), environ=nzila.environ)
    drafts = {"drafts": drafts_of(observation, live=None, environ=nzila.environ, before=None)} if drafted else {}
    targets.keep_inventory(target.pk, content={**observation.content(), **drafts})


def wording(target: Target, return_to: str, **changes: Any) -> requests.Wording:
    """A request's wording with the demo's reverse SQL."""
    reverse = {**demo_target.reverse_sql(), **changes.pop("reverse_sql", {})}
    tags = reading.undo_tags(target, return_to)
    given: dict[str, Any] = {
        "reason": "The release cannot stay.",
        "security_incident": "SEC-1",
        "justification": "Immutability comes back with the corrected migration.",
        "reverse_sql": {tag: reverse[tag] for tag in tags},
    }
    return requests.Wording(**{**given, **changes})


def draft(people: Mapping[str, Any], target: Target, return_to: str = DEFAULT_RETURN, **changes: Any) -> Request:
    """Open a request, have it proven where its SQL allows it, and answer its checklist."""
    request = requests.open_request(
        people["engineer"], target=target, return_to=return_to, wording=wording(target, return_to, **changes)
    )
    incident = ("incident",) if changes.get("production_incident") else ()
    for item in (*incident, "on_call", "return_point", "feature_flags"):
        requests.answer(people["engineer"], request.pk, item=item, text=f"Done: {item}.")
    prove(request)
    return request


def prove(request: Request) -> ProofRun | None:
    """Do the worker's part of proving the request as it stands; None when nothing was asked of a worker."""
    run = proofs.current_run(reading.read_request(request))
    if run is None or run.state != RunState.PENDING:
        return run
    if run.subject in PROVEN:
        ProofRun.objects.filter(pk=run.pk).update(state=RunState.DONE, finished_at=Now(), **PROVEN[run.subject])
        run.refresh_from_db()
        return run
    proof_runs.work(run.pk, worker="test", environ=ENVIRONMENTS[request.target.name])
    run.refresh_from_db()
    if run.state == RunState.DONE:
        PROVEN[run.subject] = {"proof": run.proof, "live": run.live}
    return run


def sign(
    person: Any, request: Request, role: str, digest: str, choice: Choice = Choice.APPROVE, reason: str = ""
) -> Any:
    """Vote as this person, confirmed by their passkey."""
    passkey_of(person)
    statement = signing.statement_of(person, request.pk, role=role, choice=choice.value, reason=reason, digest=digest)
    return signing.sign_off(
        person, request.pk, role=role, choice=choice, reason=reason, digest_seen=digest,
        confirmation=confirmed(statement, person),
    )  # fmt: skip


def forge_proof(request: Request) -> None:
    """Turn the request's disproven proof into a passed one, as somebody with the portal's database could."""
    run = prove(request)
    assert run is not None and run.proof["outcome"] == "disproven"
    ProofRun.objects.filter(pk=run.pk).update(proof={**run.proof, "outcome": "proven", "differences": []})


def approve(people: Mapping[str, Any], request: Request) -> str:
    """Submit and let everybody sign who has to; return the digest."""
    prove(request)
    plan = submission.submit(people["engineer"], request.pk)
    for role in SIGNING if plan.security_impacting else ("platform",):
        sign(people[role], request, role, plan.digest)
    return plan.digest


def started(
    people: Mapping[str, Any], nzila: TargetDatabase, return_to: str = DEFAULT_RETURN, **changes: Any
) -> Execution:
    """File, sign and start a rollback on this target; no step is done yet."""
    request = draft(people, register(nzila), return_to, **changes)
    approve(people, request)
    return running.start(people["engineer"], request.pk)


def drive(execution: Execution, environ: Mapping[str, str], *, until: str = "") -> str:
    """Do step after step in this process until nothing can be done (or `until` comes next); return the request's state."""
    while True:
        following = execution.steps.exclude(state="done").order_by("position").first()
        if following is None or following.name == until:
            break
        if not engine.advance(execution.pk, worker="test", environ=environ):
            break
    return state_of(execution)


def state_of(execution: Execution) -> str:
    """Return the state of the execution's request."""
    return str(Request.objects.values_list("state", flat=True).get(pk=execution.request_id))


def step(execution: Execution, name: str) -> StepRun:
    """Return the execution's step run of this name."""
    return StepRun.objects.get(execution=execution, name=name)
