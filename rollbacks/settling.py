"""The two short transactions around a step: claiming it, and writing how it ended with its fact."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from approvals.policy import State as Judged
from approvals.services import database_time, decision_on, open_case_of
from records import trail
from records.trail import Facts
from rollbacks import leases
from rollbacks.freezes import owe_release
from rollbacks.models import Execution, Request, StepRun
from rollbacks.plan import Plan
from rollbacks.ports import Evidence, Step
from rollbacks.reversal import lane
from rollbacks.services.follow_ups import open_follow_up
from rollbacks.services.moves import lock_request, move, subject_of
from rollbacks.services.resume_points import points_of
from rollbacks.services.running import closed_now
from rollbacks.states import RunState, State
from rollbacks.steps import APPLY, LANE_BEFORE, REHEARSE, past_apply, reaches_target, steps_of


@dataclass(frozen=True)
class Claim:
    """A step that this worker may work on: nobody else can while the attempt is this one and the lease holds."""

    execution: Execution
    step: int
    name: str
    position: int
    attempt: int


@dataclass(frozen=True)
class Outcome:
    """How a step ended: done, failed, uncertain, interrupted, unexpected or lost."""

    kind: str
    evidence: Evidence = field(default_factory=dict)
    observed: bool = False
    sentence: str = ""


def claim(execution_id: int, *, worker: str) -> Claim | None:
    """Claim the execution's next step; None when there is nothing to do or another worker is at it.

    Up to and with the apply step the approval is judged again under the lock: a vote that lapsed since the
    start stops the execution here. An apply that was tried before is exempt, because its effect may be there
    and has to be looked for whatever the votes say now.
    """
    with trail.recording(None) as facts:
        execution = _lock(execution_id)
        run = None if execution is None else _next_run(execution)
        if execution is None or run is None:
            return None
        refusal = _refusal(execution, run)
        if refusal:
            _stop(facts, execution, run, refusal)
            return None
        StepRun.objects.filter(pk=run.pk).update(
            state=RunState.RUNNING,
            attempt=F("attempt") + 1,
            worker=worker,
            lease_until=leases.end(),
            started_at=Now(),
            progress={},
            sentence="",
        )
        if run.name in {LANE_BEFORE, APPLY}:
            owe_release(execution)
        claimed = Claim(execution, run.pk, run.name, run.position, run.attempt + 1)
        facts.add(
            "step.started", subject_of(execution.request_id), execution=execution.pk, step=run.name,
            attempt=claimed.attempt, worker=worker,
        )  # fmt: skip
        return claimed


def settle(claim: Claim, step: Step, outcome: Outcome) -> bool:
    """Write how the step ended, if it is still ours; True when the next step can be done at once."""
    with trail.recording(None) as facts:
        execution = _lock(claim.execution.pk)
        mine = StepRun.objects.filter(pk=claim.step, state=RunState.RUNNING, attempt=claim.attempt)
        run = mine.first()
        if execution is None or run is None:
            return False
        if outcome.kind == "done":
            return _done(facts, execution, run, outcome)
        if step.retried or outcome.kind == "interrupted":
            return _again(facts, execution, run, step, outcome)
        if outcome.kind == "failed":
            _stop(facts, execution, run, outcome.sentence, outcome.evidence)
            return False
        _doubt(facts, execution, run, f"{_doubtful(run, outcome)} {_outside(execution)}".strip(), outcome.evidence)
        return False


def _lock(execution_id: int) -> Execution | None:
    """Lock the request, then its execution: the order of every use case, so that none waits for the other's."""
    request_id = Execution.objects.filter(pk=execution_id, is_open=True).values_list("request_id", flat=True).first()
    if request_id is None:
        return None
    lock_request(request_id)
    return (
        Execution.objects.select_for_update(of=("self",))
        .select_related("request", "target", "started_by", "cancel_asked_by")
        .filter(pk=execution_id, is_open=True)
        .first()
    )


def _next_run(execution: Execution) -> StepRun | None:
    run = execution.steps.exclude(state=RunState.DONE).order_by("position").first()
    if run is None or run.state in {RunState.FAILED, RunState.UNCERTAIN}:
        return None
    return StepRun.objects.filter(leases.free(), pk=run.pk).first()


def cancelled(execution: Execution) -> str:
    """Return the sentence of an execution that was asked to stop; empty when nobody did."""
    if execution.cancel_asked_at is None or execution.cancel_asked_by is None:
        return ""
    who = execution.cancel_asked_by.get_full_name() or execution.cancel_asked_by.get_username()
    if execution.steps.filter(name=APPLY, state=RunState.DONE).exists():
        changed = "The transaction was committed before."
    else:
        changed = "The transaction was not run." if _outside(execution) else "Nothing was changed on the target."
    return f"Cancelled by {who}: {execution.cancel_reason} {changed}"


def _refusal(execution: Execution, run: StepRun) -> str:
    """What was tried on the target before is looked for first; whether it may go on is asked inside the step."""
    if past_apply(run.name) or (reaches_target(run.name) and run.attempt):
        return ""
    return no_longer_allowed(execution)


def no_longer_allowed(execution: Execution) -> str:
    """Return why the plan may not be applied any more, judged anew: cancelled, not approved, closed; empty when it may."""
    return cancelled(execution) or unapproved(execution)


def unapproved(execution: Execution) -> str:
    """Return why the plan may no longer be run at this moment; empty while its approval and windows hold."""
    case = open_case_of(subject_of(execution.request_id))
    if case is None or case.digest != execution.digest:
        return "The plan that was approved is no longer the request's plan, so nothing was run; submit it again."
    decision = decision_on(case)
    if decision.state is Judged.APPROVED:
        closed = closed_now(Plan.of(execution.plan), database_time())
        return f"Nothing was run. {closed}" if closed else ""
    why = " ".join((*(lapsed.sentence for lapsed in decision.lapsed), decision.closed))
    return f"The plan is no longer approved, so nothing was run. {why}".strip()


def _done(facts: Facts, execution: Execution, run: StepRun, outcome: Outcome) -> bool:
    StepRun.objects.filter(pk=run.pk).update(
        state=RunState.DONE,
        evidence=outcome.evidence,
        observed=outcome.observed,
        finished_at=Now(),
        lease_until=None,
        sentence="",
    )
    facts.add(
        "step.done", subject_of(execution.request_id), execution=execution.pk, step=run.name,
        attempt=run.attempt, observed=outcome.observed, evidence=outcome.evidence,
    )  # fmt: skip
    if run.name == APPLY:
        rehearsed = execution.steps.get(name=REHEARSE).evidence
        # An execution that was rehearsed before there were follow-ups has not looked for them.
        open_follow_up(facts, execution, rehearsed.get("immutability_removed", ()))
    if run.position < len(steps_of(Plan.of(execution.plan))):
        return True
    _close(execution)
    move(facts, _request_of(execution), State.SUCCEEDED, execution=execution.pk)
    return False


def _again(facts: Facts, execution: Execution, run: StepRun, step: Step, outcome: Outcome) -> bool:
    """Leave the step to be claimed once more: at once the first time, then after a pause that doubles."""
    if not step.retried and run.tries >= settings.STEP_ATTEMPTS:
        if not reaches_target(run.name):
            _fail(facts, execution, run, outcome.sentence)
        else:
            _doubt(facts, execution, run, f"{outcome.sentence} {_outside(execution)}".strip())
        return False
    first = run.tries == 1
    StepRun.objects.filter(pk=run.pk).update(
        state=RunState.PENDING,
        lease_until=None if first else Now() + leases.pause_after(run.tries),
        sentence=outcome.sentence,
    )
    facts.add(
        "step.interrupted", subject_of(execution.request_id), execution=execution.pk, step=run.name,
        attempt=run.attempt, sentence=outcome.sentence,
    )  # fmt: skip
    return first


def _stop(facts: Facts, execution: Execution, run: StepRun, sentence: str, evidence: Evidence | None = None) -> None:
    """End what did not happen: failed; but a person's to look at when something outside the transaction is done.

    Whoever cancelled is told what stays, and with that it is over.
    """
    left = _outside(execution)
    unchanged = "Nothing was changed on the target."
    told = f"{sentence} {left}" if left else sentence
    if run.name == LANE_BEFORE and not left and unchanged not in sentence:
        told = f"{sentence} {unchanged}"
    if left and execution.cancel_asked_at is None:
        advice = "Let the portal look again to go on; to give it up, cancel the run first and then let it look again."
        _doubt(facts, execution, run, f"{told} {advice}", evidence)
    else:
        _fail(facts, execution, run, told, evidence)


def _outside(execution: Execution) -> str:
    """Return what of the lane is done, begun and not begun; empty where nothing of it was."""
    return lane.told(Plan.of(execution.plan).lane, points_of(execution.pk))


def _fail(facts: Facts, execution: Execution, run: StepRun, sentence: str, evidence: Evidence | None = None) -> None:
    StepRun.objects.filter(pk=run.pk).update(
        state=RunState.FAILED, sentence=sentence, finished_at=Now(), lease_until=None, evidence=evidence or {}
    )
    facts.add(
        "step.failed", subject_of(execution.request_id), execution=execution.pk, step=run.name,
        attempt=run.attempt, sentence=sentence, **_shown(evidence),
    )  # fmt: skip
    _close(execution)
    # Named apart, so that whoever is told does not read that nothing was changed.
    left = {"outside": True} if _outside(execution) else {}
    move(facts, _request_of(execution), State.FAILED, execution=execution.pk, sentence=sentence, **left)


def _doubt(facts: Facts, execution: Execution, run: StepRun, sentence: str, evidence: Evidence | None = None) -> None:
    """Nobody can tell from here: the execution stays open, so nothing else runs on the target, and a person is asked."""
    StepRun.objects.filter(pk=run.pk).update(
        state=RunState.UNCERTAIN, sentence=sentence, lease_until=None, evidence=evidence or {}
    )
    facts.add(
        "step.uncertain", subject_of(execution.request_id), execution=execution.pk, step=run.name,
        attempt=run.attempt, sentence=sentence, **_shown(evidence),
    )  # fmt: skip
    move(facts, _request_of(execution), State.NEEDS_ATTENTION, execution=execution.pk, sentence=sentence)


def _shown(evidence: Evidence | None) -> Evidence:
    return {"evidence": evidence} if evidence else {}


def _doubtful(run: StepRun, outcome: Outcome) -> str:
    if outcome.kind == "uncertain":
        return outcome.sentence
    return (
        f"The step {run.name} stopped on something that nobody foresaw ({outcome.sentence}); "
        "the worker's log has the details. Look at the target, then let the portal look again."
    )


def _close(execution: Execution) -> None:
    Execution.objects.filter(pk=execution.pk).update(is_open=False, finished_at=Now())


def _request_of(execution: Execution) -> Request:
    return Request.objects.get(pk=execution.request_id)
