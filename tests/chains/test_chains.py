"""Chains that the real drizzle-kit wrote: each migration is drafted, proven, and undone on a database with rows."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from rollbacks.adapters.scratch import Scratch
from rollbacks.drizzle.journal import Migration
from rollbacks.reversal import parse
from rollbacks.reversal.archive import SCHEMA
from rollbacks.reversal.catalog import compare, read_facts
from rollbacks.reversal.changes import FILL_IN
from rollbacks.reversal.draft import Draft
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from rollbacks.steps.replay import Replay, replay
from tests.chains.chains import CHAINS, Chain
from tests.reversal.conftest import LAYOUT

EVERY = [(name, migration.tag) for name, each in CHAINS.items() for migration in each.folder.migrations]
# What a draft leaves to a person, by a word of its sentence; every other draft leaves nothing.
LEFT = {
    ("shop", "0001_seed_products"): "inserted rows",
    ("shop", "0003_returned_and_notes"): "Rows that hold 'returned' stop the rollback",
    ("shop", "0005_packed_and_search"): "Rows that hold 'packed' stop the rollback",
    ("shop", "0008_names_are_required"): "changed rows",
    ("shop", "0011_drop_legacy_code"): "legacy_code",
    ("shop", "0012_drop_coupons"): "coupons",
    ("clinic", "0004_severities"): "Rows that hold 'medium', 'critical' stop the rollback",
    ("clinic", "0012_critical"): "changed rows",
    ("meter", "0008_negative_values"): "changed rows",
    ("meter", "0009_drop_quality"): "quality",
    ("meter", "0012_clean_up"): "deleted rows",
}
# Rows that stay make a second deployment fail on their keys, until a person says what becomes of them.
NOT_AGAIN = {("shop", "0001_seed_products")}
TABLES = """SELECT format('%I.%I', n.nspname, c.relname), c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|^information_schema$|^drizzle$|^rollback_archive$' ORDER BY 1"""
Rows = dict[str, list[str]]


@pytest.fixture(scope="module")
def drafts(scratch: Scratch) -> dict[str, dict[str, Draft]]:
    """The drafts of every migration, each chain from one replay."""
    return {
        name: {
            each.tag: each for each in draft_back_to(scratch, chain.folder, LAYOUT, return_to=None, label=f"rb_{name}")
        }
        for name, chain in CHAINS.items()
    }


@pytest.mark.xdist_group("chains")
@pytest.mark.parametrize("name", sorted(CHAINS))
def test_a_whole_chain_is_taken_back_to_the_empty_database(
    scratch: Scratch, drafts: dict[str, dict[str, Draft]], name: str
) -> None:
    chain = CHAINS[name]
    reverse = "\n".join(drafts[name][each.tag].text for each in reversed(chain.folder.migrations))
    proof = prove(scratch, chain.folder, LAYOUT, return_to=None, reverse=reverse)
    assert proof.passed, proof.differences


@pytest.mark.xdist_group("chains")
@pytest.mark.parametrize(("name", "tag"), EVERY)
def test_each_migration_is_undone_with_its_rows(
    scratch: Scratch, drafts: dict[str, dict[str, Draft]], name: str, tag: str
) -> None:
    chain, draft = CHAINS[name], drafts[name][tag]
    migration = chain.folder.by_tag(tag)
    number = chain.folder.migrations.index(migration)
    before = chain.folder.migrations[number - 1].tag if number else None
    proof = prove(scratch, _up_to(chain, number), LAYOUT, return_to=before, reverse=draft.text)
    if (name, tag) in NOT_AGAIN:
        assert FILL_IN in draft.text and "cannot be deployed again" in proof.differences[0]
    else:
        assert proof.passed, (proof.differences, draft.text)
    left = LEFT.get((name, tag), "")
    assert bool(draft.residue) == bool(left) and left in " ".join(draft.residue), draft.residue
    with replay(scratch, chain.folder, LAYOUT, purpose="rows") as state:
        _deploy(state, chain, number)
        wanted = read_facts(state.connection, ignore_schemas={"drizzle"})
        _undo_at_once(state, migration, draft, _rows(state.connection), wanted)
        _undo_after_use(state, chain, migration, draft)


def _up_to(chain: Chain, number: int) -> Any:
    from dataclasses import replace

    return replace(chain.folder, migrations=chain.folder.migrations[: number + 1])


def _deploy(state: Replay, chain: Chain, number: int) -> None:
    for position, migration in enumerate(chain.folder.migrations[:number]):
        state.forward(migration)
        state.connection.execute(chain.rows.get(position, "SELECT").encode())
        state.connection.commit()


def _undo_at_once(state: Replay, migration: Migration, draft: Draft, before: Rows, wanted: Any) -> None:
    """Deployed and taken back before anybody wrote: every byte is as it was, unless rows or values had gone before."""
    state.forward(migration)
    _run(state.connection, draft)
    assert compare(wanted, read_facts(state.connection, ignore_schemas={"drizzle"})).equal
    # What the forward cast rounded stays rounded, and the draft says so.
    rounded = any(
        "what the forward cast changed stays changed" in note for each in draft.statements for note in each.notes
    )
    if not draft.residue and not rounded:
        assert _rows(state.connection) == before
    state.connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
    state.connection.execute(
        b"DELETE FROM drizzle.__drizzle_migrations WHERE created_at = %s" % str(migration.when).encode()
    )
    state.connection.commit()


def _undo_after_use(state: Replay, chain: Chain, migration: Migration, draft: Draft) -> None:
    """Deployed, written to, taken back: what was written into what goes is in the archive, complete."""
    if FILL_IN in draft.text:
        return
    line = state.connection
    state.forward(migration)
    line.execute(chain.rows.get(chain.folder.migrations.index(migration), "SELECT").encode())
    line.commit()
    used = _rows(line)
    if "stop the rollback" in " ".join(draft.residue) and migration_wrote(chain, migration):
        with pytest.raises(psycopg.errors.DataError):
            _run(line, draft)
        return
    _run(line, draft)
    kept = dict(line.execute(f"SELECT source, kept_as FROM {SCHEMA}.manifest").fetchall()) if _archived(line) else {}
    gone = set(used) - set(_rows(line))
    for table in gone:
        source = next((each for each in kept if each.replace('"', "") == table.replace('"', "")), None)
        renamed = any(
            "RENAME TO" in each.sql and table.split(".")[-1].strip('"') in each.sql for each in draft.statements
        )
        assert source is not None or renamed, f"{table} is gone and not in the archive"
        if source is not None:
            assert _contents(line, f'{SCHEMA}."{kept[source]}"') == used[table]


def migration_wrote(chain: Chain, migration: Migration) -> bool:
    """Whether somebody wrote a value that only this migration's enum has."""
    return chain.name == "clinic" and migration.tag == "0004_severities"


def _run(line: psycopg.Connection[Any], draft: Draft) -> None:
    for statement in parse.read(draft.text):
        line.execute(statement.text.encode(), binary=True)
    line.commit()


def _archived(line: psycopg.Connection[Any]) -> bool:
    return line.execute(f"SELECT to_regclass('{SCHEMA}.manifest') IS NOT NULL").fetchone() == (True,)


def _rows(line: psycopg.Connection[Any]) -> Rows:
    """Return every table's rows as text, columns in the order of their names."""
    return {table: _contents(line, table) for table, _oid in line.execute(TABLES).fetchall()}


def _contents(line: psycopg.Connection[Any], table: str) -> list[str]:
    query = "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname::text"
    columns = [row[0] for row in line.execute(query, [table]).fetchall()]
    listed = ", ".join(f"{column}::text" for column in columns)
    return sorted(str(row) for row in line.execute(f"SELECT {listed} FROM {table}".encode()).fetchall())
