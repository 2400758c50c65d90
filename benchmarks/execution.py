"""What the portal's care costs beside the runbook by hand: python -m benchmarks.execution writes benchmarks/execution.md.

One database (GIGABYTES=1 of audit events with incompressible text) is rolled back twice in one run: by hand with pg_dump, psql
and two checks, and by the portal's steps, each on its own copy. It runs inside a pytest session, for its services.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg import sql

ROOT = Path(__file__).parents[1]
OUTPUT = Path(__file__).with_name("execution.md")
GIGABYTES = float(os.environ.get("GIGABYTES", "1"))
# Hexadecimal digits of random bytes: 8 kB a row, which no compression makes less than half of.
FILL = """
    INSERT INTO audit_events (entity_id, action, payload)
    SELECT (SELECT id FROM entities LIMIT 1), 'measured', pg_catalog.jsonb_build_object('text', t.text)
      FROM pg_catalog.generate_series(1, %s) row_number,
           LATERAL (SELECT pg_catalog.string_agg(pg_catalog.encode(pg_catalog.sha256(
               (row_number::text || ':' || part::text)::bytea), 'hex'), '') AS text
             FROM pg_catalog.generate_series(1, 128) part) t"""
ROW_BYTES = 128 * 64


def measured(call: Callable[[], object]) -> float:
    """Return how many seconds the call took."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@pytest.mark.django_db(transaction=True)
def test_measure(nzila: Any, people: Any, cluster_url: str, tmp_path: Path, settings: Any) -> None:
    """Measure both ways and write the table."""
    from rollbacks.adapters.pg_tools import find_tools
    from rollbacks.services import running
    from tests.engine.test_faults import process_environment
    from tests.rollback import approve, draft, register, state_of

    settings.STATEMENT_TIMEOUT_MS = 3_600_000
    with nzila.connect() as line:
        line.execute(FILL, [int(GIGABYTES * 2**30 / ROW_BYTES)])
    copy = _copied(nzila, cluster_url)
    tools = find_tools(18, nzila.environ)
    request = draft(people, register(nzila))
    approve(people, request)
    # What was rung for on the way is done, and would only hold the worker up.
    redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]).flushall()
    with _worker(process_environment(nzila)):
        execution = running.start(people["engineer"], request.pk)
        while state_of(execution) == "executing":
            time.sleep(0.2)
    assert state_of(execution) == "succeeded", [each.sentence for each in execution.steps.all()]
    script = tmp_path / "reverse.sql"
    script.write_text(execution.plan["file"]["text"].replace("--> statement-breakpoint", ""))

    hand = _by_hand(copy, script, tmp_path / "by-hand.sql", tools)
    steps = {
        each.name: (each.finished_at - each.started_at).total_seconds() for each in execution.steps.order_by("position")
    }
    applied = execution.steps.get(name="apply")
    size = nzila.rows("SELECT pg_database_size(current_database())")[0][0]
    lines = [
        *_head(size),
        *_steps_table(hand, steps),
        "",
        f"The transaction on the target, from its first lock to COMMIT: {_locked(applied):.2f} s by the portal, "
        f"{hand['psql -1 -f reverse.sql']:.2f} s by `psql -1` (ratio {_locked(applied) / hand['psql -1 -f reverse.sql']:.1f}). "
        f"Inside it {sum(each['milliseconds'] for each in applied.evidence['statements']) / 1000:.2f} s are the statements; "
        "the rest reads the catalog before and after them and compares it.",
        "",
        *_engine_lines(execution),
    ]
    OUTPUT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(f"{nzila.name}-hand")))


def _copied(nzila: Any, cluster_url: str) -> str:
    name = f"{nzila.name}-hand"
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(nzila.name)
            )
        )
    return cluster_url.replace("/postgres?", f"/{name}?")


def _by_hand(url: str, script: Path, dump: Path, tools: Any) -> dict[str, float]:
    """Follow the runbook's steps 2 to 5 with a shell's commands."""
    psql = tools.pg_dump.with_name("psql")

    def run(*command: object) -> None:
        subprocess.run([str(word) for word in command], check=True, capture_output=True)

    return {
        "pg_dump (plain)": measured(lambda: run(tools.pg_dump, "-d", url, "-f", dump)),
        "psql -1 -f reverse.sql": measured(
            lambda: run(psql, "-X", "-v", "ON_ERROR_STOP=1", "-1", "-d", url, "-f", script)
        ),
        "checks": measured(lambda: run(psql, "-X", "-d", url, "-c", r"\d", "-c", "SELECT count(*) FROM audit_events")),
    }


def _locked(applied: Any) -> float:
    begun = datetime.fromisoformat(applied.evidence["started_at_server"])
    return (applied.finished_at - begun).total_seconds()


def _head(size: int) -> list[str]:
    return [
        "# What the portal's care costs beside the runbook by hand",
        "",
        f"A database of {size / 2**30:.2f} GiB, target and scratch server on one machine with {os.cpu_count()} cores. By hand means what the",
        "runbook says: a plain dump, the reverse SQL in one transaction, a look at the tables; nothing is restored, rehearsed or compared.",
        "Regenerate with `python -m benchmarks.execution` (GIGABYTES says how much).",
        "",
    ]


def _steps_table(hand: dict[str, float], steps: dict[str, float]) -> list[str]:
    rows = ["| by hand | seconds | the portal | seconds |", "|---|---|---|---|"]
    seconds = sum(steps.values())
    left = [*hand.items(), ("**together**", sum(hand.values()))]
    right = [*steps.items(), ("**together**", seconds)]
    for number in range(max(len(left), len(right))):
        pair = [each[number] if number < len(each) else None for each in (left, right)]
        rows.append("| " + " | ".join(f"{row[0]} | {row[1]:.2f}" if row else " | " for row in pair) + " |")
    rows += ["", f"Ratio: {seconds / sum(hand.values()):.1f}. Dump alone, with counts in its snapshot, restore and comparison: "
             f"{steps['backup'] / hand['pg_dump (plain)']:.1f} times a plain dump."]  # fmt: skip
    return rows


def _engine_lines(execution: Any) -> list[str]:
    """Say how soon a worker began after the start, and what lies between two steps: two transactions and a message."""
    runs = list(execution.steps.order_by("position"))
    first = (runs[0].started_at - execution.started_at).total_seconds()
    gaps = [(after.started_at - before.finished_at).total_seconds() for before, after in pairwise(runs)]
    return [
        f"From the start to the first step at work: {first * 1000:.0f} ms. Between the end of a step and the beginning of the next: "
        f"{sum(gaps) / len(gaps) * 1000:.0f} ms in the mean of {len(gaps)}, {max(gaps) * 1000:.0f} ms at the most.",
    ]


@contextmanager
def _worker(environ: dict[str, str]) -> Iterator[None]:
    """Run a real worker that is ready for messages."""
    from celery import current_app

    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "portal",
        "-q",
        "worker",
        "--pool",
        "solo",
        "--without-mingle",
        "--without-gossip",
    ]
    worker = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not current_app.control.ping(timeout=0.2):
            assert worker.poll() is None
        yield
    finally:
        worker.terminate()
        worker.wait(timeout=60)


def main() -> int:
    """Run the measurement in a session of its own."""
    command = [ROOT / "dev", "test", "-n", "0", "-q", "-s", "-p", "tests.conftest", Path(__file__).relative_to(ROOT)]
    return subprocess.run([sys.executable, *map(str, command)], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
