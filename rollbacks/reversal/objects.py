"""The objects of a database with everything that is needed to make, change and drop them, and what needs what.

Where facts answer "is it the same?", objects answer "how does one get there?". PostgreSQL's own catalog and
its pg_get_*def speak; nothing is derived from how something was once written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from rollbacks.reversal import object_queries as queries

Connection = psycopg.Connection[tuple[Any, ...]]
# kind, schema, then the names below it: ("column", "public", "members", "phone")
Key = tuple[str, ...]
Address = tuple[str, int, int]

IGNORED = ("pg_catalog", "information_schema", "pg_toast")
RELATION_KINDS = {"r": "table", "p": "table", "f": "foreign table", "v": "view", "m": "materialized view"}


@dataclass(frozen=True)
class Thing:
    """One object: its key, what is true of it (empty and absent are the same), and the keys it needs."""

    key: Key
    attributes: Mapping[str, str]
    needs: frozenset[Key] = frozenset()

    @property
    def kind(self) -> str:
        """The first part of the key."""
        return self.key[0]

    def get(self, name: str) -> str:
        """Return an attribute, empty when it is not set."""
        return self.attributes.get(name, "")


@dataclass(frozen=True)
class Shape:
    """All objects of a database at one moment, in the order of their making where that is known."""

    things: Mapping[Key, Thing]
    # Privileges of others than the owner: (object kind, name as SQL, grantee as SQL, privilege, grantable).
    grants: frozenset[tuple[str, str, str, str, bool]] = frozenset()

    @property
    def digest(self) -> str:
        """SHA-256 over everything in it, whatever the order; what an object needs follows from what it is."""
        things = sorted((key, sorted(thing.attributes.items())) for key, thing in self.things.items())
        return hashlib.sha256(json.dumps([things, sorted(self.grants)], ensure_ascii=False).encode()).hexdigest()

    def distance(self, other: Shape) -> int:
        """Return how many objects only one of the two has, or has differently."""
        mine, theirs = ({(key, *sorted(thing.attributes.items())) for key, thing in each.things.items()}
                        for each in (self, other))  # fmt: skip
        return len(mine ^ theirs)

    def children(self, key: Key, kind: str) -> list[Thing]:
        """Return the objects of a kind below a relation, in reading order."""
        return [thing for thing in self.things.values() if thing.kind == kind and thing.key[1:3] == key[1:3]]

    def columns(self, key: Key) -> list[Thing]:
        """Return a table's columns in their order."""
        return self.children(key, "column")

    def primary_key(self, key: Key) -> list[str]:
        """Return the names of a table's primary key columns, none when it has no primary key."""
        for thing in self.children(key, "constraint"):
            if thing.get("type") == "p":
                return thing.get("columns").split("\0")
        return []

    def sequences_of(self, column: Key) -> list[Thing]:
        """Return the sequences that belong to the column, as serial makes them."""
        owner = "\0".join(column[1:])
        return [thing for thing in self.things.values() if thing.get("owner") == owner]

    def dependents(self, key: Key) -> list[Thing]:
        """Return what directly needs the object."""
        return [thing for thing in self.things.values() if key in thing.needs]


def name(*parts: str) -> str:
    """Return a qualified, always quoted name."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """Return a string constant, whatever standard_conforming_strings says."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'" if "\\" not in text else "E'" + quoted.replace("\\", "\\\\") + "'"


def read_shape(connection: Connection, *, ignore_schemas: tuple[str, ...] = ()) -> Shape:
    """Read all objects in the connection's open transaction (or one of its own); raises psycopg.Error.

    The search path is emptied for the transaction, so every name in a definition is qualified.
    """
    return _Reader(connection, (*IGNORED, *ignore_schemas)).read()


@dataclass
class _Reader:
    connection: Connection
    ignored: tuple[str, ...]
    found: dict[Key, dict[str, str]] = field(default_factory=dict)
    keys: dict[Address, Key] = field(default_factory=dict)

    def read(self) -> Shape:
        with self.connection.transaction():
            self.connection.execute("SET LOCAL search_path = ''")
            for part in (
                self._namespaces, self._types, self._relations, self._columns, self._constraints, self._indexes,
                self._sequences, self._functions, self._attached, self._statistics, self._comments,
            ):  # fmt: skip
                part()
            needs = self._needs()
            grants = self._grants()
        things = {
            key: Thing(key, {name: value for name, value in attributes.items() if value}, frozenset(needs.get(key, ())))
            for key, attributes in self.found.items()
        }
        return Shape(things, grants)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, {"ignored": list(self.ignored)}).fetchall()

    def _add(self, key: Key, *addresses: Address, **attributes: Any) -> None:
        self.found[key] = {name: "" if value is None else str(value) for name, value in attributes.items()}
        self.keys.update(dict.fromkeys(addresses, key))

    def _namespaces(self) -> None:
        for oid, schema in self._rows(queries.SCHEMA_NAMES):
            self._add(("schema", schema), ("pg_namespace", oid, 0))
        for oid, extension, schema in self._rows(queries.EXTENSIONS):
            self._add(("extension", extension), ("pg_extension", oid, 0), schema=schema)

    def _types(self) -> None:
        kinds = {"e": "enum", "d": "domain", "c": "composite type"}
        for oid, schema, type_name, kind, values, definition in self._rows(queries.TYPES):
            self._add(
                (kinds[kind], schema, type_name),
                ("pg_type", oid, 0),
                values="\0".join(values or ()),
                definition=definition,
            )

    def _relations(self) -> None:
        for row in self._rows(queries.TABLES):
            (oid, schema, relation, kind, persistence, security, forced, options, partitioned, bound, row_type, view,
             replica_identity, clustered_on, parents) = row  # fmt: skip
            self._add(
                (RELATION_KINDS[kind], schema, relation), ("pg_class", oid, 0), ("pg_type", row_type, 0),
                unlogged="yes" if persistence == "u" else "", row_security="yes" if security else "",
                forced="yes" if forced else "", options=options, partitioned=partitioned, bound=bound,
                definition=view.rstrip().rstrip(";") if view else "", replica_identity=replica_identity,
                clustered_on=clustered_on, parents=parents,
            )  # fmt: skip

    def _columns(self) -> None:
        for row in self._rows(queries.COLUMNS):
            (relation, number, schema, table, column, type_name, required, default, identity, generated, collation,
             storage, statistics, default_oid, constraint, _type_oid, options, sequence,
             compression, parameters, extended, inherited) = row  # fmt: skip
            usual = f"{table}_{column}_not_null"
            self._add(
                ("column", schema, table, column), ("pg_class", relation, number), ("pg_attrdef", default_oid, 0),
                type=type_name, required="yes" if required else "", default="" if generated else default,
                generated=f"{default} {'STORED' if generated == 's' else 'VIRTUAL'}" if generated else "",
                identity={"a": "ALWAYS", "d": "BY DEFAULT"}.get(identity, ""), collation=collation, storage=storage,
                statistics=statistics, identity_options=options, identity_sequence=sequence,
                required_as="" if constraint in (None, usual) else constraint, compression=compression,
                options=parameters, of_extension=extended, inherited=inherited,
            )  # fmt: skip

    def _constraints(self) -> None:
        for oid, schema, table, constraint, kind, definition, index, columns in self._rows(queries.CONSTRAINTS):
            addresses: list[Address] = [("pg_constraint", oid, 0)]
            if kind in "pux":
                addresses.append(("pg_class", index, 0))
            self._add(
                ("constraint", schema, table, constraint), *addresses, type=kind, definition=definition,
                columns="\0".join(columns or ()),
            )  # fmt: skip

    def _indexes(self) -> None:
        for oid, schema, table, index, definition in self._rows(queries.INDEXES):
            self._add(("index", schema, table, index), ("pg_class", oid, 0), definition=definition)

    def _sequences(self) -> None:
        for oid, schema, sequence, options, owner, owner_key in self._rows(queries.SEQUENCES):
            self._add(
                ("sequence", schema, sequence), ("pg_class", oid, 0), options=options, owned_by=owner,
                owner="\0".join(owner_key or ()),
            )  # fmt: skip

    def _functions(self) -> None:
        for oid, schema, function, arguments, kind, definition, result, written in self._rows(queries.FUNCTIONS):
            self._add(
                ("function", schema, function, arguments), ("pg_proc", oid, 0), definition=definition.rstrip(),
                word="PROCEDURE" if kind == "p" else "FUNCTION", signature=f"{written} {result}",
            )  # fmt: skip

    def _attached(self) -> None:
        for oid, schema, table, trigger, definition, enabled in self._rows(queries.TRIGGERS):
            self._add(
                ("trigger", schema, table, trigger), ("pg_trigger", oid, 0), definition=definition, enabled=enabled
            )
        for oid, schema, table, policy, definition in self._rows(queries.POLICIES):
            self._add(("policy", schema, table, policy), ("pg_policy", oid, 0), definition=definition)
        for oid, schema, table, rule, definition, kind in self._rows(queries.RULES):
            if rule == "_RETURN":
                self.keys["pg_rewrite", oid, 0] = (RELATION_KINDS[kind], schema, table)
            else:
                self._add(("rule", schema, table, rule), ("pg_rewrite", oid, 0), definition=definition)

    def _statistics(self) -> None:
        for oid, schema, statistics, definition, number in self._rows(queries.STATISTICS):
            key = ("statistics", schema, statistics)
            self._add(key, ("pg_statistic_ext", oid, 0), definition=definition, number=number)

    def _comments(self) -> None:
        for catalog, oid, number, text in self._rows(queries.COMMENTS):
            key = self.keys.get((catalog.removeprefix("pg_catalog."), oid, number))
            if key is not None:
                self.found[key]["comment"] = text

    def _needs(self) -> dict[Key, set[Key]]:
        for array, element in self._rows(queries.ARRAYS):
            if ("pg_type", element, 0) in self.keys:
                self.keys.setdefault(("pg_type", array, 0), self.keys["pg_type", element, 0])
        needs: dict[Key, set[Key]] = {}
        for catalog, oid, number, other, other_oid, other_number, how in self._rows(queries.DEPENDENCIES):
            key, needed = self._key(catalog, oid, number), self._key(other, other_oid, other_number)
            if key is None or needed is None or key == needed:
                continue
            # A sequence that belongs to a column is dropped with it, but it is made before the column's default.
            if how in "ai" and key[0] == "sequence":
                continue
            needs.setdefault(key, set()).add(needed)
        self._name_tables(needs)
        return needs

    def _key(self, catalog: str, oid: int, number: int) -> Key | None:
        catalog = catalog.removeprefix("pg_catalog.")
        return self.keys.get((catalog, oid, number)) or self.keys.get((catalog, oid, 0))

    def _name_tables(self, needs: dict[Key, set[Key]]) -> None:
        """A column needs its table, which pg_depend leaves unsaid."""
        for key in self.found:
            if key[0] == "column":
                needs.setdefault(key, set()).add(("table", *key[1:3]))

    def _grants(self) -> frozenset[tuple[str, str, str, str, bool]]:
        found = set()
        for kind, schema, relation, arguments, grantee, privilege, grantable in self._rows(queries.GRANTS):
            if schema == "public" and kind == "SCHEMA":
                continue
            full = name(schema, relation) if relation else name(schema)
            found.add((kind, f"{full}({arguments})" if arguments is not None else full, grantee, privilege, grantable))
        return frozenset(found)
