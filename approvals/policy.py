"""Which signatures a plan needs and what the votes so far decide, in plain Python.

The default policy is the runbook: platform confirms every rollback; what weakens security controls
(audit immutability above all) needs the CTO and security as well, three different people.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

POLICY_VERSION = "runbook-2026-02-20"


class State(StrEnum):
    """What a decision can be; it is computed from votes and never stored."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class Choice(StrEnum):
    """What one person can say to a digest."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True)
class Need:
    """So many approvals in one role."""

    role: str
    count: int = 1


@dataclass(frozen=True)
class Policy:
    """The rule that a case is judged by; frozen into the case when it is opened."""

    version: str
    rule: str
    needs: tuple[Need, ...]

    def document(self) -> dict[str, Any]:
        """Return the policy as JSON, for the case and the plan."""
        needs = [{"role": need.role, "count": need.count} for need in self.needs]
        return {"version": self.version, "rule": self.rule, "needs": needs}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Policy:
        """Return the policy that `document()` wrote."""
        needs = tuple(Need(need["role"], need["count"]) for need in document["needs"])
        return cls(document["version"], document["rule"], needs)


@dataclass(frozen=True)
class Vote:
    """One person's choice in one role on one digest."""

    person: int
    name: str
    role: str
    choice: Choice
    digest: str
    at: datetime
    reason: str = ""


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


def policy_for(*, security_impacting: bool) -> Policy:
    """Return the policy for a plan with these properties (runbook, "Pre-Rollback Checklist" and 0004)."""
    if security_impacting:
        needs = (Need("platform"), Need("security"), Need("cto"))
        return Policy(POLICY_VERSION, "security-impacting rollback", needs)
    return Policy(POLICY_VERSION, "rollback", (Need("platform"),))


def decide(
    policy: Policy,
    votes: Sequence[Vote],
    *,
    digest: str,
    barred: Mapping[int, str],
    roles_now: Mapping[int, Collection[str]],
    unfit: Mapping[int, str] | None = None,
) -> Decision:
    """Judge the votes on `digest`: rejected by any countable rejection, approved when every need is met.

    `barred` names the people who may not sign and why; `roles_now` gives the roles that each voter holds
    at this moment, so that a vote lapses with the role it was given in; `unfit` says of voters why theirs does
    not count (approvals.standing.lapses_of). A policy without needs approves nothing: an empty rule is a
    mistake, and mistakes are closed.
    """
    lapsed: list[Lapsed] = []
    counted: list[Vote] = []
    for vote in votes:
        sentence = _lapse(vote, counted, digest, barred, roles_now, unfit or {})
        if sentence:
            lapsed.append(Lapsed(vote, sentence))
        else:
            counted.append(vote)
    rejection = next((vote for vote in counted if vote.choice is Choice.REJECT), None)
    missing = _missing(policy, counted)
    if rejection is not None:
        state = State.REJECTED
    elif missing or not policy.needs:
        state = State.WAITING
    else:
        state = State.APPROVED
    closed = "" if policy.needs else "The policy names no role that could sign, so nothing can be approved."
    return Decision(state, tuple(counted), tuple(lapsed), missing, rejection, closed)


def objections(
    policy: Policy,
    votes: Sequence[Vote],
    *,
    person: int,
    role: str,
    roles: Collection[str],
    barred: Mapping[int, str],
) -> tuple[str, ...]:
    """Return every reason why this person may not vote in this role; empty when they may."""
    reasons = []
    if person in barred:
        reasons.append(barred[person])
    if role not in roles:
        reasons.append(f"You do not hold the role {role}, so you cannot sign in it.")
    if role not in {need.role for need in policy.needs}:
        reasons.append(f"This request needs no signature in the role {role}.")
    if any(vote.person == person for vote in votes):
        reasons.append("You have already voted on this digest; one person has one vote.")
    return tuple(reasons)


def _lapse(
    vote: Vote,
    counted: Sequence[Vote],
    digest: str,
    barred: Mapping[int, str],
    roles_now: Mapping[int, Collection[str]],
    unfit: Mapping[int, str],
) -> str:
    if vote.digest != digest:
        return f"{vote.name} signed another digest."
    if vote.person in barred:
        return f"{vote.name} may not sign what they touched."
    if vote.person in unfit:
        return unfit[vote.person]
    if vote.role not in roles_now.get(vote.person, ()):
        return f"{vote.name} no longer holds the role {vote.role}."
    if any(other.person == vote.person for other in counted):
        return f"{vote.name} has voted already; one person has one vote."
    return ""


def _missing(policy: Policy, counted: Sequence[Vote]) -> tuple[Need, ...]:
    missing = []
    for need in policy.needs:
        given = sum(1 for vote in counted if vote.role == need.role and vote.choice is Choice.APPROVE)
        if given < need.count:
            missing.append(Need(need.role, need.count - given))
    return tuple(missing)
