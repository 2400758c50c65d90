"""Taking SQL apart into statements with PostgreSQL's own grammar, behind this one module.

The parser (libpg_query through postgast, BSD) runs in a child process with limits of CPU, memory and size.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

MAX_BYTES = 1024 * 1024
MAX_STATEMENTS = 2_000
MAX_LINE = 100_000
BREAKPOINT = "--> statement-breakpoint"
GROUP_CHARACTERS = 200_000
KEPT_TEXTS = 500
KEPT_CHARACTERS = 2_000_000
WALL_SECONDS = 20
CHILD = Path(__file__).with_name("parser_child.py")
# libpq and the parser both stop at NUL without a word, so what is hashed would not be what runs.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
BLOCK = re.compile(r"\bDO\b", re.IGNORECASE)
PSQL_COMMAND = re.compile(r"^\s*\\(?:[A-Za-z!?]|\.)", re.MULTILINE)
DUMP_HEADER = "-- PostgreSQL database dump"
# What makes text look different from what runs: byte order marks, direction overrides, characters without width.
DECEIVING = re.compile("[\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff]")
# Each form also ends with the text, so that an open one is tried once and not from each of its characters.
QUOTED_TEXT = re.compile(
    r"--[^\n]*|/\*.*?(?:\*/|\Z)|(?<![\w$])\$(\w*)\$.*?(?:\$\1\$|\Z)|\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)|"
    # A quote that is doubled ends one and begins the next, which comes to the same.
    r"'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)",
    re.DOTALL,
)
WORD = re.compile(r'"((?:[^"]|"")+)"|([^\W\d][\w$]*)')
# PostgreSQL cuts longer names without a word, and then two names are one.
NAME_BYTES = 63
ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|(?i:\bpassword\s+'[^']+')"
)


class Unreadable(Exception):
    """The SQL cannot be taken apart into statements; the sentence says where and what to do."""


@dataclass(frozen=True)
class Statement:
    """One statement: its text without the semicolon, offsets in characters, its line, its kind and its tree.

    `kind` is the grammar's node in snake case, such as `drop_stmt`; `tree` is that node as JSON. `inside` is what a
    DO block holds, each with the block's own text and place, whether or not it runs; None when that cannot be told.
    """

    text: str
    start: int
    end: int
    line: int
    kind: str
    tree: Mapping[str, Any]
    inside: tuple[Statement, ...] | None = None


Taken = tuple[Statement, ...] | str


def read(sql: str) -> tuple[Statement, ...]:
    """Return the statements of the SQL in their order; comments between them belong to none.

    Raises Unreadable for control characters, psql commands, syntax errors, more than 1 MiB or
    2,000 statements, and whatever the parser cannot cope with.
    """
    return read_many([sql])[0]


def read_many(texts: Sequence[str]) -> list[tuple[Statement, ...]]:
    """Return what `read` returns for each text, with one child process for many: starting one takes 80 ms.

    Raises Unreadable for the first text that `read` would refuse; a text that the parser cannot cope with takes
    its whole group down, so that group is read one by one. What was read lately is not read again.
    """
    for text in texts:
        _refuse_unfit(text)
    known = {text: taken for text in texts if (taken := _READ.get(text)) is not None}
    for group in _groups([text for text in dict.fromkeys(texts) if text not in known]):
        known.update(zip(group, _read(group), strict=True))
    return [_statements(known[text]) for text in texts]


def _groups(texts: Sequence[str]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for text in texts:
        if group and size + len(text) > GROUP_CHARACTERS:
            yield group
            group, size = [], 0
        group.append(text)
        size += len(text)
    if group:
        yield group


def _refuse_unfit(sql: str) -> None:
    found = CONTROL.search(sql)
    if found:
        raise Unreadable(
            f"{_place(sql, found.start())} holds the control character U+{ord(found.group()):04X}; remove it."
        )
    if len(sql.encode()) > MAX_BYTES:
        raise Unreadable("The SQL is larger than 1 MiB; data belongs into a migration of its own, not into a rollback.")


def refuse_unreviewable(sql: str) -> None:
    """Refuse text that people cannot judge by reading it; for SQL that somebody wrote to be run.

    Forward SQL is not asked: it ran already, generated names are often longer than PostgreSQL keeps, and its rows
    hold any character. Raises Unreadable for whole dumps, hidden characters, secrets, names that are cut or look like others,
    and lines beyond 100,000 characters.
    """
    _refuse_unfit(sql)
    if DUMP_HEADER in sql:
        raise Unreadable(
            "This is a plain dump of pg_dump, not reverse SQL; write the statements that undo the migration."
        )
    found = DECEIVING.search(sql)
    if found:
        raise Unreadable(
            f"{_place(sql, found.start())} holds U+{ord(found.group()):04X}, which hides or reorders what people "
            "read; remove it."
        )
    found = SECRET.search(sql)
    if found:
        raise Unreadable(
            f"{_place(sql, found.start())} seems to hold a secret, and what is signed is kept for ever; remove it "
            "and change the secret."
        )
    for number, line in enumerate(sql.split("\n"), 1):
        if len(line) > MAX_LINE:
            raise Unreadable(f"Line {number} has {len(line):,} characters, which nobody can review; break it up.")
    _refuse_names(sql)


def breakpoint_conflicts(sql: str, statements: Sequence[Statement] | None = None) -> tuple[int, ...]:
    """Return the lines on which a statement-breakpoint marker stands inside a statement.

    Drizzle cuts a file at the literal marker wherever it stands, also within a string or a function's body.
    The statements are read from the text unless they are given.
    """
    spans = [(each.start, each.end) for each in (read(sql) if statements is None else statements)]
    marks = (found.start() for found in re.finditer(re.escape(BREAKPOINT), sql))
    return tuple(_line(sql, mark) for mark in marks if any(start < mark < end for start, end in spans))


def _refuse_names(sql: str) -> None:
    bare = QUOTED_TEXT.sub(_blank_unless_name, sql)
    for word in WORD.finditer(bare):
        name = word.group(1) or word.group(2)
        if len(name.encode()) > NAME_BYTES:
            raise Unreadable(
                f"{_place(sql, word.start())} has a name of {len(name.encode())} bytes and PostgreSQL keeps "
                f"{NAME_BYTES}; shorten it."
            )
        if name != name.strip():
            raise Unreadable(f"{_place(sql, word.start())} has a name with a space at its end; remove the space.")
        if len(_scripts(name)) > 1:
            raise Unreadable(
                f"{_place(sql, word.start())} has a name that mixes the letters of {' and '.join(_scripts(name))}, "
                "which look alike; write it in one script."
            )


def _blank_unless_name(found: re.Match[str]) -> str:
    return found.group() if found.group()[0] == '"' else re.sub(r"[^\n]", " ", found.group())


def _scripts(name: str) -> list[str]:
    """Return which of the scripts whose letters look alike a name is written in."""
    first = {unicodedata.name(letter, "").split(" ")[0] for letter in name if letter.isalpha()}
    return [script.title() for script in ALIKE if script in first]


class _Lately:
    """What was read lately, at most KEPT_TEXTS texts of KEPT_CHARACTERS altogether; any thread may ask.

    A draft is read when it is checked, judged, proven and shown, each time from the same text.
    """

    def __init__(self) -> None:
        self._taken: OrderedDict[str, Taken] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def get(self, text: str) -> Taken | None:
        with self._lock:
            if text in self._taken:
                self._taken.move_to_end(text)
            return self._taken.get(text)

    def keep(self, text: str, taken: Taken) -> None:
        with self._lock:
            if text in self._taken:
                return
            self._taken[text] = taken
            self._characters += len(text)
            while len(self._taken) > KEPT_TEXTS or self._characters > KEPT_CHARACTERS:
                oldest, _ = self._taken.popitem(last=False)
                self._characters -= len(oldest)


_READ = _Lately()


def _read(group: Sequence[str]) -> list[Taken]:
    """Ask a child about the texts together, or about each alone when that fails; only answers are kept."""
    try:
        answers = _ask_child(group)
    except Unreadable:
        if len(group) > 1:
            return [taken for text in group for taken in _read([text])]
        if not BLOCK.search(group[0]):
            raise
        # PL/pgSQL's parser is another one, and what it cannot cope with is no reason to refuse the SQL around it.
        answers = _ask_child(group, "--outside")
    found = [_taken_apart(text, answer) for text, answer in zip(group, answers, strict=True)]
    for text, taken in zip(group, found, strict=True):
        _READ.keep(text, taken)
    return found


def _taken_apart(sql: str, answer: Mapping[str, Any]) -> Taken:
    """Return the statements, or the sentence that says why these are none."""
    if "error" in answer:
        return _syntax_sentence(sql, answer)
    raw = answer["statements"]
    if len(raw) > MAX_STATEMENTS:
        return f"The SQL has {len(raw)} statements; more than 2,000 cannot be reviewed, split the rollback."
    encoded = sql.encode()
    return tuple(_statement(sql, encoded, each) for each in raw)


def _statements(taken: Taken) -> tuple[Statement, ...]:
    if isinstance(taken, str):
        raise Unreadable(taken)
    return taken


def _ask_child(texts: Sequence[str], *options: str) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(CHILD), *options],
            input=json.dumps(list(texts)).encode(),
            capture_output=True,
            timeout=WALL_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            answers: list[dict[str, Any]] = json.loads(done.stdout)
            return answers
    except (subprocess.TimeoutExpired, ValueError):
        pass
    raise Unreadable("The SQL cannot be analysed: the parser gave up on it. Make it simpler.")


def _statement(sql: str, encoded: bytes, raw: Mapping[str, Any]) -> Statement:
    first = raw.get("stmt_location", 0)
    length = raw.get("stmt_len", len(encoded))
    text = encoded[first : first + length].decode().rstrip()
    start = len(encoded[:first].decode())
    kind, tree = next(iter(raw["stmt"].items()))
    found = Statement(text, start, start + len(text), _line(sql, start), kind, tree)
    if raw.get("inside") is None:
        return found
    held = [next(iter(each.items())) for each in raw["inside"]]
    return replace(found, inside=tuple(replace(found, kind=kind, tree=tree) for kind, tree in held))


def _syntax_sentence(sql: str, answer: Mapping[str, Any]) -> str:
    command = PSQL_COMMAND.search(sql)
    if command:
        line = _line(sql, command.end())
        return f"Line {line} holds a psql command; reverse SQL goes to the server, which knows none. Remove it."
    return f"Line {answer['line']} is not SQL that PostgreSQL understands: {answer['error']}."


def _line(sql: str, position: int) -> int:
    return sql.count("\n", 0, position) + 1


def _place(sql: str, position: int) -> str:
    """Return the line and the byte, counted from 0, as an editor or a hex viewer shows it."""
    offset = len(sql[:position].encode("utf-8", "surrogatepass"))
    return f"Line {_line(sql, position)} (byte {offset})"
