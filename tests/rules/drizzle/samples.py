"""Migrations folders and ledgers for tests: the fixture's, and small ones with one thing wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rollbacks.drizzle.journal import ORIGIN, Folder, Layout, file_hash, read_folder, stringify
from rollbacks.drizzle.preflight import Ledger, LedgerRow

FIXTURE = Path(__file__).parents[3] / "demo" / "nzila" / "packages" / "db" / "drizzle"
LAYOUT = Layout(out="packages/db/drizzle")
COLUMNS = ("id", "hash", "created_at")
START = 1_700_000_000_000
NOW = START + 1_000_000


def fixture_files() -> dict[str, bytes]:
    return {str(path.relative_to(FIXTURE)): path.read_bytes() for path in FIXTURE.rglob("*") if path.is_file()}


def snapshot(name: str, parent: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id-{name}",
        "prevId": f"id-{parent}" if parent else ORIGIN,
        "version": "7",
        "dialect": "postgresql",
        "tables": {"public.t": {"name": name}},
        "enums": {},
        "schemas": {},
        "_meta": {"columns": {}, "schemas": {}, "tables": {}},
        **changes,
    }


def entry(idx: int, tag: str, when: int | None = None) -> dict[str, Any]:
    when = START + idx * 10_000 if when is None else when
    return {"idx": idx, "version": "7", "when": when, "tag": tag, "breakpoints": True}


def small_files(*tags: str) -> dict[str, bytes]:
    """A folder with these entries, each with an SQL file and a snapshot that continues the one before."""
    tags = tags or ("0000_one", "0001_two", "0002_three")
    entries = [entry(position, tag) for position, tag in enumerate(tags)]
    files = {"meta/_journal.json": journal(entries)}
    for position, tag in enumerate(tags):
        files[f"{tag}.sql"] = f"SELECT {position};".encode()
        parent = tags[position - 1] if position else None
        files[f"meta/{tag.split('_')[0]}_snapshot.json"] = stringify(snapshot(tag, parent)).encode()
    return files


def journal(entries: list[dict[str, Any]], **changes: Any) -> bytes:
    return stringify({"version": "7", "dialect": "postgresql", "entries": entries, **changes}).encode()


def with_entries(files: dict[str, bytes], change: Any) -> dict[str, bytes]:
    """The folder with its journal's entries changed in place by the function."""
    content = json.loads(files["meta/_journal.json"])
    change(content["entries"])
    return {**files, "meta/_journal.json": stringify(content).encode()}


def ledger_of(files: dict[str, bytes]) -> Ledger:
    """The ledger of a database to which exactly this folder was applied."""
    entries = json.loads(files["meta/_journal.json"])["entries"]
    rows = [
        LedgerRow(number, file_hash(files.get(f"{each['tag']}.sql", b"")), each["when"])
        for number, each in enumerate(entries, start=1)
    ]
    return Ledger(True, COLUMNS, tuple(rows))


def small_folder(*tags: str) -> Folder:
    return read_folder(small_files(*tags))
