"""Sweeping a store: removing backups whose time is over, noting those without a row, and what belongs to none.

No transaction is open while the store is touched. Only what nobody can restore anything from is removed unasked: a whole
backup of an execution that this portal does not know may be another portal's, or newer than a restored database.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from records import trail
from rollbacks.adapters.places import PARTIAL, Entry
from rollbacks.adapters.store import MANIFEST, Store, StoreRefused
from rollbacks.models import Execution
from rollbacks.ports import StepFailed
from rollbacks.services import backups
from rollbacks.side_models import Backup, StrayFile

logger = logging.getLogger(__name__)

Kind = StrayFile.Kind
DUMP = re.compile(r"backup-[0-9]{8}-[0-9]{6}(?:-[0-9a-f]+)?\.dump(?:\.age)?")
TOKEN = re.compile(r"execution-([0-9]{1,18})")
# What the steps of an execution keep beside its backup (expectation, earlier, apply_by_command).
NOTES = ("expected", "before", "commit")
NOTE = re.compile(rf"(?:{'|'.join(NOTES)})-execution-([0-9]{{1,18}})\.json")
REMOVED_UNASKED = (Kind.PARTIAL, Kind.LEFTOVER)


def sweep(environ: Mapping[str, str]) -> None:
    """Do all of it; raises StoreRefused when the store cannot be used."""
    store = Store.of(environ)
    for pk in backups.to_remove(store.place.where):
        begun = backups.begin_removal(pk)
        if begun is not None:
            _remove(store, begun)
    entries = store.entries()
    found = _adopted(store, entries)
    _note_missing(store, entries)
    _note_strays(store, entries, found)


def _remove(store: Store, backup: Backup) -> None:
    token = backups.token_of(backup)
    try:
        # The manifest goes first: from then on nobody takes the rest for a backup.
        notes = (f"{note}-{token}.json" for note in NOTES)
        for name in (f"{token}{MANIFEST}", backup.name, *notes):
            store.remove(name)
    except StoreRefused as error:
        logger.warning("The removal of %s goes on at the next sweep: %s", backup.name, error)
        return
    backups.finish_removal(backup.pk)


def _adopted(store: Store, entries: list[Entry]) -> set[str]:
    """Note complete backups of executions that are over and have no row; return the files of those that could not be.

    A worker that dies between the store and the portal leaves one; what is read has to have the manifest's sum.
    """
    tokens = {each.name.removesuffix(MANIFEST) for each in entries if each.name.endswith(MANIFEST)}
    numbers = {int(found[1]) for token in tokens if (found := TOKEN.fullmatch(token))}
    known = set(Backup.objects.filter(execution__in=numbers).values_list("execution_id", flat=True))
    over = dict(Execution.objects.filter(pk__in=numbers - known, is_open=False).values_list("pk", "digest"))
    unknown: set[str] = set()
    for number in sorted(numbers - known):
        token = f"execution-{number}"
        try:
            manifest = store.find(token)
            if manifest is None:
                continue
            if number in over and manifest.digest in {"", over[number]}:
                store.verify(manifest)
                backups.keep(number, {**manifest.row(), "location": store.place.where}, found=True)
                continue
            if number not in over and Execution.objects.filter(pk=number, digest=manifest.digest).exists():
                # Its run goes on and will note it by itself.
                continue
            unknown |= {f"{token}{MANIFEST}", manifest.name}
        except (StoreRefused, StepFailed) as error:
            logger.warning("The backup of %s was not noted: %s", token, error)
            unknown.add(f"{token}{MANIFEST}")
    return unknown


def _note_missing(store: Store, entries: list[Entry]) -> None:
    """Mark kept backups whose file is gone or has another size; reading them all would take days."""
    sizes = {each.name: each.size for each in entries}
    kept = Backup.objects.filter(location=store.place.where, removing_at__isnull=True)
    # One that was kept after the store was listed is not missing.
    for backup in kept.filter(made_at__lt=Now() - timedelta(hours=1)):
        if backup.name not in sizes:
            backups.refuse(backup.pk, "Its file is no longer in the store.")
        elif sizes[backup.name] != backup.size:
            backups.refuse(backup.pk, f"Its file has {sizes[backup.name]} bytes instead of {backup.size}.")


def _note_strays(store: Store, entries: list[Entry], unknown: set[str]) -> None:
    """Note what belongs to no kept backup, and remove what has lain there long enough and is good for nothing."""
    location = store.place.where
    unknown |= _notes_of_others(entries)
    strays = {each.name: each for each in entries}
    for name in _belonging(location, strays):
        del strays[name]
    noted = {row.name: row for row in StrayFile.objects.filter(location=location, gone_at__isnull=True)}
    for name, entry in strays.items():
        if name not in noted:
            _note(location, entry, _kind_of(name, unknown))
    for name, row in noted.items():
        if name not in strays:
            _close(row, "stray_file.gone")
    over = StrayFile.objects.filter(
        location=location, gone_at__isnull=True, kind__in=REMOVED_UNASKED,
        seen_at__lt=Now() - timedelta(hours=settings.BACKUP_STRAY_HOURS), name__in=list(strays),
    )  # fmt: skip
    for row in over:
        _remove_stray(store, row)


def _kind_of(name: str, unknown: set[str]) -> StrayFile.Kind:
    """Say what a file is that belongs to no kept backup."""
    if name in unknown:
        return Kind.UNKNOWN
    if name.endswith(PARTIAL):
        return Kind.PARTIAL
    if DUMP.fullmatch(name) or NOTE.fullmatch(name):
        return Kind.LEFTOVER
    return Kind.UNKNOWN if name.endswith(MANIFEST) else Kind.FOREIGN


def _belonging(location: str, names: Mapping[str, Entry]) -> set[str]:
    """Return which of the files belong to a backup that is kept here, or to an execution that is at work."""
    rows = Backup.objects.filter(location=location, removed_at__isnull=True).values_list("name", "execution_id")
    working = set(Execution.objects.filter(is_open=True).values_list("pk", flat=True))
    kept = dict(rows)
    tokens = {f"execution-{pk}" for pk in {*kept.values(), *working}}
    found = {name for name in names if name in kept}
    for name in names:
        note = NOTE.fullmatch(name)
        token = f"execution-{note[1]}" if note else name.removesuffix(MANIFEST) if name.endswith(MANIFEST) else ""
        if token in tokens:
            found.add(name)
    return found


def _note(location: str, entry: Entry, kind: StrayFile.Kind) -> None:
    with trail.recording(None) as facts:
        row = StrayFile.objects.create(location=location, name=entry.name, size=entry.size, kind=kind)
        facts.add("stray_file.found", f"stray-file:{row.pk}", name=entry.name, bytes=entry.size, kind=kind.value)


def _remove_stray(store: Store, row: StrayFile) -> None:
    try:
        store.remove(row.name)
    except StoreRefused as error:
        logger.warning("%s", error)
        return
    _close(row, "stray_file.removed")


def _close(row: StrayFile, action: str) -> None:
    with trail.recording(None) as facts:
        if StrayFile.objects.filter(pk=row.pk, gone_at__isnull=True).update(gone_at=Now()):
            facts.add(action, f"stray-file:{row.pk}", name=row.name, bytes=row.size)


def _notes_of_others(entries: list[Entry]) -> set[str]:
    """Return the notes beside backups of executions that this portal does not have."""
    numbers = {each.name: int(found[1]) for each in entries if (found := NOTE.fullmatch(each.name))}
    ours = set(Execution.objects.filter(pk__in=numbers.values()).values_list("pk", flat=True))
    return {name for name, number in numbers.items() if number not in ours}
