"""Backups: what counts as one, and that a damaged one is always found."""

from __future__ import annotations

import io
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from rollbacks.adapters import pg_tools
from rollbacks.adapters import target as targets
from rollbacks.adapters.counts import exported_snapshot, row_counts
from rollbacks.adapters.scratch import PREFIX, Scratch
from rollbacks.adapters.store import Manifest, Store, StoreRefused
from rollbacks.adapters.streams import Sink, copy
from rollbacks.adapters.target import Credentials
from tests.conftest import WORKER, TargetDatabase

NOW = datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC)
CORRUPTIONS = 300


@pytest.fixture
def store(nzila: TargetDatabase) -> Store:
    return Store.of(nzila.environ)


@pytest.fixture
def tools(nzila: TargetDatabase) -> pg_tools.Tools:
    return pg_tools.find_tools(18, nzila.environ)


@pytest.fixture
def copy_name(nzila: TargetDatabase) -> Iterator[str]:
    """An empty scratch database for one restore."""
    name = f"{PREFIX}backup_{WORKER}"
    scratch = Scratch.of(nzila.environ)
    scratch.drop(name)
    scratch.create(name)
    yield name
    scratch.drop(name)


def take(nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, token: str = "7", **more: Any) -> Manifest:
    """Take a backup as the step does: counts and dump in one snapshot."""
    credentials = targets.credentials_of(nzila.name, nzila.environ)
    limits = {"lock_wait_seconds": 5, "timeout_seconds": 60, **more}
    with targets.connect(credentials) as line, exported_snapshot(line) as snapshot:
        counts = row_counts(line, ignore_schemas=())
        with store.writing(token, now=NOW) as sink:
            result = pg_tools.dump(
                tools, credentials, environ=nzila.environ, snapshot=snapshot, sink=sink,
                on_progress=lambda written: None, **limits,
            )  # fmt: skip
            return sink.complete(result, extra={"row_counts": counts})


def path_of(nzila: TargetDatabase, manifest: Manifest) -> Path:
    return Path(nzila.environ["BACKUP_DIR"]) / manifest.name


def files_of(nzila: TargetDatabase) -> list[str]:
    return sorted(path.name for path in Path(nzila.environ["BACKUP_DIR"]).iterdir())


def restored_counts(
    nzila: TargetDatabase, tools: pg_tools.Tools, pour: Callable[[Sink], None], name: str
) -> dict[str, int]:
    scratch = Scratch.of(nzila.environ)
    pg_tools.restore(tools, pour, scratch.credentials(name), environ=nzila.environ, timeout_seconds=60)
    with scratch.connect(name) as line:
        return row_counts(line, ignore_schemas=())


def test_a_backup_restores_with_the_rows_it_was_counted_with(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, copy_name: str
) -> None:
    manifest = take(nzila, tools, store)
    assert manifest.name == "backup-20261103-040506.dump"
    assert store.find("7") == manifest
    store.verify(manifest)
    counts = restored_counts(nzila, tools, partial(store.pour, manifest), copy_name)
    assert counts == manifest.extra["row_counts"]
    assert sum(counts.values()) > 0
    assert path_of(nzila, manifest).stat().st_mode & 0o077 == 0


def test_counts_and_dump_are_of_one_moment(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, copy_name: str
) -> None:
    credentials = targets.credentials_of(nzila.name, nzila.environ)
    with targets.connect(credentials) as line, exported_snapshot(line) as snapshot:
        before = row_counts(line, ignore_schemas=())
        with nzila.connect() as other:
            other.execute("CREATE TABLE came_later (id int)")
        with store.writing("7", now=NOW) as sink:
            result = pg_tools.dump(
                tools, credentials, environ=nzila.environ, snapshot=snapshot, sink=sink,
                on_progress=lambda written: None, lock_wait_seconds=5, timeout_seconds=60,
            )  # fmt: skip
            manifest = sink.complete(result, extra={})
    counts = restored_counts(nzila, tools, partial(store.pour, manifest), copy_name)
    assert counts == before
    assert "public.came_later" not in counts


def test_every_damage_to_a_stored_dump_is_found(nzila: TargetDatabase, tools: pg_tools.Tools, store: Store) -> None:
    manifest = take(nzila, tools, store)
    path = path_of(nzila, manifest)
    whole = path.read_bytes()
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for number in range(CORRUPTIONS):
        damaged = bytearray(whole)
        kind = number % 3
        if kind == 0:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            damaged += chance.randbytes(chance.randrange(1, 64))
        path.write_bytes(damaged)
        with pytest.raises(StoreRefused, match="checksum differs"):
            store.verify(manifest)
            pytest.fail(f"damage {number} of seed {seed} passed")
    path.write_bytes(whole)
    store.verify(manifest)


def test_a_truncated_dump_cannot_be_restored_even_if_the_checksum_were_right(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, copy_name: str
) -> None:
    manifest = take(nzila, tools, store)
    half = path_of(nzila, manifest).read_bytes()[: manifest.size * 9 // 10]
    with pytest.raises(pg_tools.RestoreFailed, match="could not be restored"):
        restored_counts(nzila, tools, lambda sink: copy(io.BytesIO(half), sink), copy_name)


def test_a_deleted_dump_or_a_damaged_manifest_is_a_sentence(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store
) -> None:
    manifest = take(nzila, tools, store)
    path_of(nzila, manifest).unlink()
    with pytest.raises(StoreRefused, match="cannot be read"):
        store.verify(manifest)
    next(Path(nzila.environ["BACKUP_DIR"]).glob("*.manifest.json")).write_text("{")
    with pytest.raises(StoreRefused, match="manifest is damaged"):
        store.find("7")


def test_two_backups_of_one_second_both_stay(nzila: TargetDatabase, tools: pg_tools.Tools, store: Store) -> None:
    first, second = take(nzila, tools, store, "7"), take(nzila, tools, store, "8")
    assert (first.name, second.name) == ("backup-20261103-040506.dump", "backup-20261103-040506-2.dump")
    for manifest in (first, second):
        store.verify(manifest)


def test_a_dump_that_waits_for_a_lock_gives_up_in_time_and_leaves_nothing(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store
) -> None:
    # The lock is taken after the counts, as an application's own migration would in the middle of our step.
    credentials = targets.credentials_of(nzila.name, nzila.environ)
    with targets.connect(credentials) as line, exported_snapshot(line) as snapshot, nzila.connect() as other:
        other.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(pg_tools.DumpFailed, match="LOCK TABLE"), store.writing("7", now=NOW) as sink:
            pg_tools.dump(
                tools, credentials, environ=nzila.environ, snapshot=snapshot, sink=sink,
                on_progress=lambda written: None, lock_wait_seconds=1, timeout_seconds=60,
            )  # fmt: skip
        other.rollback()
    assert files_of(nzila) == []


def test_progress_is_told_in_bytes_and_tables(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_tools, "PROGRESS_SECONDS", -1.0)
    told: list[pg_tools.Progress] = []
    credentials = targets.credentials_of(nzila.name, nzila.environ)
    with targets.connect(credentials) as line, exported_snapshot(line) as snapshot:
        counts = row_counts(line, ignore_schemas=())
        with store.writing("7", now=NOW) as sink:
            result = pg_tools.dump(
                tools, credentials, environ=nzila.environ, snapshot=snapshot, sink=sink,
                on_progress=told.append, lock_wait_seconds=5, timeout_seconds=60,
            )  # fmt: skip
    assert told[-1].size == result.size
    # The pipe with the words may be a little behind the one with the bytes.
    assert 0 < told[-1].tables <= len(counts)
    assert [each.size for each in told] == sorted(each.size for each in told)


def test_a_table_cannot_go_while_it_is_dumped(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, copy_name: str
) -> None:
    credentials = targets.credentials_of(nzila.name, nzila.environ)
    with targets.connect(credentials) as line, exported_snapshot(line) as snapshot:
        counts = row_counts(line, ignore_schemas=())
        with nzila.connect() as other:
            other.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("DROP TABLE subscriptions CASCADE")
        with store.writing("7", now=NOW) as sink:
            result = pg_tools.dump(
                tools, credentials, environ=nzila.environ, snapshot=snapshot, sink=sink,
                on_progress=lambda written: None, lock_wait_seconds=5, timeout_seconds=60,
            )  # fmt: skip
            manifest = sink.complete(result, extra={})
    assert restored_counts(nzila, tools, partial(store.pour, manifest), copy_name) == counts
    assert "public.subscriptions" in counts


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dump_that_is_ended_by_a_signal_is_no_backup(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "pg_dump").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {tools.pg_dump} --version\n'
        f'{tools.pg_dump} "$@" | head -c 5000\nkill -{number.value} $$\n'
    )
    (tmp_path / "pg_dump").chmod(0o755)
    (tmp_path / "pg_restore").symlink_to(tools.pg_restore)
    ended = pg_tools.find_tools(18, {**nzila.environ, "PG_BINDIR": str(tmp_path)})
    with pytest.raises(pg_tools.DumpFailed, match=number.name):
        take(nzila, ended, store)
    assert files_of(nzila) == []


def test_a_line_that_is_cut_in_the_middle_of_the_dump_is_a_failure_in_time_and_leaves_no_session(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store
) -> None:
    direct = targets.credentials_of(nzila.name, nzila.environ)
    begun = time.monotonic()
    with (
        cut_after(nzila.url, 30_000) as (url, passed),
        targets.connect(direct) as line,
        exported_snapshot(line) as snapshot,
    ):
        through = targets.credentials_from_url(nzila.name, url, source="X")
        with pytest.raises(pg_tools.DumpFailed, match="connection"), store.writing("7", now=NOW) as sink:
            pg_tools.dump(
                tools, through, environ=nzila.environ, snapshot=snapshot, sink=sink,
                on_progress=lambda written: None, lock_wait_seconds=5, timeout_seconds=60,
            )  # fmt: skip
        assert passed[0] >= 30_000
    assert time.monotonic() - begun < 20
    assert files_of(nzila) == []
    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pg_dump'"
    )
    while nzila.rows(sessions) != [(0,)]:
        assert time.monotonic() - begun < 30
        time.sleep(0.05)


def test_a_peer_that_vanishes_without_a_word_is_noticed_by_keepalives(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, tmp_path: Path
) -> None:
    """The worker's side only: the arguments with which pg_dump itself asks the kernel for them."""
    (tmp_path / "pg_dump").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {tools.pg_dump} --version\necho "$@" > {tmp_path}/argv\nexit 1\n'
    )
    (tmp_path / "pg_dump").chmod(0o755)
    (tmp_path / "pg_restore").symlink_to(tools.pg_restore)
    with pytest.raises(pg_tools.DumpFailed):
        take(nzila, pg_tools.find_tools(18, {**nzila.environ, "PG_BINDIR": str(tmp_path)}), store)
    assert "keepalives_idle=30" in (tmp_path / "argv").read_text()


@contextmanager
def cut_after(url: str, count: int) -> Iterator[tuple[str, list[int]]]:
    """Lead one connection to the database through loopback, and cut it once the server has sent so many bytes."""
    listener, passed = socket.create_server(("127.0.0.1", 0)), [0]
    parts = urlsplit(url)

    def serve() -> None:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{parts.query.removeprefix('host=')}/.s.PGSQL.5432")
        threading.Thread(target=forward, args=(client, server), daemon=True).start()
        while passed[0] < count and (chunk := server.recv(4096)):
            client.sendall(chunk)
            passed[0] += len(chunk)
        for each in (client, server):
            each.shutdown(socket.SHUT_RDWR)
            each.close()

    def forward(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while chunk := client.recv(4096):
                server.sendall(chunk)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield f"postgresql://{parts.username}@127.0.0.1:{listener.getsockname()[1]}{parts.path}?sslmode=disable", passed
        thread.join(10)


def test_a_table_whose_rows_a_policy_hides_fails_the_backup(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, cluster_url: str
) -> None:
    admin = cluster_url.replace("/postgres?", f"/{nzila.name}?")
    with psycopg.connect(admin, autocommit=True) as superuser:
        superuser.execute("ALTER TABLE entities OWNER TO CURRENT_USER")
        superuser.execute("ALTER TABLE entities ENABLE ROW LEVEL SECURITY")
        superuser.execute(f'GRANT SELECT ON entities TO "{nzila.url.split("//")[1].split("@")[0]}"')
    with pytest.raises((pg_tools.DumpFailed, psycopg.errors.InsufficientPrivilege), match="entities"):
        take(nzila, tools, store)
    assert files_of(nzila) == []


def test_the_tools_of_another_major_are_not_taken(nzila: TargetDatabase, tools: pg_tools.Tools) -> None:
    with pytest.raises(pg_tools.NoTools, match="postgresql-client-13"):
        pg_tools.find_tools(13, nzila.environ)


def test_a_password_is_in_no_argument_and_in_no_sentence(
    nzila: TargetDatabase, tools: pg_tools.Tools, store: Store, tmp_path: Path
) -> None:
    argv = tmp_path / "argv"
    for name in ("pg_dump", "pg_restore"):
        script = tmp_path / name
        script.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && exec {tools.pg_dump} --version\n'
            f'echo "$@" > {argv}\necho "no entry for $PGPASSWORD" >&2\nexit 1\n'
        )
        script.chmod(0o755)
    credentials = Credentials("shop", {"host": "db.invalid", "dbname": "shop", "user": "u", "password": "can4ry:p@ss"})
    fake = pg_tools.find_tools(18, {**nzila.environ, "PG_BINDIR": str(tmp_path)})
    with pytest.raises(pg_tools.DumpFailed) as failure, store.writing("7", now=NOW) as sink:
        pg_tools.dump(
            fake, credentials, environ=nzila.environ, snapshot="x", sink=sink,
            on_progress=lambda written: None, lock_wait_seconds=1, timeout_seconds=60,
        )  # fmt: skip
    assert "no entry for" in str(failure.value)
    assert "can4ry" not in str(failure.value)
    assert "can4ry" not in argv.read_text()
