"""Drizzle 1.0's folders: reading them, what can disagree, and the files of a rollback."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollbacks.drizzle.folders_preflight import COLUMNS
from rollbacks.drizzle.inventory import inventory
from rollbacks.drizzle.journal import ORIGIN, Folder, JournalUnreadable, Layout
from rollbacks.drizzle.layouts import compose, file_of, read_folder, violations
from rollbacks.drizzle.preflight import Ledger, LedgerRow
from rollbacks.drizzle.recipe import NoSnapshot
from rollbacks.drizzle.states import Unfoldable, difference, state_of

CHAINS = Path(__file__).parents[2] / "toolchain" / "folders"
LAYOUT = Layout(out="drizzle")
NOW = 1_795_600_000_000


def files_of(version: str) -> dict[str, bytes]:
    root = CHAINS / version / "drizzle"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def ledger_of(folder: Folder) -> Ledger:
    rows = [
        LedgerRow(number, each.sha256 or "", each.when, each.tag, "2026-11-25T10:00:00+00:00")
        for number, each in enumerate(folder.migrations, 1)
    ]
    return Ledger(True, tuple(COLUMNS), tuple(rows))


def codes(folder: Folder, ledger: Ledger | None = None) -> list[str]:
    return [each.code for each in violations(folder, ledger or ledger_of(folder), layout=LAYOUT, now_ms=NOW)]


def changed(folder: Folder, number: int, **values: Any) -> Ledger:
    ledger = ledger_of(folder)
    rows = [LedgerRow(**{**vars(row), **(values if row.id == number else {})}) for row in ledger.rows]
    return Ledger(True, ledger.columns, tuple(rows))


def rewritten(files: dict[str, bytes], part: str, **values: Any) -> dict[str, bytes]:
    """Return the files with values changed in the snapshot of the folder that has this in its name."""
    path = next(path for path in files if part in path and path.endswith("snapshot.json"))
    return {**files, path: json.dumps({**json.loads(files[path]), **values}).encode()}


@pytest.mark.parametrize("version", ["rc4", "rc5"])
def test_a_folder_of_1_0_is_read_in_the_order_of_its_names(version: str) -> None:
    folder = read_folder(files_of(version))
    assert [each.tag[15:] for each in folder.migrations] == ["step1", "step2", "step3", "step4", "touch"]
    assert [each.idx for each in folder.migrations] == [0, 1, 2, 3, 4]
    assert folder.migrations[0].when % 1000 == 0 and folder.line == "1.0"
    assert folder.version == {"rc4": "8", "rc5": "9"}[version]
    assert codes(folder) == []
    assert [row.applied_at for row in inventory(folder, ledger_of(folder))] == ["2026-11-25T10:00:00+00:00"] * 5


def test_a_migration_is_found_where_its_line_keeps_it() -> None:
    folder = read_folder(files_of("rc4"))
    tag = folder.migrations[0].tag
    assert file_of(folder, tag) == f"{tag}/migration.sql" and file_of(folder, tag) in files_of("rc4")
    assert file_of(replace(folder, line="0.x"), "0000_initial") == "0000_initial.sql"


def test_names_are_ordered_as_javascript_compares_them() -> None:
    names = ["20260101000000_b", "20260101000000_a1", "20260101000000_a_b", "20260101000000_A"]
    files = {f"{name}/migration.sql": b"" for name in names}
    assert [each.tag[15:] for each in read_folder(files).migrations] == ["A", "a_b", "a1", "b"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"meta/_journal.json": b"{}", "20260101000000_a/migration.sql": b""}, "run drizzle-kit up"),
        ({"first/migration.sql": b""}, "does not begin with its time"),
        ({"20261301000000_a/migration.sql": b""}, "does not begin with its time"),
    ],
)
def test_a_folder_of_neither_line_is_refused_with_a_sentence(files: dict[str, bytes], words: str) -> None:
    with pytest.raises(JournalUnreadable, match=words):
        read_folder(files)


def test_every_disagreement_with_the_ledger_has_its_code() -> None:
    folder = read_folder(files_of("rc5"))
    whole = ledger_of(folder)
    assert codes(folder, Ledger(False, (), ())) == ["no-ledger"]
    assert codes(folder, Ledger(True, ("id", "hash", "created_at"), whole.rows)) == ["ledger-0.x"]
    assert codes(folder, Ledger(True, ("id", "hash", "name"), ())) == ["ledger-columns"]
    assert codes(folder, Ledger(True, whole.columns, ())) == ["empty-ledger"]
    assert codes(folder, changed(folder, 5, name=None)) == ["nameless-row", "not-applied"]
    assert codes(folder, changed(folder, 5, name="20260101000000_x")) == ["not-applied", "unknown-row"]
    assert codes(folder, changed(folder, 2, hash="0" * 64)) == ["edited"]
    assert codes(folder, changed(folder, 2, id=9)) == ["out-of-order"]
    twice = (*whole.rows, LedgerRow(6, whole.rows[4].hash, 1, whole.rows[4].name))
    assert codes(folder, Ledger(True, whole.columns, twice)) == ["duplicate-row"]


def test_every_disagreement_of_the_files_has_its_code() -> None:
    files = files_of("rc5")
    touch = next(path.partition("/")[0] for path in files if "touch" in path)
    assert codes(read_folder({**files, f"{touch}/snapshot.json": b"[]"})) == ["malformed-snapshot"]
    without = {path: content for path, content in files.items() if path != f"{touch}/snapshot.json"}
    assert codes(read_folder(without)) == ["missing-snapshot"]
    assert codes(read_folder(rewritten(files, "touch", version="10"))) == ["snapshot-version"]
    assert codes(read_folder(rewritten(files, "touch", version="8"))) == ["snapshot-versions"]
    assert codes(read_folder(rewritten(files, "touch", prevIds=[ORIGIN]))) == ["leaves"]
    first = json.loads(next(content for path, content in files.items() if "step1/snap" in path))["id"]
    assert "snapshot-collision" in codes(read_folder(rewritten(files, "step2", id=first)))
    folder = read_folder({**files, f"{touch}/migration.sql": b"\xff"})
    assert codes(folder) == ["not-utf8"]
    future = read_folder({**files, "20991231000000_x/migration.sql": b"", "20991231000000_x/snapshot.json": b"{}"})
    assert "future-folder" in codes(future)


def composed(folder: Folder, return_to: str | None) -> Any:
    return compose(
        folder, ledger_of(folder), layout=LAYOUT, return_to=return_to, tag_description="to it", sql="SELECT 1;\n",
        now_ms=NOW, snapshot_id="11111111-1111-4111-8111-111111111111",
    )  # fmt: skip


@pytest.mark.parametrize("version", ["rc4", "rc5"])
@pytest.mark.parametrize("position", [None, 0, 1, 2, 3])
def test_the_snapshot_of_a_rollback_stands_for_the_return_point(version: str, position: int | None) -> None:
    files = files_of(version)
    folder = read_folder(files)
    return_to = None if position is None else folder.migrations[position].tag
    made = composed(folder, return_to)
    assert made.ledger_name == made.tag == "20261125101320_rollback_to_it" or made.tag.endswith("_rollback_to_it")
    after = read_folder({**files, **made.contents})
    assert after.migrations[-1].tag == made.tag and after.migrations[-1].when == made.when
    assert codes(after) == []
    by_id = {each["id"]: each for each in after.snapshots.values() if each}
    new = state_of(by_id, "11111111-1111-4111-8111-111111111111")
    old = {} if return_to is None else state_of(by_id, (folder.snapshots[return_to] or {})["id"])
    assert difference(old, new) == [] and (new != {}) is (return_to is not None)


def test_a_rename_carries_everything_that_refers_to_it() -> None:
    folder = read_folder(files_of("rc5"))
    by_id = {each["id"]: each for each in folder.snapshots.values() if each}
    third = state_of(by_id, (folder.snapshots[folder.migrations[2].tag] or {})["id"])
    whole = json.dumps(list(third.values()))
    assert '"animals"' in whole and '"full_name"' in whole
    assert '"table": "pets"' not in whole and '"value": "name"' not in whole


def test_a_rollback_is_named_after_everything_that_is_there() -> None:
    files = files_of("rc5")
    folder = read_folder({**files, "20301231000000_x/migration.sql": b"", "20301231000000_x/snapshot.json": b"{}"})
    with pytest.raises(NoSnapshot):
        composed(folder, folder.migrations[0].tag)
    later = changed(read_folder(files), 5, created_at=1_900_000_000_500)
    made = compose(
        read_folder(files),
        later,
        layout=LAYOUT,
        return_to=None,
        tag_description="x",
        sql="",
        now_ms=NOW,
        snapshot_id="i",
    )
    assert made.when == 1_900_000_002_000


def test_a_history_that_cannot_be_followed_is_said() -> None:
    folder = read_folder(files_of("rc5"))
    by_id = {each["id"]: each for each in folder.snapshots.values() if each}
    leaf = (folder.snapshots[folder.migrations[4].tag] or {})["id"]
    for missing in [key for key in by_id if key != leaf]:
        with pytest.raises(Unfoldable, match="not in the migrations folder"):
            state_of({key: each for key, each in by_id.items() if key != missing}, leaf)
    strange = {**by_id, leaf: {**by_id[leaf], "deltas": [{"op": "merge"}]}}
    with pytest.raises(Unfoldable, match="“merge”"):
        state_of(strange, leaf)
    strange[leaf] = {**by_id[leaf], "deltas": [{"op": "create", "row": {"entityType": "wormholes"}}]}
    with pytest.raises(Unfoldable, match="wormholes"):
        state_of(strange, leaf)
