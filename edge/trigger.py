"""The triggers: each says when an item is in front of the camera."""

from dataclasses import dataclass
from typing import Protocol

from edge.camera import Camera
from edge.clock import Clock, Stop
from edge.gate import Gate
from edge.gate.client import KEPT, RemoteGate
from edge.gate.messages import ItemSeen, Missed
from edge.sections.trigger import TriggerSettings


@dataclass(frozen=True)
class Item:
    """An item that has come by."""

    t_ns: int
    """When, in monotonic nanoseconds."""
    tag: int | None = None
    """The gate's number for it; None when the gate has not heard of it yet."""
    trouble: str = ""
    """The reason why it cannot be judged; empty when it can."""
    run: str = ""
    """The life of the gate that saw it, where that has ended; else empty."""
    seen_as: int = 0
    """Its number there, else 0."""


class Trigger(Protocol):
    """Tells when an item comes by.

    Synchronization: one thread per instance.
    """

    @property
    def skipped(self) -> int:
        """Number of items that came while the station was busy and were not judged."""

    def wait(self, until_ns: int, stop: Stop) -> Item | None:
        """Wait until *until_ns* for an item; None when none came."""

    def next_ns(self, item: Item) -> int | None:
        """Return when the item after *item* came or will come by; None when nobody knows of one."""


class EveryFrame:
    """Every new picture is an item.

    For a camera that is triggered itself, and for replayed folders.
    """

    skipped = 0

    def __init__(self, camera: Camera, clock: Clock) -> None:
        self._camera, self._clock = camera, clock

    def wait(self, until_ns: int, stop: Stop) -> Item | None:
        """Wait until *until_ns* for the camera's next picture."""
        return Item(self._clock.now_ns()) if self._camera.wait(until_ns, stop) else None

    def next_ns(self, item: Item) -> int | None:  # noqa: ARG002 - the picture itself is the item
        """Return None: the next item is another picture."""
        return None


class Interval:
    """One item each *interval_ns*, like a clock.

    Ticks that pass while the station is busy are skipped and counted.
    """

    def __init__(self, interval_ns: int, clock: Clock) -> None:
        self._interval_ns, self._clock = interval_ns, clock
        self._next_ns = clock.now_ns()
        self.skipped = 0

    def wait(self, until_ns: int, stop: Stop) -> Item | None:
        """Wait until *until_ns* for the next tick.

        The item has the tick's own moment, so the interval does not drift.
        """
        late = (self._clock.now_ns() - self._next_ns) // self._interval_ns
        if late > 0:
            self.skipped += late
            self._next_ns += late * self._interval_ns
        stopped = self._clock.wait_until(min(until_ns, self._next_ns), stop)
        if stopped or self._clock.now_ns() < self._next_ns:
            return None
        tick_ns, self._next_ns = self._next_ns, self._next_ns + self._interval_ns
        return Item(tick_ns)

    def next_ns(self, item: Item) -> int | None:
        """Return the tick after that of *item*."""
        return item.t_ns + self._interval_ns


class GateTrigger:
    """The gate process reports the items: at its photo-eye, or at its own interval.

    An item that waited longer than *latest_ns* for the eye has moved on: the picture would show
    another. It cannot be judged, so it is a FAULT, and counted as skipped. Items that passed
    while no eye was there come one at a time when nothing else is to be done.
    """

    def __init__(self, gate: RemoteGate, latest_ns: int, clock: Clock) -> None:
        self._gate, self._latest_ns, self._clock = gate, latest_ns, clock
        self._told: list[ItemSeen | Missed] = []
        self._stop: Stop | None = None
        self.skipped = 0

    def wait(self, until_ns: int, stop: Stop) -> Item | None:
        """Wait until *until_ns* for the gate to report an item. Raises GateError.

        One at the photo-eye comes before any that has passed.
        """
        self._stop = stop
        self._hear(stop)
        seen = next((told for told in self._told if isinstance(told, ItemSeen)), None)
        told = seen or next(iter(self._told), None)
        if told is None:
            told = self._gate.next_item(until_ns, stop)
        else:
            self._told.remove(told)
        if told is None:
            return None
        if isinstance(told, Missed):
            return _missed(told)
        waited_ns = self._clock.now_ns() - told.t_ns
        if waited_ns <= self._latest_ns:
            return Item(told.t_ns, told.tag)
        self.skipped += 1
        return Item(
            told.t_ns,
            told.tag,
            f"triggered while the eye was busy: it waited {waited_ns / 1e6:.0f} ms",
        )

    def next_ns(self, item: Item) -> int | None:
        """Return when the next item that the gate has reported came by. Raises GateError."""
        if self._stop is not None:
            self._hear(self._stop)
        return min((told.t_ns for told in self._told if told.t_ns > item.t_ns), default=None)

    def _hear(self, stop: Stop) -> None:
        """Take what the gate has reported by now, without waiting. Raises GateError."""
        while (told := self._gate.next_item(self._clock.now_ns(), stop)) is not None:
            self._told.append(told)
            if len(self._told) > KEPT:
                raise self._gate.lost(f"it has reported {KEPT} items that wait for this eye")


class EveryFrameAndMissed(EveryFrame):
    """Every new picture is an item; missed items of a gate process come in between."""

    def __init__(self, camera: Camera, gate: RemoteGate, clock: Clock) -> None:
        super().__init__(camera, clock)
        self._gate = gate

    def wait(self, until_ns: int, stop: Stop) -> Item | None:
        """Wait for the next picture; when none is there, take a missed item if there is one.

        Raises GateError.
        """
        now_ns = self._clock.now_ns()
        if (item := super().wait(now_ns, stop)) is not None:
            return item
        if isinstance(told := self._gate.next_item(now_ns, stop), Missed):
            return _missed(told)
        return super().wait(until_ns, stop)


def _missed(told: Missed) -> Item:
    return Item(told.t_ns, told.tag, told.why, told.run, told.seen_as)


def make_trigger(
    settings: TriggerSettings, camera: Camera, clock: Clock, gate: Gate | None = None
) -> Trigger:
    """Make the trigger that ``[trigger]`` asks for.

    With a gate process, *gate* reports the items.
    """
    if isinstance(gate, RemoteGate):
        if settings.kind == "every-frame":
            return EveryFrameAndMissed(camera, gate, clock)
        return GateTrigger(gate, round(settings.latest_ms * 1e6), clock)
    if settings.kind == "interval":
        return Interval(round(settings.interval_ms * 1e6), clock)
    return EveryFrame(camera, clock)
