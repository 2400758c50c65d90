"""Reviews of emergencies: opened when one runs with fewer signatures, done by somebody who took no part.

Until it is done, whoever filed the emergency cannot use the emergency rule again (acceptance A47).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from approvals.in_force import rulebook
from approvals.models import Review
from approvals.roles import may, roles_of
from approvals.services import database_time
from records import trail
from records.trail import Facts


class ReviewRefused(Exception):
    """The review was not kept; the sentence says why and what to do."""


def blocked(person: Any) -> str:
    """Return the sentence that keeps this person from using the emergency rule; empty when nothing does."""
    review = Review.objects.filter(used_by=person, done_at__isnull=True).order_by("id").first()
    if review is None:
        return ""
    return (
        f"The emergency of {review.subject.replace('request:', 'RB-').replace('recovery:', 'PR-')} that you filed has not been reviewed yet "
        f"(due {review.due_at:%Y-%m-%d %H:%M} UTC); have it reviewed first, or let this one be signed as any other."
    )


def owe_review(
    facts: Facts, *, subject: str, digest: str, used_by: Any, reason: str, taken_part: Collection[int]
) -> Review:
    """Open the review of an emergency that runs now; one that is there for this digest is kept (a second start)."""
    kept = Review.objects.filter(digest=digest).first()
    if kept is not None:
        return kept
    rules = rulebook().break_glass
    review = Review.objects.create(
        subject=subject,
        digest=digest,
        used_by=used_by,
        reason=reason,
        taken_part=sorted(taken_part),
        roles=list(rules.review_roles),
        due_at=database_time() + timedelta(hours=rules.review_hours),
    )
    facts.add(
        "review.owed", subject, review=review.pk, digest=digest, due_at=review.due_at.isoformat(),
        used_by=used_by.pk, roles=review.roles,
    )  # fmt: skip
    return review


def objection(review: Review, person: Any) -> str:
    """Return why this person may not review it; empty when they may."""
    if review.done_at is not None:
        return "It has been reviewed."
    if person.pk in review.taken_part:
        return "You took part in it, and nobody reviews what they took part in."
    if not may(person, review.roles):
        return f"A review is done by somebody with one of the roles {', '.join(review.roles)}."
    return ""


def take_on(actor: Any, review_id: int) -> None:
    """Make the person the review's owner; raises ReviewRefused for whoever may not do it."""
    with trail.recording(actor) as facts:
        review = _locked(actor, review_id)
        Review.objects.filter(pk=review.pk).update(owner=actor)
        facts.add("review.taken_on", review.subject, review=review.pk)


def finish(actor: Any, review_id: int, *, justified: bool | None, finding: str) -> None:
    """Keep the review's result; raises ReviewRefused for whoever may not do it, and without a result and a finding."""
    if justified is None or not finding.strip():
        raise ReviewRefused("Say whether the emergency was justified and what you found; both go into the trail.")
    with trail.recording(actor) as facts:
        review = _locked(actor, review_id)
        Review.objects.filter(pk=review.pk).update(
            done_at=database_time(), done_by=actor, justified=justified, finding=finding.strip()
        )
        facts.add(
            "review.done", review.subject, review=review.pk, digest=review.digest, justified=justified,
            finding=finding.strip(), late=review.due_at < database_time(),
        )  # fmt: skip


def escalate() -> int:
    """Say of every review that is overdue, once, that it is; return how many were said."""
    with trail.recording(None) as facts:
        late = Review.objects.select_for_update(skip_locked=True).filter(
            done_at__isnull=True, told_overdue_at__isnull=True, due_at__lt=database_time()
        )
        reviews = list(late)
        for review in reviews:
            Review.objects.filter(pk=review.pk).update(told_overdue_at=database_time())
            facts.add(
                "review.overdue", review.subject, review=review.pk, used_by=review.used_by_id, roles=review.roles,
                due_at=review.due_at.isoformat(),
            )  # fmt: skip
        return len(reviews)


def waiting_for(person: Any) -> QuerySet[Review]:
    """Return the reviews that this person could do, those that are due first on top."""
    open_ = Review.objects.filter(done_at__isnull=True, roles__overlap=list(roles_of(person)))
    return open_.exclude(taken_part__contains=[person.pk]).select_related("used_by", "owner").order_by("due_at")


def _locked(actor: Any, review_id: int) -> Review:
    review = Review.objects.select_for_update().get(pk=review_id)
    against = objection(review, actor)
    if against:
        raise ReviewRefused(against)
    return review
