"""A long chain as a project of some years has: tables, columns, indexes, enums, foreign keys, in turn."""

from __future__ import annotations


def long_chain(length: int) -> list[str]:
    """Return the forward SQL of this many migrations, the same every time."""
    return [_migration(number) for number in range(length)]


def _migration(number: int) -> str:
    table = f"t{number - number % 5}"
    if number % 5 == 0:
        columns = ", ".join(f"c{n} text" for n in range(8))
        link = f", parent integer REFERENCES t{number - 5} (id)" if number else ""
        return f"CREATE TABLE {table} (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {columns}{link});"
    return {
        1: f"ALTER TABLE {table} ADD COLUMN extra integer DEFAULT 0 NOT NULL;",
        2: f"CREATE INDEX {table}_c1 ON {table} (c1); ALTER TABLE {table} ADD CONSTRAINT {table}_ok CHECK (extra >= 0);",
        3: f"CREATE TYPE e{number} AS ENUM ('a', 'b'); ALTER TABLE {table} ADD COLUMN kind e{number} DEFAULT 'a';",
        4: f"ALTER TABLE {table} RENAME COLUMN c7 TO renamed; ALTER TABLE {table} ALTER COLUMN c6 SET DATA TYPE varchar(50);",
    }[number % 5]
