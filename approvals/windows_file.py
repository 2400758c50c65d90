"""Windows and freezes as the policy file writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from approvals.windows import DAYS, Freeze, Window

OF_WINDOW = {"days", "from", "to", "zone"}
OF_FREEZE = {"name", "from", "to", "zone", "environments", "emergencies"}


class UnreadableWindow(ValueError):
    """The window or freeze cannot be used; the sentence says why."""


def read_window(table: Any) -> Window:
    """Return the window of `{ days = ["mon"], from = "22:00", to = "06:00", zone = "Europe/Paris" }`.

    Without days it is every day, without a zone UTC. Raises UnreadableWindow.
    """
    if not isinstance(table, dict) or table.keys() - OF_WINDOW or not {"from", "to"} <= table.keys():
        raise UnreadableWindow('a window is { days = ["mon"], from = "22:00", to = "06:00", zone = "Europe/Paris" }')
    days = table.get("days", list(DAYS))
    if not isinstance(days, list) or not days or set(days) - set(DAYS):
        raise UnreadableWindow(f"a window's days are of {', '.join(DAYS)}")
    opens, closes = _hour(table["from"]), _hour(table["to"])
    return Window(tuple(day for day in DAYS if day in days), opens, closes, _zone(table))


def read_freeze(table: Mapping[str, Any]) -> Freeze:
    """Return the freeze of a [[freeze]] table; local times are of its zone, UTC without one. Raises UnreadableWindow."""
    name = table.get("name")
    if table.keys() - OF_FREEZE or not isinstance(name, str) or not name.strip():
        raise UnreadableWindow("a freeze has name, from, to, and if wanted zone, environments and emergencies")
    zone = ZoneInfo(_zone(table))
    begins, ends = _moment(table.get("from"), zone), _moment(table.get("to"), zone)
    if ends <= begins:
        raise UnreadableWindow("the freeze ends before it begins")
    environments, spared = table.get("environments", []), table.get("emergencies", True)
    if not isinstance(environments, list) or not all(isinstance(each, str) for each in environments):
        raise UnreadableWindow("a freeze's environments are a list of texts")
    if not isinstance(spared, bool):
        raise UnreadableWindow("a freeze's emergencies says true where an emergency may run all the same, else false")
    return Freeze(name, begins, ends, tuple(environments), spared)


def _hour(value: Any) -> str:
    try:
        return time.fromisoformat(value).isoformat(timespec="minutes")
    except (TypeError, ValueError) as error:
        raise UnreadableWindow(f'an hour is written "22:00", not {value!r}') from error


def _moment(value: Any, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        raise UnreadableWindow("a freeze's from and to are written 2026-12-20T18:00:00")
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _zone(table: Mapping[str, Any]) -> str:
    zone = table.get("zone", "UTC")
    try:
        ZoneInfo(zone)
    except (TypeError, ValueError, OSError, KeyError) as error:
        raise UnreadableWindow(f"there is no time zone {zone!r}; use a name such as Europe/Paris") from error
    return str(zone)
