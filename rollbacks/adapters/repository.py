"""A target's git repository, by plumbing only: the working tree and its index are never touched."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

TIMEOUT_SECONDS = 120
REMOTE = "origin"
SAFE_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
EMAIL = "rollback-portal@localhost"


class RepositoryError(Exception):
    """Git could not do what was asked; the sentence says what and why."""


class BranchTaken(RepositoryError):
    """The branch exists and holds something else; delete it in the repository, then start again."""


class Repository:
    """A clone on this machine, with or without a remote named origin."""

    def __init__(self, path: str) -> None:
        self.path = path

    def base_ref(self, branch: str) -> str:
        """Fetch and return the ref that the base branch has at the remote; the local branch without a remote."""
        _refuse_unsafe(branch)
        if not self.has_remote():
            return f"refs/heads/{branch}"
        self._git("fetch", "--quiet", "--no-tags", REMOTE, f"+refs/heads/{branch}:refs/remotes/{REMOTE}/{branch}")
        return f"refs/remotes/{REMOTE}/{branch}"

    def has_remote(self) -> bool:
        """Tell whether there is a remote to fetch from and push to."""
        return REMOTE in self._git("remote").split()

    def head(self, ref: str) -> str:
        """Return the commit that the ref or commit id names."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").strip()
        except RepositoryError as error:
            raise RepositoryError(
                f"The repository has no commit {ref.rsplit('/', 1)[-1]}; check the base branch."
            ) from error

    def read_files(self, commit: str, folder: str) -> dict[str, bytes]:
        """Return every file below the folder at the commit, by its path relative to the folder."""
        root = _clean_path(folder)
        listing = self._git("ls-tree", "-r", "-z", "--full-tree", commit, "--", f"{root}/")
        files: dict[str, bytes] = {}
        for line in filter(None, listing.split("\0")):
            meta, name = line.split("\t", 1)
            mode, kind, blob = meta.split()
            if kind == "blob" and mode != "120000":
                files[name[len(root) + 1 :]] = self._git_bytes("cat-file", "blob", blob)
        return files

    def branch_commit(self, branch: str) -> str | None:
        """Return the branch's commit in this clone, or None when there is no such branch."""
        _refuse_unsafe(branch)
        return self._git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").strip() or None

    def remote_commit(self, branch: str) -> str | None:
        """Return the commit that the remote has for the branch, asked of the remote itself."""
        _refuse_unsafe(branch)
        found = self._git("ls-remote", REMOTE, f"refs/heads/{branch}").split()
        return found[0] if found else None

    def write_branch(self, branch: str, *, base: str, files: Mapping[str, bytes], message: str, author: str) -> str:
        """Make the branch with one commit on `base` that adds or replaces the files; return the commit.

        A branch that already has exactly these files on this base is returned as it is; raises BranchTaken
        for one that differs.
        """
        existing = self.branch_commit(branch)
        tree = self._tree(base, files)
        if existing is not None:
            if self._git("rev-parse", f"{existing}^{{tree}}").strip() == tree:
                return existing
            raise BranchTaken(f"The branch {branch} exists and holds something else; delete it, then start again.")
        return self._commit(branch, tree, base, "0" * 40, message, author)

    def extend_branch(self, branch: str, *, base: str, files: Mapping[str, bytes], message: str, author: str) -> str:
        """Add one commit with the files to the branch whose head is `base`; return its head if they are there.

        Raises BranchTaken when somebody moved the branch to something that does not hold the files.
        """
        head = self.branch_commit(branch)
        if head is None:
            raise RepositoryError(f"The branch {branch} is gone from the repository; fetch it again from the remote.")
        tree = self._tree(head, files)
        if self._git("rev-parse", f"{head}^{{tree}}").strip() == tree:
            return head
        if head != base:
            raise BranchTaken(f"The branch {branch} was moved by somebody else; bring it back to {base[:12]}.")
        return self._commit(branch, tree, head, head, message, author)

    def push(self, branch: str) -> None:
        """Push the branch, never by force; nothing happens when the remote has it already."""
        _refuse_unsafe(branch)
        self._git("push", "--quiet", REMOTE, f"refs/heads/{branch}:refs/heads/{branch}")

    def delete_branch(self, branch: str) -> None:
        """Delete the branch in this clone, if it is there; the remote is not touched."""
        commit = self.branch_commit(branch)
        if commit is not None:
            self._git("update-ref", "-d", f"refs/heads/{branch}", commit)

    def _tree(self, base: str, files: Mapping[str, bytes]) -> str:
        """Write the tree of `base` with the files on top, in an index of our own."""
        with tempfile.TemporaryDirectory(prefix="rollback-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git("read-tree", base, extra=index)
            for name, content in sorted(files.items()):
                blob = self._git("hash-object", "-w", "--stdin", stdin=content).strip()
                self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{_clean_path(name)}", extra=index)
            return self._git("write-tree", extra=index).strip()

    def _commit(self, branch: str, tree: str, parent: str, old: str, message: str, author: str) -> str:
        _refuse_unsafe(branch)
        name = re.sub(r"[<>\n\0]", " ", author).strip() or "rollback-portal"
        people = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": EMAIL,
            "GIT_COMMITTER_NAME": "rollback-portal",
            "GIT_COMMITTER_EMAIL": EMAIL,
        }
        commit = self._git("commit-tree", tree, "-p", parent, stdin=message.encode(), extra=people).strip()
        # The old value makes this a compare-and-swap: two workers cannot both make the branch.
        self._git("update-ref", f"refs/heads/{branch}", commit, old)
        return commit

    def _git(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> str:
        return self._git_bytes(*arguments, stdin=stdin, extra=extra).decode("utf-8", errors="replace")

    def _git_bytes(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        command = ["git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-C", self.path, *arguments]
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, env=_environment(extra), timeout=TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise RepositoryError(
                f"git {arguments[0]} did not end within {TIMEOUT_SECONDS} s; check the remote."
            ) from error
        except OSError as error:
            raise RepositoryError(f"git could not be started: {error.strerror}.") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
            why = _without_password(said[-1]) if said else "it said nothing"
            raise RepositoryError(f"git {arguments[0]} failed: {why}.")
        return done.stdout


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Nobody's hooks, aliases or prompts: only what git and ssh need to find keys."""
    kept = ("PATH", "HOME", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_ASKPASS", "LANG")
    environ = {name: os.environ[name] for name in kept if name in os.environ}
    return {**environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", **(extra or {})}


def _clean_path(name: str) -> str:
    """Refuse a path that leaves the repository or reaches into .git."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or {"..", ".git"} & {part.lower() for part in path.parts}:
        raise RepositoryError(f"{name!r} is not a path inside the repository.")
    return str(path)


def _refuse_unsafe(ref: str) -> None:
    if not SAFE_REF.fullmatch(ref) or ".." in ref or ref.endswith((".lock", "/")):
        raise RepositoryError(f"{ref!r} is not a branch name that the portal uses.")


def _without_password(line: str) -> str:
    return re.sub(r"(\w+://)[^/@\s]+@", r"\1…@", line).rstrip(".")
