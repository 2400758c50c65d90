"""Ringing for a worker; the recovery and its state are rows, and the sweep rings again for what was not heard."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from recoveries.models import Recovery
from rollbacks.doorbell import queue_of, send


def ring(pk: int) -> bool:
    """Ask a worker to go on with the recovery; False when the broker cannot be reached."""
    heard = send("recoveries.tasks.advance", pk, queue=queue_of(Recovery, pk, "target__name"))
    Recovery.objects.filter(pk=pk).update(rung_at=Now() if heard else None)
    return heard


def ring_on_commit(pk: int) -> None:
    """Ring once the transaction that made the work visible has committed."""
    transaction.on_commit(lambda: ring(pk))


def ring_restorable_on_commit(pk: int) -> None:
    """Ask a worker what the provider can restore, once the transaction has committed."""
    transaction.on_commit(lambda: ring_restorable(pk))


def ring_restorable(pk: int) -> bool:
    """Ask a worker what the provider can restore."""
    return send("recoveries.tasks.read_restorable", pk, queue=queue_of(Recovery, pk, "target__name"))
