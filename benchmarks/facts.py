"""Catalog facts beside `pg_dump --schema-only`: python -m benchmarks.facts writes benchmarks/facts.md."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from benchmarks.server import throwaway_server
from rollbacks.adapters.pg_tools import find_tools
from rollbacks.reversal.catalog import read_facts

SIZES = (100, 1_000, 10_000)
REPEATS = 5
OUTPUT = Path(__file__).with_name("facts.md")


def main() -> None:
    """Measure both at each size, in turn, and write the table."""
    lines = [
        "# Catalog facts beside `pg_dump --schema-only`",
        "",
        f"Seconds, median (least) of {REPEATS} runs in turn on one machine; regenerate with `python -m benchmarks.facts`.",
        "",
        "| tables | facts | read facts | pg_dump -s | ratio |",
        "|---|---|---|---|---|",
    ]
    with throwaway_server() as server:
        for size in SIZES:
            name = f"bench_{size}"
            server.run("postgres", f"CREATE DATABASE {name}")
            url = server.url(name)
            _fill(url, size)
            with psycopg.connect(url) as connection:
                number = len(read_facts(connection, ignore_schemas=()).entries)
                connection.rollback()
                facts, dump = _in_turn(
                    lambda connection=connection: read_facts(connection, ignore_schemas=()), lambda url=url: _dump(url)
                )
            ratio = statistics.median(facts) / statistics.median(dump)
            lines.append(f"| {size:,} | {number:,} | {_shown(facts)} | {_shown(dump)} | {ratio:.2f} |")
            print(lines[-1], flush=True)
            server.run("postgres", f"DROP DATABASE {name}")
    OUTPUT.write_text("\n".join(lines) + "\n")


def _fill(url: str, size: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for first in range(0, size, 500):
            connection.execute(
                f"""DO $$ BEGIN FOR n IN {first}..{min(first + 500, size) - 1} LOOP
                EXECUTE format('CREATE TABLE t%s (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
                    email varchar(120) UNIQUE, age integer DEFAULT 18 CHECK (age > 0), at timestamptz DEFAULT now(),
                    parent integer REFERENCES t%s (id))', n, CASE WHEN n = 0 THEN 0 ELSE n - 1 END);
                EXECUTE format('CREATE INDEX t%s_name ON t%s (lower(name))', n, n);
                END LOOP; END $$"""
            )
        connection.execute("VACUUM ANALYZE pg_catalog.pg_class")


def _dump(url: str) -> None:
    tools = find_tools(18, {})
    subprocess.run([str(tools.pg_dump), "--schema-only", "--file", "/dev/null", url], check=True)


def _in_turn(*measured: Callable[[], object]) -> tuple[list[float], ...]:
    taken: tuple[list[float], ...] = tuple([] for _ in measured)
    for _ in range(REPEATS):
        for run, times in zip(measured, taken, strict=True):
            started = time.perf_counter()
            run()
            times.append(time.perf_counter() - started)
    return taken


def _shown(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} ({min(times):.2f})"


if __name__ == "__main__":
    main()
