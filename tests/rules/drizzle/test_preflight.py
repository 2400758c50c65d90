"""Each way in which journal, files, snapshots and ledger disagree is found, named and told apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollbacks.drizzle.journal import Layout, file_hash, read_folder, stringify
from rollbacks.drizzle.preflight import Ledger, LedgerRow, violations
from tests.rules.drizzle.samples import (
    COLUMNS,
    LAYOUT,
    NOW,
    START,
    entry,
    fixture_files,
    ledger_of,
    small_files,
    snapshot,
    with_entries,
)

Files = dict[str, bytes]


def found(files: Files, ledger: Ledger | None = None, **options: Any) -> dict[str, bool]:
    """The codes found, each with whether it blocks; every sentence is checked for being one."""
    layout = options.pop("layout", LAYOUT)
    rows = violations(read_folder(files), ledger or ledger_of(files), layout=layout, now_ms=options.pop("now", NOW))
    for each in rows:
        assert each.sentence[0] != " " and each.sentence.endswith(".") and "  " not in each.sentence
    return {each.code: each.blocks for each in rows}


def test_the_fixture_as_applied_has_no_violation() -> None:
    assert found(fixture_files(), now=1_795_429_220_638) == {}


def test_a_small_folder_as_applied_has_no_violation() -> None:
    assert found(small_files()) == {}


@pytest.mark.parametrize("kind", ["timestamp", "supabase"])
def test_a_folder_with_time_prefixes_has_no_violation(kind: str) -> None:
    files = small_files("20231114221320_a", "20231114221330_b")
    assert found(files, layout=replace(LAYOUT, prefix=kind)) == {}


def test_a_folder_with_unix_prefixes_has_no_violation() -> None:
    assert found(small_files("1700000000_a", "1700000010_b"), layout=replace(LAYOUT, prefix="unix")) == {}


LAYOUTS = {
    "absolute-out": replace(LAYOUT, out="/srv/drizzle"),
    "prefix": replace(LAYOUT, prefix="timestamp"),
    "prefix-none": replace(LAYOUT, prefix="none"),
    "prefix-unknown": replace(LAYOUT, prefix="roman"),
}


@pytest.mark.parametrize("code", LAYOUTS)
def test_settings_that_drizzle_kit_could_not_work_with_block(code: str) -> None:
    codes = found(small_files(), layout=LAYOUTS[code])
    assert codes[code] is True


def test_an_older_kind_of_prefix_is_named_without_blocking() -> None:
    files = small_files("0000_a", "20231114221330_b")
    assert found(files, layout=replace(LAYOUT, prefix="timestamp")) == {"prefix-changed": False}


@pytest.mark.parametrize("version", ["5", "6", "7"])
def test_every_version_that_drizzle_0_wrote_is_known(version: str) -> None:
    assert found(changed_journal(version=version, dialect="pg")) == {}


def changed_journal(**changes: Any) -> Files:
    files = small_files()
    content = {**json.loads(files["meta/_journal.json"]), **changes}
    return {**files, "meta/_journal.json": stringify(content).encode()}


def test_an_unknown_journal_version_and_another_dialect_block() -> None:
    assert found(changed_journal(version="8", dialect="mysql")) == {"dialect": True, "journal-version": True}


def test_a_missing_file_and_bytes_that_are_no_text_block() -> None:
    files = small_files()
    files["0001_two.sql"] = b"SELECT '\xe9'"
    ledger = ledger_of(files)
    del files["0002_three.sql"]
    assert found(files, ledger) == {"missing-file": True, "not-utf8": True}


def test_an_empty_journal_blocks() -> None:
    codes = found(with_entries(small_files(), list.clear), Ledger(True, COLUMNS, ()))
    assert codes == {"no-migrations": True, "empty-ledger": True}


ENTRIES: dict[str, tuple[Callable[[list[dict[str, Any]]], None], bool]] = {
    "falling-when": (lambda entries: entries[2].update(when=START), True),
    "duplicate-tag": (lambda entries: entries.append(entry(3, "0002_three")), True),
    "future-when": (lambda entries: entries[2].update(when=NOW + 120_000), True),
    "falling-idx": (lambda entries: entries[2].update(idx=1), True),
    "idx-gap": (lambda entries: entries[1].update(idx=0) or entries[0].update(idx=-2), False),
}


@pytest.mark.parametrize("code", ENTRIES)
def test_a_journal_that_was_edited_by_hand_is_noticed(code: str) -> None:
    change, blocks = ENTRIES[code]
    assert found(with_entries(small_files(), change))[code] is blocks


def test_an_equal_when_is_a_falling_one() -> None:
    files = with_entries(small_files(), lambda entries: entries[2].update(when=entries[1]["when"]))
    assert found(files)["falling-when"] is True


def test_when_is_compared_with_the_greatest_one_before_as_drizzle_kit_check_does() -> None:
    def change(entries: list[dict[str, Any]]) -> None:
        entries[0]["when"] = START + 500_000

    files = with_entries(small_files(), change)
    sentences = [each.sentence for each in violations(read_folder(files), ledger_of(files), layout=LAYOUT, now_ms=NOW)]
    assert len([each for each in sentences if "not later than that of 0000_one" in each]) == 2


def test_a_clock_that_is_a_little_ahead_is_no_violation() -> None:
    files = with_entries(small_files(), lambda entries: entries[2].update(when=NOW + 30_000))
    assert found(files) == {}


Change = Callable[[Ledger], Ledger]


def rows(change: Callable[[list[LedgerRow]], Any]) -> Change:
    def changed(ledger: Ledger) -> Ledger:
        kept = list(ledger.rows)
        change(kept)
        return replace(ledger, rows=tuple(kept))

    return changed


LEDGERS: dict[str, Change] = {
    "no-ledger": lambda ledger: Ledger(False, (), ()),
    "empty-ledger": lambda ledger: replace(ledger, rows=()),
    "ledger-1.0": lambda ledger: replace(ledger, columns=(*COLUMNS, "name", "applied_at")),
    "ledger-columns": lambda ledger: replace(ledger, columns=(*COLUMNS, "note")),
    "null-created-at": rows(lambda kept: kept.append(LedgerRow(9, "x", None))),
    "unknown-row": rows(lambda kept: kept.append(LedgerRow(9, "abc", START + 5))),
    "duplicate-row": rows(lambda kept: kept.append(replace(kept[1], id=9))),
    "ledger-gap": rows(lambda kept: kept.pop(1)),
    "not-applied": rows(lambda kept: kept.pop()),
    "edited-file": rows(lambda kept: kept.__setitem__(1, replace(kept[1], hash="0" * 64))),
}


@pytest.mark.parametrize("code", LEDGERS)
def test_a_ledger_that_disagrees_with_the_files_blocks(code: str) -> None:
    files = small_files()
    assert found(files, LEDGERS[code](ledger_of(files))) == {code: True}


def test_columns_in_another_order_are_the_same_columns() -> None:
    files = small_files()
    assert found(files, replace(ledger_of(files), columns=("created_at", "hash", "id"))) == {}


def test_a_when_that_was_changed_after_the_fact_is_told_from_an_unknown_row() -> None:
    files = small_files()
    ledger = ledger_of(files)
    moved = with_entries(files, lambda entries: entries[2].update(when=START + 30_000))
    assert found(moved, ledger) == {"not-applied": True, "moved-when": True}


@pytest.mark.parametrize(
    ("applied", "now", "code"),
    [
        (b"A\r\nB", b"A\nB", "line-endings"),
        (b"A\nB\n", b"A\r\nB\r\n", "line-endings"),
        (b"A\r\nB", b"A\nC", "edited-file"),
    ],
)
def test_a_file_with_other_line_ends_is_told_from_an_edited_one(applied: bytes, now: bytes, code: str) -> None:
    files = {**small_files(), "0001_two.sql": now}
    ledger = rows(lambda kept: kept.__setitem__(1, replace(kept[1], hash=file_hash(applied))))(ledger_of(files))
    assert found(files, ledger) == {code: True}


SNAPSHOTS: dict[str, tuple[Callable[[Files], Any], bool]] = {
    "stray-file": (lambda files: files.update({"meta/README.md": b"# notes"}), True),
    "malformed-snapshot": (lambda files: files.update({"meta/0001_snapshot.json": b"{"}), True),
    "snapshot-version": (
        lambda files: files.update({"meta/0001_snapshot.json": text(snapshot("0001_two", "0000_one", version="6"))}),
        True,
    ),
    "snapshot-collision": (
        lambda files: files.update({"meta/0002_snapshot.json": text(snapshot("0002_three", "0000_one"))}),
        True,
    ),
    "snapshot-ahead": (
        lambda files: files.update({"meta/0003_snapshot.json": text(snapshot("x", "0002_three"))}),
        True,
    ),
    "no-own-snapshot": (lambda files: files.pop("meta/0002_snapshot.json"), False),
}


def text(content: dict[str, Any]) -> bytes:
    return stringify(content).encode()


@pytest.mark.parametrize("code", SNAPSHOTS)
def test_snapshots_that_drizzle_kit_would_stumble_over_are_named(code: str) -> None:
    change, blocks = SNAPSHOTS[code]
    files = small_files()
    change(files)
    assert found(files) == {code: blocks}


def test_a_snapshot_without_its_parts_is_malformed() -> None:
    broken = {key: value for key, value in snapshot("0001_two", "0000_one").items() if key != "enums"}
    assert found({**small_files(), "meta/0001_snapshot.json": text(broken)}) == {"malformed-snapshot": True}


def test_a_folder_inside_meta_is_a_stray_file() -> None:
    assert found({**small_files(), "meta/old/0000_snapshot.json": b"{}"}) == {"stray-file": True}


def test_an_index_snapshot_among_time_prefixes_sorts_before_them_and_is_no_baseline() -> None:
    files = small_files("20231114221320_a", "20231114221330_b")
    files["meta/0035_snapshot.json"] = text(snapshot("stray", "other"))
    assert found(files, layout=replace(LAYOUT, prefix="timestamp")) == {}


def test_a_snapshot_from_the_future_would_stay_the_baseline() -> None:
    files = small_files("20231114221320_a", "20231114221330_b")
    files["meta/20991231000000_snapshot.json"] = text(snapshot("stray", "20231114221330_b"))
    assert found(files, layout=replace(LAYOUT, prefix="timestamp")) == {"snapshot-ahead": True}


def test_a_folder_without_any_snapshot_blocks() -> None:
    files = {name: content for name, content in small_files().items() if "snapshot" not in name}
    assert found(files) == {"no-snapshots": True}


def test_two_things_wrong_are_two_violations() -> None:
    files = small_files()
    ledger = ledger_of(files)
    del files["0000_one.sql"]
    files["meta/notes.txt"] = b""
    assert found(files, ledger, layout=Layout(out="/x")) == {
        "absolute-out": True,
        "missing-file": True,
        "stray-file": True,
    }
