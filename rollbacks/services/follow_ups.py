"""Follow-ups of rollbacks that removed audit immutability: opened, restored, or accepted under signatures.

Source: the runbook's special procedure for 0004 (removing audit immutability is a security event, and needs the CTO
and security). A follow-up stays open until one of two things happened, and nobody can close it by a click.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from approvals import services as approvals
from approvals import step_up
from approvals.policy import Choice, Decision, Need, Policy
from approvals.policy import State as Judged
from approvals.role_names import CTO, SECURITY
from approvals.roles import roles_of
from records import trail
from records.chain import canonical, sha256
from records.trail import Facts
from rollbacks.models import Execution, FollowUp
from rollbacks.reversal.immutability import Protection
from rollbacks.services.moves import NotAllowed, Refused
from rollbacks.services.signing import refusals_kept
from rollbacks.services.submission import people_who_touched

SUBJECT = "follow-up:"
FORMAT = "rollback-acceptance/1"
# The runbook names both roles; no rule of the policy file can ask for less.
POLICY = Policy("runbook", "audit immutability stays removed", (Need(SECURITY), Need(CTO)))


def subject_of(pk: int) -> str:
    """Return how the trail and the cases name a follow-up."""
    return f"{SUBJECT}{pk}"


def open_follow_up(facts: Facts, execution: Execution, removed: Collection[dict[str, str]]) -> None:
    """Open the follow-up of an execution that was applied; nothing when it removed no protection."""
    if not removed:
        return
    follow_up = FollowUp.objects.create(execution=execution, target=execution.target, removed=list(removed))
    facts.add(
        "follow_up.opened", subject_of(follow_up.pk), request=execution.request_id, execution=execution.pk,
        target=execution.target.name, roles=[SECURITY, CTO],
        removed=[f"{each['kind']} {each['name']}" for each in removed],
    )  # fmt: skip


def close_restored(target_id: int, found: Collection[Protection], *, begun: datetime) -> None:
    """Close the target's follow-ups whose protections were all found again, word for word, by a reading begun then.

    A reading that began before the follow-up was opened may have seen the target as it was before the rollback.
    """
    rows = FollowUp.objects.filter(target=target_id, closed_at__isnull=True, opened_at__lt=begun)
    if not rows.exists():
        return
    with trail.recording(None) as facts:
        for follow_up in rows.select_for_update(of=("self",)).select_related("execution").order_by("pk"):
            if not {Protection.of(each) for each in follow_up.removed} <= set(found):
                continue
            subject = subject_of(follow_up.pk)
            approvals.close_case(facts, subject=subject, reason="Audit immutability was restored.")
            _close(follow_up, FollowUp.Outcome.RESTORED)
            facts.add(
                "follow_up.restored", subject, request=follow_up.execution.request_id, seen_from=begun.isoformat()
            )


def propose_acceptance(actor: Any, pk: int, *, justification: str) -> str:
    """Open a case on the statement that the protections stay removed, in place of an earlier one; return its digest.

    Whoever proposes it, and everybody who touched the rollback, may not sign it. Raises NotAllowed for people without
    a role, Refused without a justification and for a follow-up that is closed.
    """
    if not roles_of(actor):
        raise NotAllowed("Only people who hold a role may propose that.")
    if not justification.strip():
        raise Refused("Say why the protection may stay away; security and the CTO sign exactly these words.")
    with trail.recording(actor) as facts:
        follow_up = _lock(pk)
        if follow_up.closed_at is not None:
            raise Refused(f"This follow-up is {follow_up.outcome} already; nothing is left to accept.")
        statement = _statement(follow_up, actor, justification.strip())
        digest = sha256(canonical(statement))
        FollowUp.objects.filter(pk=pk).update(acceptance=statement)
        barred = people_who_touched(follow_up.execution.request)
        barred[actor.pk] = "You proposed this acceptance, and nobody signs what they touched."
        facts.add("follow_up.acceptance_proposed", subject_of(pk), digest=digest, justification=justification.strip())
        approvals.open_case(
            facts, subject=subject_of(pk), digest=digest, policy=POLICY, barred=barred, opened_by=actor
        )  # fmt: skip
        return digest


def statement_of(person: Any, pk: int, *, role: str, choice: str, reason: str, digest: str) -> step_up.Statement:
    """Return what the person is about to sign."""
    return step_up.Statement(person.pk, subject_of(pk), digest, role, choice, reason)


def sign_acceptance(
    person: Any, pk: int, *, role: str, choice: Choice, reason: str, digest_seen: str, confirmation: step_up.Confirmation
) -> Decision:  # fmt: skip
    """Add the person's vote; the last approval closes the follow-up as accepted, a rejection closes the case alone.

    Raises approvals.services.VoteRefused or step_up.NotConfirmed, each with a fact.
    """
    statement = statement_of(person, pk, role=role, choice=choice.value, reason=reason, digest=digest_seen)
    with refusals_kept(person, statement), trail.recording(person) as facts:
        follow_up = _lock(pk)
        if follow_up.closed_at is not None:
            raise approvals.VoteRefused(f"This follow-up is {follow_up.outcome} already; no signature is missing.")
        decision = approvals.sign(
            facts, subject=subject_of(pk), person=person, role=role, choice=choice, reason=reason,
            digest_seen=digest_seen, confirmation=confirmation,
        )  # fmt: skip
        if decision.state is Judged.APPROVED:
            _close(follow_up, FollowUp.Outcome.ACCEPTED)
            facts.add("follow_up.accepted", subject_of(pk), digest=digest_seen, request=follow_up.execution.request_id)
        elif decision.state is Judged.REJECTED:
            why = f"{person.get_username()} rejected it: {reason.strip()}"
            approvals.close_case(facts, subject=subject_of(pk), reason=why)
        return decision


def open_follow_ups() -> QuerySet[FollowUp]:
    """Return the follow-ups that are open, oldest first, with what pages show of them."""
    rows = FollowUp.objects.filter(closed_at__isnull=True).select_related("target", "execution__request")
    return rows.order_by("pk")


def _statement(follow_up: FollowUp, actor: Any, justification: str) -> dict[str, Any]:
    execution = follow_up.execution
    return {
        "format": FORMAT,
        "follow_up": follow_up.pk,
        "request": execution.request_id,
        "execution": execution.pk,
        "plan": execution.digest,
        "target": execution.plan["target"],
        "removed": follow_up.removed,
        "justification": justification,
        # The same words may be proposed again after a rejection, and that is another digest.
        "proposed_at": approvals.database_time().astimezone(UTC).isoformat(),
        "proposed_by": {"id": actor.pk, "username": actor.get_username(), "name": actor.get_full_name()},
    }


def _lock(pk: int) -> FollowUp:
    rows = FollowUp.objects.select_for_update(of=("self",)).select_related("execution__request")
    return rows.get(pk=pk)


def _close(follow_up: FollowUp, outcome: FollowUp.Outcome) -> None:
    FollowUp.objects.filter(pk=follow_up.pk, closed_at__isnull=True).update(
        outcome=outcome, closed_at=approvals.database_time()
    )
