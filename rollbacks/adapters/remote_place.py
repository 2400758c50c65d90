"""Backups in an object store: S3 and what speaks like it, Azure Blob Storage, Google Cloud Storage, by their URL.

Multipart uploads cannot be made conditional through the library, so a dump has a name that nobody can have taken (64 random
bits) and its manifest is put conditionally: that decides, and nothing is ever replaced.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import from_url

from rollbacks.adapters.places import Draft, Entry
from rollbacks.adapters.streams import CHUNK, Source

URL_VARIABLE = "BACKUP_STORE_URL"
PLAIN_HTTP = "BACKUP_STORE_ALLOW_HTTP"
YES = {"1", "true", "yes"}
# 10 000 parts of an upload reach 160 GB.
PART_BYTES = 16 * 1024 * 1024
PARTS_AT_ONCE = 4
TIMEOUT = {"connect_timeout": "10s", "timeout": "300s"}
RETRIES = {"max_retries": 5}
# The worker's variables that the library knows, by scheme; others of the same beginning would be refused by it.
VARIABLES = {
    "s3": (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT",
        "AWS_ENDPOINT_URL", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_SERVER_SIDE_ENCRYPTION", "AWS_SSE_KMS_KEY_ID", "AWS_SKIP_SIGNATURE",
    ),
    "az": (
        "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_ENDPOINT",
        "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE",
    ),
    "gs": ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
}  # fmt: skip
STATUS = re.compile(r"status code: (\d{3}(?: [A-Z][A-Za-z ]*)?)")


class RemotePlace:
    """A prefix of a bucket or container. The errors of the service are never repeated: they may name keys."""

    variable = URL_VARIABLE

    def __init__(self, store: Any, where: str) -> None:
        self._store, self.where = store, where

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> RemotePlace:
        """Return the place that BACKUP_STORE_URL names; nothing is asked of it yet. Raises OSError."""
        url = environ.get(URL_VARIABLE, "")
        parts = urlsplit(url)
        if parts.scheme not in VARIABLES or not parts.hostname or parts.query or parts.username:
            raise OSError(
                f"{URL_VARIABLE} has to be s3://bucket/prefix, az://container/prefix or gs://bucket/prefix; credentials "
                "belong into variables of their own."
            )
        known = {name.lower(): environ[name] for name in VARIABLES[parts.scheme] if environ.get(name)}
        options: dict[str, Any] = {**TIMEOUT, "allow_http": environ.get(PLAIN_HTTP, "").lower() in YES}
        try:
            store = from_url(url, config=known, client_options=options, retry_config=RETRIES)  # type: ignore[call-overload]
        except (BaseError, ValueError) as error:
            raise OSError(f"The store that {URL_VARIABLE} names cannot be used: {type(error).__name__}.") from error
        return cls(store, f"{parts.scheme}://{parts.hostname}{parts.path.rstrip('/')}")

    def free_bytes(self) -> int | None:
        """Return None: nobody can tell."""
        return None

    @contextmanager
    def writing(self, token: str, stem: str, ending: str) -> Iterator[Draft]:
        """Yield an upload in parts; the service throws the parts away when it is not completed."""
        name = f"{stem}-{secrets.token_hex(8)}{ending}"
        with _translated():
            upload = obstore.open_writer(self._store, name, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        draft = _Upload(self, upload, name)
        try:
            yield draft
        finally:
            draft.abandon()

    @contextmanager
    def reading(self, name: str) -> Iterator[Source]:
        """Download a file as it is read."""
        with _translated():
            chunks = iter(obstore.get(self._store, name).stream(min_chunk_size=CHUNK))
        yield _Download(chunks)

    def put(self, name: str, content: bytes, *, replace: bool = False) -> None:
        """Write a small file; the service itself refuses to replace one."""
        with _translated():
            obstore.put(self._store, name, content, mode="overwrite" if replace else "create", use_multipart=False)

    def get(self, name: str) -> bytes:
        """Return a small file."""
        with _translated():
            return bytes(obstore.get(self._store, name).bytes())

    def entries(self) -> Iterator[Entry]:
        """Return every object under the prefix; uploads that were never completed are not listed by any service."""
        with _translated():
            for batch in obstore.list(self._store):
                yield from (Entry(each["path"], each["size"]) for each in batch)

    def remove(self, name: str) -> None:
        """Remove an object."""
        with _translated(), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    def size(self, name: str) -> int:
        """Return how many bytes the service says that it has; raises FileNotFoundError."""
        with _translated():
            return int(obstore.head(self._store, name)["size"])


class _Upload:
    def __init__(self, place: RemotePlace, upload: Any, name: str) -> None:
        self._place, self._upload, self._name, self._written, self._kept = place, upload, name, 0, False

    def write(self, chunk: bytes, /) -> int:
        with _translated():
            self._upload.write(chunk)
        self._written += len(chunk)
        return len(chunk)

    def keep(self) -> str:
        """Complete the upload, and ask the service what it has: a count that differs is found before anything counts on it."""
        with _translated():
            self._upload.close()
        self._kept = True
        found = self._place.size(self._name)
        if found != self._written:
            self._place.remove(self._name)
            raise OSError(f"the store has {found} bytes of the {self._written} that were sent")
        return self._name

    def abandon(self) -> None:
        """Leave the with-block of the library as with an error, which makes it abort the upload."""
        if not self._kept:
            with contextlib.suppress(BaseError, OSError):
                self._upload.__exit__(OSError, OSError("abandoned"), None)


class _Download:
    """Bytes of a download in the sizes that the reader asks for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        if not self._rest:
            with _translated():
                self._rest = memoryview(next(self._chunks, b""))
        found = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(found) :]
        return bytes(found)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the library's errors into OSErrors that say what happened and repeat nothing of the service's answer."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError("it is not there") from error
    except AlreadyExistsError as error:
        raise FileExistsError("it is there already") from error
    except BaseError as error:
        found = STATUS.search(str(error))
        raise OSError(f"the store answered {found[1].strip()}" if found else "the store cannot be reached") from None
