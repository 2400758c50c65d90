"""Evidence of a step, whatever its shape, taken apart into rows that components/evidence.html can show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from portal.templatetags.units import NOTHING, read_moment
from portal.templatetags.visible_text import spell_invisible

DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
OWN_KEY = re.compile(r"[a-z][a-z0-9_]*")
SHORT_LIST = 6
# Sentences in a list are not read with commas between them.
LONG_TEXT = 60

# Keys whose name alone would not tell a reader what the value is.
LABELS: dict[str, str | Promise] = {
    "sha256": gettext_lazy("SHA-256"),
    "pg_dump": gettext_lazy("pg_dump version"),
    "facts": gettext_lazy("Catalog facts"),
    "facts_before": gettext_lazy("Catalog before"),
    "facts_after": gettext_lazy("Catalog after"),
    "facts_digest": gettext_lazy("Catalog digest"),
    "xid": gettext_lazy("Transaction"),
    "backend_pid": gettext_lazy("Server process"),
    "idx": gettext_lazy("Journal index"),
    "when": gettext_lazy("Journal time"),
    "milliseconds": gettext_lazy("Duration"),
    "bytes": gettext_lazy("Size"),
    "encrypted_to": gettext_lazy("Encrypted to"),
    "plain_sha256": gettext_lazy("SHA-256 of the dump"),
    "plain_bytes": gettext_lazy("Size of the dump"),
    "database_bytes": gettext_lazy("Size of the database"),
    "equal": gettext_lazy("Catalog as expected"),
    "catalog_equal": gettext_lazy("Catalog as expected"),
    "known_by": gettext_lazy("Commit known by"),
    "exit_code": gettext_lazy("Exit code"),
    "not_promised": gettext_lazy("What was not promised"),
    "drift": gettext_lazy("Differences before the rollback"),
}


@dataclass(frozen=True)
class Line:
    """One labelled value and how to show it."""

    label: str
    kind: str  # text, digest, when, duration, bytes, yes, no, list, sql, output, table or lines
    value: Any
    many: bool = False


@dataclass(frozen=True)
class Table:
    """A list of mappings with their common columns."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


def evidence_lines(evidence: Mapping[str, Any]) -> tuple[Line, ...]:
    """Return the evidence in its own order, short values first and tables and lists after them."""
    lines = [_line(key, value) for key, value in evidence.items() if value not in (None, "", [], {})]
    return tuple(sorted(lines, key=lambda line: line.many))


def _label(key: str) -> str:
    known = LABELS.get(key)
    if known:
        return str(known)
    # Names of the database (public.claims) are shown as they are; our own keys become words.
    return (key[:1].upper() + key[1:]).replace("_", " ") if OWN_KEY.fullmatch(key) else spell_invisible(key)


def _line(key: str, value: Any) -> Line:
    label = _label(key)
    if isinstance(value, bool):
        return Line(label, "yes" if value else "no", value)
    if isinstance(value, int | float):
        return _number(key, label, value)
    if isinstance(value, Mapping):
        return Line(label, "lines", evidence_lines(value), many=True)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _sequence(label, value)
    return _text(key, label, str(value))


def _number(key: str, label: str, value: float) -> Line:
    if key == "bytes" or key.endswith("_bytes"):
        return Line(label, "bytes", value)
    if key == "milliseconds" or key.endswith(("_milliseconds", "_timeout")):
        return Line(label, "duration", value / 1000)
    if key == "seconds" or key.endswith("_seconds"):
        return Line(label, "duration", value)
    return Line(label, "text", value)


def _text(key: str, label: str, value: str) -> Line:
    if DIGEST.fullmatch(value):
        return Line(label, "digest", value)
    if MOMENT.match(value) and read_moment(value):
        return Line(label, "when", value)
    if key in {"output", "command"} and ("\n" in value or key == "output"):
        return Line(label, "output", value, many=True)
    if key in {"sql", "statement"} or "\n" in value:
        return Line(label, "sql", value, many=True)
    return Line(label, "text", value)


def _sequence(label: str, values: Sequence[Any]) -> Line:
    if all(isinstance(each, Mapping) for each in values):
        return Line(label, "table", _table(values), many=True)
    return Line(
        label,
        "list",
        [str(each) for each in values],
        many=len(values) > SHORT_LIST or any(len(str(each)) > LONG_TEXT for each in values),
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    cells = tuple(tuple(_cell(key, row.get(key)) for key in keys) for row in rows)
    return Table(tuple(_label(key) for key in keys), cells)


def _cell(key: str, value: Any) -> Line:
    return Line(_label(key), "text", NOTHING) if value is None else _line(key, value)
