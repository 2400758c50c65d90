"""Who may sign in which role at this moment, since when, by whom: read live, never remembered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject

from approvals.holding import Standing, lapse_of, refusal_of
from approvals.models import Case, Delegation, Interruption, RoleGrant, SignOff
from approvals.policy import WITNESS

__all__ = [
    "Standing",
    "Standings",
    "lapses_of",
    "name_of",
    "refusal_to_sign",
    "signer_name",
    "standing_in",
    "standing_of",
]

# How the newest interruption of an account is read with a row of its own.
INTERRUPTED = {"interrupted_at": "at", "interrupted_by": "kind"}
Standings = dict[int, dict[str, Standing]]


def standing_of(person_ids: Collection[int]) -> Standings:
    """Return {person id: {role: Standing}} as it is at this moment, in one query whatever the number of people.

    Somebody who holds nothing, is switched off or unknown has no entry. A role of one's own goes before a delegated
    one; of two delegations of one role the older counts.
    """
    own: Standings = {}
    delegated: list[tuple[Any, dict[str, Any], Standing]] = []
    for grant in _grants_that_matter(person_ids):
        standing = _own(grant)
        own.setdefault(grant.person_id, {})[grant.role] = standing
        delegated += [(grant.person, delegation, standing) for delegation in grant.delegated]
    found = {person: dict(own[person]) for person in person_ids if person in own}
    for holder, delegation, basis in sorted(delegated, key=lambda each: each[1]["id"]):
        found.setdefault(delegation["delegate"], {}).setdefault(basis.role, _delegated(holder, delegation, basis))
    return found


def standing_in(standings: Mapping[str, Standing], role: str) -> Standing | None:
    """Return the standing in which somebody signs in this role; a witness stands in the oldest role of their own."""
    if role != WITNESS:
        return standings.get(role)
    own = [standing for standing in standings.values() if standing.delegation is None]
    return min(own, key=lambda standing: standing.since, default=None)


def lapses_of(case: Case, votes: Iterable[SignOff], standings: Mapping[int, Mapping[str, Standing]]) -> dict[int, str]:
    """Return {vote id: sentence} for each of the case's votes that was taken back or that no standing bears.

    `votes` are the case's, with `person`, `delegation` and `withdrawal` read. Who has voted already is for
    approvals.policy to say, which alone knows the votes that count.
    """
    touched, lapsed = touched_by(case), dict[int, str]()
    for vote in votes:
        standing = standing_in(standings.get(vote.person_id, {}), vote.role)
        sentence = (
            _taken_back(vote)
            or _switched_off(vote)
            or lapse_of(
                standing,
                role=vote.role,
                name=name_of(vote.person),
                at=vote.signed_at,
                delegation=vote.delegation_id,
                opened_at=case.opened_at,
                touched=touched,
            )
        )
        if sentence:
            lapsed[vote.pk] = sentence
    return lapsed


def refusal_to_sign(case: Case, person: Any, standing: Standing, now: datetime) -> str:
    """Return why this person's vote in this standing would not count in the case; empty when it would."""
    return refusal_of(standing, name=name_of(person), at=now, opened_at=case.opened_at, touched=touched_by(case))


def touched_by(case: Case) -> frozenset[int]:
    """Return the ids of the people who filed, edited, answered or submitted what the case is about."""
    return frozenset({*(int(person) for person in case.barred), case.opened_by_id})


def name_of(person: Any) -> str:
    """Return what a person is called on the pages."""
    return str(person.get_full_name() or person.get_username())


def _grants_that_matter(person_ids: Collection[int]) -> Any:
    """The grants that these people hold, and those of whoever delegated to them, each with its delegations."""
    delegations = Delegation.objects.running().filter(
        holder=OuterRef("person"), role=OuterRef("role"), delegate__in=person_ids
    )
    fields = ("id", "delegate", "made_by", "confirmed_by", "confirmed_at", "starts_at", "ends_at")
    interrupted = {name: _newest_interruption("delegate", field) for name, field in INTERRUPTED.items()}
    rows = RoleGrant.objects.held().filter(Q(person__in=person_ids) | Exists(delegations)).select_related("person")
    return rows.annotate(
        delegated=ArraySubquery(delegations.values(said=JSONObject(**{name: name for name in fields}, **interrupted))),
        **{name: _newest_interruption("person", field) for name, field in INTERRUPTED.items()},
    )


def _newest_interruption(person: str, field: str) -> Subquery:
    return Subquery(Interruption.objects.filter(person=OuterRef(person)).order_by("-id").values(field)[:1])


def _own(grant: Any) -> Standing:
    return Standing(
        role=grant.role,
        since=grant.confirmed_at,
        grant=grant.pk,
        made_by=_ids(grant.proposed_by_id, grant.confirmed_by_id),
        seconded=grant.confirmed_by_id is not None,
        interrupted_at=grant.interrupted_at,
        interrupted_by=grant.interrupted_by or "",
    )


def _delegated(holder: Any, delegation: Mapping[str, Any], basis: Standing) -> Standing:
    moments = {
        name: datetime.fromisoformat(delegation[name]) if delegation[name] else None
        for name in ("confirmed_at", "starts_at", "ends_at", "interrupted_at")
    }
    begun = [moment for moment in (basis.since, moments["confirmed_at"], moments["starts_at"]) if moment]
    return Standing(
        role=basis.role,
        since=max(begun),
        grant=basis.grant,
        made_by=_ids(delegation["made_by"], delegation["confirmed_by"]) - {holder.pk},
        seconded=True,
        interrupted_at=moments["interrupted_at"],
        interrupted_by=delegation["interrupted_by"] or "",
        delegated_by=holder.pk,
        delegation=delegation["id"],
        delegated_by_name=name_of(holder),
        until=moments["ends_at"],
        basis=basis,
    )


def signer_name(vote: SignOff) -> str:
    """Return who voted, and for whom until when if the vote used a delegation."""
    if vote.delegation is None:
        return name_of(vote.person)
    until = vote.delegation.ends_at.astimezone(UTC)
    return (
        f"{name_of(vote.person)} for {name_of(vote.delegation.holder)} ({vote.role}) until {until:%Y-%m-%d %H:%M} UTC"
    )


def _taken_back(vote: SignOff) -> str:
    withdrawal = getattr(vote, "withdrawal", None)
    return "" if withdrawal is None else f"{name_of(vote.person)} took the vote back: {withdrawal.reason}"


def _switched_off(vote: SignOff) -> str:
    return "" if vote.person.is_active else f"{name_of(vote.person)}'s account is switched off."


def _ids(*given: int | None) -> frozenset[int]:
    return frozenset(each for each in given if each is not None)
