"""Which rows that a migration wrote can be taken back, which go anyway, and which are left to a person."""

from __future__ import annotations

import pytest

from rollbacks.reversal import parse
from rollbacks.reversal.objects import Key, Shape, Thing
from rollbacks.reversal.written_rows import Rows, rows_written

READING = """
    array_agg array_length btrim concat concat_ws count current_database current_schema current_setting format gen_random_uuid
    has_table_privilege jsonb_typeof length lower max min now pg_get_constraintdef pg_get_expr quote_ident quote_literal replace
    string_agg substring sum to_regclass to_regproc to_regprocedure to_regtype trim unnest upper version"""


def table(name: str, schema: str = "public", columns: tuple[str, ...] = ("a", "b"), key: str = "a") -> list[Thing]:
    parts = [Thing(("column", schema, name, each), {"type": "integer"}) for each in columns]
    primary: Key = ("constraint", schema, name, "key")
    keys = [Thing(primary, {"type": "p", "columns": key})] if key else []
    return [Thing(("table", schema, name), {}), *parts, *keys]


def shape(*tables: list[Thing]) -> Shape:
    return Shape({each.key: each for things in tables for each in things})


def found(sql: str, now: Shape, wanted: Shape | None = None, *, label: str | None = None) -> list[Rows]:
    return list(rows_written(parse.read(sql), now=now, wanted=now if wanted is None else wanted, label=label))


def test_a_query_that_asks_in_known_words_wrote_nothing() -> None:
    asked = [f'SELECT "{word}"(1), pg_catalog."{word}"(1)' for word in READING.split()]
    assert found(";\n".join(asked), shape()) == []


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT seeded()", "calls code"),
        ("SELECT shop.lower('A')", "calls code"),
        ("CALL seed()", "calls code"),
        ("DO $$ BEGIN EXECUTE format('DELETE FROM %I', 't'); END $$", "is a DO block"),
        ("COPY t FROM STDIN", "copied rows"),
        ("CREATE TABLE x AS WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "deleted rows"),
        ("TRUNCATE t", "emptied tables"),
        ("UPDATE t SET a = 1", "changed rows"),
        ("DELETE FROM t WHERE a = 1", "deleted rows"),
        ("INSERT INTO t (a) SELECT 1", "inserted rows"),
        ("INSERT INTO t (b) VALUES (1)", "inserted rows"),
        ("INSERT INTO t (a) VALUES (1), (NULL)", "inserted rows"),
        ("INSERT INTO t (a) VALUES (1), (2 + 3)", "inserted rows"),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "inserted rows"),
        ("INSERT INTO nowhere (a) VALUES (1)", "inserted rows"),
        ("INSERT INTO twice (a) VALUES (1)", "inserted rows"),
        ("UPDATE twice SET a = 1", "changed rows"),
    ],
)
def test_what_has_no_inverse_is_left_to_a_person(sql: str, says: str) -> None:
    (row,) = found(sql, shape(table("t"), table("twice"), table("twice", "shop")))
    assert says in row.left and row.statements == ()


@pytest.mark.parametrize(
    "sql",
    ["TRUNCATE gone", "INSERT INTO gone SELECT 1", "UPDATE t SET new = 1", "UPDATE public.t SET new = 1", "INSERT INTO shop.t SELECT 1"],
)  # fmt: skip
def test_what_goes_with_the_migration_needs_no_word(sql: str) -> None:
    now = shape(table("t", columns=("a", "new")), table("t", "shop"), table("gone"))
    if "SET" in sql:
        now = shape(table("t", columns=("a", "new")), table("gone"))
    assert found(sql, now, shape(table("t", columns=("a",)))) == []


def test_an_update_of_a_column_that_stays_or_of_two_tables_is_told() -> None:
    now, wanted = (shape(table("t", columns=each), table("t", "shop", each)) for each in (("a", "new"), ("a",)))
    assert len(found("UPDATE t SET new = 1", now, wanted)) == 1
    assert len(found("UPDATE shop.t SET new = 1, a = 2", now, wanted)) == 1
    assert found("UPDATE shop.t SET new = 1", now, wanted) == []


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("INSERT INTO t (a) VALUES (1), (2)", '("a") IN ((1), (2))'),
        ("INSERT INTO t (b, a) VALUES (1, 'x'::text)", "(\"a\") IN (('x'))"),
        ("INSERT INTO t (a) VALUES (1.5)", '("a") IN ((1.5))'),
        ("INSERT INTO t (a) VALUES (0)", '("a") IN ((0))'),
    ],
)
def test_rows_with_constant_keys_are_deleted_and_kept(sql: str, where: str) -> None:
    (bare,) = found(sql, shape(table("t")))
    assert bare.statements == (f'DELETE FROM "public"."t" WHERE {where};',) and bare.reapply == ""
    (kept,) = found(sql, shape(table("t")), label="rb")
    assert kept.statements[0].startswith('CREATE TABLE "rollback_archive"."rb_line1_t_rows"') and kept.reapply
    assert kept.statements[-1] == bare.statements[0]


def test_what_the_server_makes_itself_is_not_written_back() -> None:
    made = [Thing(("column", "public", "t", name), {name: "(1) STORED"}) for name in ("generated", "identity")]
    (row,) = found("INSERT INTO t (a) VALUES (1)", shape([*table("t"), *made]), label="rb")
    assert row.reapply.split("\n")[0] == 'UPDATE "public"."t" AS live SET "b" = kept."b"'
    (bare,) = found("INSERT INTO t (a) VALUES (1)", shape(table("t", columns=("a",))), label="rb")
    assert bare.reapply == "SELECT 1;"


def test_rows_of_a_table_that_was_dropped_are_deleted_from_no_other() -> None:
    (row,) = found("INSERT INTO nowhere (a) VALUES (1)", shape(table("t")), label="rb1")
    assert row.left and row.statements == ()


def test_rows_cannot_stay_where_no_table_is() -> None:
    enum = Thing(("enum", "public", "mood"), {})
    assert found("INSERT INTO gone (a) VALUES (1)", shape([enum])) == []


@pytest.mark.parametrize(
    ("sql", "kept_as"),
    [
        ("INSERT INTO t (a) VALUES (1);\nINSERT INTO t (a) VALUES (2)", ["rb1_line2_t_rows", "rb1_line1_t_rows"]),
        ("INSERT INTO t (a) VALUES (1); INSERT INTO t (a) VALUES (2)", ["rb1_line1_2_t_rows", "rb1_line1_t_rows"]),
        ("INSERT INTO u (a) VALUES (1); INSERT INTO t (a) VALUES (2)", ["rb1_line1_t_rows", "rb1_line1_u_rows"]),
        ("DELETE FROM t WHERE a = 3; INSERT INTO t (a) VALUES (1)", ["rb1_line1_t_rows"]),
    ],
)
def test_an_archive_is_named_by_line_and_table_and_numbered_only_where_it_has_to_be(
    sql: str, kept_as: list[str]
) -> None:
    rows = found(sql, shape(table("t"), table("u")), label="rb1")
    assert [row.statements[0].split('"')[3] for row in rows if row.statements] == kept_as
