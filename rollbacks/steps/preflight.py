"""Preflight: derive the digest again from what is there now, and check everything that would stop the apply."""

from __future__ import annotations

from rollbacks.adapters import target as targets
from rollbacks.adapters.commands import CannotRun, refuse_unrunnable
from rollbacks.adapters.pg_tools import NoTools, find_tools
from rollbacks.adapters.roles import refuse_missing_privileges, refuse_powerful_role
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.adapters.store import Store, StoreRefused
from rollbacks.plan import Plan, TargetIdentity
from rollbacks.ports import Evidence, StepContext, StepFailed, StepInterrupted
from rollbacks.steps.flags import FlagsUnread, read_flags
from rollbacks.steps.observation import Observation, Unobservable, connect_directly, observe_target


def observe(ctx: StepContext) -> Evidence | None:
    """Return None: what preflight checks is only true at the moment it is checked."""
    return None


def perform(ctx: StepContext) -> Evidence:
    """Compare the target, its ledger and its files with the plan that was signed; raise StepFailed on a difference."""
    closed = ctx.plan.outside_window(ctx.now())
    if closed:
        raise StepFailed(closed)
    found = _observe(ctx)
    blocking = [violation.sentence for violation in found.violations if violation.blocks]
    if blocking:
        raise StepFailed(" ".join(blocking))
    _refuse_difference(ctx.plan, _as_found(ctx, found), ctx.digest)
    evidence = _check_server(ctx)
    return {
        **evidence,
        **_check_flags(ctx),
        "digest": ctx.digest,
        "system_identifier": found.identity.system_identifier,
        "database": found.identity.database,
        "server_version": found.identity.server_version,
        "ledger_rows": found.ledger_head.rows,
        "ledger_head": found.ledger_head.hash,
        "base_commit": found.base_commit,
    }


def _observe(ctx: StepContext) -> Observation:
    try:
        return observe_target(ctx.target, environ=ctx.environ)
    except Unobservable as error:
        raise StepFailed(str(error)) from error


def _as_found(ctx: StepContext, found: Observation) -> Plan:
    identity = TargetIdentity(name=ctx.target.name, environment=ctx.target.environment, **found.identity_document())
    hashes = {migration.tag: migration.sha256 or "" for migration in found.folder.migrations}
    # Flags that a person vouched for are not in the plan, so they are not asked for here either.
    options = ctx.target.options.document(flags="flags" in ctx.plan.options)
    return ctx.plan.observed_as(target=identity, ledger_head=found.ledger_head, forward_sha256=hashes, options=options)


def _refuse_difference(signed: Plan, found: Plan, digest: str) -> None:
    """Say which part differs, since a digest alone tells nobody what happened."""
    if signed.digest != digest:
        raise StepFailed("The plan kept with this execution is not the one that was signed; nothing was run.")
    if found.digest == digest:
        return
    if found.target != signed.target:
        raise StepFailed(
            "This is not the database that was signed for: its name or system identifier differs. "
            "Check the worker's direct URL, then submit the request again."
        )
    if found.ledger_head != signed.ledger_head:
        raise StepFailed(
            "The ledger moved since the plan was signed: another migration was applied. "
            "Edit the request and have it signed again."
        )
    if found.options != signed.options:
        raise StepFailed(
            "The target's own commands, deploy freeze or flags changed since the plan was signed; "
            "edit the request and have it signed again."
        )
    changed = [now.tag for now, then in zip(found.undo, signed.undo, strict=True) if now != then]
    raise StepFailed(
        f"The forward SQL of {', '.join(changed)} changed in the repository since the plan was signed; "
        "edit the request and have it signed again."
    )


def _check_server(ctx: StepContext) -> Evidence:
    try:
        with connect_directly(ctx.target, ctx.environ, autocommit=True) as connection:
            identity = targets.identity(connection)
            targets.refuse_standby(connection)
            refuse_powerful_role(connection)
            refuse_missing_privileges(connection, layout=ctx.target.layout, owner_role=ctx.target.owner_role)
            size = targets.database_bytes(connection)
        tools = find_tools(identity.major, ctx.environ)
        scratch = Scratch.of(ctx.environ)
        scratch.refuse_same_cluster(identity)
        store = Store.of(ctx.environ, ctx.target.name)
        store.refuse_without_space(size)
        refuse_unrunnable(ctx.plan.chosen, ctx.environ)
    except targets.Rejected as error:
        raise StepFailed(str(error)) from error
    except targets.Unreachable as error:
        raise StepInterrupted(str(error)) from error
    except (*targets.REFUSALS, NoTools, ScratchRefused, StoreRefused, CannotRun) as error:
        raise StepFailed(str(error)) from error
    return {
        "database_bytes": size,
        "tools_version": tools.version,
        "tools_notice": tools.outdated or "",
        "scratch_system_identifier": scratch.system_identifier(),
    }


def _check_flags(ctx: StepContext) -> Evidence:
    """Ask for the flags once more: they were off when the request was signed, which may be days ago."""
    expected = ctx.plan.options.get("flags")
    if not expected:
        return {}
    try:
        seen = read_flags(ctx.target.name, expected, environ=ctx.environ)
    except FlagsUnread as error:
        raise StepInterrupted(f"{error} Nothing was changed on the target.") from error
    wrong = [
        f"{each['pointer']} is {each['found']} and has to be {each['expected']}"
        for each in seen
        if not each["as_expected"]
    ]
    if wrong:
        raise StepFailed(
            f"The feature flags are no longer as they were when the request was signed: {'; '.join(wrong)}. "
            "Nothing was changed on the target; switch them, then start again.",
            evidence={"flags": seen},
        )
    return {"flags": seen}
