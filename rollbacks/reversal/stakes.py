"""What reverse SQL puts at stake on a live database, counted there: rows, values, and what would stop a statement.

Reads only, in one READ ONLY transaction with limits of its own. Source: reversal, section 9; runbook, step "assess".
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from rollbacks.reversal.parse import Statement
from rollbacks.reversal.questions import (
    CASTS,
    DUPLICATES,
    LABELS,
    NULLS,
    ORPHANS,
    ROWS,
    VALUES,
    Question,
    Relation,
    questions,
)  # fmt: skip

Connection = psycopg.Connection[tuple[Any, ...]]
# One count may take this long, all of them together this long; a target in trouble must not be kept busy by us.
COUNT_MS, LOCK_MS, ALL_SECONDS = 5_000, 500, 60
# pg_input_is_valid came with this version; before it a cast cannot be tried without an error.
SOFT_CASTS = 160000
TABLE = """
    SELECT c.oid, n.nspname, c.relname, greatest(c.reltuples, 0)::bigint
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = %(name)s AND c.relkind IN ('r', 'p', 'm')
       AND CASE WHEN %(schema)s = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = %(schema)s END
"""
COLUMNS = """
    SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
           pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> ''
      FROM pg_catalog.pg_attribute a
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
"""
SIZES = """
    SELECT n.nspname || '.' || c.relname, pg_catalog.pg_total_relation_size(c.oid)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname || '.' || c.relname = ANY(%s) AND c.relkind IN ('r', 'p', 'm')
"""


@dataclass(frozen=True)
class Stake:
    """One count: `count` of `of` rows, or None with the planner's `estimate` of all rows when it could not be counted.

    `stops` says that the server will refuse the statement as long as there are any. `kind` is one of "rows",
    "values", "nulls", "duplicates", "orphans", "casts", "labels".
    """

    kind: str
    line: int
    relation: str
    columns: tuple[str, ...]
    count: int | None
    of: int | None
    estimate: int
    archived: bool
    stops: bool
    sentence: str = ""
    # A USING of the author's own makes something else of the values than a cast would.
    translated: bool = False

    def document(self) -> dict[str, Any]:
        """Return the stake as JSON values."""
        return {**asdict(self), "columns": list(self.columns)}


@dataclass(frozen=True)
class _Live:
    """A question's relation as the target has it: its columns with type, default and whether they are generated.

    `readable` is False when somebody holds a lock that even the columns cannot be read under.
    """

    oid: int
    schema: str
    name: str
    estimate: int
    columns: dict[str, tuple[str, str | None, bool]]
    readable: bool = True

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


def at_stake(connection: Connection, statements: Sequence[Statement]) -> list[Stake]:
    """Count what these statements put at stake, in their order; nothing is changed and nothing long is held.

    What cannot be counted in time, or is hidden by row security, is returned without a count. Relations and
    columns that the target does not have now raise no question.
    """
    found: list[Stake] = []
    deadline = time.monotonic() + ALL_SECONDS
    with _limited(connection):
        for question in questions(statements):
            live = _live(connection, question.relation)
            if live is None:
                continue
            if not live.readable or time.monotonic() > deadline:
                found.append(_stake(question, live, None))
            elif all(column in live.columns for column in question.columns):
                found += _answer(connection, question, live)
    return found


def sizes(connection: Connection, relations: Collection[str]) -> dict[str, int]:
    """Return the bytes on disk, indexes and TOAST included, of those `schema.table` that are there."""
    try:
        with _limited(connection):
            rows = connection.execute(SIZES, [list(relations)]).fetchall()
    except psycopg.Error:
        # A size waits for whoever locks the table, and no forecast is worth that.
        return {}
    return {str(name): int(size) for name, size in rows}


@contextmanager
def _limited(connection: Connection) -> Iterator[None]:
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        # With row security "off" hidden rows are an error instead of a smaller number.
        connection.execute("SET LOCAL row_security = off")
        connection.execute(f"SET LOCAL statement_timeout = {COUNT_MS}")
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
        yield


def _answer(connection: Connection, question: Question, live: _Live) -> Iterator[Stake]:
    query = _query(connection, question, live)
    if query is None:
        return
    try:
        with connection.transaction():
            counted = connection.execute(query).fetchone()
    except psycopg.Error:
        # Too slow, locked, hidden by row security, or a cast that does not exist: then there is no number.
        counted = None
    yield _stake(question, live, counted)


def _stake(question: Question, live: _Live, counted: tuple[Any, ...] | None) -> Stake:
    count, of = (int(counted[0]), int(counted[1])) if counted else (None, None)
    stake = Stake(
        question.kind, question.line, f"{live.schema}.{live.name}", question.columns, count, of, live.estimate,
        question.archived,
        stops=question.kind in {NULLS, DUPLICATES, ORPHANS, LABELS} and bool(count) and not question.translated,
        translated=question.translated,
    )  # fmt: skip
    return replace(stake, sentence=_sentence(stake))


def _query(connection: Connection, question: Question, live: _Live) -> sql.Composed | None:
    columns = [sql.Identifier(column) for column in question.columns]
    if question.kind == ROWS:
        return _count(live, sql.SQL("true"))
    if question.kind == VALUES:
        type_, default, generated = live.columns[question.columns[0]]
        # A generated value is computed anew; nobody wrote it.
        return None if generated else _count(live, _written(columns[0], type_, default))
    if question.kind == NULLS:
        return _count(live, sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(each) for each in columns))
    if question.kind == DUPLICATES:
        return _duplicates(live, columns)
    if question.kind == LABELS:
        return _count(live, sql.SQL("NOT {}::text = ANY({})").format(columns[0], sql.Literal(list(question.labels))))
    if question.kind == ORPHANS:
        return _orphans(connection, question, live)
    if question.kind == CASTS:
        return _casts(connection, question, live)
    raise ValueError(question.kind)


def _count(live: _Live, condition: sql.Composable) -> sql.Composed:
    return sql.SQL("SELECT count(*) FILTER (WHERE {}), count(*) FROM {}").format(condition, live.identifier)


def _written(column: sql.Identifier, type_: str, default: str | None) -> sql.Composed:
    """Return the condition for a value that somebody wrote: not the constant default, or anything at all."""
    # A default that is called may answer differently each time, and json has no equality: those count every value.
    if default is None or "(" in default or type_ == "json":
        return sql.SQL("{} IS NOT NULL").format(column)
    # The expression is the target's own, as its catalog prints it.
    return sql.SQL("{} IS DISTINCT FROM ").format(column) + sql.SQL("({})").format(sql.SQL(default))


def _duplicates(live: _Live, columns: Sequence[sql.Identifier]) -> sql.Composed:
    keys = sql.SQL(", ").join(columns)
    present = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(each) for each in columns)
    return sql.SQL(
        "SELECT coalesce(sum(n - 1), 0), coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {} WHERE {} GROUP BY {}) AS groups"
    ).format(live.identifier, present, keys)


def _orphans(connection: Connection, question: Question, live: _Live) -> sql.Composed | None:
    other = _live(connection, question.other)
    if other is None or any(column not in other.columns for column in question.other_columns):
        return None
    pairs = zip(question.columns, question.other_columns, strict=True)
    match = sql.SQL(" AND ").join(
        sql.SQL("parent.{} = child.{}").format(sql.Identifier(theirs), sql.Identifier(ours)) for ours, theirs in pairs
    )
    present = sql.SQL(" AND ").join(
        sql.SQL("child.{} IS NOT NULL").format(sql.Identifier(each)) for each in question.columns
    )
    return sql.SQL(
        "SELECT count(*) FILTER (WHERE {} AND NOT EXISTS (SELECT FROM {} AS parent WHERE {})), count(*) FROM {} AS child"
    ).format(present, other.identifier, match, live.identifier)


def _casts(connection: Connection, question: Question, live: _Live) -> sql.Composed | None:
    """Count the values that the new type refuses or that come back from it as something else."""
    wanted = _type(question.type)
    if wanted is None or connection.info.server_version < SOFT_CASTS:
        return None
    column, before = sql.Identifier(question.columns[0]), sql.SQL(live.columns[question.columns[0]][0])
    changed = sql.SQL(
        "{column} IS NOT NULL AND CASE WHEN pg_catalog.pg_input_is_valid({column}::text, {name}) "
        "THEN ((({column}::text)::{wanted})::{before})::text IS DISTINCT FROM {column}::text ELSE true END"
    ).format(column=column, name=sql.Literal(wanted), wanted=sql.SQL(wanted), before=before)
    return _count(live, changed)


def _type(tree: Any) -> str | None:
    """Return the type's name as SQL, made of quoted names and whole numbers only; None for what is not that simple."""
    names = [each.get("string", {}).get("sval", "") for each in tree.get("names", [])]
    constants = [each.get("a_const", {}).get("ival") for each in tree.get("typmods", [])]
    if None in constants:
        return None
    # The tree leaves zeros out.
    sizes_of = [int(each.get("ival", 0)) for each in constants]
    quoted = ".".join('"' + each.replace('"', '""') + '"' for each in names)
    size = f"({', '.join(map(str, sizes_of))})" if sizes_of else ""
    return quoted + size + "[]" * len(tree.get("array_bounds", []))


def _live(connection: Connection, relation: Relation) -> _Live | None:
    row = connection.execute(TABLE, {"schema": relation[0], "name": relation[1]}).fetchone()
    if row is None:
        return None
    try:
        with connection.transaction():
            columns = connection.execute(COLUMNS, [row[0]]).fetchall()
    except psycopg.Error:
        return _Live(row[0], row[1], row[2], row[3], {}, readable=False)
    found = {name: (type_, default, generated) for name, type_, default, generated in columns}
    return _Live(row[0], row[1], row[2], row[3], found)


def _sentence(stake: Stake) -> str:
    place = f"{stake.relation}.{', '.join(stake.columns)}" if stake.columns else stake.relation
    if stake.count is None:
        return f"{place} was not counted (row security, a lock, or more than {COUNT_MS // 1000} s); it has about {stake.estimate:,} rows."
    count = f"{stake.count:,}" if stake.count else "none"
    of, kept = f"{stake.of:,}", "kept in the archive" if stake.archived else "lost"
    return {
        ROWS: f"{place}: {stake.count:,} rows, {kept}.",
        VALUES: f"{place}: {count} of {of} values differ from the default" + (f", {kept}." if stake.count else "."),
        NULLS: f"{place}: {count} of {of} rows have no value there" + _stops(stake),
        DUPLICATES: f"{place}: {count} of {of} rows repeat another row's key" + _stops(stake),
        ORPHANS: f"{place}: {count} of {of} rows point at nothing" + _stops(stake),
        LABELS: f"{place}: {count} of {of} rows have a value that the enum then lacks" + _stops(stake),
        CASTS: f"{place}: {count} of {of} values do not fit the type or come back changed" + _translated(stake)
        if stake.count
        else f"{place}: all {of} values fit the type and come back as they are.",
    }[stake.kind]


def _stops(stake: Stake) -> str:
    if stake.translated:
        return _translated(stake)
    return "; as they are now, the statement would be refused." if stake.count else "."


def _translated(stake: Stake) -> str:
    return "; the SQL's own USING says what becomes of them." if stake.translated and stake.count else "."
