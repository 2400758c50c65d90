"""The chains that drizzle-kit wrote: their folders, and the rows that somebody wrote while they were deployed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rollbacks.drizzle.journal import Folder, read_folder

ROOT = Path(__file__).parent
NAMES = ("shop", "clinic", "meter")
MARK = re.compile(r"^-- after: (\d{4})$", re.MULTILINE)


@dataclass(frozen=True)
class Chain:
    """A chain's name, its migrations folder, and the SQL that writes rows once a migration is there, by its number."""

    name: str
    folder: Folder
    rows: dict[int, str]


def chain(name: str) -> Chain:
    """Read one chain from its folder."""
    root = ROOT / name / "drizzle"
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    parts = MARK.split((ROOT / name / "rows.sql").read_text())[1:]
    rows = {int(number): sql for number, sql in zip(parts[::2], parts[1::2], strict=True)}
    return Chain(name, read_folder(files), rows)


CHAINS = {name: chain(name) for name in NAMES}
