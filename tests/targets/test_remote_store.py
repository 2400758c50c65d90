"""The store by URL, against a real S3-compatible server in a process of its own (moto); Azure and GCS differ by their URL."""

from __future__ import annotations

import hashlib
import random
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbacks.adapters import remote_place
from rollbacks.adapters.store import Store, StoreRefused
from tests.targets.backups import bucket_on, identity, kept, read, s3_server

DUMP = random.Random(3).randbytes(17 * 1024 * 1024)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3-compatible server for this module."""
    with s3_server() as address:
        yield address


@pytest.fixture
def environ(server: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The worker's environment for a new bucket."""
    return bucket_on(server, "b" + hashlib.sha256(request.node.name.encode()).hexdigest()[:20])


def names(store: Store) -> list[str]:
    return sorted(entry.name for entry in store.entries())


def test_a_backup_goes_up_in_parts_encrypted_and_comes_back(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_place, "PART_BYTES", 6 * 1024 * 1024)
    store = Store.of({**environ, **identity(tmp_path)[2]}, "shop")
    manifest = kept(store, DUMP)
    assert manifest.where == environ["BACKUP_STORE_URL"] and manifest.name.endswith(".dump.age")
    assert store.find("execution-7") == manifest
    assert names(store) == [manifest.name, "execution-7.manifest.json"]
    # Three parts, as the server itself says in its tag of the object.
    head = urllib.request.urlopen(
        urllib.request.Request(
            f"{environ['AWS_ENDPOINT']}/{manifest.where.removeprefix('s3://')}/{manifest.name}", method="HEAD"
        ),
        timeout=20,
    )
    assert head.headers["ETag"].strip('"').endswith("-3")
    assert read(store, manifest) == DUMP
    store.verify(manifest)

    store.keep_note("expected-execution-7.json", "{}")
    store.keep_note("expected-execution-7.json", "[]")
    assert store.read_note("expected-execution-7.json") == "[]" and store.read_note("nothing") is None
    for name in names(store):
        store.remove(name)
    store.remove(manifest.name)
    assert names(store) == [] and store.find("execution-7") is None


def test_a_damaged_or_removed_object_is_found(environ: dict[str, str]) -> None:
    store = Store.of(environ, "shop")
    manifest = kept(store, DUMP[:100_000])
    damaged = bytearray(DUMP[:100_000])
    damaged[50_000] ^= 1
    store.place.put(manifest.name, bytes(damaged), replace=True)
    with pytest.raises(StoreRefused, match="checksum differs"):
        store.verify(manifest)
    with pytest.raises(StoreRefused, match="checksum differs"):
        read(store, manifest)
    store.remove(manifest.name)
    with pytest.raises(StoreRefused, match="cannot be read"):
        store.verify(manifest)


def test_nothing_is_ever_replaced(environ: dict[str, str]) -> None:
    store = Store.of(environ, "shop")
    first = kept(store, b"first")
    assert kept(store, b"second") == first
    assert names(store) == [first.name, "execution-7.manifest.json"]
    assert read(store, first) == b"first"


def test_an_upload_that_breaks_off_leaves_no_object(environ: dict[str, str]) -> None:
    class Breaking:
        left = 3

        def read(self, size: int = -1, /) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("pg_dump died")
            return DUMP[: 8 * 1024 * 1024]

    store = Store.of(environ, "shop")
    with pytest.raises(RuntimeError, match="pg_dump died"):
        kept(store, Breaking())
    assert names(store) == []
    bucket = environ["BACKUP_STORE_URL"].removeprefix("s3://").split("/")[0]
    with urllib.request.urlopen(f"{environ['AWS_ENDPOINT']}/{bucket}?uploads", timeout=20) as answer:
        assert b"<Upload>" not in answer.read()


def test_an_object_shorter_than_what_was_sent_is_not_a_backup(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.of(environ, "shop")
    monkeypatch.setattr(remote_place.RemotePlace, "size", lambda self, name: 99)
    with pytest.raises(StoreRefused, match="99 bytes of the 100000"):
        kept(store, DUMP[:100_000])
    assert names(store) == []


def test_a_service_that_refuses_is_a_sentence_without_its_answer(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_place, "RETRIES", {"max_retries": 0})
    absent = Store.of({**environ, "BACKUP_STORE_URL": "s3://nobodys-bucket/portal"}, "shop")
    with pytest.raises(StoreRefused, match=r"\(the store answered 404 Not Found\)") as refused:
        absent.entries()
    assert "can4ry" not in str(refused.value) and "<" not in str(refused.value)
    away = Store.of({**environ, "AWS_ENDPOINT": "http://127.0.0.1:9"}, "shop")
    with pytest.raises(StoreRefused, match="cannot be reached"):
        away.find("execution-7")


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "s3://", "/var/backups", "file:///tmp", "s3://key:can4ry@bucket/x", "az://c/x?sig=can4ry"]
)
def test_a_url_that_names_no_store_or_a_secret_is_refused(url: str) -> None:
    with pytest.raises(StoreRefused, match="BACKUP_STORE_URL has to be") as refused:
        Store.of({"BACKUP_STORE_URL": url}, "shop")
    assert "can4ry" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("az://container/portal", {"AZURE_STORAGE_ACCOUNT_NAME": "kept", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5"}),
        ("gs://bucket/portal", {}),
    ],
)
def test_the_other_clouds_are_a_matter_of_the_url(url: str, more: dict[str, str]) -> None:
    """That they can be named and configured; no service of theirs was there to be written to."""
    assert Store.of({"BACKUP_STORE_URL": url, **more}, "shop").place.where == url
