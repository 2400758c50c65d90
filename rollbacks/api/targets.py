"""Who the caller is, and the targets with what was read of them."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router

from approvals.roles import roles_of, signing_roles_of
from approvals.tokens import is_service_account
from rollbacks import doorbell, queries
from rollbacks.api.answers import Asked, InventoryAnswer, Me, Person, TargetAnswer, Targets
from rollbacks.api.callers import FILES, READS, caller_of
from rollbacks.api.problems import Problem
from rollbacks.api.repeating import DOCUMENTED, repeatable
from rollbacks.models import Target
from rollbacks.services.targets import newest_inventory

router = Router(tags=["targets"])


@router.get("/me", response=Me, auth=READS, tags=["me"])
def me(request: HttpRequest) -> Me:
    """Who calls, with which roles and scopes, and whether signing is possible at all."""
    caller = caller_of(request)
    person = caller.person
    may_vote = caller.token is None and bool(signing_roles_of(person)) and not is_service_account(person)
    return Me(
        person=Person.of(person),
        roles=list(roles_of(person)),
        scopes=caller.scopes,
        token=caller.token.prefix if caller.token else None,
        may_vote=may_vote,
    )


@router.get("/targets", response=Targets, auth=READS)
def list_targets(request: HttpRequest) -> Targets:
    """All targets in use, by name, with what was last read of them."""
    return Targets(items=[TargetAnswer.of(*pair) for pair in queries.targets_with_inventory()])


@router.get("/targets/{slug:name}", response=TargetAnswer, auth=READS)
def read_target(request: HttpRequest, name: str) -> TargetAnswer:
    """One target."""
    target = get_object_or_404(Target, name=name)
    return TargetAnswer.of(target, newest_inventory(target.pk))


@router.get("/targets/{slug:name}/inventory", response=InventoryAnswer, auth=READS)
def read_inventory(request: HttpRequest, name: str) -> InventoryAnswer:
    """Everything that was last read of the target: identity, migrations, ledger, violations and drafts."""
    target = get_object_or_404(Target, name=name)
    inventory = newest_inventory(target.pk)
    return InventoryAnswer(
        target=target.name,
        read_at=inventory.read_at if inventory else None,
        error=inventory.error if inventory else "",
        content=inventory.content if inventory else None,
    )


@router.post("/targets/{slug:name}/read", response={202: Asked}, auth=FILES, openapi_extra=DOCUMENTED)
@repeatable(202)
def read_again(request: HttpRequest, name: str) -> Asked:
    """Ask a worker to read the target again; `read_at` of the target then moves on."""
    target = get_object_or_404(Target, name=name, retired_at__isnull=True)
    if not doorbell.ring_inventory(target.pk):
        raise Problem("unavailable", "The broker cannot be reached; the target is read at the next sweep.")
    return Asked(id=target.pk, sentence="Asked. A worker reads the target; look again in a few seconds.")
