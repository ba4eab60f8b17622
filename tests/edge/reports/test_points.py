import argparse
from datetime import UTC, datetime

import pytest

from edge.record.times import Now
from edge.reports.points import Point, read_point
from edge.reports.zone import Zone, offset_of

BERLIN = Zone("Europe/Berlin")


def now(text: str) -> Now:
    """The present moment, as if it were another."""
    return Now("a" * 32, 10**15, BERLIN.time_ns(datetime.fromisoformat(text)), True)


def resolved(text: str, at: str, since: str = "") -> str:
    """Return in UTC what a text means at a moment; with *since* as the end of a span."""
    moment = now(at)
    after = read_point(since).resolved(BERLIN, moment) if since else None
    time_ns = read_point(text).resolved(BERLIN, moment, after).time_ns
    assert time_ns is not None
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("today", "11-30 23:00:00"),
        ("yesterday", "11-29 23:00:00"),
        ("yesterday 22:00", "11-30 21:00:00"),
        ("yesterdayT22:00", "11-30 21:00:00"),
        ("today 6:30:15", "12-01 05:30:15"),
        ("06:00", "12-01 05:00:00"),
        ("6:00", "12-01 05:00:00"),
        ("22:00", "11-30 21:00:00"),
        ("10:00", "12-01 09:00:00"),
        ("2026-11-05", "11-04 23:00:00"),
        ("2026-11-05 14:00", "11-05 13:00:00"),
        ("2026-11-05T14:00+00:00", "11-05 14:00:00"),
    ],
)
def test_a_day_or_a_time_of_day_is_local(text: str, wanted: str) -> None:
    """A time of day alone is the last one that has been, at ten in the morning."""
    assert resolved(text, "2026-12-01T10:00") == wanted


@pytest.mark.parametrize(
    ("since", "until", "wanted"),
    [
        ("06:00", "14:00", "12-01 13:00:00"),
        ("22:00", "06:00", "12-01 05:00:00"),
        ("yesterday 22:00", "06:00", "12-01 05:00:00"),
        ("yesterday", "14:00", "11-30 13:00:00"),
        ("yesterday", "today", "11-30 23:00:00"),
        ("3h", "09:30", "12-01 08:30:00"),
    ],
)
def test_a_span_ends_at_the_first_such_time_after_its_begin(
    since: str, until: str, wanted: str
) -> None:
    """So that a shift, also one over midnight, is named by two times of day."""
    assert resolved(until, "2026-12-01T10:00", since) == wanted


@pytest.mark.parametrize(
    ("text", "since", "wanted"),
    [
        ("2026-10-25T02:30", "", "10-25 00:30:00"),
        ("2026-10-25T02:30", "2026-10-25", "10-25 01:30:00"),
        ("today", "", "10-24 22:00:00"),
        ("02:30", "today", "10-25 01:30:00"),
    ],
)
def test_an_hour_that_comes_twice_is_held_whole(text: str, since: str, wanted: str) -> None:
    """A span begins with the first of the two and ends with the second."""
    assert resolved(text, "2026-10-25T12:00", since) == wanted


def test_an_hour_that_the_clocks_skip_is_as_long_after_it() -> None:
    """On the last Sunday of March."""
    assert resolved("2026-03-29T02:30", "2026-03-29T12:00") == "03-29 01:30:00"


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "25:00", "06:60", "today x", "yesterday 9", "2026-13-01", "-5", "5w"]
)
def test_what_names_no_point_is_refused(text: str) -> None:
    """By one line that names the ways."""
    with pytest.raises(argparse.ArgumentTypeError, match="must be an item's number, a time such"):
        read_point(text)


def test_numbers_and_ages_are_no_wall_time() -> None:
    """They need no zone."""
    assert read_point("123") == Point(sequence=123)
    assert read_point("90s").resolved(BERLIN) == Point(age_ns=90 * 10**9)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../etc/passwd", "Europe", "\0"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    """Whatever the library makes of it."""
    with pytest.raises(ValueError, match=r".*"):
        Zone(name)


def test_an_offset_is_no_formula() -> None:
    """Nor is it one where it is below zero or not of whole hours."""
    for name, wanted in (("America/St_Johns", "UTC-03:30"), ("Asia/Kathmandu", "UTC+05:45")):
        local = Zone(name).local(1_764_547_200_000_000_000)
        assert local is not None
        assert offset_of(local) == wanted
