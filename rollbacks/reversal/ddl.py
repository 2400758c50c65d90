"""The statements that make, drop and change one object; never CASCADE, never a narrowing cast.

Sources: PostgreSQL's grammar, 14 to 18, and the rule table of reversal (section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rollbacks.reversal.objects import Shape, Thing, literal, name

WORDS = {
    "schema": "SCHEMA", "extension": "EXTENSION", "enum": "TYPE", "composite type": "TYPE", "domain": "DOMAIN",
    "sequence": "SEQUENCE", "table": "TABLE", "foreign table": "FOREIGN TABLE", "view": "VIEW",
    "materialized view": "MATERIALIZED VIEW", "index": "INDEX", "statistics": "STATISTICS",
}  # fmt: skip
ON_TABLE = {"constraint": "CONSTRAINT", "trigger": "TRIGGER", "policy": "POLICY", "rule": "RULE"}
ENABLED = {"D": "DISABLE TRIGGER", "A": "ENABLE ALWAYS TRIGGER", "R": "ENABLE REPLICA TRIGGER"}
COMPRESSION = {"p": "pglz", "l": "lz4"}
STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN"}


def target(thing: Thing) -> str:
    """Return the object as DROP and COMMENT ON name it, without the leading word of its kind."""
    if thing.kind in {"schema", "extension"}:
        return name(thing.key[1])
    if thing.kind == "function":
        return f"{name(*thing.key[1:3])}({thing.key[3]})"
    if thing.kind == "column":
        return name(*thing.key[1:4])
    if thing.kind in ON_TABLE:
        return f"{name(thing.key[3])} ON {table_of(thing)}"
    return name(thing.key[1], thing.key[-1])


def word(thing: Thing) -> str:
    """Return the word of its kind."""
    if thing.kind == "function":
        return thing.get("word")
    return WORDS.get(thing.kind) or ON_TABLE.get(thing.kind) or "COLUMN"


def table_of(thing: Thing) -> str:
    """Return the qualified name of the table that the object belongs to (its own, for a table)."""
    return name(*thing.key[1:3])


def drop(thing: Thing) -> str:
    """Return the statement that drops the object and nothing else."""
    if thing.kind == "column":
        return f"ALTER TABLE {table_of(thing)} DROP COLUMN {name(thing.key[3])};"
    if thing.kind == "constraint":
        return f"ALTER TABLE {table_of(thing)} DROP CONSTRAINT {name(thing.key[3])};"
    return f"DROP {word(thing)} {target(thing)};"


def create(thing: Thing, shape: Shape) -> list[str]:
    """Return the statements that make the object as it is in the shape, its comment included.

    A table is made with its columns; its constraints, indexes, triggers and policies are objects of their own.
    """
    return [*_MAKERS[thing.kind](thing, shape), *comment(thing)]


def comment(thing: Thing, before: str = "") -> list[str]:
    """Return the statement that sets the object's comment, if it differs from the one before."""
    text = thing.get("comment")
    if text == before:
        return []
    return [f"COMMENT ON {word(thing)} {target(thing)} IS {literal(text) if text else 'NULL'};"]


def column_definition(column: Thing, *, required: bool = True) -> str:
    """Return a column as CREATE TABLE and ADD COLUMN write it."""
    parts = [name(column.key[3]), column.get("type")]
    if column.get("collation"):
        parts.append(f"COLLATE {column.get('collation')}")
    if column.get("generated"):
        expression, how = column.get("generated").rsplit(" ", 1)
        parts.append(f"GENERATED ALWAYS AS ({expression}) {how}")
    elif column.get("identity"):
        parts.append(f"GENERATED {column.get('identity')} AS IDENTITY {_identity_options(column)}")
    elif column.get("default"):
        parts.append(f"DEFAULT {column.get('default')}")
    if column.get("required") and required:
        parts.append(_not_null(column))
    return " ".join(parts)


def fills_itself(column: Thing) -> bool:
    """Tell whether a row that is already there gets a value when the column is added."""
    return bool(column.get("default") or column.get("identity") or column.get("generated"))


def row_security(before: Thing | None, after: Thing) -> list[str]:
    """Return the statements that bring a table's row security flags to what they are after."""
    statements = []
    for attribute, on, off in (("row_security", "ENABLE", "DISABLE"), ("forced", "FORCE", "NO FORCE")):
        if (before.get(attribute) if before else "") != after.get(attribute):
            action = on if after.get(attribute) else off
            statements.append(f"ALTER TABLE {table_of(after)} {action} ROW LEVEL SECURITY;")
    return statements


def column_settings(before: Thing | None, after: Thing) -> list[str]:
    """Return the statements for a column's storage, statistics target, compression and parameters."""
    statements, alter = [], f"ALTER TABLE {table_of(after)} ALTER COLUMN {name(after.key[3])}"
    storage, statistics = after.get("storage"), after.get("statistics")
    if (before.get("storage") if before else "") != storage:
        statements.append(f"{alter} SET STORAGE {STORAGE[storage] if storage else 'DEFAULT'};")
    if (before.get("statistics") if before else "") != statistics:
        statements.append(f"{alter} SET STATISTICS {statistics or '-1'};")
    if (before.get("compression") if before else "") != after.get("compression"):
        statements.append(f"{alter} SET COMPRESSION {COMPRESSION.get(after.get('compression'), 'DEFAULT')};")
    return [*statements, *_set_parameters(alter, before, after)]


def physical(before: Thing | None, after: Thing) -> Iterator[str]:
    """Return the statements for what a table is replicated and clustered by; its indexes must be there first."""
    alter = f"ALTER TABLE {table_of(after)}"
    if (before.get("replica_identity") if before else "") != after.get("replica_identity"):
        yield f"{alter} REPLICA IDENTITY {after.get('replica_identity') or 'DEFAULT'};"
    if (before.get("clustered_on") if before else "") != after.get("clustered_on"):
        on = after.get("clustered_on")
        yield f"{alter} CLUSTER ON {on};" if on else f"{alter} SET WITHOUT CLUSTER;"


def owned_by(sequence: Thing) -> list[str]:
    """Return the statement that ties a sequence to its column; the column must be there first."""
    owner = sequence.get("owned_by")
    return [f"ALTER SEQUENCE {target(sequence)} OWNED BY {owner or 'NONE'};"]


def set_not_null(column: Thing) -> str:
    """Return the statement that forbids NULL, under the constraint's own name where it has an unusual one."""
    if column.get("required_as"):
        return (
            f"ALTER TABLE {table_of(column)} ADD CONSTRAINT {name(column.get('required_as'))} "
            f"NOT NULL {name(column.key[3])};"
        )
    return f"ALTER TABLE {table_of(column)} ALTER COLUMN {name(column.key[3])} SET NOT NULL;"


def _not_null(column: Thing) -> str:
    named = column.get("required_as")
    return f"CONSTRAINT {name(named)} NOT NULL" if named else "NOT NULL"


def _identity_options(column: Thing) -> str:
    sequence, options = column.get("identity_sequence"), column.get("identity_options")
    return f"(SEQUENCE NAME {sequence} {options})" if sequence else f"({options})"


def _statistics(thing: Thing, shape: Shape) -> Iterator[str]:
    yield from _definition(thing, shape)
    if thing.get("number"):
        yield f"ALTER STATISTICS {target(thing)} SET STATISTICS {thing.get('number')};"


def _table(thing: Thing, shape: Shape) -> Iterator[str]:
    columns = shape.columns(thing.key)
    lines = ",\n".join(f"\t{column_definition(column)}" for column in columns if not column.get("inherited"))
    unlogged = "UNLOGGED " if thing.get("unlogged") else ""
    partition = f" PARTITION BY {thing.get('partitioned')}" if thing.get("partitioned") else ""
    if thing.get("bound"):
        place = f" PARTITION OF {thing.get('parents')} {thing.get('bound')}"
    else:
        place = f" (\n{lines}\n)" + (f" INHERITS ({thing.get('parents')})" if thing.get("parents") else "")
    # PostgreSQL wants the key of a partition's own partitions before the storage parameters.
    yield f"CREATE {unlogged}TABLE {table_of(thing)}{place}{partition}{_options(thing)};"
    yield from row_security(None, thing)
    for column in columns:
        yield from column_settings(None, column)
        yield from comment(column)


def _view(thing: Thing, _shape: Shape) -> Iterator[str]:
    yield f"CREATE {word(thing)} {target(thing)}{_options(thing)} AS\n{thing.get('definition').strip()};"


def set_options(now: Thing, wanted: Thing) -> Iterator[str]:
    """Return the statements that give a table the storage parameters it had, and take away those it had not."""
    yield from _set_parameters(f"ALTER TABLE {target(wanted)}", now, wanted)


def _set_parameters(alter: str, before: Thing | None, after: Thing) -> Iterator[str]:
    have, want = _parameters(before) if before else {}, _parameters(after)
    changed = ", ".join(f"{key} = {value}" for key, value in want.items() if have.get(key) != value)
    extra = ", ".join(key for key in have if key not in want)
    if changed:
        yield f"{alter} SET ({changed});"
    if extra:
        yield f"{alter} RESET ({extra});"


def _parameters(thing: Thing) -> dict[str, str]:
    pairs = (each.partition("=") for each in thing.get("options").strip("{}").split(",") if each)
    return {key: value for key, _sign, value in pairs}


def _options(thing: Thing) -> str:
    options = thing.get("options").strip("{}")
    return f" WITH ({options})" if options else ""


def _sequence(thing: Thing, _shape: Shape) -> Iterator[str]:
    yield f"CREATE SEQUENCE {target(thing)} {thing.get('options')};"


def _enum(thing: Thing, _shape: Shape) -> Iterator[str]:
    yield f"CREATE TYPE {target(thing)} AS ENUM ({enum_values(thing)});"


def enum_values(thing: Thing) -> str:
    """Return an enum's values as CREATE TYPE lists them."""
    values = thing.get("values")
    return ", ".join(literal(value) for value in values.split("\0")) if values else ""


def _column(thing: Thing, _shape: Shape) -> Iterator[str]:
    yield f"ALTER TABLE {table_of(thing)} ADD COLUMN {column_definition(thing, required=fills_itself(thing))};"
    yield from column_settings(None, thing)


def _trigger(thing: Thing, _shape: Shape) -> Iterator[str]:
    yield f"{thing.get('definition')};"
    if thing.get("enabled") != "O":
        yield f"ALTER TABLE {table_of(thing)} {ENABLED[thing.get('enabled')]} {name(thing.key[3])};"


def _definition(thing: Thing, _shape: Shape) -> Iterator[str]:
    yield f"{thing.get('definition').rstrip(';')};"


def _constraint(thing: Thing, _shape: Shape) -> Iterator[str]:
    yield f"ALTER TABLE {table_of(thing)} ADD CONSTRAINT {name(thing.key[3])} {thing.get('definition')};"


def _policy(thing: Thing, _shape: Shape) -> Iterator[str]:
    yield f"CREATE POLICY {target(thing)} {thing.get('definition')};"


def _simple(template: str) -> Callable[[Thing, Shape], Iterator[str]]:
    def make(thing: Thing, _shape: Shape) -> Iterator[str]:
        yield template.format(
            target=target(thing), definition=thing.get("definition"), schema=name(thing.get("schema"))
        )

    return make


_MAKERS: dict[str, Callable[[Thing, Shape], Iterator[str]]] = {
    "schema": _simple("CREATE SCHEMA {target};"),
    "extension": _simple("CREATE EXTENSION {target} WITH SCHEMA {schema};"),
    "domain": _simple("CREATE DOMAIN {target} AS {definition};"),
    "composite type": _simple("CREATE TYPE {target} AS ({definition});"),
    "enum": _enum,
    "sequence": _sequence,
    "table": _table,
    "view": _view,
    "materialized view": _view,
    "column": _column,
    "constraint": _constraint,
    "index": _definition,
    "statistics": _statistics,
    "function": _definition,
    "rule": _definition,
    "trigger": _trigger,
    "policy": _policy,
}
