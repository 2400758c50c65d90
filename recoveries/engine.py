"""Doing a recovery one step at a time: claim with a lease, observe or else perform, settle.

As with rollbacks the truth is in the rows, and a message only says "look": a worker that is killed leaves a lease that
runs out, and the next one observes what the provider has before it asks for anything.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.functions import Now

from records import trail
from records.trail import Facts
from recoveries.cutover import BY_HAND
from recoveries.history import history_of, seal_recovery
from recoveries.kinds import KINDS
from recoveries.models import Recovery, RecoveryAnswer, RecoveryStep
from recoveries.plan import RecoveryPlan
from recoveries.ports import Context, Order, ProviderInterrupted, ProviderRefused, Registered, Step
from recoveries.providers import provider_of
from recoveries.services.moves import lock, move, subject_of
from recoveries.services.opening import keep_restorable
from recoveries.services.running import refuse_unapproved
from recoveries.states import EDITABLE, State
from recoveries.steps import DOCUMENT, RESTORE, STEPS
from rollbacks import leases
from rollbacks.models import Execution, Inventory, Target
from rollbacks.ports import Evidence, LeaseLost, StepFailed, StepInterrupted, StepUncertain
from rollbacks.services.moves import Refused
from rollbacks.services.targets import settings_of
from rollbacks.states import RunState

logger = logging.getLogger(__name__)

BY_NAME = {step.name: step for step in STEPS}
RESTORE_POSITION = next(position for position, step in enumerate(STEPS, 1) if step.name == RESTORE)
AT_WORK = (State.RESTORING, State.CLOSING)


@dataclass(frozen=True)
class Claim:
    """A step that this worker may work on while the attempt is this one and the lease holds."""

    recovery: Recovery
    step: RecoveryStep
    attempt: int

    @property
    def tries(self) -> int:
        """How often the step was tried, this time included, since it was made or a person let it go on."""
        return self.attempt - self.step.resumed_after


def advance(pk: int, *, worker: str, environ: Mapping[str, str]) -> bool:
    """Do the recovery's next step, if this worker can claim it; True when another step can be done at once."""
    claim = _claim(pk, worker)
    if claim is None:
        return False
    step = BY_NAME[claim.step.name]
    kind, evidence, observed, sentence = _run(step, claim, environ)
    if kind == "lost":
        logger.warning("Step %s of recovery %s was taken over by another worker.", step.name, pk)
        return False
    return leases.written_when_back(lambda: _settle(claim, step, kind, evidence, observed=observed, sentence=sentence))


def _settle(claim: Claim, step: Step, kind: str, evidence: Evidence, *, observed: bool, sentence: str) -> bool:
    """Write how the step ended, if it is still ours; True when the next step can be done at once."""
    with trail.recording(None) as facts:
        recovery = lock(claim.recovery.pk)
        if not _mine(claim).exists():
            return False
        if kind == "done":
            return _done(facts, recovery, claim, evidence, observed=observed)
        if step.retried or kind == "interrupted":
            return _again(facts, recovery, claim, step, sentence)
        if kind == "failed":
            return _stop(facts, recovery, claim.step, State.FAILED, sentence)
        return _stop(facts, recovery, claim.step, State.NEEDS_ATTENTION, sentence)


def claimable() -> list[int]:
    """Return the recoveries whose next step waits for a worker and not for a person."""
    waiting = RecoveryStep.objects.filter(
        leases.free(), recovery=OuterRef("pk"), state__in=[RunState.PENDING, RunState.RUNNING]
    )
    held = RecoveryStep.objects.filter(recovery=OuterRef("pk"), state=RunState.RUNNING, lease_until__gte=Now())
    rows = Recovery.objects.filter(Exists(waiting), ~Exists(held), state__in=AT_WORK)
    return [row.pk for row in rows.order_by("id") if not waits_for_a_person(row)]


def unheard() -> list[int]:
    """Return the drafts for which no worker has asked the provider yet."""
    rows = Recovery.objects.filter(state=State.DRAFT, restorable__isnull=True)
    return list(rows.order_by("id").values_list("pk", flat=True))


def read_restorable(pk: int, *, environ: Mapping[str, str]) -> None:
    """Ask the provider of a draft what it can restore and keep the answer, or the sentence that says why not."""
    recovery = Recovery.objects.select_related("target").filter(pk=pk, state__in=EDITABLE).first()
    if recovery is None:
        return
    try:
        found = provider_of(recovery.provider, environ).restorable(settings_of(recovery.target))
    except (ProviderRefused, ProviderInterrupted) as refusal:
        keep_restorable(pk, {"error": str(refusal)})
    except Exception as error:
        logger.exception("The provider of recovery %s could not be asked.", pk)
        keep_restorable(pk, {"error": f"The worker met something unforeseen ({type(error).__name__}); see its log."})
    else:
        document = found.document()
        # A store holds the backups of all targets, and a backup of another one must not be offered.
        document["backups"] = [each for each in found.backups if each["token"] in _tokens_of(recovery.target)]
        keep_restorable(pk, document)


def _tokens_of(target: Target) -> set[str]:
    """Leave out backups that are being removed: they would be gone before anybody has signed."""
    rows = Execution.objects.filter(target=target).exclude(backup__removing_at__isnull=False)
    return {f"execution-{pk}" for pk in rows.values_list("pk", flat=True)}


def waits_for_a_person(recovery: Recovery) -> bool:
    """Tell whether the next step is a restore by hand that nobody has said is done."""
    if recovery.state != State.RESTORING or not KINDS[recovery.provider].by_hand:
        return False
    current = _next_step(recovery)
    answered = RecoveryAnswer.objects.filter(recovery=recovery, item=BY_HAND).exists()
    return current is not None and current.name == RESTORE and not answered


def _next_step(recovery: Recovery) -> RecoveryStep | None:
    steps = recovery.steps.exclude(state=RunState.DONE).order_by("position")
    if recovery.state == State.CLOSING:
        return steps.filter(name=DOCUMENT).first()
    return steps.exclude(name=DOCUMENT).first()


def _claim(pk: int, worker: str) -> Claim | None:
    """Claim the next step; up to the first attempt to restore the approval is judged again under the lock."""
    with trail.recording(None) as facts:
        recovery = lock(pk)
        if recovery.state not in AT_WORK or waits_for_a_person(recovery):
            return None
        step = _next_step(recovery)
        if step is None or step.state in {RunState.FAILED, RunState.UNCERTAIN}:
            return None
        mine = RecoveryStep.objects.filter(leases.free(), pk=step.pk)
        if not mine.exists():
            return None
        if step.position < RESTORE_POSITION or (step.position == RESTORE_POSITION and not step.attempt):
            try:
                refuse_unapproved(recovery)
            except Refused as refusal:
                _stop(facts, recovery, step, State.FAILED, f"Nothing was restored. {refusal}")
                return None
        mine.update(
            state=RunState.RUNNING, attempt=F("attempt") + 1, worker=worker, lease_until=leases.end(), started_at=Now(),
            sentence="",
        )  # fmt: skip
        facts.add("step.started", subject_of(pk), step=step.name, attempt=step.attempt + 1, worker=worker)
        return Claim(recovery, step, step.attempt + 1)


def _run(step: Step, claim: Claim, environ: Mapping[str, str]) -> tuple[str, Evidence, bool, str]:
    told = partial(_renew, claim)
    try:
        with leases.kept(told):
            context = _context(claim, environ, told)
            seen = step.observe(context)
            if seen is not None:
                return "done", seen, True, ""
            return "done", step.perform(context), False, ""
    except LeaseLost:
        return "lost", {}, False, ""
    except StepFailed as failure:
        return "failed", {}, False, str(failure)
    except StepInterrupted as interruption:
        return "interrupted", {}, False, str(interruption)
    except StepUncertain as doubt:
        return "uncertain", {}, False, str(doubt)
    except leases.AWAY as error:
        logger.warning("The portal's database broke off in step %s (%s).", step.name, type(error).__name__)
        connection.close()
        return "interrupted", {}, False, "The portal's own database broke off; the step is tried again."
    except Exception as error:
        logger.exception("Step %s of recovery %s stopped unexpectedly.", step.name, claim.recovery.pk)
        sentence = (
            f"The worker met something that the step did not foresee ({type(error).__name__}); its log says what."
        )
        return "uncertain", {}, False, sentence


def _context(claim: Claim, environ: Mapping[str, str], told: Any) -> Context:
    recovery = claim.recovery
    plan = RecoveryPlan.of(recovery.plan or {})
    done = recovery.steps.filter(state=RunState.DONE).values_list("name", "evidence")
    hand = RecoveryAnswer.objects.filter(recovery=recovery, item=BY_HAND).order_by("-id").first()
    return Context(
        plan=plan,
        digest=recovery.digest,
        order=Order(
            token=f"recovery-{recovery.pk}-{recovery.digest[:16]}", target=settings_of(recovery.target), point=plan.moment,
            backup=plan.backup, server=plan.server,
        ),
        registered=_registered(),
        evidence=dict(done),
        known=dict(claim.step.progress),
        by_hand={} if hand is None else {"said": hand.text, "link": hand.link},
        environ=environ,
        author=recovery.author.get_username(),
        told=told,
        history=lambda: history_of(recovery),
        seal=lambda document: seal_recovery(recovery, document),
    )  # fmt: skip


def _registered() -> tuple[Registered, ...]:
    """Return every target in use with its identity as last read: a new server must be none of them."""
    newest = Inventory.objects.filter(target=OuterRef("pk"), content__isnull=False).order_by("-id")
    rows = Target.objects.filter(retired_at__isnull=True).annotate(
        identity=Subquery(newest.values("content__identity")[:1])
    )
    return tuple(Registered(settings_of(row), row.identity) for row in rows)


def _renew(claim: Claim, progress: Evidence | None) -> None:
    """Prolong the lease and show the progress, which the next attempt is given as known; raises LeaseLost when the step is another worker's by now."""
    values: dict[str, Any] = {"lease_until": leases.end()}
    if progress is not None:
        values["progress"] = progress
    if _mine(claim).update(**values) != 1:
        raise LeaseLost(f"Attempt {claim.attempt} of step {claim.step.name} is over.")


def _done(facts: Facts, recovery: Recovery, claim: Claim, evidence: Evidence, *, observed: bool) -> bool:
    _mine(claim).update(
        state=RunState.DONE, evidence=evidence, observed=observed, finished_at=Now(), lease_until=None, sentence="",
        progress={},
    )  # fmt: skip
    facts.add(
        "step.done", subject_of(recovery.pk), step=claim.step.name, attempt=claim.attempt, observed=observed,
        evidence=evidence,
    )  # fmt: skip
    if recovery.state == State.CLOSING:
        move(facts, recovery, State.CLOSED, outcome=recovery.outcome)
        return False
    if _next_step(recovery) is None:
        move(facts, recovery, State.CUTOVER, server=recovery.server)
        return False
    return True


def _again(facts: Facts, recovery: Recovery, claim: Claim, step: Step, sentence: str) -> bool:
    """Leave the step to be claimed once more: at once the first time, then after a pause that doubles."""
    if not step.retried and claim.tries >= settings.STEP_ATTEMPTS:
        after = State.NEEDS_ATTENTION if step.name == RESTORE else State.FAILED
        return _stop(facts, recovery, claim.step, after, sentence)
    first = claim.tries == 1
    until = None if first else Now() + leases.pause_after(claim.tries)
    _mine(claim).update(state=RunState.PENDING, lease_until=until, sentence=sentence)
    facts.add(
        "step.interrupted", subject_of(recovery.pk), step=step.name, attempt=claim.attempt, sentence=sentence
    )  # fmt: skip
    return first


def _stop(facts: Facts, recovery: Recovery, step: RecoveryStep, after: State, sentence: str) -> bool:
    """Stop for a person: production was not touched, and what the provider made stays until somebody decides."""
    failed = after is State.FAILED
    RecoveryStep.objects.filter(pk=step.pk).update(
        state=RunState.FAILED if failed else RunState.UNCERTAIN, sentence=sentence, lease_until=None,
        finished_at=Now() if failed else None,
    )  # fmt: skip
    action = "step.failed" if failed else "step.uncertain"
    facts.add(action, subject_of(recovery.pk), step=step.name, attempt=step.attempt, sentence=sentence)
    if recovery.state == State.RESTORING:
        move(facts, recovery, after, sentence=sentence)
    return False


def _mine(claim: Claim) -> Any:
    return RecoveryStep.objects.filter(pk=claim.step.pk, state=RunState.RUNNING, attempt=claim.attempt)
