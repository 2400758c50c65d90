"""What pages show of a target's own commands, deploy freeze, feature flags and patch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.safestring import SafeString

from portal.templatetags.portal import visible
from rollbacks.models import DeployFreeze, Execution, PatchFile, Request, Target
from rollbacks.options import FEWER_PROMISES, command_words
from rollbacks.reversal import lane
from rollbacks.services.flags import newest_check
from rollbacks.services.resume_points import points_of
from rollbacks.services.targets import options_of
from rollbacks.side_models import Backup
from rollbacks.states import State

register = template.Library()


@register.filter
def command(words: Sequence[str]) -> SafeString:
    """Return a command from which each word can be told, escaped and with its invisible characters shown."""
    return visible(command_words(words))


@register.filter
def flag_lines(flags: Mapping[str, Any]) -> list[str]:
    """Return each flag with the value that it has to have, as JSON."""
    return [f"{pointer} = {json.dumps(value, ensure_ascii=False)}" for pointer, value in flags.items()]


@register.simple_tag
def fewer_promises() -> tuple[str, ...]:
    """Return what does not hold where the project's own command applies."""
    return FEWER_PROMISES


@register.simple_tag
def lane_told(execution: Execution | None) -> str:
    """Return what of the statements outside the transaction is done; empty where nothing of them is."""
    used = execution is not None and execution.plan.get("lane")
    return lane.told(execution.plan["lane"], points_of(execution.pk)) if execution is not None and used else ""


@register.inclusion_tag("rollbacks/_options.html")
def target_options(target: Target) -> dict[str, Any]:
    """Show what the operator chose for the target; addresses and keys are the worker's and not known here."""
    return {"target": target, "options": options_of(target)}


@register.inclusion_tag("rollbacks/_beside.html")
def beside_run(execution: Execution) -> dict[str, Any]:
    """Show what stands beside the steps of a run: its deploy freeze, backup, pull request, merge and patch."""
    published: dict[str, Any] = next((step.evidence for step in execution.steps.all() if step.name == "publish"), {})
    return {
        "execution": execution,
        "freeze": DeployFreeze.objects.filter(execution=execution).first(),
        "backup": Backup.objects.filter(execution=execution).first(),
        "patch": PatchFile.objects.filter(execution=execution).defer("content").first(),
        "published": published,
    }


@register.inclusion_tag("rollbacks/_flags.html", takes_context=True)
def check_flags(context: template.Context, rollback: Request) -> dict[str, Any]:
    """Show the button that has a worker ask for the flags, and what it saw the last time."""
    return {
        "rollback": rollback,
        "asked_for": bool(rollback.target.flags),
        "offered": rollback.state == State.DRAFT,
        "check": newest_check(rollback),
        "csrf_token": context.get("csrf_token"),
    }
