"""What the worker does when it is rung for: advance an execution, sweep, read an inventory."""

from __future__ import annotations

import logging
import os
import socket
import time

from celery import shared_task

from approvals import reviews
from approvals.services import database_time
from rollbacks import backup_sweep, doorbell, engine, freezes, proof_runs
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.adapters.store import StoreRefused
from rollbacks.adapters.target import REFUSALS
from rollbacks.models import Execution, FlagCheck, Target
from rollbacks.services.flags import keep_flags, waiting_checks
from rollbacks.services.follow_ups import close_restored
from rollbacks.services.targets import keep_inventory, newest_inventory, settings_of
from rollbacks.steps.drafting import drafts_of, live_shape
from rollbacks.steps.flags import FlagsUnread, read_flags
from rollbacks.steps.observation import Unobservable, observe_target
from rollbacks.steps.project import sweep_checkouts

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
    freezes.release_owed(execution_id, environ=os.environ)


@shared_task
def release_freeze(execution_id: int) -> None:
    """Deliver the release of the execution's deploy freeze, if it is owed and due."""
    freezes.release_owed(execution_id, environ=os.environ)


@shared_task
def check_flags(check_id: int) -> None:
    """Ask for the feature flags and keep what was seen; a second message about the same wish keeps nothing."""
    check = FlagCheck.objects.filter(pk=check_id, finished_at__isnull=True).select_related("request__target").first()
    if check is None:
        return
    target = check.request.target
    try:
        seen, sentence = read_flags(target.name, target.flags, environ=os.environ), ""
    except FlagsUnread as error:
        seen, sentence = [], str(error)
    keep_flags(check_id, seen=seen, sentence=sentence)


@shared_task
def prove(run_id: int) -> None:
    """Prove what the run asks for; a second message about it does nothing."""
    proof_runs.work(run_id, worker=f"{socket.gethostname()}:{os.getpid()}", environ=os.environ)


@shared_task
def sweep() -> None:
    """Ring for all that waits (messages get lost, workers die): steps, proofs, releases of freezes, flags, overdue reviews."""
    for execution_id in engine.claimable():
        doorbell.ring(execution_id)
    for run_id in proof_runs.claimable():
        doorbell.ring_proof(run_id)
    for execution_id in freezes.owed():
        doorbell.ring_release(execution_id)
    for check_id in waiting_checks():
        doorbell.ring_flags(check_id)
    reviews.escalate()


@shared_task
def sweep_scratch() -> None:
    """Drop what executions that are over, and workers that were killed, left on the scratch server, in checkouts and branches."""
    sweep_checkouts(now=time.time())
    for execution_id in engine.failed_lately():
        engine.clean_up(execution_id, os.environ)
    try:
        scratch = Scratch.of(os.environ)
        for name in engine.leftovers(scratch.names()):
            scratch.drop(name)
        scratch.sweep_replays(now=time.time())
    except (*REFUSALS, ScratchRefused) as error:
        logger.warning("The scratch server was not swept: %s", error)


@shared_task
def sweep_backups() -> None:
    """Remove backups whose time is over, and note and clear what belongs to none."""
    try:
        backup_sweep.sweep(os.environ)
    except StoreRefused as error:
        logger.warning("The store of backups was not swept: %s", error)


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
