"""What the pages of recoveries show: one recovery for one viewer, and the list; a fixed number of queries each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from approvals.models import Case
from approvals.policy import Decision
from approvals.policy import State as Judged
from approvals.roles import REQUESTING_ROLES, may
from approvals.services import cases_of, decision_on, open_roles
from records.models import ChangeRecord, Fact
from records.paging import page_of
from recoveries.cutover import BY_HAND, ITEMS, Item
from recoveries.engine import AT_WORK, waits_for_a_person
from recoveries.kinds import KINDS, Kind
from recoveries.models import Recovery, RecoveryAnswer, RecoveryStep
from recoveries.points import Offer, offers
from recoveries.services.moves import subject_of
from recoveries.services.opening import missing
from recoveries.services.running import answers_of
from recoveries.states import EDITABLE, GIVING_UP, State
from rollbacks.request_page import Chip, chips_of
from rollbacks.services.targets import newest_inventory

TIMELINE = 100
READINGS = 500


@dataclass(frozen=True)
class RecoveryPage:
    """One recovery: where it stands, what the viewer can do now, and what it waits for."""

    recovery: Recovery
    kind: Kind
    case: Case | None
    decision: Decision | None
    chips: tuple[Chip, ...]
    missing: tuple[str, ...]
    steps: tuple[RecoveryStep, ...]
    findings: tuple[str, ...]
    items: tuple[tuple[Item, RecoveryAnswer | None], ...]
    by_hand: RecoveryAnswer | None
    hand_awaited: bool
    waiting: str
    may_run: bool
    may_sign: bool
    may_start: bool
    record: int | None
    timeline: tuple[dict[str, Any], ...]

    @property
    def editable(self) -> bool:
        """Whether its point and server can still be changed."""
        return self.may_run and State(self.recovery.state) in EDITABLE

    @property
    def polls(self) -> bool:
        """Whether a worker is at it, so that the page asks again by itself."""
        return State(self.recovery.state) in AT_WORK and not self.hand_awaited

    @property
    def may_give_up(self) -> bool:
        """Whether it can be given up and documented as that."""
        return self.may_run and State(self.recovery.state) in GIVING_UP

    @property
    def unanswered(self) -> int:
        """How many items of the cutover have no evidence."""
        return sum(1 for _item, given in self.items if given is None)


def recovery_page(recovery: Recovery, person: Any) -> RecoveryPage:
    """Return the page's reading for this viewer."""
    case = cases_of([subject_of(recovery.pk)]).filter(closed_at__isnull=True).first()
    decision = decision_on(case) if case else None
    roles = open_roles(case, decision, person) if case and decision and recovery.state == State.IN_REVIEW else ()
    answered = answers_of(recovery)
    steps = tuple(recovery.steps.order_by("position"))
    facts = Fact.objects.filter(subject=subject_of(recovery.pk)).order_by("-seq")[:TIMELINE]
    runs = may(person, REQUESTING_ROLES)
    approved = decision is not None and decision.state is Judged.APPROVED
    hand = recovery.state == State.RESTORING and waits_for_a_person(recovery)
    inspected: dict[str, Any] = next((step.evidence for step in steps if step.name == "inspect"), {})
    return RecoveryPage(
        recovery=recovery,
        kind=KINDS[recovery.provider],
        case=case,
        decision=decision,
        chips=chips_of(case, decision, roles),
        missing=missing(recovery) if recovery.state == State.DRAFT else (),
        steps=steps,
        findings=tuple(inspected.get("findings", ())),
        items=tuple((item, answered.get(item.key)) for item in ITEMS),
        by_hand=answered.get(BY_HAND),
        hand_awaited=hand,
        waiting=_waiting(recovery, steps, decision, hand=hand),
        may_run=runs,
        may_sign=bool(roles),
        may_start=runs and approved and recovery.state == State.IN_REVIEW,
        record=ChangeRecord.objects.filter(subject=subject_of(recovery.pk)).values_list("pk", flat=True).first(),
        timeline=tuple({"fact": row, **json.loads(row.line)} for row in facts),
    )


def recovery_rows(before: int | None) -> tuple[list[Recovery], int | None]:
    """Return one page of recoveries, newest first, and the key of the next page."""
    return page_of(Recovery.objects.select_related("target", "author"), before)


def offers_for(recovery: Recovery) -> list[Offer]:
    """Return the moments that are offered, newest migration first; empty before a worker has read the target."""
    inventory = newest_inventory(recovery.target_id)
    if inventory is None or not inventory.content:
        return []
    facts = Fact.objects.filter(subject=f"target:{recovery.target_id}", action="inventory.changed").order_by("-seq")
    readings = []
    for fact in list(facts[:READINGS])[::-1]:
        head = json.loads(fact.line)["detail"].get("ledger_head")
        if head:
            readings.append((fact.at, int(head["created_at"])))
    return offers(inventory.content, readings)


def _waiting(recovery: Recovery, steps: tuple[RecoveryStep, ...], decision: Decision | None, *, hand: bool) -> str:
    """Say in words what it waits for; empty when that is plain from the page."""
    if hand:
        return "It waits for a person to restore by hand and to say so below; then a worker inspects the new server."
    if recovery.state == State.DRAFT and recovery.restorable is None:
        return "A worker asks the provider what it can restore. This page shows the answer when it is opened again."
    if recovery.state == State.IN_REVIEW and decision is not None:
        roles = ", ".join(" or ".join(need.roles) for need in decision.missing)
        return f"It waits for a signature as {roles}." if roles else decision.closed
    if recovery.state not in {State.RESTORING, State.CLOSING}:
        return ""
    current = next((step for step in steps if step.state != "done"), None)
    if recovery.rung_at is None:
        return "Queued: the broker cannot be reached; the next sweep rings for a worker."
    if current is not None and current.state == "pending" and current.attempt:
        return f"It is tried again in a moment. {current.sentence}"
    if current is not None and current.state == "pending":
        return "Queued: waiting for a free worker."
    return ""
