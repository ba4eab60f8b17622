from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.clock import SimulatedClock
from edge.record.journal_file import parse_record
from edge.record.times import Now, Times
from edge.record.verify import read_records
from edge.reports import reading
from edge.reports.points import ANY, Point
from edge.reports.reading import Span, stamp_of, timed
from tests.disk import item, journal

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = Now("f" * 32, 10**9, round((START + timedelta(days=9)).timestamp()) * 10**9, True)


def write_boot(path: Path, boot: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write ten items of a boot; the third and the fifth do not know the time, as described."""
    begin, clock, lost = START + timedelta(hours=11 * boot), SimulatedClock(10**9), boot in (2, 4)
    synced, wrong = [not lost], [timedelta(days=-40 if lost else 0)]

    def wall() -> datetime:
        return begin + wrong[0] + timedelta(seconds=clock.now_ns() / 1e9)

    monkeypatch.setattr("edge.record.journal.boot_id", lambda: f"{boot:032x}")
    monkeypatch.setattr("edge.record.journal.clock_synced", lambda: synced[0])
    with journal(path, wall, clock, file_items=6) as log:
        log.append("start", {})
        for number in range(10):
            if boot == 4 and number == 5:
                synced[0], wrong[0] = True, timedelta()
            clock.sleep_until(clock.now_ns() + 3600 * 10**9)
            log.append("item", item("reject" if number % 3 else "pass"))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty items in ten files over six boots, an hour between items; one boot never knew the time.

    Another knew it from its middle on.
    """
    path = tmp_path / "journal.jsonl"
    for boot in range(6):
        write_boot(path, boot, monkeypatch)
    return path


def numbers(path: Path, since: Point, until: Point) -> list[tuple[str, int]]:
    """Return kind and number of what is read of a span."""
    return [(r["kind"], r["sequence"]) for r, _ in timed(path, Span(since, until, now=NOW))]


def wanted(path: Path, since: Point, until: Point) -> list[tuple[str, int]]:
    """Return the same by reading everything."""
    records = read_records(path)
    times = Times(records, NOW)
    span = Span(since, until, now=NOW)
    return [(r["kind"], r["sequence"]) for r in records if span.may_hold(r, times)]


def hours(number: float) -> Point:
    """A moment so many hours after the start."""
    return Point(time_ns=round((START + timedelta(hours=number)).timestamp()) * 10**9)


POINTS = [
    *(ANY, Point(sequence=1), Point(sequence=31), Point(sequence=60), Point(sequence=99)),
    *(hours(number) for number in (-5, 0.5, 10.5, 24.5, 33.5, 47, 50.5, 60, 99)),
    *(Point(age_ns=days * 24 * 3600 * 10**9) for days in (7, 8, 20)),
]


@pytest.mark.parametrize("near", [1, 700, 1 << 16])
def test_reading_a_part_gives_what_reading_all_gives(
    path: Path, near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From any point to any other, over boots whose clock was wrong."""
    monkeypatch.setattr(reading, "NEAR", near)
    for since in POINTS:
        for until in POINTS:
            assert numbers(path, since, until) == wanted(path, since, until), (since, until)


def test_files_before_the_span_are_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for a few lines of each; nor is what lies behind it."""
    parsed = list[bytes]()

    def counting(line: bytes) -> Any:
        parsed.append(line)
        return parse_record(line)

    monkeypatch.setattr(reading, "parse_record", counting)
    monkeypatch.setattr(reading, "NEAR", 1)
    all_lines = len(read_records(path))
    for span in ((Point(sequence=58), ANY), (hours(62), ANY), (ANY, hours(2.5))):
        parsed.clear()
        assert numbers(path, *span) != []
        assert len(parsed) < all_lines / 1.5
        assert len(list(timed(path, Span(*span, now=NOW)))) < 12


def test_a_stamp_says_of_a_record_what_parsing_it_says(path: Path) -> None:
    """Every line of the journal begins so, and a torn one is none."""
    for file in path.parent.glob("journal*.jsonl"):
        for line in file.read_bytes().splitlines(keepends=True):
            record = parse_record(line.rstrip(b"\n"))
            stamp = stamp_of(line)
            assert record is not None
            assert stamp is not None
            assert {name: record[name] for name in stamp} == stamp
            assert stamp_of(line[:-20]) is None
