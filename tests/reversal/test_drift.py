"""What somebody did to the live database by hand is kept where it can be, and named where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rollbacks.adapters.scratch import Scratch
from rollbacks.reversal.draft import Draft
from rollbacks.reversal.objects import Shape, Thing, read_shape
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from rollbacks.steps.replay import Replay, apply_up_to, replay
from tests.reversal.cases import BASE
from tests.reversal.conftest import LAYOUT, folder_of


@contextmanager
def deployed(scratch: Scratch, forwards: list[str], by_hand: str) -> Iterator[Replay]:
    """A database as it is in production: all migrations, and then what somebody did."""
    with replay(scratch, folder_of([BASE, *forwards]), LAYOUT, purpose="live") as state:
        apply_up_to(state, state.folder.migrations[-1].tag, told=lambda number, of: None)
        state.run([by_hand])
        yield state


def drafted(scratch: Scratch, forwards: list[str], by_hand: str) -> tuple[list[Draft], Shape]:
    with deployed(scratch, forwards, by_hand) as state:
        live = read_shape(state.connection, ignore_schemas=("drizzle",))
    return draft_back_to(
        scratch, folder_of([BASE, *forwards]), LAYOUT, return_to="0000_m0", label="rb1", live=live
    ), live


INDEPENDENT = [
    ("an index elsewhere", ["ALTER TABLE people ADD COLUMN phone text;"], "CREATE INDEX by_hand ON shop.orders (total)"),
    ("a table", ["ALTER TABLE people ADD COLUMN phone text;"], "CREATE TABLE notes_by_hand (id integer PRIMARY KEY)"),
    ("a role that is nowhere else", ["ALTER TABLE people ADD COLUMN phone text;"],
     "CREATE POLICY by_hand ON people TO PUBLIC USING (true)"),
    ("a grant on a view that is made anew",
     ["DROP VIEW adults; CREATE VIEW adults AS SELECT id, email FROM people WHERE age >= 21;"],
     "GRANT SELECT ON adults TO PUBLIC"),
    ("a comment on a column that changes its type",
     ["ALTER TABLE shop.orders ALTER COLUMN total SET DATA TYPE numeric(14, 2);"],
     "COMMENT ON COLUMN shop.orders.total IS 'without tax'"),
    ("a view over a table that is renamed back", ["ALTER TABLE people RENAME TO persons;"],
     "CREATE VIEW by_hand AS SELECT email FROM persons"),
    ("a view over a column whose type changes",
     ["ALTER TABLE shop.orders ALTER COLUMN total SET DATA TYPE numeric(14, 2);"],
     "CREATE VIEW by_hand AS SELECT total FROM shop.orders"),
    ("an index dropped by hand", ["ALTER TABLE people ADD COLUMN phone text;"], "DROP INDEX shop.orders_person_idx"),
    ("a default by hand, two migrations to undo",
     ["ALTER TABLE people ADD COLUMN phone text;", "ALTER TABLE people RENAME COLUMN note TO remark;"],
     "ALTER TABLE people ALTER COLUMN born SET DEFAULT now()"),
    ("what a migration added was dropped by hand", ["CREATE INDEX people_born ON people (born);"], "DROP INDEX people_born"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("forwards", "by_hand"), [each[1:] for each in INDEPENDENT], ids=[each[0] for each in INDEPENDENT]
)
def test_independent_drift_comes_through(scratch: Scratch, forwards: list[str], by_hand: str) -> None:
    drafts, live = drafted(scratch, forwards, by_hand)
    reverse = "\n".join(each.text for each in drafts)
    assert "CONFLICT" not in reverse, reverse
    proof = prove(scratch, folder_of([BASE, *forwards]), LAYOUT, return_to="0000_m0", reverse=reverse, live=live)
    assert proof.differences == () or by_hand.startswith("DROP INDEX people_born"), (proof.differences, reverse)
    with deployed(scratch, forwards, by_hand) as state:
        state.run([reverse])


CONFLICTS = [
    ("an index on a table that goes", ["CREATE TABLE gifts (id integer PRIMARY KEY, name text);"],
     "CREATE INDEX by_hand ON gifts (name)", "was made by hand on something that goes"),
    ("a column on a table that goes", ["CREATE TABLE gifts (id integer PRIMARY KEY, name text);"],
     "ALTER TABLE gifts ADD COLUMN by_hand text", "was made by hand on something that goes"),
    ("a view over a column that goes", ["ALTER TABLE people ADD COLUMN phone text;"],
     "CREATE VIEW by_hand AS SELECT phone FROM people", "was made by hand on something that goes"),
    ("the same default", ["ALTER TABLE people ALTER COLUMN age SET DEFAULT 21;"],
     "ALTER TABLE people ALTER COLUMN age SET DEFAULT 30", "The default of"),
    ("a function that both replaced",
     ["CREATE OR REPLACE FUNCTION shout(word text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(word) || 1';"],
     "CREATE OR REPLACE FUNCTION shout(word text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(word) || 2'",
     "The definition of"),
    ("a grant on a view that goes", ["CREATE VIEW names AS SELECT email FROM people;"],
     "GRANT SELECT ON names TO PUBLIC", "was granted to PUBLIC by hand and goes"),
    ("a changed column that goes", ["ALTER TABLE people ADD COLUMN phone text;"],
     "ALTER TABLE people ALTER COLUMN phone SET DEFAULT '+243'", "was changed by hand and goes with a migration"),
    ("dropped by hand, changed by a migration", ["ALTER TABLE shop.orders ALTER COLUMN total SET DEFAULT 1;"],
     "ALTER TABLE shop.orders DROP COLUMN total", "was dropped by hand and changed by a migration"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("forwards", "by_hand", "says"), [each[1:] for each in CONFLICTS], ids=[each[0] for each in CONFLICTS]
)
def test_drift_in_the_way_is_a_named_conflict(scratch: Scratch, forwards: list[str], by_hand: str, says: str) -> None:
    drafts, _live = drafted(scratch, forwards, by_hand)
    assert any(says in sentence for sentence in drafts[0].residue), drafts[0].residue
    assert drafts[0].text.startswith("-- CONFLICT: ")
    with deployed(scratch, forwards, by_hand) as state:
        state.run([drafts[0].text])


def test_drift_on_a_column_that_is_renamed_back_is_kept_but_not_proven(scratch: Scratch) -> None:
    """The facts know the column by both its names; the proof says so instead of guessing that they are one."""
    forwards = ["ALTER TABLE people RENAME COLUMN note TO remark;"]
    by_hand = "ALTER TABLE people ALTER COLUMN remark SET DEFAULT 'none'"
    drafts, live = drafted(scratch, forwards, by_hand)
    proof = prove(scratch, folder_of([BASE, *forwards]), LAYOUT, return_to="0000_m0", reverse=drafts[0].text, live=live)
    assert not proof.passed and "people.note is “text default 'none'::text" in " ".join(proof.differences)


def test_a_reverse_that_loses_drift_is_disproven(scratch: Scratch) -> None:
    forwards = ["DROP VIEW adults; CREATE VIEW adults AS SELECT id, email FROM people WHERE age >= 21;"]
    plain = draft_back_to(scratch, folder_of([BASE, *forwards]), LAYOUT, return_to="0000_m0", label="rb1")[0].text
    with deployed(scratch, forwards, "GRANT SELECT ON adults TO PUBLIC") as state:
        live = read_shape(state.connection, ignore_schemas=("drizzle",))
    proof = prove(scratch, folder_of([BASE, *forwards]), LAYOUT, return_to="0000_m0", reverse=plain, live=live)
    assert not proof.passed and "adults" in proof.differences[0]


def test_drift_that_the_scratch_server_cannot_have_is_said(scratch: Scratch) -> None:
    forwards = ["ALTER TABLE people ADD COLUMN phone text;"]
    with deployed(scratch, forwards, "CREATE TABLE t (id integer)") as state:
        live = read_shape(state.connection, ignore_schemas=("drizzle",))
    (key,) = [key for key in live.things if key[:3] == ("column", "public", "t")]
    broken = {**live.things, key: type(live.things[key])(key, {"type": "type_that_is_nowhere"}, frozenset())}
    (draft,) = draft_back_to(
        scratch, folder_of([BASE, *forwards]), LAYOUT, return_to="0000_m0", label="rb1", live=Shape(broken, live.grants)
    )
    assert "which cannot be done on the scratch server" in " ".join(draft.residue)
    assert 'DROP COLUMN "phone"' in draft.text


def test_an_extension_that_only_operators_use_is_no_conflict(scratch: Scratch) -> None:
    forwards = ["DROP VIEW adults; CREATE VIEW adults AS SELECT id, email FROM people WHERE age >= 21;"]
    with deployed(scratch, forwards, "GRANT SELECT ON adults TO PUBLIC") as state:
        live = read_shape(state.connection, ignore_schemas=("drizzle",))
    key = ("extension", "pg_stat_statements")
    there = Shape({key: Thing(key, {"schema": "public"}), **live.things}, live.grants)
    (draft,) = draft_back_to(
        scratch, folder_of([BASE, *forwards]), LAYOUT, return_to="0000_m0", label="rb1", live=there
    )
    assert draft.residue == () and "GRANT SELECT" in draft.text and "pg_stat_statements" not in draft.text


def test_a_database_without_drift_is_drafted_as_ever(scratch: Scratch) -> None:
    forwards = ["ALTER TABLE people ADD COLUMN phone text;"]
    (merged,), _live = drafted(scratch, forwards, "SELECT 1")
    (plain,) = draft_back_to(scratch, folder_of([BASE, *forwards]), LAYOUT, return_to="0000_m0", label="rb1")
    assert merged.text == plain.text
