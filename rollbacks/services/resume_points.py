"""Resume points of statements outside the transaction: kept before and after each, read by whoever goes on."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models.functions import Now

from records import trail
from rollbacks.models import Execution, ResumePoint, StepRun
from rollbacks.ports import Evidence, LeaseLost
from rollbacks.services.moves import lock_request, subject_of
from rollbacks.states import RunState


def keep_point(execution: Execution, step: int, attempt: int, number: int, state: str, evidence: Evidence) -> None:
    """Keep that the statement was begun, is done or was taken back, with its fact; raises LeaseLost when the attempt is over.

    The request's row is locked first, as by every use case, so nobody takes the step over in between.
    """
    with trail.recording(None) as facts:
        lock_request(execution.request_id)
        if not StepRun.objects.filter(pk=step, state=RunState.RUNNING, attempt=attempt).exists():
            raise LeaseLost(f"Attempt {attempt} is over.")
        ResumePoint.objects.update_or_create(
            execution=execution,
            number=number,
            defaults={
                "state": state,
                "attempt": attempt,
                "evidence": evidence,
                "done_at": Now() if state == ResumePoint.State.DONE else None,
            },
        )
        facts.add(
            f"lane.{state}", subject_of(execution.request_id), execution=execution.pk, number=number, attempt=attempt,
            evidence=evidence,
        )  # fmt: skip


def points_of(execution_id: int) -> dict[int, Evidence]:
    """Return the execution's own points by the statement's number: state and evidence."""
    rows = ResumePoint.objects.filter(execution=execution_id)
    return {row.number: {**row.evidence, "state": row.state} for row in rows}


def plan_points(execution: Execution) -> Mapping[int, Evidence]:
    """Return the execution's points, and for other statements those of earlier executions of the same plan ("earlier")."""
    same = ResumePoint.objects.filter(execution__request=execution.request_id, execution__digest=execution.digest)
    earlier = same.exclude(execution=execution).values_list("number", flat=True)
    return {**{number: {"state": "begun", "earlier": True} for number in earlier}, **points_of(execution.pk)}
