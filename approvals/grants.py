"""Use cases of roles: propose, confirm, refuse and end a grant, and follow the groups of an identity provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.functions import Now

from approvals.models import RoleGrant
from approvals.refusals import NotAllowed, Refused
from approvals.roles import ADMINISTRATOR, ROLES, TWO_ADMINISTRATOR_ROLES
from approvals.standing import name_of
from records import trail
from records.trail import Facts


def propose(administrator: Any, person_id: int, *, role: str, reason: str) -> RoleGrant:
    """Grant a role that signs nothing, or propose one that a second administrator has to confirm; return the grant.

    Raises NotAllowed for somebody who is no administrator, Refused for a grant to oneself, to an account that is
    switched off, without a reason, of an unknown role, or of one that is held or proposed already.
    """
    with trail.recording(administrator) as facts:
        require_administrator(administrator)
        if role not in ROLES:
            raise Refused("There is no such role; choose one of the list.")
        if administrator.pk == person_id:
            raise Refused("Nobody grants a role to themselves; ask another administrator.")
        if not reason.strip():
            raise Refused("Say why they need the role; the reason goes into the trail.")
        person = lock_person(person_id)
        if not person.is_active:
            raise Refused(f"The account of {name_of(person)} is switched off; switch it on first.")
        _refuse_open(person, role)
        alone = role not in TWO_ADMINISTRATOR_ROLES
        grant = RoleGrant.objects.create(
            person=person,
            role=role,
            source=RoleGrant.Source.ADMINISTRATOR,
            reason=reason.strip(),
            proposed_by=administrator,
            confirmed_at=Now() if alone else None,
        )
        action = "person.role_granted" if alone else "person.role_proposed"
        facts.add(action, f"person:{person_id}", grant=grant.pk, role=role, source=grant.source, reason=reason.strip())
        return grant


def confirm(administrator: Any, grant_id: int) -> None:
    """Confirm a proposed grant, which is held from now on.

    Raises NotAllowed for somebody who is no administrator, Refused for its proposer, for the person themself, for an
    account that is switched off, and when it was confirmed or refused meanwhile.
    """
    with trail.recording(administrator) as facts:
        grant = _proposed(administrator, grant_id)
        if administrator.pk == grant.proposed_by_id:
            raise Refused("You proposed this role; a second administrator has to confirm it.")
        if administrator.pk == grant.person_id:
            raise Refused("Nobody confirms a role of their own; ask another administrator.")
        if not grant.person.is_active:
            raise Refused(f"The account of {name_of(grant.person)} is switched off; switch it on first.")
        RoleGrant.objects.filter(pk=grant.pk).update(confirmed_by=administrator, confirmed_at=Now())
        facts.add(
            "person.role_granted",
            f"person:{grant.person_id}",
            grant=grant.pk,
            role=grant.role,
            source=grant.source,
            reason=grant.reason,
            proposed_by=grant.proposed_by_id,
        )


def refuse(administrator: Any, grant_id: int, *, reason: str) -> None:
    """Refuse a proposed grant, or take one's own proposal back; raises as `confirm` does."""
    with trail.recording(administrator) as facts:
        grant = _proposed(administrator, grant_id)
        end_open(facts, grant, by=administrator, reason=reason.strip())


def end(administrator: Any, grant_id: int, *, reason: str) -> RoleGrant:
    """End a grant that is held, at once, and return it: votes given in it lapse. One administrator is enough."""
    with trail.recording(administrator) as facts:
        require_administrator(administrator)
        grant = _locked(grant_id)
        if grant.state != "held":
            raise Refused("This role is not held any more; open the person's page again to see what is.")
        end_open(facts, grant, by=administrator, reason=reason.strip())
        return grant


def follow_groups(person: Any, groups: Mapping[str, str]) -> None:
    """Make the person's grants from single sign-on exactly these: {role: id of the group at the provider}.

    Call it at every sign-in. A role whose group is gone ends; so does one whose group has another id now, though it
    has the same name, and a new grant begins: votes given in the old one lapse. Roles from other sources stay.
    """
    with trail.recording(None) as facts:
        lock_person(person.pk)
        open_grants = {grant.role: grant for grant in RoleGrant.objects.filter(person=person, ended_at__isnull=True)}
        for role, grant in list(open_grants.items()):
            if grant.source == RoleGrant.Source.SSO and groups.get(role) != grant.group:
                end_open(facts, grant, reason="The identity provider no longer says so.")
                del open_grants[role]
        for role in ROLES:
            if role in groups and role not in open_grants:
                hold(facts, person, role, source=RoleGrant.Source.SSO, group=groups[role])


def require_administrator(person: Any) -> None:
    """Raise NotAllowed unless the person is an administrator at this moment, whatever their page was told."""
    if not RoleGrant.objects.held().filter(person=person, role=ADMINISTRATOR).exists():
        raise NotAllowed("Only an administrator may do this.")


def lock_person(person_id: int) -> Any:
    """Return the account, locked until the transaction ends, so that two changes of its roles come one after the other.

    Raises Refused when there is none.
    """
    person = get_user_model().objects.select_for_update(no_key=True).filter(pk=person_id).first()
    if person is None:
        raise Refused("There is no such person; open the list of people again.")
    return person


def hold(facts: Facts, person: Any, role: str, *, source: str, group: str = "") -> None:
    """Open a grant that is held at once; for sources that need no administrator."""
    grant = RoleGrant.objects.create(person=person, role=role, source=source, group=group, confirmed_at=Now())
    facts.add("person.role_granted", f"person:{person.pk}", grant=grant.pk, role=role, source=source, group=group)


def end_open(facts: Facts, grant: RoleGrant, *, by: Any = None, reason: str) -> None:
    """End a grant that is held, or refuse one that is proposed."""
    RoleGrant.objects.filter(pk=grant.pk).update(ended_by=by, ended_at=Now(), ended_reason=reason)
    action = "person.role_refused" if grant.confirmed_at is None else "person.role_ended"
    facts.add(action, f"person:{grant.person_id}", grant=grant.pk, role=grant.role, reason=reason)


def _proposed(administrator: Any, grant_id: int) -> RoleGrant:
    require_administrator(administrator)
    grant = _locked(grant_id)
    if grant.state != "proposed":
        raise Refused("This proposal was answered already; open the list of people again to see how.")
    return grant


def _locked(grant_id: int) -> RoleGrant:
    rows = RoleGrant.objects.select_related("person").select_for_update(of=("self",), no_key=True)
    grant = rows.filter(pk=grant_id).first()
    if grant is None:
        raise Refused("There is no such grant; open the person's page again.")
    return grant


def _refuse_open(person: Any, role: str) -> None:
    grant = RoleGrant.objects.filter(person=person, role=role, ended_at__isnull=True).first()
    if grant is not None and grant.state == "held":
        raise Refused(f"{name_of(person)} holds the role {role} already.")
    if grant is not None:
        raise Refused(f"The role {role} is proposed for {name_of(person)} already; confirm or refuse that.")
