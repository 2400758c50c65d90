"""Use cases of sign-off: open a case for a digest, vote on it, close it when the digest is no longer true."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from approvals import policy as rules
from approvals import step_up
from approvals.linkage import shared_with
from approvals.models import Case, SignOff, Withdrawal
from approvals.roles import roles_of, signing_roles_of
from approvals.standing import Standing, Standings, lapses_of, refusal_to_sign, signer_name, standing_in, standing_of
from approvals.tokens import is_service_account
from records.trail import Facts

LINES = re.compile(r"[1-9][0-9]{0,6}(-[1-9][0-9]{0,6})?")


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
    Case.objects.filter(pk=case.pk).update(closed_at=database_time(), closed_reason=reason)
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
    confirmation: step_up.Confirmation,
) -> rules.Decision:
    """Add the person's vote to the open case and return what the votes decide now; it uses up the confirmation.

    Raises VoteRefused when the case has another digest than the one the person saw, when the person may
    not vote in this role, or when a rejection gives no reason; step_up.NotConfirmed when the confirmation
    is not of this very vote, was used before or is older than five minutes.
    """
    if is_service_account(person):
        raise VoteRefused("A service account has no vote; a person has to sign.")
    case = _open_case(subject, digest_seen)
    standing = _fit_to_vote(case, person, role, choice, reason, confirmation)
    statement = step_up.Statement(person.pk, subject, digest_seen, role, choice.value, reason)
    step_up.claim(statement, confirmation)
    SignOff.objects.create(
        case=case,
        person=person,
        role=role,
        choice=choice.value,
        reason=reason.strip(),
        digest=digest_seen,
        delegation_id=standing.delegation,
        method=confirmation.method,
        confirmed_at=confirmation.at,
        confirmation=dict(confirmation.evidence),
        challenge_id=confirmation.challenge,
        earlier=SignOff.objects.filter(case=case, person=person).count(),
    )
    facts.add(
        "vote.cast",
        subject,
        digest=digest_seen,
        role=role,
        choice=choice.value,
        reason=reason.strip(),
        method=confirmation.method,
        challenge=confirmation.challenge,
        evidence_sha256=step_up.evidence_digest(confirmation),
        delegation=standing.delegation,
        delegated_by=standing.delegated_by,
    )
    return decision_on(case)


def _fit_to_vote(
    case: Case, person: Any, role: str, choice: rules.Choice, reason: str, confirmation: step_up.Confirmation
) -> Standing:  # fmt: skip
    """Return the standing in which the person votes; raises VoteRefused with everything that speaks against it."""
    policy = rules.Policy.of(case.policy)
    _refuse_expired(policy, case)
    if choice is rules.Choice.REJECT and not reason.strip():
        raise VoteRefused("A rejection needs a reason; write what has to change.")
    if policy.passkey and choice is rules.Choice.APPROVE and confirmation.method != rules.PASSKEY:
        raise VoteRefused("The policy asks for a passkey here; sign with one, or enrol one on your account page.")
    # Read anew under the case's lock: what the page knew of the person may be over.
    standings = standing_of([person.pk]).get(person.pk, {})
    standing = standing_in(standings, role)
    against = rules.objections(
        policy,
        decision_on(case).counted,
        person=person.pk,
        role=role,
        roles=_with_witness(standings),
        barred=_barred(case),
        principal=standing.delegated_by if standing else None,
    )
    if against or standing is None:
        raise VoteRefused(" ".join(against))
    refusal = refusal_to_sign(case, person, standing, database_time())
    if refusal:
        raise VoteRefused(refusal)
    _refuse_second_account(case, person)
    return standing


def _refuse_second_account(case: Case, person: Any) -> None:
    """Raise VoteRefused when who voted already, or may not, is likely the same person with another account."""
    others = set(SignOff.objects.filter(case=case, withdrawal__isnull=True).values_list("person", flat=True))
    shared = shared_with(person.pk, (others | set(_barred(case))) - {person.pk})
    if shared is not None:
        names = " and ".join(name for _pk, name in shared.people)
        raise VoteRefused(
            f"The accounts {names} share the same {shared.kind}, so they count as one person, who has one vote; "
            "an administrator can tell whose account this is."
        )


def take_back(facts: Facts, *, subject: str, person: Any, reason: str, digest_seen: str) -> rules.Decision:
    """Take the person's vote on the open case back and return what the others decide now; they may vote once more.

    Raises VoteRefused without a reason, when they have no vote there, or when the case has another digest.
    """
    case = _open_case(subject, digest_seen)
    if not reason.strip():
        raise VoteRefused("Say why you take your vote back; those who rely on it will ask.")
    vote = _rows([case.pk]).filter(person=person, withdrawal__isnull=True).first()
    if vote is None:
        raise VoteRefused("You have no vote on this plan that could be taken back.")
    Withdrawal.objects.create(sign_off=vote, reason=reason.strip())
    facts.add(
        "vote.taken_back", subject, digest=case.digest, role=vote.role, choice=vote.choice, reason=reason.strip()
    )  # fmt: skip
    return decision_on(case)


def comment(facts: Facts, *, subject: str, digest: str, lines: str, text: str) -> None:
    """Say something about a plan; `lines` are "12" or "12-14" of the SQL file, or empty. A comment is a fact.

    Raises VoteRefused for an empty text and for lines that are none.
    """
    if not text.strip():
        raise VoteRefused("A comment needs words.")
    if lines and not LINES.fullmatch(lines):
        raise VoteRefused(f"“{lines}” names no lines; write 12 or 12-14.")
    facts.add("comment.made", subject, digest=digest, lines=lines, text=text.strip())


def decision_on(case: Case) -> rules.Decision:
    """Return what the votes on the case decide at this moment, with the roles that people hold now."""
    return decisions_on([case])[case.pk]


def decisions_on(cases: Sequence[Case]) -> dict[int, rules.Decision]:
    """Return what is decided on each case, by its id, in two queries whatever their number, when cases_of read them."""
    votes: dict[int, list[SignOff]] = {case.pk: [] for case in cases}
    for row in _rows(votes):
        votes[row.case_id].append(row)
    standings = standing_of({row.person_id for rows in votes.values() for row in rows})
    held = {person: _with_witness(roles) for person, roles in standings.items()}
    now = next((each.asked_at for each in cases if hasattr(each, "asked_at")), None) or database_time()
    return {
        case.pk: rules.decide(
            rules.Policy.of(case.policy),
            _votes(case, votes[case.pk], standings),
            digest=case.digest,
            barred=_barred(case),
            roles_now=held,
            opened_at=case.opened_at,
            now=now,
        )
        for case in cases
    }


def votes_of(case: Case) -> tuple[rules.Vote, ...]:
    """Return the votes on the case, oldest first."""
    rows = list(_rows([case.pk]))
    return tuple(_votes(case, rows, standing_of({row.person_id for row in rows})))


def open_roles(case: Case, decision: rules.Decision, person: Any) -> tuple[str, ...]:
    """Return the roles in which this person could sign the case now and a signature is missing."""
    policy, roles, barred = rules.Policy.of(case.policy), signing_roles(person), _barred(case)
    if decision.state not in {rules.State.WAITING, rules.State.APPROVED}:
        return ()
    asked = dict.fromkeys(role for need in decision.missing for role in need.roles)
    return tuple(
        role
        for role in asked
        if not rules.objections(policy, decision.counted, person=person.pk, role=role, roles=roles, barred=barred)
    )


def objection_to(case: Case, person: Any) -> str:
    """Return the sentence that keeps this person from signing the case whatever their role; empty when none does."""
    return _barred(case).get(person.pk, "")


def open_case_of(subject: str) -> Case | None:
    """Return the open case about the subject, or None."""
    return cases_of([subject]).filter(closed_at__isnull=True).first()


def cases_of(subjects: Collection[str]) -> QuerySet[Any]:
    """Return the cases about these subjects, newest first, each with the database's time as `asked_at`."""
    return Case.objects.filter(subject__in=subjects).annotate(asked_at=Now()).order_by("-id")


def signing_roles(person: Any) -> set[str]:
    """Return the roles in which the person can vote: held or delegated ones, and witness for whoever holds any."""
    held = set(signing_roles_of(person))
    return held | {rules.WITNESS} if roles_of(person) else held


def database_time() -> datetime:
    """Return the time of the database, which alone decides what has expired (a web server's clock may be wrong)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def _with_witness(roles: Iterable[str]) -> set[str]:
    held = set(roles)
    return held | {rules.WITNESS} if held else held


def _open_case(subject: str, digest_seen: str) -> Case:
    case = Case.objects.select_for_update().filter(subject=subject, closed_at__isnull=True).first()
    if case is None:
        raise VoteRefused("Nothing waits for a signature here; open the request again to see its state.")
    if case.digest != digest_seen:
        raise VoteRefused("The plan was changed after you opened it; read the new plan and sign that one.")
    return case


def _refuse_expired(policy: rules.Policy, case: Case) -> None:
    expires_at = policy.expires(case.opened_at)
    if expires_at is not None and database_time() >= expires_at:
        raise VoteRefused(
            f"It waited longer than {policy.request_expires_hours} hours and has expired; submit it again."
        )


def _rows(cases: Collection[int]) -> QuerySet[SignOff]:
    """Return the votes on these cases with who gave them, for whom, and whether they took them back."""
    found = SignOff.objects.filter(case__in=cases).select_related("person", "delegation__holder", "withdrawal")
    return found.order_by("id")


def _votes(case: Case, rows: Sequence[SignOff], standings: Standings) -> list[rules.Vote]:
    """Return the case's votes; what keeps one from counting whatever else is true is in its `against`."""
    lapses = lapses_of(case, rows, standings)
    return [
        rules.Vote(
            person=row.person_id,
            name=signer_name(row),
            role=row.role,
            choice=rules.Choice(row.choice),
            digest=row.digest,
            at=row.signed_at,
            reason=row.reason,
            method=row.method,
            principal=None if row.delegation is None else row.delegation.holder_id,
            against=lapses.get(row.pk, ""),
        )
        for row in rows
    ]


def _barred(case: Case) -> dict[int, str]:
    return {int(person): reason for person, reason in case.barred.items()}
