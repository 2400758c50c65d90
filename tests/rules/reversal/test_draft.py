"""How a draft is put together: renames back, what is left to a person, and what is said at its head."""

from __future__ import annotations

import pytest

from rollbacks.reversal import parse
from rollbacks.reversal.draft import Draft, Written, check, compose, converted_columns, renames_back, with_conflicts
from rollbacks.reversal.objects import Shape, Thing

DRAFT = Draft("0001_m1", (), ("told before",), (), "SELECT 1;\n")


@pytest.mark.parametrize(
    ("forward", "back"),
    [
        ("ALTER TABLE a RENAME TO b", 'ALTER TABLE "public"."b" RENAME TO "a";'),
        ("ALTER TABLE s.a RENAME TO b", 'ALTER TABLE "s"."b" RENAME TO "a";'),
        ("ALTER VIEW a RENAME TO b", 'ALTER VIEW "public"."b" RENAME TO "a";'),
        ("ALTER MATERIALIZED VIEW a RENAME TO b", 'ALTER MATERIALIZED VIEW "public"."b" RENAME TO "a";'),
        ("ALTER INDEX a RENAME TO b", 'ALTER INDEX "public"."b" RENAME TO "a";'),
        ("ALTER SEQUENCE a RENAME TO b", 'ALTER SEQUENCE "public"."b" RENAME TO "a";'),
        ("ALTER SCHEMA a RENAME TO b", 'ALTER SCHEMA "b" RENAME TO "a";'),
        ("ALTER TYPE a RENAME TO b", 'ALTER TYPE "public"."b" RENAME TO "a";'),
        ("ALTER TYPE s.a RENAME TO b", 'ALTER TYPE "s"."b" RENAME TO "a";'),
        ("ALTER DOMAIN a RENAME TO b", 'ALTER DOMAIN "public"."b" RENAME TO "a";'),
        ("ALTER TABLE t RENAME COLUMN a TO b", 'ALTER TABLE "public"."t" RENAME COLUMN "b" TO "a";'),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b", 'ALTER TABLE "public"."t" RENAME CONSTRAINT "b" TO "a";'),
        ("ALTER POLICY a ON t RENAME TO b", 'ALTER POLICY "b" ON "public"."t" RENAME TO "a";'),
        ("ALTER TRIGGER a ON t RENAME TO b", 'ALTER TRIGGER "b" ON "public"."t" RENAME TO "a";'),
        ("ALTER RULE a ON t RENAME TO b", 'ALTER RULE "b" ON "public"."t" RENAME TO "a";'),
        ("ALTER TYPE s.m RENAME VALUE 'a' TO 'b'", "ALTER TYPE \"s\".\"m\" RENAME VALUE 'b' TO 'a';"),
        ("ALTER TABLE a SET SCHEMA s", 'ALTER TABLE "s"."a" SET SCHEMA "public";'),
        ("ALTER VIEW a SET SCHEMA s", 'ALTER VIEW "s"."a" SET SCHEMA "public";'),
        ("ALTER SEQUENCE r.a SET SCHEMA s", 'ALTER SEQUENCE "s"."a" SET SCHEMA "r";'),
        ("ALTER TYPE a SET SCHEMA s", 'ALTER TYPE "s"."a" SET SCHEMA "public";'),
        ("ALTER DOMAIN a SET SCHEMA s", 'ALTER DOMAIN "s"."a" SET SCHEMA "public";'),
        ("ALTER FUNCTION f() RENAME TO g", ""),
        ("ALTER FOREIGN TABLE a RENAME TO b", ""),
        ("ALTER FOREIGN TABLE a SET SCHEMA s", ""),
        ("ALTER FUNCTION f() SET SCHEMA s", ""),
        ("ALTER TYPE m ADD VALUE 'a'", ""),
        ("ALTER TABLE t ADD COLUMN a integer", ""),
    ],
)
def test_a_rename_has_its_inverse(forward: str, back: str) -> None:
    assert [each.sql for each in renames_back(parse.read(forward))] == ([back] if back else [])


def test_renames_are_taken_back_from_the_last_and_those_in_a_block_are_not_certain() -> None:
    sql = "ALTER TABLE a RENAME TO b; DO $$ BEGIN ALTER TABLE b RENAME TO c; END $$"
    found = renames_back(parse.read(sql))
    assert [(each.sql, each.certain) for each in found] == [
        ('ALTER TABLE "public"."c" RENAME TO "b";', False), ('ALTER TABLE "public"."b" RENAME TO "a";', True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("ALTER COLUMN c TYPE jsonb USING to_jsonb(c)", True),
        ("ALTER COLUMN c TYPE integer USING c::text::integer", False),
        ("ALTER COLUMN c TYPE integer USING '1'::integer", True),
        ("ALTER COLUMN c TYPE integer", False),
        ("ADD COLUMN c integer DEFAULT f()", False),
        ("ADD COLUMN c integer GENERATED ALWAYS AS (f()) STORED", False),
    ],
)
def test_only_a_cast_is_no_conversion(command: str, found: bool) -> None:
    assert converted_columns(parse.read(f"ALTER TABLE t {command}")) == ({("t", "c")} if found else set())


def test_what_has_no_statement_leaves_a_place_to_a_person() -> None:
    now, wanted = (
        Shape({("table", "public", "t"): Thing(("table", "public", "t"), each)}) for each in ({}, {"parents": "p"})
    )
    found = compose("0001_m1", (), renames=(), now=now, wanted=wanted, label=None)
    assert found.left and found.cls == "d" and found.statements == ()
    assert found.text.startswith('-- FILL IN: "public"."t" had parents “p”') and found.residue == (found.residue[0],)
    assert "left nothing in the catalog to undo" in found.text


@pytest.mark.parametrize(
    ("classes", "left", "worst"), [("ab", False, "b"), ("acb", False, "c"), ("a", True, "d"), ("", False, "a")]
)
def test_a_draft_is_as_bad_as_its_worst_statement(classes: str, left: bool, worst: str) -> None:
    statements = tuple(Written("SELECT 1;", each, 0, ()) for each in classes)
    assert Draft("0001_m1", statements, (), (), "", left=left).cls == worst


def test_conflicts_stand_at_the_head_and_in_the_residue() -> None:
    assert with_conflicts(DRAFT, ()) is DRAFT
    found = with_conflicts(DRAFT, ("one\nline", "two"))
    assert found.text == "-- CONFLICT: one line\n-- CONFLICT: two\nSELECT 1;\n"
    assert found.residue == ("told before", "one\nline", "two")


def test_a_draft_is_read_again() -> None:
    check([DRAFT])
    with pytest.raises(parse.Unreadable, match="SELCT"):
        check([DRAFT, Draft("0002_m2", (), (), (), "SELCT 1;")])


@pytest.mark.parametrize("kind", ["trigger", "rule"])
def test_rows_are_taken_back_without_the_triggers_and_rules_that_go(kind: str) -> None:
    table, key = ("table", "public", "t"), Thing(("constraint", "public", "t", "k"), {"type": "p", "columns": "id"})
    now, wanted = (
        Shape({each.key: each for each in (
            Thing(table, {}), key, Thing((kind, "public", "t", "x"), {"definition": f"CREATE {one}", "enabled": "O"}),
        )}) for one in ("AFTER", "BEFORE")
    )  # fmt: skip
    forward = parse.read("INSERT INTO t (id) VALUES (1)")
    found = compose("0001_m1", forward, renames=(), now=now, wanted=wanted, label=None)
    assert [each.sql.split()[0] for each in found.statements] == ["DROP", "DELETE", "CREATE"]
