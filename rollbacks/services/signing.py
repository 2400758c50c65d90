"""Signing a plan: a vote on exactly the digest that was seen, confirmed at that moment; taking it back; comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from approvals import services as approvals
from approvals import step_up
from approvals.policy import Choice, Decision
from approvals.policy import State as Judged
from approvals.roles import roles_of
from records import trail
from rollbacks.services.moves import NotAllowed, Refused, lock_request, move, subject_of
from rollbacks.states import State


def statement_of(
    person: Any, request_id: int, *, role: str, choice: str, reason: str, digest: str
) -> step_up.Statement:
    """Return what the person is about to sign."""
    return step_up.Statement(person.pk, subject_of(request_id), digest, role, choice, reason)


def begin(person: Any, statement: step_up.Statement, *, rp_id: str) -> step_up.Asked:
    """Ask the person's passkeys to sign the statement. Raises step_up.NotConfirmed, with a fact for it."""
    with refusals_kept(person, statement):
        return step_up.begin(statement, rp_id=rp_id)


def confirm(
    person: Any, statement: step_up.Statement, *, code: str = "", challenge: int = 0, response: Mapping[str, Any] | None
) -> step_up.Confirmation:
    """Check the passkey's answer, or the code where there is no answer. Raises step_up.NotConfirmed, with a fact for it."""
    with refusals_kept(person, statement):
        if response is not None:
            return step_up.confirm_webauthn(statement, challenge=challenge, response=response)
        return step_up.confirm_totp(statement, code)


def sign_off(
    person: Any,
    request_id: int,
    *,
    role: str,
    choice: Choice,
    reason: str,
    digest_seen: str,
    confirmation: step_up.Confirmation,
) -> Decision:
    """Add the person's vote and return what the votes decide now; a rejection sends the request back to its author.

    Raises approvals.services.VoteRefused with the reasons, or step_up.NotConfirmed; either leaves a fact. The
    request's row is locked first, so a vote and an edit at the same moment happen one after the other, and the
    later one sees the earlier.
    """
    statement = statement_of(person, request_id, role=role, choice=choice.value, reason=reason, digest=digest_seen)
    with refusals_kept(person, statement), trail.recording(person) as facts:
        request = lock_request(request_id)
        decision = approvals.sign(
            facts,
            subject=subject_of(request.pk),
            person=person,
            role=role,
            choice=choice,
            reason=reason,
            digest_seen=digest_seen,
            confirmation=confirmation,
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


@contextmanager
def refusals_kept(person: Any, statement: step_up.Statement) -> Iterator[None]:
    """Keep a refusal as a fact of its own, after everything that was refused is rolled back."""
    try:
        yield
    except (approvals.VoteRefused, step_up.NotConfirmed) as refusal:
        with trail.recording(person) as facts:
            facts.add(
                "vote.refused",
                statement.subject,
                digest=statement.digest,
                role=statement.role,
                choice=statement.choice,
                sentence=str(refusal),
            )
        raise
