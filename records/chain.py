"""The hash chain of the trail, in plain Python: how a line is written, linked and checked.

A line is the RFC 8785 canonical JSON of one fact. Its digest is SHA-256 over the digest of the line
before it, one newline, and the line itself, all in UTF-8. Whoever has an export needs only a SHA-256
program to check it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

GENESIS = "0" * 64


@dataclass(frozen=True)
class Link:
    """One line of the trail as it is stored: position, the digest before it, the line and its digest."""

    seq: int
    previous: str
    line: str
    digest: str


@dataclass(frozen=True)
class Break:
    """The first place where the chain does not hold, with one sentence saying how."""

    seq: int
    sentence: str


class NotCanonical(ValueError):
    """The value cannot be written as canonical JSON: use text, whole numbers, booleans, lists and objects."""


def canonical(value: Any) -> str:
    """Return the RFC 8785 canonical JSON of the value.

    Raises NotCanonical for fractions (their printed form differs between programs), whole numbers
    beyond 2**53, and anything that JSON has no form for.
    """
    _refuse_fractions(value)
    try:
        return rfc8785.dumps(value).decode()
    except rfc8785.CanonicalizationError as error:
        raise NotCanonical(f"The value cannot be written as canonical JSON: {error}.") from error


def sha256(text: str) -> str:
    """Return the lower-case hexadecimal SHA-256 of the text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def link(*, seq: int, previous: str, fact: Mapping[str, Any]) -> Link:
    """Return the line and digest with which the fact continues the chain after `previous`."""
    line = canonical({**fact, "seq": seq})
    return Link(seq=seq, previous=previous, line=line, digest=sha256(f"{previous}\n{line}"))


def first_break(links: Iterable[Link], *, seq: int = 0, previous: str = GENESIS) -> Break | None:
    """Return the first break in the links that follow position `seq` with digest `previous`, or None."""
    return next(_breaks(links, seq, previous), None)


def _breaks(links: Iterable[Link], seq: int, previous: str) -> Iterator[Break]:
    for found in links:
        seq += 1
        if found.seq != seq:
            yield Break(seq, f"Line {seq} is missing: the next line kept is number {found.seq}.")
            return
        if found.previous != previous:
            yield Break(seq, f"Line {seq} does not continue the line before it.")
            return
        if sha256(f"{found.previous}\n{found.line}") != found.digest:
            yield Break(seq, f"Line {seq} was changed: its text no longer has the digest kept with it.")
            return
        if json.loads(found.line).get("seq") != seq:
            yield Break(seq, f"Line {seq} carries another number in its text.")
            return
        previous = found.digest


def _refuse_fractions(value: Any) -> None:
    if isinstance(value, float):
        raise NotCanonical(f"The value cannot be written as canonical JSON: {value!r} is a fraction.")
    if isinstance(value, Mapping):
        for part in value.values():
            _refuse_fractions(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_fractions(part)
