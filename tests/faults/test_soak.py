"""A soak: whole runs with faults at random moments, as many as SOAK_RUNS says: `make soak RUNS=200 SEED=1`.

It restarts and kills the services of its test run, so nothing else may run on them. SOAK_FIRST goes on from a run's number.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import TargetDatabase
from tests.faults.history import before
from tests.faults.runs import begun
from tests.faults.soak import Ended, lived_through, planned
from tests.faults.world import World

pytestmark = pytest.mark.django_db(transaction=True)

RUNS, SEED = int(os.environ.get("SOAK_RUNS", "0")), os.environ.get("SOAK_SEED", "1")
FIRST = int(os.environ.get("SOAK_FIRST", "0"))
TOLD: list[tuple[str, Ended]] = []


@pytest.fixture(scope="module", autouse=True)
def summary() -> Iterator[None]:
    yield
    if TOLD:
        struck: Counter[str] = sum((ended.struck for _, ended in TOLD), Counter())
        acts: Counter[str] = sum((ended.acts for _, ended in TOLD), Counter())
        good = sum(1 for _, ended in TOLD if not ended.found)
        print(
            f"\nSeed {SEED}: {len(TOLD)} runs, {good} without a contradiction. Acts of people: {dict(acts)}; "
            f"steps taken up again: {sum(ended.again for _, ended in TOLD)}."
        )
        print("Struck: " + ", ".join(f"{name} {count}" for name, count in sorted(struck.items())))


@pytest.mark.parametrize("run", range(FIRST, FIRST + RUNS))
def test_whatever_strikes_the_run_ends_once_and_everybody_says_the_same(
    nzila: TargetDatabase, people: dict[str, Any], world: World, run: int
) -> None:
    faults = planned(random.Random(f"{SEED}:{run}"), alone=True)
    was = before(nzila)
    ended = lived_through(world, people, begun(people, nzila), was, faults)
    plan = "; ".join(f"{each.name} {each.delay:.2f} s into {each.step} for {each.lasts} s" for each in faults)
    told = f"run {run} of seed {SEED}: {plan} → {ended.state} in {ended.seconds:.1f} s, acts {dict(ended.acts)}, steps taken up again {ended.again}"
    TOLD.append((told, ended))
    print(f"\n{told} {'; '.join(ended.found)}", flush=True)
    log = world.log.read_text(errors="replace") if world.log.exists() else ""
    assert ended.found == [], (told, log[-6000:])
