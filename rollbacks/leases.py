"""Leases: when a row is free, how long a claim holds, the pause before the next try, and renewing while work goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from rollbacks.ports import Evidence, LeaseLost

logger = logging.getLogger(__name__)

MAX_PAUSE = timedelta(minutes=5)
# What Django raises when the portal's own database is away, or has ended a session that stood still in a transaction
# (InternalError); the target's errors are psycopg's.
AWAY = (OperationalError, InterfaceError, InternalError)
AWAY_PAUSE_SECONDS = 0.25
Written = TypeVar("Written")


def free() -> Q:
    """Return the condition of a row that nobody holds: never claimed, or its lease has run out by the database's clock."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=Now())


def end() -> Combinable:
    """Return until when a lease that is taken or renewed now holds."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


def pause_after(attempt: int) -> timedelta:
    """Return how long to wait after this attempt (1 is the first): it doubles, up to five minutes."""
    return min(MAX_PAUSE, timedelta(seconds=settings.RETRY_SECONDS * 2 ** min(attempt - 1, 12)))


def written_when_back(write: Callable[[], Written]) -> Written:
    """Return what `write` returns; while the portal's database is away it is tried again, for as long as a lease lasts.

    What is not written by then is not lost: the next worker observes what this one did. Trying again is safe,
    because an outcome is only written while its attempt is the newest.
    """
    over = time.monotonic() + settings.LEASE_SECONDS
    while True:
        try:
            return write()
        except AWAY as error:
            connection.close()
            if time.monotonic() >= over:
                raise
            logger.warning("The outcome of a step could not be written yet (%s).", type(error).__name__)
            time.sleep(AWAY_PAUSE_SECONDS)


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
