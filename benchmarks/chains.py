"""How drafting and proving grow with the length of a chain, beside applying the same migrations with psql.

Run from the project's folder: `.venv/bin/python -m benchmarks.chains`. Starts an embedded cluster of its own and
writes benchmarks/chains.md. Whole chains show that nothing is quadratic; the newest three of a long chain show what
somebody waits for at night.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.server import throwaway_server
from portal.embedded.postgres import Postgres
from rollbacks.adapters.pg_tools import find_tools
from rollbacks.adapters.scratch import Scratch
from rollbacks.adapters.target import credentials_from_url
from rollbacks.drizzle.journal import Folder
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from tests.reversal.conftest import LAYOUT, folder_of
from tests.reversal.long_chain import long_chain

WHOLE = (50, 100, 200)
LONG, NEWEST = 300, 3
RESULT = Path(__file__).with_name("chains.md")
HEAD = """# Long chains

`python -m benchmarks.chains`; one run on one machine, so read the ratios. `psql` applies the chain's migrations by hand, one
file after the other, which is the least that anybody has to do to see a state. A whole chain is drafted back to the empty
database and proven there, forward again and back once more. The long chain is undone by its newest three migrations; every
figure of it contains replaying all 300, since nothing is kept between runs.

| chain | undone | psql | draft | prove | draft per migration | draft : psql |
|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Measure and write the table; exit status 1 when a proof did not pass."""
    with throwaway_server() as server:
        scratch = Scratch(credentials_from_url("scratch", server.url("postgres"), source="the benchmark"))
        rows = [_measure(server, scratch, length, length) for length in WHOLE]
        rows.append(_measure(server, scratch, LONG, NEWEST))
    RESULT.write_text(HEAD + "".join(f"| {' | '.join(row)} |\n" for row, _passed in rows))
    return 0 if all(passed for _row, passed in rows) else 1


def _measure(server: Postgres, scratch: Scratch, length: int, undone: int) -> tuple[tuple[str, ...], bool]:
    print(f"A chain of {length}, {undone} undone …", file=sys.stderr, flush=True)
    folder = folder_of(long_chain(length))
    by_hand = _by_hand(server, folder)
    return_to = None if undone == length else folder.migrations[-undone - 1].tag
    began = time.perf_counter()
    drafts = draft_back_to(scratch, folder, LAYOUT, return_to=return_to, label="rb1")
    drafted = time.perf_counter() - began
    began = time.perf_counter()
    proof = prove(scratch, folder, LAYOUT, return_to=return_to, reverse="\n".join(draft.text for draft in drafts))
    proven = time.perf_counter() - began
    each = f"{drafted / length * 1000:.0f} ms"
    return (
        (f"{length}", f"{undone}", f"{by_hand:.1f} s", f"{drafted:.1f} s", f"{proven:.1f} s", each, f"{drafted / by_hand:.1f}"),
        proof.passed,
    )  # fmt: skip


def _by_hand(server: Postgres, folder: Folder) -> float:
    name = f"by_hand_{len(folder.migrations)}"
    server.run("postgres", f"CREATE DATABASE {name}")
    psql = find_tools(18, os.environ).pg_dump.with_name("psql")
    began = time.perf_counter()
    for migration in folder.migrations:
        subprocess.run(
            [str(psql), "-q", "-v", "ON_ERROR_STOP=1", "-1", "-d", server.url(name)],
            input=migration.sql, text=True, check=True, capture_output=True,
        )  # fmt: skip
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
