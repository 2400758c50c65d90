"""What the pages of kept backups show: a list with its stray files, and one backup with its holds and its facts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from approvals.roles import REQUESTING_ROLES, may
from approvals.services import database_time
from records.models import Fact
from records.paging import page_of
from rollbacks.services import backups
from rollbacks.side_models import Backup, BackupHold, StrayFile

TIMELINE = 100
STRAYS = 20


@dataclass(frozen=True)
class Row:
    """One backup in a list, with the state that its badge shows."""

    backup: Backup
    state: str


@dataclass(frozen=True)
class Hold:
    """One hold of a backup; `open` while it keeps it."""

    hold: BackupHold
    open: bool


@dataclass(frozen=True)
class BackupPage:
    """One backup: where it is, whether it can be relied on, what keeps it, and what the viewer may do with it."""

    backup: Backup
    state: str
    needs: tuple[str, ...]
    holds: tuple[Hold, ...]
    may_hold: bool
    may_restore: bool
    timeline: tuple[dict[str, Any], ...]


def backup_rows(before: int | None, *, target: str = "") -> tuple[list[Row], int | None]:
    """Return one page of backups, newest first, and the key of the next page, or None when this is the last."""
    held = Exists(backups.open_holds().filter(backup=OuterRef("pk")))
    found = Backup.objects.select_related("target", "execution").annotate(held=held)
    if target:
        found = found.filter(target__name=target)
    page, following = page_of(found, before)
    return [Row(each, _state(each, held=each.held)) for each in page], following


def stray_files() -> list[StrayFile]:
    """Return the newest files that belong to no backup and are still there."""
    return list(StrayFile.objects.filter(gone_at__isnull=True)[:STRAYS])


def backup_page(backup: Backup, person: Any) -> BackupPage:
    """Return the page's reading for this viewer."""
    now = database_time()
    rows = BackupHold.objects.filter(backup=backup).select_related("placed_by", "lifted_by")
    holds = tuple(Hold(row, row.lifted_at is None and (row.until is None or row.until > now)) for row in rows)
    facts = Fact.objects.filter(subject=backups.subject_of(backup.pk)).order_by("-seq")[:TIMELINE]
    return BackupPage(
        backup=backup,
        state=_state(backup, held=any(each.open for each in holds)),
        needs=() if backup.removing_at else backups.needs_of(backup),
        holds=holds,
        may_hold=backup.removing_at is None and may(person, backups.HOLDING_ROLES),
        may_restore=backup.removing_at is None and not backup.refusal and may(person, REQUESTING_ROLES),
        timeline=tuple({"fact": row, **json.loads(row.line)} for row in facts),
    )


def _state(backup: Backup, *, held: bool) -> str:
    if backup.removed_at:
        return "removed"
    if backup.removing_at:
        return "removing"
    if backup.refusal:
        return "bad_backup"
    if held:
        return "on_hold"
    return "kept" if backup.restored_at else "unproven_backup"
