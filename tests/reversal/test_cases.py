"""Every construct there and back: the draft is proven, and rows come through it on a database that has some."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
import pytest

from rollbacks.adapters.scratch import Scratch
from rollbacks.reversal import parse
from rollbacks.reversal.archive import SCHEMA
from rollbacks.reversal.assess import assess
from rollbacks.reversal.catalog import compare, read_facts
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from rollbacks.steps.replay import replay
from tests.reversal.cases import BASE, CASES, ROWS, Case
from tests.reversal.conftest import LAYOUT, folder_of

TABLES = """
    SELECT c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname IN ('public', 'shop') ORDER BY 2, 1"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_draft_is_proven_and_keeps_the_rows(scratch: Scratch, case: Case) -> None:
    folder = folder_of([BASE, case.forward])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label="rb1")

    proof = prove(scratch, folder, LAYOUT, return_to="0000_m0", reverse=draft.text)
    assert proof.passed, (proof.differences, draft.text)
    assert draft.cls == case.cls, draft.text
    assert case.residue in " ".join(draft.residue)
    assert bool(case.residue) == bool(draft.residue), draft.residue
    assert "CASCADE" not in draft.text.replace("ON DELETE CASCADE", "")
    assert [each.sentence for each in assess(draft.text, audit_tables=()).refusals] == []
    _rows_survive(scratch, case, draft.text)


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
        if not changed and case.cls not in "cd" and "people" not in case.later and "persons" not in case.later:
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
