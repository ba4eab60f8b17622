"""The conditions that raise an alarm, each with the point at which it begins and ends."""

from collections import deque
from collections.abc import Mapping
from typing import Any

PASSES_TO_END = 3
"""Items running that must pass before rejects in a row have ended."""
LATENCIES, LATE_BEGIN, LATE_END = 100, 5, 1
"""Of the last so many items as many late ones begin the alarm, and so few end it."""
COOLER_C = 5.0
"""How far below its limit the temperature must fall, degrees Celsius."""
ROOMIER = 1.2
"""How many times its limit the free room must be."""


class Row:
    """Rejects in a row: items running that did not pass.

    Synchronization: one thread.
    """

    def __init__(self, limit: int) -> None:
        """*limit*: items running that sound; 0 for none."""
        self._limit, self.rejects, self._passes = limit, 0, 0
        self.sounds = False

    def note(self, passed: bool) -> None:
        """Take note of the next item."""
        self._passes = self._passes + 1 if passed else 0
        if not passed:
            self.rejects += 1
        elif not self.sounds or self._passes >= PASSES_TO_END:
            self.rejects, self.sounds = 0, False
        if self._limit and self.rejects >= self._limit:
            self.sounds = True


class Lateness:
    """Answers that come close to the reject delay.

    Synchronization: one thread.
    """

    def __init__(self, limit_ms: float) -> None:
        """*limit_ms*: the latency from which on an answer is close; 0 for none."""
        self._limit_ms = limit_ms
        self._late: deque[bool] = deque(maxlen=LATENCIES)
        self.sounds = False

    @property
    def late(self) -> int:
        """How many of the last answers came close."""
        return sum(self._late)

    def note(self, ms: float) -> None:
        """Take note of an answer's latency."""
        self._late.append(self._limit_ms > 0 and ms >= self._limit_ms)
        self.sounds = self.late >= LATE_BEGIN or (self.sounds and self.late > LATE_END)


class Silence:
    """No item for a while though the line should run.

    Synchronization: one thread.
    """

    def __init__(self, now_ns: int) -> None:
        self._since_ns = now_ns
        self.sounds = False

    def item(self, now_ns: int) -> None:
        """Take note of an item, which ends it."""
        self._since_ns, self.sounds = now_ns, False

    def look(self, now_ns: int, limit_ns: int, *, should_run: bool) -> None:
        """Look whether the line has been silent for too long; 0 never is."""
        if not should_run:
            self._since_ns, self.sounds = now_ns, False
        elif limit_ns:
            self.sounds = now_ns - self._since_ns >= limit_ns
        else:
            self.sounds = False


class Level:
    """A figure beyond its limit until it is well within again.

    Synchronization: one thread.
    """

    def __init__(self) -> None:
        self.value: float | None = None
        self.sounds = False

    def note(self, value: float | None, *, beyond: bool, within: bool) -> None:
        """Take note of the figure; one that cannot be read (None) changes nothing."""
        if value is not None:
            self.value = value
            self.sounds = beyond or (self.sounds and not within)


def is_throttled(sensors: Mapping[str, Any]) -> bool:
    """Tell whether the processor is held back, or its power too low, at this moment.

    *sensors*: those of :func:`edge.record.telemetry.telemetry`; the four lowest bits are of now.
    """
    bits = int(str(sensors.get("throttled") or "0x0"), 16)
    return bool(bits & 0xF) or sensors.get("undervoltage") is True
