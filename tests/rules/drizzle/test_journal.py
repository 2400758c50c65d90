"""The migrations folder is read as Drizzle reads it, and its journal grows without a byte changed."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbacks.drizzle.journal import (
    JournalUnreadable,
    append_entry,
    file_hash,
    pieces,
    read_folder,
    stringify,
    write_prefix,
)
from tests.rules.drizzle.samples import entry, fixture_files, journal, small_files, small_folder

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
ENTRY = st.fixed_dictionaries(
    {
        "idx": st.integers(0, 10**6),
        "version": st.sampled_from("567"),
        "when": st.integers(0, 2**53),
        "tag": TEXT,
        "breakpoints": st.booleans(),
    }
)


def test_the_fixture_is_read_whole_and_every_file_is_written_back_identically() -> None:
    files = fixture_files()
    folder = read_folder(files)
    assert [each.tag for each in folder.migrations][-1] == "0004_audit_events_immutable"
    assert [each.idx for each in folder.migrations] == [0, 1, 2, 3, 4]
    for migration in folder.migrations:
        assert migration.sha256 == hashlib.sha256(files[f"{migration.tag}.sql"]).hexdigest()
    for name, content in folder.snapshots.items():
        assert stringify(content).encode() == files[f"meta/{name}"]


@given(st.lists(ENTRY, max_size=5), ENTRY)
def test_a_journal_that_drizzle_wrote_grows_into_what_drizzle_would_write(entries: list, new: dict) -> None:
    before = {"version": "7", "dialect": "postgresql", "entries": entries}
    assert append_entry(stringify(before), new) == stringify({**before, "entries": [*entries, new]})


@given(
    st.lists(ENTRY, max_size=4),
    ENTRY,
    st.dictionaries(TEXT.filter(lambda key: key != "entries"), JSON, max_size=3),
    st.sampled_from([None, 2, 4, "\t"]),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", " : ")]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "\n", "\r\n"]),
)
def test_any_journal_grows_by_one_entry_and_keeps_every_byte(
    entries: list, new: dict, others: dict, indent: object, separators: tuple, escaped: bool, last: bool, end: str
) -> None:
    members = [*others.items(), ("entries", entries)] if last else [("entries", entries), *others.items()]
    text = json.dumps(dict(members), indent=indent, separators=separators, ensure_ascii=escaped) + end
    grown = append_entry(text, new)
    assert json.loads(grown) == {**dict(members), "entries": [*entries, new]}
    start = next(at for at in range(len(text) + 1) if text[: at + 1] != grown[: at + 1])
    if entries:
        # One insertion and nothing else: what stood before and behind it is all of the old text.
        assert grown.endswith(text[start:]) and len(grown) > len(text)
    else:
        assert grown.startswith(text[: text.index("[") + 1] if "[" in text[:start] else text[:start])


def test_a_journal_in_one_line_or_with_windows_line_ends_keeps_its_style() -> None:
    one_line = '{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":1,"tag":"a"}]}'
    grown = '{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":1,"tag":"a"},{"idx":1,"tag":"é"}]}'
    assert append_entry(one_line, {"idx": 1, "tag": "é"}) == grown
    windows = stringify({"entries": [entry(0, "a")]}).replace("\n", "\r\n") + "\r\n"
    expected = stringify({"entries": [entry(0, "a"), entry(1, "b")]}).replace("\n", "\r\n") + "\r\n"
    assert append_entry(windows, entry(1, "b")) == expected


def test_json_is_written_as_javascript_writes_it() -> None:
    assert stringify({"é": '\u2028\x7f\x01\b\t"\\/', "half": "\ud800", "none": {}, "list": []}) == (
        '{\n  "é": "\u2028\x7f\\u0001\\b\\t\\"\\\\/",\n  "half": "\\ud800",\n  "none": {},\n  "list": []\n}'
    )


def test_numbers_of_a_snapshot_keep_the_text_they_were_written_in() -> None:
    content = b'{\n  "a": 1e-7,\n  "b": 0.1,\n  "c": 1e+21,\n  "d": 12345678901234567000\n}'
    folder = read_folder({**small_files(), "meta/0009_snapshot.json": content})
    assert stringify(folder.snapshots["0009_snapshot.json"]).encode() == content


@pytest.mark.parametrize(
    ("content", "same_as_bytes"),
    [(b"SELECT 1;", True), (b"\xef\xbb\xbfSELECT 1;\r\n", True), ("SELECT 'é😀';".encode(), True), (b"caf\xe9", False)],
)
def test_the_hash_is_the_one_of_the_bytes_unless_they_are_no_utf_8(content: bytes, same_as_bytes: bool) -> None:
    assert (file_hash(content) == hashlib.sha256(content).hexdigest()) is same_as_bytes


def test_an_empty_file_is_a_migration_and_a_file_without_an_entry_is_none() -> None:
    folder = read_folder({**small_files(), "0000_one.sql": b"", "0099_stranger.sql": b"SELECT 1"})
    assert len(folder.migrations) == 3
    assert folder.migrations[0].sql == "" and folder.migrations[0].sha256.startswith("e3b0c442")


def test_a_piece_ends_at_the_breakpoint_even_inside_a_string() -> None:
    assert pieces("SELECT 'a--> statement-breakpointb'") == ["SELECT 'a", "b'"]
    assert pieces("") == [""]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "empty or does not exist"),
        ({"0000_one.sql": b""}, "no meta/_journal.json"),
        ({"meta/_journal.json": b"{"}, "not a journal"),
        ({"meta/_journal.json": b"[]"}, "not a journal"),
        ({"meta/_journal.json": b'{"entries": [{"idx": 0}]}'}, "not a journal"),
        ({"meta/_journal.json": b'{"entries": [{"idx": 0, "when": 1.5, "tag": "a"}]}'}, "not a journal"),
        ({"meta/_journal.json": b'{"entries": [{"idx": true, "when": 1, "tag": "a"}]}'}, "not a journal"),
        ({"meta/_journal.json": b'{"entries": [], "x": NaN}'}, "not a journal"),
        ({"meta/_journal.json": b"\xef\xbb\xbf" + journal([])}, "not a journal"),
        ({"meta/_journal.json": b'{"entries": [], "x": "\xe9"}'}, "not a journal"),
        ({"meta/_journal.json": b"[" * 100_000}, "not a journal"),
    ],
)
def test_a_folder_that_drizzle_could_not_read_is_refused_with_a_sentence(files: dict, words: str) -> None:
    with pytest.raises(JournalUnreadable, match=words) as refusal:
        read_folder(files)
    assert str(refusal.value).endswith(".")


def test_the_baseline_is_the_last_snapshot_by_name_that_has_no_underscore() -> None:
    files = {**small_files(), "meta/_later.json": b"{}", "meta/0001_snapshot.json": b"broken"}
    folder = read_folder(files)
    assert folder.newest_snapshot()[0] == "0002_snapshot.json"
    assert folder.snapshots["0001_snapshot.json"] is None
    assert folder.snapshot_in_force("0001_two")[0] == "0000_snapshot.json"


def test_an_entry_without_a_snapshot_takes_the_last_one_before_it() -> None:
    files = small_files()
    del files["meta/0001_snapshot.json"]
    assert read_folder(files).snapshot_in_force("0001_two")[1]["id"] == "id-0000_one"


def test_an_unknown_tag_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        small_folder().by_tag("0009_none")


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [
        ("index", "0005"),
        ("timestamp", "20231114221320"),
        ("supabase", "20231114221320"),
        ("unix", "1700000000"),
        ("none", ""),
    ],
)
def test_a_prefix_is_written_as_drizzle_kit_writes_it(kind: str, prefix: str) -> None:
    assert write_prefix(kind, idx=5, when=1_700_000_000_999) == prefix
