"""Check: everything that was signed once more, and that the new server will be no target, before anything is made."""

from __future__ import annotations

from recoveries import separation
from recoveries.kinds import KINDS
from recoveries.ports import Context, ProviderInterrupted, ProviderRefused
from recoveries.providers import provider_of
from rollbacks.ports import Evidence, StepFailed, StepInterrupted


def observe(ctx: Context) -> Evidence | None:
    """Return None: looking is all that this step does."""
    return None


def perform(ctx: Context) -> Evidence:
    """Return what the provider can restore and which targets the new server differs from."""
    if ctx.plan.digest != ctx.digest:
        raise StepFailed("The plan is not the one that was signed, so nothing was restored; submit it again.")
    names = separation.refuse_before(ctx)
    provider = provider_of(ctx.plan.provider, ctx.environ)
    try:
        separation.refuse_place(ctx, provider.place())
        provider.refuse_taken(ctx.order)
        found = provider.restorable(ctx.order.target)
    except ProviderRefused as refusal:
        raise StepFailed(str(refusal)) from refusal
    except ProviderInterrupted as interruption:
        raise StepInterrupted(str(interruption)) from interruption
    point = ctx.order.point
    if point and ((found.earliest and point < found.earliest) or (found.latest and point > found.latest)):
        raise StepFailed("The provider can no longer restore to the chosen moment; choose another and have it signed.")
    if KINDS[ctx.plan.provider].wants_backup and ctx.plan.backup not in {each["token"] for each in found.backups}:
        raise StepFailed("The chosen backup is no longer in the store; choose another and have it signed.")
    times = {key: value for key, value in found.document().items() if key in {"earliest", "latest"} and value}
    return {"digest": ctx.digest, "not_a_target": names, **times}
