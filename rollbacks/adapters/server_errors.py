"""What a server said, as a sentence that may be kept and shown: without values of rows, and told apart where it matters."""

from __future__ import annotations

import re

import psycopg
from psycopg import errors

# Data exceptions repeat the value that did not fit; what a function raises may repeat anything.
DATA_EXCEPTION, RAISED = "22", "P0"
# From the first quotation mark to the last, because a value may hold some itself; servers quote in their own language.
QUOTED = re.compile(r"[\"'`„“”‘’«»‹›「」].*[\"'`„“”‘’«»‹›「」]", re.DOTALL)
BYTES = re.compile(r"0x[0-9a-fA-F]+(?: 0x[0-9a-fA-F]+)*")
# The frame that raised, without its arguments: PL/pgSQL function audit_guard() line 3 at RAISE.
FRAME = re.compile(r"^PL/pgSQL function (?P<where>[\w.\"]+\([^)]*\)|inline_code_block) line (?P<line>\d+) at RAISE")
# Signing in is refused before there is a session, so libpq passes on words and no code.
REJECTED = re.compile(
    r"password authentication failed|authentication failed|no pg_hba\.conf entry|role \"[^\"]*\" does not exist|"
    r"role \"[^\"]*\" is not permitted to log in|database \"[^\"]*\" does not exist|no password supplied|"
    r"permission denied for database|certificate verify failed|server does not support SSL|"
    r"does not match host name|SSL error|root certificate file",
    re.IGNORECASE,
)
# Another try of the whole transaction may succeed: a lock that was not granted, a deadlock, a concurrent change.
CONFLICTS = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)


def one_sentence(error: BaseException) -> str:
    """Return what went wrong as one line that ends with a full stop and repeats no value of a row (acceptance F31)."""
    line = " ".join(_said(error).split()) or type(error).__name__
    return line if line.endswith((".", "!", "?")) else f"{line}."


def rejected(error: psycopg.Error) -> bool:
    """Whether signing in was refused for a reason that trying again does not change (acceptance F09)."""
    return isinstance(error, psycopg.OperationalError) and REJECTED.search(str(error)) is not None


def _said(error: BaseException) -> str:
    if not isinstance(error, psycopg.Error) or not error.diag.message_primary:
        return str(error)
    code, said = error.diag.sqlstate or "", error.diag.message_primary
    if code.startswith(RAISED):
        return f"{_raised_by(error)} raised an exception; its text may hold values of rows, so it is in the server's log only"
    if code.startswith(DATA_EXCEPTION):
        return f"{BYTES.sub('0x…', QUOTED.sub('“…”', said))} (SQLSTATE {code})"
    return said


def _raised_by(error: psycopg.Error) -> str:
    frame = FRAME.match(error.diag.context or "")
    if frame is None:
        return "A function"
    where = "A DO block" if frame["where"] == "inline_code_block" else f"The function {frame['where']}"
    return f"{where} (line {frame['line']})"
