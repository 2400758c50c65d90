"""Running an execution one step at a time: claim with a lease, observe or else perform, settle.

Truth is in the rows. A message from the broker only says "look"; two messages, a lost one or a killed
worker change nothing but the time it takes. One call of `advance` is one step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from rollbacks import leases, settling
from rollbacks.adapters.scratch import EXECUTION
from rollbacks.history import history_of
from rollbacks.models import Execution, StepRun
from rollbacks.plan import Plan
from rollbacks.ports import (
    Evidence,
    LeaseLost,
    Step,
    StepContext,
    StepFailed,
    StepInterrupted,
    StepUncertain,
)
from rollbacks.sealing import seal_record
from rollbacks.services import backups
from rollbacks.services.patches import keep_patch
from rollbacks.services.resume_points import keep_point, plan_points
from rollbacks.services.targets import settings_of
from rollbacks.settling import Claim, Outcome
from rollbacks.states import RunState
from rollbacks.steps import LANE_BEFORE, STEPS, reaches_target

logger = logging.getLogger(__name__)

BY_NAME = {step.name: step for step in STEPS}
LATELY = timedelta(days=2)


def advance(execution_id: int, *, worker: str, environ: Mapping[str, str]) -> bool:
    """Do the execution's next step, if this worker can claim it; True when another step can be done at once.

    Never raises for what a step does: every outcome is written to the step's row, with its fact.
    """
    claim = settling.claim(execution_id, worker=worker)
    if claim is None:
        # It may have been refused: cancelled, or not approved any more.
        clean_up(execution_id, environ)
        return False
    step = BY_NAME[claim.name]
    outcome = _run(step, claim, environ)
    if outcome.kind == "lost":
        logger.warning("Step %s of execution %s was taken over by another worker.", step.name, execution_id)
        return False
    more = leases.written_when_back(lambda: settling.settle(claim, step, outcome))
    if outcome.kind in {"failed", "uncertain"}:
        clean_up(execution_id, environ)
    return more


def claimable() -> list[int]:
    """Return the executions whose next step waits for a worker: never claimed, or its lease has run out."""
    at_work = [RunState.PENDING, RunState.RUNNING]
    waiting = StepRun.objects.filter(leases.free(), execution=OuterRef("pk"), state__in=at_work)
    # A step that ended badly waits for a person; ringing would not help it.
    stuck = StepRun.objects.filter(execution=OuterRef("pk"), state__in=[RunState.UNCERTAIN, RunState.FAILED])
    held = StepRun.objects.filter(execution=OuterRef("pk"), state=RunState.RUNNING, lease_until__gte=Now())
    rows = Execution.objects.filter(Exists(waiting), ~Exists(stuck), ~Exists(held), is_open=True)
    return list(rows.order_by("id").values_list("pk", flat=True))


def leftovers(names: Collection[str]) -> list[str]:
    """Return which of these scratch databases belong to an execution of this portal that is over.

    A worker that was killed while it cleaned up leaves one; a name that this portal did not give is never returned.
    """
    owners = {name: found.groups() for name in names if (found := EXECUTION.match(name))}
    over = Execution.objects.filter(pk__in={int(pk) for _, pk in owners.values()}, is_open=False)
    digests = dict(over.values_list("pk", "digest"))
    return sorted(name for name, (digest, pk) in owners.items() if digests.get(int(pk), "").startswith(digest))


def _run(step: Step, claim: Claim, environ: Mapping[str, str]) -> Outcome:
    try:
        heartbeat = partial(renew, claim)
        with leases.kept(heartbeat):
            context = _context(claim.execution, claim, environ, heartbeat)
            seen = step.observe(context)
            if seen is not None:
                return Outcome("done", evidence=seen, observed=True)
            return Outcome("done", evidence=step.perform(context))
    except LeaseLost:
        return Outcome("lost")
    except StepFailed as failure:
        return Outcome("failed", evidence=failure.evidence, sentence=str(failure))
    except StepUncertain as doubt:
        return Outcome("uncertain", evidence=doubt.evidence, sentence=str(doubt))
    except StepInterrupted as interruption:
        return Outcome("interrupted", sentence=str(interruption))
    except leases.AWAY as error:
        # Nothing was wrong with the step. Where it stood in a transaction on the target, that was rolled back.
        logger.warning("The portal's database broke off in step %s (%s).", step.name, type(error).__name__)
        connection.close()
        return Outcome("interrupted", sentence="The portal's own database broke off; the step is tried again.")
    except Exception as error:
        # A bug of ours or something no step foresaw: claiming success or failure would be a guess.
        logger.exception("Step %s of execution %s stopped unexpectedly.", step.name, claim.execution.pk)
        return Outcome("unexpected", sentence=type(error).__name__)


def _context(
    execution: Execution, claim: Claim | None, environ: Mapping[str, str], heartbeat: Callable[[Evidence], None]
) -> StepContext:
    """Return what a step may use; without a claim it is for cleaning up, which no wish to stop concerns."""
    earlier = execution.steps.filter(state=RunState.DONE).values_list("name", "evidence")
    return StepContext(
        plan=Plan.of(execution.plan),
        digest=execution.digest,
        token=f"execution-{execution.pk}",
        request=execution.request_id,
        execution=execution.pk,
        attempt=claim.attempt if claim else 0,
        target=settings_of(execution.target),
        started_by=execution.started_by.get_username(),
        evidence=dict(earlier),
        environ=environ,
        lease_seconds=settings.LEASE_SECONDS,
        now=lambda: datetime.now(UTC),
        heartbeat=partial(_told, heartbeat),
        history=lambda: history_of(execution),
        seal=lambda document: seal_record(execution, document),
        keep_patch=lambda content: keep_patch(execution, content),
        keep_backup=lambda kept: backups.keep(execution.pk, kept),
        judge_backup=lambda sentence: backups.judge(execution.pk, sentence),
        no_longer_allowed=lambda: settling.no_longer_allowed(Execution.objects.get(pk=execution.pk)),
        cancelled=lambda: stop_sentence(claim) if claim else "",
        resume_points=lambda: plan_points(execution),
        keep_point=partial(keep_point, claim.execution, claim.step, claim.attempt) if claim else _keep_no_point,
    )


def cancel_sentence(execution_id: int) -> str:
    """Return who wants the execution stopped and why, as it stands now; empty while nobody does."""
    found = Execution.objects.filter(pk=execution_id, cancel_asked_at__isnull=False)
    execution = found.select_related("cancel_asked_by").first()
    return settling.cancelled(execution) if execution is not None else ""


def _keep_no_point(number: int, state: str, evidence: Evidence) -> None:
    raise LeaseLost(f"Nobody works on statement {number} any more.")


def stop_sentence(claim: Claim) -> str:
    """Return why the step has to stop as soon as it can; empty while it may go on.

    Between the statements before the transaction a vote that lapsed stops it as well: apply comes after them, and its
    own claim would find that too late to leave the target as it was.
    """
    asked = cancel_sentence(claim.execution.pk)
    return asked or (settling.unapproved(claim.execution) if claim.name == LANE_BEFORE else "")


def renew(claim: Claim, progress: Evidence | None) -> None:
    """Prolong the lease and show progress; raises LeaseLost when the step is another worker's by now.

    Raises StepFailed when a person wants the execution stopped and the target has not been reached; the apply
    step asks for itself, because only it knows until when it can still stop.
    """
    values: dict[str, Any] = {"lease_until": leases.end()}
    if progress is not None:
        values["progress"] = progress
    mine = StepRun.objects.filter(pk=claim.step, state=RunState.RUNNING, attempt=claim.attempt)
    if mine.update(**values) != 1:
        raise LeaseLost(f"Attempt {claim.attempt} of step {claim.name} is over.")
    # The lease's own thread only renews: raising there would stop the renewing and not the work.
    if progress is not None and not reaches_target(claim.name):
        stop = cancel_sentence(claim.execution.pk)
        if stop:
            raise StepFailed(stop)


def _told(heartbeat: Callable[[Evidence], None], progress: Evidence) -> None:
    """Renew, and let go of a connection that the portal's database broke off, so that the next renewal has a new one."""
    try:
        heartbeat(progress)
    except leases.AWAY:
        connection.close()
        raise


def clean_up(execution_id: int, environ: Mapping[str, str]) -> None:
    """Take away what the steps of a failed execution left outside, never anything on the target; others are left alone.

    Cleaning twice does nothing more, so whoever finds a failed execution may do it again.
    """
    failed = _failed().filter(pk=execution_id).select_related("request", "target", "started_by").first()
    if failed is None:
        return
    context = _context(failed, None, environ, lambda progress: None)
    for step in reversed(STEPS):
        if step.clean is None:
            continue
        try:
            step.clean(context)
        except Exception:
            logger.exception("Cleaning up after step %s of execution %s failed.", step.name, execution_id)


def failed_lately() -> list[int]:
    """Return the executions that failed in the last two days; whoever failed them may have died before cleaning up."""
    return list(_failed().filter(finished_at__gte=Now() - LATELY).values_list("pk", flat=True))


def _failed() -> QuerySet[Execution]:
    failed = StepRun.objects.filter(execution=OuterRef("pk"), state=RunState.FAILED)
    return Execution.objects.filter(Exists(failed), is_open=False)
