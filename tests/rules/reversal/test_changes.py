"""The way from one shape to another on shapes made by hand: what is made anew, what stays, and what comes first."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest

from rollbacks.reversal.alterations import loses_quietly
from rollbacks.reversal.changes import changes
from rollbacks.reversal.ddl import target
from rollbacks.reversal.objects import Key, Shape, Thing

TABLE = ("table", "public", "t")
COLUMN = ("column", "public", "t", "c")
ENUM = ("enum", "public", "e")
Grants = Iterable[tuple[str, str, str, str, bool]]


def thing(key: Key, *needs: Key, **attributes: str) -> Thing:
    return Thing(key, attributes, frozenset(needs))


def shape(*things: Thing, grants: Grants = ()) -> Shape:
    """A shape with what everybody may do with a function or a type as the server gives it."""
    kinds = {"function": ("FUNCTION", "EXECUTE"), "enum": ("TYPE", "USAGE"), "domain": ("TYPE", "USAGE")}
    usual = [
        (kinds[each.kind][0], target(each), "PUBLIC", kinds[each.kind][1], False)
        for each in things
        if each.kind in kinds
    ]
    return Shape({each.key: each for each in things}, frozenset([*usual, *grants]))


def column(name: str, *needs: Key, table: str = "t", **attributes: str) -> Thing:
    return thing(
        ("column", "public", table, name), ("table", "public", table), *needs, **{"type": "integer", **attributes}
    )


def function(name: str, *needs: Key, definition: str = "", arguments: str = "", **attributes: str) -> Thing:
    made = definition or f"CREATE FUNCTION {name}"
    attributes = {"word": "FUNCTION", "signature": "", **attributes}
    return thing(("function", "public", name, arguments), *needs, definition=made, **attributes)


def kind_of(kind: str, *needs: Key, **attributes: str) -> Thing:
    """Something of a kind that needs these, in the way that its kind has a name."""
    part = kind in {"constraint", "index", "trigger", "policy", "rule"}
    key = (kind, "public", "t", "x") if part else (kind, "public", "x")
    given = {"definition": "SELECT 1", "enabled": "O", "type": "c" if kind == "constraint" else "", **attributes}
    return thing(key, *needs, **{name: value for name, value in given.items() if value})


def way(
    now: Shape, wanted: Shape, *, label: str | None = None, converted: Collection[tuple[str, str]] = ()
) -> list[str]:
    """Return the statements in their order."""
    return [sql for each in changes(now, wanted, label=label, converted=converted) for sql in each.statements]


def words(now: Shape, wanted: Shape, *, label: str | None = None) -> list[str]:
    """Return phase and last name of each step, the steps on privileges without a name."""
    return [f"{each.phase} {each.key[-1]}" for each in changes(now, wanted, label=label)]


MADE_ANEW = [
    "view",
    "materialized view",
    "rule",
    "policy",
    "trigger",
    "constraint",
    "index",
    "statistics",
    "domain",
    "composite type",
]


@pytest.mark.parametrize("kind", MADE_ANEW)
def test_what_cannot_be_changed_in_place_is_made_anew(kind: str) -> None:
    table = thing(TABLE)
    now, wanted = (shape(table, kind_of(kind, definition=each)) for each in ("SELECT 2", "SELECT 1"))
    assert words(now, wanted) == ["drop x", "create x"]
    commented = shape(table, kind_of(kind, definition="SELECT 2", comment="new"))
    assert words(now, commented) == ["alter x"]


@pytest.mark.parametrize("kind", [*MADE_ANEW, "function"])
def test_what_needs_something_made_anew_is_made_anew_too(kind: str) -> None:
    """A procedure of the same name and arguments is another object than the function."""
    need = ("function", "public", "f", "")
    user = function("x", need) if kind == "function" else kind_of(kind, need)
    now = shape(thing(TABLE), function("f"), user)
    wanted = shape(thing(TABLE), function("f", word="PROCEDURE"), user)
    name = user.key[-1]
    assert words(now, wanted) in (
        [f"drop {name}", "drop ", "create ", f"create {name}"],
        ["drop ", "drop ", "create ", "create "],
    )


def test_a_view_on_a_table_that_becomes_a_view_is_made_anew() -> None:
    user = kind_of("view", ("table", "public", "b"))
    again = thing(user.key, ("view", "public", "b"), **user.attributes)
    now = shape(thing(("table", "public", "b")), user)
    wanted = shape(thing(("view", "public", "b"), definition="SELECT 2"), again)
    assert words(now, wanted) == ["drop x", "drop b", "create b", "create x"]


@pytest.mark.parametrize("kind", ["view", "materialized view", "rule", "policy", "trigger", "function"])
def test_what_stands_in_the_way_of_a_new_type_is_made_anew(kind: str) -> None:
    user = function("f", COLUMN, arguments="x") if kind == "function" else kind_of(kind, COLUMN)
    now, wanted = (shape(thing(TABLE), column("c", type=each), user) for each in ("bigint", "integer"))
    assert words(now, wanted) == ["drop x", "alter c", "create x"]


@pytest.mark.parametrize("kind", ["index", "constraint", "statistics"])
def test_the_server_takes_indexes_and_constraints_along_to_a_new_type(kind: str) -> None:
    user = kind_of(kind, COLUMN)
    now, wanted = (shape(thing(TABLE), column("c", type=each), user) for each in ("bigint", "integer"))
    assert words(now, wanted) == ["alter c"]


def test_a_generated_column_over_a_new_type_is_made_anew_with_what_needs_it() -> None:
    twice = column("twice", COLUMN, generated="(c * 2) STORED")
    index = kind_of("index", twice.key)
    now, wanted = (shape(thing(TABLE), column("c", type=each), twice, index) for each in ("bigint", "integer"))
    assert words(now, wanted) == ["drop x", "drop twice", "alter c", "create twice", "create x"]


def test_another_expression_is_another_column_and_a_plain_column_that_was_generated_is_kept_in_the_archive() -> None:
    one, two = (shape(thing(TABLE), column("c", generated=f"({each}) STORED")) for each in (1, 2))
    plain = shape(thing(TABLE), column("c"), thing(("column", "public", "t", "id"), TABLE, type="integer"))
    assert words(one, two, label="rb") == ["drop c", "create c"]
    assert way(one, plain)[0] == 'ALTER TABLE "public"."t" ALTER COLUMN "c" DROP EXPRESSION;'
    back = way(plain, shape(*plain.things.values(), column("c", generated="(1) STORED")), label="rb")
    assert back[0].startswith('CREATE TABLE "rollback_archive"."rb_t_columns"') and '"c" IS NOT NULL' in back[0]
    assert [each.partition(" COLUMN ")[0] for each in back[2:]] == [
        'ALTER TABLE "public"."t" DROP', 'ALTER TABLE "public"."t" ADD',
    ]  # fmt: skip


def test_what_goes_is_kept_only_where_somebody_wrote_it() -> None:
    now = shape(thing(TABLE), column("a"), column("b", generated="(a) STORED"), column("c", type="text"))
    kept = way(now, shape(thing(TABLE)), label="rb")
    assert [each.split()[0] for each in kept] == ["CREATE", "INSERT", "ALTER", "ALTER", "ALTER"]
    assert '"a", "c"\nFROM' in kept[0] and '"b"' not in kept[0]
    assert way(now, shape(thing(TABLE))) == [f'ALTER TABLE "public"."t" DROP COLUMN "{each}";' for each in "abc"]
    assert way(now, shape()) == ['DROP TABLE "public"."t";']


def test_a_rounded_value_is_kept_unless_it_is_computed_or_nothing_is_to_be_kept() -> None:
    def pair(**attributes: str) -> list[Shape]:
        types = ("numeric(10,4)", "numeric(10,2)")
        return [shape(thing(TABLE), column("c", type=each, **attributes)) for each in types]

    assert words(*pair(), label="rb") == ["drop c", "alter c"]
    assert words(*pair()) == ["alter c"]
    assert words(*pair(generated="(a) STORED"), label="rb") == ["alter c"]


def test_the_archive_is_no_part_of_the_way() -> None:
    archived = thing(("table", "rollback_archive", "old"))
    assert way(shape(archived), shape()) == way(shape(), shape(archived)) == []


def test_empty_and_absent_are_the_same() -> None:
    assert changes(shape(thing(TABLE, comment="")), shape(thing(TABLE)), label=None) == []


def test_parts_go_with_the_relation_that_goes() -> None:
    index = kind_of("index", ("materialized view", "public", "t"))
    now, wanted = (
        shape(thing(("materialized view", "public", "t"), definition=each), index) for each in ("SELECT 2", "SELECT 1")
    )
    assert words(now, wanted) == ["drop t", "create t", "create x"]
    parts = shape(thing(TABLE), column("c"), kind_of("constraint", COLUMN, TABLE), kind_of("trigger", TABLE))
    assert words(parts, shape()) == ["drop t"]
    assert words(parts, shape(), label="rb") == ["drop x", "drop x", "drop t"]


def test_a_sequence_goes_with_the_column_that_owns_it() -> None:
    owned = thing(("sequence", "public", "s"), owner="public\0t\0c", owned_by="t.c", options="AS integer")
    assert words(shape(thing(TABLE), column("c"), owned), shape(thing(TABLE))) == ["drop c"]
    assert words(shape(owned), shape()) == ["drop s"]
    loose = thing(owned.key, options="AS integer")
    assert way(shape(loose), shape(owned)) == ['ALTER SEQUENCE "public"."s" OWNED BY t.c;']
    assert way(shape(owned), shape(loose)) == ['ALTER SEQUENCE "public"."s" OWNED BY NONE;']
    commented = thing(owned.key, **owned.attributes, comment="x")
    assert way(shape(owned), shape(commented)) == ['COMMENT ON SEQUENCE "public"."s" IS \'x\';']


def foreign_key(table: str, other: str) -> Thing:
    key = ("constraint", "public", table, f"{table}_to_{other}")
    return thing(key, ("table", "public", table), ("column", "public", other, "id"), type="f", definition="FOREIGN KEY")


def test_tables_that_point_at_each_other_go_after_their_keys_and_others_take_theirs_along() -> None:
    names = ("a", "z")
    tables = [each for name in names for each in (thing(("table", "public", name)), column("id", table=name))]
    both = shape(*tables, foreign_key("a", "z"), foreign_key("z", "a"))
    assert words(both, shape()) == ["drop a_to_z", "drop z_to_a", "drop a", "drop z"]
    stays = shape(*tables[2:])
    assert words(shape(*tables, foreign_key("a", "z")), stays) == ["drop a"]
    # A key to the table itself is no tie.
    assert words(shape(*tables, foreign_key("a", "a")), stays) == ["drop a"]


def test_a_table_goes_after_the_table_whose_parts_need_it() -> None:
    tables = [thing(("table", "public", name)) for name in "az"]
    trigger = thing(("trigger", "public", "z", "on_a"), tables[0].key, tables[1].key, definition="", enabled="O")
    assert words(shape(*tables, trigger), shape()) == ["drop z", "drop a"]


def test_a_function_over_columns_goes_before_their_table_and_is_made_after_it() -> None:
    """Whatever else is waited for: a domain that checks by the one, a default that calls another."""
    reader, other = function("a", COLUMN), function("z")
    domain = kind_of("domain", reader.key)
    assert words(shape(thing(TABLE), column("c"), reader, domain), shape()) == ["drop x", "drop ", "drop t"]
    full = shape(thing(TABLE), column("c", other.key), reader, other)
    assert [each.key[2] for each in changes(shape(), full, label=None)] == ["z", "t", "a"]


def test_a_table_is_made_after_what_its_columns_need() -> None:
    a, z = thing(("table", "public", "a")), thing(("table", "public", "z"))
    full = shape(a, column("c", z.key, table="a", type="z"), z)
    assert words(shape(), full) == ["create z", "create a"]


def test_a_type_waits_for_a_function_that_a_default_needs_until_it_is_another() -> None:
    reader, other = function("a", COLUMN), function("z")
    now = shape(thing(TABLE), column("c", type="bigint"), column("d", reader.key, default="a()"), reader)
    wanted = shape(thing(TABLE), column("c"), column("d", other.key, default="z()"), reader, other)
    assert [f"{each.phase} {each.key[-2]} {each.key[-1]}" for each in changes(now, wanted, label=None)] == [
        "create z ", "alter t d", "drop a ", "alter t c", "create a ",
    ]  # fmt: skip


def test_an_enum_waits_for_what_reads_its_columns() -> None:
    reader, other, typed = function("a", COLUMN), function("z"), column("c", ENUM, type="e")
    now = shape(thing(ENUM, values="a\0b"), thing(TABLE), typed, column("d", reader.key, default="a()"), reader)
    wanted = shape(thing(ENUM, values="a"), thing(TABLE), typed, column("d", other.key, default="z()"), reader, other)
    assert [f"{each.phase} {each.key[2]}" for each in changes(now, wanted, label=None)] == [
        "create z", "alter t", "drop a", "alter e", "create a",
    ]  # fmt: skip


def test_a_column_of_an_enum_gets_its_default_after_the_swap_and_before_what_the_old_one_called_goes() -> None:
    old = function("z")
    now = shape(thing(ENUM, values="a\0b"), thing(TABLE), column("c", ENUM, old.key, type="e", default="z()"), old)
    wanted = shape(thing(ENUM, values="a\0c"), thing(TABLE), column("c", ENUM, type="e", default="'c'::e"))
    assert [f"{each.phase} {each.key[2]}" for each in changes(now, wanted, label=None)] == [
        "alter e",
        "alter t",
        "drop z",
    ]


def test_a_function_is_made_when_the_column_that_it_reads_is_as_it_was() -> None:
    late = function("z_late")
    now = shape(thing(TABLE), column("c", default="1"))
    changed = column("c", late.key, default="z_late()")
    wanted = shape(thing(TABLE), changed, late, function("a_early", changed.key))
    assert [each.key[2] for each in changes(now, wanted, label=None)] == ["z_late", "t", "a_early"]


def test_a_function_is_not_made_before_its_namesake_went() -> None:
    other = function("z")
    now = shape(thing(TABLE), column("c", function("a").key, default="a()"), function("a"))
    wanted = shape(thing(TABLE), column("c", other.key, default="z()"), function("a", word="PROCEDURE"), other)
    assert [(each.phase, each.key[2]) for each in changes(now, wanted, label=None)] == [
        ("create", "z"), ("alter", "t"), ("drop", "a"), ("create", "a"),
    ]  # fmt: skip


def test_a_circle_is_left_to_the_server_and_privileges_still_come_last() -> None:
    one, two = thing(("table", "public", "a")), thing(("table", "public", "b"))
    circle = [thing(one.key, two.key), thing(two.key, one.key)]
    grant = ("TABLE", '"public"."a"', "PUBLIC", "SELECT", False)
    assert words(shape(), shape(*circle, grants=[grant])) == ["create a", "create b", "finish grant"]
    domain = kind_of("domain", ("function", "public", "f", ""))
    now = shape(domain, function("f", domain.key))
    wanted = shape(thing(domain.key, definition="text"), function("f", domain.key))
    assert sorted(words(now, wanted)) == ["create ", "create x", "drop ", "drop x"]


# ── enums ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_enum_that_loses_a_value_is_swapped_around_what_uses_it() -> None:
    plain = column("c", ENUM, type="e", default="'a'::e")
    listed = column("l", ENUM, type="e[]")
    computed = column("g", ENUM, COLUMN, type="e", generated="(c) STORED")
    leaving = column("o", ENUM, type="e")
    view, reader = kind_of("view", COLUMN), function("f", ENUM)
    rest = (thing(TABLE), plain, listed, computed, view, reader)
    now = shape(thing(ENUM, values="a\0b"), *rest, leaving)
    wanted = shape(thing(ENUM, values="a"), *rest, column("o", type="text"))
    steps = changes(now, wanted, label=None)
    assert [(each.phase, each.key[0], each.key[-1]) for each in steps] == [
        ("drop", "view", "x"), ("drop", "function", ""), ("drop", "column", "g"), ("alter", "column", "o"),
        ("alter", "enum", "e"), ("create", "column", "g"), ("create", "function", ""), ("create", "view", "x"),
    ]  # fmt: skip
    swap = next(each for each in steps if each.key == ENUM)
    alter = 'ALTER TABLE "public"."t" ALTER COLUMN'
    assert list(swap.statements) == [
        f'{alter} "c" DROP DEFAULT;',
        'ALTER TYPE "public"."e" RENAME TO "e_before_rollback";',
        'CREATE TYPE "public"."e" AS ENUM (\'a\');',
        f'{alter} "c" SET DATA TYPE e USING "c"::text::e;',
        f"{alter} \"c\" SET DEFAULT 'a'::e;",
        f'{alter} "l" SET DATA TYPE e[] USING "l"::text[]::e[];',
        'DROP TYPE "public"."e_before_rollback";',
    ]
    assert swap.cls == "d" and "Rows that hold 'b'" in swap.notes[0]


# ── in place ────────────────────────────────────────────────────────────────────────────────────────────────

ATTACHED = {"bound": "FOR VALUES IN (1)", "parents": '"public"."p"'}


@pytest.mark.parametrize(
    ("now", "wanted", "statements"),
    [
        (ATTACHED, {}, ['ALTER TABLE "public"."p" DETACH PARTITION "public"."t";']),
        ({}, ATTACHED, ['ALTER TABLE "public"."p" ATTACH PARTITION "public"."t" FOR VALUES IN (1);']),
        ({**ATTACHED, "parents": '"public"."o"'}, ATTACHED,
         ['ALTER TABLE "public"."o" DETACH PARTITION "public"."t";',
          'ALTER TABLE "public"."p" ATTACH PARTITION "public"."t" FOR VALUES IN (1);']),
        ({**ATTACHED, "bound": "DEFAULT"}, ATTACHED,
         ['ALTER TABLE "public"."p" DETACH PARTITION "public"."t";',
          'ALTER TABLE "public"."p" ATTACH PARTITION "public"."t" FOR VALUES IN (1);']),
        (ATTACHED, {**ATTACHED, "comment": "x"}, ["COMMENT ON TABLE \"public\".\"t\" IS 'x';"]),
        ({"options": "{fillfactor=70,toast_tuple_target=200}"}, {"options": "{fillfactor=70,autovacuum_enabled=false}"},
         ['ALTER TABLE "public"."t" SET (autovacuum_enabled = false);', 'ALTER TABLE "public"."t" RESET (toast_tuple_target);']),
        ({}, {"clustered_on": "i", "replica_identity": "FULL"},
         ['ALTER TABLE "public"."t" REPLICA IDENTITY FULL;', 'ALTER TABLE "public"."t" CLUSTER ON i;']),
    ],
)  # fmt: skip
def test_a_table_is_changed_in_place(now: dict[str, str], wanted: dict[str, str], statements: list[str]) -> None:
    steps = changes(shape(thing(TABLE, **now)), shape(thing(TABLE, **wanted)), label=None)
    assert [sql for each in steps for sql in each.statements] == statements
    assert [note for each in steps for note in each.notes] == []


def test_what_a_table_is_clustered_by_is_said_again_when_an_index_of_it_is_made_anew() -> None:
    table, other = thing(TABLE, clustered_on="x"), thing(("table", "public", "o"), clustered_on="y")
    for kind in ("index", "constraint", "trigger"):
        now, wanted = (shape(table, other, kind_of(kind, TABLE, definition=each)) for each in ("1", "2"))
        again = ['ALTER TABLE "public"."t" CLUSTER ON x;'] if kind != "trigger" else []
        assert way(now, wanted)[2:] == again
    now, wanted = (shape(table, kind_of(kind, TABLE)) for kind in ("index", "constraint"))
    assert words(now, wanted) == ["drop x", "create x", "finish t"]


@pytest.mark.parametrize(
    ("kind", "now", "wanted", "says"),
    [
        ("table", {"partitioned": "LIST (a)"}, {}, "had partitioned “none” and has “LIST (a)”"),
        ("table", {}, {"parents": "p"}, "had parents “p” and has “none”"),
        ("foreign table", {"options": "{a=1}"}, {"options": "{a=2}"}, "had options “{a=2}” and has “{a=1}”"),
    ],
)
def test_what_is_not_written_is_left_to_a_person(
    kind: str, now: dict[str, str], wanted: dict[str, str], says: str
) -> None:
    key = (kind, "public", "t")
    (step,) = changes(shape(thing(key, **now)), shape(thing(key, **wanted)), label=None)
    assert (step.statements, step.cls, len(step.notes)) == ((), "d", 1) and says in step.notes[0]
    (plain,) = changes(shape(thing(key)), shape(thing(key, comment="x")), label=None)
    assert (plain.cls, plain.notes) == ("a", ())


@pytest.mark.parametrize(
    ("kind", "key", "wanted"),
    [("function", ("function", "public", "f", ""), {"word": "FUNCTION", "definition": "CREATE"}), ("view", ("view", "public", "v"), {})],
)  # fmt: skip
def test_a_comment_alone_changes_nothing_else(kind: str, key: Key, wanted: dict[str, str]) -> None:
    (sql,) = way(shape(thing(key, **wanted)), shape(thing(key, **wanted, comment="x")))
    assert sql.startswith(f"COMMENT ON {kind.upper()}")


@pytest.mark.parametrize(
    ("now", "wanted", "using"),
    [
        *((one, "numeric", False) for one in ("smallint", "integer", "bigint", "real", "double precision")),
        *(("numeric", one, False) for one in ("smallint", "integer", "bigint", "real", "double precision")),
        ("json", "jsonb", False), ("jsonb", "json", False), ("date", "timestamp without time zone", False),
        ("time without time zone", "time(3) without time zone", False), ("integer", "text", False), ("jsonb", "character(3)", False),
        ("character varying(9)", "character varying(3)", False), ("uuid", "uuid", False), ("text", "integer", True),
        ("integer", "jsonb", True), ("jsonb", "integer", True), ("text", "date", True), ("e", "json", True),
        ("interval", "interval(3)", False),
    ],
)  # fmt: skip
def test_a_cast_of_ours_is_written_only_where_the_server_has_none_of_its_own(
    now: str, wanted: str, using: bool
) -> None:
    before, after = (shape(thing(TABLE), column("c", type=each, collation=each[:1])) for each in (now, wanted + ""))
    (sql, *_) = way(before, after) or [""]
    assert ("USING" in sql) is using


@pytest.mark.parametrize(
    ("now", "wanted", "loses"),
    [
        ("numeric(10,4)", "numeric(10,2)", True), ("numeric(10,2)", "numeric(10,4)", False), ("numeric", "numeric(9)", True),
        ("numeric(9)", "integer", False), ("numeric(9,1)", "integer", True), ("double precision", "real", True),
        ("real", "double precision", False), ("bigint", "integer", False), ("bigint", "real", True), ("real", "integer", True),
        ("numeric(9,2)", "double precision", True), ("text", "integer", False), ("integer", "text", False),
        ("timestamp(6) without time zone", "timestamp(0) without time zone", True), ("date", "timestamp without time zone", False),
        ("timestamp without time zone", "date", True), ("timestamp(0) without time zone", "time(0) without time zone", True),
("timestamp without time zone", "character varying(3)", False),
        ("time(3) without time zone", "time(6) without time zone", False), ("time(3) without time zone", "time(3) with time zone", False), ("time without time zone", "text", False),
        ("time with time zone", "time without time zone", True), ("time without time zone", "time with time zone", False),
        ("time with time zone", "time with time zone", False), ("timestamp with time zone", "timestamp without time zone", False),
        ("timestamp without time zone", "time without time zone", True),
        ("timestamp without time zone", "text", False), ("text", "date", False), ("text", "time without time zone", False),
        ("date", "date", False), ("smallint", "real", True), ("double precision", "bigint", True), ("bigint", "smallint", False),
    ],
)  # fmt: skip
def test_types_that_round_or_cut_without_a_word_are_known(now: str, wanted: str, loses: bool) -> None:
    assert loses_quietly(now, wanted) is loses


ALTER = 'ALTER TABLE "public"."t"'


@pytest.mark.parametrize(
    ("now", "wanted", "statements"),
    [
        ({"generated": "(1) STORED"}, {"generated": "(1) STORED", "comment": "x"},
         ["COMMENT ON COLUMN \"public\".\"t\".\"c\" IS 'x';"]),
        ({}, {"required": "yes"}, [f'{ALTER} ALTER COLUMN "c" SET NOT NULL;']),
        ({}, {"required": "yes", "required_as": "must"}, [f'{ALTER} ADD CONSTRAINT "must" NOT NULL "c";']),
        ({"storage": "e"}, {}, [f'{ALTER} ALTER COLUMN "c" SET STORAGE DEFAULT;']),
        *(({}, {"storage": letter}, [f'{ALTER} ALTER COLUMN "c" SET STORAGE {word};']) for letter, word in (
            ("p", "PLAIN"), ("e", "EXTERNAL"), ("x", "EXTENDED"), ("m", "MAIN"))),
        *(({}, {"compression": letter}, [f'{ALTER} ALTER COLUMN "c" SET COMPRESSION {word};']) for letter, word in (
            ("p", "pglz"), ("l", "lz4"))),
        ({"statistics": "5"}, {}, [f'{ALTER} ALTER COLUMN "c" SET STATISTICS -1;']),
    ],
)  # fmt: skip
def test_a_column_is_changed_in_place(now: dict[str, str], wanted: dict[str, str], statements: list[str]) -> None:
    assert way(shape(thing(TABLE), column("c", **now)), shape(thing(TABLE), column("c", **wanted))) == statements


def test_a_column_is_made_with_all_that_it_had() -> None:
    made = column("c", required="yes", required_as="must", storage="e", default="1", collation='"C"', comment="x")
    late = column("d", required="yes")
    computed = column("g", required="yes", generated="(1) STORED")
    assert way(shape(thing(TABLE)), shape(thing(TABLE), computed)) == [
        f'{ALTER} ADD COLUMN "g" integer GENERATED ALWAYS AS ((1)) STORED NOT NULL;'
    ]
    table, *settings = way(shape(), shape(thing(TABLE), made, computed))
    assert table.startswith('CREATE TABLE "public"."t" (') and 'CONSTRAINT "must" NOT NULL' in table
    assert [each.split()[0] for each in settings] == ["ALTER", "COMMENT"]
    assert way(shape(thing(TABLE)), shape(thing(TABLE), made)) == [
        f'{ALTER} ADD COLUMN "c" integer COLLATE "C" DEFAULT 1 CONSTRAINT "must" NOT NULL;',
        f'{ALTER} ALTER COLUMN "c" SET STORAGE EXTERNAL;',
        'COMMENT ON COLUMN "public"."t"."c" IS \'x\';',
    ]
    add, fill = way(shape(thing(TABLE)), shape(thing(TABLE), late))
    assert add == f'{ALTER} ADD COLUMN "d" integer;' and fill.startswith("-- FILL IN:") and "SET NOT NULL" in fill


# ── the archive ─────────────────────────────────────────────────────────────────────────────────────────────

PRIMARY = thing(("constraint", "public", "t", "key"), TABLE, type="p", columns="id", definition="PRIMARY KEY (id)")


def test_without_a_key_whole_rows_are_kept_and_joined_by_hand() -> None:
    now = shape(thing(TABLE), column("id"), column("c"))
    (copy, manifest, _drop) = way(now, shape(thing(TABLE), column("id")), label="rb")
    assert 'SELECT to_jsonb("t") AS "whole_row", "c"\nFROM "public"."t"' in copy and "ARRAY[]::text[]" in manifest
    (reapply,) = filter(None, (each.reapply for each in changes(now, shape(thing(TABLE), column("id")), label="rb")))
    assert reapply.startswith('-- "public"."t" has no primary key') and reapply.endswith("to be joined by hand.")


def test_a_key_that_goes_itself_is_no_key_to_keep_by() -> None:
    now = shape(thing(TABLE), column("id"), column("c"), PRIMARY)
    kept = way(now, shape(thing(TABLE), column("c")), label="rb")
    assert any('SELECT to_jsonb("t") AS "whole_row", "id"\nFROM' in each for each in kept)
    by_key = way(now, shape(thing(TABLE), column("id"), PRIMARY), label="rb")
    assert 'SELECT "id", "c"\nFROM' in by_key[0] and "ARRAY['id']" in by_key[1]


@pytest.mark.parametrize(
    ("name", "parts", "key"),
    [
        ("c", '"id", "c"', "ARRAY['id']"),
        ("id", 'to_jsonb("t") AS "whole_row", "id"', "ARRAY[]"),
    ],
)
def test_rounded_values_are_kept_by_a_key_that_is_not_rounded_with_them(name: str, parts: str, key: str) -> None:
    other = column("c" if name == "id" else "id")
    now, wanted = (
        shape(thing(TABLE), column(name, type=each), other, PRIMARY) for each in ("numeric(9,4)", "numeric(9,2)")
    )
    kept = next(each for each in changes(now, wanted, label="rb") if each.reapply)
    assert f"SELECT {parts}\nFROM" in kept.statements[0] and key in kept.statements[1]
    assert kept.reapply.startswith("UPDATE" if name == "c" else "--")
    bare, back = (shape(*(each for each in one.things.values() if each != PRIMARY)) for one in (now, wanted))
    assert 'to_jsonb("t")' in way(bare, back, label="rb")[0]
