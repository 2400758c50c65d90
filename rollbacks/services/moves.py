"""The one place that changes a request's state, and what a use case answers when it must not go on."""

from __future__ import annotations

from django.db.models.functions import Now

from records.trail import Facts
from rollbacks.models import Request
from rollbacks.states import State, may_move


class Refused(Exception):
    """The use case cannot be done as asked; each sentence says what to do next."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


class NotAllowed(Exception):
    """You do not hold a role that may do this; ask an administrator for it."""


class Conflict(Refused):
    """Somebody else changed the request in the meantime; open it again to see its state."""


def subject_of(request_id: int) -> str:
    """Return how the trail and the cases name a request."""
    return f"request:{request_id}"


def lock_request(request_id: int) -> Request:
    """Return the request with its row locked until the transaction ends; raises Request.DoesNotExist."""
    return Request.objects.select_for_update(of=("self",)).select_related("target", "author").get(pk=request_id)


def refuse_jump(request: Request, after: State) -> None:
    """Raise Refused when the table of transitions does not lead from the request's state to this one."""
    before = State(request.state)
    if not may_move(before, after):
        raise Refused(
            f"{request} is {before.value.replace('_', ' ')}, so it cannot become "
            f"{after.value.replace('_', ' ')}; open it again to see what can be done."
        )


def move(facts: Facts, request: Request, after: State, **detail: object) -> None:
    """Write the request's new state by a conditional update and record the move.

    Raises Refused when the move is not in the table of transitions, Conflict when another got there first.
    """
    refuse_jump(request, after)
    before = State(request.state)
    moved = Request.objects.filter(pk=request.pk, state=before).update(state=after, changed_at=Now())
    if moved != 1:
        raise Conflict(str(Conflict.__doc__))
    request.state = after
    facts.add("request.moved", subject_of(request.pk), before=before.value, after=after.value, **detail)
