"""A target with a queue of its own is worked on by the worker that listens there, and waits for nobody else's dump."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from rollbacks import doorbell
from rollbacks.models import Target
from tests.conftest import WORKER, TargetDatabase
from tests.engine.test_faults import process_environment, wait_for
from tests.rollback import started, state_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_targets_own_queue_is_worked_on_by_its_own_worker(
    nzila: TargetDatabase, people: dict[str, Any], settings: Any
) -> None:
    own = f"own-{WORKER}"
    settings.TARGET_QUEUES = {nzila.name: own}
    broker = redis.Redis.from_url(django_settings.CACHES["default"]["LOCATION"])
    for queue in (own, settings.CELERY_TASK_DEFAULT_QUEUE):
        broker.delete(queue)
    other = Target.objects.create(
        name="other", title="Other", environment="staging", repository="/nowhere", out="drizzle"
    )

    execution = started(people, nzila)
    assert doorbell.ring_inventory(other.pk)
    assert broker.llen(settings.CELERY_TASK_DEFAULT_QUEUE) == 1
    waiting = broker.llen(own)
    assert waiting >= 1

    command = [sys.executable, "-m", "celery", "-A", "portal", "-q", "worker", "--pool", "solo", "--queues", own]
    environ = {**process_environment(nzila), "TARGET_QUEUES": f"{nzila.name}={own}"}
    worker = subprocess.Popen(
        [*command, "--without-mingle", "--without-gossip"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(lambda: state_of(execution) == "succeeded", 120)
    finally:
        worker.terminate()
        output, _ = worker.communicate(timeout=30)

    assert broker.llen(settings.CELERY_TASK_DEFAULT_QUEUE) == 1, output.decode()
    assert {run.worker.split(":")[1] for run in execution.steps.all()} == {str(worker.pid)}
    broker.delete(settings.CELERY_TASK_DEFAULT_QUEUE, own)
