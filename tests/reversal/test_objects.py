"""A database with something of everything is read, taken down and made again from what was read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rollbacks.reversal.changes import changes
from rollbacks.reversal.objects import Shape, Thing, read_shape
from tests.rules.reversal.rich_schema import ROLES, SCHEMA

# What the objects do not speak of, because the engine leaves it alone.
LEFT_ALONE = """
    DROP CAST (shop.address AS text); DROP OPERATOR shop.=== (shop.address, shop.address); DROP EVENT TRIGGER watching;
    DROP PUBLICATION part; DROP PUBLICATION whole; DROP OPERATOR FAMILY shop.family USING btree; DROP AGGREGATE shop.largest (integer);
    DROP TYPE shop.span; DROP COLLATION shop.german; DROP TEXT SEARCH CONFIGURATION shop.plain;
    DROP TEXT SEARCH DICTIONARY shop.words; COMMENT ON CONSTRAINT has_at ON DOMAIN shop.email IS NULL;
    ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE SELECT ON TABLES FROM facts_reader;
"""
NAME = f"objects_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
Line = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def rich(cluster_url: str) -> Iterator[Line]:
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        for role in ROLES:
            if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        try:
            with psycopg.connect(cluster_url.replace("@/postgres?", f"@/{NAME}?")) as line:
                line.execute(SCHEMA.encode())
                line.execute(LEFT_ALONE.encode())
                line.execute(
                    "ALTER TABLE shop.loose ADD CHECK (true); ALTER TABLE shop.orders ADD COLUMN former shop.people[]"
                )
                # Whatever the path is, what is read names the schema.
                line.execute("SET search_path = shop, public")
                yield line
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(NAME)))


def test_everything_is_taken_down_and_made_again_from_what_was_read(rich: Line) -> None:
    before = read_shape(rich)
    kinds = {key[0] for key in before.things}
    assert kinds == {
        "schema", "enum", "composite type", "domain", "sequence", "table", "column", "constraint", "index", "view",
        "materialized view", "function", "trigger", "rule", "policy", "statistics", "foreign table",
    }  # fmt: skip
    assert ("SCHEMA", '"shop"', "facts_reader", "USAGE", False) in before.grants
    assert before.things["sequence", "shop", "numbers"].needs == {("schema", "shop")}
    assert before.things["sequence", "shop", "orders_id_seq"].needs == {("schema", "shop")}
    assert ("table", "shop", "people") in before.things["column", "shop", "orders", "former"].needs
    assert before.things["column", "shop", "loose", "id"].needs == {("table", "shop", "loose")}
    assert all(value for each in before.things.values() for value in each.attributes.values())
    assert "FROM shop.people" in before.things["view", "shop", "adults"].get("definition")
    assert not any(each[:2] == ("SCHEMA", '"public"') for each in before.grants)
    empty = Shape({})
    _go(rich, before, empty)
    assert read_shape(rich).things == {}
    left = _go(rich, empty, before)
    assert left == ['"shop"."distant" is a foreign table; make it by hand.']
    found, (missing,) = read_shape(rich), [key for key in before.things if key[0] == "foreign table"]
    assert found.grants == before.grants
    assert found.things == {key: thing for key, thing in before.things.items() if key != missing}


def _go(line: Line, now: Shape, wanted: Shape) -> list[str]:
    left = []
    for step in changes(now, wanted, label=None):
        left += [note for note in step.notes if not step.statements]
        for statement in step.statements:
            line.execute(statement.encode())
    return left


def test_what_is_to_be_ignored_is_not_read(rich: Line) -> None:
    found = read_shape(rich, ignore_schemas=("shop",))
    assert {key[1] for key in found.things} == {"spare", "public"}


def test_two_shapes_are_as_far_apart_as_what_only_one_has() -> None:
    one, other = Thing(("schema", "a"), {}), Thing(("schema", "a"), {"comment": "x"})
    grant = ("SCHEMA", '"a"', "PUBLIC", "USAGE", False)
    shapes = [Shape({}), Shape({one.key: one}), Shape({one.key: other}), Shape({one.key: one}, frozenset([grant]))]
    assert len({each.digest for each in shapes}) == 4
    assert [shapes[1].distance(each) for each in shapes] == [1, 0, 2, 0]
    assert Shape({("schema", "b"): Thing(("schema", "b"), {})}).distance(shapes[1]) == 2
