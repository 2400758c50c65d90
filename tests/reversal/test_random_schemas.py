"""Random schemas and the plain migration from one to the other: the draft leads back, whatever the two are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbacks.adapters.scratch import Scratch
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from tests.reversal.conftest import LAYOUT, folder_of

EXAMPLES = int(os.environ.get("RANDOM_MIGRATIONS", "8"))
TABLES = ("alpha", "Beta", "gamma")
# A column's name says its family, so that it changes its type only in ways that a migration would.
FAMILIES = {
    "count": ("integer", "bigint"),
    "label": ("varchar(40)", "text"),
    "price": ("numeric(10, 2)", "numeric(12, 4)"),
    "seen": ("timestamp with time zone",),
    "flag": ("boolean",),
    "tags": ("text[]",),
    "mood": ("mood",),
    "extra": ("jsonb",),
}
DEFAULTS = {
    "count": ("0", "7"), "label": ("'none'",), "price": ("1.5",), "seen": ("now()",), "flag": ("true", "false"),
    "tags": ("'{}'::text[]",), "mood": ("'ok'",), "extra": ("'{}'::jsonb",),
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    type: str
    default: str | None
    required: bool


@dataclass(frozen=True)
class Table:
    """Its columns by name, and which of them are indexed, unique, checked, or point at another table."""

    columns: tuple[tuple[str, Column], ...]
    indexed: frozenset[str]
    unique: frozenset[str]
    checked: bool
    points_at: str | None
    view: bool


Schema = dict[str, Table]


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    default = draw(st.one_of(st.none(), st.sampled_from(DEFAULTS[name])))
    return Column(draw(st.sampled_from(FAMILIES[name])), default, draw(st.booleans()))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = draw(st.lists(st.sampled_from(sorted(FAMILIES)), unique=True, max_size=5))
    plain = [name for name in names if name not in {"extra", "tags"}]
    some = st.sets(st.sampled_from(plain), max_size=2) if plain else st.just(set())
    return Table(
        columns=tuple((name, draw(columns(name))) for name in names),
        indexed=frozenset(draw(some)),
        unique=frozenset(draw(some)),
        checked="count" in names and draw(st.booleans()),
        points_at=draw(st.one_of(st.none(), st.sampled_from(TABLES))),
        view=draw(st.booleans()),
    )


schemas = st.dictionaries(st.sampled_from(TABLES), tables(), max_size=3)


def attached(schema: Schema) -> dict[str, tuple[str, str]]:
    """Return what hangs on the tables by name, each with the statement that makes it and the one that drops it."""
    found = {}
    for name, table in schema.items():
        for column in table.indexed:
            found[f"i {name} {column}"] = (
                f'CREATE INDEX "{name}_{column}_i" ON "{name}" ("{column}")', f'DROP INDEX "{name}_{column}_i"',
            )  # fmt: skip
        for column in table.unique:
            found[f"u {name} {column}"] = constraint(name, f"{name}_{column}_u", f'UNIQUE ("{column}")')
        if table.checked:
            found[f"c {name}"] = constraint(name, f"{name}_c", 'CHECK ("count" >= 0)')
        if table.points_at in schema:
            key = f'FOREIGN KEY ("other") REFERENCES "{table.points_at}" ("id")'
            found[f"f {name} {table.points_at}"] = constraint(name, f"{name}_{table.points_at}_f", key)
        if table.view:
            listed = ", ".join(f'"{column}"' for column in ("id", *(column for column, _ in table.columns)))
            made = f'CREATE VIEW "{name}_v" AS SELECT {listed} FROM "{name}"'
            found[f"v {made} {table.columns}"] = (made, f'DROP VIEW "{name}_v"')
    return found


def constraint(table: str, name: str, words: str) -> tuple[str, str]:
    alter = f'ALTER TABLE "{table}"'
    return f'{alter} ADD CONSTRAINT "{name}" {words}', f'{alter} DROP CONSTRAINT "{name}"'


def migration(before: Schema, after: Schema) -> str:
    """Return what leads from one schema to the other, as somebody would write it."""
    had, wanted = attached(before), attached(after)
    statements = [drop for name, (_, drop) in sorted(had.items(), reverse=True) if name not in wanted]
    # What hangs on a table or column that goes was dropped already, because it is not wanted either.
    statements += [f'DROP TABLE "{name}"' for name in before if name not in after]
    statements += [create(name, after[name]) for name in after if name not in before]
    for name in before.keys() & after.keys():
        statements += altered(name, dict(before[name].columns), dict(after[name].columns))
    statements += [make for name, (make, _) in sorted(wanted.items()) if name not in had]
    return ";\n".join([*statements, "SELECT 1"]) + ";"


def create(name: str, table: Table) -> str:
    parts = ['"id" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY', '"other" integer']
    return f'CREATE TABLE "{name}" ({", ".join([*parts, *(defined(*each) for each in table.columns)])})'


def defined(name: str, column: Column) -> str:
    default = f" DEFAULT {column.default}" if column.default else ""
    return f'"{name}" {column.type}{default}{" NOT NULL" if column.required else ""}'


def altered(table: str, before: dict[str, Column], after: dict[str, Column]) -> Iterator[str]:
    alter = f'ALTER TABLE "{table}"'
    for name in before.keys() - after.keys():
        yield f'{alter} DROP COLUMN "{name}"'
    for name in after.keys() - before.keys():
        yield f"{alter} ADD COLUMN {defined(name, after[name])}"
    for name in before.keys() & after.keys():
        old, new, of = before[name], after[name], f'{alter} ALTER COLUMN "{name}"'
        if old.type != new.type:
            yield f"{of} SET DATA TYPE {new.type}"
        if old.default != new.default:
            yield f"{of} SET DEFAULT {new.default}" if new.default else f"{of} DROP DEFAULT"
        if old.required != new.required:
            yield f"{of} SET NOT NULL" if new.required else f"{of} DROP NOT NULL"


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize="RANDOM_MIGRATIONS" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(before=schemas, after=schemas)
def test_the_draft_leads_from_any_schema_back_to_any_other(scratch: Scratch, before: Schema, after: Schema) -> None:
    base = f"CREATE TYPE mood AS ENUM ('ok', 'bad');\n{migration({}, before)}"
    folder = folder_of([base, migration(before, after)])
    (draft,) = draft_back_to(scratch, folder, LAYOUT, return_to="0000_m0", label="rb1")
    proof = prove(scratch, folder, LAYOUT, return_to="0000_m0", reverse=draft.text)
    if "FILL IN" in draft.text:
        assert draft.residue
        return
    said = [*proof.differences, "── base", base, "── forward", migration(before, after), "── reverse", draft.text]
    assert proof.passed, "\n".join(said)
