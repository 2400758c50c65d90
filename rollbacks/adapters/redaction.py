"""Keeping secrets out of what a program said: by value, because patterns miss what is oddly written."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

TELLING = re.compile(r"URL|TOKEN|SECRET|PASSWORD|PASSWD|KEY|CREDENTIAL|DSN", re.IGNORECASE)
# What is shorter would blank out half of an ordinary text.
SHORTEST = 6
# Of an address's path only what can be a key; “hooks” and “rollbacks” are ordinary words.
SHORTEST_PART = 12
LARGEST_FILE = 64 * 1024
MASK = "…"


def secrets_of(environ: Mapping[str, str], *, also: Collection[str] = ()) -> tuple[str, ...]:
    """Return every value of the environment that may be a secret, longest first, with the passwords and keys inside URLs.

    `also` are further values. Of whole values those below six characters are left out, of passwords none. A variable
    that ends in _FILE stands for its file's text.
    """
    found = {value for value in also if len(value) >= SHORTEST}
    for name, value in environ.items():
        if not TELLING.search(name):
            continue
        found |= {each for each in _values(name, value) if len(each) >= SHORTEST}
    return tuple(sorted(found | _passwords(found), key=len, reverse=True))


def cleaned(text: str, secrets: Collection[str]) -> str:
    """Return the text without any secret and without control characters other than line breaks and tabs."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    # Colours and cursor movements first, so that their letters do not stay behind.
    text = re.sub(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)", "", text.replace("\r\n", "\n"))
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", text)
    # Once more: a control character inside a secret would have hidden it.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _values(name: str, value: str) -> list[str]:
    values = [value]
    if name.endswith("_FILE"):
        with suppress(OSError, UnicodeDecodeError):
            if Path(value).stat().st_size <= LARGEST_FILE:
                values += [line.strip() for line in Path(value).read_text().splitlines()]
    return values


def _passwords(values: Collection[str]) -> set[str]:
    found: set[str] = set()
    for value in values:
        with suppress(ValueError):
            parts = urlsplit(value)
            found.add(parts.password or "")
            if parts.scheme in {"http", "https"}:
                # A webhook's secret is a part of its path or a value of its query.
                found |= {each for each in parts.path.split("/") if len(each) >= SHORTEST_PART}
                found |= {value for _name, value in parse_qsl(parts.query) if len(value) >= SHORTEST}
    plain = {unquote(each) for each in found}
    return (found | plain | {quote(each, safe="") for each in plain} | {quote(each) for each in plain}) - {""}
