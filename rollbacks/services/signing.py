"""Signing a plan: one person's vote on exactly the digest they saw, taking it back, and comments on the plan."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from approvals import services as approvals
from approvals.policy import Choice, Decision
from approvals.policy import State as Judged
from approvals.roles import roles_of
from records import trail
from rollbacks.services.moves import NotAllowed, Refused, lock_request, move, subject_of
from rollbacks.states import State


def sign_off(
    person: Any,
    request_id: int,
    *,
    role: str,
    choice: Choice,
    reason: str,
    digest_seen: str,
    method: str,
    reauthenticated_at: datetime,
) -> Decision:
    """Add the person's vote and return what the votes decide now; a rejection sends the request back to its author.

    Raises approvals.services.VoteRefused with the reasons. The request's row is locked first, so a vote and
    an edit at the same moment happen one after the other, and the later one sees the earlier.
    """
    with trail.recording(person) as facts:
        request = lock_request(request_id)
        decision = approvals.sign(
            facts,
            subject=subject_of(request.pk),
            person=person,
            role=role,
            choice=choice,
            reason=reason,
            digest_seen=digest_seen,
            method=method,
            reauthenticated_at=reauthenticated_at,
        )
        # Once it runs, a rejection is kept and stops it at the next step that has not touched the target.
        if decision.state is Judged.REJECTED and request.state not in {State.EXECUTING, State.NEEDS_ATTENTION}:
            approvals.close_case(
                facts, subject=subject_of(request.pk), reason=f"{person.get_username()} rejected it: {reason.strip()}"
            )
            move(facts, request, State.REJECTED, reason=reason.strip())
        return decision


def take_back_vote(person: Any, request_id: int, *, reason: str, digest_seen: str) -> Decision:
    """Take the person's vote back, at any time before the target is touched; raises VoteRefused or Refused.

    While the rollback runs the engine judges the votes again before each step up to and with apply.
    """
    with trail.recording(person) as facts:
        request = lock_request(request_id)
        if request.state not in {State.IN_REVIEW, State.EXECUTING, State.FAILED}:
            raise Refused(f"{request} is {request.state.replace('_', ' ')}; votes on it can no longer be taken back.")
        return approvals.take_back(
            facts, subject=subject_of(request.pk), person=person, reason=reason, digest_seen=digest_seen
        )


def comment(person: Any, request_id: int, *, digest: str, lines: str, text: str) -> None:
    """Keep a comment on the plan with this digest; anybody who holds a role may say something."""
    if not roles_of(person):
        raise NotAllowed("Only people who hold a role may comment.")
    with trail.recording(person) as facts:
        request = lock_request(request_id)
        approvals.comment(facts, subject=subject_of(request.pk), digest=digest, lines=lines, text=text)
