"""One new PostgreSQL server in a folder of its own: copied from a base backup, recovered to a moment, and promoted."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from recoveries.ports import ProviderInterrupted, ProviderRefused, Told
from rollbacks.ports import Evidence

FOLDER_MODE = 0o700
SOCKET, LONGEST_SOCKET = "/.s.PGSQL.5432", 103
POLL_SECONDS = 0.1
DOING = "Replaying the archived WAL"
TOLD_SECONDS = 1.0
STATE = (
    "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_last_xact_replay_timestamp(), "
    "       (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()), "
    "       (SELECT system_identifier::text FROM pg_catalog.pg_control_system())"
)


class RecoveringServer:
    """`data`, `socket` and `log` in one folder. Only the folder's owner can connect; nothing listens on a port."""

    def __init__(self, folder: Path, binaries: Path, user: Mapping[str, Any], sign_in: Mapping[str, str]) -> None:
        self.data, self.socket, self.log = folder / "data", folder / "socket", folder / "log"
        self._half, self._bin, self._user, self._sign_in = folder / "data.partial", binaries, user, dict(sign_in)
        self._child: subprocess.Popen[bytes] | None = None

    def is_made(self) -> bool:
        """Tell whether the copy is complete: it gets its name last."""
        return self.data.is_dir()

    def running(self) -> bool:
        """Tell whether the server is there, also while it cannot be connected to yet."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return False
        # A pid of before a restart of the machine may be somebody else's by now.
        with suppress(OSError):
            return str(self.data) in Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(
                errors="replace"
            )
        return True

    def recovered(self) -> bool:
        """Tell whether the recovery has ended and the server takes writes."""
        try:
            return self._ask()[0] is False
        except psycopg.Error:
            return False

    def copy_from(self, base: Path, *, point: datetime, archive: Path, told: Told) -> None:
        """Copy the base backup and write what recovers it; it gets its name when it is complete."""
        shutil.rmtree(self._half, ignore_errors=True)
        copied, shown = 0, 0.0
        for folder, _folders, files in os.walk(base):
            beside = self._half / Path(folder).relative_to(base)
            beside.mkdir(mode=FOLDER_MODE, exist_ok=True)
            for name in files:
                shutil.copyfile(Path(folder) / name, beside / name)
                copied += (beside / name).stat().st_size
                if time.monotonic() - shown > TOLD_SECONDS:
                    told({"bytes": copied})
                    shown = time.monotonic()
        self._write_settings(point, archive)
        self._own(self._half)
        # Two workers copying at once is what the lease is for; whoever lost it stops here.
        told({"bytes": copied})
        self._half.rename(self.data)

    def start(self) -> None:
        """Start the server unless it runs; it outlives the worker, so that a killed one does not end the recovery."""
        if self.running():
            return
        if len(str(self.socket)) + len(SOCKET) > LONGEST_SOCKET:
            raise ProviderRefused(
                f"The path {self.socket} is too long for a socket; set RECOVERY_SERVERS to a shorter one."
            )
        self.socket.mkdir(mode=FOLDER_MODE, exist_ok=True)
        self._own(self.socket)
        with self.log.open("ab") as sink:
            self._child = subprocess.Popen(
                # The settings of a packaged server name its data folder, which would be production's.
                [str(self._bin / "postgres"), "-D", str(self.data), "-c", f"data_directory={self.data}"],
                cwd="/", env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True, **self._user,
            )  # fmt: skip

    def wait_recovered(self, told: Told) -> None:
        """Wait until the recovery has ended; raises ProviderRefused with what the server said when it gave up."""
        shown = time.monotonic()
        while not self.recovered():
            if not self.running() and (self._child is None or self._child.poll() is not None):
                raise ProviderRefused(self._why())
            if time.monotonic() - shown > TOLD_SECONDS:
                told({"doing": DOING})
                shown = time.monotonic()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server at once; nothing happens when it does not run."""
        if self.running():
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 30
            while self.running() and time.monotonic() < deadline:
                time.sleep(0.05)

    def shown(self) -> Evidence:
        """Return the recovered server's identifier, its new timeline, and the last commit that was replayed."""
        try:
            _recovering, last, timeline, identifier = self._ask()
        except psycopg.Error as error:
            raise ProviderInterrupted("The new server ended before it could be asked what it is.") from error
        replayed = None if last is None else last.astimezone(UTC).isoformat()
        return {"timeline": timeline, "system_identifier": identifier, "last_commit_replayed": replayed}

    def _ask(self) -> tuple[Any, ...]:
        with psycopg.connect(make_conninfo(host=str(self.socket), connect_timeout=5, **self._sign_in)) as line:
            row = line.execute(STATE).fetchone()
        return row or (True, None, 0, "")

    def _why(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        telling = [line for line in lines if "FATAL" in line or "PANIC" in line] or lines[-1:] or ["it said nothing"]
        said = telling[-1].split("FATAL:")[-1].split("PANIC:")[-1].strip()
        if "recovery ended before configured recovery target" in said:
            return (
                "The archive ends before the chosen moment: no later commit is in it. Run SELECT pg_switch_wal() on the "
                "old server, or choose an earlier moment."
            )
        return f"The new server gave up its recovery: {said}. Its log is in its folder on the worker."

    def _write_settings(self, point: datetime, archive: Path) -> None:
        """Recover to just before the point, reach nobody and be reached by nobody, and leave the old archive alone."""
        fetch = f"cp {shlex.quote(str(archive))}/%f %p"
        settings = {
            # First the other targets, which a copied setting may have: the server refuses a second one.
            **dict.fromkeys(("recovery_target", "recovery_target_name", "recovery_target_lsn", "recovery_target_xid"), ""),
            "restore_command": fetch,
            "recovery_target_time": point.astimezone(UTC).isoformat(sep=" "),
            "recovery_target_inclusive": "off",
            "recovery_target_action": "promote",
            "recovery_target_timeline": "latest",
            # A new server that went on archiving would write into production's archive.
            "archive_mode": "off", "archive_command": "", "archive_cleanup_command": "", "recovery_end_command": "",
            "primary_conninfo": "", "primary_slot_name": "", "synchronous_standby_names": "",
            "listen_addresses": "", "port": "5432", "unix_socket_directories": str(self.socket), "ssl": "off",
            "hba_file": str(self.data / "recovery_hba.conf"), "ident_file": str(self.data / "recovery_ident.conf"),
            # Nobody reads it before it is promoted, and so it need not be as large as production.
            "hot_standby": "off",
            "external_pid_file": "", "logging_collector": "off", "log_destination": "stderr",
        }  # fmt: skip
        half = self._half
        # The socket's folder is its owner's alone; that is the boundary.
        (half / "recovery_hba.conf").write_text("local all all trust\n")
        (half / "recovery_ident.conf").write_text("")
        (half / "recovery.signal").write_text("")
        (half / "standby.signal").unlink(missing_ok=True)
        # A packaged server keeps its settings elsewhere, and then the base backup has none.
        (half / "postgresql.conf").touch()
        with (half / "postgresql.auto.conf").open("a") as file:
            file.writelines("\n{} = '{}'".format(name, value.replace("'", "''")) for name, value in settings.items())
            file.write("\n")

    def _own(self, folder: Path) -> None:
        folder.chmod(FOLDER_MODE)
        if not self._user:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self._user["user"], self._user["group"])
