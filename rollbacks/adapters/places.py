"""Where backups are kept: one shape for a directory and for object stores, whose files are written once and never replaced."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from rollbacks.adapters.streams import Source

PARTIAL = ".partial"
TAKEN = 100


@dataclass(frozen=True)
class Entry:
    """One file of a place, with its size in bytes."""

    name: str
    size: int


class Draft(Protocol):
    """A file on its way into a place; it is not there before `keep`."""

    def write(self, chunk: bytes, /) -> int:
        """Take the next bytes; raises OSError."""

    def keep(self) -> str:
        """Make what was written durable under a name that nothing had, and return the name; raises OSError."""


class Place(Protocol):
    """A directory or a bucket. What goes wrong is an OSError whose text may be shown to people."""

    # How people find it; never a secret.
    where: str
    # What to set where it cannot be used.
    variable: str

    def free_bytes(self) -> int | None:
        """Return how much can still be written, None where nobody can tell."""

    def writing(self, token: str, stem: str, ending: str) -> AbstractContextManager[Draft]:
        """Yield a draft whose name will begin and end so; what was not kept is gone afterwards."""

    def reading(self, name: str) -> AbstractContextManager[Source]:
        """Open a file; raises FileNotFoundError."""

    def put(self, name: str, content: bytes, *, replace: bool = False) -> None:
        """Write a small file at once; raises FileExistsError when it may not replace the one that is there."""

    def get(self, name: str) -> bytes:
        """Return a small file; raises FileNotFoundError."""

    def entries(self) -> Iterator[Entry]:
        """Return every file, whether it is whole or not."""

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens when it is not there."""


class Directory:
    """A directory that only this worker's user can read. A crash leaves nothing, or a `.partial`."""

    def __init__(self, root: Path, *, variable: str) -> None:
        self.root, self.variable = root, variable
        self.where = str(root)

    def free_bytes(self) -> int | None:
        """Return the free bytes of the disk."""
        return shutil.disk_usage(self.root).free

    @contextmanager
    def writing(self, token: str, stem: str, ending: str) -> Iterator[Draft]:
        """Yield a draft beside its place, and remove first what an earlier attempt of the same token left."""
        for leftover in self.root.glob(f"*.{token}{PARTIAL}"):
            leftover.unlink(missing_ok=True)
        path = self.root / f"{stem}.{token}{PARTIAL}"
        draft = _FileDraft(
            path, stem, ending, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        )
        try:
            yield draft
        finally:
            draft.close()

    @contextmanager
    def reading(self, name: str) -> Iterator[Source]:
        """Open a file."""
        with (self.root / name).open("rb") as file:
            yield file

    def put(self, name: str, content: bytes, *, replace: bool = False) -> None:
        """Write beside the place, sync, and give it its name in one step."""
        path, partial = self.root / name, self.root / f"{name}.{os.getpid()}{PARTIAL}"
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                partial.replace(path)
            else:
                os.link(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        _sync(self.root)

    def get(self, name: str) -> bytes:
        """Return a small file."""
        return (self.root / name).read_bytes()

    def entries(self) -> Iterator[Entry]:
        """Return every file of the directory."""
        with os.scandir(self.root) as found:
            for each in found:
                # One that goes while we look is simply not there.
                with contextlib.suppress(FileNotFoundError):
                    if each.is_file(follow_symlinks=False):
                        yield Entry(each.name, each.stat().st_size)

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.root / name).unlink(missing_ok=True)
        _sync(self.root)


class _FileDraft:
    def __init__(self, path: Path, stem: str, ending: str, file: BinaryIO) -> None:
        self._path, self._stem, self._ending, self._file = path, stem, ending, file

    def write(self, chunk: bytes, /) -> int:
        return self._file.write(chunk)

    def keep(self) -> str:
        """Sync and link: `backup-YYYYMMDD-HHMMSS.dump` as the runbook names it, with a number when that is taken."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        for number in range(1, TAKEN):
            name = f"{self._stem}{self._ending}" if number == 1 else f"{self._stem}-{number}{self._ending}"
            try:
                os.link(self._path, self._path.with_name(name))
            except FileExistsError:
                continue
            self._path.unlink()
            _sync(self._path.parent)
            return name
        raise FileExistsError(f"{TAKEN} backups were taken in this second")

    def close(self) -> None:
        # The buffered rest may not fit either; what matters is that the partial file goes.
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
