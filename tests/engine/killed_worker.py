"""A worker process that advances one execution and kills or stops itself at a named point.

Usage: killed_worker.py EXECUTION POINT [POINT ARGUMENT]
  claim          after the claim, before the step looks at anything
  effect NAME    after the step NAME has had its effect, before it is written down
  statement K    before statement K of the apply transaction
  pause K        stops (SIGSTOP) before statement K of the apply transaction, until somebody lets it go on
  none           never: just advance until nothing is left to do
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import django

django.setup()

from rollbacks import engine, settling  # noqa: E402
from rollbacks.steps import apply  # noqa: E402


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def pause() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def main() -> None:
    execution, point, *argument = sys.argv[1:]
    if point == "claim":
        engine._run = die  # type: ignore[assignment]
    elif point == "effect":
        settle = settling.settle
        settling.settle = lambda claim, *rest: die() if claim.name == argument[0] else settle(claim, *rest)  # type: ignore
    elif point in {"statement", "pause"}:
        reach = die if point == "statement" else pause
        run = apply.run_statements

        def run_until(connection: Any, text: str, *, heartbeat: Any, **rest: Any) -> Any:
            def beat(progress: dict[str, Any]) -> None:
                if progress.get("statement") == int(argument[0]):
                    reach()
                heartbeat(progress)

            return run(connection, text, heartbeat=beat, **rest)

        apply.run_statements = run_until
    while engine.advance(int(execution), worker=f"killed:{os.getpid()}", environ=os.environ):
        pass


if __name__ == "__main__":
    main()
