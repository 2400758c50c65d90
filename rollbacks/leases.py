"""Leases: when a row is free, how long a claim holds, the pause before the next try, and renewing while work goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from rollbacks.ports import Evidence, LeaseLost

logger = logging.getLogger(__name__)

MAX_PAUSE = timedelta(minutes=5)


def free() -> Q:
    """Return the condition of a row that nobody holds: never claimed, or its lease has run out by the database's clock."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=Now())


def end() -> Combinable:
    """Return until when a lease that is taken or renewed now holds."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


def pause_after(attempt: int) -> timedelta:
    """Return how long to wait after this attempt (1 is the first): it doubles, up to five minutes."""
    return min(MAX_PAUSE, timedelta(seconds=settings.RETRY_SECONDS * 2 ** min(attempt - 1, 12)))


@contextmanager
def kept(renew: Callable[[Evidence | None], None]) -> Iterator[None]:
    """Call `renew(None)` every HEARTBEAT_SECONDS while the block runs; LeaseLost ends the renewing quietly.

    The work itself finds out at its next own renewal, which raises in its own thread.
    """
    stop = threading.Event()

    def keep() -> None:
        try:
            while not stop.wait(settings.HEARTBEAT_SECONDS):
                try:
                    renew(None)
                except LeaseLost:
                    return
                except Exception as error:
                    # The portal's database may be restarting; the lease simply runs on until it answers.
                    logger.warning("The lease could not be renewed (%s).", type(error).__name__)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
