"""What stood before a migration and stands after it has to go and come back when a draft changes what it stands on."""

from __future__ import annotations

import pytest

from rollbacks.adapters.scratch import Scratch
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from tests.reversal.cases import BASE
from tests.reversal.conftest import LAYOUT, folder_of

ADULTS = "CREATE VIEW adults AS SELECT id, email, mood FROM people WHERE age >= 18;"
WIDEN = "ALTER TABLE people ALTER COLUMN age SET DATA TYPE bigint;"
# Name: what was there, how it is taken away, what is done meanwhile; what was there is then made again.
STANDING = {
    "policy": ("CREATE POLICY own ON people USING (age > 18);", "DROP POLICY own ON people;", WIDEN),
    "materialized view": ("CREATE MATERIALIZED VIEW ages AS SELECT age FROM people;", "DROP MATERIALIZED VIEW ages;", WIDEN),
    "rule": (
        "CREATE RULE old AS ON UPDATE TO people WHERE old.age > 99 DO ALSO NOTHING;", "DROP RULE old ON people;", WIDEN,
    ),
    "generated column of an enum": (
        "CREATE TABLE g (a boolean, m mood GENERATED ALWAYS AS (CASE WHEN a THEN 'low'::mood ELSE 'high'::mood END) STORED);",
        "DROP TABLE g;", "ALTER TYPE mood ADD VALUE 'great';",
    ),
}  # fmt: skip
# Name: what was there, what the migration makes of it.
CHANGED = {
    "statistics": ("CREATE STATISTICS s ON age, born FROM people;", "DROP STATISTICS s; CREATE STATISTICS s ON age, note FROM people;"),
    "domain": ("CREATE DOMAIN word AS text CHECK (VALUE <> '');", "ALTER DOMAIN word ADD CONSTRAINT long CHECK (length(VALUE) > 1);"),
    "composite type": ("CREATE TYPE spot AS (x integer);", "ALTER TYPE spot ADD ATTRIBUTE y integer;"),
    "expression of a generated column": (
        "ALTER TABLE people ADD COLUMN shown text GENERATED ALWAYS AS (upper(email)) STORED;",
        "ALTER TABLE people DROP COLUMN shown; ALTER TABLE people ADD COLUMN shown text GENERATED ALWAYS AS (lower(email)) STORED;",
    ),
    "owner of a sequence": ("", "ALTER SEQUENCE tickets OWNED BY people.age;"),
    "index that a table is clustered on": (
        "ALTER TABLE shop.orders CLUSTER ON orders_person_idx;",
        "DROP INDEX shop.orders_person_idx; CREATE INDEX orders_person_idx ON shop.orders (total); "
        "ALTER TABLE shop.orders CLUSTER ON orders_person_idx;",
    ),
    "partition that is attached": (
        "CREATE TABLE log (at date) PARTITION BY RANGE (at); CREATE TABLE log_1 (at date);",
        "ALTER TABLE log ATTACH PARTITION log_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
    ),
    "partition that is detached": (
        "CREATE TABLE log (at date) PARTITION BY RANGE (at); CREATE TABLE log_1 (at date); "
        "ALTER TABLE log ATTACH PARTITION log_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        "ALTER TABLE log DETACH PARTITION log_1;",
    ),
    "table of another table's rows": ("CREATE TABLE z (a integer); CREATE TABLE b (row z);", "DROP TABLE b; DROP TABLE z;"),
}  # fmt: skip


@pytest.mark.parametrize("name", STANDING)
def test_what_stands_on_something_that_changes_comes_back(scratch: Scratch, name: str) -> None:
    made, away, meanwhile = STANDING[name]
    forward = f"DROP VIEW adults; {away} {meanwhile} {made} {ADULTS}"
    _there_and_back(scratch, BASE + made, forward, label="rb1")


@pytest.mark.parametrize("name", CHANGED)
def test_what_was_changed_becomes_what_it_was(scratch: Scratch, name: str) -> None:
    made, changed = CHANGED[name]
    _there_and_back(scratch, BASE + made, changed, label="rb1")


def test_a_dropped_table_takes_its_parts_along(scratch: Scratch) -> None:
    forward = """CREATE TABLE a (id integer PRIMARY KEY, n integer CHECK (n > 0)); CREATE INDEX a_n ON a (n);
        CREATE TRIGGER a_touch BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE POLICY a_own ON a USING (n > 1); CREATE RULE a_keep AS ON DELETE TO a DO INSTEAD NOTHING;"""
    assert _there_and_back(scratch, BASE, forward, label=None) == ['DROP TABLE "public"."a";']


def test_two_tables_that_point_at_each_other_are_untied_before_they_go(scratch: Scratch) -> None:
    forward = """CREATE TABLE a (id integer PRIMARY KEY, b integer); CREATE TABLE b (id integer PRIMARY KEY, a integer
        REFERENCES a (id)); ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b (id);"""
    statements = _there_and_back(scratch, BASE, forward, label=None)
    assert [each.split(" ")[0:2] for each in statements[-2:]] == [["DROP", "TABLE"]] * 2
    assert all("DROP CONSTRAINT" in each for each in statements[:-2])


def test_another_inheritance_is_left_to_a_person(scratch: Scratch) -> None:
    folder = folder_of([BASE + "CREATE TABLE a (n integer); CREATE TABLE b (n integer);", "ALTER TABLE b INHERIT a;"])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label=None)
    assert draft.cls == "d" and draft.text.startswith("-- FILL IN: ")
    assert draft.residue == ('"public"."b" had parents “none” and has “public.a”; write that statement by hand.',)


def _there_and_back(scratch: Scratch, before: str, forward: str, *, label: str | None) -> list[str]:
    folder = folder_of([before, forward])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label=label)
    proof = prove(scratch, folder, LAYOUT, return_to="0000_m0", reverse=draft.text)
    assert proof.passed, (proof.differences, draft.text)
    return [each.sql for each in draft.statements]
