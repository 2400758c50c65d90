"""The rule of the lane: which statements run outside the transaction, on which side, and what the repository's file says."""

from __future__ import annotations

import pytest

from rollbacks.plan import Undo, compose_file
from rollbacks.reversal import lane, parse
from rollbacks.reversal.assess import assess
from rollbacks.reversal.lane import Form

CREATE = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"Mixed i\" ON shop.t (a) WHERE b > 'CONCURRENTLY'"
DROP = "DROP INDEX CONCURRENTLY shop.i"
REINDEX = "REINDEX (CONCURRENTLY) INDEX i"
INSIDE = "ALTER TABLE t ADD COLUMN c int"


def sides(sql: str) -> tuple[list[str], list[str]]:
    found = lane.split(parse.read(sql)).document()
    return found.get("before", []), found.get("after", [])


@pytest.mark.parametrize(
    ("sql", "before", "after"),
    [
        (f"{CREATE}; {DROP}; {INSIDE}; {REINDEX}", [CREATE, DROP], [REINDEX]),
        (f"{INSIDE}; {DROP}; {REINDEX}", [], [DROP, REINDEX]),
        # Without a transaction's statement the ledger row comes last, so that it never claims what is not there.
        (f"{DROP}; {REINDEX}", [DROP, REINDEX], []),
        (f"{INSIDE}; {INSIDE}", [], []),
    ],
)
def test_what_stands_first_runs_before_and_what_stands_last_after(
    sql: str, before: list[str], after: list[str]
) -> None:
    assert sides(sql) == (before, after)
    assert not lane.split(parse.read(sql)).between and not assess(sql, audit_tables=()).refusals


def test_what_stands_between_is_refused_with_its_line() -> None:
    (refusal,) = assess(f"{INSIDE};\n{DROP};\n{INSIDE};", audit_tables=()).refusals
    assert (refusal.line, refusal.code) == (2, "non-transactional")
    assert "put it before the first of them or after the last." in refusal.sentence


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("CREATE INDEX CONCURRENTLY ON t (a)", "give the index a name"),
        ("DROP INDEX CONCURRENTLY a, b", "name one index"),
        ("REINDEX TABLE CONCURRENTLY t", "only REINDEX INDEX CONCURRENTLY"),
        ("REINDEX (CONCURRENTLY, TABLESPACE x) INDEX i", "only REINDEX INDEX CONCURRENTLY"),
        ("REINDEX (CONCURRENTLY false) INDEX i", "only REINDEX INDEX CONCURRENTLY"),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "the form without CONCURRENTLY"),
    ],
)
def test_what_could_not_be_resumed_is_refused(sql: str, says: str) -> None:
    found = assess(sql, audit_tables=())
    assert [each.code for each in found.refusals] == ["non-transactional"] and says in found.refusals[0].sentence
    assert (found.judgements[0].cls, found.judgements[0].transactional) == ("N", False)
    with pytest.raises(ValueError, match="does not take"):
        lane.form_of(found.statements[0])


def test_each_form_says_what_it_does_to_which_index() -> None:
    forms = [lane.form_of(each) for each in parse.read(f"{CREATE}; {DROP}; {REINDEX}")]
    assert forms == [
        Form("create", ("Mixed i",), ("shop", "t")), Form("drop", ("shop", "i")), Form("reindex", ("i",)),
    ]  # fmt: skip


def test_the_repositorys_file_says_the_same_without_concurrently() -> None:
    sql = f"-- CONCURRENTLY\n{CREATE};\n{INSIDE};\n{REINDEX};\nREINDEX INDEX concurrently j;"
    assert lane.plain(sql) == (
        "-- CONCURRENTLY\nCREATE UNIQUE INDEX IF NOT EXISTS \"Mixed i\" ON shop.t (a) WHERE b > 'CONCURRENTLY';\n"
        f"{INSIDE};\nREINDEX INDEX i;\nREINDEX INDEX j;"
    )
    assert lane.plain(INSIDE) == INSIDE


def test_a_file_that_would_say_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "_without", lambda text: text.replace("CONCURRENTLY shop.i", "shop.j"))
    with pytest.raises(parse.Unreadable, match="Line 1: CONCURRENTLY cannot be taken out"):
        lane.plain(DROP)
    monkeypatch.setattr(lane, "_without", lambda text: text)
    with pytest.raises(parse.Unreadable, match="cannot be taken out"):
        lane.plain(DROP)


def test_the_transactions_text_keeps_its_lines() -> None:
    undo = (Undo(1, "0001_a", 1, "", f"{DROP};\n{INSIDE};"), Undo(0, "0000_a", 0, "", f"{INSIDE};\n{CREATE};"))
    file = compose_file(undo, request=1, revision=1, return_to=None, written_by="a", date="2026-01-01", reason="r")
    document = lane.split([each for one in undo for each in parse.read(one.reverse_sql)]).document()
    left = lane.without(file.text, document)
    assert [each.text for each in parse.read(left)] == [INSIDE, INSIDE]
    assert [each.line for each in parse.read(left)] == [each.line for each in parse.read(file.text)][1:3]


def test_what_is_told_names_what_is_done_begun_and_left() -> None:
    plan = {
        "before": ["DROP INDEX CONCURRENTLY\n a"],
        "after": ["REINDEX INDEX CONCURRENTLY b", "REINDEX INDEX CONCURRENTLY c"],
    }
    points = {1: {"state": "done"}, 2: {"state": "begun"}, 3: {"state": "undone"}}
    assert lane.told(plan, points) == (
        "Done outside the transaction, and staying: 1 (DROP INDEX CONCURRENTLY a). Begun outside the transaction, and "
        "its end was not seen: 2 (REINDEX INDEX CONCURRENTLY b). Not done: 3 (REINDEX INDEX CONCURRENTLY c)."
    )
    assert lane.told(plan, {}) == lane.told(plan, {1: {"state": "undone"}}) == ""
