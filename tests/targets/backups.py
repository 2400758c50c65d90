"""What tests of stores share: keys, an S3-compatible server, and keeping some bytes as if pg_dump had written them."""

from __future__ import annotations

import hashlib
import io
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyrage import x25519

from rollbacks.adapters.pg_tools import DumpResult
from rollbacks.adapters.store import Manifest, Store
from rollbacks.adapters.streams import Source

NOW = datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC)

# What the portal keeps of a backup.
ROW = {
    "location": "/var/backups", "name": "backup-20261103-040506.dump.age", "sha256": "a" * 64, "size": 2048,
    "plain_sha256": "b" * 64, "plain_size": 1900, "recipients": ["age1ek7juye8"], "made_at": NOW.isoformat(),
}  # fmt: skip


def identity(folder: Path, *more: str) -> tuple[str, str, dict[str, str]]:
    """Make a key pair; return its public key, its identity, and the worker's variables for it (with older identities)."""
    made = x25519.Identity.generate()
    path = folder / "identities"
    path.write_text("\n".join(["# of the worker", str(made), *more]))
    return (
        str(made.to_public()),
        str(made),
        {"BACKUP_RECIPIENTS": str(made.to_public()), "BACKUP_IDENTITY_FILE": str(path)},
    )


def kept(
    store: Store, content: bytes | Source, *, token: str = "execution-7", digest: str = "d" * 64, **extra: Any
) -> Manifest:
    """Keep the content as the dump of this token."""
    whole = content if isinstance(content, bytes) else b""
    with store.writing(token, now=NOW, digest=digest) as writer:
        writer.take(io.BytesIO(content) if isinstance(content, bytes) else content)
        result = DumpResult(len(whole), hashlib.sha256(whole).hexdigest(), 12, "18.6")
        return writer.complete(result, extra=extra)


def read(store: Store, manifest: Manifest) -> bytes:
    """Return the dump in plain."""
    found = io.BytesIO()
    store.pour(manifest, found)
    return found.getvalue()


def files(environ: Mapping[str, str]) -> dict[str, bytes]:
    """Return every file of the directory of backups."""
    return {path.name: path.read_bytes() for path in Path(environ["BACKUP_DIR"]).iterdir()}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run an S3-compatible server on loopback in a process of its own; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def bucket_on(server: str, name: str) -> dict[str, str]:
    """Make a bucket; return the worker's variables that lead to a prefix in it."""
    urllib.request.urlopen(urllib.request.Request(f"{server}/{name}", method="PUT"), timeout=20).close()
    return {
        "BACKUP_STORE_URL": f"s3://{name}/portal", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "can4ry",
        "AWS_REGION": "us-east-1", "AWS_ENDPOINT": server, "BACKUP_STORE_ALLOW_HTTP": "1",
    }  # fmt: skip
