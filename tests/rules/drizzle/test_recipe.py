"""The files of a rollback are those that migrate(), check and generate can go on from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbacks.drizzle.journal import JOURNAL, ORIGIN, Folder, append_entry, read_folder, stringify
from rollbacks.drizzle.preflight import Ledger, violations
from rollbacks.drizzle.recipe import NameTaken, NoSnapshot, RollbackFiles, compose
from tests.rules.drizzle.samples import LAYOUT, NOW, START, fixture_files, ledger_of, small_files, snapshot

SNAPSHOT_ID = "5b0ac1d2-3c1a-4f43-9a9c-0d2f3f5f7a11"


def snapshot_of(rollback: RollbackFiles) -> tuple[str, str]:
    """Return the name and the text of the snapshot that a rollback writes."""
    ((name, content),) = [each for each in rollback.contents.items() if each[0].endswith("_snapshot.json")]
    return name.removeprefix("meta/"), content.decode()


def journal_of(rollback: RollbackFiles) -> str:
    return rollback.contents[JOURNAL].decode()


def made(files: dict[str, bytes], return_to: str | None, **options: Any) -> RollbackFiles:
    given_options: dict[str, Any] = {
        "layout": LAYOUT,
        "tag_description": "back",
        "sql": "DROP TABLE t;\n",
        "now_ms": NOW,
        "snapshot_id": SNAPSHOT_ID,
    }
    ledger = options.pop("ledger", None) or ledger_of(files)
    return compose(read_folder(files), ledger, return_to=return_to, **{**given_options, **options})


def comparable(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in {"id", "prevId"}}


def test_the_snapshot_is_the_return_points_with_a_fresh_id_after_the_newest() -> None:
    files = fixture_files()
    rollback = made(files, "0002_rich_marten_broadcloak", tag_description="to_0002", now_ms=1_800_000_000_000)
    written = json.loads(snapshot_of(rollback)[1])
    assert snapshot_of(rollback)[0] == "0005_snapshot.json"
    assert rollback.tag == "0005_rollback_to_0002" and rollback.idx == 5 and rollback.when == 1_800_000_000_000
    assert written["id"] == SNAPSHOT_ID
    assert written["prevId"] == json.loads(files["meta/0004_snapshot.json"])["id"]
    assert comparable(written) == comparable(json.loads(files["meta/0002_snapshot.json"]))
    as_text = files["meta/0002_snapshot.json"].decode().split('"version"', 1)[1]
    assert snapshot_of(rollback)[1].split('"version"', 1)[1] == as_text


def test_before_everything_the_snapshot_is_empty() -> None:
    written = json.loads(snapshot_of(made(fixture_files(), None))[1])
    emptied = ("tables", "enums", "schemas", "sequences", "roles", "policies", "views")
    assert all(written[key] == {} for key in emptied)
    assert written["version"] == "7" and written["dialect"] == "postgresql"


def test_the_journal_only_grows() -> None:
    files = fixture_files()
    old = files["meta/_journal.json"].decode()
    rollback = made(files, "0003_redundant_starfox")
    added = json.loads(journal_of(rollback))["entries"][-1]
    assert journal_of(rollback).startswith(old.removesuffix("\n  ]\n}"))
    assert journal_of(rollback) == append_entry(old, added)
    assert added == {"idx": 5, "version": "7", "when": rollback.when, "tag": rollback.tag, "breakpoints": True}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_sql_is_kept_byte_for_byte(sql: str) -> None:
    rollback = made(small_files(), "0000_one", sql=sql)
    assert rollback.contents[f"{rollback.tag}.sql"] == sql.encode()
    assert rollback.sha256 == hashlib.sha256(sql.encode()).hexdigest()


def test_when_is_now_or_a_second_after_the_last_entry_and_the_last_row() -> None:
    files = small_files()
    last = START + 20_000
    assert made(files, "0000_one", now_ms=NOW).when == NOW
    assert made(files, "0000_one", now_ms=0).when == last + 1000
    ledger = ledger_of(files)
    later = replace(ledger, rows=(*ledger.rows, replace(ledger.rows[0], created_at=NOW)))
    assert made(files, "0000_one", now_ms=0, ledger=later).when == NOW + 1000


def test_idx_follows_the_last_entry_and_not_the_count() -> None:
    files = small_files()
    journal = json.loads(files["meta/_journal.json"])
    journal["entries"][2]["idx"] = 8
    rollback = made({**files, "meta/_journal.json": stringify(journal).encode()}, "0001_two")
    assert rollback.idx == 9 and rollback.tag.startswith("0009_rollback_")


@pytest.mark.parametrize(
    ("kind", "tags", "prefix"),
    [
        ("timestamp", ("20231114221320_a", "20231114221330_b"), "20231114223000"),
        ("supabase", ("20231114221320_a", "20231114221330_b"), "20231114223000"),
        ("unix", ("1700000000_a", "1700000010_b"), "1700001000"),
    ],
)
def test_the_projects_kind_of_prefix_is_followed(kind: str, tags: tuple[str, ...], prefix: str) -> None:
    rollback = made(small_files(*tags), tags[0], layout=replace(LAYOUT, prefix=kind))
    assert rollback.tag == f"{prefix}_rollback_back"
    assert snapshot_of(rollback)[0] == f"{prefix}_snapshot.json"


def test_a_description_becomes_a_safe_file_name() -> None:
    assert made(small_files(), "0000_one", tag_description="../é a/b\n").tag == "0003_rollback_a_b"
    assert made(small_files(), "0000_one", tag_description="///").tag == "0003_rollback_migration"
    assert len(made(small_files(), "0000_one", tag_description="x" * 400).tag) < 200


def test_a_return_point_without_a_snapshot_takes_the_one_before() -> None:
    files = small_files()
    del files["meta/0001_snapshot.json"]
    assert comparable(json.loads(snapshot_of(made(files, "0001_two"))[1])) == comparable(snapshot("0000_one", None))


def test_what_has_no_snapshot_at_all_is_refused() -> None:
    files = small_files()
    del files["meta/0000_snapshot.json"]
    with pytest.raises(NoSnapshot):
        made(files, "0000_one")
    with pytest.raises(NoSnapshot):
        made({name: content for name, content in small_files().items() if "snapshot" not in name}, None)


@pytest.mark.parametrize("name", ["0003_snapshot.json", "0007_snapshot.json"])
def test_a_snapshot_that_would_not_sort_last_is_refused(name: str) -> None:
    with pytest.raises(NameTaken):
        made({**small_files(), f"meta/{name}": b"{}"}, "0000_one")


def test_an_unknown_return_point_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        made(small_files(), "0042_answer")


def test_the_first_snapshot_of_all_continues_the_origin() -> None:
    files = {**small_files("0000_one"), "meta/0000_snapshot.json": stringify({"version": "7", "tables": {}}).encode()}
    assert json.loads(snapshot_of(made(files, None))[1])["prevId"] == ORIGIN


@pytest.mark.parametrize("return_to", [None, "0000_initial", "0001_solid_cargill", "0003_redundant_starfox"])
def test_the_folder_after_a_rollback_has_no_violation_and_can_be_rolled_back_again(return_to: str | None) -> None:
    files, now = fixture_files(), 1_800_000_000_000
    for _turn in range(2):
        files |= made(files, return_to, now_ms=now).contents
        assert violations(folder(files), applied(files), layout=LAYOUT, now_ms=now) == ()


def folder(files: dict[str, bytes]) -> Folder:
    return read_folder(files)


def applied(files: dict[str, bytes]) -> Ledger:
    return ledger_of(files)
