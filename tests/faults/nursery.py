"""A process that has the portal loaded and forks Celery workers from itself: real workers, without the second of loading.

Usage: nursery.py. Each line on its standard input is {"environ": {…}, "log": path, "point": […]}; it answers with the pid
of the worker, which leads a process group of its own. At the end of its input it kills them all.

`point` makes the worker's child stop itself (SIGSTOP) once, where a fault has to strike, and say so in the file that is
named by PAUSED: ["claim"], ["enter", STEP], ["beat", STEP], ["statement", K], ["commit"], ["effect", STEP], ["notice"].
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import django

django.setup()

from notices import sending  # noqa: E402
from notices import tasks as notices  # noqa: E402
from portal.celery import app  # noqa: E402
from rollbacks import engine, settling  # noqa: E402
from rollbacks.steps import apply, apply_by_command  # noqa: E402

# What a run waits for an earlier attempt's session; twenty seconds would be most of a soak.
apply.LOCK_WAIT_SECONDS = apply_by_command.WAIT_SECONDS = 2
# A sender's turn is over a second after it died, and not after fifty.
notices.SENDING_SECONDS, notices.LONGEST_ATTEMPT = 1, 1


def stop_here() -> None:
    """Stop once, and only once, whatever number of workers comes by."""
    paused = Path(os.environ["PAUSED"])
    with suppress(FileExistsError):
        paused.touch(exist_ok=False)
        paused.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGSTOP)


def stop_before(function: Callable[..., Any], when: Callable[..., bool] = lambda *_, **__: True) -> Callable[..., Any]:
    def wrapped(*given: Any, **named: Any) -> Any:
        if when(*given, **named):
            stop_here()
        return function(*given, **named)

    return wrapped


def stop_at(point: str, *argument: str) -> None:
    if point == "claim":
        engine._run = stop_before(engine._run)
    elif point == "enter":
        step = engine.BY_NAME[argument[0]]
        engine.BY_NAME[argument[0]] = dataclasses.replace(step, perform=stop_before(step.perform))
    elif point == "beat":
        engine.renew = stop_before(engine.renew, lambda claim, told: bool(told) and claim.name == argument[0])
    elif point in {"statement", "commit"}:
        wanted = {"commit": True} if point == "commit" else {"statement": int(argument[0])}
        engine.renew = stop_before(
            engine.renew, lambda claim, told: claim.name == "apply" and (told or {}).items() >= wanted.items()
        )
    elif point == "effect":
        settling.settle = stop_before(settling.settle, lambda claim, *_: claim.name == argument[0])
    elif point == "notice":
        sending.settle_sent = stop_before(sending.settle_sent)


def become_worker(order: dict[str, Any]) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(order["environ"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for theirs, ours in ((null, 0), (log, 1), (log, 2)):
        os.dup2(theirs, ours)
    if order["point"]:
        stop_at(*order["point"])
    app.worker_main(["worker", "-P", "prefork", "-c", "1", "-l", "info", "-n", f"w{os.getpid()}@soak",
                     "--without-mingle", "--without-gossip", "--without-heartbeat"])  # fmt: skip


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    born: list[int] = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                become_worker(json.loads(line))
            finally:
                os._exit(0)
        born.append(pid)
        print(pid, flush=True)
    for pid in born:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
