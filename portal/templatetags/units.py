"""Times, durations, sizes and counts in the words of the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

NOTHING = "–"
UNITS = ("KiB", "MiB", "GiB", "TiB")


def read_moment(value: Any) -> datetime | None:
    """Return a datetime in UTC from a datetime or ISO 8601 text; None for anything else. Naive means UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def duration_words(seconds: Any) -> str:
    """Return a number of seconds as at most two units: 0.4 s, 12 s, 3 min 12 s, 2 h 03 min, 4 d 2 h."""
    if not isinstance(seconds, int | float):
        return NOTHING
    if seconds < 0.001:
        return "0 s"
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 9.95:
        return f"{number_format(round(seconds, 1), 1)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def duration_range_words(least: Any, most: Any) -> str:
    """Return a range of seconds as words; what stays below a tenth of a second is at once."""
    if not isinstance(least, int | float) or not isinstance(most, int | float):
        return NOTHING
    if most < 0.1:
        return _("a moment")
    if least < 0.1:
        return _("at most %(time)s") % {"time": duration_words(most)}
    return f"{duration_words(least)} – {duration_words(most)}"


def size_words(count: Any) -> str:
    """Return a number of bytes with a binary unit: 812 B, 1.2 MiB."""
    if not isinstance(count, int | float):
        return NOTHING
    if count < 1024:
        return f"{int(count)} B"
    size = float(count)
    for unit in UNITS:
        size /= 1024
        if size < 1024 or unit == UNITS[-1]:
            break
    return f"{number_format(round(size, 1), 1)} {unit}"


def age_words(moment: datetime, *, now: datetime) -> str:
    """Return how long ago (or how soon) the moment is, in one unit: 5 min ago, in 2 h."""
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return _("just now")
    steps = ((3600, 60, "min"), (86_400, 3600, "h"), (float("inf"), 86_400, "d"))
    _limit, unit, name = next(step for step in steps if distance < step[0])
    words = f"{max(1, round(distance / unit))} {name}"
    return _("in %(time)s") % {"time": words} if seconds < 0 else _("%(time)s ago") % {"time": words}
