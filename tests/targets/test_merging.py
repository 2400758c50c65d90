"""Checking a commit out, and what git knows of the schema's history: without touching the clone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from demo.target import OUT, create_repository
from rollbacks.adapters.merging import PatchTooLarge, changed_schema, check_out, merge_of, patch_of
from rollbacks.adapters.repository import Repository
from tests.targets.test_repository import git

SCHEMA = "packages/db/src/schema.ts"
FIRST, NEXT = "0007_first.sql", "0008_next.sql"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return create_repository(tmp_path)


def commit(clone: Path, subject: str, **files: str) -> str:
    for name, text in files.items():
        path = clone / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(clone, "add", "--all")
    git(clone, "commit", "-qm", subject)
    return git(clone, "rev-parse", "HEAD")


def test_every_file_of_the_commit_is_checked_out_and_the_clone_is_left_alone(clone: Path, tmp_path: Path) -> None:
    (clone / "run.sh").write_text("#!/bin/sh\n")
    (clone / "run.sh").chmod(0o755)
    (clone / "link").symlink_to("run.sh")
    head = commit(clone, "Odd files", **{".gitattributes": "secret.txt export-ignore\n", "secret.txt": "kept"})
    (clone / "README.md").write_text("half-finished work")
    before = git(clone, "status", "--porcelain"), git(clone, "worktree", "list")
    check_out(Repository(clone), head, tmp_path / "out")
    out = tmp_path / "out"
    assert os.access(out / "run.sh", os.X_OK) and os.readlink(out / "link") == "run.sh"
    assert (out / "secret.txt").read_text() == "kept" and (out / OUT / "0000_initial.sql").exists()
    assert (out / "README.md").read_text() != "half-finished work" and not (out / ".git").exists()
    assert (git(clone, "status", "--porcelain"), git(clone, "worktree", "list")) == before


def test_the_schema_files_that_changed_since_the_return_point_are_named_only_where_git_knows(clone: Path) -> None:
    repository, folder = Repository(clone), clone / OUT
    imported = "import { pgTable } from 'drizzle-orm/pg-core';\n"
    (folder / FIRST).write_text("SELECT 1;\n")
    commit(clone, "The return point", **{"packages__db__src__gone.ts": imported})
    (clone / "packages/db/src/gone.ts").unlink()
    (folder / NEXT).write_text("SELECT 2;\n")
    now = commit(
        clone, "Undone later", **{"packages__db__src__made.ts": imported, "packages__db__src__tool.ts": "//\n"}
    )
    named = changed_schema(repository, out=OUT, file=FIRST, undone=[NEXT], now=now)
    assert named == ("packages/db/src/gone.ts", "packages/db/src/made.ts")

    # The commit that brought the return point brought the undone migration as well: whatever changed since, it tells nothing.
    later = commit(clone, "Another change", **{"packages__db__src__made.ts": f"{imported}//\n"})
    assert changed_schema(repository, out=OUT, file=NEXT, undone=[FIRST], now=later) == ()
    assert changed_schema(repository, out=OUT, file="0009_never.sql", undone=[], now=later) == ()


def test_a_merge_that_git_cannot_try_is_said_to_be_unknown(clone: Path) -> None:
    repository = Repository(clone)
    base = git(clone, "rev-parse", "main")
    repository.write_branch("rollback/one", base=base, files={"a.txt": b"ours"}, message="M", author="Ada")
    assert not merge_of(repository, "rollback/one", base=base, into="main").moved
    git(clone, "switch", "-q", "--orphan", "unrelated")
    commit(clone, "Nothing in common", **{"a.txt": "theirs"})
    git(clone, "push", "-qf", "origin", "unrelated:main")
    merge = merge_of(repository, "rollback/one", base=base, into="main")
    assert merge.moved and not merge.conflicts and "cannot be told" in merge.unknown


def test_a_patch_beyond_reason_is_refused(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(clone)
    base = git(clone, "rev-parse", "main")
    repository.write_branch("rollback/one", base=base, files={"a.bin": b"\x00\xff" * 99}, message="M", author="Ada")
    assert b"GIT binary patch" in patch_of(repository, "rollback/one", base=base)
    monkeypatch.setattr("rollbacks.adapters.merging.LARGEST_PATCH", 100)
    with pytest.raises(PatchTooLarge):
        patch_of(repository, "rollback/one", base=base)
