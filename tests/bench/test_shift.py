"""The simulated shift, short: what is drawn, and that each alarm comes that must."""

import dataclasses

import numpy as np
import pytest

from bench.shift.__main__ import COURSES, described
from bench.shift.measured import Level, Look, Measured
from bench.shift.place import HAPPENINGS, SIDE, Place
from bench.shift.simulate import Shift, simulate
from edge.decision import Box, Finding, Verdict
from edge.imaging.watch import LIGHT, MOVED, SOFT, Comparison

BOX = Box(0, 0, 9, 9)
GOOD = Look(Verdict("pass", "found", findings=(Finding("seal", 0.9, BOX),)), Comparison())
BAD = Look(Verdict("reject", "no seal found", code="missing"), Comparison())
DARK = dataclasses.replace(BAD, comparison=Comparison(light=0.2, bright=0.4))
SOFTER = dataclasses.replace(GOOD, comparison=Comparison(focus=0.3))
AWAY = dataclasses.replace(GOOD, comparison=Comparison(moved_px=80.0))
ITEMS, BEGINS = 3000, 1500


def measured(name: str, worst: Look) -> Measured:
    """Two levels: all well, and all as the worst look."""
    levels = [Level(0.0, [GOOD], [BAD]), Level(1.0, [worst], [BAD])]
    return Measured({"clean": levels[:1], name: levels}, 0.5)


@pytest.mark.parametrize(
    ("worst", "first", "rejected"),
    [(DARK, "reject-rate-high", 10), (SOFTER, SOFT, 0), (AWAY, MOVED, 0)],
)
def test_each_alarm_comes_soon_after_its_cause_and_not_before(
    worst: Look, first: str, rejected: int
) -> None:
    """A dead lamp costs ten items at most; a soft or moved picture is told before one is lost."""
    shift = simulate(measured("x", worst), 1, "x", lambda _: 1.0, items=ITEMS, begins=BEGINS)
    assert shift.false == []
    assert next(iter(shift.began)) == first
    assert shift.began[first] <= 100
    assert shift.rejected <= rejected
    if worst is DARK:
        assert shift.began["rejects-in-a-row"] <= 12
        assert shift.began[LIGHT] <= 100


def test_a_level_between_two_is_drawn_from_both() -> None:
    """A fog that comes slowly loses items before it is thick."""
    shift = simulate(
        measured("x", BAD), 1, "x", lambda since: since / 1500, items=ITEMS, begins=BEGINS
    )
    assert shift.lost is not None
    assert 1 < shift.lost < 700
    assert "reject-rate-high" in shift.began


@pytest.mark.parametrize("seed", range(3))
def test_a_clean_shift_has_no_alarm(seed: int) -> None:
    """And the unstamped items that it has are rejected."""
    shift = simulate(measured("x", BAD), seed, items=ITEMS, begins=BEGINS)
    assert (shift.false, shift.began, shift.passed, shift.lost) == ([], {}, 0, None)


def test_the_figures_of_some_shifts_are_a_line_for_each_alarm() -> None:
    """Median and greatest; of how many shifts."""
    shifts = [Shift({"latency": 3}), Shift({"latency": 9, "disk": 1}, passed=1)]
    head, *lines = described("hot", shifts)
    assert head.startswith("hot: 0 stamped items rejected before the first alarm (median), 1 unst")
    assert lines == [
        "  disk               after 1 items, at most 1, in 1 of 2 shifts",
        "  latency            after 6 items, at most 9, in 2 of 2 shifts",
    ]


def test_what_happens_to_a_camera_shows_more_at_each_level() -> None:
    """Level 0 is as before, but for the frame's own noise, which is added later."""
    draw = np.random.default_rng(1)
    surround = draw.integers(60, 200, (SIDE + 40, SIDE + 60, 3), dtype=np.uint8)
    place = Place(surround, [surround[:SIDE, :SIDE]], [])
    frame = place.filled(place.stamped[0], draw).astype(np.uint8)
    for degrade, levels in HAPPENINGS.values():
        apart = [
            float(np.abs(degrade(frame, level).astype(float) - frame).mean())
            for level in levels[:4]
        ]
        assert apart[0] == 0.0
        assert min(apart[1:]) > 0.0
        assert degrade(frame, levels[-1]).shape == frame.shape
    assert {happening for happening, _ in COURSES.values()} == set(HAPPENINGS)
