"""The hours in which the line should run, as the settings name them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FORM = 'texts such as "Mon-Fri 06:00-22:00", "Sat 08:00-12:00" or "22:00-06:00"'
DAY_MIN = 24 * 60


@dataclass(frozen=True)
class Hours:
    """Hours of some days of the week: minutes from *begin* on and before *end*.

    An end at or before the begin is on the next day.
    """

    days: frozenset[int]
    begin: int
    end: int

    def hold(self, moment: datetime) -> bool:
        """Tell whether a moment, in local time, lies in these hours."""
        day, minute = moment.weekday(), 60 * moment.hour + moment.minute
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        late = day in self.days and minute >= self.begin
        return late or ((day - 1) % 7 in self.days and minute < self.end)


def hours_of(text: str) -> Hours:
    """Read hours such as ``Mon-Fri 06:00-22:00``. Raises ValueError.

    >>> hours_of("Sat-Sun 22:00-06:00").hold(datetime(2026, 11, 30, 5, 59))
    True
    """
    days = "|".join(DAYS)
    clock = r"([01]\d|2[0-3]):([0-5]\d)"
    form = rf"(?:({days})(?:-({days}))? )?{clock}-(?:{clock}|(24):(00))"
    found = re.fullmatch(form, text.strip())
    if found is None:
        raise ValueError(text)
    first, last, *numbers = found.groups()
    begin, end = (60 * int(h) + int(m) for h, m in _pairs(numbers))
    return Hours(_days(first, last), begin, end % DAY_MIN if end == DAY_MIN and begin else end)


def should_run(hours: Sequence[Hours], moment: datetime) -> bool:
    """Tell whether the line should run at a moment, in local time; always without hours."""
    return not hours or any(some.hold(moment) for some in hours)


def _pairs(numbers: Sequence[str | None]) -> list[tuple[str, str]]:
    given = [number for number in numbers if number is not None]
    return [(given[0], given[1]), (given[2], given[3])]


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return frozenset((begin + step) % 7 for step in range((end - begin) % 7 + 1))
