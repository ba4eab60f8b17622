"""A point in a journal, as ``--since`` and ``--until`` name it."""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from edge.record.times import Now, Times, present, wall_ns
from edge.reports.zone import HERE, Zone

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DAYS = {"today": 0, "yesterday": 1}
WAYS = (
    "an item's number, a time such as 15m or 2h, a time of day such as 06:00, today or yesterday, "
    "also with a time of day, or a moment such as 2026-01-31T14:00"
)

Record = Mapping[str, Any]


@dataclass(frozen=True)
class WallTime:
    """A point by the wall clock: a moment, or a time of day on the day *days_ago*.

    *days_ago* None: on whatever day that time of day is meant.
    """

    moment: datetime | None = None
    at: time = time()
    days_ago: int | None = None


@dataclass(frozen=True)
class Point:
    """A point in a journal: an item's number, an age, a time, or a time by the wall clock.

    The last, *wall*, says a *time_ns* only in a time zone: :meth:`resolved`.
    """

    sequence: int | None = None
    age_ns: int | None = None
    time_ns: int | None = None
    wall: WallTime | None = None

    def resolved(
        self, zone: Zone = HERE, now: Now | None = None, after: "Point | None" = None
    ) -> "Point":
        """Return the point with its time.

        A time of day alone is the last one that has been; with *after*, the point at which a span
        begins, this is its end: the first one after that begin. Of a local time that comes twice a
        span begins with the first and ends with the second.
        """
        if self.wall is None:
            return self
        wall, now_ns = self.wall, (now or present()).wall_ns
        later = after is not None
        if wall.moment is not None:
            return Point(time_ns=zone.time_ns(wall.moment, later=later))
        today = zone.local(now_ns) or datetime.fromtimestamp(0)  # noqa: DTZ006 - of no calendar
        if wall.days_ago is not None:
            day = today.date() - timedelta(days=wall.days_ago)
            return Point(time_ns=zone.time_ns(datetime.combine(day, wall.at), later=later))
        begin_ns = after.span_ns(now_ns) if after is not None else None
        if begin_ns is None or (begin := zone.local(begin_ns)) is None:
            return Point(time_ns=_last_one(wall.at, today, now_ns, zone, later=later))
        return Point(time_ns=_first_one(wall.at, begin, begin_ns, zone))

    def span_ns(self, now_ns: int) -> int | None:
        """Return the time of the point, nanoseconds UTC; None for an item's number, or no limit."""
        return now_ns - self.age_ns if self.age_ns is not None else self.time_ns

    def may_be_after(self, record: Record, times: Times) -> bool:
        """Tell whether *record* may be of this point or later; only certainty leaves it out."""
        if self.sequence is not None:
            return bool(record["sequence"] >= self.sequence)
        if self.age_ns is not None:
            return times.age_ns(record)[0] <= self.age_ns
        if self.time_ns is None:
            return True
        latest_ns = times.of(record).latest_ns
        return latest_ns is None or latest_ns >= self.time_ns

    def may_be_before(self, record: Record, times: Times) -> bool:
        """Tell whether *record* may be of this point or earlier."""
        if self.sequence is not None:
            return bool(record["sequence"] <= self.sequence)
        if self.age_ns is not None:
            most = times.age_ns(record)[1]
            return most is None or most >= self.age_ns
        if self.time_ns is None:
            return True
        earliest_ns = times.of(record).earliest_ns
        return earliest_ns is None or earliest_ns <= self.time_ns

    def is_surely_after(self, record: Record, now: Now) -> bool:
        """Tell whether this point is after *record*, and so after all that the journal has before.

        That takes a record whose time is beyond doubt.
        """
        return self._side(record, now) < 0

    def is_surely_before(self, record: Record, now: Now) -> bool:
        """Tell whether this point is before *record*, and so before all that follows it."""
        return self._side(record, now) > 0

    def _side(self, record: Record, now: Now) -> int:
        """Return -1 for a record surely before the point, 1 for one after it, 0 else."""
        if self.sequence is not None:
            return _compared(int(record["sequence"]), self.sequence)
        if self.age_ns is not None and record.get("boot_id") == now.boot_id:
            return _compared(int(record.get("monotonic_ns", 0)), now.monotonic_ns - self.age_ns)
        if record.get("clock_synced") is not True or (self.age_ns is not None and not now.synced):
            return 0
        limit = self.span_ns(now.wall_ns)
        return 0 if limit is None else _compared(wall_ns(record), limit)


ANY = Point()
"""No limit."""


def read_point(text: str) -> Point:
    """Read what ``--since`` or ``--until`` names. Raises ArgumentTypeError."""
    text = text.strip()
    if re.fullmatch(r"\d{1,18}", text, re.ASCII):
        return Point(sequence=int(text))
    if found := re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII):
        return Point(age_ns=int(found[1]) * UNITS_S[found[2]] * 1_000_000_000)
    try:
        return _wall_point(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"must be {WAYS}, not {text!r}") from None


def _wall_point(text: str) -> Point:
    """Read a time by the wall clock. Raises ValueError or OverflowError."""
    if text == "now":
        return Point(age_ns=0)
    day, _, rest = text.replace("T", " ").partition(" ")
    if day in DAYS:
        return Point(wall=WallTime(at=_time_of_day(rest or "00:00"), days_ago=DAYS[day]))
    if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", text, re.ASCII):
        return Point(wall=WallTime(at=_time_of_day(text)))
    moment = datetime.fromisoformat(text)
    HERE.time_ns(moment)
    return Point(wall=WallTime(moment))


def _time_of_day(text: str) -> time:
    return time.fromisoformat(text.strip().zfill(8 if text.count(":") == 2 else 5))


def _last_one(at: time, today: datetime, now_ns: int, zone: Zone, *, later: bool) -> int:
    """Return when it was that time of day last, nanoseconds UTC."""
    days = [datetime.combine(today.date() - timedelta(days=ago), at) for ago in (0, 1)]
    found = [zone.time_ns(day, later=later) for day in days]
    return found[0] if found[0] <= now_ns else found[1]


def _first_one(at: time, begin: datetime, begin_ns: int, zone: Zone) -> int:
    """Return when it is that time of day first after *begin*, nanoseconds UTC."""
    days = [datetime.combine(begin.date() + timedelta(days=more), at) for more in (0, 1)]
    found = [zone.time_ns(day, later=True) for day in days]
    return found[0] if found[0] > begin_ns else found[1]


def _compared(value: int, limit: int) -> int:
    return (value > limit) - (value < limit)
