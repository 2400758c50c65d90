"""The one place that changes a recovery's state."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from approvals.roles import REQUESTING_ROLES, may
from records.models import Fact
from records.trail import Facts
from recoveries.models import Recovery
from recoveries.states import State, may_move
from rollbacks.services.moves import Conflict, NotAllowed, Refused

SUBJECT = "recovery:"
TOUCHING = ("recovery.opened", "recovery.chosen", "recovery.submitted")


def subject_of(pk: int) -> str:
    """Return how the trail and the cases name a recovery."""
    return f"{SUBJECT}{pk}"


def lock(pk: int) -> Recovery:
    """Return the recovery with its row locked until the transaction ends; raises Recovery.DoesNotExist."""
    return Recovery.objects.select_for_update(of=("self",)).select_related("target", "author").get(pk=pk)


def refuse_jump(recovery: Recovery, after: State) -> None:
    """Raise Refused when the table of transitions does not lead from the recovery's state to this one."""
    before = State(recovery.state)
    if not may_move(before, after):
        raise Refused(
            f"{recovery} is {before.value.replace('_', ' ')}, so it cannot become "
            f"{after.value.replace('_', ' ')}; open it again to see what can be done."
        )


def move(facts: Facts, recovery: Recovery, after: State, *, written: dict[str, Any] | None = None, **detail: object) -> None:  # fmt: skip
    """Write the new state by a conditional update, together with `written`, and record the move.

    Raises Refused when it is not in the table, or when the new server's name is held by another recovery; Conflict when
    another got there first.
    """
    refuse_jump(recovery, after)
    before = State(recovery.state)
    rows = Recovery.objects.filter(pk=recovery.pk, state=before)
    try:
        with transaction.atomic():
            moved = rows.update(state=after, changed_at=Now(), **(written or {}))
    except IntegrityError as error:
        raise Refused(
            f"Another recovery holds the server name {recovery.server}; give this one another name and have it signed."
        ) from error
    if moved != 1:
        raise Conflict(str(Conflict.__doc__))
    recovery.state = after
    facts.add("recovery.moved", subject_of(recovery.pk), before=before.value, after=after.value, **detail)


def people_who_touched(recovery: Recovery) -> dict[int, str]:
    """Return who opened or changed it, and the sentence that keeps each of them from signing."""
    rows = Fact.objects.filter(subject=subject_of(recovery.pk), action__in=TOUCHING, actor__isnull=False)
    touched: dict[int, str] = {
        int(pk): "You edited this recovery, and nobody signs what they touched."
        for pk in rows.values_list("actor_id", flat=True)
        if pk is not None
    }
    touched[recovery.author_id] = "You opened this recovery, and nobody signs what they touched."
    return touched


def require_role(actor: Any) -> None:
    """Raise NotAllowed for people who may not run recoveries."""
    if not may(actor, REQUESTING_ROLES):
        raise NotAllowed("Only engineers, the platform team and on-call may open and run recoveries.")
