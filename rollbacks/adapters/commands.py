"""Running one of the project's own commands: clean environment, time limit, bounded output without secrets."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

from rollbacks.adapters.redaction import cleaned, secrets_of
from rollbacks.adapters.target import Credentials
from rollbacks.options import Options, command_name, command_words

CHILD = Path(__file__).with_name("command_child.py")
SHOWN_BYTES, KEPT_BYTES = 32 * 1024, 128 * 1024
# While a command runs its page shows for how long, and a lost lease is noticed.
BEAT_SECONDS = 2.0
PLACES = ("host", "port", "user", "password", "dbname")


class CannotRun(Exception):
    """A command cannot be run on this worker; the sentence says which and what is missing."""


@dataclass(frozen=True)
class Ended:
    """How a command ended. `code` is None when it was killed at its limit or did not run to its end for the reason in `why`."""

    command: tuple[str, ...]
    code: int | None
    late: bool
    why: str
    milliseconds: int
    output: str
    cut: bool

    @property
    def well(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.code == 0

    @property
    def words(self) -> str:
        """How it ended, as the end of a sentence."""
        if self.why:
            return self.why
        if self.late:
            return f"was ended at its limit after {self.milliseconds / 1000:.1f} s"
        if self.code is None:
            return "was ended before its time"
        how = f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        return f"ended with {how} after {self.milliseconds / 1000:.1f} s"

    def document(self) -> dict[str, Any]:
        """Return what the evidence shows of it."""
        return {
            "command": command_words(self.command), "exit_code": self.code, "ended_at_limit": self.late,
            "milliseconds": self.milliseconds, "output": self.output, "beginning_of_output_cut": self.cut,
        }  # fmt: skip


def refuse_unrunnable(options: Options, environ: Mapping[str, str]) -> None:
    """Raise CannotRun when a variable that a command is to see, or a program on the worker's PATH, is missing."""
    if not options.commands:
        return
    missing = [name for name in options.environment if name not in environ]
    if missing:
        raise CannotRun(
            f"The worker does not have the variable {missing[0]}, which the target's commands are to see; set it."
        )
    for command in options.commands.values():
        # What has a slash is a file of the checkout, which is not there yet.
        if "/" not in command[0] and shutil.which(command[0], path=environ.get("PATH", os.defpath)) is None:
            raise CannotRun(f"The program {command[0]} is not on the worker's PATH; install it or extend the PATH.")


def url_of(credentials: Credentials, *, application_name: str = "", settings: Mapping[str, str] | None = None) -> str:
    """Return the direct URL as the common drivers read it; it holds the password and belongs in an environment only."""
    given = dict(credentials.parameters)
    user = quote(given.get("user", ""), safe="")
    password = f":{quote(given['password'], safe='')}" if given.get("password") else ""
    host, port = given.get("host", ""), given.get("port", "")
    extra = {name: value for name, value in given.items() if name not in PLACES}
    if host.startswith("/"):
        # A socket's folder does not fit in front of the path.
        extra |= {"host": host} | ({"port": port} if port else {})
        place = ""
    else:
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    if application_name:
        extra["application_name"] = application_name
    if settings:
        extra["options"] = " ".join(f"-c {name}={value}" for name, value in settings.items())
    sign_in = f"{user}{password}@" if user else ""
    query = f"?{urlencode(extra, quote_via=quote, safe='/')}" if extra else ""
    return f"postgresql://{sign_in}{place}/{quote(given['dbname'], safe='')}{query}"


def run(
    command: Sequence[str],
    *,
    options: Options,
    folder: Path,
    environ: Mapping[str, str],
    heartbeat: Callable[[dict[str, Any]], None],
    url: str = "",
    told: Mapping[str, str] | None = None,
) -> Ended:
    """Run the command in the folder and return how it ended, once nothing that it started is alive any more.

    It sees PATH, the operator's variables, what it is `told` and, with `url`, DATABASE_URL; never another variable of
    the worker. Whatever
    `heartbeat` raises ends it and is raised on.
    """
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    environment = _environment(options, environ, home) | dict(told or {}) | ({"DATABASE_URL": url} if url else {})
    handed_on = [environ[name] for name in options.environment if name in environ]
    secrets = secrets_of({**environ, "DATABASE_URL": url}, also=handed_on)
    started = time.monotonic()
    given = {"arguments": list(command), "folder": str(folder), "environment": environment, "seconds": options.seconds}
    with subprocess.Popen(
        [sys.executable, "-I", str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={}, start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stdin and child.stdout and child.stderr  # noqa: S101  (they are pipes)
        try:
            child.stdin.write(json.dumps(given).encode() + b"\n")
            child.stdin.flush()
            said, cut = _read(child.stdout, lambda: heartbeat(
                {"command": command_name(command), "seconds": round(time.monotonic() - started)}
            ))  # fmt: skip
            answer = json.loads(
                child.stderr.read() or b'{"code": null, "late": false, "why": "was ended with its guard"}'
            )
        finally:
            # A closed input is the child's sign to end the command, also when the heartbeat has raised.
            with suppress(OSError):
                child.stdin.close()
    text = cleaned(said.decode("utf-8", errors="replace"), secrets)
    if cut:
        # The cut may have halved a secret, whose end then stands first and is not recognised.
        text = text[max(map(len, secrets), default=0) :]
    kept = text.encode()[-SHOWN_BYTES:].decode("utf-8", errors="ignore")
    return Ended(
        tuple(command), answer["code"], answer["late"], answer["why"], round((time.monotonic() - started) * 1000),
        kept.strip("\n"), cut or kept != text,
    )  # fmt: skip


def _environment(options: Options, environ: Mapping[str, str], home: Path) -> dict[str, str]:
    named = {name: environ[name] for name in options.environment if name in environ}
    return {
        **named,
        "PATH": environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LC_ALL": "C.UTF-8",
        "CI": "1",
        "NO_COLOR": "1",
    }


def _read(pipe: IO[bytes], beat: Callable[[], None]) -> tuple[bytes, bool]:
    """Read to the end and return the last part, and whether the beginning was cut off."""
    kept, cut = bytearray(), False
    due = time.monotonic()
    while True:
        if time.monotonic() >= due:
            beat()
            due = time.monotonic() + BEAT_SECONDS
        if not select.select([pipe], [], [], BEAT_SECONDS)[0]:
            continue
        chunk = os.read(pipe.fileno(), 65536)
        if not chunk:
            break
        kept += chunk
        if len(kept) > KEPT_BYTES * 2:
            cut = True
            del kept[:-KEPT_BYTES]
    return bytes(kept), cut
