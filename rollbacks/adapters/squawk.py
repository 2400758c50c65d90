"""A second opinion on reverse SQL by squawk, a linter of migrations with a grammar and rules of its own.

It passes code blocks, COPY to a program and psql commands without a word, so what it says is shown beside what
rollbacks.reversal.assess found and never allows or refuses anything.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VARIABLE = "SQUAWK"
WALL_SECONDS = 10.0
MOST_BYTES = 4 * 1024 * 1024
SHOWN = 200
# A comment with this word switches rules off, which would let the author of the SQL silence the second opinion.
SILENCER, SILENCER_BROKEN = "squawk-ignore", "squawk ignore"
UNREADABLE = "syntax-error"

WE_SET_IT = "the portal sets both limits before the first statement"
IN_ONE_TRANSACTION = (
    "it asks for CONCURRENTLY, which no transaction can hold; the lock is in the proof as it was measured"
)
AS_IT_WAS = "the type or object has to come back as it was at the return point, and the proof compares it"
LEFT_OUT = {
    "require-lock-timeout": WE_SET_IT,
    "require-statement-timeout": WE_SET_IT,
    "require-timeout-settings": WE_SET_IT,
    "require-concurrent-index-creation": IN_ONE_TRANSACTION,
    "require-concurrent-index-deletion": IN_ONE_TRANSACTION,
    "require-concurrent-partition-detach": IN_ONE_TRANSACTION,
    "require-concurrent-reindex": IN_ONE_TRANSACTION,
    "ban-concurrent-index-creation-in-transaction": "what asks for CONCURRENTLY runs outside the transaction",
    "prefer-robust-stmts": "all or nothing happens, so nothing is run again from its middle",
    "prefer-bigint-over-int": AS_IT_WAS,
    "prefer-bigint-over-smallint": AS_IT_WAS,
    "prefer-identity": AS_IT_WAS,
    "prefer-text-field": AS_IT_WAS,
    "prefer-timestamp-tz": AS_IT_WAS,
    "ban-char-field": AS_IT_WAS,
    "ban-create-domain-with-constraint": AS_IT_WAS,
    "ban-alter-domain-with-add-constraint": AS_IT_WAS,
}
"""Rules that are noise for reverse SQL in one signed transaction, with the reason of each."""


@dataclass(frozen=True)
class Finding:
    """What squawk says of a line of the SQL (counted from 1): its rule, `warning` or `error`, and its sentence.

    Its advice is not kept: it speaks of forward migrations and would change what the proof compares.
    """

    line: int
    rule: str
    level: str
    sentence: str


@dataclass(frozen=True)
class Opinion:
    """What squawk says, and one sentence when it could not say anything or not all is kept (empty otherwise)."""

    findings: tuple[Finding, ...] = ()
    missing: str = ""

    def document(self) -> dict[str, Any]:
        """Return the opinion as JSON values."""
        return {
            "second_opinion": [vars(each) for each in self.findings],
            "no_second_opinion": self.missing,
        }


def second_opinion(sql: str, *, major: int | None, environ: Mapping[str, str]) -> Opinion:
    """Return what squawk says of SQL that PostgreSQL's own parser has read, for a server of this major version.

    Raises nothing: a program that is missing, ends badly, takes longer than 10 s, answers with more than 4 MiB or with
    anything but findings, or cannot read the SQL gives an Opinion whose `missing` says so. At most 200 findings are kept.
    """
    program = Path(environ.get(VARIABLE) or Path(sysconfig.get_path("scripts")) / "squawk")
    arguments = [
        str(program), "--reporter", "json", "--stdin-filepath", "reverse.sql", "--assume-in-transaction",
        *(("--pg-version", str(major)) if major else ()),
    ]  # fmt: skip
    try:
        findings = _findings(_answer(arguments, sql.replace(SILENCER, SILENCER_BROKEN)))
    except _NoAnswer as error:
        return Opinion((), f"no second opinion: {error}")
    return _opinion(findings)


class _NoAnswer(Exception):
    """Why squawk has no opinion, as the end of a sentence."""


def _opinion(findings: Sequence[Finding]) -> Opinion:
    # What it says of SQL that it could not read to its end is guesswork.
    unread = next((each.line for each in findings if each.rule == UNREADABLE), None)
    if unread is not None:
        return Opinion((), f"no second opinion: squawk cannot read line {unread}, which PostgreSQL can.")
    kept = [each for each in findings if each.rule not in LEFT_OUT]
    missing = ""
    if len(kept) > SHOWN:
        missing = f"no second opinion on all of it: squawk has {len(kept)} findings and the first {SHOWN} are kept."
    return Opinion(tuple(kept[:SHOWN]), missing)


def _answer(arguments: Sequence[str], sql: str) -> bytes:
    """Run squawk within its limits and return what it printed; raises _NoAnswer."""
    # A file and not a pipe: a program that does not read what it is given must not make us wait.
    with tempfile.TemporaryFile() as source:
        source.write(sql.encode())
        source.seek(0)
        try:
            # The root folder, because squawk obeys a .squawk.toml of the folder it is started in.
            child = subprocess.Popen(
                arguments, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise _NoAnswer(f"squawk cannot be started ({why}); install the portal's requirements.") from error
    with child, _ended_after(child, WALL_SECONDS) as late:
        assert child.stdout is not None  # noqa: S101  (it is a pipe)
        said = child.stdout.read(MOST_BYTES + 1)
        if len(said) > MOST_BYTES:
            _end(child)
            raise _NoAnswer(f"squawk said more than {MOST_BYTES // 1024 // 1024} MiB.")
        code = child.wait()
    if late.is_set():
        raise _NoAnswer(f"squawk took longer than {WALL_SECONDS:g} s.")
    # Any finding makes it 1, and so does what it cannot read; the answer tells the two apart.
    if code not in (0, 1):
        raise _NoAnswer(f"squawk ended with {signal.Signals(-code).name if code < 0 else f'exit code {code}'}.")
    return said


@contextmanager
def _ended_after(child: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
    """End the child when it takes longer; the event says that this happened."""
    late = threading.Event()

    def end() -> None:
        late.set()
        _end(child)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child, unless it was waited for, with whatever it started, which could keep its output open."""
    if child.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _findings(answer: bytes) -> list[Finding]:
    """Read the answer; raises _NoAnswer when it is anything but a list of findings."""
    try:
        return [
            Finding(
                int(each["line"]) + 1, str(each["rule_name"]), str(each["level"]).lower(), " ".join(each["message"].split())
            )
            for each in json.loads(answer)
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _NoAnswer("squawk's answer cannot be read.") from error
