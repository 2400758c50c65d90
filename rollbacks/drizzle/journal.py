"""Reading a migrations folder of Drizzle Kit 0.x: journal, SQL files and snapshots; and adding one journal entry.

Source: drizzle-kit 0.31.11 and drizzle-orm 0.45.4, read and tried.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

BREAKPOINT = "--> statement-breakpoint"
JOURNAL = "meta/_journal.json"
LINE_0, LINE_1 = "0.x", "1.0"
ORIGIN = "00000000-0000-0000-0000-000000000000"
SNAPSHOT_SUFFIX = "_snapshot.json"
# How each kind of prefix looks at the start of a tag. With `none` drizzle-kit still writes the underscore.
PREFIXES = {
    "index": re.compile(r"\d{4,6}_"),
    "timestamp": re.compile(r"\d{14}_"),
    "supabase": re.compile(r"\d{14}_"),
    "unix": re.compile(r"\d{9,11}_"),
    "none": re.compile(r"_"),
}
DECODER = json.JSONDecoder()
SPACE = re.compile(r"[ \t\r\n]*")


class JournalUnreadable(Exception):
    """The migrations folder has no journal that Drizzle could read; the sentence says what is wrong."""


@dataclass(frozen=True)
class Layout:
    """What drizzle.config.ts says: folder (relative to the repository), prefix kind, ledger schema and table."""

    out: str
    prefix: str = "index"
    ledger_schema: str = "drizzle"
    ledger_table: str = "__drizzle_migrations"


@dataclass(frozen=True)
class Migration:
    """One journal entry with its file; `sql` and `sha256` are None when the file is missing. `when` is in ms."""

    idx: int
    version: str
    when: int
    tag: str
    breakpoints: bool
    sql: str | None
    sha256: str | None
    valid_utf8: bool = True

    @property
    def snapshot_name(self) -> str:
        """The name that drizzle-kit gives this entry's snapshot: what stands before the tag's first underscore."""
        return self.tag.split("_", 1)[0] + SNAPSHOT_SUFFIX


@dataclass(frozen=True)
class Folder:
    """A migrations folder: entries in execution order, the journal's own text, and every file of meta/."""

    version: str
    dialect: str
    journal_text: str
    migrations: tuple[Migration, ...]
    # By file name; None for what is not a JSON object. Drizzle reads every file that has no leading "_".
    # In the 1.0 line by the name of the migration's folder.
    snapshots: Mapping[str, dict[str, Any] | None] = field(default_factory=dict)
    line: str = LINE_0

    def by_tag(self, tag: str) -> Migration:
        """Return the entry with this tag; raises KeyError."""
        for migration in self.migrations:
            if migration.tag == tag:
                return migration
        raise KeyError(tag)

    def newest_snapshot(self) -> tuple[str, dict[str, Any]] | None:
        """Return the last snapshot by name: what `drizzle-kit generate` takes as its baseline."""
        return self.last_snapshot_until(None)

    def snapshot_in_force(self, tag: str) -> tuple[str, dict[str, Any]] | None:
        """Return the snapshot of the state after this entry: its own, or the last one by name before it."""
        return self.last_snapshot_until(self.by_tag(tag).snapshot_name)

    def last_snapshot_until(self, name: str | None) -> tuple[str, dict[str, Any]] | None:
        """Return the last readable snapshot by name that does not sort after `name` (None: of all)."""
        readable = {key: content for key, content in self.snapshots.items() if content is not None}
        names = [key for key in readable if name is None or key <= name]
        return (max(names), readable[max(names)]) if names else None


class Number(float):
    """A number of a snapshot with the text it was written in, because 1e-7 and 1e-07 are the same float."""

    text: str

    def __new__(cls, text: str) -> Number:
        """Keep the text beside the value."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def read_folder(files: Mapping[str, bytes]) -> Folder:
    """Read the files of a migrations folder, named relative to it.

    Raises JournalUnreadable when there is no journal, or when it is not of Drizzle's shape.
    """
    if JOURNAL not in files:
        raise JournalUnreadable(_no_journal(files))
    try:
        text = files[JOURNAL].decode("utf-8")
        journal = _parse(text)
        migrations = tuple(_migration(entry, files) for entry in journal["entries"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise JournalUnreadable(
            f"{JOURNAL} is not a journal that Drizzle wrote ({type(error).__name__}); restore it from the repository."
        ) from error
    return Folder(
        version=str(journal.get("version", "")),
        dialect=str(journal.get("dialect", "")),
        journal_text=text,
        migrations=migrations,
        snapshots=_snapshots(files),
    )


def pieces(sql: str) -> list[str]:
    """Split a migration as Drizzle does: on the literal breakpoint, wherever it stands."""
    return sql.split(BREAKPOINT)


def file_hash(content: bytes) -> str:
    """Return the hash that migrate() writes to the ledger: SHA-256 of the text decoded and encoded again."""
    return hashlib.sha256(content.decode("utf-8", errors="replace").encode()).hexdigest()


def write_prefix(kind: str, *, idx: int, when: int) -> str:
    """Return the prefix that drizzle-kit would give: four digits, UTC time to the second, Unix seconds, or none."""
    moment = datetime.fromtimestamp(when // 1000, UTC)
    written = {
        "index": f"{idx:04d}",
        "timestamp": f"{moment:%Y%m%d%H%M%S}",
        "supabase": f"{moment:%Y%m%d%H%M%S}",
        "unix": str(when // 1000),
        "none": "",
    }
    return written[kind]


def stringify(value: Any) -> str:
    """Return what JSON.stringify(value, null, 2) returns, so that diffs show only what changed."""
    return _json(value, "\n")


def append_entry(journal_text: str, entry: Mapping[str, Any]) -> str:
    """Return the journal with the entry added last, in the layout of the entries before it.

    Every character that was there stays; a journal that drizzle-kit wrote becomes exactly what drizzle-kit
    would have written. Raises ValueError when the text has no array of entries.
    """
    start, spans, end = _entries(journal_text)
    if not spans:
        compact = "\n" not in journal_text
        added = _json(entry, None) if compact else f"\n    {_json(entry, chr(10) + ' ' * 4)}\n  "
        return journal_text[: start + 1] + added + journal_text[end:]
    first, last = spans[-1]
    before = spans[-2][1] if len(spans) > 1 else start + 1
    gap = (
        journal_text[before:first].lstrip(" \t\r\n").removeprefix(",") if len(spans) > 1 else journal_text[before:first]
    )
    added = _like(journal_text[first:last], entry)
    return f"{journal_text[:last]},{gap}{added}{journal_text[last:]}"


def _entries(text: str) -> tuple[int, list[tuple[int, int]], int]:
    """Return where the array of entries opens, the span of each entry, and where the array closes."""
    found: tuple[int, list[tuple[int, int]], int] | None = None
    position = _skip(text, 0) + 1
    while text[_skip(text, position)] == '"':
        key, position = DECODER.raw_decode(text, _skip(text, position))
        position = _skip(text, _skip(text, position) + 1)
        start = position
        if key == "entries" and text[start] == "[":
            spans, position = _elements(text, start)
            found = (start, spans, position - 1)
        else:
            _value, position = DECODER.raw_decode(text, start)
        position = _skip(text, position)
        position += text[position] == ","
    if found is None:
        raise ValueError("The journal has no entries.")
    return found


def _elements(text: str, start: int) -> tuple[list[tuple[int, int]], int]:
    spans: list[tuple[int, int]] = []
    position = _skip(text, start + 1)
    while text[position] != "]":
        _value, end = DECODER.raw_decode(text, position)
        spans.append((position, end))
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return spans, position + 1


def _like(model: str, entry: Mapping[str, Any]) -> str:
    """Write the entry with the line breaks, indentation and spacing of the model."""
    opening = re.match(r"\{([ \t\r\n]*)", model)
    closing = re.search(r"([ \t\r\n]*)\}$", model)
    inner, outer = opening.group(1) if opening else "", closing.group(1) if closing else ""
    colon = ": " if re.search(r'"idx"[ \t]*:[ \t\r\n]', model) else ":"
    comma = f",{inner}" if "\n" in inner else ", " if re.search(r",[ \t]", model) else ","
    members = comma.join(f"{_json(key, None)}{colon}{_json(value, None)}" for key, value in entry.items())
    return f"{{{inner}{members}{outer}}}"


def _json(value: Any, line: str | None) -> str:
    """Write JSON as JavaScript does; `line` is the line break with the present indentation, None for one line."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        colon = ":" if line is None else ": "
        members = [f"{_string(key)}{colon}{_json(each, line and line + '  ')}" for key, each in value.items()]
        return _bracketed("{", members, "}", line)
    if isinstance(value, list | tuple):
        return _bracketed("[", [_json(each, line and line + "  ") for each in value], "]", line)
    return json.dumps(value, allow_nan=False)


def _bracketed(opening: str, members: list[str], closing: str, line: str | None) -> str:
    if line is None or not members:
        return opening + ",".join(members) + closing
    return f"{opening}{line}  {f',{line}  '.join(members)}{line}{closing}"


def _string(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    # JavaScript escapes half of a surrogate pair, which UTF-8 cannot hold.
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found.group()):04x}", written)


def _parse(text: str) -> Any:
    return json.loads(text, parse_float=Number, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _skip(text: str, position: int) -> int:
    found = SPACE.match(text, position)
    return found.end() if found else position


def _migration(entry: Mapping[str, Any], files: Mapping[str, bytes]) -> Migration:
    if type(entry["idx"]) is not int or type(entry["when"]) is not int or not isinstance(entry["tag"], str):
        raise TypeError("idx and when are whole numbers and tag is text")
    content = files.get(f"{entry['tag']}.sql")
    return Migration(
        idx=entry["idx"],
        version=str(entry.get("version", "")),
        when=entry["when"],
        tag=entry["tag"],
        breakpoints=bool(entry.get("breakpoints", True)),
        sql=None if content is None else content.decode("utf-8", errors="replace"),
        sha256=None if content is None else file_hash(content),
        valid_utf8=content is None or is_utf8(content),
    )


def _snapshots(files: Mapping[str, bytes]) -> dict[str, dict[str, Any] | None]:
    found: dict[str, dict[str, Any] | None] = {}
    for path, content in files.items():
        folder, _, name = path.partition("/")
        if folder != "meta" or name.startswith("_"):
            continue
        # A folder inside meta/ is opened like a snapshot too, so it is named here to be refused.
        inner, slash, _rest = name.partition("/")
        found[inner + slash] = None if slash else read_snapshot(content)
    return dict(sorted(found.items()))


def read_snapshot(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a snapshot, None for what is none; numbers keep the text they were written in."""
    try:
        value = _parse(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def is_utf8(content: bytes) -> bool:
    """Tell whether the bytes are valid UTF-8, which Drizzle does not ask."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _no_journal(files: Mapping[str, bytes]) -> str:
    if not files:
        return "The migrations folder is empty or does not exist at the base branch; check the target's out setting."
    return f"The migrations folder has no {JOURNAL}; check the target's out setting."
