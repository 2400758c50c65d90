"""Use cases of sign-off: open a case for a digest, vote on it, close it when the digest is no longer true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from approvals import policy as rules
from approvals.models import Case, SignOff
from approvals.roles import ROLES, held_now, roles_of
from approvals.tokens import is_service_account
from records.trail import Facts

FRESH = timedelta(minutes=5)


class VoteRefused(Exception):
    """The vote was not counted; read the sentence and the request page."""


def open_case(
    facts: Facts,
    *,
    subject: str,
    digest: str,
    policy: rules.Policy,
    barred: Mapping[int, str],
    opened_by: Any,
) -> Case:
    """Open the case for this digest; an open one about the same subject is closed first."""
    close_case(facts, subject=subject, reason="The plan was submitted again.")
    case = Case.objects.create(
        subject=subject,
        digest=digest,
        policy=policy.document(),
        barred={str(person): reason for person, reason in barred.items()},
        opened_by=opened_by,
    )
    facts.add("case.opened", subject, digest=digest, policy=policy.document(), barred=sorted(barred))
    return case


def close_case(facts: Facts, *, subject: str, reason: str) -> None:
    """Close the open case about the subject, if there is one: its votes stay as history and count no more."""
    case = Case.objects.select_for_update().filter(subject=subject, closed_at__isnull=True).first()
    if case is None:
        return
    votes = SignOff.objects.filter(case=case).count()
    Case.objects.filter(pk=case.pk).update(closed_at=datetime.now(UTC), closed_reason=reason)
    facts.add("case.closed", subject, digest=case.digest, reason=reason, votes=votes)


def sign(
    facts: Facts,
    *,
    subject: str,
    person: Any,
    role: str,
    choice: rules.Choice,
    reason: str,
    digest_seen: str,
    method: str,
    reauthenticated_at: datetime,
) -> rules.Decision:
    """Add the person's vote to the open case and return what the votes decide now.

    Raises VoteRefused when the case has another digest than the one the person saw, when the person may
    not vote in this role, when a rejection gives no reason, or when they did not prove freshly who they are.
    """
    if is_service_account(person):
        raise VoteRefused("A service account has no vote; a person has to sign.")
    case = Case.objects.select_for_update().filter(subject=subject, closed_at__isnull=True).first()
    if case is None:
        raise VoteRefused("Nothing waits for a signature here; open the request again to see its state.")
    if case.digest != digest_seen:
        raise VoteRefused("The plan was changed after you opened it; read the new plan and sign that one.")
    now = datetime.now(UTC)
    if not now - FRESH <= reauthenticated_at <= now:
        raise VoteRefused("Your password was confirmed too long ago; enter it again to sign.")
    if choice is rules.Choice.REJECT and not reason.strip():
        raise VoteRefused("A rejection needs a reason; write what has to change.")
    against = rules.objections(
        rules.Policy.of(case.policy),
        votes_of(case),
        person=person.pk,
        role=role,
        roles=roles_of(person),
        barred=_barred(case),
    )
    if against:
        raise VoteRefused(" ".join(against))
    SignOff.objects.create(
        case=case,
        person=person,
        role=role,
        choice=choice.value,
        reason=reason.strip(),
        digest=digest_seen,
        method=method,
        reauthenticated_at=reauthenticated_at,
    )
    facts.add(
        "vote.cast",
        subject,
        digest=digest_seen,
        role=role,
        choice=choice.value,
        reason=reason.strip(),
        method=method,
        reauthenticated_at=reauthenticated_at.isoformat(),
    )
    return decision_on(case)


def decision_on(case: Case) -> rules.Decision:
    """Return what the votes on the case decide at this moment, with the roles that people hold now."""
    return decisions_on([case])[case.pk]


def decisions_on(cases: Sequence[Case]) -> dict[int, rules.Decision]:
    """Return what is decided on each case, by its id, in one query whatever their number."""
    votes: dict[int, list[rules.Vote]] = {case.pk: [] for case in cases}
    held: dict[int, set[str]] = {}
    rows = SignOff.objects.filter(case__in=votes).select_related("person")
    for row in rows.annotate(held_now=held_now("person")).order_by("id"):
        votes[row.case_id].append(_vote(row))
        held[row.person_id] = {role for role in row.held_now if role in ROLES}
    return {
        case.pk: rules.decide(
            rules.Policy.of(case.policy), votes[case.pk], digest=case.digest, barred=_barred(case), roles_now=held
        )
        for case in cases
    }


def votes_of(case: Case) -> tuple[rules.Vote, ...]:
    """Return the votes on the case, oldest first."""
    rows = SignOff.objects.filter(case=case).select_related("person").order_by("id")
    return tuple(_vote(row) for row in rows)


def open_roles(case: Case, decision: rules.Decision, person: Any) -> tuple[str, ...]:
    """Return the roles in which this person could sign the case now and a signature is missing."""
    votes = (*decision.counted, *(lapsed.vote for lapsed in decision.lapsed))
    policy, roles, barred = rules.Policy.of(case.policy), roles_of(person), _barred(case)
    return tuple(
        need.role
        for need in decision.missing
        if not rules.objections(policy, votes, person=person.pk, role=need.role, roles=roles, barred=barred)
    )


def objection_to(case: Case, person: Any) -> str:
    """Return the sentence that keeps this person from signing the case whatever their role; empty when none does."""
    return _barred(case).get(person.pk, "")


def open_case_of(subject: str) -> Case | None:
    """Return the open case about the subject, or None."""
    return Case.objects.filter(subject=subject, closed_at__isnull=True).first()


def _vote(row: SignOff) -> rules.Vote:
    return rules.Vote(
        person=row.person_id,
        name=row.person.get_full_name() or row.person.get_username(),
        role=row.role,
        choice=rules.Choice(row.choice),
        digest=row.digest,
        at=row.signed_at,
        reason=row.reason,
    )


def _barred(case: Case) -> dict[int, str]:
    return {int(person): reason for person, reason in case.barred.items()}
