"""Lists that go on by key: a page of rows and the key after which the next one begins; nothing is counted or skipped."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

PAGE = 50
# Ten to this power is more than a key can be; more digits would be an error of the database.
LONGEST_KEY = 18

Row = TypeVar("Row", bound=Model)


def key_in(text: str) -> int | None:
    """Return the key that somebody's address names, None when it names none."""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_KEY else None


def page_of(rows: QuerySet[Row, Any], before: int | None) -> tuple[list[Row], int | None]:
    """Return at most PAGE of the rows with keys below `before`, newest first, and the next page's key or None.

    `rows` are ordered by nothing else; the key is the primary key, whatever its name.
    """
    return _page(rows.order_by("-pk") if before is None else rows.filter(pk__lt=before).order_by("-pk"))


def page_after(rows: QuerySet[Row, Any], after: int | None) -> tuple[list[Row], int | None]:
    """Return the same, oldest first, of the rows with keys above `after`."""
    return _page(rows.order_by("pk") if after is None else rows.filter(pk__gt=after).order_by("pk"))


def _page(rows: QuerySet[Row, Any]) -> tuple[list[Row], int | None]:
    found = list(rows[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None
