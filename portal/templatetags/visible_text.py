"""Text shown so that nothing in it can hide: SQL with numbered lines, differences, and marked invisible characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
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

# Letters that look like these ASCII ones and are none; full-width and mathematical letters are found by rule. A word
# is marked only where all of it could be read as ASCII, so that other languages stay readable.
LOOKALIKES = {
    twin: letter
    for letter, twins in {
        "a": "аαɑ", "A": "АΑ", "B": "ВΒ", "c": "с", "C": "С", "d": "ԁ", "e": "е", "E": "ЕΕ", "g": "ɡց", "h": "һհ",
        "H": "НΗ", "i": "іıɩ", "I": "ІΙ", "j": "ј", "J": "Ј", "K": "КΚ", "l": "ӏ", "M": "МΜ", "n": "ո", "N": "Ν",
        "o": "оοօ", "O": "ОΟՕ", "p": "рρ", "P": "РΡ", "q": "ԛ", "s": "ѕ", "S": "Ѕ", "T": "ТΤ", "u": "սυ", "v": "νѵʋ",
        "w": "ԝ", "x": "х", "X": "ХΧ", "y": "уγ", "Y": "УΥ", "Z": "Ζ",
    }.items()
    for twin in twins
}  # fmt: skip
# What looks like a sign that means something in SQL. Only SQL marks it: in sentences such signs are good typography.
SQL_SIGNS = {
    twin: sign
    for sign, twins in {
        "'": "‘’‚‛′ʹʼˈ＇ꞌ", '"': "“”„″＂", "-": "‐‑‒–—−－", "*": "∗⁎＊", ";": "；\u037e", ",": "，", "/": "⁄∕／",
        "(": "（", ")": "）",
    }.items()
    for twin in twins
}  # fmt: skip
WORD = re.compile(r"\w+")

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


def show_invisible(text: str, *, signs: bool = False) -> SafeString:
    """Return the text escaped for HTML, with what could mislead marked by its code point.

    An invisible character is replaced by its mark. A letter in a word that could be read as ASCII stands before
    its mark, and so does, with `signs`, a sign that looks like one of SQL.
    """
    return mark_safe(_marked(text, _marks(text, signs)))  # noqa: S308  # _marked escapes


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


def plain_lines(text: str) -> SafeString:
    """Return a text as one element per line, without numbers or colours."""
    lines = (f'<span class="line">{show_invisible(line)}</span>' for line in text.split("\n"))
    return mark_safe("".join(lines))  # noqa: S308  # escaped per line


def diff_lines(text: str) -> SafeString:
    """Return a unified difference as one element per line, classed as added, removed, place or unchanged."""
    return mark_safe("".join(_diff_line(line) for line in text.splitlines()))  # noqa: S308  # escaped per line


def _marks(text: str, signs: bool) -> dict[int, str]:
    """Return what stands in the place of each character that could mislead, by its position."""
    marks = {}
    if not text.isascii():
        marks = {at: _mark_lookalike(text[at], twin) for at, twin in _lookalikes(text, signs)}
    return marks | {found.start(): _mark(found.group()) for found in INVISIBLE.finditer(text)}


def _marked(text: str, marks: Mapping[int, str], start: int = 0) -> str:
    """Return a piece of a text escaped and marked; `start` is its position in the text that the marks are of."""
    if not marks:
        return escape(text)
    parts, end = [], 0
    for at in (at for at in range(len(text)) if start + at in marks):
        parts += [escape(text[end:at]), marks[start + at]]
        end = at + 1
    return "".join([*parts, escape(text[end:])])


def _lookalikes(text: str, signs: bool) -> Iterator[tuple[int, str]]:
    for word in WORD.finditer(text):
        twins = [(at, _twin(text[at])) for at in range(*word.span()) if not text[at].isascii()]
        if all(twin for _at, twin in twins):
            yield from twins
    if signs:
        yield from ((at, SQL_SIGNS[character]) for at, character in enumerate(text) if character in SQL_SIGNS)


def _twin(character: str) -> str:
    """Return the ASCII letter or digit that the character can be taken for; empty when there is none."""
    if unicodedata.decomposition(character).startswith(("<wide>", "<font>")):
        return unicodedata.normalize("NFKC", character)
    return LOOKALIKES.get(character, "")


def _mark_lookalike(character: str, twin: str) -> str:
    code = f"U+{ord(character):04X}"
    title = escape(_("Looks like %(twin)s and is %(code)s") % {"twin": twin, "code": code})
    return f'<span class="lookalike-character" title="{title}">{escape(character)}⟨{code}⟩</span>'


def _mark(character: str) -> str:
    code = f"U+{ord(character):04X}"
    title = escape(_("Invisible character %(code)s") % {"code": code})
    return f'<span class="invisible-character" title="{title}">⟨{code}⟩</span>'


def _coloured_lines(text: str) -> Iterator[str]:
    # What looks like what is decided on whole words: the lexer cuts words of other alphabets into letters.
    marks = _marks(text, signs=True)
    line: list[str] = []
    for css, start, value in _tokens(text):
        for position, part in enumerate(value.split("\n")):
            if position:
                yield "".join(line)
                line = []
            line.append(_span(css, _marked(part, marks, start)))
            start += len(part) + 1
    if any(line):
        yield "".join(line)


def _tokens(text: str) -> Iterable[tuple[str, int, str]]:
    if len(text) > COLOURED_LENGTH:
        return [("", 0, text)]
    # get_tokens() would change line ends, tabs and trailing lines; what is signed must be shown as it is.
    lexer: Any = PostgresLexer()  # its stubs leave this method untyped
    return ((_class_of(kind), at, value) for at, kind, value in lexer.get_tokens_unprocessed(text))


def _class_of(kind: Any) -> str:
    return next((css for known, css in CLASSES if kind in known), "")


def _span(css: str, shown: str) -> str:
    return f'<span class="{css}">{shown}</span>' if css and shown else shown


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
    return f'<span class="line diff-{kind}">{show_invisible(line, signs=True)}\n</span>'
