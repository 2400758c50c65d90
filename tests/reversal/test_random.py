"""Migrations put together at random: whatever replays is drafted, and the draft is proven or says what it leaves."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rollbacks.adapters.ledger import Unreplayable
from rollbacks.adapters.scratch import Scratch
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from tests.reversal.cases import BASE, CASES
from tests.reversal.conftest import LAYOUT, folder_of

EXAMPLES = int(os.environ.get("RANDOM_MIGRATIONS", "15"))
# A file with CONCURRENTLY is applied statement by statement, so nothing else may stand in it.
FORWARDS = [case.forward for case in CASES if "CONCURRENTLY" not in case.forward]


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize="RANDOM_MIGRATIONS" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip
@given(chain=st.lists(st.lists(st.sampled_from(FORWARDS), min_size=1, max_size=4, unique=True), min_size=1, max_size=3))
def test_random_migrations_go_there_and_back(scratch: Scratch, chain: list[list[str]]) -> None:
    folder = folder_of([BASE, *("\n".join(parts) for parts in chain)])
    try:
        drafts = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label="rb1")
    except Unreplayable:
        assume(False)
    reverse = "\n".join(draft.text for draft in drafts)
    proof = prove(scratch, folder, LAYOUT, return_to="0000_m0", reverse=reverse)
    assert proof.passed, "\n".join([*proof.differences, "── forward", *map("\n".join, chain), "── reverse", reverse])
