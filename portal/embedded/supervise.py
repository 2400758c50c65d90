"""Running the demo's processes side by side until one ends or the person presses Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import TextIO

from portal.embedded.state import EmbeddedError, die_with_parent

COLOURS = (36, 33, 35, 32)
STOP_SECONDS = 15


class Supervisor:
    """Starts named commands with prefixed output, each in a session of its own that ends with this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self.children: dict[str, subprocess.Popen[str]] = {}
        self.stopping = threading.Event()

    def start(
        self, name: str, command: Sequence[str], *, quiet: bool = False, extra: Mapping[str, str] | None = None
    ) -> None:
        """Start a command; its lines appear behind its name, on stderr when our output is for a program (`quiet`)."""
        child = subprocess.Popen(
            list(command), env={**self.environ, **(extra or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )  # fmt: skip
        colour = COLOURS[len(self.children) % len(COLOURS)]
        self.children[name] = child
        threading.Thread(
            target=_pass_on, args=(name, colour, child, sys.stderr if quiet else sys.stdout), daemon=True
        ).start()

    def wait_ready(self, url: str, *, seconds: float = 60) -> None:
        """Return once the address answers 200; raise EmbeddedError when a child ends first or time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.stopping.is_set():
            self._refuse_dead()
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310  (our own loopback address)
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        if not self.stopping.is_set():
            raise EmbeddedError(f"{url} did not answer within {seconds:.0f} s; the lines above say why.")

    def run(self) -> None:
        """Wait for Ctrl-C or a TERM or HUP signal; raise EmbeddedError when a child ends by itself."""
        while not self.stopping.wait(0.2):
            self._refuse_dead()

    def listen_for_signals(self) -> None:
        """Let Ctrl-C, TERM and HUP end `run` in order instead of tearing everything down at once."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, lambda *_: self.stopping.set())

    def stop(self) -> None:
        """Ask every child to end, first started first, and kill what has not ended in time."""
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        self.children.clear()

    def _refuse_dead(self) -> None:
        for name, child in self.children.items():
            if child.poll() is not None:
                raise EmbeddedError(
                    f"The process {name} ended by itself (exit {child.returncode}); its last lines are above."
                )


def free_port(wanted: int, *, tries: int = 20) -> int:
    """Return the first free loopback port from `wanted` on, saying aloud which were taken."""
    for port in range(wanted, wanted + tries):
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                line.bind(("127.0.0.1", port))
            except OSError:
                print(f"Port {port} is taken, trying {port + 1}.", file=sys.stderr, flush=True)
            else:
                return port
    raise EmbeddedError(f"The ports {wanted} to {wanted + tries - 1} are all taken; give a free one with --port.")


def _pass_on(name: str, colour: int, child: subprocess.Popen[str], out: TextIO) -> None:
    start, end = (f"\033[{colour}m", "\033[0m") if out.isatty() else ("", "")
    for line in child.stdout or ():
        print(f"{start}{name:>7} |{end} {line}", end="", file=out, flush=True)
