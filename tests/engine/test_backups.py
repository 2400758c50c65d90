"""Backups of whole runs: encrypted ones, full disks, dumps that vanish, keys that do not fit, killed workers (F15, F23–F26)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollbacks import backup_sweep, engine
from rollbacks.adapters import places
from rollbacks.adapters.pg_tools import find_tools
from rollbacks.adapters.store import Store
from rollbacks.services import running
from rollbacks.side_models import Backup, StrayFile
from tests.conftest import TargetDatabase
from tests.engine.test_faults import process_environment, wait_for
from tests.rollback import drive, started, step
from tests.targets.backups import bucket_on, files, identity, kept, s3_server

pytestmark = pytest.mark.django_db(transaction=True)

# A worker that dies of SIGKILL when the dump has its manifest, before the portal has its row.
KILLED = """
import os, signal, sys
import django
django.setup()
from rollbacks import engine
engine.backups.keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
while engine.advance(int(sys.argv[1]), worker="killed", environ=os.environ):
    pass
"""


@pytest.fixture
def encrypted(nzila: TargetDatabase, tmp_path: Path) -> TargetDatabase:
    """The target with a worker that encrypts."""
    (tmp_path / "keys").mkdir()
    return replace(nzila, environ={**nzila.environ, **identity(tmp_path / "keys")[2]})


def ledger_rows(nzila: TargetDatabase) -> int:
    return int(nzila.rows("SELECT count(*) FROM drizzle.__drizzle_migrations")[0][0])


def test_an_encrypted_run_leaves_no_row_in_plain_and_stops_when_its_dump_vanishes_before_the_apply(
    encrypted: TargetDatabase, people: dict[str, Any]
) -> None:
    (name,) = encrypted.rows("SELECT legal_name FROM entities ORDER BY 1 LIMIT 1")[0]
    execution = started(people, encrypted)
    drive(execution, encrypted.environ, until="apply")
    evidence = step(execution, "backup").evidence
    assert evidence["encrypted_to"] == [encrypted.environ["BACKUP_RECIPIENTS"]]
    assert evidence["sha256"] != evidence["plain_sha256"] and evidence["rows"] > 0
    found = files(encrypted.environ)
    assert sorted(found) == [
        evidence["name"],
        f"execution-{execution.pk}.manifest.json",
        f"expected-execution-{execution.pk}.json",
    ]
    assert not any(name.encode() in content or content.startswith(b"PGDMP") for content in found.values())

    (Path(encrypted.environ["BACKUP_DIR"]) / evidence["name"]).unlink()
    assert drive(execution, encrypted.environ) == "failed"
    assert "cannot be read" in step(execution, "apply").sentence
    assert ledger_rows(encrypted) == 5


@pytest.mark.skipif(
    not os.environ.get("REMOTE_RUN"), reason="set REMOTE_RUN=1 for a whole run on an S3-compatible server"
)
def test_a_whole_run_keeps_everything_in_an_object_store(
    encrypted: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    with s3_server() as server:
        remote = {name: value for name, value in encrypted.environ.items() if name != "BACKUP_DIR"}
        remote |= bucket_on(server, "whole-run")
        execution = started(people, encrypted)
        assert drive(execution, remote) == "succeeded"
        backup = Backup.objects.get(execution=execution)
        assert backup.location == "s3://whole-run/portal" and backup.restored_at is not None
        names = {entry.name for entry in Store.of(remote).entries()}
        token = f"execution-{execution.pk}"
        assert names == {backup.name, f"{token}.manifest.json", f"expected-{token}.json"}
        backup_sweep.sweep(remote)
        assert not StrayFile.objects.exists() and Backup.objects.get(pk=backup.pk).refusal == ""
    assert files(encrypted.environ) == {}


def test_a_missing_key_or_a_disk_without_room_stops_the_run_before_anything_is_dumped(
    encrypted: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = {name: value for name, value in encrypted.environ.items() if name != "BACKUP_IDENTITY_FILE"}
    execution = started(people, encrypted)
    assert drive(execution, lacking) == "failed"
    assert "BACKUP_IDENTITY_FILE is not" in step(execution, "preflight").sentence

    (size,) = encrypted.rows("SELECT pg_database_size(current_database())")[0]
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(places.shutil, "disk_usage", lambda path: usage(10**12, 0, size * 129 // 100))
    again = running.start(people["engineer"], execution.request_id)
    assert drive(again, encrypted.environ) == "failed"
    assert "MiB free" in step(again, "preflight").sentence
    assert files(encrypted.environ) == {}


def test_a_backup_that_was_kept_in_plain_before_there_were_recipients_is_not_used(
    nzila: TargetDatabase, encrypted: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="backup")
    # As a worker without recipients left it when it died.
    kept(Store.of(nzila.environ), b"PGDMP", token=f"execution-{execution.pk}", digest=execution.digest)
    assert drive(execution, encrypted.environ) == "failed"
    assert "kept in plain" in step(execution, "backup").sentence


def test_another_portals_backup_under_the_same_name_is_not_used(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="backup")
    kept(Store.of(nzila.environ), b"PGDMP", token=f"execution-{execution.pk}", digest="e" * 64)
    assert drive(execution, nzila.environ) == "failed"
    assert "another portal's backup" in step(execution, "backup").sentence


def test_a_worker_killed_between_the_store_and_the_row_leaves_a_backup_that_the_next_one_takes(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(execution.pk)],
        env=process_environment(nzila),
        capture_output=True,
        timeout=120,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    before = files(nzila.environ)
    assert len(before) == 2 and not Backup.objects.exists()
    # A sweep in between neither notes it, because its run is at work, nor removes it.
    backup_sweep.sweep(nzila.environ)
    assert files(nzila.environ) == before and not Backup.objects.exists()

    wait_for(lambda: execution.pk in engine.claimable())
    drive(execution, nzila.environ, until="rehearse")

    backup = Backup.objects.get(execution=execution)
    assert backup.restored_at is not None and backup.name in before
    assert files(nzila.environ) == before
    backup_sweep.sweep(nzila.environ)
    assert not StrayFile.objects.filter(gone_at__isnull=True).exists()


def test_a_backup_that_cannot_be_restored_stops_the_run_and_is_kept_marked(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    execution = started(people, nzila)
    real, tools = find_tools(18, nzila.environ), tmp_path / "tools"
    tools.mkdir()
    (tools / "pg_dump").symlink_to(real.pg_dump)
    # The real pg_restore gets the first 20 kB of the dump only.
    (tools / "pg_restore").write_text(f'#!/bin/sh\nhead -c 20000 | {real.pg_restore} "$@"\n')
    (tools / "pg_restore").chmod(0o755)
    assert drive(execution, {**nzila.environ, "PG_BINDIR": str(tools)}) == "failed"
    assert "could not be restored" in step(execution, "backup").sentence
    backup = Backup.objects.get(execution=execution)
    assert "could not be restored" in backup.refusal and backup.restored_at is None
    assert backup.name in files(nzila.environ)
    assert ledger_rows(nzila) == 5
