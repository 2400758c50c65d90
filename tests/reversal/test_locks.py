"""What a statement is said to lock is what a server really locks, and what it is said to rewrite it rewrites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from rollbacks.adapters.scratch import Scratch
from rollbacks.reversal import parse
from rollbacks.reversal.locks import MODES, Lock, lock_of
from rollbacks.steps.replay import replay
from tests.reversal.cases import BASE, ROWS
from tests.reversal.conftest import LAYOUT, folder_of

HELD = """SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = %s::regclass"""
MORE = """
ALTER TABLE people ADD CONSTRAINT loose CHECK (age < 1000) NOT VALID;
CREATE POLICY mine ON people USING (true);
CREATE MATERIALIZED VIEW ages AS SELECT age FROM people;
CREATE UNIQUE INDEX people_born_key ON people (id, born);
CREATE TABLE doubled (a integer PRIMARY KEY, b integer GENERATED ALWAYS AS (a * 2) STORED);
ALTER TABLE doubled CLUSTER ON doubled_pkey;
CREATE UNLOGGED TABLE quick (a integer, b integer);
CREATE TABLE log (at date) PARTITION BY RANGE (at);
CREATE TABLE log_2026 (at date);
CREATE SEQUENCE numbers;
"""
TABLES = ("shop.orders", "ages", "doubled", "quick", "log", "adults", "people")


@pytest.fixture(scope="module")
def line(scratch: Scratch) -> Iterator[psycopg.Connection[Any]]:
    with replay(scratch, folder_of([BASE]), LAYOUT, purpose="locks") as state:
        state.forward(state.folder.migrations[0])
        state.connection.execute(f"{ROWS}{MORE}".encode())
        state.connection.commit()
        yield state.connection


CASES = [
    ("SELECT count(*) FROM people", "AccessShareLock", ""),
    ("INSERT INTO people (email) VALUES ('x')", "RowExclusiveLock", ""),
    ("UPDATE people SET age = age", "RowExclusiveLock", ""),
    ("DELETE FROM shop.orders", "RowExclusiveLock", ""),
    ("TRUNCATE shop.orders", "AccessExclusiveLock", ""),
    ("CREATE INDEX i ON people (age)", "ShareLock", "index"),
    ("CREATE TRIGGER t BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch()", "ShareRowExclusiveLock", ""),
    ("CREATE POLICY p ON people USING (true)", "AccessExclusiveLock", ""),
    ("ALTER POLICY mine ON people USING (false)", "AccessExclusiveLock", ""),
    ("CREATE RULE r AS ON DELETE TO people DO INSTEAD NOTHING", "AccessExclusiveLock", ""),
    ("ALTER TABLE people RENAME COLUMN note TO remark", "AccessExclusiveLock", ""),
    ("ALTER TABLE people RENAME TO persons", "AccessExclusiveLock", ""),
    ("ALTER TABLE people SET SCHEMA shop", "AccessExclusiveLock", ""),
    ("COMMENT ON TABLE people IS 'x'", "ShareUpdateExclusiveLock", ""),
    ("CREATE TABLE copy AS SELECT * FROM people", "AccessShareLock", "scan"),
    ("CREATE VIEW v AS SELECT id FROM people", "AccessShareLock", ""),
    ("REFRESH MATERIALIZED VIEW ages", "AccessExclusiveLock", "rewrite"),
    ("CREATE STATISTICS s ON id, age FROM people", "ShareUpdateExclusiveLock", ""),
    ("DROP TABLE shop.orders", "AccessExclusiveLock", ""),
    ("DROP TRIGGER people_touch ON people", "AccessExclusiveLock", ""),
    ("DROP POLICY mine ON people", "AccessExclusiveLock", ""),
    ("DROP INDEX people_born_key", "AccessExclusiveLock", ""),
    ("ALTER TABLE people VALIDATE CONSTRAINT loose", "ShareUpdateExclusiveLock", "scan"),
    ("ALTER TABLE people ALTER COLUMN age SET STATISTICS 10", "ShareUpdateExclusiveLock", ""),
    ("ALTER TABLE people DISABLE TRIGGER people_touch", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE people ENABLE ALWAYS TRIGGER people_touch", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE people DISABLE TRIGGER USER", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE people DROP COLUMN note", "AccessExclusiveLock", ""),
    ("ALTER TABLE people ALTER COLUMN age SET DEFAULT 3", "AccessExclusiveLock", ""),
    ("ALTER TABLE shop.orders ALTER COLUMN total TYPE double precision", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE people ALTER COLUMN age SET NOT NULL", "AccessExclusiveLock", "scan"),
    ("ALTER TABLE people ADD COLUMN n integer", "AccessExclusiveLock", ""),
    ("ALTER TABLE people ADD COLUMN n integer DEFAULT 3 NOT NULL", "AccessExclusiveLock", ""),
    ("ALTER TABLE people ADD COLUMN n timestamptz DEFAULT now() NOT NULL", "AccessExclusiveLock", ""),
    ("ALTER TABLE people ADD COLUMN n uuid DEFAULT gen_random_uuid()", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE people ADD COLUMN n serial", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE people ADD COLUMN n integer GENERATED ALWAYS AS (age * 2) STORED", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE people ADD CONSTRAINT c CHECK (age < 999)", "AccessExclusiveLock", "scan"),
    ("ALTER TABLE people ADD CONSTRAINT c CHECK (age < 999) NOT VALID", "AccessExclusiveLock", ""),
    ("ALTER TABLE people ADD CONSTRAINT u UNIQUE (email, id)", "AccessExclusiveLock", "index"),
    ("ALTER TABLE people ADD CONSTRAINT u UNIQUE USING INDEX people_born_key", "AccessExclusiveLock", ""),
    ("ALTER TABLE people ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES people (id)", "ShareRowExclusiveLock", "scan"),
    ("ALTER TABLE people ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES people (id) NOT VALID", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE people ENABLE ROW LEVEL SECURITY", "AccessExclusiveLock", ""),
    ("ALTER TABLE shop.orders SET UNLOGGED", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE people DISABLE TRIGGER USER, ALTER COLUMN age SET NOT NULL", "AccessExclusiveLock", "scan"),
    ("ALTER TABLE people ENABLE TRIGGER people_touch", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE people ENABLE TRIGGER USER", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE quick ENABLE TRIGGER ALL", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE quick DISABLE TRIGGER ALL", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE people ENABLE REPLICA TRIGGER people_touch", "ShareRowExclusiveLock", ""),
    ("ALTER TABLE doubled CLUSTER ON doubled_pkey", "ShareUpdateExclusiveLock", ""),
    ("ALTER TABLE doubled SET WITHOUT CLUSTER", "ShareUpdateExclusiveLock", ""),
    ("ALTER TABLE doubled ALTER COLUMN b SET EXPRESSION AS (a * 3)", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE quick SET LOGGED", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE log ATTACH PARTITION log_2026 DEFAULT", "ShareUpdateExclusiveLock", "scan"),
    ("MERGE INTO quick USING people ON false WHEN NOT MATCHED THEN INSERT VALUES (1)", "RowExclusiveLock", ""),
    ("REINDEX TABLE people", "ShareLock", "index"),
    ("DROP VIEW adults", "AccessExclusiveLock", ""),
    ("ALTER TABLE people ADD CONSTRAINT f EXCLUDE (email WITH =)", "AccessExclusiveLock", "index"),
    ("ALTER TABLE quick ADD PRIMARY KEY (a)", "AccessExclusiveLock", "index"),
    ("ALTER TABLE people ADD COLUMN n integer UNIQUE", "AccessExclusiveLock", "index"),
    ("ALTER TABLE quick ADD COLUMN n integer PRIMARY KEY", "AccessExclusiveLock", "index"),
    ("ALTER TABLE people ADD COLUMN n uuid DEFAULT gen_random_uuid() UNIQUE", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE people ADD COLUMN n integer CHECK (n > 0)", "AccessExclusiveLock", "scan"),
    ("ALTER TABLE people ADD COLUMN n integer REFERENCES people (id)", "AccessExclusiveLock", "scan"),
    ("ALTER TABLE people ADD COLUMN n integer UNIQUE CHECK (n > 0)", "AccessExclusiveLock", "index"),
    ("ALTER TABLE people ADD COLUMN n integer GENERATED ALWAYS AS IDENTITY", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE people ADD COLUMN n bigserial", "AccessExclusiveLock", "rewrite"),
    ("ALTER TABLE people ADD COLUMN n smallserial", "AccessExclusiveLock", "rewrite"),
    *((f"ALTER TABLE people ADD COLUMN n text DEFAULT {call}", "AccessExclusiveLock", "") for call in (
        "pg_catalog.now()", "current_timestamp::text", "transaction_timestamp()::text", "current_date::text", "lower('A')",
        "upper('a')", "concat('a', 'b')")),
    ("ALTER SEQUENCE numbers RESTART", "", ""),
    ("CREATE TYPE t AS ENUM ('a')", "", ""),
    ("CREATE SCHEMA s", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "mode", "effect"), CASES, ids=lambda each: str(each)[:40])
def test_a_statement_is_said_to_take_this_lock(statement: str, mode: str, effect: str) -> None:
    (parsed,) = parse.read(statement + ";")
    assert lock_of(parsed) == Lock(mode, effect)


@pytest.mark.parametrize(("statement", "mode", "effect"), CASES, ids=lambda each: str(each)[:40])
def test_the_server_takes_this_lock(line: psycopg.Connection[Any], statement: str, mode: str, effect: str) -> None:
    table = next((each for each in TABLES if f" {each} " in f"{statement} "), "people")
    oid, node = _file(line, table)
    try:
        line.execute(statement.encode())
        held = {row[0] for row in line.execute(HELD, [oid]).fetchall()} & set(MODES)
        after = line.execute("SELECT pg_relation_filenode(%s::oid::regclass)", [oid]).fetchone()
    finally:
        line.rollback()
    # Creating a policy or an index reads the table under a weaker lock as well.
    strongest = max(held, key=MODES.index, default="")
    assert strongest == mode or (mode == "" and strongest == ""), held
    if effect == "rewrite":
        assert after is not None and after[0] != node
    elif after is not None and after[0] is not None and not statement.startswith("TRUNCATE"):
        assert after[0] == node


def test_concurrent_forms_let_others_write(line: psycopg.Connection[Any]) -> None:
    for statement in ("CREATE INDEX CONCURRENTLY i ON people (age);", "DROP INDEX CONCURRENTLY people_born_key;"):
        (parsed,) = parse.read(statement)
        assert lock_of(parsed).mode == "ShareUpdateExclusiveLock"


@pytest.mark.parametrize(
    ("statement", "mode", "effect"),
    [
        # The embedded server has one access method only, and an index's own lock is not its table's.
        ("ALTER TABLE people SET ACCESS METHOD columnar", "AccessExclusiveLock", "rewrite"),
        ("ALTER INDEX people_born_key SET (fillfactor = 70)", "", ""),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY ages", "AccessExclusiveLock", "rewrite"),
    ],
)
def test_what_the_server_here_cannot_show_is_said_from_its_manual(statement: str, mode: str, effect: str) -> None:
    (parsed,) = parse.read(statement + ";")
    assert lock_of(parsed) == Lock(mode, effect)


def _file(line: psycopg.Connection[Any], table: str) -> tuple[int, int]:
    row = line.execute("SELECT %s::regclass::oid, pg_relation_filenode(%s::regclass)", [table, table]).fetchone()
    assert row is not None
    return row[0], row[1]
