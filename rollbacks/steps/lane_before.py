"""The lane before the transaction: the first effect on the target, so the freeze and the backup are asked for here."""

from __future__ import annotations

from rollbacks.ports import Evidence, StepContext
from rollbacks.reversal.lane import BEFORE
from rollbacks.steps import freeze, lane
from rollbacks.steps.backup import verified_backup


def observe(ctx: StepContext) -> Evidence | None:
    """Return None: each statement is looked for by itself before it is sent."""
    return None


def perform(ctx: StepContext) -> Evidence:
    """Run the statements one by one; raises StepFailed where they stopped, and the resume points say what stays."""
    held = {"deploy_freeze": freeze.hold(ctx)} if ctx.plan.chosen.deploy_freeze else {}
    verified_backup(ctx)
    return {**lane.perform(ctx, BEFORE), **held}
