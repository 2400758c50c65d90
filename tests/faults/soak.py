"""Runs with faults at random moments: strike, clear, let a person act, and compare what everybody says afterwards."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from records.models import Fact
from rollbacks import engine, tasks
from rollbacks.models import Execution, Request, StepRun
from rollbacks.services import running
from tests.faults.history import NAMES, Before, contradictions
from tests.faults.world import LEASE_SECONDS, SMALL_FILE, Worker, World, patiently

# A run whose state nobody explains within this time is silent.
SILENT_SECONDS = 150
ACTS = 6
WAITING_FOR_PERSON = ("succeeded", "failed", "needs_attention")

Strike = Callable[[World], None]


def _each(sign: signal.Signals) -> Strike:
    return lambda world: [worker.send(sign) for worker in world.workers] and None


def _children(sign: signal.Signals) -> Strike:
    def strike(world: World) -> None:
        for worker in world.workers:
            for child in worker.children():
                Worker(child).send(sign)

    return strike


def _all(sign: signal.Signals) -> Strike:
    return lambda world: [worker.send_all(sign) for worker in (*world.workers, *world.old)] and None


def _line(name: str, what: str) -> Strike:
    def strike(world: World) -> None:
        relay = getattr(world, name)
        if what == "cut":
            relay.refusing = True
            relay.cut()
        elif what == "freeze":
            relay.freeze()
        elif what == "flow":
            relay.flow()
        else:
            relay.commit = what

    return strike


def _thawed(name: str) -> Strike:
    """What was frozen is gone for good: the peer answers with a reset."""

    def clear(world: World) -> None:
        getattr(world, name).cut()
        getattr(world, name).flow()

    return clear


def _nothing(_: World) -> None:
    return None


@dataclass(frozen=True)
class Fault:
    """What strikes, and what takes it away again."""

    strike: Strike
    clear: Strike = _nothing


FAULTS: dict[str, Fault] = {
    "child killed": Fault(_children(signal.SIGKILL)),
    "parent killed": Fault(_each(signal.SIGKILL)),
    "all killed": Fault(_all(signal.SIGKILL)),
    "warm stop": Fault(_each(signal.SIGTERM)),
    "cold stop": Fault(_each(signal.SIGQUIT)),
    "paused": Fault(_all(signal.SIGSTOP), _all(signal.SIGCONT)),
    "child paused": Fault(_children(signal.SIGSTOP), _all(signal.SIGCONT)),
    "target cut": Fault(_line("target", "cut"), _line("target", "flow")),
    "target frozen": Fault(_line("target", "freeze"), _thawed("target")),
    "commit lost before": Fault(_line("target", "before"), _line("target", "flow")),
    "commit lost after": Fault(_line("target", "after"), _line("target", "flow")),
    "portal cut": Fault(_line("portal", "cut"), _line("portal", "flow")),
    "portal frozen": Fault(_line("portal", "freeze"), _thawed("portal")),
    "disk full": Fault(lambda world: world.limit_files(SMALL_FILE), lambda world: world.limit_files(-1)),
    "broker restarted": Fault(lambda world: world.restart_broker()),
    "database restarted": Fault(lambda world: world.restart_portal(signal.SIGINT)),
    "database crashed": Fault(lambda world: world.restart_portal(signal.SIGQUIT)),
    "scratch restarted": Fault(lambda world: world.restart_scratch(signal.SIGINT)),
}  # fmt: skip
# Others share the services of a test run; only a soak of its own may take them away.
ALONE = {"broker restarted", "database restarted", "database crashed", "scratch restarted"}


@dataclass
class Planned:
    """A fault that strikes so many seconds after a step was first seen at work (or done), and is cleared later."""

    name: str
    step: str
    delay: float
    lasts: float
    due: float = 0.0
    struck: float = 0.0
    cleared: bool = False


@dataclass
class Ended:
    """How one run of the soak ended."""

    state: str
    seconds: float
    struck: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    again: int = 0
    found: list[str] = field(default_factory=list)


def planned(dice: random.Random, *, alone: bool) -> list[Planned]:
    """Throw the dice: one to three faults, each some time after some step began."""
    names = sorted(name for name in FAULTS if alone or name not in ALONE)
    faults = []
    for _ in range(dice.choice((1, 1, 2, 2, 3))):
        name = dice.choice(names)
        step = "apply" if name.startswith("commit") else dice.choice(NAMES)
        delay = 0.0 if name.startswith("commit") else dice.uniform(0, 0.6)
        faults.append(Planned(name, step, delay, dice.choice((0.1, 0.5, 2 * LEASE_SECONDS))))
    return faults


def lived_through(
    world: World, people: dict[str, Any], execution: Execution, was: Before, faults: list[Planned]
) -> Ended:
    """Work on the run while the faults strike; act as a person would until it has succeeded, and compare everything."""
    begun, ended = time.monotonic(), Ended("", 0.0)
    request = execution.request_id
    while time.monotonic() - begun < SILENT_SECONDS:
        _strike(world, execution, faults, ended)
        patiently(world.tend)
        ended.state = patiently(lambda: Request.objects.values_list("state", flat=True).get(pk=request)) or ended.state
        if ended.state in WAITING_FOR_PERSON:
            _clear(world, faults)
            found = contradictions(request, world.nzila, was)
            ended.found += [f"({ended.state}) {each}" for each in found]
            if ended.state == "succeeded" or found or sum(ended.acts.values()) == ACTS:
                break
            patiently(lambda: _act(people, request, ended))
        time.sleep(0.05)
    else:
        ended.found.append(f"After {SILENT_SECONDS} seconds it is still {ended.state}: {_standing(request)}")
    ended.seconds = time.monotonic() - begun
    _clear(world, faults)
    world.dismiss()
    tasks.sweep_scratch()
    ended.found += contradictions(request, world.nzila, was, settled=True)
    started = Fact.objects.filter(action="step.started", subject=f"request:{request}").count()
    ended.again = started - StepRun.objects.filter(execution__request=request).exclude(started_at=None).count()
    if ended.state != "succeeded":
        ended.found.append(
            f"It did not succeed although every fault is over; it is {ended.state}: {_standing(request)}"
        )
    return ended


def _strike(world: World, execution: Execution, faults: list[Planned], ended: Ended) -> None:
    now = time.monotonic()
    for fault in faults:
        if not fault.due and patiently(lambda fault=fault: _begun(execution, fault.step)):
            fault.due = now + fault.delay
        if fault.due and not fault.struck and now >= fault.due:
            FAULTS[fault.name].strike(world)
            fault.struck = time.monotonic()
            ended.struck[fault.name] += 1
        if fault.struck and not fault.cleared and now >= fault.struck + fault.lasts:
            FAULTS[fault.name].clear(world)
            fault.cleared = True


def _clear(world: World, faults: list[Planned]) -> None:
    """Take every fault away, also those that have not struck yet: the run came to an end before their moment."""
    for fault in faults:
        if fault.struck and not fault.cleared:
            FAULTS[fault.name].clear(world)
        fault.cleared, fault.struck, fault.due = True, fault.struck or -1.0, fault.due or -1.0


def _begun(execution: Execution, name: str) -> bool:
    return StepRun.objects.filter(execution=execution, name=name, attempt__gt=0).exists()


def _act(people: dict[str, Any], request: int, ended: Ended) -> None:
    """Do what the page offers: let the portal look again, or start again as signed."""
    if ended.state == "needs_attention":
        running.resume(people["engineer"], request)
    else:
        running.start(people["engineer"], request)
    ended.acts[ended.state] += 1


def _standing(request: int) -> str:
    runs = StepRun.objects.filter(execution__request=request).order_by("execution_id", "position")
    told = [f"{run.name} {run.state} (attempt {run.attempt}) {run.sentence}" for run in runs if run.state != "done"]
    return f"{told}; claimable: {engine.claimable()}"
