"""Statistics of a camera's stream: its period, and its damaged, lost and misdated pictures."""

import statistics
from collections import deque

from edge.sections.camera import CameraSettings

WINDOW = 100
"""Number of the last pictures of which a share may be no good before it is trouble."""
PERIODS = 15
"""Number of the last periods whose median counts; one odd time stamp does not move it."""
PERIODS_AT_LEAST = 3
"""Number of periods that must be known before their median stands in for the period told."""
PERIODS_IN_VIEW = 1.25
"""Periods after the trigger within which a picture must begin unless the settings say how long: the
first one begins within one, and stamps jitter."""
SLOW = 0.8
"""Least share of the rate asked for that a camera must reach."""


class StreamStatistics:
    """Counts of a camera's pictures since it was opened.

    Synchronization: one thread.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self._asked = settings.frames_per_second
        self._damaged_above = settings.damaged_above
        self.told_ns = round(1e9 / self._asked)
        """The period that was asked for, or that the driver tells."""
        self._periods: deque[int] = deque(maxlen=PERIODS)
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self.taken = 0
        """Pictures that came, whatever they were."""
        self.damaged = 0
        """Pictures that were not whole, or not taken with the settings asked for."""
        self.lost = 0
        """Pictures that the camera counted and did not hand over, though there was a buffer."""
        self.late = 0
        """Pictures that began when their item might have left the view."""
        self.misdated = 0
        """Pictures whose time stamp cannot be true."""

    def expect_period(self, period_ns: int) -> None:
        """Take the period that the driver tells, until it is measured."""
        self.told_ns = period_ns

    def count(
        self, *, damaged: bool, misdated: bool = False, lost: int = 0, period_ns: int = 0
    ) -> None:
        """Count one picture.

        *lost*: number of pictures lost right before it; *period_ns*: time since the picture
        before; 0 when unknown.
        """
        self.taken += 1
        self.damaged += damaged
        self.misdated += misdated
        self.lost += lost
        self._recent.extend([True] * min(lost, WINDOW))
        self._recent.append(damaged or misdated)
        if period_ns > 0:
            self._periods.append(period_ns)

    def count_undecodable(self) -> None:
        """Count the picture that came last as damaged: it could not be decoded."""
        self.damaged += 1
        if self._recent:
            self._recent[-1] = True

    @property
    def period_ns(self) -> int:
        """Time from one picture to the next, nanoseconds: measured, else as the driver told."""
        if len(self._periods) < PERIODS_AT_LEAST:
            return self.told_ns
        return round(statistics.median(self._periods))

    @property
    def longest_period_ns(self) -> int:
        """Longest time from one picture to the next: while not measured, that of a slow camera."""
        measured = len(self._periods) >= PERIODS_AT_LEAST
        return self.period_ns if measured else round(self.told_ns / SLOW)

    @property
    def trouble(self) -> str:
        """The stream's trouble, in words; empty when it is as it should be."""
        rate = 1e9 / self.period_ns
        if len(self._periods) == PERIODS and rate < SLOW * self._asked:
            return (
                f"the camera gives fewer pictures than asked for: {rate:.1f} a second, not "
                f"{self._asked:g}; it needs more light, another port or [camera] pixel_format"
            )
        bad = sum(self._recent)
        if bad > self._damaged_above * WINDOW:
            return (
                f"the camera's pictures are damaged, lost or misdated: {bad} of the last {WINDOW}; "
                "check its cable, port and supply"
            )
        return ""

    def as_facts(self) -> dict[str, float]:
        """Return the counts, and the pictures a second once they are measured."""
        counts: dict[str, float] = {
            "taken": self.taken,
            "damaged": self.damaged,
            "lost": self.lost,
            "late": self.late,
            "misdated": self.misdated,
        }
        if len(self._periods) >= PERIODS_AT_LEAST:
            counts["per_second"] = round(1e9 / self.period_ns, 1)
        return counts
