"""Use cases of delegation: a signing role is left to somebody for a period, and taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models.functions import Now

from approvals.grants import lock_person, require_administrator
from approvals.models import LONGEST_DELEGATION, Delegation, RoleGrant
from approvals.refusals import Refused
from approvals.roles import SIGNING_ROLES
from approvals.services import database_time
from approvals.standing import name_of
from records import trail
from records.trail import Facts


def delegate(
    actor: Any, *, holder_id: int, delegate_id: int, role: str, starts_at: datetime, ends_at: datetime, reason: str
) -> Delegation:
    """Leave the holder's role to the delegate from `starts_at` until `ends_at` (aware); return the delegation.

    By the holder it is made at once; by an administrator it waits for a second one. A role that was delegated to the
    holder cannot be passed on. Raises NotAllowed for anybody else, Refused with what is wrong.
    """
    with trail.recording(actor) as facts:
        if actor.pk != holder_id:
            require_administrator(actor)
        if actor.pk == delegate_id and actor.pk != holder_id:
            raise Refused("Nobody delegates a role to themselves; ask another administrator.")
        _refuse_period(starts_at, ends_at)
        holder, person = _lock_both(holder_id, delegate_id)
        _refuse_people(holder, person, role)
        by_holder = actor.pk == holder_id
        made = Delegation.objects.create(
            holder=holder, delegate=person, role=role, starts_at=starts_at, ends_at=ends_at,
            reason=reason.strip(), made_by=actor, confirmed_at=Now() if by_holder else None,
        )  # fmt: skip
        _tell(facts, "delegation.made" if by_holder else "delegation.proposed", made)
        return made


def confirm(administrator: Any, delegation_id: int) -> None:
    """Confirm what another administrator made for a holder who cannot; it counts from now on.

    Raises NotAllowed for somebody who is no administrator, Refused for its maker, holder or delegate.
    """
    with trail.recording(administrator) as facts:
        require_administrator(administrator)
        made = _locked(delegation_id)
        if made.confirmed_at is not None or made.ended_at is not None:
            raise Refused("This delegation was answered already; open the page again to see how.")
        if administrator.pk in {made.made_by_id, made.holder_id, made.delegate_id}:
            raise Refused("A second administrator has to confirm it: not who made it, and not who it is about.")
        Delegation.objects.filter(pk=made.pk).update(confirmed_by=administrator, confirmed_at=Now())
        _tell(facts, "delegation.made", made)


def end(actor: Any, delegation_id: int, *, reason: str) -> None:
    """End a delegation at once, or refuse one that waits; votes given by it lapse.

    By its holder, its delegate or an administrator; raises NotAllowed for anybody else.
    """
    with trail.recording(actor) as facts:
        made = _locked(delegation_id)
        if actor.pk not in {made.holder_id, made.delegate_id}:
            require_administrator(actor)
        if made.ended_at is not None:
            raise Refused("This delegation is over already.")
        Delegation.objects.filter(pk=made.pk).update(ended_by=actor, ended_at=Now(), ended_reason=reason.strip())
        _tell(facts, "delegation.ended", made, reason=reason.strip())


def _refuse_period(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise Refused("The delegation ends before it begins; choose a later end.")
    if ends_at <= database_time():
        raise Refused("The delegation would be over already; choose a later end.")
    if ends_at - starts_at > LONGEST_DELEGATION:
        raise Refused("A delegation lasts at most 30 days; choose an earlier end, and delegate again then.")


def _refuse_people(holder: Any, person: Any, role: str) -> None:
    held = set(RoleGrant.objects.held().filter(person=holder).values_list("role", flat=True))
    if role not in SIGNING_ROLES or role not in held:
        raise Refused(f"{name_of(holder)} does not hold the role {role} themself, so they cannot delegate it.")
    if holder.pk == person.pk:
        raise Refused("Choose somebody else to sign: a delegation goes to another person.")
    theirs = set(RoleGrant.objects.held().filter(person=person).values_list("role", flat=True))
    if not theirs:
        raise Refused(f"{name_of(person)} has no role in the portal; an administrator has to give them one first.")
    if role in theirs:
        raise Refused(f"{name_of(person)} holds the role {role} already and signs for themself; choose somebody else.")
    running = Delegation.objects.filter(holder=holder, role=role, ended_at__isnull=True, ends_at__gt=Now())
    if running.exists():
        raise Refused(f"{name_of(holder)} has delegated the role {role} already; end that delegation first.")


def _lock_both(holder_id: int, delegate_id: int) -> tuple[Any, Any]:
    """Lock in the order of ids, so that two delegations in opposite directions do not wait for each other."""
    locked = {pk: lock_person(pk) for pk in sorted({holder_id, delegate_id})}
    return locked[holder_id], locked[delegate_id]


def _locked(delegation_id: int) -> Delegation:
    made = Delegation.objects.select_for_update(no_key=True).filter(pk=delegation_id).first()
    if made is None:
        raise Refused("There is no such delegation; open the page again.")
    return made


def _tell(facts: Facts, action: str, made: Delegation, **more: Any) -> None:
    facts.add(
        action,
        f"person:{made.holder_id}",
        delegation=made.pk,
        role=made.role,
        delegate=made.delegate_id,
        starts_at=made.starts_at.isoformat(),
        ends_at=made.ends_at.isoformat(),
        **more,
    )
