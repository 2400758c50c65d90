"""Backups in a directory: written beside their place, synced, renamed, with a manifest that is written last.

A crash leaves either nothing, a `.partial`, or a dump without a manifest; none of these is ever taken for
a backup, and the same execution removes them when it tries again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rollbacks.adapters.pg_tools import DumpResult

VARIABLE = "BACKUP_DIR"
# A custom-format dump is smaller than its database; the margin is for indexes that are not and for growth.
SPACE_FACTOR_PERCENT = 130
CHUNK = 4 * 1024 * 1024


class StoreRefused(Exception):
    """The backup could not be stored, or is not what was stored; the sentence says why."""


@dataclass(frozen=True)
class Manifest:
    """What is known of a stored backup; `extra` holds the counts and facts taken in the dump's snapshot."""

    token: str
    name: str
    sha256: str
    size: int
    milliseconds: int
    tool_version: str
    taken_at: str
    extra: dict[str, Any]


class DirectoryStore:
    """A directory of backups that only this worker's user can read."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> DirectoryStore:
        """Return the store of the environment; raises StoreRefused when there is none or it cannot be written."""
        given = environ.get(VARIABLE, "")
        if not given:
            raise StoreRefused(f"{VARIABLE} is not set; set it to a directory that only the worker can read.")
        root = Path(given)
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreRefused(
                f"The backup directory cannot be made ({error.strerror}); correct {VARIABLE}."
            ) from error
        if not os.access(root, os.W_OK | os.X_OK):
            raise StoreRefused(f"The worker may not write to the backup directory; correct {VARIABLE}.")
        return cls(root)

    def refuse_without_space(self, database_bytes: int) -> None:
        """Raise StoreRefused when the disk cannot hold a dump of a database of this size."""
        free = shutil.disk_usage(self.root).free
        needed = database_bytes * SPACE_FACTOR_PERCENT // 100
        if free < needed:
            raise StoreRefused(
                f"The backup directory has {free // 1_048_576} MiB free and the backup may need "
                f"{needed // 1_048_576} MiB; free some space or set {VARIABLE} to another disk."
            )

    def find(self, token: str) -> Manifest | None:
        """Return the completed backup of this token, or None."""
        path = self._manifest_path(token)
        try:
            return Manifest(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise StoreRefused("The backup's manifest is damaged; start the rollback again.") from error

    def path(self, manifest: Manifest) -> Path:
        """Return where the dump is."""
        return self.root / manifest.name

    def verify(self, manifest: Manifest) -> None:
        """Read the whole dump and compare size and SHA-256; raises StoreRefused when it is not what was stored."""
        digest, size = hashlib.sha256(), 0
        try:
            with self.path(manifest).open("rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except OSError as error:
            raise StoreRefused(f"The backup {manifest.name} cannot be read ({error.strerror}); start again.") from error
        if (size, digest.hexdigest()) != (manifest.size, manifest.sha256):
            raise StoreRefused(f"The backup {manifest.name} is not what was stored: its checksum differs; start again.")

    @contextmanager
    def writing(self, token: str, *, now: datetime) -> Iterator[Writer]:
        """Yield a writer for a new backup; whatever is not completed is removed at the end."""
        self._remove_leftovers(token)
        writer = Writer(self, token, now)
        try:
            yield writer
        except OSError as error:
            raise _refusal(error) from error
        finally:
            writer.close()

    def _manifest_path(self, token: str) -> Path:
        return self.root / f"{token}.manifest.json"

    def _remove_leftovers(self, token: str) -> None:
        for leftover in self.root.glob(f"*.{token}.partial"):
            leftover.unlink(missing_ok=True)


class Writer:
    """Takes a dump's bytes; `complete` makes them a backup."""

    def __init__(self, store: DirectoryStore, token: str, now: datetime) -> None:
        self._store, self._token, self._now = store, token, now
        self._partial = store.root / f"{now.astimezone(UTC):%Y%m%d-%H%M%S}.{token}.partial"
        self._file = os.fdopen(os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; raises OSError when the disk is full."""
        self._file.write(chunk)

    def complete(self, result: DumpResult, *, extra: dict[str, Any]) -> Manifest:
        """Sync the dump, give it its name without replacing another, then write the manifest."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        name = self._name_it()
        manifest = Manifest(
            token=self._token, name=name, sha256=result.sha256, size=result.size, milliseconds=result.milliseconds,
            tool_version=result.tool_version, taken_at=self._now.astimezone(UTC).isoformat(), extra=extra,
        )  # fmt: skip
        self._keep(manifest)
        return manifest

    def close(self) -> None:
        """Remove what was not completed."""
        # The buffered rest may not fit either; what matters is that the partial file goes.
        with contextlib.suppress(OSError):
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def _name_it(self) -> str:
        """`backup-YYYYMMDD-HHMMSS.dump` as the runbook names it; a number is added when that second is taken."""
        stem = f"backup-{self._now.astimezone(UTC):%Y%m%d-%H%M%S}"
        for number in range(1, 100):
            name = f"{stem}.dump" if number == 1 else f"{stem}-{number}.dump"
            try:
                os.link(self._partial, self._store.root / name)
            except FileExistsError:
                continue
            self._partial.unlink()
            _sync_folder(self._store.root)
            return name
        raise StoreRefused("A hundred backups were taken in this second; start again.")

    def _keep(self, manifest: Manifest) -> None:
        path = self._store._manifest_path(self._token)
        partial = path.with_suffix(".partial")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(manifest), file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(self._store.root)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refusal(error: OSError) -> StoreRefused:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StoreRefused(
            f"The disk with the backups is full; free some space or set {VARIABLE} to another disk, then start again."
        )
    return StoreRefused(f"The backup could not be written ({error.strerror}); correct {VARIABLE}, then start again.")
