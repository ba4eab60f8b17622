"""A shift: from one time of day to another, on the day it begins.

A shift belongs to the day on which it begins, also one over midnight. Its end is not part of it.
Where the clocks go back within a shift it is an hour longer, where they go forward an hour shorter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from edge.process.running_hours import Hours
from edge.reports.zone import Zone

DAYS_BACK = 7
"""How far back the last day of a shift is looked for: each lies within a week."""


@dataclass(frozen=True)
class Shift:
    """From *begin_ns* on and before *end_ns*, nanoseconds UTC; *day*: on which it begins."""

    day: date
    hours: Hours
    begin_ns: int
    end_ns: int

    @property
    def name(self) -> str:
        """The shift for people, such as ``2026-12-01 06:00-14:00``."""
        return f"{self.day} {_clock(self.hours.begin)}-{_clock(self.hours.end)}"

    @property
    def file_stem(self) -> str:
        """The shift in a file's name; such names are in the order of the shifts."""
        return f"report-{self.day}-{_clock(self.hours.begin)}-{_clock(self.hours.end)}".replace(
            ":", ""
        )


def shift_on(day: date, hours: Hours, zone: Zone) -> Shift:
    """Return the shift that begins on *day*. Raises OverflowError for a day of no calendar."""
    later = timedelta(days=0 if hours.begin < hours.end else 1)
    begin, end = _at(day, hours.begin), _at(day + later, hours.end)
    return Shift(day, hours, zone.time_ns(begin), zone.time_ns(end))


def last_begun(hours: Hours, zone: Zone, now_ns: int) -> Shift:
    """Return the last such shift that has begun; it may still run."""
    return next(shift for shift in _back(hours, zone, now_ns) if shift.begin_ns <= now_ns)


def ended_since(shifts: Iterable[Hours], zone: Zone, since_ns: int, now_ns: int) -> list[Shift]:
    """Return the shifts that have ended after one time and up to another, in their order."""
    found = [
        shift
        for hours in shifts
        for shift in _back(hours, zone, now_ns)
        if since_ns < shift.end_ns <= now_ns
    ]
    return sorted(found, key=lambda shift: (shift.begin_ns, shift.end_ns))


def _back(hours: Hours, zone: Zone, now_ns: int) -> list[Shift]:
    """Return such shifts of the last days, the latest first."""
    now = zone.local(now_ns)
    today = now.date() if now is not None else date(1970, 1, 2 + DAYS_BACK)
    days = (today - timedelta(days=ago) for ago in range(DAYS_BACK + 2))
    return [shift_on(day, hours, zone) for day in days if day.weekday() in hours.days]


def _at(day: date, minute: int) -> datetime:
    """Return the minute of a day, of which the last is the beginning of the next."""
    return datetime.combine(day, time()) + timedelta(minutes=minute)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
