"""The kill matrix: nine steps and the moment after COMMIT, each with seven faults; THOROUGH=1 tries them all.

The worker's child stops itself at the point, the fault strikes, the child goes on if it can, and the run is worked on to its
end as after any fault. Restarting what the suite's processes share is for the whole matrix, which runs alone.
"""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from notices.models import WAITING, Delivery
from tests.conftest import THOROUGH, TargetDatabase
from tests.faults.history import before
from tests.faults.runs import begun
from tests.faults.soak import FAULTS, lived_through
from tests.faults.world import LEASE_SECONDS, SMALL_FILE, Worker, World, patiently

pytestmark = pytest.mark.django_db(transaction=True)

STEPS: dict[str, list[str]] = {
    "S1 claim": ["claim"],
    "S2 preflight": ["enter", "preflight"],
    "S3 backup": ["beat", "backup"],
    "S4 rehearse": ["beat", "rehearse"],
    "S5 apply": ["statement", "5"],
    "S6 commit": ["commit"],
    "S6 committed": ["effect", "apply"],
    "S7 verify": ["enter", "verify"],
    "S8 record": ["effect", "record"],
    "S9 notify": ["notice"],
}
STRIKES = (
    "child killed", "parent killed", "paused", "lines cut", "database crashed", "broker restarted", "disk full",
)  # fmt: skip
SAMPLE = [("S3 backup", "lines cut")]
ALL = [(step, strike) for step in STEPS for strike in STRIKES]


@pytest.mark.parametrize(("point", "strike"), ALL if THOROUGH else SAMPLE)
def test_a_fault_at_a_step_leaves_nothing_that_contradicts_itself(
    nzila: TargetDatabase, people: dict[str, Any], world: World, point: str, strike: str
) -> None:
    was, execution = before(nzila), begun(people, nzila)
    world.point, world.telling = STEPS[point], point == "S9 notify"
    child = _stopped(world)
    _strike(world, child, strike)
    ended = lived_through(world, people, execution, was, [])
    log = world.log.read_text(errors="replace")
    if world.telling:
        _told(world)
    print(f"{point} × {strike}: {ended.state} in {ended.seconds:.1f} s, acts {dict(ended.acts)}, again {ended.again}")
    assert ended.found == [], log[-6000:]


def _stopped(world: World) -> Worker:
    """Work on the run until a child has stopped itself at the point."""
    deadline = time.monotonic() + 120
    while (child := world.paused()) is None:
        assert time.monotonic() < deadline, world.log.read_text()[-4000:]
        patiently(world.tend)
        time.sleep(0.02)
    return child


def _strike(world: World, child: Worker, strike: str) -> None:
    if strike == "child killed":
        child.send(signal.SIGKILL)
    elif strike == "parent killed":
        next(each for each in world.workers if child.pid in each.children()).send(signal.SIGKILL)
    elif strike == "paused":
        # Long enough for another worker to take the step over, and to get into the way of this one when it wakes.
        _tend(world, 2 * LEASE_SECONDS)
    elif strike == "lines cut":
        for relay in (world.target, world.portal):
            relay.refusing = True
            relay.cut()
    elif strike == "disk full":
        world.limit_files(SMALL_FILE)
    else:
        FAULTS[strike].strike(world)
    child.send(signal.SIGCONT)
    if strike in {"lines cut", "disk full"}:
        _tend(world, 1)
        world.limit_files(-1)
        for relay in (world.target, world.portal):
            relay.flow()


def _tend(world: World, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        patiently(world.tend)
        time.sleep(0.02)


def _told(world: World) -> None:
    """Every notice of the run reached its end: sent, or given up with a sentence."""
    deadline = time.monotonic() + 60
    while Delivery.objects.filter(state__in=WAITING).exists() or not Delivery.objects.exists():
        assert time.monotonic() < deadline, list(Delivery.objects.values("state", "attempts", "error"))
        patiently(world.tend)
        time.sleep(0.05)
    assert Delivery.objects.filter(state="sent").count() >= Delivery.objects.filter(attempts__gt=0).count() - 1
    world.dismiss()
