"""Cursors: where a list goes on, opaque to the caller and refused when it was not made for this list."""

from __future__ import annotations

from typing import Any

from django.core import signing

from rollbacks.api.problems import Problem


def cursor_for(listed: str, after: int | None, filters: dict[str, Any]) -> str | None:
    """Return the cursor with which this list, under these filters, goes on after the key; None at its end."""
    return None if after is None else signing.dumps(after, salt=_salt(listed, filters))


def key_of(listed: str, cursor: str, filters: dict[str, Any]) -> int | None:
    """Return the key that the cursor holds, None for no cursor; raises Problem for one that is not of this list."""
    if not cursor:
        return None
    try:
        return int(signing.loads(cursor, salt=_salt(listed, filters)))
    except (signing.BadSignature, ValueError, TypeError) as error:
        sentence = "The cursor is not one of this list with these filters; begin again without it."
        raise Problem("bad-request", sentence) from error


def _salt(listed: str, filters: dict[str, Any]) -> str:
    return f"api.cursor.{listed}." + "&".join(f"{name}={filters[name]}" for name in sorted(filters))
