"""What the worker does when it is rung for: go on with a recovery, ask a provider, sweep."""

from __future__ import annotations

import os
import socket

from celery import shared_task

from recoveries import doorbell, engine


@shared_task
def advance(pk: int) -> None:
    """Do one step of the recovery and ring for the next; a second message about the same step does nothing."""
    if engine.advance(pk, worker=f"{socket.gethostname()}:{os.getpid()}", environ=os.environ):
        doorbell.ring(pk)


@shared_task
def read_restorable(pk: int) -> None:
    """Ask the provider of a draft what it can restore."""
    engine.read_restorable(pk, environ=os.environ)


@shared_task
def sweep() -> None:
    """Ring for every step and every question that waits: messages get lost, and workers die."""
    for pk in engine.claimable():
        doorbell.ring(pk)
    for pk in engine.unheard():
        doorbell.ring_restorable(pk)
