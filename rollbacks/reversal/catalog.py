"""The catalog of a database as a set of facts that can be compared whatever the order things were made in.

A fact is a tuple of strings: kind, then the names of the object, then what is true of it. Column order is
kept apart, because a column that was dropped and added again is always last and that cannot be helped.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import pq

from rollbacks.reversal.archive import SCHEMA as ARCHIVE_SCHEMA
from rollbacks.reversal.catalog_queries import queries

Connection = psycopg.Connection[tuple[Any, ...]]
Entry = tuple[str, ...]

# Who owns what and who may do what: a scratch server has neither, so these kinds are compared apart.
ACCESS_KINDS = frozenset({"owner", "grant", "column grant", "default grant", "user mapping", "subscription"})

# Expressions are printed with these, so two databases with settings of their own would differ in every default.
SETTINGS = {
    "search_path": "",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "quote_all_identifiers": "off",
    # Compiling takes longer than these queries do.
    "jit": "off",
}
SHOWN = 120


@dataclass(frozen=True)
class Facts:
    """A catalog at one moment. `order` maps `schema.table` to its column names in physical order."""

    entries: frozenset[Entry]
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted facts, column order left out."""
        text = json.dumps(sorted(self.entries), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def without(self, kinds: Collection[str]) -> Facts:
        """Return the facts of all other kinds."""
        return Facts(frozenset(entry for entry in self.entries if entry[0] not in kinds), self.order)

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values, sorted."""
        order = {table: list(columns) for table, columns in sorted(self.order.items())}
        return {"entries": [list(entry) for entry in sorted(self.entries)], "order": order}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Facts:
        """Return the facts that `to_json()` wrote."""
        order = {table: tuple(columns) for table, columns in content["order"].items()}
        return cls(frozenset(tuple(entry) for entry in content["entries"]), order)


@dataclass(frozen=True)
class Differences:
    """What one catalog lacks and has beside another; `reordered` names tables whose common columns stand otherwise."""

    missing: tuple[Entry, ...]
    unexpected: tuple[Entry, ...]
    reordered: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether the facts are the same, column order apart."""
        return not self.missing and not self.unexpected

    def sentences(self) -> list[str]:
        """Return one sentence for each difference, changed objects before missing and unexpected ones."""
        return list(_sentences(self.missing, self.unexpected))


def compare(expected: Facts, actual: Facts) -> Differences:
    """Return how `actual` differs from `expected`."""
    reordered = [
        table for table, columns in expected.order.items() if _stand_otherwise(columns, actual.order.get(table, ()))
    ]
    return Differences(
        missing=tuple(sorted(expected.entries - actual.entries)),
        unexpected=tuple(sorted(actual.entries - expected.entries)),
        reordered=tuple(sorted(reordered)),
    )


def read_facts(
    connection: Connection, *, ignore_schemas: Collection[str], kinds: Collection[str] | None = None
) -> Facts:
    """Read the catalog, or only these kinds of facts, in one state: a REPEATABLE READ transaction of its own, or the open one.

    Inside an open transaction the facts include what that transaction has done, which is what lets the apply
    step compare before it commits. System schemas, temporary objects, members of extensions and
    `ignore_schemas` are left out. Names are qualified, because the search path is emptied meanwhile;
    other settings that change how expressions are printed are fixed, and all are put back.
    """
    # The archive of what earlier rollbacks kept belongs to no migration.
    ignored = ["pg_catalog", "information_schema", "pg_toast", ARCHIVE_SCHEMA, *ignore_schemas]
    entries: set[Entry] = set()
    places: list[tuple[str, int, str]] = []
    with _reading(connection), _uncollected():
        for kind, query in queries(connection.info.server_version).items():
            if kinds is not None and kind not in kinds:
                continue
            rows = connection.execute(query, {"ignored": ignored}).fetchall()
            if kind == "column":
                places = [(f"{row[0]}.{row[1]}", row[-1], row[2]) for row in rows if row[-1] is not None]
                rows = [row[:-1] for row in rows]
            entries.update((kind, *("" if value is None else str(value) for value in row)) for row in rows)
        return Facts(frozenset(entries), _in_order(places))


def _in_order(places: list[tuple[str, int, str]]) -> dict[str, tuple[str, ...]]:
    order: dict[str, list[str]] = {}
    for table, _, column in sorted(places):
        order.setdefault(table, []).append(column)
    return {table: tuple(columns) for table, columns in order.items()}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the cyclic collector: it would walk all facts again and again while none of them can be garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextmanager
def _reading(connection: Connection) -> Iterator[None]:
    if connection.info.transaction_status == pq.TransactionStatus.IDLE:
        level, read_only = connection.isolation_level, connection.read_only
        connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        try:
            with connection.transaction():
                _adjust(connection, SETTINGS)
                yield
        finally:
            connection.isolation_level, connection.read_only = level, read_only
        return
    before = _adjust(connection, SETTINGS)
    yield
    _adjust(connection, before)


def _adjust(connection: Connection, settings: Mapping[str, str]) -> dict[str, str]:
    """Change settings until the transaction's end; return what they were."""
    rows = connection.execute(
        "SELECT s.key, pg_catalog.current_setting(s.key), pg_catalog.set_config(s.key, s.value, true)"
        "  FROM pg_catalog.json_each_text(%s::json) s",
        [json.dumps(settings)],
    ).fetchall()
    return {name: value for name, value, _ in rows}


def _sentences(missing: tuple[Entry, ...], unexpected: tuple[Entry, ...]) -> Iterator[str]:
    """Pair what is missing with what stands in its place, so that a changed object is one sentence."""
    actual: dict[Entry, list[Entry]] = {}
    for entry in unexpected:
        actual.setdefault(entry[:-1], []).append(entry)
    for entry in missing:
        instead = actual.get(entry[:-1])
        if instead:
            found = instead.pop(0)
            now, then = _excerpts(found[-1], entry[-1])
            yield f"{_label(entry)} is “{now}” instead of “{then}”."
        else:
            yield f"{_label(entry)} is missing{_value(entry)}."
    for rest in actual.values():
        for entry in rest:
            yield f"{_label(entry)} is there and should not be{_value(entry)}."


def _label(entry: Entry) -> str:
    kind, *names = entry[:-1]
    return f"{kind.capitalize()} {'.'.join(filter(None, names))}".strip()


def _value(entry: Entry) -> str:
    text = " ".join(entry[-1].split())
    return f" ({text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'})" if text else ""


def _excerpts(first: str, second: str) -> tuple[str, str]:
    """Return both texts whole when they are short, else the parts around the first place where they part."""
    if max(len(first), len(second)) <= 2 * SHOWN:
        return first, second
    alike = next(
        (place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    begin = max(0, alike - SHOWN // 3)
    return _excerpt(first, begin), _excerpt(second, begin)


def _excerpt(text: str, begin: int) -> str:
    end = begin + SHOWN
    return f"{'…' if begin else ''}{' '.join(text[begin:end].split())}{'…' if end < len(text) else ''}"


def _stand_otherwise(expected: tuple[str, ...], actual: tuple[str, ...]) -> bool:
    """A column more or less is a difference of its own; only those in both tables can be out of order."""
    return [name for name in expected if name in actual] != [name for name in actual if name in expected]
