"""The steps of an execution in their order: eight, and the lane's before or after apply where the plan uses it."""

from __future__ import annotations

from rollbacks.plan import Plan
from rollbacks.ports import Step
from rollbacks.reversal.lane import AFTER, BEFORE
from rollbacks.steps import (
    applying,
    backup,
    lane_after,
    lane_before,
    preflight,
    publish,
    record,
    rehearse,
    stage,
    verify,
)

REHEARSE, APPLY = "rehearse", "apply"
LANE_BEFORE, LANE_AFTER = "lane_before", "lane_after"

STEPS = (
    Step("preflight", observe=preflight.observe, perform=preflight.perform),
    Step("backup", observe=backup.observe, perform=backup.perform, clean=backup.clean),
    Step(REHEARSE, observe=rehearse.observe, perform=rehearse.perform, clean=rehearse.clean),
    Step("stage", observe=stage.observe, perform=stage.perform, clean=stage.clean),
    Step(LANE_BEFORE, observe=lane_before.observe, perform=lane_before.perform),
    Step(APPLY, observe=applying.observe, perform=applying.perform),
    Step(LANE_AFTER, observe=lane_after.observe, perform=lane_after.perform),
    Step("verify", observe=verify.observe, perform=verify.perform),
    Step("publish", observe=publish.observe, perform=publish.perform, retried=True),
    Step("record", observe=record.observe, perform=record.perform, retried=True),
)
PLACE = {step.name: place for place, step in enumerate(STEPS)}


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """Return the steps of an execution of this plan."""
    unused = {name for name, side in ((LANE_BEFORE, BEFORE), (LANE_AFTER, AFTER)) if not plan.lane.get(side)}
    return tuple(step for step in STEPS if step.name not in unused)


def reaches_target(name: str) -> bool:
    """Tell whether the step, or one before it, may have changed the target."""
    return PLACE[name] >= PLACE[LANE_BEFORE]


def past_apply(name: str) -> bool:
    """Tell whether the transaction was committed before this step."""
    return PLACE[name] > PLACE[APPLY]
