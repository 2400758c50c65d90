"""When a vote counts by the role that its voter holds, in plain Python."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

# How long a grant has to be held before it may count in a case of the people who made it.
SETTLED = timedelta(hours=24)

INTERRUPTIONS = {
    "switched_off": "{name}'s account was switched off after the vote.",
    "password_withdrawn": "{name} had to set a new password after the vote.",
    "sessions_ended": "An administrator ended all sessions of {name} after the vote.",
}


@dataclass(frozen=True)
class Standing:
    """One role that a person may sign in at this moment, and since when without a break.

    `grant` is the row that gives the role: the holder's for a delegated one. `made_by` are the ids of the
    administrators who proposed and confirmed it, or who made the delegation; `seconded` tells whether the person who
    could have it made is not alone with it: two administrators, or the holder of a delegated role. `interrupted_at`
    is the last moment at which the account was switched off, lost its password or its sessions. The fields from
    `delegated_by` on are set for a delegated role only; `basis` is the holder's own standing.
    """

    role: str
    since: datetime
    grant: int
    made_by: frozenset[int] = frozenset()
    seconded: bool = False
    interrupted_at: datetime | None = None
    interrupted_by: str = ""
    delegated_by: int | None = None
    delegation: int | None = None
    delegated_by_name: str = ""
    until: datetime | None = None
    basis: Standing | None = None


def lapse_of(
    standing: Standing | None,
    *,
    role: str,
    name: str,
    at: datetime,
    delegation: int | None,
    opened_at: datetime,
    touched: Collection[int],
) -> str:
    """Return why a vote at `at` does not count, as a sentence; empty when it counts.

    `delegation` is the one that the vote used, `touched` the people who filed, edited, answered or opened the case.
    Nothing counts in a case that was granted after it was opened, unless two administrators who touched nothing of
    it did; what somebody who touched it had a part in counts only after it was held for SETTLED.
    """
    if standing is None or standing.delegation != delegation:
        return f"{name} no longer holds the role {role}." if delegation is None else _delegation_over(name, role)
    if standing.since > at:
        return f"{name} got the role {role} after the vote; it was not the one they signed with."
    interrupted = _interruption(standing, name, at)
    if not interrupted and standing.basis is not None:
        interrupted = _interruption(standing.basis, standing.delegated_by_name, at)
    return interrupted or refusal_of(standing, name=name, at=at, opened_at=opened_at, touched=touched)


def refusal_of(standing: Standing, *, name: str, at: datetime, opened_at: datetime, touched: Collection[int]) -> str:
    """Return why somebody with this standing may not sign the case at `at`, as a sentence; empty when they may."""
    if standing.delegated_by in touched:
        return f"{standing.delegated_by_name} touched this request, so nobody may sign for them."
    if standing.basis is not None:
        holder = standing.delegated_by_name
        refused = refusal_of(standing.basis, name=holder, at=at, opened_at=opened_at, touched=touched)
        if refused:
            return refused
    meddled = standing.made_by & set(touched)
    if meddled and (standing.since > opened_at or at - standing.since < SETTLED):
        return f"{name} has the role {standing.role} for less than a day from somebody who touched this request."
    if standing.since > opened_at and not standing.seconded:
        return (
            f"{name} got the role {standing.role} after this request was submitted; "
            "submit it again, or have two administrators grant it."
        )
    return ""


def _interruption(standing: Standing, name: str, at: datetime) -> str:
    if standing.interrupted_at is None or standing.interrupted_at < at:
        return ""
    return INTERRUPTIONS[standing.interrupted_by].format(name=name)


def _delegation_over(name: str, role: str) -> str:
    return f"The delegation by which {name} signed in the role {role} is over."
