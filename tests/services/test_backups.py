"""Kept backups: noted, held, removed when their time is over and nothing needs them, and what belongs to none (F25)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from approvals.services import database_time
from records.models import Fact
from recoveries.models import Recovery
from rollbacks import backup_sweep
from rollbacks.adapters.store import Store, StoreRefused
from rollbacks.models import Execution, Target
from rollbacks.ports import StepFailed
from rollbacks.services import backups
from rollbacks.services.moves import NotAllowed, Refused
from rollbacks.services.targets import register_target
from rollbacks.side_models import Backup, BackupHold, StrayFile
from tests.targets.backups import NOW, ROW, files, kept

pytestmark = pytest.mark.django_db(transaction=True)

DIGEST = "d" * 64


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"BACKUP_DIR": str(tmp_path / "backups")}


@pytest.fixture
def target() -> Target:
    return Target.objects.create(
        name="books", title="Books", environment="production", repository="/none", out="d", backup_days=30
    )


def execution(target: Target, people: Mapping[str, Any], *, is_open: bool = False) -> Execution:
    request = target.requests.create(author=people["engineer"])
    made: Execution = request.executions.create(
        target=target, number=1, plan={}, digest=DIGEST, started_by=people["engineer"], is_open=is_open
    )
    return made


def stored(environ: Mapping[str, str], run: Execution, *, days: int = 1) -> Backup:
    """Keep a dump of the run as its step does, taken so many days ago; after 30 its time is over."""
    manifest = kept(Store.of(environ), b"a dump", token=f"execution-{run.pk}")
    made_at = timezone.now() - timedelta(days=days)
    backups.keep(run.pk, {**manifest.row(), "made_at": made_at.isoformat()})
    return run.backup


OVER = 31


def actions(subject: str = "") -> list[str]:
    rows = Fact.objects.order_by("seq").filter(subject=subject) if subject else Fact.objects.order_by("seq")
    return list(rows.values_list("action", flat=True))


def test_a_backup_is_noted_once_with_the_retention_of_its_target(target: Target, people: dict[str, Any]) -> None:
    run = execution(target, people)
    backups.keep(run.pk, ROW)
    backups.keep(run.pk, ROW)
    backup = run.backup
    assert backup.expires_at == NOW + timedelta(days=30)
    assert (backup.recipients, backup.plain_sha256) == (["age1ek7juye8"], "b" * 64)
    with pytest.raises(StepFailed, match="another backup of this execution"):
        backups.keep(run.pk, {**ROW, "sha256": "c" * 64})
    backups.judge(run.pk, "It has 3 rows instead of 4.")
    backups.judge(run.pk, "")
    backup.refresh_from_db()
    assert backup.restored_at is not None and backup.refusal == ""
    assert actions(f"backup:{backup.pk}") == ["backup.kept", "backup.refused", "backup.restored"]


def test_without_a_number_of_its_own_a_target_has_the_portals(people: dict[str, Any]) -> None:
    plain = Target.objects.create(name="shop", title="S", environment="production", repository="/none", out="d")
    run = execution(plain, people)
    backups.keep(run.pk, ROW)
    assert run.backup.expires_at == NOW + timedelta(days=settings.BACKUP_DAYS)
    with pytest.raises(Refused, match="between 1 day"):
        register_target(None, name="other", backup_days=0)


def test_what_is_over_is_removed_with_all_that_was_kept_beside_it(
    target: Target, people: dict[str, Any], environ: dict[str, str]
) -> None:
    old, new = (stored(environ, execution(target, people), days=days) for days in (OVER, 1))
    store = Store.of(environ)
    for backup in (old, new):
        store.keep_note(f"expected-execution-{backup.execution_id}.json", "{}")
    backup_sweep.sweep(environ)
    old.refresh_from_db()
    assert old.removed_at is not None and old.removal == "Its time is over."
    assert actions(f"backup:{old.pk}")[-2:] == ["backup.removal_begun", "backup.removed"]
    assert sorted(files(environ)) == sorted(
        [new.name, f"execution-{new.execution_id}.manifest.json", f"expected-execution-{new.execution_id}.json"]
    )
    before = Fact.objects.count()
    backup_sweep.sweep(environ)
    assert Fact.objects.count() == before


def test_nothing_is_removed_that_an_open_run_a_hold_or_a_recovery_needs(
    target: Target, people: dict[str, Any], environ: dict[str, str]
) -> None:
    working = stored(environ, execution(target, people, is_open=True), days=OVER)
    held = stored(environ, execution(target, people), days=OVER)
    restored = stored(environ, execution(target, people), days=OVER)
    stored({"BACKUP_DIR": environ["BACKUP_DIR"] + "-elsewhere"}, execution(target, people), days=OVER)
    placed = backups.hold(people["auditor"], held.pk, reason="Case 7", until=None)
    recovery = Recovery.objects.create(
        target=target, author=people["engineer"], provider="backup", backup=f"execution-{restored.execution_id}"
    )
    backup_sweep.sweep(environ)
    assert not Backup.objects.filter(removing_at__isnull=False).exists()
    # Each alone keeps it, also when somebody asks for exactly this one.
    assert [backups.begin_removal(each.pk) for each in (working, held, restored)] == [None, None, None]
    working.execution.is_open = False
    working.execution.save()
    backups.lift(people["security"], held.pk, placed.pk, reason="Closed")
    Recovery.objects.filter(pk=recovery.pk).update(state="closed")
    backup_sweep.sweep(environ)
    assert set(Backup.objects.filter(removed_at__isnull=False)) == {working, held, restored}
    assert files(environ) == {}


def test_holds_are_placed_and_lifted_by_auditors_and_security_with_a_reason(
    target: Target, people: dict[str, Any], environ: dict[str, str]
) -> None:
    backup = stored(environ, execution(target, people), days=OVER)
    for role in ("engineer", "platform", "cto", "administrator"):
        with pytest.raises(NotAllowed):
            backups.hold(people[role], backup.pk, reason="Case 7", until=None)
    with pytest.raises(Refused, match="Say why"):
        backups.hold(people["auditor"], backup.pk, reason=" ", until=None)
    with pytest.raises(Refused, match="ends in the future"):
        backups.hold(people["auditor"], backup.pk, reason="Case 7", until=datetime(2026, 1, 1, tzinfo=UTC))
    soon = database_time() + timedelta(seconds=1.5)
    first = backups.hold(people["auditor"], backup.pk, reason="Case 7", until=soon)
    second = backups.hold(people["security"], backup.pk, reason="Case 8", until=None)
    with pytest.raises(NotAllowed):
        backups.lift(people["platform"], backup.pk, first.pk, reason="Closed")
    with pytest.raises(Refused, match="Say why"):
        backups.lift(people["auditor"], backup.pk, first.pk, reason="")
    backups.lift(people["auditor"], backup.pk, second.pk, reason="Case 8 is closed")
    with pytest.raises(Refused, match="lifted already"):
        backups.lift(people["auditor"], backup.pk, second.pk, reason="Again")
    assert backups.begin_removal(backup.pk) is None or database_time() > soon
    # A hold's own end is enough.
    while database_time() <= soon:
        time.sleep(0.05)
    assert backups.begin_removal(backup.pk) is not None
    with pytest.raises(Refused, match="being removed"):
        backups.hold(people["auditor"], backup.pk, reason="Too late", until=None)
    assert actions(f"backup:{backup.pk}") == [
        "backup.kept", "backup.hold_placed", "backup.hold_placed", "backup.hold_lifted", "backup.removal_begun",
    ]  # fmt: skip


def test_a_removal_that_a_worker_did_not_finish_is_finished_by_the_next_sweep(
    target: Target, people: dict[str, Any], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = stored(environ, execution(target, people), days=OVER)
    real = Store.remove

    def fails(store: Store, name: str) -> None:
        if name == backup.name:
            raise StoreRefused("the store answered 503")
        real(store, name)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "remove", fails)
        backup_sweep.sweep(environ)
    backup.refresh_from_db()
    assert backup.removing_at is not None and backup.removed_at is None
    assert list(files(environ)) == [backup.name]
    backup_sweep.sweep(environ)
    backup.refresh_from_db()
    assert backup.removed_at is not None and files(environ) == {}


def test_a_backup_whose_worker_died_before_its_row_is_found_and_its_sum_compared(
    target: Target, people: dict[str, Any], environ: dict[str, str]
) -> None:
    lost, damaged, working = (execution(target, people, is_open=each == 2) for each in range(3))
    store = Store.of(environ)
    manifest, bad, at_work = (
        kept(store, b"a dump", token=f"execution-{run.pk}") for run in (lost, damaged, working)
    )  # fmt: skip
    (Path(environ["BACKUP_DIR"]) / bad.name).write_bytes(b"a dumb")
    backup_sweep.sweep(environ)
    assert list(Backup.objects.values_list("execution_id", "sha256")) == [(lost.pk, manifest.sha256)]
    assert actions(f"backup:{lost.backup.pk}") == ["backup.found"]
    # What a run is at work on is its own to note; what was damaged is reported.
    assert set(StrayFile.objects.values_list("name", "kind")) == {
        (bad.name, "leftover"), (f"execution-{damaged.pk}.manifest.json", "unknown"),
        # Between its dump and its row there are seconds, and the next sweep sees that it belongs.
        (at_work.name, "leftover"),
    }  # fmt: skip
    backups.keep(working.pk, at_work.row())
    backup_sweep.sweep(environ)
    assert not StrayFile.objects.filter(name=at_work.name, gone_at__isnull=True).exists()


def test_what_belongs_to_no_backup_is_reported_and_only_later_removed(
    target: Target, people: dict[str, Any], environ: dict[str, str]
) -> None:
    backup = stored(environ, execution(target, people))
    folder = Path(environ["BACKUP_DIR"])
    left = {
        "20261103-040506.execution-99.partial": "partial",
        "backup-20260101-000000.dump": "leftover",
        f"before-execution-{execution(target, people).pk}.json": "leftover",
        "expected-execution-999999.json": "unknown",
        "README": "foreign",
    }
    for name in left:
        (folder / name).write_text("x")
    # Another portal's, or one that a restored database of the portal does not know.
    other = kept(Store.of(environ), b"another", token="execution-999999")
    left |= {other.name: "unknown", "execution-999999.manifest.json": "unknown"}
    backup_sweep.sweep(environ)
    backup_sweep.sweep(environ)
    assert dict(StrayFile.objects.values_list("name", "kind")) == left
    assert actions().count("stray_file.found") == len(left)
    assert set(left) < set(files(environ))

    StrayFile.objects.update(seen_at=timezone.now() - timedelta(hours=settings.BACKUP_STRAY_HOURS, minutes=1))
    backup_sweep.sweep(environ)
    remaining = {name for name, kind in left.items() if kind in {"unknown", "foreign"}}
    assert set(files(environ)) == remaining | {backup.name, f"execution-{backup.execution_id}.manifest.json"}
    assert actions().count("stray_file.removed") == len(left) - len(remaining)
    (folder / "README").unlink()
    backup_sweep.sweep(environ)
    assert actions()[-1] == "stray_file.gone"


def test_a_kept_backup_whose_file_went_or_shrank_is_marked_once(
    target: Target, people: dict[str, Any], environ: dict[str, str]
) -> None:
    gone, shrunk, whole = (stored(environ, execution(target, people)) for _ in range(3))
    (Path(environ["BACKUP_DIR"]) / gone.name).unlink()
    (Path(environ["BACKUP_DIR"]) / shrunk.name).write_bytes(b"a")
    for _ in range(2):
        backup_sweep.sweep(environ)
    found = dict(Backup.objects.values_list("pk", "refusal"))
    assert found == {
        gone.pk: "Its file is no longer in the store.", shrunk.pk: "Its file has 1 bytes instead of 6.", whole.pk: "",
    }  # fmt: skip
    assert actions().count("backup.refused") == 2


def test_the_database_itself_refuses_to_shorten_forget_or_remove_what_is_held(
    target: Target, people: dict[str, Any], environ: dict[str, str]
) -> None:
    over, young = (stored(environ, execution(target, people), days=days) for days in (OVER, 1))
    held = backups.hold(people["auditor"], over.pk, reason="Case 7", until=None)
    now = timezone.now()
    row, hold = Backup.objects.filter(pk=over.pk), BackupHold.objects.filter(pk=held.pk)
    for wrong in (
        lambda: row.update(expires_at=now),
        lambda: row.update(sha256="0" * 64),
        lambda: row._raw_delete("default"),
        lambda: row.update(removing_at=now),
        lambda: Backup.objects.filter(pk=young.pk).update(removing_at=now),
        lambda: hold.update(until=now),
        lambda: hold._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError, match="refused"), transaction.atomic():
            wrong()
    backups.lift(people["auditor"], over.pk, held.pk, reason="Closed")
    with pytest.raises(IntegrityError, match="only be lifted, once"), transaction.atomic():
        hold.update(lifted_at=None, lifted_by=None)
    backup_sweep.sweep(environ)
    with pytest.raises(IntegrityError, match="only be judged and removed, once"), transaction.atomic():
        row.update(removed_at=None)
