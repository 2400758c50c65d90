"""Kept backups: noted when they are complete, held by auditors and security, removed when their time is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from approvals.roles import AUDITOR, SECURITY, may
from approvals.services import database_time
from records import trail
from records.trail import Facts
from rollbacks.models import Execution
from rollbacks.ports import Evidence, StepFailed
from rollbacks.services.moves import NotAllowed, Refused
from rollbacks.side_models import Backup, BackupHold

HOLDING_ROLES = (AUDITOR, SECURITY)
EXPIRED = "Its time is over."
# Each says why a backup is needed by something above this application, or nothing; see RecoveriesConfig.ready.
NEEDS: list[Callable[[Backup], str]] = []


def subject_of(pk: int) -> str:
    """Return how the trail names a backup."""
    return f"backup:{pk}"


def token_of(backup: Backup) -> str:
    """Return the name under which the store has the backup's manifest."""
    return f"execution-{backup.execution_id}"


def keep(execution_id: int, kept: Evidence, *, found: bool = False) -> None:
    """Note that the execution's backup is in the store; the same one again changes nothing.

    `found` is for one that a sweep came upon without a row. Raises StepFailed when the execution has another backup.
    """
    with trail.recording(None) as facts:
        execution = Execution.objects.select_for_update(of=("self",)).select_related("target").get(pk=execution_id)
        before = Backup.objects.filter(execution=execution).first()
        if before is not None:
            if before.sha256 != kept["sha256"]:
                raise StepFailed(
                    f"The store has another backup of this execution than the portal knows ({before.name}); start again. "
                    "Nothing was changed on the target."
                )
            return
        made_at = datetime.fromisoformat(kept["made_at"])
        days = execution.target.backup_days or settings.BACKUP_DAYS
        backup = Backup.objects.create(
            execution=execution, target=execution.target, **{**kept, "made_at": made_at},
            expires_at=made_at + timedelta(days=days),
        )  # fmt: skip
        facts.add(
            "backup.found" if found else "backup.kept", subject_of(backup.pk), request=execution.request_id,
            execution=execution.pk, name=backup.name, sha256=backup.sha256, bytes=backup.size,
            recipients=backup.recipients, expires_at=backup.expires_at.isoformat(),
        )  # fmt: skip


def judge(execution_id: int, sentence: str) -> None:
    """Note that the execution's backup was restored and counted (no sentence), or why it cannot be relied on."""
    with trail.recording(None) as facts:
        backup = Backup.objects.select_for_update().filter(execution=execution_id).first()
        if backup is not None:
            _judge(facts, backup, sentence)


def refuse(pk: int, sentence: str) -> None:
    """Note what a sweep found wrong with a kept backup; the same sentence again is no news."""
    with trail.recording(None) as facts:
        backup = Backup.objects.select_for_update().filter(pk=pk, removing_at__isnull=True).first()
        if backup is not None and backup.refusal != sentence:
            _judge(facts, backup, sentence)


def _judge(facts: Facts, backup: Backup, sentence: str) -> None:
    if sentence:
        Backup.objects.filter(pk=backup.pk).update(refusal=sentence)
        facts.add("backup.refused", subject_of(backup.pk), name=backup.name, sentence=sentence)
        return
    Backup.objects.filter(pk=backup.pk).update(restored_at=Now(), refusal="")
    facts.add("backup.restored", subject_of(backup.pk), name=backup.name, sha256=backup.sha256)


def hold(person: Any, pk: int, *, reason: str, until: datetime | None) -> BackupHold:
    """Keep a backup whatever its time says; raises NotAllowed, and Refused where it is too late or a word is missing."""
    refuse_others(person)
    if not reason.strip():
        raise Refused("Say why the backup has to be kept; whoever lifts the hold reads it.")
    with trail.recording(person) as facts:
        backup = Backup.objects.select_for_update().get(pk=pk)
        if backup.removing_at is not None:
            raise Refused("This backup is removed or being removed, so it cannot be held any more.")
        if until is not None and until <= database_time():
            raise Refused("A hold ends in the future; choose a later day, or leave it empty.")
        placed = BackupHold.objects.create(backup=backup, placed_by=person, reason=reason.strip(), until=until)
        facts.add(
            "backup.hold_placed", subject_of(pk), hold=placed.pk, reason=placed.reason,
            until=until.isoformat() if until else None,
        )  # fmt: skip
        return placed


def lift(person: Any, pk: int, hold_pk: int, *, reason: str) -> None:
    """End a hold; raises NotAllowed, and Refused where it is lifted already or a word is missing."""
    refuse_others(person)
    if not reason.strip():
        raise Refused("Say why the backup need not be kept any longer.")
    with trail.recording(person) as facts:
        Backup.objects.select_for_update().get(pk=pk)
        lifted = BackupHold.objects.filter(pk=hold_pk, backup=pk, lifted_at__isnull=True).update(
            lifted_at=Now(), lifted_by=person, lift_reason=reason.strip()
        )
        if not lifted:
            raise Refused("This hold was lifted already; open the backup again.")
        facts.add("backup.hold_lifted", subject_of(pk), hold=hold_pk, reason=reason.strip())


def open_holds() -> QuerySet[BackupHold]:
    """Return the holds that keep a backup at this moment."""
    return BackupHold.objects.filter(Q(until__isnull=True) | Q(until__gt=Now()), lifted_at__isnull=True)


def to_remove(location: str) -> list[int]:
    """Return the backups of this store whose removal may begin or was begun, oldest first."""
    held = open_holds().filter(backup=OuterRef("pk"))
    begun = Q(removing_at__isnull=False)
    over = Q(expires_at__lt=Now(), execution__is_open=False) & ~Exists(held)
    rows = Backup.objects.filter(begun | over, location=location, removed_at__isnull=True)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:1000])


def begin_removal(pk: int) -> Backup | None:
    """Decide to remove the backup, judged again under its lock; None when something still needs it.

    A removal that was begun goes on: by then nobody can hold the backup any more.
    """
    with trail.recording(None) as facts:
        backup = Backup.objects.select_for_update(of=("self",)).select_related("execution").get(pk=pk)
        if backup.removed_at is not None:
            return None
        if backup.removing_at is not None:
            return backup
        if needs_of(backup):
            return None
        Backup.objects.filter(pk=pk).update(removing_at=Now(), removal=EXPIRED)
        facts.add("backup.removal_begun", subject_of(pk), name=backup.name, reason=EXPIRED)
        return backup


def needs_of(backup: Backup) -> tuple[str, ...]:
    """Return why the backup may not be removed now, one sentence for each reason; none when it may."""
    reasons = (
        "Its time is not over." if backup.expires_at > database_time() else "",
        "Its run is not over." if backup.execution.is_open else "",
        "It is held." if open_holds().filter(backup=backup).exists() else "",
        *(why(backup) for why in NEEDS),
    )
    return tuple(filter(None, reasons))


def finish_removal(pk: int) -> None:
    """Note that nothing of the backup is in the store any more."""
    with trail.recording(None) as facts:
        backup = Backup.objects.select_for_update().get(pk=pk)
        if Backup.objects.filter(pk=pk, removing_at__isnull=False, removed_at__isnull=True).update(removed_at=Now()):
            facts.add("backup.removed", subject_of(pk), name=backup.name, sha256=backup.sha256, reason=backup.removal)


def refuse_others(person: Any) -> None:
    """Raise NotAllowed unless the person may place and lift holds."""
    if not may(person, HOLDING_ROLES):
        raise NotAllowed("Only auditors and the security team may hold backups and lift holds.")
