"""What becomes of a rollback's branch: checking it out, taking it along as a patch, and what merging it meets."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rollbacks.adapters.git import RepositoryError
from rollbacks.adapters.repository import Repository, clean_path, refuse_unsafe

LARGEST_PATCH = 20 * 1024 * 1024
# A TypeScript file that declares tables imports them from here.
SCHEMA_MARK = "drizzle-orm/pg-core"
MOST_FILES = 500


class PatchTooLarge(RepositoryError):
    """The branch is no patch that anybody would take along; take it from the repository."""


@dataclass(frozen=True)
class Merge:
    """Whether the base moved since the branch was made, and which files would conflict; `unknown` says why not known."""

    base_commit: str
    moved: bool
    conflicts: tuple[str, ...] = ()
    unknown: str = ""


def check_out(repository: Repository, commit: str, folder: Path) -> None:
    """Write every file of the commit into the folder, executable bits and symbolic links included.

    The clone's own working tree, index and list of worktrees stay as they are; export-ignore leaves nothing out.
    """
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="rollback-index-") as place:
        index = {"GIT_INDEX_FILE": str(Path(place) / "index")}
        repository.git("read-tree", repository.head(commit), extra=index)
        repository.git("checkout-index", "--all", "--quiet", f"--prefix={folder}/", extra=index)


def patch_of(repository: Repository, branch: str, *, base: str) -> bytes:
    """Return the branch's commits since `base` as `git am` takes them; raises PatchTooLarge above 20 MiB."""
    refuse_unsafe(branch)
    head = repository.branch_commit(branch)
    if head is None:
        raise RepositoryError(f"The branch {branch} is gone from the repository; fetch it again from the remote.")
    patch = repository.run(
        "format-patch", "--stdout", "--binary", "--full-index", "--no-signature", "--no-color", "--no-ext-diff",
        f"{repository.head(base)}..{head}",
    )  # fmt: skip
    if len(patch) > LARGEST_PATCH:
        raise PatchTooLarge(f"The patch of {branch} is larger than 20 MiB; take the branch from the repository.")
    return patch


def merge_of(repository: Repository, branch: str, *, base: str, into: str) -> Merge:
    """Try the merge of the branch into the base branch as it is now, without touching anything.

    `base` is the commit that the rollback's branch was made on, `into` the base branch's name.
    """
    now = repository.head(repository.base_ref(into))
    if now == repository.head(base):
        return Merge(now, moved=False)
    head = repository.head(f"refs/heads/{branch}")
    code, output, said = repository.call(
        ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", now, head)
    )
    if code > 1:
        why = " ".join(said.split())[:200] or "git said nothing"
        return Merge(now, moved=True, unknown=f"Whether it merges cannot be told ({why}).")
    names = output.decode("utf-8", errors="replace").split("\0")[1:] if code else []
    return Merge(now, moved=True, conflicts=tuple(sorted({name for name in names if name})))


def changed_schema(repository: Repository, *, out: str, file: str, undone: Sequence[str], now: str) -> tuple[str, ...]:
    """Return the TypeScript files that declare tables and changed since the return point's migration came in.

    `file` is the return point's migration in the folder `out` and `undone` are those above it. Nothing is returned where
    git does not know: the commit is not there, or it brought undone migrations along.
    """
    path = clean_path(str(PurePosixPath(out) / file))
    came = repository.git("log", "--format=%H", "--diff-filter=A", "-1", repository.head(now), "--", path)
    if not came:
        return ()
    there = set(repository.read_files(came, out))
    if any(name in there for name in undone):
        return ()
    changed = repository.run("diff", "--name-only", "-z", "--no-renames", came, repository.head(now)).decode(
        "utf-8", "replace"
    )
    names = [name for name in changed.split("\0") if re.search(r"\.[cm]?tsx?$", name)][:MOST_FILES]
    return tuple(sorted(name for name in names if _declares(repository, (now, came), name)))


def _declares(repository: Repository, commits: Sequence[str], name: str) -> bool:
    try:
        return any(SCHEMA_MARK in repository.read_first(commit, [name]) for commit in commits)
    except RepositoryError:
        return False
