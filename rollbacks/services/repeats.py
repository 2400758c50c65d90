"""Doing something once although it is asked for twice: the answer is kept with what it did, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from rollbacks.models import KeptAnswer

KEPT = timedelta(hours=24)


class OtherRequest(Exception):
    """This Idempotency-Key was used for something else within 24 hours; send a new key with a new request."""


@dataclass(frozen=True)
class Answered:
    """What was answered: a status, JSON and the address of what was made; `again` when it was kept from before."""

    status: int
    answer: Any
    location: str = ""
    again: bool = False


def once(person: Any, *, key: str, asked: str, act: Callable[[], Answered]) -> Answered:
    """Do `act` and keep its answer, or return the answer that was kept for this person and key.

    `asked` is the digest of what is asked for. A second call waits for the first one's transaction. What
    `act` raises is not kept, because nothing was done then. Raises OtherRequest when `asked` differs.
    """
    with transaction.atomic():
        KeptAnswer.objects.filter(person=person, made_at__lt=datetime.now(UTC) - KEPT).delete()
        try:
            with transaction.atomic():
                row = KeptAnswer.objects.create(person=person, key=key, asked=asked)
        except IntegrityError:
            return _kept(KeptAnswer.objects.get(person=person, key=key), asked)
        answered = act()
        KeptAnswer.objects.filter(pk=row.pk).update(
            status=answered.status, answer=answered.answer, location=answered.location
        )
        return answered


def _kept(row: KeptAnswer, asked: str) -> Answered:
    if row.asked != asked:
        raise OtherRequest(str(OtherRequest.__doc__))
    return Answered(row.status, row.answer, row.location, again=True)
