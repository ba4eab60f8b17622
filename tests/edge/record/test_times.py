from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.record.times import Now, Times, wall_ns

EIGHT = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def record(boot: str, seconds: float, wall: datetime, synced: bool | None) -> dict[str, Any]:
    """A record of a boot, so long after its start."""
    return {
        "boot_id": boot,
        "monotonic_ns": round(seconds * SECOND),
        "wall_time": wall.isoformat(timespec="milliseconds"),
        "clock_synced": synced,
    }


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A time on the day of the tests."""
    return EIGHT.replace(hour=hour, minute=minute, second=second)


def ns(moment: datetime) -> int:
    """The same in nanoseconds."""
    return round(moment.timestamp()) * SECOND


def now(
    boot: str = "reader", seconds: float = 5, wall: datetime = EIGHT, synced: bool = True
) -> Now:
    """The present moment of a reader."""
    return Now(boot, round(seconds * SECOND), ns(wall), synced)


def test_a_synchronised_record_has_the_time_it_says() -> None:
    """Nothing is reckoned."""
    one = record("a", 60, at(7), True)
    moment = Times([one], now()).of(one)
    assert (moment.earliest_ns, moment.latest_ns, moment.source) == (ns(at(7)), ns(at(7)), "clock")


def test_a_boot_that_was_synchronised_later_repairs_its_first_records() -> None:
    """By the monotonic clock, which no time server moves."""
    early = record("a", 30, at(1) - timedelta(days=14), False)
    records = [early, record("a", 90, at(7, 1), True), record("a", 150, at(7, 2), True)]
    moment = Times(records, now()).of(early)
    assert (moment.exact_ns, moment.source) == (ns(at(7)), "repaired")


def test_the_nearest_synchronised_moment_after_a_record_repairs_it() -> None:
    """A time server that was gone for a while: each stretch is repaired from its own end."""
    lost = [record("a", seconds, at(3), False) for seconds in (120, 600)]
    records = [
        record("a", 60, at(7, 0), True),
        lost[0],
        record("a", 300, at(7, 4, 2), True),
        lost[1],
    ]
    times = Times(records, now())
    assert [times.of(one).exact_ns for one in lost] == [ns(at(7, 1, 2)), ns(at(7, 9, 2))]


def test_this_boot_is_repaired_by_the_clock_as_it_is_now() -> None:
    """It was synchronised after the last record."""
    one = record("a", 60, at(1), False)
    times = Times([one], now("a", 120, at(7, 1), synced=True))
    assert times.of(one).exact_ns == ns(at(7))


def test_a_boot_that_never_was_synchronised_lies_between_its_neighbours() -> None:
    """Its records come after those before it, in so far as it ran, and before the next start."""
    one = record("b", 600, at(1) - timedelta(days=1), False)
    records = [
        record("a", 3600, at(2), True),
        one,
        record("b", 1800, at(1, 20) - timedelta(days=1), False),
        record("c", 60, at(7, 1), True),
    ]
    moment = Times(records, now()).of(one)
    assert (moment.earliest_ns, moment.latest_ns) == (ns(at(2, 10)), ns(at(6, 40)))
    assert (moment.exact_ns, moment.source) == (None, "unsynchronised")


def test_a_journal_that_never_was_synchronised_is_taken_at_its_word() -> None:
    """Offline, with a clock of its own: there is nothing else, and nothing contradicts it."""
    records = [record("a", 60, at(2), False), record("b", 60, at(5), None)]
    times = Times(records, now(synced=False))
    assert [times.of(one).exact_ns for one in records] == [ns(at(2)), ns(at(5))]


@pytest.mark.parametrize(
    "second",
    [
        [record("b", 60, at(1), False)],
        [record("b", 60, at(3), False), record("b", 70, at(2, 30), False)],
        [record("b", 60, at(3), False), record("b", 70, at(6), False)],
    ],
    ids=["starts before the boot before it ended", "was set back", "was set on"],
)
def test_a_clock_that_the_order_contradicts_is_not_taken_at_its_word(
    second: Sequence[dict[str, Any]],
) -> None:
    """Then nothing is known of its times."""
    records = [record("a", 60, at(2), False), *second]
    moment = Times(records, now(synced=False)).of(second[0])
    assert (moment.earliest_ns, moment.latest_ns) == (None, None)


def test_the_age_of_a_record_of_this_boot_is_by_the_monotonic_clock() -> None:
    """Whatever the wall clock says."""
    one = record("a", 60, at(1) - timedelta(days=14), False)
    assert Times([one], now("a", 360, synced=False)).age_ns(one) == (300 * SECOND, 300 * SECOND)


def test_a_record_is_at_least_as_old_as_the_boots_after_it_ran() -> None:
    """That needs no wall clock at all."""
    one = record("b", 600, at(1) - timedelta(days=1), False)
    records = [
        record("a", 3600, at(2), True),
        one,
        record("b", 1800, at(1), False),
        record("c", 7200, at(3), False),
    ]
    least, most = Times(records, now("c", 10_800, synced=False)).age_ns(one)
    assert (least, most) == ((1200 + 10_800) * SECOND, None)


def test_with_the_present_time_known_a_record_has_a_greatest_age() -> None:
    """It is later than what was written before it."""
    one = record("b", 600, at(1) - timedelta(days=1), False)
    records = [record("a", 3600, at(2), True), one]
    least, most = Times(records, now(wall=at(10))).age_ns(one)
    assert (least, most) == (0, 7 * HOUR + 50 * 60 * SECOND)


boots = st.lists(
    st.tuples(
        st.integers(0, 10**6),  # seconds without power before it
        st.lists(st.tuples(st.integers(1, 10**5), st.booleans()), min_size=1, max_size=5),
        st.integers(-(10**8), 10**6),  # by how much its clock is wrong until it is synchronised
    ),
    min_size=1,
    max_size=5,
)


@given(boots, st.booleans())
def test_no_bound_excludes_the_truth(history: list[Any], reader_synced: bool) -> None:
    """Boots in any order of right and wrong clocks, once one of them was right."""
    truth, records, present_s = [], [], 10**9
    for number, (off, lines, wrong) in enumerate(history):
        start_s = present_s + off
        seconds, synced = 0, False
        for step, answered in lines:
            seconds, synced = seconds + step, synced or answered
            present_s = start_s + seconds
            shown = datetime.fromtimestamp(present_s + (0 if synced else wrong), UTC)
            records.append(record(str(number), seconds, shown, synced))
            truth.append(present_s * SECOND)
    reader = Now("reader", 5 * SECOND, (present_s + 7) * SECOND, reader_synced)
    times = Times(records, reader)
    if not times.ever_synced:
        return
    for one, true_ns in zip(records, truth, strict=True):
        moment = times.of(one)
        assert moment.earliest_ns is None or moment.earliest_ns <= true_ns
        assert moment.latest_ns is None or moment.latest_ns >= true_ns
        least, most = times.age_ns(one)
        assert least <= reader.wall_ns - true_ns
        assert most is None or most >= reader.wall_ns - true_ns


def test_a_wall_time_that_is_none_is_the_epoch() -> None:
    """A record of another program must not end the log."""
    assert wall_ns({"wall_time": "yesterday"}) == 0
