"""Text shown so that nothing in it can hide: SQL with numbered lines, differences, and marked invisible characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from pygments.lexers.sql import PostgresLexer
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    _TokenType,
)

# Longer SQL is shown without colours: colouring must never decide how long a page takes.
COLOURED_LENGTH = 200_000

# Control, bidirectional, zero-width and tag characters, fillers that look like nothing, and spaces that are no space.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]|[\ud800-\udfff]"
)

# From the most special token type to its CSS class; what is not listed is plain.
CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "sql-c"),
    (Name.Builtin, "sql-t"),
    (Keyword.Type, "sql-t"),
    (Keyword, "sql-k"),
    (Number, "sql-n"),
    (String.Name, ""),
    (String, "sql-s"),
    (Literal, "sql-s"),
    (Operator, "sql-o"),
    (Punctuation, "sql-o"),
    (Error, "sql-e"),
)


def show_invisible(text: str) -> SafeString:
    """Return the text escaped for HTML, each invisible character replaced by its marked code point."""
    parts, end = [], 0
    for found in INVISIBLE.finditer(text):
        parts += [escape(text[end : found.start()]), _mark(found.group())]
        end = found.end()
    return mark_safe("".join([*parts, escape(text[end:])]))  # noqa: S308  # every part is escaped above


def spell_invisible(text: str) -> str:
    """Return the text with each invisible character as its code point, for attributes; not escaped."""
    return INVISIBLE.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", text)


def show_breakable(text: str) -> SafeString:
    """Return the same, with a place to break after each _, / and . of a long name."""
    parts = (show_invisible(part) for part in re.split(r"(?<=[_/.])", text))
    return mark_safe("<wbr>".join(parts))  # noqa: S308  # show_invisible escapes


def sql_lines(text: str, *, anchor: str = "", start: int = 1) -> SafeString:
    """Return SQL as numbered lines, coloured by class names; line N has the id `anchor-LN` when anchor is given.

    The characters of the source are all there and in their order. Only a carriage return that belongs to a line
    end is left out, so that files written on Windows stay readable.
    """
    return _numbered(_coloured_lines(text.replace("\r\n", "\n")), anchor, start)


def diff_lines(text: str) -> SafeString:
    """Return a unified difference as one element per line, classed as added, removed, place or unchanged."""
    return mark_safe("".join(_diff_line(line) for line in text.splitlines()))  # noqa: S308  # escaped per line


def _mark(character: str) -> str:
    code = f"U+{ord(character):04X}"
    title = escape(_("Invisible character %(code)s") % {"code": code})
    return f'<span class="invisible-character" title="{title}">⟨{code}⟩</span>'


def _coloured_lines(text: str) -> Iterator[str]:
    line: list[str] = []
    for css, value in _tokens(text):
        first, *others = value.split("\n")
        line.append(_span(css, first))
        for other in others:
            yield "".join(line)
            line = [_span(css, other)]
    if any(line):
        yield "".join(line)


def _tokens(text: str) -> Iterable[tuple[str, str]]:
    if len(text) > COLOURED_LENGTH:
        return [("", text)]
    # get_tokens() would change line ends, tabs and trailing lines; what is signed must be shown as it is.
    lexer: Any = PostgresLexer()  # its stubs leave this method untyped
    return ((_class_of(kind), value) for _at, kind, value in lexer.get_tokens_unprocessed(text))


def _class_of(kind: Any) -> str:
    return next((css for known, css in CLASSES if kind in known), "")


def _span(css: str, text: str) -> str:
    if not text:
        return ""
    shown = show_invisible(text)
    return f'<span class="{css}">{shown}</span>' if css else shown


def _numbered(lines: Iterable[str], anchor: str, start: int) -> SafeString:
    rows = []
    for number, line in enumerate(lines, start):
        place = f"{escape(anchor)}-L{number}"
        name = f' id="{place}"' if anchor else ""
        # The number is drawn from data-line by the style sheet, so that selecting and copying takes the SQL alone.
        tag = f'<a class="line-number" href="#{place}"' if anchor else '<span class="line-number"'
        close = "</a>" if anchor else "</span>"
        label = escape(_("Line %(number)s") % {"number": number})
        rows.append(f'<span class="line"{name}>{tag} data-line="{number}" aria-label="{label}">{close}{line}\n</span>')
    return mark_safe("".join(rows))  # noqa: S308  # tokens and anchor are escaped


def _diff_line(line: str) -> str:
    heads = (("+++", "place"), ("---", "place"), ("@@", "place"), ("+", "added"), ("-", "removed"))
    kind = next((name for head, name in heads if line.startswith(head)), "same")
    return f'<span class="line diff-{kind}">{show_invisible(line)}\n</span>'
