"""Streams of bytes that are read once: what gives them, what takes them, and the sums that are made on the way."""

from __future__ import annotations

import hashlib
from typing import Protocol

CHUNK = 1024 * 1024


class Source(Protocol):
    """Gives bytes until there are none."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, none at the end; raises OSError."""


class Sink(Protocol):
    """Takes bytes."""

    def write(self, chunk: bytes, /) -> int:
        """Take all of the bytes; raises OSError."""


class Summed:
    """Bytes on their way through: how many there were, and their SHA-256."""

    def __init__(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        """Count and sum the next bytes."""
        self.size += len(chunk)
        self._sha256.update(chunk)

    @property
    def sha256(self) -> str:
        """The lower-case hexadecimal SHA-256 of what went through so far."""
        return self._sha256.hexdigest()


class SummedSource(Summed):
    """A source that sums what is read from it."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes of the source."""
        chunk = self._source.read(size)
        self.add(chunk)
        return chunk


class SummedSink(Summed):
    """A sink that sums what it is given."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink

    def write(self, chunk: bytes, /) -> int:
        """Hand the bytes on."""
        self.add(chunk)
        return self._sink.write(chunk)


class Nowhere:
    """A sink for whoever only wants the sums."""

    def write(self, chunk: bytes, /) -> int:
        """Forget the bytes."""
        return len(chunk)


def copy(source: Source, sink: Sink) -> None:
    """Read the source to its end into the sink; raises OSError."""
    while chunk := source.read(CHUNK):
        sink.write(chunk)
