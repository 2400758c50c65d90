"""Ringing for the outbox after a commit; the schedule reads it every few seconds whether somebody rang or not."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def ring_on_commit() -> None:
    """Have a worker look at the outbox once the transaction has committed; a lost ring costs a few seconds."""
    transaction.on_commit(_ring)


def _ring() -> None:
    try:
        current_app.send_task("notices.tasks.work", expires=60)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("The broker cannot be reached (%s); the schedule rings again.", type(error).__name__)
