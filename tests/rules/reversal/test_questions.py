"""Which questions reverse SQL raises about the rows of the target, by the names that the target has now."""

from __future__ import annotations

import pytest

from rollbacks.reversal import parse
from rollbacks.reversal.questions import questions

RETYPED = "CREATE TYPE m AS ENUM ('a', 'b'); ALTER TABLE t ALTER COLUMN c TYPE {} USING c::text::m"
KEPT = "CREATE TABLE rollback_archive.k AS SELECT id, {} FROM {} WHERE c IS NOT NULL; ALTER TABLE t DROP COLUMN c"


@pytest.mark.parametrize(
    ("sql", "kind", "relation", "columns"),
    [
        ("DROP TABLE shop.t", "rows", ("shop", "t"), ()),
        ("DROP MATERIALIZED VIEW t", "rows", ("", "t"), ()),
        ("TRUNCATE t", "rows", ("", "t"), ()),
        ("ALTER TABLE t SET SCHEMA rollback_archive", "rows", ("", "t"), ()),
        ("CREATE UNIQUE INDEX ON t (a, b)", "duplicates", ("", "t"), ("a", "b")),
        ("ALTER TABLE t DROP COLUMN c", "values", ("", "t"), ("c",)),
        ("ALTER TABLE t ALTER COLUMN c SET NOT NULL", "nulls", ("", "t"), ("c",)),
        ("ALTER TABLE t ALTER COLUMN c TYPE integer", "casts", ("", "t"), ("c",)),
        (RETYPED.format("m"), "labels", ("", "t"), ("c",)),
        (RETYPED.format("n"), "casts", ("", "t"), ("c",)),
        (RETYPED.format("shop.m"), "casts", ("", "t"), ("c",)),
        ("ALTER TABLE t ADD UNIQUE (c)", "duplicates", ("", "t"), ("c",)),
        ("ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES u (d)", "orphans", ("", "t"), ("c",)),
        ("ALTER TABLE t RENAME COLUMN c TO d; ALTER TABLE t DROP COLUMN d", "values", ("", "t"), ("c",)),
        ("ALTER TABLE t RENAME TO u; ALTER TABLE u DROP COLUMN c", "values", ("", "t"), ("c",)),
        ("ALTER TABLE t SET SCHEMA shop; ALTER TABLE shop.t DROP COLUMN c", "values", ("", "t"), ("c",)),
        ("ALTER TABLE t RENAME CONSTRAINT c TO d; ALTER TABLE t DROP COLUMN d", "values", ("", "t"), ("d",)),
        ("ALTER VIEW t RENAME TO u; ALTER TABLE u DROP COLUMN c", "values", ("", "u"), ("c",)),
        ("ALTER TYPE t RENAME ATTRIBUTE c TO d; ALTER TABLE t DROP COLUMN d", "values", ("", "t"), ("d",)),
    ],
)  # fmt: skip
def test_a_statement_raises_its_question(
    sql: str, kind: str, relation: tuple[str, str], columns: tuple[str, ...]
) -> None:
    (found,) = questions(parse.read(sql))
    assert (found.kind, found.relation, found.columns) == (kind, relation, columns)
    assert found.archived is ("rollback_archive" in sql)
    assert found.labels == (("a", "b") if kind == "labels" else ())
    assert (found.other, found.other_columns) == ((("", "u"), ("d",)) if kind == "orphans" else (("", ""), ()))


@pytest.mark.parametrize(
    ("using", "translated"),
    [("", False), ("USING c", False), ("USING c::text::integer", False), ("USING left(c, 3)", True), ("USING '1'::integer", True)],
)  # fmt: skip
def test_a_using_that_does_more_than_cast_translates(using: str, translated: bool) -> None:
    for type_ in ("integer", "m"):
        sql = f"CREATE TYPE m AS ENUM ('a'); ALTER TABLE t ALTER COLUMN c TYPE {type_} {using}"
        assert [each.translated for each in questions(parse.read(sql))] == [translated]


def test_an_empty_value_is_a_value_of_an_enum() -> None:
    sql = "CREATE TYPE m AS ENUM ('', 'a'); ALTER TABLE t ALTER COLUMN c TYPE m USING c::text::m"
    assert questions(parse.read(sql))[0].labels == ("", "a")


def test_a_primary_key_asks_for_repetitions_and_for_what_is_missing() -> None:
    found = questions(parse.read("ALTER TABLE t ADD PRIMARY KEY (a, b)"))
    assert [(each.kind, each.columns) for each in found] == [("duplicates", ("a", "b")), ("nulls", ("a", "b"))]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP VIEW v", "DROP INDEX i", "CREATE INDEX ON t (a)", "CREATE UNIQUE INDEX ON t (a) WHERE a > 0",
        "CREATE UNIQUE INDEX ON t ((a + 1), b)", "ALTER TABLE t ADD UNIQUE USING INDEX i",
        "ALTER TABLE t ADD PRIMARY KEY USING INDEX i", "ALTER TABLE t ADD CHECK (a > 0)", "ALTER TABLE t ADD COLUMN a integer",
        "ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES u (d) NOT VALID", "ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES u",
        "ALTER TABLE t SET SCHEMA shop", "ALTER TYPE m SET SCHEMA rollback_archive", "ALTER TABLE t ALTER COLUMN c SET DEFAULT 1",
        "GRANT SELECT ON t TO x", "ALTER TABLE t ADD EXCLUDE USING gist (c WITH &&)", "ALTER TABLE t ADD NOT NULL c",
        "ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", "CREATE TABLE t (a integer PRIMARY KEY)",
    ],
)  # fmt: skip
def test_what_puts_no_row_at_stake_raises_none(sql: str) -> None:
    assert questions(parse.read(sql)) == []


@pytest.mark.parametrize(
    ("sql", "archived"),
    [
        (KEPT.format("c", "t"), True),
        (KEPT.format("t.c::text AS c", "t"), True),
        (KEPT.format("b", "t"), False),
        (KEPT.format("length(c)", "t"), False),
        (KEPT.format("*", "t"), False),
        (KEPT.format("b", "t, generate_series(1, 2)"), False),
        (KEPT.format("c", "u"), False),
        (KEPT.format("c", "t").replace("rollback_archive", "shop"), False),
        ("INSERT INTO rollback_archive.k SELECT c FROM t; ALTER TABLE t DROP COLUMN c", False),
        ("CREATE TABLE rollback_archive.k AS SELECT count(*) FROM t; ALTER TABLE t DROP COLUMN c", False),
    ],
)
def test_a_column_is_archived_when_the_script_copied_it(sql: str, archived: bool) -> None:
    assert questions(parse.read(sql))[-1].archived is archived
