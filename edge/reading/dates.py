"""Dates as they are printed: day, month and year as parts of a field."""

import calendar
from collections.abc import Sequence
from datetime import date

from edge.reading.pattern import DATE_DIGITS, MONTHS

CENTURY = 2000
"""Of a year in two digits: what is sold today was made in this one."""
EARLIEST, LATEST = 1970, 2199


def date_of(parts: Sequence[tuple[str, str]]) -> date | None:
    """Return the date that parts of a field name; None where they hold none.

    *parts*: (part, characters), as of :func:`edge.reading.pattern.parts_of`. Without a day it is
    the last one of its month, and without a month of its year: until then a product keeps. Raises
    ValueError for a day that is none, such as the 31st of February, and for parts that contradict
    each other.

    >>> date_of([("MM", "02"), ("", "/"), ("YY", "28")])
    datetime.date(2028, 2, 29)
    >>> date_of([("DD", "03"), ("MMM", "SEP"), ("YYYY", "2027")])
    datetime.date(2027, 9, 3)
    """
    found: dict[str, int] = {}
    for part, text in parts:
        if part not in DATE_DIGITS and part != "MMM":
            continue
        number = MONTHS.index(text.upper()) + 1 if part == "MMM" else int(text)
        number += CENTURY if part == "YY" else 0
        if found.setdefault(part[0], number) != number:
            raise ValueError("two dates that differ")
    if not found:
        return None
    if not EARLIEST <= (year := found.get("Y", 0)) <= LATEST:
        raise ValueError(f"no year of a product: {year}")
    if not 1 <= (month := found.get("M", 12)) <= 12:
        raise ValueError(f"no month {month}")
    return date(year, month, found.get("D", calendar.monthrange(year, month)[1]))
