"""Which signatures a plan needs and what the votes so far decide, in plain Python.

A policy is one rule of the rule book (approvals.rulebook), frozen into the case when it is opened. What no rule can
relax is here: nobody signs what they touched, one person has one vote, a vote is about one digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from approvals.windows import Window

PASSKEY = "webauthn"
WITNESS = "witness"


class State(StrEnum):
    """What a decision can be; it is computed from votes and never stored."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Choice(StrEnum):
    """What one person can say to a digest. Who abstains has used their vote and counts for nothing."""

    APPROVE = "approve"
    REJECT = "reject"
    ABSTAIN = "abstain"


@dataclass(frozen=True)
class Need:
    """So many approvals in one role, or in any of several: `role` is the first of them, `also` the others."""

    role: str
    count: int = 1
    also: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role in which a vote can meet it."""
        return (self.role, *self.also)


@dataclass(frozen=True)
class Policy:
    """The rule that a case is judged by; frozen into the case when it is opened. Hours of 0 mean no limit."""

    version: str
    rule: str
    needs: tuple[Need, ...]
    votes_expire_hours: int = 0
    request_expires_hours: int = 0
    passkey: bool = False
    emergency: bool = False
    windows: tuple[Window, ...] = ()

    @property
    def roles(self) -> frozenset[str]:
        """Every role in which a vote can count."""
        return frozenset(role for need in self.needs for role in need.roles)

    def document(self) -> dict[str, Any]:
        """Return the policy as JSON, for the case and the plan."""
        return {
            "version": self.version,
            "rule": self.rule,
            "needs": [{"role": need.role, "count": need.count, "also": list(need.also)} for need in self.needs],
            "votes_expire_hours": self.votes_expire_hours,
            "request_expires_hours": self.request_expires_hours,
            "passkey": self.passkey,
            "emergency": self.emergency,
            "windows": [window.document() for window in self.windows],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Policy:
        """Return the policy that `document()` wrote, also from before it had hours, windows and emergencies."""
        return cls(
            version=document["version"],
            rule=document["rule"],
            needs=tuple(Need(each["role"], each["count"], tuple(each.get("also", ()))) for each in document["needs"]),
            votes_expire_hours=document.get("votes_expire_hours", 0),
            request_expires_hours=document.get("request_expires_hours", 0),
            passkey=document.get("passkey", False),
            emergency=document.get("emergency", False),
            windows=tuple(Window.of(each) for each in document.get("windows", ())),
        )

    def expires(self, opened_at: datetime) -> datetime | None:
        """Return when a case opened then can be approved no more, None for never."""
        return opened_at + timedelta(hours=self.request_expires_hours) if self.request_expires_hours else None


@dataclass(frozen=True)
class Vote:
    """One person's choice in one role on one digest.

    `principal` is the person for whom a delegate votes. `against` is the sentence of what happened since that keeps
    the vote from counting whatever else is true (withdrawn, account switched off); empty when nothing did.
    """

    person: int
    name: str
    role: str
    choice: Choice
    digest: str
    at: datetime
    reason: str = ""
    method: str = ""
    principal: int | None = None
    against: str = ""


@dataclass(frozen=True)
class Lapsed:
    """A vote that does not count, with one sentence saying why."""

    vote: Vote
    sentence: str


@dataclass(frozen=True)
class Decision:
    """What the votes decide: the state, the votes that count, those that do not, and what is missing."""

    state: State
    counted: tuple[Vote, ...] = ()
    lapsed: tuple[Lapsed, ...] = ()
    missing: tuple[Need, ...] = ()
    rejected_by: Vote | None = None
    closed: str = field(default="")
    expires_at: datetime | None = None


def decide(
    policy: Policy,
    votes: Sequence[Vote],
    *,
    digest: str,
    barred: Mapping[int, str],
    roles_now: Mapping[int, Collection[str]],
    opened_at: datetime,
    now: datetime,
) -> Decision:
    """Judge the votes on `digest`: rejected by any countable rejection, approved when every need is met.

    `barred` names the people who may not sign and why; `roles_now` gives the roles that each voter holds
    at this moment, so that a vote lapses with the role it was given in. `now` is the database's time. A policy
    without needs approves nothing: an empty rule is a mistake, and mistakes are closed.
    """
    lapsed: list[Lapsed] = []
    counted: list[Vote] = []
    for vote in votes:
        sentence = _lapse(policy, vote, counted, digest, barred, roles_now, now)
        if sentence:
            lapsed.append(Lapsed(vote, sentence))
        else:
            counted.append(vote)
    rejection = next((vote for vote in counted if vote.choice is Choice.REJECT), None)
    missing = _missing(policy, counted)
    expires_at = policy.expires(opened_at)
    if rejection is not None:
        state = State.REJECTED
    elif expires_at is not None and now >= expires_at:
        state = State.EXPIRED
    elif missing or not policy.needs:
        state = State.WAITING
    else:
        state = State.APPROVED
    return Decision(
        state, tuple(counted), tuple(lapsed), missing, rejection, _closed(policy, state), expires_at
    )  # fmt: skip


def objections(
    policy: Policy,
    votes: Sequence[Vote],
    *,
    person: int,
    role: str,
    roles: Collection[str],
    barred: Mapping[int, str],
    principal: int | None = None,
) -> tuple[str, ...]:
    """Return every reason why this person may not vote in this role; empty when they may.

    `votes` are those that count: whose vote lapsed, expired or was taken back may vote once more.
    """
    reasons = []
    if person in barred:
        reasons.append(barred[person])
    if principal is not None and principal in barred:
        reasons.append("The person for whom you sign touched this request, so you cannot sign it for them.")
    if role not in roles:
        reasons.append(f"You do not hold the role {role}, so you cannot sign in it.")
    if role not in policy.roles:
        reasons.append(f"This request needs no signature in the role {role}.")
    if any(vote.person == person for vote in votes):
        reasons.append("You have already voted on this digest; one person has one vote.")
    elif any(_parties(vote) & {person, principal or person} for vote in votes):
        reasons.append("Somebody has voted for the same person already; a holder and their delegate have one vote.")
    return tuple(reasons)


def _lapse(
    policy: Policy,
    vote: Vote,
    counted: Sequence[Vote],
    digest: str,
    barred: Mapping[int, str],
    roles_now: Mapping[int, Collection[str]],
    now: datetime,
) -> str:
    if vote.against:
        return vote.against
    if vote.digest != digest:
        return f"{vote.name} signed another digest."
    if vote.person in barred or vote.principal in barred:
        return f"{vote.name} may not sign what they touched."
    if vote.role not in roles_now.get(vote.person, ()):
        return f"{vote.name} no longer holds the role {vote.role}."
    if policy.votes_expire_hours and now >= vote.at + timedelta(hours=policy.votes_expire_hours):
        return f"{vote.name} signed more than {policy.votes_expire_hours} hours ago; the signature has expired."
    if policy.passkey and vote.choice is Choice.APPROVE and vote.method != PASSKEY:
        return f"{vote.name} did not sign with a passkey, which the policy asks for."
    if any(other.person == vote.person for other in counted):
        return f"{vote.name} has voted already; one person has one vote."
    if any(_parties(other) & _parties(vote) for other in counted):
        return f"{vote.name} signed for somebody whose signature is counted already."
    return ""


def _parties(vote: Vote) -> set[int]:
    """Return whose vote it is: the voter's, and that of the person for whom they vote."""
    return {vote.person} if vote.principal is None else {vote.person, vote.principal}


def _missing(policy: Policy, counted: Sequence[Vote]) -> tuple[Need, ...]:
    """Return what is still needed when each approval meets one need, in the way that leaves the fewest open."""
    places = [need for need in policy.needs for _ in range(need.count)]
    approvals = [vote for vote in counted if vote.choice is Choice.APPROVE]
    taken: dict[int, int] = {}
    for number in range(len(approvals)):
        _seat(number, approvals, places, taken, set())
    missing: list[Need] = []
    for need in policy.needs:
        open_ = sum(1 for place, each in enumerate(places) if each is need and place not in taken)
        if open_:
            missing.append(Need(need.role, open_, need.also))
    return tuple(missing)


def _seat(
    number: int, approvals: Sequence[Vote], places: Sequence[Need], taken: dict[int, int], tried: set[int]
) -> bool:
    """Give the vote a place that its role fits, moving an earlier vote to another place where that helps."""
    for place, need in enumerate(places):
        if place in tried or approvals[number].role not in need.roles:
            continue
        tried.add(place)
        if place not in taken or _seat(taken[place], approvals, places, taken, tried):
            taken[place] = number
            return True
    return False


def _closed(policy: Policy, state: State) -> str:
    if not policy.needs:
        return "No rule of the policy catches this request, so nobody can approve it; have the policy corrected."
    if state is State.EXPIRED:
        return f"It waited longer than {policy.request_expires_hours} hours and has expired; submit it again."
    return ""
