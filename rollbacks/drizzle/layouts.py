"""The two layouts of Drizzle behind one door: the 0.x line has a journal, the 1.0 line a folder for each migration."""

from __future__ import annotations

from collections.abc import Mapping

from rollbacks.drizzle import folders_preflight, folders_recipe, journal, preflight, recipe
from rollbacks.drizzle.folders import SQL_FILE, is_of_folders, read_folders
from rollbacks.drizzle.journal import JOURNAL, LINE_1, Folder, JournalUnreadable, Layout
from rollbacks.drizzle.preflight import Ledger, Violation
from rollbacks.drizzle.recipe import RollbackFiles


def read_folder(files: Mapping[str, bytes]) -> Folder:
    """Read the files of a migrations folder of either line, named relative to it.

    Raises JournalUnreadable when they are of neither, or of both: migrate() of 1.0 refuses a folder with a journal.
    """
    if not is_of_folders(files):
        return journal.read_folder(files)
    if JOURNAL in files:
        raise JournalUnreadable(
            f"The migrations folder has {JOURNAL} beside folders of Drizzle 1.0, and migrate() refuses it so; run "
            "drizzle-kit up and merge what it changes."
        )
    return read_folders(files)


def file_of(folder: Folder, tag: str) -> str:
    """Return where a migration's SQL is, relative to the folder."""
    return f"{tag}/{SQL_FILE}" if folder.line == LINE_1 else f"{tag}.sql"


def violations(folder: Folder, ledger: Ledger, *, layout: Layout, now_ms: int) -> tuple[Violation, ...]:
    """Return every violation, as rollbacks.drizzle.preflight describes them for 0.x and folders_preflight for 1.0."""
    if folder.line == LINE_1:
        return folders_preflight.violations(folder, ledger, now_ms=now_ms)
    return preflight.violations(folder, ledger, layout=layout, now_ms=now_ms)


def compose(
    folder: Folder, ledger: Ledger, *, layout: Layout, return_to: str | None, tag_description: str, sql: str,
    now_ms: int, snapshot_id: str,
) -> RollbackFiles:  # fmt: skip
    """Return the files of a rollback in the folder's own line; raises NoSnapshot, NameTaken or KeyError."""
    if folder.line == LINE_1:
        return folders_recipe.compose(
            folder, ledger, return_to=return_to, tag_description=tag_description, sql=sql, now_ms=now_ms,
            snapshot_id=snapshot_id,
        )  # fmt: skip
    return recipe.compose(
        folder, ledger, layout=layout, return_to=return_to, tag_description=tag_description, sql=sql, now_ms=now_ms,
        snapshot_id=snapshot_id,
    )  # fmt: skip
