"""Drizzle 1.0: after a rollback by the recipe, the real drizzle-kit and drizzle-orm agree with database and files.

The chains under folders/ were written by the real tool: STEP=1 to 4 `drizzle-kit generate`, the third with the hints that
pets became animals and name full_name, then `generate --custom`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from rollbacks.adapters.ledger import read_ledger
from rollbacks.adapters.scratch import Scratch
from rollbacks.drizzle.journal import Folder, Layout, pieces
from rollbacks.drizzle.layouts import compose, read_folder, violations
from rollbacks.drizzle.recipe import RollbackFiles
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from tests.toolchain.drizzle import TIMEOUT_SECONDS, node_modules

FOLDERS = Path(__file__).parent / "folders"
LAYOUT = Layout(out="drizzle")


@dataclass(frozen=True)
class Project:
    """A project with the real tool of one version, for the database at one URL."""

    root: Path
    url: str

    def run(self, *command: str, **environ: str) -> str:
        done = subprocess.run(
            command, cwd=self.root, env={**os.environ, "DATABASE_URL": self.url, "NO_COLOR": "1", **environ},
            stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def migrate(self) -> int:
        return int(self.run("node", "migrate.js").split("applied ")[1])

    def generate(self, name: str, **environ: str) -> dict[str, str]:
        said = self.run("node_modules/.bin/drizzle-kit", "generate", f"--name={name}", "--output=json", **environ)
        found: dict[str, str] = json.loads(said.strip().splitlines()[-1])
        return found

    def folder(self) -> Folder:
        root = self.root / "drizzle"
        return read_folder(
            {str(each.relative_to(root)): each.read_bytes() for each in root.rglob("*") if each.is_file()}
        )


def project(version: str, root: Path, url: str) -> Project:
    shutil.copytree(FOLDERS / version, root)
    for name in ("schema.ts", "migrate.js", "drizzle.config.ts"):
        shutil.copyfile(FOLDERS / name, root / name)
    (root / "node_modules").symlink_to(node_modules(FOLDERS / version, ("package.json", "package-lock.json")))
    return Project(root, url)


def roll_back(made: Project, return_to: str | None) -> RollbackFiles:
    """Draft the reverse, write the recipe's files, and run the SQL with its ledger row in one transaction."""
    folder = made.folder()
    scratch = Scratch.of(os.environ)
    drafts = draft_back_to(scratch, folder, LAYOUT, return_to=return_to, label="rb1")
    reverse = "".join(draft.text for draft in drafts)
    proof = prove(scratch, folder, LAYOUT, return_to=return_to, reverse=reverse)
    assert proof.passed, proof.differences
    with psycopg.connect(made.url) as connection:
        files = compose(
            folder, read_ledger(connection, LAYOUT), layout=LAYOUT, return_to=return_to, tag_description="test",
            sql=reverse, now_ms=time.time_ns() // 1_000_000, snapshot_id=str(uuid.uuid4()),
        )  # fmt: skip
        for name, content in files.contents.items():
            (made.root / "drizzle" / name).parent.mkdir(exist_ok=True)
            (made.root / "drizzle" / name).write_bytes(content)
        for piece in pieces(files.sql):
            connection.execute(piece.encode())
        connection.execute(
            "INSERT INTO drizzle.__drizzle_migrations (hash, created_at, name) VALUES (%s, %s, %s)",
            [files.sha256, files.when, files.ledger_name],
        )
    return files


@pytest.mark.parametrize(
    ("version", "step"), [("rc5", 4), ("rc5", 3), ("rc5", 2), ("rc5", 0), ("rc4", 2)], ids=lambda each: str(each)
)
def test_the_real_tool_agrees_after_a_rollback(version: str, step: int, tmp_path: Path, empty_url: str) -> None:
    made = project(version, tmp_path / "project", empty_url)
    before = made.folder()
    assert made.migrate() == 5
    with psycopg.connect(made.url) as connection:
        assert violations(before, read_ledger(connection, LAYOUT), layout=LAYOUT, now_ms=time.time_ns() // 10**6) == ()

    files = roll_back(made, before.migrations[step - 1].tag if step else None)

    assert made.migrate() == 0
    if not step:
        (made.root / "schema.ts").write_text("export {};")
    assert "fine" in made.run("node_modules/.bin/drizzle-kit", "check", STEP=str(step))
    assert made.generate("nothing", STEP=str(step))["status"] == "no_changes"
    after = made.folder()
    with psycopg.connect(made.url) as connection:
        assert violations(after, read_ledger(connection, LAYOUT), layout=LAYOUT, now_ms=time.time_ns() // 10**6) == ()
    assert after.migrations[-1].tag == files.tag and after.migrations[-1].sha256 == files.sha256
    if step:
        written = made.generate("next", STEP=str(step), EXTRA="1")["migration_path"]
        added = (made.root / written).read_text()
        assert added == 'ALTER TABLE "people" ADD COLUMN "active" boolean DEFAULT true NOT NULL;'
        assert made.migrate() == 1


def test_a_ledger_row_without_the_name_runs_the_rollback_again(tmp_path: Path, empty_url: str) -> None:
    """Why apply writes the name: without it migrate() takes the rollback for a migration that has not run."""
    made = project("rc5", tmp_path / "project", empty_url)
    made.migrate()
    roll_back(made, made.folder().migrations[3].tag)
    with psycopg.connect(made.url) as connection:
        connection.execute("UPDATE drizzle.__drizzle_migrations SET name = NULL WHERE id = 6")
        found = violations(
            made.folder(), read_ledger(connection, LAYOUT), layout=LAYOUT, now_ms=time.time_ns() // 10**6
        )
    assert {"nameless-row", "not-applied"} == {each.code for each in found}
    with pytest.raises(AssertionError, match="does not exist"):
        made.migrate()
