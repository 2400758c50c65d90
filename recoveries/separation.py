"""Never over production: what a new server must not be, looked at before and after it is made.

A physical copy has its origin's system identifier, so that alone tells nothing. What decides is an observation: a
session that is opened on the new server must not be seen on any registered target, whatever names lead there.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import psycopg

from recoveries.ports import Context, ProviderInterrupted
from rollbacks.adapters import target as targets
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.adapters.target import Credentials
from rollbacks.ports import StepFailed
from rollbacks.steps.observation import connect_directly

SEEN = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE application_name = %s"


def refuse_before(ctx: Context) -> list[str]:
    """Raise StepFailed when the new server's name is that of a target or of the host one runs on; return the names."""
    taken: dict[str, str] = {}
    for each in ctx.registered:
        taken[each.settings.name] = each.settings.name
        for host in _hosts(each.settings.name, ctx.environ):
            taken[host] = each.settings.name
            taken[host.split(".")[0]] = each.settings.name
    if ctx.plan.server in taken:
        raise StepFailed(
            f"{ctx.plan.server} is the server of the target {taken[ctx.plan.server]}, and nothing is ever restored over "
            "one; choose another name and have it signed."
        )
    return sorted({each.settings.name for each in ctx.registered})


def refuse_place(ctx: Context, place: Credentials | None) -> None:
    """Raise StepFailed when the server on which something is to be made is the cluster of a registered target."""
    if place is None:
        return
    try:
        with targets.connect(place, autocommit=True) as line:
            _refuse_identifier(ctx, targets.identity(line), physical=False)
    except targets.Unreachable as error:
        raise ProviderInterrupted(str(error)) from error


def refuse_after(ctx: Context, found: Credentials, *, physical: bool) -> dict[str, Any]:
    """Raise StepFailed when what was made is a registered target; return what was seen, a sentence for what was not.

    Raises ProviderInterrupted when the new server cannot be reached.
    """
    mark = f"rollback-recovery-{secrets.token_hex(8)}"
    unasked: list[str] = []
    try:
        with targets.connect(found, application_name=mark, autocommit=True) as line:
            who = targets.identity(line)
            _refuse_identifier(ctx, who, physical=physical)
            for each in ctx.registered:
                try:
                    with connect_directly(each.settings, ctx.environ, autocommit=True) as other:
                        row = other.execute(SEEN, [mark]).fetchone()
                except (*targets.REFUSALS, psycopg.Error) as error:
                    # Production may be what is down; then the addresses and the provider's own refusal have to do.
                    unasked.append(f"{each.settings.name} could not be asked: {one_sentence(error)}")
                    continue
                if row and row[0]:
                    raise StepFailed(
                        f"What was to be the new server {ctx.plan.server} is the server of the target "
                        f"{each.settings.name}. Nothing was changed there; correct where the new server is looked for."
                    )
    except targets.Unreachable as error:
        raise ProviderInterrupted(str(error)) from error
    _refuse_address(ctx, found)
    return {
        "system_identifier": who.system_identifier, "database": who.database, "server_version": who.server_version,
        "not_a_target": sorted(each.settings.name for each in ctx.registered), "unasked": unasked,
    }  # fmt: skip


def _refuse_identifier(ctx: Context, who: targets.Identity, *, physical: bool) -> None:
    own = str(ctx.plan.identity.get("system_identifier", ""))
    if physical and who.system_identifier != own:
        raise StepFailed(
            f"The new server's system identifier is {who.system_identifier} and the target's is {own}, so it is no copy "
            "of the target; look at which server was restored."
        )
    others = {str(each.identity["system_identifier"]): each.settings.name for each in ctx.registered if each.identity}
    if physical:
        others.pop(own, None)
    if who.system_identifier in others:
        raise StepFailed(
            f"The new server is the cluster of the target {others[who.system_identifier]}, and nothing is ever restored "
            "beside production; set another server aside for it."
        )


def _refuse_address(ctx: Context, found: Credentials) -> None:
    place = _place(found)
    for each in ctx.registered:
        try:
            other = targets.credentials_of(each.settings.name, ctx.environ)
        except targets.NoCredentials:
            continue
        if _place(other) == place:
            raise StepFailed(f"The new server has the address of the target {each.settings.name}; it must be another.")


def _place(credentials: Credentials) -> tuple[str, str]:
    parameters: Mapping[str, str] = credentials.parameters
    return parameters.get("host", ""), parameters.get("port", "5432")


def _hosts(name: str, environ: Mapping[str, str]) -> list[str]:
    try:
        host = targets.credentials_of(name, environ).parameters.get("host", "")
    except targets.NoCredentials:
        return []
    return [host] if host else []
