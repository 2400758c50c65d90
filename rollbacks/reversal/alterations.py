"""One step from a shape to another, and the steps that change an object in place instead of making it anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rollbacks.reversal import ddl
from rollbacks.reversal.objects import Key, Shape, Thing, literal, name

DROP, ALTER, CREATE, FINISH = "drop", "alter", "create", "finish"
PHASES = (DROP, ALTER, CREATE, FINISH)
OLD = "_before_rollback"


@dataclass(frozen=True)
class Action:
    """Statements about one object: its class (a exact, b as it was but existing rows may refuse, c values are gone,
    d a person decides) and what has to be said about it."""

    phase: str
    key: Key
    statements: tuple[str, ...]
    cls: str = "a"
    notes: tuple[str, ...] = ()
    reapply: str = ""


def type_of(thing: Thing) -> tuple[str, str]:
    """Return what makes a column's type: its name with modifiers, and its collation."""
    return thing.get("type"), thing.get("collation")


def altered(now: Thing, wanted: Thing) -> Iterator[str]:
    """Return the statements for what differs of a table, enum, sequence or function, and its comment."""
    if wanted.kind == "table":
        yield from ddl.row_security(now, wanted)
        if now.get("unlogged") != wanted.get("unlogged"):
            yield f"ALTER TABLE {ddl.target(wanted)} SET {'UNLOGGED' if wanted.get('unlogged') else 'LOGGED'};"
        yield from ddl.set_options(now, wanted)
        yield from _partition(now, wanted)
    elif wanted.kind == "enum":
        yield from _added_values(now, wanted)
    elif wanted.kind == "sequence" and now.get("options") != wanted.get("options"):
        yield f"ALTER SEQUENCE {ddl.target(wanted)} {wanted.get('options')};"
    elif now.get("definition") != wanted.get("definition"):
        yield f"{wanted.get('definition')};"
    yield from ddl.comment(wanted, now.get("comment"))


def _partition(now: Thing, wanted: Thing) -> Iterator[str]:
    """Take the table out of the partitioned table that it is in, and put it into the one that it was in."""
    if now.get("bound") == wanted.get("bound") and now.get("parents") == wanted.get("parents"):
        return
    if now.get("bound"):
        yield f"ALTER TABLE {now.get('parents')} DETACH PARTITION {ddl.target(now)};"
    if wanted.get("bound"):
        yield f"ALTER TABLE {wanted.get('parents')} ATTACH PARTITION {ddl.target(wanted)} {wanted.get('bound')};"


def unsupported(now: Thing, wanted: Thing) -> Iterator[str]:
    """Return a sentence for each difference that is not written here."""
    partition = now.get("bound") or wanted.get("bound")
    attributes = {"table": ["partitioned"] if partition else ["partitioned", "parents"], "foreign table": ["options"]}
    for attribute in attributes.get(wanted.kind, ()):
        if now.get(attribute) != wanted.get(attribute):
            yield (
                f"{ddl.target(wanted)} had {attribute} “{wanted.get(attribute) or 'none'}” and has "
                f"“{now.get(attribute) or 'none'}”; write that statement by hand."
            )


def _added_values(now: Thing, wanted: Thing) -> Iterator[str]:
    """A removed value comes back at its place; it can be used only after this transaction."""
    have, values = now.get("values").split("\0"), wanted.get("values").split("\0")
    for position, value in enumerate(values):
        if value not in have:
            place = f"AFTER {literal(values[position - 1])}" if position else f"BEFORE {literal(have[0])}"
            yield f"ALTER TYPE {ddl.target(wanted)} ADD VALUE {literal(value)} {place};"


def drop_identity(column: Thing) -> str:
    """Return the statement that makes an identity column a plain one; its sequence goes with that."""
    return f"ALTER TABLE {ddl.table_of(column)} ALTER COLUMN {name(column.key[3])} DROP IDENTITY;"


def add_identity(column: Thing) -> str:
    """Return the statement that makes a plain column an identity column; its sequence's name must be free."""
    spec = ddl.column_definition(column, required=False).split(" GENERATED ", 1)[1]
    return f"ALTER TABLE {ddl.table_of(column)} ALTER COLUMN {name(column.key[3])} ADD GENERATED {spec};"


def altered_column(now: Thing, wanted: Thing, *, converted: bool) -> Action:
    """Return what brings a column that stays back to what it was; class b where rows may refuse it."""
    alter = f"ALTER TABLE {ddl.table_of(wanted)} ALTER COLUMN {name(wanted.key[3])}"
    statements: list[str] = []
    notes: list[str] = []
    cls = "a"
    retyped = type_of(now) != type_of(wanted)
    if now.get("generated") and not wanted.get("generated"):
        statements.append(f"{alter} DROP EXPRESSION;")
    if now.get("default") and (retyped or not wanted.get("default")):
        statements.append(f"{alter} DROP DEFAULT;")
    if now.get("required") and not wanted.get("required"):
        statements.append(f"{alter} DROP NOT NULL;")
    if retyped:
        cls = "d" if converted else "b"
        statements.append(_retype(alter, now, wanted))
        notes.append(_retyped_note(now, wanted, converted))
    if wanted.get("default") and (retyped or now.get("default") != wanted.get("default")):
        statements.append(f"{alter} SET DEFAULT {wanted.get('default')};")
    if wanted.get("required") and not now.get("required"):
        cls = max(cls, "b")
        statements.append(ddl.set_not_null(wanted))
        notes.append(f"Rows whose {ddl.target(wanted)} is NULL stop the rollback; give them a value before.")
    statements += _identity(alter, now, wanted)
    statements += ddl.column_settings(now, wanted)
    statements += ddl.comment(wanted, now.get("comment"))
    return Action(ALTER, wanted.key, tuple(statements), cls, tuple(notes))


def _retyped_note(now: Thing, wanted: Thing, converted: bool) -> str:
    change = f"{ddl.target(wanted)} goes from {now.get('type')} back to {wanted.get('type')}"
    if converted:
        return f"{change}: the migration computed its values, and they are not computed back; correct the SQL if they can be."
    return f"{change}: what the forward cast changed stays changed, and a value that does not fit stops the rollback."


def _retype(alter: str, now: Thing, wanted: Thing) -> str:
    collation = f" COLLATE {wanted.get('collation')}" if wanted.get("collation") else ""
    using = "" if _assignable(now, wanted) else f" USING {name(wanted.key[3])}::text::{wanted.get('type')}"
    return f"{alter} SET DATA TYPE {wanted.get('type')}{collation}{using};"


NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
TIMES = ("timestamp", "date", "time")


def _assignable(now: Thing, wanted: Thing) -> bool:
    """Tell whether the server casts by assignment, which refuses what does not fit; a cast of ours would cut it."""
    old, new = _base(now.get("type")), _base(wanted.get("type"))
    if old == new or new in {"text", "character varying", "character"}:
        return True
    family = [set(NUMBERS), {each for each in (old, new) if each.startswith(TIMES)}, {"json", "jsonb"}]
    return any(old in each and new in each for each in family)


# Digits after the point that each type keeps; numeric without a scale keeps them all.
FRACTIONS = {"smallint": 0, "integer": 0, "bigint": 0, "real": 6, "double precision": 15, "numeric": 1000}
FLOATS = {"real", "double precision"}


def loses_quietly(now: str, wanted: str) -> bool:
    """Tell whether the server, going from one type to the other, rounds or cuts values instead of refusing them."""
    old, new = now.split("(")[0].strip(), wanted.split("(")[0].strip()
    if old in FRACTIONS and new in FRACTIONS:
        return _scale(wanted) < _scale(now) or (new in FLOATS and old not in FLOATS)
    if old.startswith(TIMES) and new.startswith(TIMES):
        return _precision(wanted) < _precision(now) or (new.split()[0] == "time" and _more_than_a_time(now, wanted))
    return False


def _more_than_a_time(now: str, wanted: str) -> bool:
    """Tell whether the values have a day, or a zone that the other type lacks."""
    return now.startswith("timestamp") or (now.endswith(" with time zone") and not wanted.endswith(" with time zone"))


def _scale(type_name: str) -> int:
    base, _, rest = type_name.partition("(")
    return int(rest.rstrip(")").split(",")[1]) if "," in rest else 0 if rest else FRACTIONS[base.strip()]


def _precision(type_name: str) -> int:
    if type_name == "date":
        return -1
    return int(type_name.split("(")[1].split(")")[0]) if "(" in type_name else 6


def _base(type_name: str) -> str:
    return type_name.split("(")[0].strip() if not type_name.startswith(TIMES) else type_name


def _identity(alter: str, now: Thing, wanted: Thing) -> Iterator[str]:
    if not now.get("identity"):
        return
    if wanted.get("identity") != now.get("identity") and wanted.get("identity"):
        yield f"{alter} SET GENERATED {wanted.get('identity')};"
    if wanted.get("identity") and now.get("identity_options") != wanted.get("identity_options"):
        options = wanted.get("identity_options").replace("START WITH", "SET START WITH")
        for word in ("INCREMENT BY", "MINVALUE", "MAXVALUE", "CACHE"):
            options = options.replace(f" {word}", f" SET {word}")
        options = options.removesuffix(" CYCLE") + (" SET CYCLE" if options.endswith(" CYCLE") else " SET NO CYCLE")
        yield f"{alter} {options};"


def swapped_enum(now: Thing, wanted: Thing, *, before: Shape, after: Shape) -> Action:
    """PostgreSQL cannot remove an enum value: a new type takes the old one's place in every column."""
    old = name(now.key[1], f"{now.key[2]}{OLD}")
    extra = [value for value in now.get("values").split("\0") if value not in wanted.get("values").split("\0")]
    using = [
        thing for thing in before.dependents(now.key)
        if thing.kind == "column" and now.key in after.things.get(thing.key, Thing((), {})).needs
        and not thing.get("generated")
    ]  # fmt: skip
    statements = [
        f"ALTER TABLE {ddl.table_of(column)} ALTER COLUMN {name(column.key[3])} DROP DEFAULT;"
        for column in using if column.get("default")
    ]  # fmt: skip
    statements += [f"ALTER TYPE {ddl.target(now)} RENAME TO {name(f'{now.key[2]}{OLD}')};"]
    statements += ddl.create(wanted, after)
    for column in using:
        statements += _swapped_column(column, after.things[column.key])
    statements.append(f"DROP TYPE {old};")
    listed = ", ".join(literal(value) for value in extra)
    note = (
        f"Rows that hold {listed} stop the rollback: decide what they become and say so with an UPDATE before it."
        if extra else f"The values of {ddl.target(now)} stood in another order."
    )  # fmt: skip
    return Action(ALTER, now.key, tuple(statements), "d" if extra else "b", (note,))


def _swapped_column(now: Thing, wanted: Thing) -> Iterator[str]:
    alter = f"ALTER TABLE {ddl.table_of(wanted)} ALTER COLUMN {name(wanted.key[3])}"
    through = "text[]" if wanted.get("type").endswith("[]") else "text"
    yield f"{alter} SET DATA TYPE {wanted.get('type')} USING {name(wanted.key[3])}::{through}::{wanted.get('type')};"
    if wanted.get("default"):
        yield f"{alter} SET DEFAULT {wanted.get('default')};"
