"""Starting an approved recovery, going on after a stop, evidence of people, the cutover and its sign-off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from approvals.policy import Policy
from approvals.policy import State as Judged
from approvals.services import database_time, decision_on, open_case_of
from records import trail
from recoveries import doorbell
from recoveries.cutover import BY_HAND, BY_KEY, unmet
from recoveries.kinds import KINDS
from recoveries.models import Recovery, RecoveryAnswer, RecoveryStep
from recoveries.plan import RecoveryPlan
from recoveries.services.moves import lock, move, people_who_touched, refuse_jump, require_role, subject_of
from recoveries.states import GIVING_UP, State
from recoveries.steps import STEPS
from rollbacks.services.break_glass import owe_review_of
from rollbacks.services.moves import Refused
from rollbacks.states import RunState

STUCK = (RunState.FAILED, RunState.UNCERTAIN)


def start(actor: Any, pk: int) -> None:
    """Start the approved recovery: one row for each step, and ring for a worker; raises NotAllowed or Refused."""
    require_role(actor)
    with trail.recording(actor) as facts:
        recovery = lock(pk)
        refuse_jump(recovery, State.RESTORING)
        if recovery.state != State.IN_REVIEW:
            raise Refused(f"{recovery} was started before; let it go on from where it stopped.")
        refuse_unapproved(recovery)
        plan = RecoveryPlan.of(recovery.plan or {})
        if Policy.of(plan.policy).emergency:
            owe_review_of(
                facts, subject_of(pk), digest=plan.digest, author=recovery.author, actor=actor,
                reason=plan.emergency_reason, touched=people_who_touched(recovery),
            )  # fmt: skip
        RecoveryStep.objects.bulk_create(
            RecoveryStep(recovery=recovery, position=position, name=step.name) for position, step in enumerate(STEPS, 1)
        )
        written = {"started_by": actor, "started_at": Now()}
        move(facts, recovery, State.RESTORING, written=written, digest=recovery.digest, server=recovery.server)
        doorbell.ring_on_commit(pk)


def resume(actor: Any, pk: int) -> None:
    """Let the worker look again after a person did: it observes first and goes on from what it finds."""
    require_role(actor)
    with trail.recording(actor) as facts:
        recovery = lock(pk)
        if recovery.state not in {State.FAILED, State.NEEDS_ATTENTION}:
            raise Refused(f"{recovery} has not stopped; open it again to see its state.")
        refuse_unapproved(recovery)
        RecoveryStep.objects.filter(recovery=recovery, state__in=STUCK).update(
            state=RunState.PENDING, resumed_after=F("attempt"), lease_until=None, sentence=""
        )
        move(facts, recovery, State.RESTORING, resumed=True)
        doorbell.ring_on_commit(pk)


def refuse_unapproved(recovery: Recovery) -> None:
    """Raise Refused when the plan as it stands is not approved at this moment."""
    case = open_case_of(subject_of(recovery.pk))
    if case is None or case.digest != recovery.digest:
        raise Refused(f"{recovery} has no plan in review; submit it and have it signed first.")
    decision = decision_on(case)
    if decision.state is not Judged.APPROVED:
        roles = ", ".join(" or ".join(need.roles) for need in decision.missing)
        why = " ".join((*(lapsed.sentence for lapsed in decision.lapsed), decision.closed)).strip()
        raise Refused(f"{recovery} is not approved; it waits for: {roles or 'nobody who may sign'}. {why}".strip())


def answer(actor: Any, pk: int, *, item: str, text: str, link: str = "") -> None:
    """Give evidence for an item of the cutover, or that the restore was done by hand; raises NotAllowed or Refused."""
    require_role(actor)
    if item not in BY_KEY and item != BY_HAND:
        raise Refused("There is no such item; open the recovery again.")
    if not text.strip():
        raise Refused("An answer needs evidence: write what was done, by whom and when.")
    with trail.recording(actor) as facts:
        recovery = lock(pk)
        awaited = State.RESTORING if item == BY_HAND else State.CUTOVER
        if recovery.state != awaited or (item == BY_HAND and not KINDS[recovery.provider].by_hand):
            raise Refused(f"{recovery} is {recovery.state.replace('_', ' ')}; this is not asked for now.")
        RecoveryAnswer.objects.create(recovery=recovery, item=item, person=actor, text=text.strip(), link=link)
        facts.add("recovery.answered", subject_of(pk), item=item, text=text.strip(), link=link)
        if item == BY_HAND:
            doorbell.ring_on_commit(pk)


def plan_downtime(actor: Any, pk: int, *, start: datetime, end: datetime) -> None:
    """Fix the downtime window of the cutover; raises NotAllowed or Refused."""
    require_role(actor)
    if end <= start:
        raise Refused("The downtime window ends before it begins; correct one of the two times.")
    with trail.recording(actor) as facts:
        recovery = lock(pk)
        if recovery.state != State.CUTOVER:
            raise Refused(f"{recovery} is {recovery.state.replace('_', ' ')}; there is no cutover to plan now.")
        Recovery.objects.filter(pk=pk).update(downtime_start=start, downtime_end=end)
        facts.add("recovery.downtime", subject_of(pk), start=start.isoformat(), end=end.isoformat())


def close(actor: Any, pk: int, *, cut_over: bool, ending: str) -> None:
    """Sign the cutover off as done, or give the recovery up with a reason; either way a worker documents it.

    Raises NotAllowed, or Refused with every item of the cutover that has no evidence.
    """
    require_role(actor)
    if not ending.strip():
        raise Refused("Say how it ended; the sentence goes into the record and into ops/disaster-recovery/.")
    with trail.recording(actor) as facts:
        recovery = lock(pk)
        refuse_jump(recovery, State.CLOSING)
        if cut_over:
            _refuse_unfinished(recovery)
        elif recovery.state not in GIVING_UP:
            raise Refused(f"{recovery} is {recovery.state.replace('_', ' ')}; it cannot be given up now.")
        outcome = Recovery.Outcome.CUT_OVER if cut_over else Recovery.Outcome.GIVEN_UP
        written = {"outcome": outcome, "ending": ending.strip()}
        move(facts, recovery, State.CLOSING, written=written, outcome=outcome.value, ending=ending.strip())
        doorbell.ring_on_commit(pk)


def answers_of(recovery: Recovery) -> dict[str, RecoveryAnswer]:
    """Return the newest answer to each item."""
    rows = RecoveryAnswer.objects.filter(recovery=recovery).select_related("person").order_by("id")
    return {row.item: row for row in rows}


def _refuse_unfinished(recovery: Recovery) -> None:
    if recovery.state != State.CUTOVER:
        raise Refused(f"{recovery} is {recovery.state.replace('_', ' ')}; there is no cutover to sign off.")
    sentences = [f"“{item.title}” has no evidence." for item in unmet(answers_of(recovery))]
    if recovery.downtime_start is None:
        sentences.insert(0, "The cutover has no downtime window; plan it first.")
    elif recovery.downtime_start > database_time():
        sentences.insert(0, "The downtime window has not begun, so the cutover cannot be done yet; correct the window.")
    if sentences:
        raise Refused(*sentences)
