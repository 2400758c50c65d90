"""A worker process that advances one execution and kills itself at a point of the lane.

Usage: killed_lane_worker.py EXECUTION POINT NUMBER
  begun N   after the resume point of statement N was kept, before anything of it is sent
  sent N    after the server has answered statement N, before that is written down
  done N    after statement N was written down
  none 0    never: just advance until nothing is left to do
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import django

django.setup()

from rollbacks import engine  # noqa: E402
from rollbacks.services import resume_points  # noqa: E402
from rollbacks.steps import lane  # noqa: E402


def main() -> None:
    execution, point, number = sys.argv[1:]
    keep, send = resume_points.keep_point, lane._send

    def kept(found: Any, step: int, attempt: int, line: int, state: str, evidence: dict[str, Any]) -> None:
        keep(found, step, attempt, line, state, evidence)
        if state == point and line == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    def sent(connection: Any, ctx: Any, line: Any, begun: Any) -> int:
        tries = send(connection, ctx, line, begun)
        if point == "sent" and line.number == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        return tries

    engine.keep_point, lane._send = kept, sent
    while engine.advance(int(execution), worker=f"killed:{os.getpid()}", environ=os.environ):
        pass


if __name__ == "__main__":
    main()
