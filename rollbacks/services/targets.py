"""Targets: registering one, and keeping what a worker read of it."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from records import trail
from rollbacks import doorbell
from rollbacks.drizzle.journal import Layout
from rollbacks.models import Inventory, Target
from rollbacks.options import GITHUB, BadOption, Options
from rollbacks.ports import TargetSettings
from rollbacks.services.moves import Refused

# Old readings are of no use to anybody: the trail and the plans keep what mattered of them.
KEPT_INVENTORIES = 20
MOST_BACKUP_DAYS = 36_500


def register_target(actor: Any, *, name: str, **fields: Any) -> Target:
    """Add a target; raises Refused when the name is taken or an option cannot be used."""
    _refuse_bad_options(Target(name=name, **fields))
    with trail.recording(actor) as facts:
        if Target.objects.filter(name=name).exists():
            raise Refused(f"A target named {name} is registered already; choose another name.")
        target = Target.objects.create(name=name, **fields)
        facts.add(
            "target.registered",
            f"target:{target.pk}",
            name=name,
            environment=target.environment,
            repository=target.repository,
            out=target.out,
            options=options_of(target).document(),
            **({} if target.backup_days is None else {"backup_days": target.backup_days}),
        )
        doorbell.ring_inventory_on_commit(target.pk)
        return target


def retire_target(actor: Any, target: Target) -> None:
    """Take the target out of the lists; its requests and records stay."""
    with trail.recording(actor) as facts:
        if Target.objects.filter(pk=target.pk, retired_at__isnull=True).update(retired_at=Now()):
            facts.add("target.retired", f"target:{target.pk}", name=target.name)


def keep_inventory(target_id: int, *, content: dict[str, Any] | None, error: str = "") -> Inventory:
    """Keep what a worker read; record a fact only when the ledger, the files, the protections or the error changed."""
    with trail.recording(None) as facts:
        before = Inventory.objects.filter(target_id=target_id).order_by("-id").first()
        kept = Inventory.objects.create(target_id=target_id, content=content, error=error)
        if before is None or _gist(before.content, before.error) != _gist(content, error):
            facts.add("inventory.changed", f"target:{target_id}", **_gist(content, error))
        stale = Inventory.objects.filter(target_id=target_id).order_by("-id").values("id")[KEPT_INVENTORIES:]
        Inventory.objects.filter(pk__in=[row["id"] for row in stale]).delete()
        return kept


def newest_inventory(target_id: int) -> Inventory | None:
    """Return the newest reading of the target, or None when it was never read."""
    return Inventory.objects.filter(target_id=target_id).order_by("-id").first()


def settings_of(target: Target) -> TargetSettings:
    """Return what a worker must know of the target, without the ORM."""
    return TargetSettings(
        name=target.name,
        environment=target.environment,
        repository=target.repository,
        base_branch=target.base_branch,
        layout=Layout(
            out=target.out,
            prefix=target.prefix,
            ledger_schema=target.ledger_schema,
            ledger_table=target.ledger_table,
        ),
        owner_role=target.owner_role,
        audit_tables=tuple(target.audit_tables),
        options=options_of(target),
        github=target.github,
    )


def options_of(target: Target) -> Options:
    """Return what the operator chose beside the database; raises BadOption when a row says what no command would."""
    return Options(
        contract_tests=tuple(target.contract_tests),
        migrate=tuple(target.migrate_command),
        prepare=tuple(target.prepare_command),
        environment=tuple(target.command_variables),
        seconds=target.command_seconds,
        deploy_freeze=target.deploy_freeze,
        flags=target.flags,
    )


def _refuse_bad_options(target: Target) -> None:
    try:
        options = options_of(target)
    except BadOption as error:
        raise Refused(str(error)) from error
    if options.migrate and target.owner_role:
        raise Refused(
            "The project's own command connects as the role in the URL and would make objects of that owner; "
            "register without an owner role, or let the portal apply by itself."
        )
    if target.backup_days is not None and not 1 <= target.backup_days <= MOST_BACKUP_DAYS:
        raise Refused(f"Backups are kept between 1 day and {MOST_BACKUP_DAYS} days; choose a number in between.")
    if target.github and not GITHUB.fullmatch(target.github):
        raise Refused("The repository at GitHub is written as owner/name.")


def _gist(content: dict[str, Any] | None, error: str) -> dict[str, Any]:
    if content is None:
        return {"error": error}
    return {
        "ledger_head": content["ledger_head"],
        "base_commit": content["base_commit"],
        "violations": [violation["code"] for violation in content["violations"]],
        # Readings from before protections were read have none.
        "protections": [f"{each['kind']} {each['name']}" for each in content.get("protections", ())],
    }
