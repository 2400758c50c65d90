"""What the page of the outbox shows: one page of deliveries, newest first."""

from __future__ import annotations

from notices.models import Delivery, DeliveryState

PAGE = 50


def deliveries(*, state: str, before: int | None) -> tuple[list[Delivery], int | None]:
    """Return a page of deliveries in this state, or of all that were not sent, and the next page's key or None."""
    rows = Delivery.objects.select_related("notice", "person").order_by("-id")
    rows = rows.filter(state=state) if state else rows.exclude(state=DeliveryState.SENT)
    if before:
        rows = rows.filter(pk__lt=before)
    page = list(rows[: PAGE + 1])
    following = page[PAGE - 1].pk if len(page) > PAGE else None
    return page[:PAGE], following
