"""Keeping a lease while long work goes on: a thread renews it, so that one slow statement does not lose it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from rollbacks.ports import Evidence, LeaseLost

logger = logging.getLogger(__name__)


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
