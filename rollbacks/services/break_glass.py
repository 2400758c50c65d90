"""What runs under the emergency rule owes a review, and whoever owes one may not use the rule again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from approvals.models import Review
from approvals.reviews import blocked, owe_review
from approvals.services import open_case_of, votes_of
from records.trail import Facts
from rollbacks.services.moves import Refused


def owe_review_of(
    facts: Facts, subject: str, *, digest: str, author: Any, actor: Any, reason: str, touched: Collection[int]
) -> None:
    """Open the review that a start by `actor` owes, once for each digest: one that was started before owes no second.

    Nobody who touched it, voted on it or starts it may do the review. Raises Refused while the author or the actor has
    another review open.
    """
    if Review.objects.filter(digest=digest).exists():
        return
    refused = blocked(author) or blocked(actor)
    if refused:
        raise Refused(refused)
    case = open_case_of(subject)
    voters = {vote.person for vote in votes_of(case)} if case else set()
    owe_review(
        facts, subject=subject, digest=digest, used_by=author, reason=reason, taken_part={*touched, *voters, actor.pk}
    )
