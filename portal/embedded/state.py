"""Where the embedded services keep their files, and the errors they end in: one sentence each."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
NEEDED_BYTES = 400 * 1024 * 1024


class EmbeddedError(Exception):
    """A service could not be started; the message is one sentence with what to do next."""


class State:
    """The folder of one set of services; another folder is another, independent set."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or Path(os.environ.get("PORTAL_STATE") or PROJECT / "var" / "embedded")).absolute()
        self.tag = hashlib.sha256(str(self.root).encode()).hexdigest()[:10]
        # Sockets live in a short path of their own: a socket's path may have 103 bytes at most.
        self.sockets = Path(tempfile.gettempdir()) / f"rollback-{self.tag}"

    def prepare(self) -> None:
        """Make the folders; raise EmbeddedError when that cannot be done or the disk is nearly full."""
        with mapped(f"use the folder {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in ("logs", "backups", "demo"):
                (self.root / folder).mkdir(exist_ok=True)
            (self.root / "backups").chmod(0o700)
        free = shutil.disk_usage(self.root).free
        if free < NEEDED_BYTES and not (self.root / "ready").exists():
            raise EmbeddedError(
                f"The disk with {self.root} has {free // 1_048_576} MiB free and the services need "
                f"{NEEDED_BYTES // 1_048_576} MiB; free some space or set PORTAL_STATE to a folder elsewhere."
            )

    @contextlib.contextmanager
    def held(self, says: str) -> Iterator[Callable[[str], None]]:
        """Hold the folder for one demo at a time; yields a function that notes the address it serves at."""
        self.prepare()
        with mapped(f"lock {self.root / 'lock'}"), (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                where = file.read().strip() or "an address it has not said yet"
                raise EmbeddedError(f"The demo runs already at {where}; stop it with Ctrl-C in its terminal.") from None

            def note(address: str) -> None:
                file.truncate(0)
                file.write(address)
                file.flush()

            note(says)
            yield note


@contextlib.contextmanager
def mapped(doing: str) -> Iterator[None]:
    """Turn what the operating system answers into one sentence about what was being done."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise EmbeddedError(
                f"The disk is full, so the portal cannot {doing}; free some space and start again."
            ) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise EmbeddedError(
                f"The portal may not {doing}; make it writable for you or set PORTAL_STATE to another folder."
            ) from error
        raise EmbeddedError(f"The portal cannot {doing}: {error.strerror or error}.") from error


def die_with_parent(sign: signal.Signals) -> Callable[[], None] | None:
    """Return what a child runs before its program so that it ends with us (Linux); None elsewhere."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda: libc.prctl(1, sign.value, 0, 0, 0)


def command_of(pid: int) -> str:
    """Return the command line of a running process, empty when there is none with this number."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    except OSError:
        return ""
    found = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return found.stdout
