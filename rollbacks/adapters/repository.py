"""A target's git repository, by plumbing only: the working tree and its index are never touched."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePosixPath

TIMEOUT_SECONDS = 120.0
REMOTE = "origin"
NOTHING = "0" * 40
SETTINGS = Path(__file__).with_name("gitconfig")
SAFE_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
BROKEN_REF = re.compile(r"\.\.|//|/\.|\.lock(/|$)|[/.]$")
# A backslash is a separator elsewhere, and a control character hides in a listing.
UNSAFE_PATH = re.compile(r"[\x00-\x1f\x7f\\]")
EMAIL = "rollback-portal@localhost"
COMMITTER = "rollback-portal"
# Nothing that the repository's own settings could start or change: hooks, monitors, helpers of unknown transports.
FIXED = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "protocol.ext.allow=never",
    "gc.auto=0",
)
KEPT_VARIABLES = (
    "PATH", "HOME", "LANG", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_ASKPASS", "HTTPS_PROXY", "https_proxy",
    "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
)  # fmt: skip


class RepositoryError(Exception):
    """Git could not do what was asked; the sentence says what and why."""


class BranchTaken(RepositoryError):
    """The branch exists and holds something else; delete it in the repository, then start again."""


class Repository:
    """A clone on this machine, bare or not, with or without a remote named origin."""

    def __init__(self, path: str | Path, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self.path = str(path)
        self.timeout = timeout

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
        """Return the commit that the ref or commit id names; raises RepositoryError when there is none."""
        _refuse_unsafe(ref)
        found = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if not found:
            raise RepositoryError(f"The repository has no commit {ref.rsplit('/', 1)[-1]}; check the base branch.")
        return found

    def read_files(self, ref: str, folder: str) -> dict[str, bytes]:
        """Return every file below the folder (`.`: of the repository) at the ref, by its path relative to it.

        Symbolic links and submodules are left out; a folder that is not there gives no files.
        """
        root = "" if str(PurePosixPath(folder)) == "." else f"{_clean_path(folder)}/"
        listing = self._run("ls-tree", "-r", "-z", "--full-tree", self.head(ref), *([root] if root else []))
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
        for path in map(_clean_path, paths):
            line = self._git("ls-tree", "--full-tree", commit, path)
            mode, kind, blob = line.split("\t", 1)[0].split() if line else ("", "", "")
            if kind == "blob" and mode != "120000":
                return self._contents([blob])[0].decode("utf-8", errors="replace")
        return ""

    def branch_commit(self, branch: str) -> str | None:
        """Return the branch's commit in this clone, or None when there is no such branch."""
        _refuse_unsafe(branch)
        return self._ask("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") or None

    def remote_commit(self, branch: str) -> str | None:
        """Return the commit that the remote has for the branch, asked of the remote itself; None: no branch or remote."""
        _refuse_unsafe(branch)
        if not self.has_remote():
            return None
        found = self._git("ls-remote", REMOTE, f"refs/heads/{branch}").split()
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
        _refuse_unsafe(branch)
        try:
            self._git("push", "--quiet", REMOTE, f"refs/heads/{branch}:refs/heads/{branch}")
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
            self._git("update-ref", "-d", f"refs/heads/{branch}", commit)

    def _contents(self, blobs: list[str]) -> list[bytes]:
        """Read all blobs with one git, because a migrations folder has hundreds of files."""
        output, position, contents = self._run("cat-file", "--batch", stdin="\n".join(blobs).encode()), 0, []
        for _blob in blobs:
            line_end = output.index(b"\n", position)
            size = int(output[position:line_end].split()[2])
            contents.append(output[line_end + 1 : line_end + 1 + size])
            position = line_end + size + 2
        return contents

    def _tree(self, base: str, files: Mapping[str, bytes]) -> str:
        """Write the tree of `base` with the files on top, in an index of our own."""
        names = [_clean_path(name) for name in files]
        with tempfile.TemporaryDirectory(prefix="rollback-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git("read-tree", base, extra=index)
            for name, content in zip(names, files.values(), strict=True):
                blob = self._git("hash-object", "-w", "--stdin", stdin=content)
                # One by one: --index-info would replace a folder of that name without a word.
                self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", extra=index)
            return self._git("write-tree", extra=index)

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
        return self._git("commit-tree", "--no-gpg-sign", tree, "-p", parent, stdin=message.encode(), extra=people)

    def _move(self, branch: str, commit: str, old: str) -> None:
        """Move the branch if it still is where we saw it; the caller looks what it holds after two raced."""
        try:
            self._git("update-ref", f"refs/heads/{branch}", commit, old)
        except RepositoryError:
            if (self.branch_commit(branch) or NOTHING) == old:
                raise

    def _is_that(self, commit: str, tree: str, parent: str) -> bool:
        parents = self._git("rev-list", "--parents", "-n", "1", commit).split()[1:]
        return parents == [parent] and self._has_tree(commit, tree)

    def _has_tree(self, commit: str, tree: str) -> bool:
        return self._git("rev-parse", f"{commit}^{{tree}}") == tree

    def _ask(self, *arguments: str) -> str:
        """Return the answer of a question that git may answer with no; other failures are raised."""
        code, output, said = self._call(arguments)
        if code > 1:
            raise _refusal(arguments[0], said)
        return output.decode().strip()

    def _git(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> str:
        return self._run(*arguments, stdin=stdin, extra=extra).decode("utf-8", errors="replace").strip()

    def _run(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        code, output, said = self._call(arguments, stdin=stdin, extra=extra)
        if code:
            raise _refusal(arguments[0], said)
        return output

    def _call(
        self, arguments: tuple[str, ...], *, stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        if not Path(self.path).is_dir():
            raise RepositoryError(
                f"There is no folder {self.path} on this worker; check the target's repository setting."
            )
        fixed = [word for setting in FIXED for word in ("-c", setting)]
        command = ["git", *fixed, "-C", self.path, *arguments]
        try:
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=_environment(self.path, extra), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise RepositoryError(f"git could not be started: {error.strerror}; install it on the worker.") from error
        try:
            output, said = child.communicate(stdin, timeout=self.timeout)
        except subprocess.TimeoutExpired as error:
            raise RepositoryError(
                f"git {arguments[0]} did not end within {self.timeout:g} s; check that the remote answers."
            ) from error
        finally:
            _end(child)
        return child.returncode, output, said.decode("utf-8", errors="replace")


def _end(child: subprocess.Popen[bytes]) -> None:
    """End git and what it started: an ssh that was left behind would keep the pipes open for ever."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def _environment(path: str, extra: Mapping[str, str] | None) -> dict[str, str]:
    """Nobody's prompts, hooks or variables: only what git and ssh need to find programs, keys and addresses."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        **kept,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(SETTINGS),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        # A folder that is no repository must not be taken for a part of one that lies above it.
        "GIT_CEILING_DIRECTORIES": str(Path(path).resolve().parent),
        **(extra or {}),
    }


def _clean_path(name: str) -> str:
    """Refuse a path that leaves the repository, reaches into .git or cannot be read on a page."""
    path = PurePosixPath(name)
    parts = [part.lower() for part in path.parts]
    if path.is_absolute() or not parts or {"..", ".git"} & set(parts) or UNSAFE_PATH.search(name):
        raise RepositoryError(f"{name!r} is not a path inside the repository; check the target's settings.")
    return str(path)


def _refuse_unsafe(ref: str) -> None:
    if not SAFE_REF.fullmatch(ref) or BROKEN_REF.search(ref):
        raise RepositoryError(f"{ref!r} is not a branch name that the portal uses; choose letters, digits, - and /.")


def _person(author: str) -> tuple[str, str]:
    name, _, mail = author.partition("<")
    clean = [re.sub(r"[<>\x00-\x1f]", " ", text).strip() for text in (name, mail)]
    return clean[0] or COMMITTER, clean[1] or EMAIL


def _refusal(command: str, said: str) -> RepositoryError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote: error"))]
    why = _without_password((telling or lines or ["it said nothing"])[0])
    return RepositoryError(f"git {command} failed ({why}); check the repository and its remote.")


def _without_password(line: str) -> str:
    return re.sub(r"(\w+://)[^/@\s]+@", r"\1…@", line).rstrip(".")
