"""The catalog facts: every single change is seen, none is imagined, and a restored backup has the same ones."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rollbacks.adapters.pg_tools import find_tools
from rollbacks.reversal import catalog
from rollbacks.reversal.catalog import ACCESS_KINDS, Facts, compare, read_facts
from tests.rules.reversal.rich_schema import MUTATIONS, ROLES, SCHEMA, UNDONE

Line = psycopg.Connection[tuple[Any, ...]]
NAME = f"facts_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
IGNORED = {"drizzle"}


def _url(cluster_url: str, database: str) -> str:
    return cluster_url.replace("@/postgres?", f"@/{database}?")


@pytest.fixture(scope="module")
def rich(cluster_url: str) -> Iterator[str]:
    """The URL of a database with the rich schema."""
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        for role in ROLES:
            if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        _make(admin, NAME)
        with psycopg.connect(_url(cluster_url, NAME)) as line:
            line.execute(SCHEMA.encode())
        yield _url(cluster_url, NAME)
        for name in (NAME, f"{NAME}_restored"):
            _drop(admin, name)


def _make(admin: Line, name: str) -> None:
    _drop(admin, name)
    admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _drop(admin: Line, name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def before(rich: str) -> Facts:
    with psycopg.connect(rich) as line:
        return read_facts(line, ignore_schemas=IGNORED)


@pytest.fixture(scope="module")
def shared(rich: str) -> Iterator[Line]:
    with psycopg.connect(rich) as line:
        yield line


@pytest.fixture
def line(shared: Line) -> Iterator[Line]:
    shared.execute("SET allow_system_table_mods = on")
    yield shared
    shared.rollback()


@pytest.mark.parametrize("change", MUTATIONS)
def test_every_single_change_is_seen_and_named(line: Line, before: Facts, change: str) -> None:
    line.execute(MUTATIONS[change].encode())

    differences = compare(before, read_facts(line, ignore_schemas=IGNORED))

    assert not differences.equal
    assert differences.sentences()
    assert all(sentence.endswith(".") for sentence in differences.sentences())


@pytest.mark.parametrize(
    "change",
    [
        "table owner",
        "table granted",
        "column granted",
        "default privileges",
        "user mapping dropped",
        "subscription made",
    ],
)
def test_who_owns_and_who_may_can_be_compared_apart(line: Line, before: Facts, change: str) -> None:
    """A scratch server has neither the roles nor the other servers."""
    line.execute(MUTATIONS[change].encode())
    after = read_facts(line, ignore_schemas=IGNORED)
    assert not compare(before, after).equal
    assert compare(before.without(ACCESS_KINDS), after.without(ACCESS_KINDS)).sentences() == []


@pytest.mark.parametrize("change", UNDONE)
def test_what_was_done_and_undone_leaves_equal_facts(line: Line, before: Facts, change: str) -> None:
    line.execute(UNDONE[change].encode())
    after = read_facts(line, ignore_schemas=IGNORED)
    assert compare(before, after).sentences() == []
    assert after.digest == before.digest


def test_column_order_alone_is_reported_and_is_no_difference(line: Line, before: Facts) -> None:
    line.execute("ALTER TABLE shop.loose DROP id; ALTER TABLE shop.loose ADD id integer NOT NULL")
    differences = compare(before, read_facts(line, ignore_schemas=IGNORED))
    assert differences.equal
    assert differences.reordered == ("shop.loose",)


def test_a_new_column_is_a_difference_and_no_other_order(line: Line, before: Facts) -> None:
    line.execute("ALTER TABLE shop.loose ADD more integer")
    differences = compare(before, read_facts(line, ignore_schemas=IGNORED))
    assert not differences.equal
    assert differences.reordered == ()


def test_an_explicit_grant_list_equal_to_the_default_is_no_difference(line: Line, before: Facts) -> None:
    line.execute("REVOKE ALL ON shop.loose FROM CURRENT_USER; GRANT ALL ON shop.loose TO CURRENT_USER")
    assert compare(before, read_facts(line, ignore_schemas=IGNORED)).equal


@pytest.mark.parametrize(
    "setting",
    [
        "TimeZone = 'Africa/Harare'",
        "DateStyle = 'German'",
        "search_path = shop",
        "quote_all_identifiers = on",
        "IntervalStyle = 'sql_standard'",
        "extra_float_digits = -5",
        "bytea_output = 'escape'",
    ],
)
def test_the_settings_of_the_reader_change_no_fact_and_are_put_back(line: Line, before: Facts, setting: str) -> None:
    line.execute(f"SET LOCAL {setting}".encode())
    shown = line.execute(f"SHOW {setting.split()[0]}".encode()).fetchone()
    assert compare(before, read_facts(line, ignore_schemas=IGNORED)).sentences() == []
    assert line.execute(f"SHOW {setting.split()[0]}".encode()).fetchone() == shown


def test_what_lies_in_ignored_schemas_is_no_fact(line: Line, before: Facts) -> None:
    line.execute(
        """CREATE SCHEMA drizzle; COMMENT ON SCHEMA drizzle IS 'x'; CREATE TABLE drizzle.t (id serial PRIMARY KEY CHECK (id > 0));
        CREATE TRIGGER t BEFORE UPDATE ON drizzle.t FOR EACH ROW EXECUTE FUNCTION shop.touch(); COMMENT ON TRIGGER t ON drizzle.t IS 'x';
        COMMENT ON COLUMN drizzle.t.id IS 'x'; GRANT SELECT (id) ON drizzle.t TO facts_reader; CREATE TYPE drizzle.e AS ENUM ('a');
        CREATE DOMAIN drizzle.d AS text CHECK (VALUE <> ''); CREATE STATISTICS drizzle.s ON (id + 1) FROM drizzle.t;
        CREATE POLICY p ON drizzle.t; COMMENT ON POLICY p ON drizzle.t IS 'x'; ALTER PUBLICATION part ADD TABLE drizzle.t;
        ALTER DEFAULT PRIVILEGES IN SCHEMA drizzle GRANT SELECT ON TABLES TO facts_reader;"""
    )
    assert compare(before, read_facts(line, ignore_schemas=IGNORED)).sentences() == []


def test_what_an_earlier_rollback_kept_is_no_fact(line: Line, before: Facts) -> None:
    line.execute("CREATE SCHEMA rollback_archive; CREATE TABLE rollback_archive.manifest (kept_as text PRIMARY KEY)")
    assert compare(before, read_facts(line, ignore_schemas=IGNORED)).sentences() == []


def test_facts_survive_their_json(before: Facts) -> None:
    again = Facts.from_json(before.to_json())
    assert compare(before, again).equal
    assert again.digest == before.digest


def test_reading_is_one_read_only_transaction_and_leaves_the_connection_as_it_was(rich: str, before: Facts) -> None:
    with psycopg.connect(rich, autocommit=True) as line:
        assert compare(before, read_facts(line, ignore_schemas=IGNORED)).equal
        assert (line.isolation_level, line.read_only, line.autocommit) == (None, None, True)
        assert line.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_everything_is_read_in_one_state_with_the_same_settings(rich: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ", ".join(
        f"current_setting('{each}')" for each in ("transaction_isolation", "transaction_read_only", "DateStyle")
    )
    monkeypatch.setattr(catalog, "queries", lambda version: {"asked": f"SELECT {asked}"})
    with psycopg.connect(rich, autocommit=True) as line:
        found = read_facts(line, ignore_schemas=IGNORED)
    assert found.entries == {("asked", "repeatable read", "on", "ISO, YMD")}


def test_the_collector_is_held_while_facts_are_read_and_left_as_it_was() -> None:
    collecting = gc.isenabled()
    try:
        for begin, after in ((gc.enable, True), (gc.disable, False)):
            begin()
            with catalog._uncollected():
                assert not gc.isenabled()
            assert gc.isenabled() is after
    finally:
        (gc.enable if collecting else gc.disable)()


def test_a_short_text_is_named_whole() -> None:
    was, now = (Facts(frozenset({("view", "shop", "v", "x" * 230 + each)})) for each in "ab")
    (sentence,) = compare(was, now).sentences()
    assert sentence == f"View shop.v is “{'x' * 230}b” instead of “{'x' * 230}a”."


def test_a_text_that_goes_on_is_cut_with_a_mark() -> None:
    was, now = (Facts(frozenset({("view", "shop", "v", each + "x" * 300)})) for each in "ab")
    (sentence,) = compare(was, now).sentences()
    assert sentence == f"View shop.v is “b{'x' * 119}…” instead of “a{'x' * 119}…”."


def test_what_only_one_side_has_is_named_with_what_it_is() -> None:
    view, schema = ("view", "shop", "v", "SELECT\n1"), ("schema", "spare", "")
    found = compare(Facts(frozenset({view})), Facts(frozenset({schema})))
    assert found.sentences() == ["View shop.v is missing (SELECT 1).", "Schema spare is there and should not be."]
    long = Facts(frozenset({("view", "shop", "v", "x" * 121)}))
    assert compare(long, Facts(frozenset())).sentences() == [f"View shop.v is missing ({'x' * 119}…)."]


def test_a_column_that_only_one_side_has_puts_no_other_out_of_order() -> None:
    one, other = (Facts(frozenset(), {"shop.t": columns}) for columns in (("a", "gone", "b"), ("a", "b", "new")))
    assert compare(one, other).reordered == compare(other, one).reordered == ()
    assert compare(one, Facts(frozenset(), {"shop.t": ("b", "a")})).reordered == ("shop.t",)


def test_only_tables_have_an_order_of_columns(line: Line) -> None:
    line.execute(
        "CREATE TABLE public.ordered (b int, a int); CREATE VIEW public.seen AS SELECT b, a FROM public.ordered"
    )
    order = read_facts(line, ignore_schemas=IGNORED).order
    assert order["public.ordered"] == ("b", "a") and "public.seen" not in order


def test_a_long_text_is_named_by_the_part_that_differs(line: Line, before: Facts) -> None:
    body = "'SELECT a + b /* " + "x" * 500 + "{} */'"
    make = (
        "CREATE OR REPLACE FUNCTION shop.add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS "
    )
    line.execute((make + body.format("first")).encode())
    first = read_facts(line, ignore_schemas=IGNORED)
    line.execute((make + body.format("second")).encode())
    (sentence,) = compare(first, read_facts(line, ignore_schemas=IGNORED)).sentences()
    assert f"“…{'x' * 40}second" in sentence
    assert f"“…{'x' * 40}first" in sentence
    assert len(sentence) < 400


def test_a_restored_backup_has_the_same_facts_owners_and_grants_apart(
    rich: str, before: Facts, cluster_url: str, tmp_path: Path
) -> None:
    tools = find_tools(18, os.environ)
    dump = tmp_path / "rich.dump"
    subprocess.run(
        [tools.pg_dump, "--format=custom", "--no-owner", "--no-privileges", "-f", dump, "-d", rich], check=True
    )
    restored = rich.replace(f"/{NAME}?", f"/{NAME}_restored?")
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        _make(admin, f"{NAME}_restored")
    subprocess.run(
        [tools.pg_restore, "--exit-on-error", "--no-owner", "--no-privileges", "-d", restored, dump], check=True
    )
    with psycopg.connect(restored) as line:
        after = read_facts(line, ignore_schemas=IGNORED)
    differences = compare(before.without(ACCESS_KINDS), after.without(ACCESS_KINDS))
    assert differences.sentences() == []
    assert differences.reordered == ()
