"""Taking turns: one worker reads the trail at a time, and one sends, so that the others are free for rollbacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import Q

from notices.models import Turn

READING, SENDING = "reading", "sending"


def take_turn(name: str, *, seconds: float) -> datetime | None:
    """Take the turn for so many seconds; return its end as the token that gives it back, None while another has it."""
    Turn.objects.get_or_create(pk=name)
    now = datetime.now(UTC)
    until = now + timedelta(seconds=seconds)
    free = Turn.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=name)
    return until if free.update(lease_until=until) == 1 else None


def give_back(name: str, token: datetime) -> None:
    """Give the turn back, if it is still the one that the token is of."""
    Turn.objects.filter(pk=name, lease_until=token).update(lease_until=None)
