"""Every construct there and back: the draft is proven, and rows come through it on a database that has some."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rollbacks.adapters.scratch import Scratch
from rollbacks.reversal import parse
from rollbacks.reversal.archive import PREPARE, SCHEMA
from rollbacks.reversal.assess import assess
from rollbacks.reversal.catalog import compare, read_facts
from rollbacks.reversal.draft import Draft
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from rollbacks.steps.replay import replay
from tests.reversal.cases import BASE, CASES, ROWS, Case
from tests.reversal.conftest import LAYOUT, folder_of

DRAFTS = Path(__file__).with_name("drafts")
ROWS_ONLY = {
    "data only", "insert and delete", "nothing", "insert rows by primary key", "insert rows by unique key",
    "insert rows from a query", "insert rows unless they are there", "merge", "truncate", "insert with a worked out key",
    "insert into several by constants that are casts", "rows written in a WITH", "query that only reads",
}  # fmt: skip
TABLES = """
    SELECT c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname IN ('public', 'shop') ORDER BY 2, 1"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_draft_is_proven_and_keeps_the_rows(scratch: Scratch, case: Case) -> None:
    folder = folder_of([BASE, case.forward])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label="rb1")
    _reads_as_it_was_read(case, draft)

    proof = prove(scratch, folder, LAYOUT, return_to="0000_m0", reverse=draft.text)
    assert proof.passed, (proof.differences, draft.text)
    # The same table says whether the facts see each of these changes at all.
    assert (proof.newest_facts != proof.return_point_facts) is (case.name not in ROWS_ONLY)
    assert draft.cls == case.cls, draft.text
    assert case.residue in " ".join(draft.residue)
    assert bool(case.residue) == bool(draft.residue), draft.residue
    assert "CASCADE" not in draft.text.replace("ON DELETE CASCADE", "")
    assert [each.sentence for each in assess(draft.text, audit_tables=()).refusals] == []
    _rows_survive(scratch, case, draft.text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_draft_took_back_is_made_again(scratch: Scratch, case: Case) -> None:
    """The draft, deployed as a migration of its own, is undone in its turn: what was dropped has to be made."""
    (draft,) = draft_back_to(scratch, folder_of([BASE, case.forward]), LAYOUT, return_to="0000_m0", label=None)
    folder = folder_of([BASE, case.forward, draft.text])
    (mirrored,) = draft_back_to(scratch, folder, LAYOUT, return_to="0001_m1", label="rb1")
    _reads_as_it_was_read(replace(case, name=f"mirrored {case.name}", forward=draft.text), mirrored)
    proof = prove(scratch, folder, LAYOUT, return_to="0001_m1", reverse=mirrored.text)
    assert proof.passed, (proof.differences, mirrored.text)


def test_each_migration_of_a_chain_is_undone_from_where_the_next_one_left_it(scratch: Scratch) -> None:
    """Trying which renames can be taken back must leave no trace in the replay that goes on."""
    folder = folder_of([BASE, "ALTER TABLE people RENAME COLUMN note TO remark;", "CREATE TABLE gifts (id integer);"])
    newest, renamed = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label="rb1")
    assert "note" not in newest.text and newest.cls == "a"
    assert 'RENAME COLUMN "remark" TO "note"' in renamed.text
    assert prove(scratch, folder, LAYOUT, return_to="0000_m0", reverse=newest.text + renamed.text).passed


STANDING = """
    CREATE FUNCTION spent() RETURNS numeric LANGUAGE sql BEGIN ATOMIC SELECT sum(total) FROM shop.orders; END;
    CREATE VIEW spenders AS SELECT person_id, total FROM shop.orders;
    CREATE VIEW great_spenders AS SELECT person_id FROM spenders WHERE total > 100;
    CREATE MATERIALIZED VIEW totals AS SELECT person_id, sum(total) AS total FROM shop.orders GROUP BY 1;
    CREATE UNIQUE INDEX totals_person ON totals (person_id);
    ALTER TABLE shop.orders ADD COLUMN taxed numeric GENERATED ALWAYS AS (total * 1.2) STORED;
    ALTER TABLE shop.orders ADD COLUMN loud text GENERATED ALWAYS AS (upper(id::text)) STORED;
    CREATE POLICY paid ON shop.orders USING (total > 0);
    CREATE TRIGGER orders_touch BEFORE UPDATE OF total ON shop.orders FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE FUNCTION feel(m mood) RETURNS text LANGUAGE sql AS 'SELECT m::text';
    CREATE TABLE kept (id integer PRIMARY KEY, at time(3), extra mood[]);
    CREATE UNIQUE INDEX kept_at ON kept (at);
    ALTER TABLE kept CLUSTER ON kept_at;
"""
CHANGED = """
    DROP FUNCTION spent();
    DROP VIEW great_spenders; DROP VIEW spenders; DROP MATERIALIZED VIEW totals;
    DROP POLICY paid ON shop.orders; DROP TRIGGER orders_touch ON shop.orders;
    ALTER TABLE shop.orders DROP COLUMN taxed;
    ALTER TABLE shop.orders ALTER COLUMN loud DROP EXPRESSION;
    ALTER TABLE shop.orders ALTER COLUMN total SET DATA TYPE numeric(14, 2);
    ALTER TABLE shop.orders ADD COLUMN taxed numeric GENERATED ALWAYS AS (total * 1.2) STORED;
    CREATE FUNCTION spent() RETURNS numeric LANGUAGE sql BEGIN ATOMIC SELECT sum(total) FROM shop.orders; END;
    CREATE VIEW spenders AS SELECT person_id, total FROM shop.orders;
    CREATE VIEW great_spenders AS SELECT person_id FROM spenders WHERE total > 100;
    CREATE MATERIALIZED VIEW totals AS SELECT person_id, sum(total) AS total FROM shop.orders GROUP BY 1;
    CREATE UNIQUE INDEX totals_person ON totals (person_id);
    CREATE POLICY paid ON shop.orders USING (total > 0);
    CREATE TRIGGER orders_touch BEFORE UPDATE OF total ON shop.orders FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TYPE mood ADD VALUE 'great';
    DROP INDEX kept_at;
    CREATE UNIQUE INDEX kept_at ON kept (at DESC);
    ALTER TABLE kept CLUSTER ON kept_at;
"""


def test_what_stood_before_and_stands_after_a_migration_is_made_anew_where_it_is_in_the_way(scratch: Scratch) -> None:
    folder = folder_of([BASE, STANDING, CHANGED])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0001_m1", label="rb1")
    proof = prove(scratch, folder, LAYOUT, return_to="0001_m1", reverse=draft.text)
    assert proof.passed, (proof.differences, draft.text)
    # What was written into a column since it is no longer computed goes into the archive.
    assert '"loud"\nFROM "shop"."orders" WHERE "loud" IS NOT NULL' in draft.text


def test_without_an_archive_things_are_dropped_and_come_back_the_same(scratch: Scratch) -> None:
    folder = folder_of([BASE, "CREATE TABLE gifts (id serial PRIMARY KEY); ALTER TABLE people ADD COLUMN x integer;"])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label=None)
    assert SCHEMA not in draft.text and draft.reapply == ()
    assert prove(scratch, folder, LAYOUT, return_to="0000_m0", reverse=draft.text).passed


def test_what_the_archive_kept_is_brought_back_when_the_migration_is_deployed_again(scratch: Scratch) -> None:
    forward = """CREATE TYPE rank AS ENUM ('a', 'b'); CREATE TABLE gifts (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        rank rank NOT NULL, person_id integer REFERENCES people (id)); ALTER TABLE people ADD COLUMN rank rank DEFAULT 'a';"""
    folder = folder_of([BASE, forward])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label="rb1")
    queries = ("SELECT * FROM gifts ORDER BY id", "SELECT id, rank FROM people ORDER BY id")
    with replay(scratch, folder, LAYOUT, purpose="again") as state:
        line = state.connection
        state.forward(folder.migrations[0])
        line.execute(ROWS.encode())
        state.forward(folder.migrations[1])
        line.execute("INSERT INTO gifts (rank, person_id) SELECT 'b', n FROM generate_series(1, 7) n")
        line.execute("UPDATE people SET rank = 'b' WHERE id % 2 = 0")
        before = [line.execute(query).fetchall() for query in queries]
        for statement in parse.read(draft.text):
            line.execute(statement.text.encode(), binary=True)
        line.execute("DELETE FROM drizzle.__drizzle_migrations WHERE id = 2")
        state.forward(folder.migrations[1])
        for sql in draft.reapply[::-1]:
            line.execute(sql.encode())
        assert [line.execute(query).fetchall() for query in queries] == before


@pytest.mark.parametrize(
    ("forward", "later", "query"),
    [
        ("ALTER TABLE shop.orders ALTER COLUMN total SET DATA TYPE numeric(14, 6);",
         "UPDATE shop.orders SET total = 1.234567 WHERE id < 4", "SELECT id, total FROM shop.orders ORDER BY id"),
        ("ALTER TABLE people ALTER COLUMN born SET DATA TYPE timestamp;",
         "UPDATE people SET born = TIMESTAMP '2001-02-03 04:05' WHERE id = 3", "SELECT id, born FROM people ORDER BY id"),
        ("INSERT INTO people (email, note) VALUES ('seed@example.com', 'as seeded');",
         "UPDATE people SET note = 'edited' WHERE email = 'seed@example.com'", "SELECT email, note FROM people ORDER BY email"),
    ],
)  # fmt: skip
def test_what_a_cast_rounds_and_what_a_delete_takes_is_kept_too(
    scratch: Scratch, forward: str, later: str, query: str
) -> None:
    folder = folder_of([BASE, forward])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label="rb1")
    with replay(scratch, folder, LAYOUT, purpose="again") as state:
        line = state.connection
        state.forward(folder.migrations[0])
        line.execute(ROWS.encode())
        state.forward(folder.migrations[1])
        line.execute(later.encode())
        before = line.execute(query.encode()).fetchall()
        for statement in parse.read(draft.text):
            line.execute(statement.text.encode(), binary=True)
        assert line.execute(query.encode()).fetchall() != before
        kept = line.execute(f"SELECT row_count FROM {SCHEMA}.manifest").fetchall()
        assert kept == [(3,)] if "1.234567" in later else kept == [(1,)]
        line.execute("DELETE FROM drizzle.__drizzle_migrations WHERE id = 2")
        state.forward(folder.migrations[1])
        for sql in draft.reapply[::-1]:
            line.execute(sql.encode())
        assert line.execute(query.encode()).fetchall() == before


def _reads_as_it_was_read(case: Case, draft: Draft) -> None:
    """Every word of a draft is signed by somebody, so a change of wording or one statement more is a change to look at.

    After an intended change: WRITE_DRAFTS=1 ./dev test tests/reversal/test_cases.py, then read the difference.
    """
    path = DRAFTS / f"{re.sub('[^a-z0-9]+', '_', case.name.lower())}.sql"
    text = draft.text
    for sql in PREPARE:
        text = text.replace(sql, "-- the archive is prepared")
    said = "\n".join([f"-- {case.forward}", "", text, *(f"-- again: {sql}" for sql in draft.reapply)])
    if os.environ.get("WRITE_DRAFTS"):
        path.write_bytes(said.encode())
    assert said == path.read_bytes().decode()


def _rows_survive(scratch: Scratch, case: Case, reverse: str) -> None:
    """Run it on a database with rows: what both states have must keep its bytes, what went must be in the archive."""
    with replay(scratch, folder_of([BASE, case.forward]), LAYOUT, purpose="rows") as state:
        line = state.connection
        state.forward(state.folder.migrations[0])
        line.execute(ROWS.encode())
        line.commit()
        facts = read_facts(line, ignore_schemas={"drizzle"})
        columns = _columns(line)
        before = _prints(line, columns)
        state.forward(state.folder.migrations[1])
        if case.later:
            line.execute(case.later.encode())
        line.commit()
        rows = _count(line)
        if "FILL IN" in reverse:
            return
        for statement in parse.read(reverse):
            line.execute(statement.text.encode(), binary=True)
        line.commit()
        assert compare(facts, read_facts(line, ignore_schemas={"drizzle"})).equal
        changed = any(word in case.forward for word in ("UPDATE", "DELETE FROM", "INSERT INTO"))
        if (
            not changed
            and case.cls not in "cd"
            and not any(word in case.later for word in ("people", "persons", "orders"))
        ):
            assert _prints(line, columns) == before
        if case.cls not in "cd":
            archived = line.execute(f"SELECT count(*) FROM pg_tables WHERE schemaname = '{SCHEMA}'").fetchone()
            assert _count(line) + _archived(line, archived) >= rows


def _columns(line: psycopg.Connection[Any]) -> dict[str, list[str]]:
    query = """SELECT format('%I.%I', table_schema, table_name), array_agg(quote_ident(column_name::text)
                        ORDER BY column_name::text) FROM information_schema.columns
                WHERE table_schema IN ('public', 'shop') AND table_name IN ('people', 'orders') GROUP BY 1"""
    return dict(line.execute(query).fetchall())


def _prints(line: psycopg.Connection[Any], columns: dict[str, list[str]]) -> dict[str, str]:
    """Hash every row of the two tables by the columns that they have at the return point."""
    prints = {}
    for table, names in columns.items():
        rows = line.execute(f"SELECT ({', '.join(names)})::text FROM {table} ORDER BY id").fetchall()
        prints[table] = hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest()
    return prints


def _count(line: psycopg.Connection[Any]) -> int:
    return sum(
        line.execute(f'SELECT count(*) FROM "{schema}"."{table}"').fetchone()[0]
        for table, schema in line.execute(TABLES).fetchall()
    )


def _archived(line: psycopg.Connection[Any], tables: Any) -> int:
    if not tables or not tables[0]:
        return 0
    return int(line.execute(f"SELECT COALESCE(sum(row_count), 0) FROM {SCHEMA}.manifest").fetchone()[0])
