"""Ringing for a worker. The broker only carries the sound: the work and its state are rows in PostgreSQL."""

from __future__ import annotations

import logging

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Now
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from rollbacks.models import Execution, FlagCheck, ProofRun, Target

logger = logging.getLogger(__name__)


def ring(execution_id: int) -> bool:
    """Ask a worker to advance the execution; False when the broker cannot be reached (the sweep rings again)."""
    if not send("rollbacks.tasks.advance", execution_id, queue=queue_of(Execution, execution_id, "target__name")):
        Execution.objects.filter(pk=execution_id).update(rung_at=None)
        return False
    Execution.objects.filter(pk=execution_id).update(rung_at=Now())
    return True


def ring_on_commit(execution_id: int) -> None:
    """Ring once the transaction that made the work visible has committed, never before."""
    transaction.on_commit(lambda: ring(execution_id))


def ring_inventory(target_id: int) -> bool:
    """Ask a worker to read the target's inventory; False when the broker cannot be reached."""
    return send("rollbacks.tasks.read_inventory", target_id, queue=queue_of(Target, target_id, "name"))


def ring_inventory_on_commit(target_id: int) -> None:
    """Ask for the target's inventory once the transaction has committed."""
    transaction.on_commit(lambda: ring_inventory(target_id))


def ring_proof(run_id: int) -> bool:
    """Ask a worker to prove; False when the broker cannot be reached (the sweep rings again)."""
    if not send("rollbacks.tasks.prove", run_id, queue=queue_of(ProofRun, run_id, "request__target__name")):
        ProofRun.objects.filter(pk=run_id).update(rung_at=None)
        return False
    ProofRun.objects.filter(pk=run_id).update(rung_at=Now())
    return True


def ring_proof_on_commit(run_id: int) -> None:
    """Ask for a proof once the transaction that made its row visible has committed."""
    transaction.on_commit(lambda: ring_proof(run_id))


def ring_flags(check_id: int) -> bool:
    """Ask a worker to look at feature flags; False when the broker cannot be reached (the sweep rings again)."""
    return send("rollbacks.tasks.check_flags", check_id, queue=queue_of(FlagCheck, check_id, "request__target__name"))


def ring_flags_on_commit(check_id: int) -> None:
    """Ask for the flags once the transaction that made the wish visible has committed."""
    transaction.on_commit(lambda: ring_flags(check_id))


def ring_release(execution_id: int) -> bool:
    """Ask a worker to release the execution's deploy freeze; False when the broker cannot be reached."""
    return send("rollbacks.tasks.release_freeze", execution_id, queue=queue_of(Execution, execution_id, "target__name"))


def queue_of(model: type[Model], pk: int, target: str) -> str:
    """Return the queue of the row's target (`target` is the path to its name): its own, or the one of all others.

    A target with a queue of its own waits for no other target's dump, and only its worker needs its credentials.
    """
    default: str = settings.CELERY_TASK_DEFAULT_QUEUE
    if not settings.TARGET_QUEUES:
        return default
    name = model._default_manager.filter(pk=pk).values_list(target, flat=True).first()
    return str(settings.TARGET_QUEUES.get(str(name), default))


def send(task: str, *arguments: int, queue: str) -> bool:
    """Send one message to the queue; False when the broker cannot be reached."""
    try:
        current_app.send_task(task, args=arguments, queue=queue)
    except (OperationalError, RedisError, OSError) as error:
        # A signed rollback must not be lost because Redis is away: its row waits, and the sweep rings.
        logger.warning("The broker cannot be reached (%s); the sweep will ring again.", type(error).__name__)
        return False
    return True
