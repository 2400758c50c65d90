"""How often the glass was broken, and how the reviews went: figures for the page and for auditors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypedDict

from django.db.models import Count, F, Q

from approvals.models import Review
from approvals.services import database_time

LATELY = timedelta(days=90)


class Counts(TypedDict):
    """Emergencies of the last 90 days, by how their reviews stand; `open` and `overdue` are of all time."""

    lately: int
    unjustified: int
    late: int
    open: int
    overdue: int


def emergency_counts() -> Counts:
    """Return the figures in one query over rows that an index finds."""
    now = database_time()
    lately = Q(opened_at__gte=now - LATELY)
    open_ = Q(done_at__isnull=True)
    counted: Any = Review.objects.filter(lately | open_).aggregate(
        lately=Count("pk", filter=lately),
        unjustified=Count("pk", filter=lately & Q(justified=False)),
        late=Count("pk", filter=lately & Q(done_at__gt=F("due_at"))),
        open=Count("pk", filter=open_),
        overdue=Count("pk", filter=open_ & Q(due_at__lt=now)),
    )
    return Counts(
        lately=counted["lately"],
        unjustified=counted["unjustified"],
        late=counted["late"],
        open=counted["open"],
        overdue=counted["overdue"],
    )
