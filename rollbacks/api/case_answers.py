"""What is answered about signatures: votes, the open case and the closed ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from approvals.models import Case, SignOff
from approvals.policy import Decision
from approvals.policy import Vote as Given
from approvals.standing import name_of


class VoteAnswer(BaseModel):
    """A vote; `lapsed` says why it does not count, and is empty when it does."""

    person: int
    name: str
    role: str
    choice: str
    reason: str
    at: datetime
    lapsed: str = ""

    @classmethod
    def of(cls, vote: Given, lapsed: str = "") -> VoteAnswer:
        """Return a vote as it was judged."""
        return cls(
            person=vote.person, name=vote.name, role=vote.role, choice=vote.choice.value, reason=vote.reason,
            at=vote.at, lapsed=lapsed,
        )  # fmt: skip


class Need(BaseModel):
    """So many approvals that are missing in one role."""

    role: str
    count: int


class CaseAnswer(BaseModel):
    """The digest that waits for signatures, under the policy that was frozen for it, and what its votes decide."""

    id: int
    digest: str
    policy: dict[str, Any]
    opened_at: datetime
    state: str
    missing: list[Need]
    votes: list[VoteAnswer]
    my_roles: list[str]
    may_not_sign: str

    @classmethod
    def of(cls, case: Case, decision: Decision, *, roles: Sequence[str], objection: str) -> CaseAnswer:
        """Return the open case as it is decided now."""
        return cls(
            id=case.pk, digest=case.digest, policy=case.policy, opened_at=case.opened_at, state=decision.state.value,
            missing=[Need(role=need.role, count=need.count) for need in decision.missing],
            votes=[VoteAnswer.of(vote) for vote in decision.counted]
            + [VoteAnswer.of(lapsed.vote, lapsed.sentence) for lapsed in decision.lapsed],
            my_roles=list(roles), may_not_sign=objection,
        )  # fmt: skip


class ClosedCase(BaseModel):
    """A case that was closed: its votes stay as history and count no more."""

    digest: str
    opened_at: datetime
    closed_at: datetime | None
    closed_reason: str
    votes: list[VoteAnswer]

    @classmethod
    def of(cls, case: Case, rows: Sequence[SignOff]) -> ClosedCase:
        """Return the closed case."""
        votes = [
            VoteAnswer(
                person=row.person_id, name=name_of(row.person), role=row.role, choice=row.choice,
                reason=row.reason, at=row.signed_at, lapsed="The case is closed.",
            )
            for row in rows
        ]  # fmt: skip
        return cls(
            digest=case.digest, opened_at=case.opened_at, closed_at=case.closed_at, closed_reason=case.closed_reason,
            votes=votes,
        )  # fmt: skip


class Cases(BaseModel):
    """The open case, null when there is none, and the closed ones, newest first."""

    open: CaseAnswer | None
    closed: list[ClosedCase]
