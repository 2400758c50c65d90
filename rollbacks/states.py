"""The states of requests and step runs and the only moves between them, in plain Python."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class RunState(StrEnum):
    """Where one step run stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.IN_REVIEW, State.WITHDRAWN}),
    State.IN_REVIEW: frozenset({State.DRAFT, State.EXECUTING, State.REJECTED, State.WITHDRAWN}),
    State.EXECUTING: frozenset({State.SUCCEEDED, State.FAILED, State.NEEDS_ATTENTION}),
    # Nothing was changed on the target, so it can be run again as signed, edited, rejected, or given up.
    State.FAILED: frozenset({State.DRAFT, State.EXECUTING, State.REJECTED, State.WITHDRAWN}),
    # A person looked: the engine observes again and goes on from what it finds.
    State.NEEDS_ATTENTION: frozenset({State.EXECUTING}),
    State.REJECTED: frozenset({State.DRAFT, State.WITHDRAWN}),
    State.SUCCEEDED: frozenset(),
    State.WITHDRAWN: frozenset(),
}

EDITABLE = frozenset({State.DRAFT, State.IN_REVIEW, State.FAILED, State.REJECTED})
OPEN = frozenset({State.DRAFT, State.IN_REVIEW, State.EXECUTING, State.FAILED, State.NEEDS_ATTENTION})
ENDED = frozenset({State.SUCCEEDED, State.WITHDRAWN})


def may_move(before: State, after: State) -> bool:
    """Tell whether a request may go from one state to the other."""
    return after in TRANSITIONS[before]
