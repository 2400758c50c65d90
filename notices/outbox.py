"""What the page of the outbox shows: one page of deliveries, newest first."""

from __future__ import annotations

from notices.models import Delivery, DeliveryState
from records.paging import page_of


def deliveries(*, state: str, before: int | None) -> tuple[list[Delivery], int | None]:
    """Return a page of deliveries in this state, or of all that were not sent, and the next page's key or None."""
    rows = Delivery.objects.select_related("notice", "person")
    return page_of(rows.filter(state=state) if state else rows.exclude(state=DeliveryState.SENT), before)
