"""Signing a recovery: a vote on exactly the digest that was seen, confirmed at that moment as every vote is."""

from __future__ import annotations

from typing import Any

from approvals import services as approvals
from approvals import step_up
from approvals.policy import Choice, Decision
from approvals.policy import State as Judged
from records import trail
from recoveries.services.moves import lock, move, subject_of
from recoveries.states import State
from rollbacks.services.signing import refusals_kept


def statement_of(person: Any, pk: int, *, role: str, choice: str, reason: str, digest: str) -> step_up.Statement:
    """Return what the person is about to sign."""
    return step_up.Statement(person.pk, subject_of(pk), digest, role, choice, reason)


def sign_off(
    person: Any, pk: int, *, role: str, choice: Choice, reason: str, digest_seen: str, confirmation: step_up.Confirmation
) -> Decision:  # fmt: skip
    """Add the person's vote; a rejection before it runs sends it back.

    Raises approvals.services.VoteRefused or step_up.NotConfirmed, each with a fact.
    """
    statement = statement_of(person, pk, role=role, choice=choice.value, reason=reason, digest=digest_seen)
    with refusals_kept(person, statement), trail.recording(person) as facts:
        recovery = lock(pk)
        decision = approvals.sign(
            facts, subject=subject_of(pk), person=person, role=role, choice=choice, reason=reason,
            digest_seen=digest_seen, confirmation=confirmation,
        )  # fmt: skip
        if decision.state is Judged.REJECTED and recovery.state == State.IN_REVIEW:
            why = f"{person.get_username()} rejected it: {reason.strip()}"
            approvals.close_case(facts, subject=subject_of(pk), reason=why)
            move(facts, recovery, State.REJECTED, reason=reason.strip())
        return decision
