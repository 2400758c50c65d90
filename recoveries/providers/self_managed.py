"""A server of one's own: a base backup is copied, and the archived WAL is replayed up to the moment before.

The worker's environment says where things are, for the target `nzila`: NZILA_BASE_BACKUPS (one folder for each plain
pg_basebackup), NZILA_WAL_ARCHIVE (what archive_command wrote), RECOVERY_SERVERS (where new servers may be made) and
PG_BINDIR. A new server listens on a socket in its own folder only, until a person opens it for the cutover.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recoveries.ports import NewServer, Order, ProviderInterrupted, ProviderRefused, Restorable, Told
from recoveries.providers.recovering_server import RecoveringServer
from rollbacks.adapters import target as targets
from rollbacks.adapters.target import Credentials
from rollbacks.ports import Evidence, TargetSettings

SERVERS, SERVER_USER = "RECOVERY_SERVERS", "RECOVERY_SERVER_USER"
MARK = "recovery.json"
SEGMENT = re.compile(r"[0-9A-F]{24}")
STOPPED = re.compile(r"^STOP TIME: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (UTC|GMT|Etc/UTC)$", re.MULTILINE)
LABEL = re.compile(r"^LABEL: (.*)$", re.MULTILINE)
BEGAN = re.compile(r"^START WAL LOCATION: (\S+) \(file ([0-9A-F]{24})\)$", re.MULTILINE)
VERIFY_SECONDS = 6 * 3600
SPACE_PERCENT = 120


@dataclass(frozen=True)
class BaseBackup:
    """A base backup in a folder, consistent from `usable_from` on."""

    folder: Path
    usable_from: datetime


class SelfManaged:
    """Base backups and a WAL archive that this worker can read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def restorable(self, target: TargetSettings) -> Restorable:
        """Return the moments from the end of the oldest usable base backup to the newest archived segment."""
        archive = self._folder(target, "WAL_ARCHIVE")
        backups = self._backups(target)
        if not backups:
            raise ProviderRefused(
                f"{targets.variable_of(target.name, 'BASE_BACKUPS')} holds no base backup that is complete and in the WAL archive; take "
                "one with pg_basebackup."
            )
        newest = max((path.stat().st_mtime for path in _segments(archive)), default=0.0)
        note = f"{len(backups)} base backups; what is not archived yet cannot be replayed."
        return Restorable(backups[0].usable_from, datetime.fromtimestamp(newest, UTC), note)

    def place(self) -> Credentials | None:
        """Return None: nothing that exists takes part."""
        return None

    def find(self, order: Order) -> NewServer | None:
        """Return the server when it is this order's, answers, and has ended its recovery."""
        server = self._server(order)
        if not self._is_ours(order) or not server.is_made() or not server.running():
            return None
        return self._found(order, server) if server.recovered() else None

    def refuse_taken(self, order: Order) -> None:
        """Raise ProviderRefused when the folder of that name is there and does not carry this order's token."""
        folder = self._place(order)
        if folder.exists() and not self._is_ours(order):
            raise ProviderRefused(
                f"There is a server named {order.server} on the worker already; choose another name and have it signed."
            )

    def make(self, order: Order, *, known: Evidence, told: Told) -> NewServer:
        """Verify and copy a base backup, replay up to the point, and return the promoted server."""
        if order.point is None:
            raise ProviderRefused("A base backup is restored to a moment, and none was chosen.")
        self.refuse_taken(order)
        server = self._server(order)
        self._claim(order)
        if not server.is_made():
            base = self._base_for(order)
            told({"doing": f"Verifying the base backup {base.folder.name}"})
            self._verify(base)
            self._refuse_without_space(base)
            server.copy_from(
                base.folder, point=order.point, archive=self._folder(order.target, "WAL_ARCHIVE"), told=told
            )
        told({"doing": "Replaying the archived WAL"})
        server.start()
        server.wait_recovered(told)
        return self._found(order, server)

    def credentials(self, order: Order, server: NewServer) -> Credentials:
        """Return the target's own sign-in on the new server's socket, which only the worker's user can reach."""
        place = {"host": str(self._server(order).socket)}
        return Credentials(f"{order.target.name}-recovered", {**place, **self._sign_in(order)})

    def _sign_in(self, order: Order) -> dict[str, str]:
        try:
            own = targets.credentials_of(order.target.name, self._environ).parameters
        except targets.NoCredentials as error:
            raise ProviderRefused(str(error)) from error
        return {"dbname": own["dbname"], "user": own.get("user", "postgres")}

    def _found(self, order: Order, server: RecoveringServer) -> NewServer:
        base = json.loads((self._place(order) / MARK).read_text())
        return NewServer(order.server, str(server.socket), {**server.shown(), "base_backup": base.get("base", "")})

    def _server(self, order: Order) -> RecoveringServer:
        return RecoveringServer(self._place(order), self._binaries(), self._user(), self._sign_in(order))

    def _place(self, order: Order) -> Path:
        given = self._environ.get(SERVERS, "")
        if not given:
            raise ProviderRefused(f"{SERVERS} is not set; set it to a folder in which the worker may make new servers.")
        return Path(given) / order.server

    def _is_ours(self, order: Order) -> bool:
        try:
            return bool(json.loads((self._place(order) / MARK).read_text())["token"] == order.token)
        except (OSError, ValueError, KeyError):
            return False

    def _claim(self, order: Order) -> None:
        """Make the folder with its token in one step, so that whoever comes second sees whose it is."""
        folder = self._place(order)
        if self._is_ours(order):
            return
        half = folder.with_name(f".{folder.name}.{order.token}")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True, mode=0o711)
        base = self._base_for(order).folder.name
        (half / MARK).write_text(json.dumps({"token": order.token, "base": base}))
        try:
            half.rename(folder)
        except OSError as error:
            shutil.rmtree(half, ignore_errors=True)
            raise ProviderRefused(f"There is a server named {order.server} already; choose another name.") from error

    def _base_for(self, order: Order) -> BaseBackup:
        usable = [each for each in self._backups(order.target) if order.point and each.usable_from <= order.point]
        if not usable:
            raise ProviderRefused("No base backup was complete before the chosen moment; choose a later one.")
        return usable[-1]

    def _backups(self, target: TargetSettings) -> list[BaseBackup]:
        """Return the usable base backups, oldest first: with a manifest, and with their end in the WAL archive."""
        root, archive = self._folder(target, "BASE_BACKUPS"), self._folder(target, "WAL_ARCHIVE")
        found = []
        for folder in sorted(root.iterdir()):
            label = folder / "backup_label"
            if not label.is_file() or not (folder / "backup_manifest").is_file():
                continue
            ended = _ended(label.read_text(), archive)
            if ended is not None:
                found.append(BaseBackup(folder, ended))
        return sorted(found, key=lambda each: each.usable_from)

    def _verify(self, base: BaseBackup) -> None:
        """Raise ProviderRefused when a file is missing, changed or too much, or leads outside the backup."""
        for path in base.folder.rglob("*"):
            if path.is_symlink():
                raise ProviderRefused(
                    f"The base backup {base.folder.name} has the link {path.name} (a tablespace?), which would lead "
                    "outside the new server; restore this one by hand."
                )
        done = self._run("pg_verifybackup", "--no-parse-wal", "--quiet", str(base.folder), seconds=VERIFY_SECONDS)
        if done.returncode:
            said = " ".join(done.stderr.split())[:400]
            raise ProviderRefused(f"The base backup {base.folder.name} is damaged: {said}")

    def _refuse_without_space(self, base: BaseBackup) -> None:
        needed = sum(path.stat().st_size for path in base.folder.rglob("*") if path.is_file()) * SPACE_PERCENT // 100
        free = shutil.disk_usage(self._environ[SERVERS]).free
        if free < needed:
            raise ProviderRefused(
                f"The disk of {SERVERS} has {free // 1_048_576} MiB free and the copy needs {needed // 1_048_576} MiB."
            )

    def _folder(self, target: TargetSettings, what: str) -> Path:
        variable = targets.variable_of(target.name, what)
        given = self._environ.get(variable, "")
        if not given or not Path(given).is_dir():
            raise ProviderRefused(
                f"{variable} is not set to a folder that the worker can read; docs/recovery.md says how."
            )
        return Path(given)

    def _binaries(self) -> Path:
        given = self._environ.get("PG_BINDIR", "")
        if not given or not (Path(given) / "postgres").exists():
            raise ProviderRefused("PG_BINDIR does not lead to a PostgreSQL server's programs; set it on the worker.")
        return Path(given)

    def _user(self) -> dict[str, Any]:
        """Return what Popen needs to run the server as another user: PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return {}
        name = self._environ.get(SERVER_USER, "")
        if not name:
            raise ProviderRefused(
                f"PostgreSQL does not run as root; run the worker as another user, or set {SERVER_USER}."
            )
        person = pwd.getpwnam(name)
        return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [str(self._binaries() / program), *arguments], capture_output=True, text=True, timeout=seconds,
                check=False, env={"PATH": self._environ.get("PATH", ""), "LC_ALL": "C"},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ProviderInterrupted(f"{program} did not end as it should ({type(error).__name__}).") from error


def _segments(archive: Path) -> Iterator[Path]:
    return (path for path in archive.iterdir() if SEGMENT.fullmatch(path.name))


def _ended(label: str, archive: Path) -> datetime | None:
    """Return when the backup of this label ended, from the history file that the server archived at its end."""
    began, named = BEGAN.search(label), LABEL.search(label)
    if began is None or named is None:
        return None
    for path in archive.glob(f"{began[2]}.*.backup"):
        text = path.read_text()
        if began[0] not in text or named[0] not in text:
            continue
        stopped = STOPPED.search(text)
        if stopped:
            return datetime.fromisoformat(stopped[1]).replace(tzinfo=UTC)
        # Written in another time zone, whose name cannot be relied on: archived at its end, so not earlier than that.
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return None
