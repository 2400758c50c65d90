"""Opening a recovery, choosing its point, and submitting it for signatures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from approvals.in_force import rulebook
from approvals.policy import Policy
from approvals.reviews import blocked
from approvals.rulebook import Traits
from approvals.services import close_case, open_case
from records import trail
from records.trail import Facts
from recoveries import doorbell
from recoveries.kinds import KINDS
from recoveries.models import Recovery
from recoveries.plan import RecoveryPlan, name_problem
from recoveries.services.moves import lock, move, people_who_touched, refuse_jump, require_role, subject_of
from recoveries.states import EDITABLE, State
from rollbacks.models import Target
from rollbacks.services.moves import NotAllowed, Refused
from rollbacks.services.targets import newest_inventory


@dataclass(frozen=True)
class Choice:
    """What is chosen in a draft: the point or the backup, the new server's name, and whether the glass is broken."""

    point: datetime | None = None
    before: str = ""
    backup: str = ""
    server: str = ""
    emergency: bool = False
    emergency_reason: str = ""


def open_recovery(actor: Any, *, target: Target, provider: str, incident: str, purpose: str) -> Recovery:
    """Open a draft and ask a worker what the provider can restore; raises NotAllowed or Refused."""
    require_role(actor)
    if provider not in KINDS:
        raise Refused("There is no such provider; choose one of the list.")
    if not incident.strip():
        raise Refused("A recovery belongs to an incident: open one in ops/incident-response/ and give its reference.")
    if not purpose.strip():
        raise Refused("Say what was damaged and why it has to be recovered; whoever signs reads it.")
    with trail.recording(actor) as facts:
        recovery = Recovery.objects.create(
            target=target, author=actor, provider=provider, incident=incident.strip(), purpose=purpose.strip()
        )
        facts.add(
            "recovery.opened", subject_of(recovery.pk), target=target.name, provider=provider, incident=incident.strip()
        )
        doorbell.ring_restorable_on_commit(recovery.pk)
        return recovery


def choose(actor: Any, pk: int, choice: Choice) -> None:
    """Keep what was chosen; a recovery in review goes back to draft and its signatures stop counting."""
    require_role(actor)
    with trail.recording(actor) as facts:
        recovery = lock(pk)
        _refuse_fixed(recovery)
        if choice.server and (problem := name_problem(choice.server)):
            raise Refused(problem)
        _reopen(facts, recovery, f"{actor.get_username()} changed the recovery.")
        Recovery.objects.filter(pk=pk).update(**asdict(choice))
        said = {**asdict(choice), "point": None if choice.point is None else choice.point.isoformat()}
        facts.add("recovery.chosen", subject_of(pk), **said)


def missing(recovery: Recovery) -> tuple[str, ...]:
    """Return a sentence for everything that is missing before it can be submitted."""
    return (*_choice_missing(recovery), *_restorable_missing(recovery), *_emergency_missing(recovery))


def submit(actor: Any, pk: int) -> RecoveryPlan:
    """Fix the plan and open its case for signatures; raises NotAllowed, or Refused with everything that is missing."""
    require_role(actor)
    with trail.recording(actor) as facts:
        recovery = lock(pk)
        touched = people_who_touched(recovery)
        if actor.pk not in touched:
            raise NotAllowed("Only who opened or changed the recovery may submit it.")
        refuse_jump(recovery, State.IN_REVIEW)
        if sentences := missing(recovery):
            raise Refused(*sentences)
        plan = build_plan(recovery)
        policy = Policy.of(plan.policy)
        facts.add("recovery.submitted", subject_of(pk), digest=plan.digest, server=plan.server, point=plan.point)
        open_case(
            facts, subject=subject_of(pk), digest=plan.digest, policy=policy, barred=touched, opened_by=actor
        )  # fmt: skip
        if policy.emergency:
            facts.add(
                "break_glass.used", subject_of(pk), digest=plan.digest, rule=policy.rule,
                reason=plan.emergency_reason, incident=plan.incident,
            )  # fmt: skip
        written = {"plan": plan.document(), "digest": plan.digest}
        move(facts, recovery, State.IN_REVIEW, written=written, digest=plan.digest)
        return plan


def withdraw(actor: Any, pk: int, *, reason: str) -> None:
    """Give it up before anything was restored."""
    require_role(actor)
    with trail.recording(actor) as facts:
        recovery = lock(pk)
        close_case(facts, subject=subject_of(pk), reason="The recovery was withdrawn.")
        move(facts, recovery, State.WITHDRAWN, reason=reason.strip())


def keep_restorable(pk: int, found: dict[str, Any]) -> None:
    """Keep what a worker heard from the provider; {"error"} when it was refused."""
    Recovery.objects.filter(pk=pk, state__in=EDITABLE).update(restorable=found, restorable_at=datetime.now(UTC))


def ask_again(actor: Any, pk: int) -> None:
    """Ask a worker once more what can be restored."""
    require_role(actor)
    Recovery.objects.filter(pk=pk, state__in=EDITABLE).update(restorable=None, restorable_at=None)
    doorbell.ring_restorable_on_commit(pk)


def build_plan(recovery: Recovery) -> RecoveryPlan:
    """Return the plan of a recovery of which nothing is missing; what it is built from decides its digest."""
    inventory = newest_inventory(recovery.target_id)
    content = (inventory.content if inventory else None) or {}
    point = "" if recovery.point is None else recovery.point.astimezone(UTC).isoformat(timespec="seconds")
    return RecoveryPlan(
        recovery=recovery.pk,
        target=recovery.target.name,
        environment=recovery.target.environment,
        identity=content.get("identity", {}),
        provider=recovery.provider,
        point=point,
        before=recovery.before,
        backup=recovery.backup,
        server=recovery.server,
        incident=recovery.incident,
        purpose=recovery.purpose,
        policy=rulebook().policy_for(_traits(recovery)).document(),
        emergency_reason=recovery.emergency_reason if recovery.emergency else "",
    )


def _traits(recovery: Recovery) -> Traits:
    """What was written after the point is not on the new server, so a recovery is always of high risk and loses rows."""
    return Traits(
        environment=recovery.target.environment, target=recovery.target.name, risk="high", data_loss=True,
        emergency=recovery.emergency,
    )  # fmt: skip


def _choice_missing(recovery: Recovery) -> list[str]:
    found = []
    if KINDS[recovery.provider].wants_backup:
        if not recovery.backup:
            found.append("Choose the backup that is restored.")
    elif recovery.point is None:
        found.append("Choose the moment to go back to: just before the problematic migration.")
    elif recovery.point >= datetime.now(UTC):
        found.append("The chosen moment is not over yet; choose an earlier one.")
    if problem := name_problem(recovery.server):
        found.append(problem)
    if recovery.server in set(Target.objects.values_list("name", flat=True)):
        found.append("The new server has the name of a registered target; nothing is ever restored over one.")
    inventory = newest_inventory(recovery.target_id)
    if inventory is None or not inventory.content:
        found.append("No worker has read the target yet, so nobody knows which database it is; read it on its page.")
    return found


def _restorable_missing(recovery: Recovery) -> list[str]:
    said = recovery.restorable
    if said is None:
        return ["A worker is asking the provider what it can restore; wait a moment."]
    if said.get("error"):
        return [f"The provider cannot restore: {said['error']}"]
    if KINDS[recovery.provider].wants_backup:
        known = {each["token"] for each in said["backups"]}
        return [] if not recovery.backup or recovery.backup in known else ["The store has no such backup; choose one of the list."]  # fmt: skip
    return [sentence] if (sentence := outside(recovery.point, said)) else []


def outside(point: datetime | None, said: dict[str, Any]) -> str:
    """Return the sentence that refuses a point which the provider cannot restore; empty when it can."""
    if point is None:
        return ""
    earliest, latest = said.get("earliest"), said.get("latest")
    if earliest and point < datetime.fromisoformat(earliest):
        return f"The provider reaches back to {_shown(earliest)} only; choose a later moment."
    if latest and point > datetime.fromisoformat(latest):
        return f"The provider has what happened up to {_shown(latest)}; choose an earlier moment, or ask it again."
    return ""


def _emergency_missing(recovery: Recovery) -> list[str]:
    found = []
    if recovery.emergency:
        if not recovery.emergency_reason.strip():
            found.append("Breaking the glass needs a reason of its own: say why it cannot wait for all signatures.")
        if sentence := blocked(recovery.author):
            found.append(sentence)
    if not rulebook().policy_for(_traits(recovery)).needs:
        found.append(
            "No rule of the policy catches this recovery, so nobody could approve it; have the file corrected."
        )
    return found


def _refuse_fixed(recovery: Recovery) -> None:
    if State(recovery.state) not in EDITABLE:
        raise Refused(f"{recovery} is {recovery.state.replace('_', ' ')} and can no longer be changed.")


def _reopen(facts: Facts, recovery: Recovery, reason: str) -> None:
    if recovery.state == State.DRAFT:
        return
    close_case(facts, subject=subject_of(recovery.pk), reason=reason)
    # What a run that failed had shown is in the trail; the next one begins anew.
    recovery.steps.all().delete()
    move(facts, recovery, State.DRAFT, reason=reason)


def _shown(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
