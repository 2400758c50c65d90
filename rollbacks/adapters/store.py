"""Backups in a store: streamed, encrypted where there are recipients, and complete once their manifest is written last.

A crash leaves either nothing, a `.partial`, or a dump without a manifest; none of these is ever taken for a backup.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rollbacks.adapters import streams
from rollbacks.adapters.envelope import KeyRefused, Keys
from rollbacks.adapters.pg_tools import DumpResult
from rollbacks.adapters.places import Directory, Draft, Entry, Place
from rollbacks.adapters.remote_place import URL_VARIABLE, RemotePlace
from rollbacks.adapters.streams import Nowhere, Sink, Source, SummedSink, SummedSource

VARIABLE = "BACKUP_DIR"
# A custom-format dump is smaller than its database; the margin is for indexes that are not and for growth.
SPACE_FACTOR_PERCENT = 130
DUMP, ENCRYPTED = ".dump", ".dump.age"
MANIFEST = ".manifest.json"


class StoreRefused(Exception):
    """The backup could not be stored, or is not what was stored; the sentence says why."""


@dataclass(frozen=True)
class Manifest:
    """What is known of a stored backup; `extra` holds the counts and facts taken in the dump's snapshot.

    `sha256` and `size` are those of the stored bytes, `plain_…` those of the dump. They differ where there are recipients.
    """

    token: str
    name: str
    sha256: str
    size: int
    milliseconds: int
    tool_version: str
    taken_at: str
    extra: dict[str, Any]
    recipients: tuple[str, ...] = ()
    plain_sha256: str = ""
    plain_size: int = 0
    where: str = ""
    # The digest of the plan that the backup was taken for.
    digest: str = ""

    @property
    def encrypted(self) -> bool:
        """Whether only the recipients can read it."""
        return bool(self.recipients)

    def row(self) -> dict[str, Any]:
        """Return what the portal keeps of it."""
        return {
            "location": self.where,
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
            # Manifests from before there was encryption say it once.
            "plain_sha256": self.plain_sha256 or self.sha256,
            "plain_size": self.plain_size or self.size,
            "recipients": list(self.recipients),
            "made_at": self.taken_at,
        }


@dataclass(frozen=True)
class Store:
    """A place and the keys to it."""

    place: Place
    keys: Keys = field(default_factory=Keys)

    @classmethod
    def of(cls, environ: Mapping[str, str], target: str = "") -> Store:
        """Return the store of the environment with the keys for this target; raises StoreRefused when it cannot be used.

        For a target it has to be able to open what it will encrypt, because a backup is proven by its restore.
        """
        try:
            keys = Keys.of(environ, target)
            if target:
                keys.refuse_unreadable()
        except KeyRefused as error:
            raise StoreRefused(str(error)) from error
        return cls(_place(environ), keys)

    def refuse_without_space(self, database_bytes: int) -> None:
        """Raise StoreRefused when the disk cannot hold a dump of a database of this size."""
        free = self.place.free_bytes()
        needed = database_bytes * SPACE_FACTOR_PERCENT // 100
        if free is not None and free < needed:
            raise StoreRefused(
                f"The backup directory has {free // 1_048_576} MiB free and the backup may need "
                f"{needed // 1_048_576} MiB; free some space or set {VARIABLE} to another disk."
            )

    def find(self, token: str) -> Manifest | None:
        """Return the completed backup of this token, or None."""
        try:
            content = json.loads(self.place.get(f"{token}{MANIFEST}"))
            return Manifest(**{**content, "recipients": tuple(content.get("recipients", ()))})
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreRefused(f"The store of backups cannot be read ({_said(error)}); correct {self._set}.") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise StoreRefused("The backup's manifest is damaged; start the rollback again.") from error

    def tokens(self) -> list[str]:
        """Return the tokens of all backups with a manifest, in no order."""
        return [each.name.removesuffix(MANIFEST) for each in self.entries() if each.name.endswith(MANIFEST)]

    def entries(self) -> list[Entry]:
        """Return every file of the store; raises StoreRefused when it cannot be read."""
        try:
            return list(self.place.entries())
        except OSError as error:
            raise StoreRefused(f"The store of backups cannot be read ({_said(error)}); correct {self._set}.") from error

    def verify(self, manifest: Manifest) -> None:
        """Read the whole dump and compare size and SHA-256; raises StoreRefused when it is not what was stored."""
        with self._opened(manifest) as source:
            streams.copy(source, Nowhere())

    def pour(self, manifest: Manifest, sink: Sink) -> None:
        """Write the dump's plain bytes to the sink, and compare what was read and what was opened with the manifest.

        Raises StoreRefused, whatever the sink was given by then: what it made of it must not be used.
        """
        plain, refusal = SummedSink(sink), None
        with self._opened(manifest) as source:
            try:
                self.keys.unseal(source, plain, manifest.recipients)
            except KeyRefused as error:
                refusal = error
        if refusal is not None:
            raise StoreRefused(str(refusal)) from refusal
        if manifest.encrypted and (plain.size, plain.sha256) != (manifest.plain_size, manifest.plain_sha256):
            raise StoreRefused(
                f"The backup {manifest.name} was decrypted to something else than was dumped; start again."
            )

    @contextmanager
    def writing(self, token: str, *, now: datetime, digest: str = "") -> Iterator[Writer]:
        """Yield a writer for a new backup; whatever is not completed is removed at the end."""
        moment = now.astimezone(UTC)
        ending = ENCRYPTED if self.keys.recipients else DUMP
        try:
            with self.place.writing(token, f"backup-{moment:%Y%m%d-%H%M%S}", ending) as draft:
                yield Writer(self, draft, token, moment, digest)
        except KeyRefused as error:
            raise StoreRefused(str(error)) from error
        except OSError as error:
            raise self._refusal(error) from error

    def keep_note(self, name: str, text: str) -> None:
        """Keep a small text beside the backups, in place of an earlier one; raises StoreRefused."""
        try:
            self.place.put(name, text.encode(), replace=True)
        except OSError as error:
            raise self._refusal(error) from error

    def read_note(self, name: str) -> str | None:
        """Return such a text, None when there is none; raises StoreRefused."""
        try:
            return self.place.get(name).decode()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreRefused(f"{name} beside the backups cannot be read; correct {self._set}.") from error

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens when it is not there; raises StoreRefused."""
        try:
            self.place.remove(name)
        except OSError as error:
            raise StoreRefused(f"{name} cannot be removed ({_said(error)}); correct {self._set}.") from error

    @contextmanager
    def _opened(self, manifest: Manifest) -> Iterator[Source]:
        """Yield the stored bytes; raises StoreRefused at the end when they are not what was stored, read or not."""
        try:
            with self.place.reading(manifest.name) as source:
                summed = SummedSource(source)
                yield summed
                streams.copy(summed, Nowhere())
        except OSError as error:
            raise StoreRefused(f"The backup {manifest.name} cannot be read ({_said(error)}); start again.") from error
        if (summed.size, summed.sha256) != (manifest.size, manifest.sha256):
            raise StoreRefused(f"The backup {manifest.name} is not what was stored: its checksum differs; start again.")

    @property
    def _set(self) -> str:
        return self.place.variable

    def _refusal(self, error: OSError) -> StoreRefused:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            return StoreRefused(
                f"The disk with the backups is full; free some space or set {VARIABLE} to another disk, then start again."
            )
        return StoreRefused(f"The backup could not be written ({_said(error)}); correct {self._set}, then start again.")


class Writer:
    """Takes a dump; `complete` makes it a backup."""

    def __init__(self, store: Store, draft: Draft, token: str, now: datetime, digest: str) -> None:
        self._store, self._draft, self._token, self._now, self._digest = store, draft, token, now, digest
        self._stored = SummedSink(draft)

    def take(self, source: Source) -> None:
        """Read the dump to its end, encrypt it and write it; raises OSError when the disk is full."""
        self._store.keys.seal(source, self._stored)

    def complete(self, result: DumpResult, *, extra: dict[str, Any]) -> Manifest:
        """Give the dump its name without replacing another, then write the manifest, which makes it a backup.

        Where another worker has completed a backup of the same token in between, that one counts and this one goes.
        """
        name = self._draft.keep()
        manifest = Manifest(
            token=self._token, name=name, sha256=self._stored.sha256, size=self._stored.size,
            milliseconds=result.milliseconds, tool_version=result.tool_version, taken_at=self._now.isoformat(),
            extra=extra, recipients=self._store.keys.recipients, plain_sha256=result.sha256, plain_size=result.size,
            where=self._store.place.where, digest=self._digest,
        )  # fmt: skip
        try:
            self._store.place.put(f"{self._token}{MANIFEST}", json.dumps(asdict(manifest)).encode())
        except FileExistsError:
            self._store.remove(name)
            found = self._store.find(self._token)
            if found is None:
                raise
            return found
        except OSError:
            self._store.remove(name)
            raise
        return manifest


def _place(environ: Mapping[str, str]) -> Place:
    if environ.get(URL_VARIABLE):
        try:
            return RemotePlace.of(environ)
        except OSError as error:
            raise StoreRefused(str(error)) from error
    given = environ.get(VARIABLE, "")
    if not given:
        raise StoreRefused(
            f"Neither {VARIABLE} nor {URL_VARIABLE} is set; set {VARIABLE} to a directory that only the worker can read."
        )
    root = Path(given)
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreRefused(f"The backup directory cannot be made ({error.strerror}); correct {VARIABLE}.") from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise StoreRefused(f"The worker may not write to the backup directory; correct {VARIABLE}.")
    return Directory(root, variable=VARIABLE)


def _said(error: OSError) -> str:
    return error.strerror or str(error)
