"""What says that an item is in front of the camera."""

from typing import Protocol

from edge.camera import Camera
from edge.clock import Clock, Stop
from edge.config import TriggerSettings


class Trigger(Protocol):
    """Tells when an item comes by.

    Synchronization: one thread per instance.
    """

    @property
    def skipped(self) -> int:
        """How many came while the station was busy and were not judged: nothing is dropped silently."""

    def wait(self, until_ns: int, stop: Stop) -> int | None:
        """Wait until *until_ns* for an item; its moment in monotonic nanoseconds, None when none came."""


class EveryFrame:
    """Every new picture is an item: for a camera that is triggered itself, and for replayed folders."""

    skipped = 0

    def __init__(self, camera: Camera, clock: Clock) -> None:
        self._camera, self._clock = camera, clock

    def wait(self, until_ns: int, stop: Stop) -> int | None:
        """Wait until *until_ns* for the camera's next picture."""
        return self._clock.now_ns() if self._camera.wait(until_ns, stop) else None


class Interval:
    """One item each *interval_ns*, like a clock; ticks that pass while the station is busy are skipped and counted."""

    def __init__(self, interval_ns: int, clock: Clock) -> None:
        self._interval_ns, self._clock = interval_ns, clock
        self._next_ns = clock.now_ns()
        self.skipped = 0

    def wait(self, until_ns: int, stop: Stop) -> int | None:
        """Wait until *until_ns* for the next tick; the tick's own moment is returned, so the beat does not drift."""
        late = (self._clock.now_ns() - self._next_ns) // self._interval_ns
        if late > 0:
            self.skipped += late
            self._next_ns += late * self._interval_ns
        if self._clock.wait_until(min(until_ns, self._next_ns), stop) or self._clock.now_ns() < self._next_ns:
            return None
        tick_ns, self._next_ns = self._next_ns, self._next_ns + self._interval_ns
        return tick_ns


def make_trigger(settings: TriggerSettings, camera: Camera, clock: Clock) -> Trigger:
    """Make the trigger that the settings ask for."""
    if settings.kind == "interval":
        return Interval(round(settings.interval_ms * 1e6), clock)
    return EveryFrame(camera, clock)
