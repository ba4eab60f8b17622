"""One shift: items drawn from what was measured, and the alarms of the box, fed as the box does."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.shift.measured import Level, Look, Measured
from edge.alarms.line_alarms import LineAlarms
from edge.clock import SimulatedClock
from edge.config import Config
from edge.imaging.watch import CameraWatch

ITEMS, BEGINS = 20_000, 5_000
"""Items of a shift, and the item at which something happens to the camera."""
UNSTAMPED_SHARE = 0.005
"""Share of the items without a stamp, throughout."""
COMPARED_EVERY = 20
"""Items between two comparisons with the reference."""
ITEM_NS = 500_000_000
"""Two items a second."""
LATENCY_MS = 100.0
Course = Callable[[int], float]
"""Gives the level of what happens, by the items since it began."""


@dataclass
class Shift:
    """What came of a shift: the items, from the happening on, after which each alarm began."""

    began: dict[str, int] = field(default_factory=dict)
    false: list[str] = field(default_factory=list)
    """Alarms before anything had happened."""
    lost: int | None = None
    """After how many items the first stamped one was rejected."""
    rejected: int = 0
    """Stamped items rejected since, until the first alarm."""
    passed: int = 0
    """Unstamped items that passed, in the whole shift."""


def simulate(
    measured: Measured,
    seed: int,
    happening: str = "",
    course: Course = lambda _: 0.0,
    items: int = ITEMS,
    begins: int = BEGINS,
) -> Shift:
    """Simulate a shift; without a *happening* it is a clean one."""
    draw = random.Random(seed)  # noqa: S311 - a shift is no secret
    clock, shift = SimulatedClock(), Shift()
    alarms, watch = LineAlarms(Config(), clock, "shift", measured.least), CameraWatch()
    levels = measured.levels[happening or next(iter(measured.levels))]
    before: set[str] = set()
    for number in range(1, items + 1):
        since = number - begins if happening else -1
        at = _level_at(levels, course(since) if since > 0 else 0.0, draw)
        stamped = draw.random() >= UNSTAMPED_SHARE
        look: Look = draw.choice(at.stamped if stamped else at.unstamped)
        _note(shift, look, stamped, since)
        clock.sleep_until(clock.now_ns() + ITEM_NS)
        alarms.item(look.verdict, LATENCY_MS)
        sounding = {change.code for change in alarms.look() if change.begun}
        if number % COMPARED_EVERY == 0:
            watch.note(look.comparison)
            now = {trouble.code for trouble in watch.troubles}
            sounding |= now - before
            before = now
        for code in sorted(sounding):
            if since <= 0:
                shift.false.append(f"{code} at item {number}")
            else:
                shift.began.setdefault(code, since)
    return shift


def _note(shift: Shift, look: Look, stamped: bool, since: int) -> None:
    passes = look.verdict.kind == "pass"
    shift.passed += passes and not stamped
    if since > 0 and stamped and not passes:
        shift.lost = since if shift.lost is None else shift.lost
        shift.rejected += not shift.began


def _level_at(levels: Sequence[Level], level: float, draw: random.Random) -> Level:
    """Return one of the two measured levels around *level*, the nearer the likelier."""
    above = next((n for n, one in enumerate(levels) if one.level >= level), len(levels) - 1)
    if above == 0 or levels[above].level <= level:
        return levels[above]
    low, high = levels[above - 1], levels[above]
    return high if draw.random() < (level - low.level) / (high.level - low.level) else low
