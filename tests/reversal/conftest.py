"""A scratch server and folders made on the spot."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import pytest

from rollbacks.adapters.scratch import Scratch
from rollbacks.drizzle.journal import Folder, Layout, read_folder

LAYOUT = Layout(out="drizzle", prefix="index", ledger_schema="drizzle", ledger_table="__drizzle_migrations")


@pytest.fixture(scope="session")
def scratch() -> Scratch:
    """The test run's scratch server."""
    return Scratch.of(os.environ)


def folder_of(migrations: Sequence[str]) -> Folder:
    """Return a folder of these migrations, tagged 0000_m0, 0001_m1 and so on."""
    entries = [
        {"idx": n, "version": "7", "when": 1_700_000_000_000 + n * 1000, "tag": f"{n:04d}_m{n}", "breakpoints": True}
        for n in range(len(migrations))
    ]
    journal = {"version": "7", "dialect": "postgresql", "entries": entries}
    files = {f"{n:04d}_m{n}.sql": text.encode() for n, text in enumerate(migrations)}
    return read_folder({"meta/_journal.json": json.dumps(journal).encode(), **files})
