"""Applying as the signed plan says: after the deploy freeze, by ourselves or by the project's own migrate command."""

from __future__ import annotations

from types import ModuleType

from rollbacks.ports import Evidence, StepContext, StepFailed
from rollbacks.steps import apply, apply_by_command, freeze


def observe(ctx: StepContext) -> Evidence | None:
    """Return the evidence when the effect of an earlier attempt is on the target."""
    found: Evidence | None = _way(ctx).observe(ctx)
    return found


def perform(ctx: StepContext) -> Evidence:
    """Get the deploy freeze where the plan has one, then apply; raises StepFailed before the target is touched.

    Whoever comes here knows that no earlier attempt left anything, so nothing excuses a vote that lapsed since.
    """
    refusal = ctx.no_longer_allowed()
    if refusal:
        raise StepFailed(refusal)
    held = {"deploy_freeze": freeze.hold(ctx)} if ctx.plan.chosen.deploy_freeze else {}
    return {**_way(ctx).perform(ctx), **held}


def _way(ctx: StepContext) -> ModuleType:
    return apply_by_command if ctx.plan.chosen.migrate else apply
