"""The lane after the transaction: what stops here leaves the target committed and not finished, so a person looks."""

from __future__ import annotations

from rollbacks.ports import Evidence, StepContext
from rollbacks.reversal.lane import AFTER
from rollbacks.steps import lane


def observe(ctx: StepContext) -> Evidence | None:
    """Return None: each statement is looked for by itself before it is sent."""
    return None


def perform(ctx: StepContext) -> Evidence:
    """Run the statements one by one; raises StepUncertain where they stopped, and the resume points say what is done."""
    return lane.perform(ctx, AFTER)
