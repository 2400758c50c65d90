"""After a rollback by the recipe, the real drizzle-kit and drizzle-orm agree with database and files."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from pathlib import Path

import psycopg
import pytest

from demo import target as demo_target
from rollbacks.adapters.ledger import read_ledger
from rollbacks.adapters.repository import Repository
from rollbacks.drizzle.journal import BREAKPOINT, JOURNAL, pieces, read_folder
from rollbacks.drizzle.preflight import violations
from rollbacks.drizzle.recipe import RollbackFiles, compose
from tests.conftest import TargetDatabase
from tests.toolchain.drizzle import Drizzle

LAYOUT, OUT = demo_target.LAYOUT, demo_target.OUT
POINTS = ["0003_redundant_starfox", "0002_rich_marten_broadcloak", "0001_solid_cargill", "0000_initial", None]
FIRST_REVERSE = Path(__file__).parent / "reverse_0000_initial.sql"


def roll_back(nzila: TargetDatabase, return_to: str | None) -> RollbackFiles:
    """Write the files to a branch, run them with their ledger row in one transaction, and merge the branch."""
    repository = Repository(nzila.repository)
    folder = read_folder(repository.read_files("main", OUT))
    with psycopg.connect(nzila.url) as connection:
        files = compose(
            folder,
            read_ledger(connection, LAYOUT),
            layout=LAYOUT,
            return_to=return_to,
            tag_description=f"to_{return_to}",
            sql=reverse_sql([each.tag for each in folder.migrations], return_to),
            now_ms=time.time_ns() // 1_000_000,
            snapshot_id=str(uuid.uuid4()),
        )
        contents = {f"{OUT}/{name}": content for name, content in files.contents.items()}
        repository.write_branch("rollback/one", base="main", files=contents, message="Roll back", author="Ada")
        for piece in pieces(files.sql):
            connection.execute(piece.encode())
        connection.execute(
            "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES (%s, %s)", [files.sha256, files.when]
        )
    merge = ["git", "-c", "safe.directory=*", "merge", "--quiet", "--ff-only", "rollback/one"]
    subprocess.run(merge, cwd=nzila.repository, check=True)
    return files


def reverse_sql(tags: list[str], return_to: str | None) -> str:
    ships = {"0000_initial": FIRST_REVERSE.read_text(), **demo_target.reverse_sql()}
    undone = tags[tags.index(return_to) + 1 :] if return_to else tags
    return f"\n{BREAKPOINT}\n".join(ships[tag] for tag in reversed(undone))


@pytest.mark.parametrize("return_to", POINTS)
def test_migrate_check_generate_and_the_contract_agree_with_the_return_point(
    nzila: TargetDatabase, toolchain: Drizzle, return_to: str | None
) -> None:
    files = roll_back(nzila, return_to)
    toolchain.revert_schema(return_to)
    assert toolchain.migrate() == 0
    code, output = toolchain.check()
    assert code == 0 and "Everything's fine" in output and "arning" not in output
    generated = toolchain.generate()
    assert generated.nothing, generated.output
    if return_to is not None:
        code, output = toolchain.contract_tests(int(return_to[:4]))
        assert code == 0, output
    with nzila.connect() as connection:
        folder = read_folder(Repository(nzila.repository).read_files("main", OUT))
        assert violations(folder, read_ledger(connection, LAYOUT), layout=LAYOUT, now_ms=files.when) == ()


def test_the_next_real_change_is_generated_after_the_rollback_and_applies(
    nzila: TargetDatabase, toolchain: Drizzle
) -> None:
    files = roll_back(nzila, "0002_rich_marten_broadcloak")
    toolchain.revert_schema("0002_rich_marten_broadcloak")
    schema = toolchain.checkout / "packages/db/src/schema.ts"
    slug = "slug: text('slug').notNull().unique(),"
    schema.write_text(schema.read_text().replace(slug, f"{slug}\n  website: text('website'),"))
    generated = toolchain.generate("--name", "website")
    assert generated.written["0006_website.sql"] == 'ALTER TABLE "entities" ADD COLUMN "website" text;'
    assert (
        json.loads(generated.written["meta/0006_snapshot.json"])["prevId"]
        == json.loads(files.contents["meta/0005_snapshot.json"])["id"]
    )
    # drizzle-kit wrote the journal anew; ours must have been what it would have written.
    assert generated.written["meta/_journal.json"].startswith(files.contents[JOURNAL].decode().removesuffix("\n  ]\n}"))
    assert toolchain.check()[0] == 0
    assert toolchain.migrate() == 1
    assert toolchain.generate().nothing


def test_a_fresh_database_runs_the_rolled_back_migrations_and_the_rollback_in_one_go(
    nzila: TargetDatabase, toolchain: Drizzle, empty_url: str
) -> None:
    roll_back(nzila, "0002_rich_marten_broadcloak")
    toolchain.revert_schema("0002_rich_marten_broadcloak")
    fresh = Drizzle(toolchain.checkout, empty_url)
    assert fresh.migrate() == 6
    code, output = fresh.contract_tests(2)
    assert code == 0, output


def test_a_schema_that_was_not_reverted_is_seen_as_the_change_to_make_again(
    nzila: TargetDatabase, toolchain: Drizzle
) -> None:
    roll_back(nzila, "0002_rich_marten_broadcloak")
    generated = toolchain.generate("--name", "again")
    assert 'CREATE TYPE "public"."audit_severity"' in generated.written["0006_again.sql"]
