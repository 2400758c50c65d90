"""How long reading the catalog facts takes beside `pg_dump --schema-only`: measured in turn, in one run.

Run from the project's folder: `.venv/bin/python -m benchmarks.facts`. Starts an embedded cluster of its own
in a temporary folder, makes databases of 100, 1 000 and 10 000 tables, and writes benchmarks/facts.md.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from portal.embedded.postgres import Postgres
from portal.embedded.services import FAST, Services
from portal.embedded.state import State
from rollbacks.adapters.pg_tools import find_tools
from rollbacks.reversal.catalog import read_facts

SIZES = (100, 1_000, 10_000)
REPEATS = {100: 15, 1_000: 9, 10_000: 5}
BATCH = 250
RESULT = Path(__file__).with_name("facts.md")

# What an application's table typically has: identity key, foreign key, check, two indexes, defaults, comments.
TABLE = """
CREATE TABLE app.t{n} (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent integer REFERENCES app.t{parent} (id),
    name varchar(80) NOT NULL DEFAULT 'x', state app.state NOT NULL DEFAULT 'new', total numeric(12, 2),
    made timestamptz NOT NULL DEFAULT now(), notes jsonb, CONSTRAINT positive_{n} CHECK (total >= 0));
CREATE INDEX t{n}_name ON app.t{n} (name); CREATE UNIQUE INDEX t{n}_made ON app.t{n} (made DESC, id) WHERE total > 0;
COMMENT ON TABLE app.t{n} IS 'Table {n}';
"""
EVERY_TENTH = """
CREATE VIEW app.v{n} AS SELECT id, name FROM app.t{n} WHERE state = 'done';
CREATE FUNCTION app.f{n}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.made = now(); RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON app.t{n} FOR EACH ROW EXECUTE FUNCTION app.f{n}();
ALTER TABLE app.t{n} ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON app.t{n} USING (name = CURRENT_USER);
GRANT SELECT ON app.t{n} TO PUBLIC;
"""


def main() -> int:
    """Measure every size and write the table; exit status 1 when facts were not faster everywhere."""
    folder = Path(tempfile.mkdtemp(prefix="rollback-benchmark-"))
    folder.chmod(0o755)
    cluster = Services(State(folder)).portal
    try:
        cluster.state.prepare()
        cluster.start(*FAST, "max_locks_per_transaction=4096", "shared_buffers=512MB", tied=True)
        rows = [_measure(cluster, size) for size in SIZES]
        _write(rows, _version(cluster))
    finally:
        cluster.stop()
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if all(row[-1] for row in rows) else 1


def _measure(cluster: Postgres, size: int) -> tuple[str, bool]:
    name = f"tables_{size}"
    cluster.run("postgres", f"CREATE DATABASE {name}")
    url = cluster.url(name)
    print(f"Making {size} tables …", file=sys.stderr, flush=True)
    _fill(url, size)
    facts, dumps, digests, parts = [], [], [], 0
    dump = find_tools(18, os.environ).pg_dump
    command = [str(dump), "--schema-only", "-f", os.devnull, "-d", url]
    with psycopg.connect(url) as line:
        for _ in range(REPEATS[size]):
            dumps.append(_seconds(lambda: subprocess.run(command, check=True)))
            began = time.perf_counter()
            found = read_facts(line, ignore_schemas=())
            facts.append(time.perf_counter() - began)
            digests.append(_seconds(lambda found=found: found.digest))  # type: ignore[misc]
            parts = len(found.entries)
    ratios = [dumped / read for dumped, read in zip(dumps, facts, strict=True)]
    row = (
        f"| {size:,} ({parts:,}) | {_span(facts)} | {_span(digests)} | {_span(dumps)} "
        f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |"
    )
    print(row, file=sys.stderr, flush=True)
    return row, min(ratios) > 1


def _fill(url: str, size: int) -> None:
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("CREATE SCHEMA app; CREATE TYPE app.state AS ENUM ('new', 'done')")
        for begin in range(0, size, BATCH):
            numbers = range(begin, min(begin + BATCH, size))
            parts = [TABLE.format(n=n, parent=max(n - 1, 0)) for n in numbers]
            parts += [EVERY_TENTH.format(n=n) for n in numbers if n % 10 == 0]
            line.execute("".join(parts).encode())
        line.execute("VACUUM ANALYZE")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _span(seconds: list[float]) -> str:
    return f"{min(seconds):.3f} / {statistics.median(seconds):.3f} s"


def _version(cluster: Postgres) -> str:
    with psycopg.connect(cluster.url("postgres")) as line:
        row = line.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""


def _write(rows: list[tuple[str, bool]], version: str) -> None:
    lines = "\n".join(row for row, _ in rows)
    RESULT.write_text(
        f"""# Catalog facts beside `pg_dump --schema-only`

Written by `.venv/bin/python -m benchmarks.facts`. PostgreSQL {version} on {platform.machine()} with
{os.cpu_count()} processors, Python {platform.python_version()}; the two are measured in turn, in one run, on the same
database ({", ".join(f"{REPEATS[size]} rounds at {size:,}" for size in SIZES)}). Times are minimum / median.
The last column is pg_dump's time divided by the facts' time in the same round: median (least to greatest).

| tables (facts) | read facts | digest of them | pg_dump --schema-only | pg_dump : facts |
| --- | --- | --- | --- | --- |
{lines}
"""
    )


if __name__ == "__main__":
    raise SystemExit(main())
