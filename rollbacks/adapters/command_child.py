"""The child that runs one of the project's commands and ends everything that it started, whatever happens to us.

It is no part of the portal's imports: `python -I command_child.py`, one line of JSON on standard input. Standard output
is the command's; standard error is the answer. When standard input closes, the worker is gone or has had enough.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
POLL_SECONDS = 0.05


def run(given: dict[str, Any]) -> dict[str, Any]:
    """Return how the command ended: its exit code, whether it was late, and why it could not be started."""
    # What leaves its session and its parent is handed to us instead of init, so that it can be found and ended.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        child = subprocess.Popen(
            given["arguments"], cwd=given["folder"], env=given["environment"], stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT, start_new_session=True,
            # Should somebody kill us, the command goes as well.
            preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
        )  # fmt: skip
    except OSError as error:
        return {"code": None, "late": False, "why": f"could not be started ({error.strerror or type(error).__name__})"}
    end, late, left = time.monotonic() + given["seconds"], False, False
    while child.poll() is None and not (late or left):
        left = bool(select.select([0], [], [], POLL_SECONDS)[0])
        late = time.monotonic() >= end
    code = child.poll()
    _end_all(child.pid)
    return {"code": code, "late": late and code is None, "why": ""}


def _end_all(group: int) -> None:
    """Kill the command's process group, then whatever was handed to us, until nothing is left."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    while True:
        for pid in _children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    found: list[int] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return found


if __name__ == "__main__":
    answer = run(json.loads(sys.stdin.buffer.readline()))
    os.write(2, json.dumps(answer).encode())
