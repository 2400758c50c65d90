"""Running git: nobody's prompts, hooks or variables, a time limit, and one sentence for each failure."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TIMEOUT_SECONDS = 120.0
SETTINGS = Path(__file__).with_name("gitconfig")
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


class Git:
    """git in one clone on this machine. With `signing_key`, the path of an SSH key, commits are signed with it."""

    def __init__(self, path: str | Path, *, timeout: float = TIMEOUT_SECONDS, signing_key: str = "") -> None:
        self.path = str(path)
        self.timeout = timeout
        self.signing_key = signing_key

    def ask(self, *arguments: str) -> str:
        """Return the answer of a question that git may answer with no; other failures are raised."""
        code, output, said = self.call(arguments)
        if code > 1:
            raise _refusal(arguments[0], said)
        return output.decode().strip()

    def git(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> str:
        """Return what git printed, as text without the white space around it; raises RepositoryError."""
        return self.run(*arguments, stdin=stdin, extra=extra).decode("utf-8", errors="replace").strip()

    def run(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        """Return the bytes that git printed; raises RepositoryError when it ends with anything but 0."""
        code, output, said = self.call(arguments, stdin=stdin, extra=extra)
        if code:
            raise _refusal(arguments[0], said)
        return output

    def call(
        self, arguments: tuple[str, ...], *, stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        """Return git's exit code, the bytes it printed and the text it complained with."""
        if not Path(self.path).is_dir():
            raise RepositoryError(
                f"There is no folder {self.path} on this worker; check the target's repository setting."
            )
        signing = ("gpg.format=ssh", f"user.signingkey={self.signing_key}") if self.signing_key else ()
        fixed = [word for setting in (*FIXED, *signing) for word in ("-c", setting)]
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


def _refusal(command: str, said: str) -> RepositoryError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote: error"))]
    why = _without_password((telling or lines or ["it said nothing"])[0])
    return RepositoryError(f"git {command} failed ({why}); check the repository and its remote.")


def _without_password(line: str) -> str:
    return re.sub(r"(\w+://)[^/@\s]+@", r"\1…@", line).rstrip(".")
