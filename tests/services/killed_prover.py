"""A worker process that works on one proof run and kills itself at a named point: killed_prover.py RUN claim|replay."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import django

django.setup()

from rollbacks import proof_runs  # noqa: E402
from rollbacks.steps import proving  # noqa: E402


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    run, point = sys.argv[1:]
    if point == "claim":
        proof_runs._prove = die  # type: ignore[assignment]
    elif point == "replay":
        # Both states are built and a scratch database exists; the reverse SQL was not run yet.
        proving._try = die  # type: ignore[assignment]
    proof_runs.work(int(run), worker=f"process {os.getpid()}", environ=os.environ)


main()
