"""What reverse SQL puts at stake is counted on a database with rows, and nothing of it is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from rollbacks.adapters.scratch import Scratch
from rollbacks.reversal import parse, stakes
from rollbacks.reversal.stakes import Stake, at_stake, sizes
from rollbacks.steps.replay import replay
from tests.reversal.cases import BASE, ROWS
from tests.reversal.conftest import LAYOUT, folder_of

AWKWARD = """
CREATE TABLE "Sch""ool %s" (id integer PRIMARY KEY, "Na me" text DEFAULT '100%', short integer, plain json DEFAULT '{}', twice integer
    GENERATED ALWAYS AS (id * 2) STORED);
CREATE MATERIALIZED VIEW nothing_in_it AS SELECT 1 WHERE false;
INSERT INTO "Sch""ool %s" (id, "Na me", short, plain) VALUES (1, '100%', 70000, '{}'), (2, 'other', 5, NULL), (3, NULL, 5, '1');
"""


@pytest.fixture(scope="module")
def database(scratch: Scratch) -> Iterator[psycopg.Connection[Any]]:
    with replay(scratch, folder_of([BASE]), LAYOUT, purpose="stakes") as state:
        state.forward(state.folder.migrations[0])
        state.connection.execute(ROWS.encode())
        state.connection.execute(AWKWARD.encode())
        state.connection.commit()
        yield state.connection


@pytest.fixture
def line(database: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    yield database
    database.rollback()


@pytest.mark.parametrize(
    ("reverse", "count", "of", "stops", "says"),
    [
        ("DROP TABLE shop.orders;", 50, 50, False, "shop.orders: 50 rows, lost."),
        ("TRUNCATE shop.orders;", 50, 50, False, "lost"),
        ("ALTER TABLE shop.orders SET SCHEMA rollback_archive;", 50, 50, False, "kept in the archive"),
        ("ALTER TABLE people DROP COLUMN note;", 6, 20, False, "6 of 20 values differ from the default, lost."),
        ("ALTER TABLE people DROP COLUMN mood;", 13, 20, False, "13 of 20"),
        ("""ALTER TABLE "Sch""ool %s" DROP COLUMN "Na me";""", 2, 3, False, "2 of 3"),
        ("""ALTER TABLE "Sch""ool %s" DROP COLUMN plain;""", 2, 3, False, "2 of 3"),
        ("ALTER TABLE people ALTER COLUMN note SET NOT NULL;", 14, 20, True,
         "14 of 20 rows have no value there; as they are now, the statement would be refused."),
        ("ALTER TABLE people ALTER COLUMN email SET NOT NULL;", 0, 20, False, "none of 20"),
        ("ALTER TABLE people ADD CONSTRAINT u UNIQUE (mood);", 17, 20, True, "17 of 20 rows repeat"),
        ("ALTER TABLE people ADD CONSTRAINT u UNIQUE (mood, age);", 0, 20, False, "none of 20"),
        ("CREATE UNIQUE INDEX u ON people (mood);", 17, 20, True, "repeat another row's key"),
        ("ALTER TABLE shop.orders ADD FOREIGN KEY (id) REFERENCES people (id);", 30, 50, True, "30 of 50 rows point at nothing"),
        ("ALTER TABLE shop.orders ADD FOREIGN KEY (person_id) REFERENCES people (id);", 0, 50, False, "none of 50"),
        ("""ALTER TABLE "Sch""ool %s" ALTER COLUMN short TYPE smallint;""", 1, 3, False, "1 of 3 values do not fit"),
        ("ALTER TABLE people ALTER COLUMN email TYPE varchar(14);", 11, 20, False, "11 of 20 values do not fit"),
        ("ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(10, 0);", 25, 50, False, "come back changed"),
        ("CREATE TYPE feel AS ENUM ('low', 'fine'); ALTER TABLE people ALTER COLUMN mood TYPE feel USING mood::text::feel;",
         7, 20, True, "7 of 20 rows have a value that the enum then lacks"),
        ("CREATE TYPE feel AS ENUM ('low', 'fine'); ALTER TABLE people ALTER COLUMN mood TYPE feel USING (CASE mood::text WHEN 'low' THEN 'low' ELSE 'fine' END)::feel;",
         7, 20, False, "the enum then lacks; the SQL's own USING says what becomes of them."),
        ("CREATE TYPE feel AS ENUM ('low', 'fine', 'high'); ALTER TABLE people ALTER COLUMN mood TYPE feel USING (CASE mood::text WHEN 'low' THEN 'low' ELSE 'fine' END)::feel;",
         0, 20, False, "none of 20 rows have a value that the enum then lacks."),
        ("ALTER TABLE people ALTER COLUMN email TYPE varchar(14) USING left(email, 14);", 11, 20, False, "the SQL's own USING says"),
        ("ALTER TABLE people ALTER COLUMN email TYPE varchar(14) USING email::text::varchar(14);", 11, 20, False, "come back changed."),
        ("ALTER TABLE people RENAME COLUMN note TO remark; ALTER TABLE people DROP COLUMN remark;", 6, 20, False, "people.note"),
        ("ALTER TABLE people RENAME TO persons; DROP TABLE persons;", 20, 20, False, "public.people: 20 rows"),
        ("CREATE TABLE rollback_archive.k AS SELECT id, note FROM people WHERE note IS NOT NULL; ALTER TABLE people DROP COLUMN note;",
         6, 20, False, "kept in the archive"),
        ("ALTER TABLE people DROP COLUMN extra;", 20, 20, False, "20 of 20"),
        ("ALTER TABLE people ADD CONSTRAINT u UNIQUE (note);", 0, 6, False, "none of 6"),
        ("ALTER TABLE people ADD PRIMARY KEY (note);", 0, 6, False, "repeat another row's key"),
        ("DROP MATERIALIZED VIEW nothing_in_it;", 0, 0, False, "0 rows, lost."),
        ("ALTER TABLE people ALTER COLUMN age TYPE bigint;", 0, 20, False, "all 20 values fit the type"),
        ("ALTER TABLE shop.orders ALTER COLUMN placed_at TYPE timestamptz(0);", 0, 50, False, "all 50 values fit"),
        ("ALTER TABLE shop.orders DROP COLUMN id;", 50, 50, False, "50 of 50"),
        ("ALTER TABLE shop.orders DROP COLUMN placed_at;", 50, 50, False, "50 of 50"),
        ("CREATE TYPE feel AS ENUM ('low', 'fine', 'high'); ALTER TABLE people ALTER COLUMN mood TYPE feel USING mood::text::feel;",
         0, 20, False, "none of 20 rows have a value that the enum then lacks."),
    ],
)  # fmt: skip
def test_each_kind_is_counted(
    line: psycopg.Connection[Any], reverse: str, count: int, of: int, stops: bool, says: str
) -> None:
    stake, *_ = at_stake(line, parse.read(reverse))
    assert (stake.count, stake.of, stake.stops) == (count, of, stops), stake
    assert says in stake.sentence


def test_what_the_target_lacks_or_computes_raises_no_question(line: psycopg.Connection[Any]) -> None:
    reverse = """DROP TABLE nowhere; ALTER TABLE people DROP COLUMN nothing; CREATE TABLE new (id integer);
        ALTER TABLE new ADD PRIMARY KEY (id); ALTER TABLE "Sch""ool %s" DROP COLUMN twice; DROP VIEW adults;
        ALTER TABLE people ADD CONSTRAINT c CHECK (age > 90); ALTER TABLE people ADD FOREIGN KEY (id) REFERENCES nowhere (id);
        ALTER TABLE people ADD FOREIGN KEY (id) REFERENCES people (nothing);"""
    assert at_stake(line, parse.read(reverse)) == []


def test_a_cast_that_cannot_be_tried_is_not_asked(
    line: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A type whose size is no number would put the script's own words into our query."""
    assert at_stake(line, parse.read("ALTER TABLE people ALTER COLUMN note TYPE geometry(point, 4326);")) == []
    monkeypatch.setattr(stakes, "SOFT_CASTS", line.info.server_version + 1)
    assert at_stake(line, parse.read("ALTER TABLE people ALTER COLUMN age TYPE bigint;")) == []


def test_a_count_is_held_to_its_limits(line: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    limits = (
        "SELECT (current_setting('statement_timeout') = '5s')::int, (current_setting('lock_timeout') = '500ms')::int"
    )
    monkeypatch.setattr(stakes, "_count", lambda live, condition: stakes.sql.SQL(limits))
    (stake,) = at_stake(line, parse.read("DROP TABLE people;"))
    assert (stake.count, stake.of) == (1, 1)


def test_a_stake_survives_being_written_down(line: psycopg.Connection[Any]) -> None:
    (stake,) = at_stake(line, parse.read("ALTER TABLE people DROP COLUMN note;"))
    written = json.loads(json.dumps(stake.document()))
    assert written == stake.document()
    assert Stake(**{**written, "columns": tuple(written["columns"])}) == stake


def test_no_expression_of_a_person_is_evaluated_on_the_target(line: psycopg.Connection[Any]) -> None:
    """A USING or a CHECK may call anything, and nobody has signed it yet."""
    line.execute("CREATE SEQUENCE called")
    calls = "nextval('called')"
    reverse = f"""ALTER TABLE people ALTER COLUMN age TYPE bigint USING {calls}; ALTER TABLE people ADD CHECK ({calls} > 0);
        CREATE UNIQUE INDEX i ON people (({calls})); ALTER TABLE people ALTER COLUMN age SET DEFAULT {calls};"""
    at_stake(line, parse.read(reverse))
    assert line.execute("SELECT is_called FROM called").fetchone() == (False,)


def test_what_takes_too_long_or_is_locked_is_not_counted(
    line: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stakes, "LOCK_MS", 50)
    line.execute("ANALYZE shop.orders")
    line.commit()
    with psycopg.connect(line.info.dsn, host=line.info.host) as other:
        other.execute("LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE")
        stake, column = at_stake(line, parse.read("DROP TABLE shop.orders; ALTER TABLE shop.orders DROP COLUMN total;"))
        (free,) = at_stake(line, parse.read("DROP TABLE people;"))
    assert (stake.count, stake.estimate) == (None, 50) and "was not counted" in stake.sentence
    assert (column.kind, column.count) == ("values", None)
    assert free.count == 20
    monkeypatch.setattr(stakes, "ALL_SECONDS", -1)
    assert [each.count for each in at_stake(line, parse.read("DROP TABLE people;"))] == [None]


def test_rows_hidden_by_row_security_are_not_passed_over_in_silence(line: psycopg.Connection[Any]) -> None:
    line.execute(
        "CREATE ROLE stakes_reader; GRANT stakes_reader TO CURRENT_USER WITH SET TRUE; ALTER TABLE people ENABLE ROW LEVEL SECURITY"
    )
    try:
        line.execute("GRANT SELECT ON people TO stakes_reader; SET ROLE stakes_reader")
        (stake,) = at_stake(line, parse.read("ALTER TABLE people DROP COLUMN note;"))
        assert stake.count is None and "row security" in stake.sentence
    finally:
        line.rollback()


def test_the_count_cannot_write(line: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if a question of ours came to write, the server would refuse it."""
    writing = stakes.sql.SQL("WITH gone AS (DELETE FROM shop.orders RETURNING 1) SELECT count(*), 1 FROM gone")
    monkeypatch.setattr(stakes, "_count", lambda live, condition: writing)
    with line.transaction(force_rollback=True):
        (stake,) = at_stake(line, parse.read("DROP TABLE shop.orders;"))
        left = line.execute("SELECT count(*) FROM shop.orders").fetchone()
    assert left == (50,) and isinstance(stake, Stake) and stake.count is None


def test_sizes_are_of_what_is_there(line: psycopg.Connection[Any]) -> None:
    found = sizes(line, ["public.people", "public.nothing"])
    assert set(found) == {"public.people"} and found["public.people"] > 8192
