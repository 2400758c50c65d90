"""What the engine makes of every migration it is tried on: python -m benchmarks.reversal writes benchmarks/reversal.md."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.server import throwaway_server
from demo.target import migrations
from rollbacks.adapters.scratch import Scratch
from rollbacks.adapters.target import credentials_from_url
from rollbacks.drizzle.journal import Folder
from rollbacks.reversal.draft import Draft
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from tests.chains.chains import CHAINS
from tests.reversal.cases import BASE, CASES
from tests.reversal.conftest import LAYOUT, folder_of
from tests.reversal.long_chain import long_chain

OUTPUT = Path(__file__).with_name("reversal.md")
CHAIN = 60


def main() -> None:
    """Draft and prove each migration and write the table."""
    rows = []
    with throwaway_server() as server:
        scratch = Scratch(credentials_from_url("scratch", server.url("postgres"), source="benchmark"))
        for name, folder, return_to, tag in _migrations():
            row = _row(scratch, name, folder, return_to, tag)
            rows.append(row)
            print(row, flush=True)
    proven = sum("| proven |" in row for row in rows)
    head = [
        "# What the reversal engine makes of each migration",
        "",
        f"{proven} of {len(rows)} drafts proven: the catalog came back, the migration could be deployed again, and was taken",
        "back a second time. One that is disproven leaves a marked place to a person. nzila is the fixture; shop, clinic and meter",
        "were generated with drizzle-kit (tests/chains); the rest are single constructs (tests/reversal/cases.py). Classes as in `docs/cli.md`.",
        "Read the seconds beside each other: the machine had other work. Regenerate with `python -m benchmarks.reversal`.",
        "",
        "| migration | class | outcome | statements | seconds | left to a person |",
        "|---|---|---|---|---|---|",
    ]
    OUTPUT.write_text("\n".join([*head, *rows]) + "\n")


def _migrations() -> Iterator[tuple[str, Folder, str | None, str]]:
    for name, folder in {"nzila": migrations(), **{name: made.folder for name, made in CHAINS.items()}}.items():
        before: str | None = None
        for number, migration in enumerate(folder.migrations, 1):
            yield (
                f"{name} {migration.tag}",
                replace(folder, migrations=folder.migrations[:number]),
                before,
                migration.tag,
            )
            before = migration.tag
    for case in CASES:
        yield case.name, folder_of([BASE, case.forward]), "0000_m0", "0001_m1"
    chain = folder_of(long_chain(CHAIN))
    for before, migration in zip(chain.migrations[-6:-1], chain.migrations[-5:], strict=True):
        yield f"chain of {CHAIN}, {migration.tag}", chain, before.tag, migration.tag


def _row(scratch: Scratch, name: str, folder: Folder, return_to: str | None, tag: str) -> str:
    started = time.perf_counter()
    drafts = draft_back_to(scratch, folder, LAYOUT, return_to=return_to, label="rb")
    draft: Draft = next(each for each in drafts if each.tag == tag)
    reverse = "\n".join(each.text for each in drafts)
    proof = prove(scratch, folder, LAYOUT, return_to=return_to, reverse=reverse)
    seconds = time.perf_counter() - started
    left = " ".join(draft.residue).replace("|", "\\|")
    return f"| {name} | {draft.cls} | {proof.outcome} | {len(draft.statements)} | {seconds:.1f} | {left} |"


if __name__ == "__main__":
    main()
