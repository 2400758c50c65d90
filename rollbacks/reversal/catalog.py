"""The catalog of a database as a set of facts that can be compared whatever the order things were made in.

A fact is a tuple of strings: kind, then the names of the object, then what is true of it. Column order is
kept apart, because a column that was dropped and added again is always last and that cannot be helped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import pq

from rollbacks.reversal.archive import SCHEMA as ARCHIVE_SCHEMA
from rollbacks.reversal.catalog_queries import COLUMN_ORDER, QUERIES

Connection = psycopg.Connection[tuple[Any, ...]]
Entry = tuple[str, ...]

# Who owns what and who may do what: a scratch server has neither, so these kinds are compared apart.
ACCESS_KINDS = frozenset({"owner", "grant", "column grant", "default grant"})


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
    """What one catalog lacks and has beside another; `reordered` names tables whose columns stand otherwise."""

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
        table for table, columns in expected.order.items() if table in actual.order and actual.order[table] != columns
    ]
    return Differences(
        missing=tuple(sorted(expected.entries - actual.entries)),
        unexpected=tuple(sorted(actual.entries - expected.entries)),
        reordered=tuple(sorted(reordered)),
    )


def read_facts(connection: Connection, *, ignore_schemas: Collection[str]) -> Facts:
    """Read the catalog in one state: a REPEATABLE READ transaction of its own, or the open one.

    Inside an open transaction the facts include what that transaction has done, which is what lets the apply
    step compare before it commits. System schemas, temporary objects, members of extensions and
    `ignore_schemas` are left out. Names are qualified, because the search path is emptied meanwhile.
    """
    # The archive of what earlier rollbacks kept belongs to no migration.
    ignored = ["pg_catalog", "information_schema", "pg_toast", ARCHIVE_SCHEMA, *ignore_schemas]
    with _reading(connection):
        entries: set[Entry] = set()
        for kind, query in QUERIES.items():
            for row in connection.execute(query, {"ignored": ignored}).fetchall():
                entries.add((kind, *("" if value is None else str(value) for value in row)))
        order = {
            name: tuple(columns) for name, columns in connection.execute(COLUMN_ORDER, {"ignored": ignored}).fetchall()
        }
    return Facts(frozenset(entries), order)


@contextmanager
def _reading(connection: Connection) -> Iterator[None]:
    if connection.info.transaction_status == pq.TransactionStatus.IDLE:
        level, read_only = connection.isolation_level, connection.read_only
        connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        try:
            with connection.transaction():
                connection.execute("SET LOCAL search_path = ''")
                yield
        finally:
            connection.isolation_level, connection.read_only = level, read_only
        return
    row = connection.execute("SELECT pg_catalog.current_setting('search_path')").fetchone()
    connection.execute("SET LOCAL search_path = ''")
    yield
    connection.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [row[0] if row else ""])


def _sentences(missing: tuple[Entry, ...], unexpected: tuple[Entry, ...]) -> Iterator[str]:
    """Pair what is missing with what stands in its place, so that a changed object is one sentence."""
    actual: dict[Entry, list[Entry]] = {}
    for entry in unexpected:
        actual.setdefault(entry[:-1], []).append(entry)
    for entry in missing:
        instead = actual.get(entry[:-1])
        if instead:
            found = instead.pop(0)
            yield f"{_label(entry)} is “{found[-1]}” instead of “{entry[-1]}”."
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
    return f" ({text if len(text) <= 120 else text[:119] + '…'})" if text else ""
