"""Reading Drizzle's ledger, and replaying migrations as drizzle-orm's migrate() would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from demo import target as demo_target
from rollbacks.adapters.ledger import Unreplayable, apply_forward, create_ledger, read_ledger
from rollbacks.drizzle.journal import LINE_0, Folder, Layout, read_folder
from rollbacks.drizzle.preflight import violations
from tests.rules.drizzle.samples import small_files, with_entries

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
Connection = psycopg.Connection[tuple[Any, ...]]
LAYOUT = Layout(out="drizzle")


@pytest.fixture
def empty(cluster_url: str) -> Iterator[Connection]:
    """A connection to a fresh database of its own, as the role that owns it."""
    name = f"ledger_{WORKER}"
    demo_target.create_database(cluster_url, name)
    scheme, rest = cluster_url.split("://", 1)
    with psycopg.connect(f"{scheme}://{name}@/{name}?{rest.split('?', 1)[1]}") as connection:
        yield connection
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)


def folder(**sql: str) -> Folder:
    files = small_files()
    return read_folder({**files, **{f"{tag}.sql": text.encode() for tag, text in sql.items()}})


def value(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def test_a_missing_ledger_is_told_from_an_empty_one(empty: Connection) -> None:
    assert not read_ledger(empty, LAYOUT).exists
    create_ledger(empty, LAYOUT, LINE_0)
    found = read_ledger(empty, LAYOUT)
    assert found.exists and found.columns == ("id", "hash", "created_at") and found.rows == ()


def test_the_demo_target_agrees_with_its_files(empty: Connection) -> None:
    migrations = demo_target.migrations()
    assert apply_forward(empty, migrations, demo_target.LAYOUT, until=None) == [
        each.tag for each in migrations.migrations
    ]
    ledger = read_ledger(empty, demo_target.LAYOUT)
    assert [row.id for row in ledger.rows] == [1, 2, 3, 4, 5]
    assert [row.created_at for row in ledger.rows] == [each.when for each in migrations.migrations]
    newest = migrations.migrations[-1].when
    assert violations(migrations, ledger, layout=demo_target.LAYOUT, now_ms=newest) == ()
    assert apply_forward(empty, migrations, demo_target.LAYOUT, until=None) == []


def test_replaying_stops_after_the_return_point_and_goes_on_from_there(empty: Connection) -> None:
    applied = apply_forward(empty, demo_target.migrations(), demo_target.LAYOUT, until="0001_solid_cargill")
    assert applied == ["0000_initial", "0001_solid_cargill"]
    assert value(empty, "SELECT to_regclass('public.subscriptions')") is None
    rest = apply_forward(empty, demo_target.migrations(), demo_target.LAYOUT, until="0003_redundant_starfox")
    assert rest == ["0002_rich_marten_broadcloak", "0003_redundant_starfox"]


def test_a_folder_seeded_after_0000_can_be_watched_going_forward(empty: Connection) -> None:
    url = empty.info.dsn
    demo_target.seed(url, until=demo_target.INITIAL)
    demo_target.seed(url, until=demo_target.INITIAL)
    assert len(demo_target.forward(url)) == 4
    assert value(empty, "SELECT count(*) FROM public.entities WHERE registration_number LIKE 'LEGACY-%'") > 0


def test_other_names_of_schema_and_table_are_quoted(empty: Connection) -> None:
    layout = replace(LAYOUT, ledger_schema='Odd "schema', ledger_table="Migrations; --")
    assert apply_forward(empty, folder(), layout, until=None) == ["0000_one", "0001_two", "0002_three"]
    assert len(read_ledger(empty, layout).rows) == 3
    assert not read_ledger(empty, LAYOUT).exists


def test_a_piece_may_hold_several_statements_a_percent_sign_or_nothing(empty: Connection) -> None:
    sql = "CREATE TABLE a (x int); INSERT INTO a SELECT 7 % 4;--> statement-breakpoint\n-- only a comment\n"
    apply_forward(empty, folder(**{"0000_one": sql, "0001_two": ""}), LAYOUT, until=None)
    assert value(empty, "SELECT x FROM a") == 3
    assert len(read_ledger(empty, LAYOUT).rows) == 3


def test_one_failure_undoes_all_pending_migrations_but_not_the_ledger_table(empty: Connection) -> None:
    broken = folder(**{"0000_one": "CREATE TABLE a (x int)", "0002_three": "SELECT 1/0"})
    with pytest.raises(psycopg.errors.DivisionByZero):
        apply_forward(empty, broken, LAYOUT, until=None)
    assert value(empty, "SELECT to_regclass('public.a')") is None
    assert read_ledger(empty, LAYOUT).exists and read_ledger(empty, LAYOUT).rows == ()
    empty.rollback()
    assert not empty.autocommit


def test_only_the_greatest_created_at_decides_what_is_pending(empty: Connection) -> None:
    create_ledger(empty, LAYOUT, LINE_0)
    middle = folder().migrations[1].when
    empty.execute("INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('x', %s)", [middle])
    assert apply_forward(empty, folder(), LAYOUT, until=None) == ["0002_three"]


def test_a_null_created_at_makes_everything_run_again_as_in_drizzle(empty: Connection) -> None:
    apply_forward(empty, folder(), LAYOUT, until=None)
    empty.execute("INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('x', NULL)")
    assert len(apply_forward(empty, folder(), LAYOUT, until=None)) == 3
    assert [row.created_at for row in read_ledger(empty, LAYOUT).rows][-1] is None


def test_a_falling_when_is_applied_on_an_empty_ledger_and_skipped_on_a_filled_one(empty: Connection) -> None:
    falling = read_folder(with_entries(small_files(), lambda entries: entries[2].update(when=5)))
    assert apply_forward(empty, falling, LAYOUT, until="0001_two") == ["0000_one", "0001_two"]
    assert apply_forward(empty, falling, LAYOUT, until=None) == []
    empty.execute("TRUNCATE drizzle.__drizzle_migrations")
    assert len(apply_forward(empty, falling, LAYOUT, until=None)) == 3


def test_a_commit_in_a_migration_lets_it_build_an_index_concurrently_as_in_drizzle(empty: Connection) -> None:
    sql = "CREATE TABLE a (x int);--> statement-breakpoint\nCOMMIT;--> statement-breakpoint\n"
    sql += "CREATE INDEX CONCURRENTLY a_x ON a (x);"
    assert len(apply_forward(empty, folder(**{"0001_two": sql}), LAYOUT, until=None)) == 3
    assert len(read_ledger(empty, LAYOUT).rows) == 3
    assert value(empty, "SELECT to_regclass('public.a_x')") is not None


def test_a_missing_file_and_a_nul_are_refused_before_anything_runs(empty: Connection) -> None:
    files = small_files()
    del files["0002_three.sql"]
    with pytest.raises(Unreplayable, match=r"0002_three\.sql is missing"):
        apply_forward(empty, read_folder(files), LAYOUT, until=None)
    with pytest.raises(Unreplayable, match="NUL"):
        apply_forward(empty, folder(**{"0001_two": "SELECT 1;\0DROP TABLE a"}), LAYOUT, until=None)
    assert not read_ledger(empty, LAYOUT).exists
    assert len(apply_forward(empty, read_folder(files), LAYOUT, until="0001_two")) == 2


def test_an_unknown_return_point_applies_nothing(empty: Connection) -> None:
    with pytest.raises(KeyError):
        apply_forward(empty, folder(), LAYOUT, until="0009_none")
    assert not read_ledger(empty, LAYOUT).exists


def test_the_ledger_of_drizzle_1_comes_back_with_its_columns(empty: Connection) -> None:
    create_ledger(empty, LAYOUT, LINE_0)
    empty.execute("ALTER TABLE drizzle.__drizzle_migrations ADD name text, ADD applied_at timestamptz")
    assert read_ledger(empty, LAYOUT).columns == ("id", "hash", "created_at", "name", "applied_at")
    empty.execute("ALTER TABLE drizzle.__drizzle_migrations DROP hash")
    assert read_ledger(empty, LAYOUT).columns == ("id", "created_at", "name", "applied_at")
