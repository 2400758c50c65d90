"""Signing a plan: one person's vote on exactly the digest they saw."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from approvals import services as approvals
from approvals.policy import Choice, Decision
from approvals.policy import State as Judged
from records import trail
from rollbacks.services.moves import lock_request, move, subject_of
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
    """Add the person's vote and return what the votes decide now; a rejection closes the request for edits.

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
        if decision.state is Judged.REJECTED:
            approvals.close_case(
                facts, subject=subject_of(request.pk), reason=f"{person.get_username()} rejected it: {reason.strip()}"
            )
            move(facts, request, State.REJECTED, reason=reason.strip())
        return decision
