"""The table of transitions, all pairs."""

from __future__ import annotations

import itertools

import pytest

from rollbacks.states import EDITABLE, ENDED, OPEN, State, may_move

MOVES = {
    ("draft", "in_review"), ("draft", "withdrawn"),
    ("in_review", "draft"), ("in_review", "executing"), ("in_review", "rejected"), ("in_review", "withdrawn"),
    ("executing", "succeeded"), ("executing", "failed"), ("executing", "needs_attention"),
    ("failed", "draft"), ("failed", "executing"), ("failed", "rejected"), ("failed", "withdrawn"),
    ("needs_attention", "executing"),
    ("rejected", "draft"), ("rejected", "withdrawn"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_only_the_listed_moves_are_allowed(before: State, after: State) -> None:
    assert may_move(before, after) == ((before.value, after.value) in MOVES)


def test_what_ended_cannot_be_edited_and_what_runs_cannot_either() -> None:
    assert not EDITABLE & (ENDED | {State.EXECUTING, State.NEEDS_ATTENTION})
    assert State.EXECUTING in OPEN
