"""What the worker does every few seconds: read the trail, remind, and send what is due."""

from __future__ import annotations

import logging
import os
import time
from datetime import UTC, datetime

from celery import shared_task

from approvals.roles import ROLES
from notices.channels.addresses import Address, BadAddresses, addresses_of
from notices.collecting import BATCH, collect, remind
from notices.sending import send_due
from notices.turns import SENDING, give_back, take_turn

logger = logging.getLogger(__name__)

# Sending ends after so many seconds, so that a worker with one slot comes back to its rollbacks.
SENDING_SECONDS = 10
LONGEST_ATTEMPT = 40


@shared_task
def work() -> None:
    """Read the trail, make reminders, and send for a while; a second message at the same time sends nothing."""
    read()
    token = take_turn(SENDING, seconds=SENDING_SECONDS + LONGEST_ATTEMPT)
    if token is None:
        return
    end = time.monotonic() + SENDING_SECONDS
    try:
        send_due(os.environ, until=lambda: time.monotonic() >= end)
    finally:
        give_back(SENDING, token)


def read() -> None:
    """Turn every new fact into notices, and make the reminders that are due."""
    addresses = _addresses()
    while collect(addresses) == BATCH:
        continue
    remind(addresses, now=datetime.now(UTC))


def _addresses() -> tuple[Address, ...]:
    try:
        return addresses_of(os.environ, roles=ROLES)
    except BadAddresses as error:
        # E-mail still goes out; the sentence names the line and nothing secret.
        logger.error("%s", error)
        return ()
