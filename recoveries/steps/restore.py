"""Restore: the provider makes the new server, or finds what an earlier attempt made; then it is shown to be no target."""

from __future__ import annotations

from recoveries import separation
from recoveries.kinds import KINDS
from recoveries.ports import Context, NewServer, ProviderInterrupted, ProviderRefused
from recoveries.providers import provider_of
from rollbacks.ports import Evidence, StepFailed, StepInterrupted


def observe(ctx: Context) -> Evidence | None:
    """Return the evidence of a server that an earlier attempt completed; None when there is none."""
    try:
        found = provider_of(ctx.plan.provider, ctx.environ).find(ctx.order)
        return None if found is None else _shown(ctx, found)
    except ProviderRefused as refusal:
        raise StepFailed(str(refusal)) from refusal
    except ProviderInterrupted as interruption:
        raise StepInterrupted(str(interruption)) from interruption


def perform(ctx: Context) -> Evidence:
    """Return the new server; nothing that exists is written to."""
    try:
        return _shown(ctx, provider_of(ctx.plan.provider, ctx.environ).make(ctx.order, known=ctx.known, told=ctx.told))
    except ProviderRefused as refusal:
        raise StepFailed(str(refusal)) from refusal
    except ProviderInterrupted as interruption:
        raise StepInterrupted(str(interruption)) from interruption


def _shown(ctx: Context, found: NewServer) -> Evidence:
    credentials = provider_of(ctx.plan.provider, ctx.environ).credentials(ctx.order, found)
    seen = separation.refuse_after(ctx, credentials, physical=KINDS[ctx.plan.provider].physical)
    return {"server": found.name, "host": found.host, **found.shown, **seen, **ctx.by_hand}
