"""Starting an approved plan, and going on after a person looked at one that needs attention."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from approvals import windows
from approvals.in_force import rulebook
from approvals.policy import Policy
from approvals.policy import State as Judged
from approvals.roles import REQUESTING_ROLES, may
from approvals.services import database_time, decision_on, open_case_of
from records import trail
from rollbacks import doorbell
from rollbacks.models import Execution, Request, Revision, StepRun
from rollbacks.plan import Plan
from rollbacks.services.break_glass import owe_review_of
from rollbacks.services.moves import NotAllowed, Refused, lock_request, move, subject_of
from rollbacks.services.submission import people_who_touched
from rollbacks.states import RunState, State
from rollbacks.steps import APPLY, LANE_AFTER, steps_of

# Signing roles as well: a signer who sees a mistake must not have to find an engineer first.
CANCELLING_ROLES = (*REQUESTING_ROLES, "security", "cto")


def start(actor: Any, request_id: int) -> Execution:
    """Start the approved plan: make its execution with one row for each step, and ring for a worker.

    Raises NotAllowed for people who may not run rollbacks, Refused when the plan is not approved, outside
    its window, or when another rollback runs on the same target.
    """
    if not may(actor, REQUESTING_ROLES):
        raise NotAllowed("Only engineers, the platform team and on-call may start a rollback.")
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        revision = _approved_revision(request)
        plan = Plan.of(revision.plan or {})
        closed = closed_now(plan, database_time())
        if closed:
            raise Refused(closed)
        if Policy.of(plan.policy).emergency:
            owe_review_of(
                facts, subject_of(request.pk), digest=plan.digest, author=request.author, actor=actor,
                reason=plan.emergency_reason, touched=people_who_touched(request),
            )  # fmt: skip
        execution = _create(request, actor, plan)
        move(facts, request, State.EXECUTING, execution=execution.pk, number=execution.number, digest=plan.digest)
        doorbell.ring_on_commit(execution.pk)
        return execution


def resume(actor: Any, request_id: int) -> Execution:
    """Let the engine look again after a person did: it observes first and goes on from what it finds."""
    if not may(actor, REQUESTING_ROLES):
        raise NotAllowed("Only engineers, the platform team and on-call may let a rollback go on.")
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        execution = Execution.objects.select_for_update().filter(request=request, is_open=True).first()
        if execution is None or request.state != State.NEEDS_ATTENTION:
            raise Refused(f"{request} does not wait for attention; open it again to see its state.")
        if execution.steps.filter(name=APPLY, state=RunState.DONE).exists():
            # A wish to stop what follows the COMMIT has been met, and going on is what is wanted now.
            Execution.objects.filter(pk=execution.pk).update(
                cancel_asked_at=None, cancel_asked_by=None, cancel_reason=""
            )
        # A step that was tried stays one that was tried: its effect is looked for before a vote or a wish to stop counts.
        StepRun.objects.filter(execution=execution, state=RunState.UNCERTAIN).update(
            state=RunState.PENDING, resumed_after=F("attempt"), lease_until=None, sentence=""
        )
        move(facts, request, State.EXECUTING, execution=execution.pk, resumed=True)
        doorbell.ring_on_commit(execution.pk)
        return execution


def cancel(actor: Any, request_id: int, *, reason: str) -> Execution:
    """Ask the worker to stop the execution before it commits anything; whether it could is said by its steps.

    Whoever may start or sign may stop: stopping changes nothing. Raises NotAllowed, Refused when nothing runs,
    when it was asked for already, or when the target has committed, after which stopping would lose the record.
    """
    require_canceller(actor)
    if not reason.strip():
        raise Refused("Say why it is cancelled; whoever looks at this run tomorrow needs it.")
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        execution = Execution.objects.select_for_update().filter(request=request, is_open=True).first()
        refusal = not_cancellable(execution)
        if execution is None or refusal:
            raise Refused(refusal)
        Execution.objects.filter(pk=execution.pk).update(
            cancel_asked_at=Now(), cancel_asked_by=actor, cancel_reason=reason.strip()
        )
        facts.add(
            "execution.cancel_asked", subject_of(request.pk), execution=execution.pk, number=execution.number,
            reason=reason.strip(),
        )  # fmt: skip
        doorbell.ring_on_commit(execution.pk)
        return execution


def require_canceller(person: Any) -> None:
    """Raise NotAllowed for people who may neither start nor sign rollbacks."""
    if not may(person, CANCELLING_ROLES):
        raise NotAllowed("Only those who may start or sign rollbacks may cancel one.")


def not_cancellable(execution: Execution | None) -> str:
    """Return the sentence that says why the request's newest execution cannot be cancelled; empty when it can."""
    if execution is None or not execution.is_open:
        return "Nothing of this request is running, so there is nothing to cancel."
    if execution.cancel_asked_at is not None:
        return "It was asked to stop already; the step that is running says when it has."
    steps = {step.name: step.state for step in execution.steps.all()}
    # Between the statements after the transaction there is something left to stop.
    if steps[APPLY] == RunState.DONE and steps.get(LANE_AFTER, RunState.DONE) == RunState.DONE:
        return (
            "The target has committed the rollback, so there is nothing left to cancel; what is still running "
            "verifies and records it. To undo the rollback, deploy the migrations again."
        )
    return ""


def closed_now(plan: Plan, now: datetime) -> str:
    """Return the sentence that forbids running the plan at this moment; empty when it may run.

    Its own window, the windows of the rule it was signed under, and the freezes of the rule book in force now
    stand above every approval. `now` is the database's time.
    """
    policy = Policy.of(plan.policy)
    return (
        plan.outside_window(now)
        or windows.closed(policy.windows, now)
        or frozen_now(plan.target.environment, now, emergency=policy.emergency)
    )


def frozen_now(environment: str, now: datetime, *, emergency: bool = False) -> str:
    """Return the sentence of the freeze that holds now for this environment; empty when none does."""
    return windows.frozen(rulebook().freezes, now, environment=environment, emergency=emergency)


def _approved_revision(request: Request) -> Revision:
    case = open_case_of(subject_of(request.pk))
    if case is None:
        raise Refused(f"{request} has no plan in review; submit it and have it signed first.")
    decision = decision_on(case)
    if decision.state is Judged.EXPIRED:
        raise Refused(decision.closed)
    if decision.state is not Judged.APPROVED:
        roles = ", ".join(" or ".join(need.roles) for need in decision.missing) or "nobody who may sign"
        raise Refused(f"{request} is not approved yet; it still waits for: {roles}.")
    return Revision.objects.get(request=request, digest=case.digest)


def _create(request: Request, actor: Any, plan: Plan) -> Execution:
    newest = Execution.objects.filter(request=request).aggregate(newest=Max("number"))["newest"] or 0
    try:
        with transaction.atomic():
            execution = Execution.objects.create(
                request=request,
                target=request.target,
                number=newest + 1,
                plan=plan.document(),
                digest=plan.digest,
                started_by=actor,
            )
    except IntegrityError as error:
        raise Refused(
            f"Another rollback is under way on {request.target.title}; wait until it has ended, then start again."
        ) from error
    StepRun.objects.bulk_create(
        StepRun(execution=execution, position=position, name=step.name)
        for position, step in enumerate(steps_of(plan), 1)
    )
    return execution
