"""Maintenance windows that come back every week, and freezes: when a rollback may run at all, in plain Python.

Both stand above approvals: a plan that everybody signed still waits for its window and for the freeze to end. Times
are local to a zone of the IANA database, so that 22:00 stays 22:00 when the clocks change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A window that comes back every week is at most this many days away.
AHEAD = 8


@dataclass(frozen=True)
class Window:
    """Days and hours in which a rollback may run; one that closes before it opens ends on the next day."""

    days: tuple[str, ...]
    opens: str
    closes: str
    zone: str

    def document(self) -> dict[str, Any]:
        """Return the window as JSON."""
        return {"days": list(self.days), "opens": self.opens, "closes": self.closes, "zone": self.zone}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Window:
        """Return the window that `document()` wrote."""
        return cls(tuple(document["days"]), document["opens"], document["closes"], document["zone"])

    def spans(self, around: datetime) -> list[tuple[datetime, datetime]]:
        """Return when it opens and closes (UTC) from the day before `around` to a week after it."""
        zone = ZoneInfo(self.zone)
        today = around.astimezone(zone).date()
        days = (today + timedelta(days=shift) for shift in range(-1, AHEAD))
        return [self._span(day, zone) for day in days if DAYS[day.weekday()] in self.days]

    def _span(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        opens, closes = time.fromisoformat(self.opens), time.fromisoformat(self.closes)
        last = day if closes > opens else day + timedelta(days=1)
        begin = datetime.combine(day, opens, zone).astimezone(UTC)
        return begin, datetime.combine(last, closes, zone).astimezone(UTC)

    def in_words(self) -> str:
        """Return the window as a person says it."""
        days = "every day" if len(self.days) == len(DAYS) else ", ".join(self.days)
        return f"{days} from {self.opens} to {self.closes} ({self.zone})"


@dataclass(frozen=True)
class Freeze:
    """A period in which nothing is rolled back in these environments (none named: in all of them)."""

    name: str
    begins: datetime
    ends: datetime
    environments: tuple[str, ...] = ()
    # Whether an emergency may run all the same.
    spares_emergencies: bool = True

    def holds(self, moment: datetime, *, environment: str, emergency: bool) -> bool:
        """Tell whether it forbids a rollback at this moment."""
        if self.environments and environment not in self.environments:
            return False
        return self.begins <= moment < self.ends and not (emergency and self.spares_emergencies)


def closed(windows: Collection[Window], moment: datetime) -> str:
    """Return the sentence that forbids running now because no window is open; empty when one is, or none is asked for."""
    if not windows or any(begin <= moment < end for window in windows for begin, end in window.spans(moment)):
        return ""
    opening = min(begin for window in windows for begin, _ in window.spans(moment) if begin > moment)
    said = "; ".join(window.in_words() for window in windows)
    return f"The policy lets it run {said}; the next window opens at {opening.isoformat(timespec='minutes')}."


def frozen(freezes: Iterable[Freeze], moment: datetime, *, environment: str, emergency: bool) -> str:
    """Return the sentence that forbids running now because of a freeze; empty when there is none."""
    for freeze in freezes:
        if freeze.holds(moment, environment=environment, emergency=emergency):
            until = freeze.ends.astimezone(UTC).isoformat(timespec="minutes")
            return f"Changes are frozen until {until}: {freeze.name}. Start the rollback then."
    return ""
