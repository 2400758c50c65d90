"""Releasing deploy freezes: owed from the moment that one may have been asked for, tried until it was delivered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from records import trail
from rollbacks.models import DeployFreeze, Execution, StepRun
from rollbacks.plan import Plan
from rollbacks.services.moves import subject_of
from rollbacks.states import RunState
from rollbacks.steps.freeze import NotReleased, document_of, release

VERIFY = "verify"
# Failed attempts, a minute and a half apart from the first, after which somebody is told.
CALLING_AFTER = 3
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


def owe_release(execution: Execution) -> None:
    """Note, in the caller's transaction, that the execution is about to ask for a freeze; once is enough."""
    if Plan.of(execution.plan).options.get("deploy_freeze"):
        DeployFreeze.objects.get_or_create(execution=execution)


def owed() -> list[int]:
    """Return the executions whose release can be tried now, those that wait longest first."""
    return list(_owed().order_by("due_at").values_list("execution_id", flat=True)[:100])


def _owed() -> QuerySet[DeployFreeze]:
    """Return the releases that are due: the run is over, or the target was verified.

    While a run needs attention nobody knows what the target is like, so its freeze holds until a person has looked.
    """
    verified = StepRun.objects.filter(execution=OuterRef("execution"), name=VERIFY, state=RunState.DONE)
    return DeployFreeze.objects.filter(
        Q(execution__is_open=False) | Exists(verified), released_at__isnull=True, due_at__lte=Now()
    )


def release_owed(execution_id: int, *, environ: Mapping[str, str]) -> bool:
    """Deliver the release, if it is owed and due; True when it has got through. Two at once tell it once or twice."""
    freeze = _owed().filter(execution=execution_id).select_related("execution__target").first()
    if freeze is None:
        return False
    execution, attempts = freeze.execution, freeze.attempts
    mine = DeployFreeze.objects.filter(execution=execution, released_at__isnull=True)
    # Put off before anything is sent: a worker that dies on the way leaves the next attempt to the sweep.
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts, 10))
    if not mine.filter(attempts=attempts).update(attempts=F("attempts") + 1, due_at=Now() + pause):
        return False
    target = execution.target
    document = document_of(target.name, target.environment, request=execution.request_id, digest=execution.digest)
    try:
        status = release(target.name, document, token=f"execution-{execution.pk}", environ=environ)
    except NotReleased as error:
        _keep_failure(execution, str(error), attempts=attempts + 1)
        return False
    with trail.recording(None) as facts:
        if mine.update(released_at=Now(), sentence=""):
            facts.add(
                "deploy_freeze.released", subject_of(execution.request_id), execution=execution.pk, status=status,
                attempts=attempts + 1,
            )  # fmt: skip
    return True


def _keep_failure(execution: Execution, sentence: str, *, attempts: int) -> None:
    """Show why on the run page; people are called once, by a fact, when it goes on failing."""
    with trail.recording(None) as facts:
        DeployFreeze.objects.filter(execution=execution).update(sentence=sentence)
        if attempts == CALLING_AFTER:
            facts.add(
                "deploy_freeze.not_released", subject_of(execution.request_id), execution=execution.pk,
                attempts=attempts, sentence=sentence,
            )  # fmt: skip
