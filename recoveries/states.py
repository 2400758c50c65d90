"""The states of a recovery and the only moves between them, in plain Python."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a recovery stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    RESTORING = "restoring"
    # The new server is there and was inspected; people plan and do the cutover.
    CUTOVER = "cutover"
    # A person signed off or gave it up; the worker documents it.
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.IN_REVIEW, State.WITHDRAWN}),
    State.IN_REVIEW: frozenset({State.DRAFT, State.RESTORING, State.REJECTED, State.WITHDRAWN}),
    State.REJECTED: frozenset({State.DRAFT, State.WITHDRAWN}),
    State.RESTORING: frozenset({State.CUTOVER, State.FAILED, State.NEEDS_ATTENTION}),
    # Production was not touched, so it can be tried again as signed, changed and signed anew, or given up and documented.
    State.FAILED: frozenset({State.DRAFT, State.RESTORING, State.CLOSING}),
    State.NEEDS_ATTENTION: frozenset({State.RESTORING, State.CLOSING}),
    State.CUTOVER: frozenset({State.CLOSING}),
    State.CLOSING: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}

EDITABLE = frozenset({State.DRAFT, State.IN_REVIEW, State.REJECTED, State.FAILED})
# While it is in one of these its new server's name is taken.
HOLDING = frozenset({State.RESTORING, State.NEEDS_ATTENTION, State.FAILED, State.CUTOVER})
GIVING_UP = frozenset({State.FAILED, State.NEEDS_ATTENTION, State.CUTOVER})


def may_move(before: State, after: State) -> bool:
    """Tell whether a recovery may go from one state to the other."""
    return after in TRANSITIONS[before]
