"""A target's git repository, by plumbing only: the working tree and its index are never touched."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath

from rollbacks.adapters.git import Git
from rollbacks.adapters.git import RepositoryError as RepositoryError

REMOTE = "origin"
NOTHING = "0" * 40
SAFE_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
BROKEN_REF = re.compile(r"\.\.|//|/\.|\.lock(/|$)|[/.]$")
# A backslash is a separator elsewhere, and a control character hides in a listing.
UNSAFE_PATH = re.compile(r"[\x00-\x1f\x7f\\]")
EMAIL = "rollback-portal@localhost"
COMMITTER = "rollback-portal"


class BranchTaken(RepositoryError):
    """The branch exists and holds something else; delete it in the repository, then start again."""


class Repository(Git):
    """A clone on this machine, bare or not, with or without a remote named origin."""

    def base_ref(self, branch: str) -> str:
        """Fetch and return the ref that the base branch has at the remote; the local branch without a remote."""
        refuse_unsafe(branch)
        if not self.has_remote():
            return f"refs/heads/{branch}"
        self.git("fetch", "--quiet", "--no-tags", REMOTE, f"+refs/heads/{branch}:refs/remotes/{REMOTE}/{branch}")
        return f"refs/remotes/{REMOTE}/{branch}"

    def has_remote(self) -> bool:
        """Tell whether there is a remote to fetch from and push to."""
        return REMOTE in self.git("remote").split()

    def head(self, ref: str) -> str:
        """Return the commit that the ref or commit id names; raises RepositoryError when there is none."""
        refuse_unsafe(ref)
        found = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if not found:
            raise RepositoryError(f"The repository has no commit {ref.rsplit('/', 1)[-1]}; check the base branch.")
        return found

    def read_files(self, ref: str, folder: str) -> dict[str, bytes]:
        """Return every file below the folder (`.`: of the repository) at the ref, by its path relative to it.

        Symbolic links and submodules are left out; a folder that is not there gives no files.
        """
        root = "" if str(PurePosixPath(folder)) == "." else f"{clean_path(folder)}/"
        listing = self.run("ls-tree", "-r", "-z", "--full-tree", self.head(ref), *([root] if root else []))
        blobs: dict[str, str] = {}
        for line in filter(None, listing.decode("utf-8", errors="surrogateescape").split("\0")):
            meta, name = line.split("\t", 1)
            mode, kind, blob = meta.split()
            if kind == "blob" and mode != "120000":
                blobs[name.removeprefix(root)] = blob
        return dict(zip(blobs, self._contents(list(blobs.values())), strict=True))

    def read_first(self, ref: str, paths: Sequence[str]) -> str:
        """Return the text of the first of these files that exists at the ref; empty when none does.

        What is no UTF-8 comes with replacement characters; symbolic links and submodules are left out.
        """
        commit = self.head(ref)
        for path in map(clean_path, paths):
            line = self.git("ls-tree", "--full-tree", commit, path)
            mode, kind, blob = line.split("\t", 1)[0].split() if line else ("", "", "")
            if kind == "blob" and mode != "120000":
                return self._contents([blob])[0].decode("utf-8", errors="replace")
        return ""

    def branch_commit(self, branch: str) -> str | None:
        """Return the branch's commit in this clone, or None when there is no such branch."""
        refuse_unsafe(branch)
        return self.ask("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") or None

    def remote_commit(self, branch: str) -> str | None:
        """Return the commit that the remote has for the branch, asked of the remote itself; None: no branch or remote."""
        refuse_unsafe(branch)
        if not self.has_remote():
            return None
        found = self.git("ls-remote", REMOTE, f"refs/heads/{branch}").split()
        return found[0] if found else None

    def write_branch(
        self,
        branch: str,
        *,
        base: str,
        files: Mapping[str, bytes],
        message: str,
        author: str,
        at: datetime | None = None,
    ) -> str:
        """Make the branch with one commit on `base` that adds or replaces the files; return the commit.

        A branch that already is exactly that is returned as it is; raises BranchTaken for one that differs.
        `author` is a name, or `Name <mail>`; with `at` (aware) the same call gives the same commit id anywhere.
        """
        parent = self.head(base)
        tree = self._tree(parent, files)
        if self.branch_commit(branch) is None:
            commit = self._commit(tree, parent, message, author, at)
            self._move(branch, commit, NOTHING)
        existing = self.branch_commit(branch)
        if existing is None or not self._is_that(existing, tree, parent):
            raise BranchTaken(f"The branch {branch} exists and holds something else; delete it, then start again.")
        return existing

    def extend_branch(
        self,
        branch: str,
        *,
        base: str,
        files: Mapping[str, bytes],
        message: str,
        author: str,
        at: datetime | None = None,
    ) -> str:
        """Add one commit with the files to the branch whose head is `base`; return its head if they are there.

        Raises BranchTaken when somebody moved the branch to something that does not hold the files.
        """
        head = self.branch_commit(branch)
        if head is None:
            raise RepositoryError(f"The branch {branch} is gone from the repository; fetch it again from the remote.")
        tree = self._tree(head, files)
        if head == self.head(base) and not self._has_tree(head, tree):
            self._move(branch, self._commit(tree, head, message, author, at), head)
        moved = self.branch_commit(branch)
        if moved is None or not self._has_tree(moved, self._tree(moved, files)):
            raise BranchTaken(f"The branch {branch} was moved by somebody else; bring it back to {base[:12]}.")
        return moved

    def push(self, branch: str) -> None:
        """Push the branch, never by force; nothing happens when the remote has it already.

        Raises BranchTaken when the remote has other commits on it, RepositoryError when it does not take it.
        """
        refuse_unsafe(branch)
        try:
            self.git("push", "--quiet", REMOTE, f"refs/heads/{branch}:refs/heads/{branch}")
        except RepositoryError as error:
            if "[rejected]" in str(error):
                raise BranchTaken(
                    f"The remote has other commits on the branch {branch}; delete it there, then start again."
                ) from error
            raise

    def delete_branch(self, branch: str) -> None:
        """Delete the branch in this clone, if it is there; the remote is not touched."""
        commit = self.branch_commit(branch)
        if commit is not None:
            self.git("update-ref", "-d", f"refs/heads/{branch}", commit)

    def _contents(self, blobs: list[str]) -> list[bytes]:
        """Read all blobs with one git, because a migrations folder has hundreds of files."""
        output, position, contents = self.run("cat-file", "--batch", stdin="\n".join(blobs).encode()), 0, []
        for _blob in blobs:
            line_end = output.index(b"\n", position)
            size = int(output[position:line_end].split()[2])
            contents.append(output[line_end + 1 : line_end + 1 + size])
            position = line_end + size + 2
        return contents

    def _tree(self, base: str, files: Mapping[str, bytes]) -> str:
        """Write the tree of `base` with the files on top, in an index of our own."""
        names = [clean_path(name) for name in files]
        with tempfile.TemporaryDirectory(prefix="rollback-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.git("read-tree", base, extra=index)
            for name, content in zip(names, files.values(), strict=True):
                blob = self.git("hash-object", "-w", "--stdin", stdin=content)
                # One by one: --index-info would replace a folder of that name without a word.
                self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", extra=index)
            return self.git("write-tree", extra=index)

    def _commit(self, tree: str, parent: str, message: str, author: str, at: datetime | None) -> str:
        name, mail = _person(author)
        people = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": COMMITTER,
            "GIT_COMMITTER_EMAIL": EMAIL,
        }
        if at is not None:
            stamp = f"{int(at.timestamp())} +0000"
            people |= {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
        signed = "--gpg-sign" if self.signing_key else "--no-gpg-sign"
        return self.git("commit-tree", signed, tree, "-p", parent, stdin=message.encode(), extra=people)

    def _move(self, branch: str, commit: str, old: str) -> None:
        """Move the branch if it still is where we saw it; the caller looks what it holds after two raced."""
        try:
            self.git("update-ref", f"refs/heads/{branch}", commit, old)
        except RepositoryError:
            if (self.branch_commit(branch) or NOTHING) == old:
                raise

    def _is_that(self, commit: str, tree: str, parent: str) -> bool:
        parents = self.git("rev-list", "--parents", "-n", "1", commit).split()[1:]
        return parents == [parent] and self._has_tree(commit, tree)

    def _has_tree(self, commit: str, tree: str) -> bool:
        return self.git("rev-parse", f"{commit}^{{tree}}") == tree


def clean_path(name: str) -> str:
    """Refuse a path that leaves the repository, reaches into .git or cannot be read on a page."""
    path = PurePosixPath(name)
    parts = [part.lower() for part in path.parts]
    if path.is_absolute() or not parts or {"..", ".git"} & set(parts) or UNSAFE_PATH.search(name):
        raise RepositoryError(f"{name!r} is not a path inside the repository; check the target's settings.")
    return str(path)


def refuse_unsafe(ref: str) -> None:
    """Raise RepositoryError unless the name can only be read as a branch, a ref or a commit."""
    if not SAFE_REF.fullmatch(ref) or BROKEN_REF.search(ref):
        raise RepositoryError(f"{ref!r} is not a branch name that the portal uses; choose letters, digits, - and /.")


def _person(author: str) -> tuple[str, str]:
    name, _, mail = author.partition("<")
    clean = [re.sub(r"[<>\x00-\x1f]", " ", text).strip() for text in (name, mail)]
    return clean[0] or COMMITTER, clean[1] or EMAIL
