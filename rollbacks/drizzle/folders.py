"""Reading a migrations folder of Drizzle 1.0: one folder for each migration, no journal.

Source: drizzle-kit and drizzle-orm 1.0.0-rc.4 and rc.5, read and tried. Order is the order of the folder names, the
ledger knows a migration by that name, and each snapshot names its parents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rollbacks.drizzle.journal import LINE_1, Folder, JournalUnreadable, Migration, file_hash, is_utf8, read_snapshot

SQL_FILE, SNAPSHOT_FILE = "migration.sql", "snapshot.json"
TIMED = re.compile(r"\d{14}")
# JavaScript's localeCompare puts punctuation before digits and letters, and asks for upper or lower case last.
PUNCTUATION = str.maketrans({"_": "\x01", "-": "\x02"})


def is_of_folders(files: Mapping[str, bytes]) -> bool:
    """Tell whether these files are of the 1.0 line."""
    return any(path.count("/") == 1 and path.endswith(f"/{SQL_FILE}") for path in files)


def read_folders(files: Mapping[str, bytes]) -> Folder:
    """Return the folder of these files, named relative to it; `idx` is the position, `tag` the folder's name.

    Raises JournalUnreadable for a folder whose name does not begin with its time, because nobody could tell where a
    rollback's folder has to sort.
    """
    names = sorted(
        (path.partition("/")[0] for path in files if path.count("/") == 1 and path.endswith(f"/{SQL_FILE}")), key=_place
    )
    migrations = tuple(_migration(number, name, files) for number, name in enumerate(names))
    snapshots = {
        path.partition("/")[0]: read_snapshot(content)
        for path, content in sorted(files.items())
        if path.count("/") == 1 and path.endswith(f"/{SNAPSHOT_FILE}")
    }
    return Folder(
        version=_version(snapshots.values()),
        dialect="postgresql",
        journal_text="",
        migrations=migrations,
        snapshots=snapshots,
        line=LINE_1,
    )


def folder_time(name: str) -> int:
    """Return the time in ms that migrate() reads off a folder's name; raises JournalUnreadable when it has none."""
    try:
        if not TIMED.match(name):
            raise ValueError
        return int(datetime.strptime(name[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError as error:
        raise JournalUnreadable(
            f"The folder {name} does not begin with its time (YYYYMMDDHHMMSS), as drizzle-kit 1.0 names them; rename it."
        ) from error


def _place(name: str) -> tuple[str, str]:
    return name.lower().translate(PUNCTUATION), name


def _migration(number: int, name: str, files: Mapping[str, bytes]) -> Migration:
    content = files[f"{name}/{SQL_FILE}"]
    return Migration(
        idx=number,
        version="",
        when=folder_time(name),
        tag=name,
        breakpoints=True,
        sql=content.decode("utf-8", errors="replace"),
        sha256=file_hash(content),
        valid_utf8=is_utf8(content),
    )


def _version(snapshots: Any) -> str:
    return max((str(each.get("version", "")) for each in snapshots if each), default="")
