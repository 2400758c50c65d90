"""What the worker does when it is rung for: advance an execution, sweep, read an inventory."""

from __future__ import annotations

import logging
import os
import socket
import time

from celery import shared_task

from approvals import reviews
from approvals.services import database_time
from rollbacks import doorbell, engine, proof_runs
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.adapters.target import REFUSALS
from rollbacks.models import Execution, Target
from rollbacks.services.follow_ups import close_restored
from rollbacks.services.targets import keep_inventory, newest_inventory, settings_of
from rollbacks.steps.drafting import drafts_of, live_shape
from rollbacks.steps.observation import Unobservable, observe_target

logger = logging.getLogger(__name__)


@shared_task
def advance(execution_id: int) -> None:
    """Do one step of the execution and ring for the next; a second message about the same step does nothing."""
    if not Execution.objects.filter(pk=execution_id).exists():
        # The portal never rings for one: somebody wrote to the broker, or to the database.
        logger.error("There is no execution %s, though a message asks to go on with it.", execution_id)
        return
    worker = f"{socket.gethostname()}:{os.getpid()}"
    if engine.advance(execution_id, worker=worker, environ=os.environ):
        doorbell.ring(execution_id)


@shared_task
def prove(run_id: int) -> None:
    """Prove what the run asks for; a second message about it does nothing."""
    proof_runs.work(run_id, worker=f"{socket.gethostname()}:{os.getpid()}", environ=os.environ)


@shared_task
def sweep() -> None:
    """Ring for every step and proof that waits (messages get lost, workers die), and for every review that is overdue."""
    for execution_id in engine.claimable():
        doorbell.ring(execution_id)
    for run_id in proof_runs.claimable():
        doorbell.ring_proof(run_id)
    reviews.escalate()


@shared_task
def sweep_scratch() -> None:
    """Drop what executions that are over, and replays whose worker was killed, left on the scratch server."""
    try:
        scratch = Scratch.of(os.environ)
        for name in engine.leftovers(scratch.names()):
            scratch.drop(name)
        scratch.sweep_replays(now=time.time())
    except (*REFUSALS, ScratchRefused) as error:
        logger.warning("The scratch server was not swept: %s", error)


@shared_task
def read_inventory(target_id: int) -> None:
    """Read the target and its repository and keep what was found, or the sentence that says why not."""
    target = Target.objects.filter(pk=target_id, retired_at__isnull=True).first()
    if target is None:
        return
    begun = database_time()
    try:
        observation = observe_target(settings_of(target), environ=os.environ)
    except Unobservable as error:
        keep_inventory(target_id, content=None, error=str(error))
    else:
        before = newest_inventory(target_id)
        drafts = drafts_of(
            observation,
            live=live_shape(settings_of(target), os.environ),
            environ=os.environ,
            before=(before.content or {}).get("drafts") if before else None,
        )
        keep_inventory(target_id, content={**observation.content(), "drafts": drafts})
        close_restored(target_id, observation.protections, begun=begun)


@shared_task
def read_inventories() -> None:
    """Ring for the inventory of every target in use, one message each."""
    for target_id in Target.objects.filter(retired_at__isnull=True).values_list("pk", flat=True):
        doorbell.ring_inventory(target_id)
