"""What really is at a production line: belt, items, photo-eye, encoder, reject device, bin.

The belt moves by quarters of an encoder count. Every event of the world happens at a quarter, or at
a moment that it schedules; so a history is exact and can be repeated.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Self

from edge.gate.lines import BOTH_EDGES, WireEvent
from edge.wiring import (
    CONFIRM,
    ENCODER_A,
    ENCODER_B,
    INPUTS,
    REJECT_LINE,
    RESET,
    SAFE,
    TRIGGER,
)

MS = 1_000_000
BEFORE, BEHIND = 4, 8
"""Quarters before and behind its middle in which the reject device reaches an item."""
TRACKS = ((0, 0), (1, 0), (1, 1), (0, 1))
"""Levels of the encoder's two tracks, quarter by quarter; forward from left to right."""
FAR = 100_000
"""Quarters by which the belt's zero is moved, so that no modulus is of a negative number."""


class Clock:
    """The moment, which only the history moves; a clock as the gate wants one, to be read."""

    def __init__(self) -> None:
        self.t_ns = 1_000 * MS

    def now_ns(self) -> int:
        """Tell the present moment."""
        return self.t_ns


@dataclass(eq=False)
class Product:
    """An item with its truth. *front*: how far the belt has run when its front is at the photo-eye.

    *length*: in quarters, as *front*.
    """

    number: int
    stamped: bool
    front: int
    length: int
    touched: bool = False
    """Whether hands moved it or put it there, while the belt ran."""
    on_belt: bool = True
    seen: list[int] = field(default_factory=list)
    """Moments of the photo-eye's edges that it made."""
    zone: list[tuple[int, bool]] = field(default_factory=list)
    """While the device reaches it: moments, and from each on whether it would be thrown."""
    thrown_ns: int | None = None
    passed_ns: int | None = None
    valve_failed: bool = False
    """Whether the valve fails for it, unless a stretch is thrown."""


class Wires:
    """The lines of the gate, with the kernel's buffer of edges; the world makes the edges.

    *room*: edges that the buffer holds; the oldest is lost when there is one more.
    """

    def __init__(self, clock: Clock, room: int = 1024) -> None:
        self.clock, self.room = clock, room
        self.levels = dict.fromkeys(INPUTS, 0)
        self.outputs = dict(SAFE)
        self.changed: Callable[[str], None] = lambda _: None
        self.numbers: dict[str, int] = {}
        self._total = 0
        self._buffer: list[tuple[WireEvent, int, int]] = []
        self._read: dict[str, int] = {}
        self._read_total = 0

    def edge(self, line: str, level: int, *, seen: bool = True) -> None:
        """Change an input's level; the kernel numbers the edge unless it has not *seen* it."""
        if self.levels[line] == level:
            return
        self.levels[line] = level
        if not seen or (level == 0 and line not in BOTH_EDGES):
            return
        self._total += 1
        self.numbers[line] = self.numbers.get(line, 0) + 1
        event = WireEvent(line, level, self.clock.t_ns)
        self._buffer.append((event, self.numbers[line], self._total))
        if len(self._buffer) > self.room:
            del self._buffer[0]

    @property
    def waiting(self) -> bool:
        """Whether an edge waits to be read."""
        return bool(self._buffer)

    def taken(self) -> None:
        """Be released and requested again: a new process begins with an empty buffer."""
        self._buffer, self.numbers, self._read = [], {}, {}
        self._total = self._read_total = 0
        for line, level in SAFE.items():
            self.set(line, level)

    def read(self) -> list[WireEvent]:
        """Return the edges in the buffer, with what was lost before each."""
        events = []
        for event, number, total in self._buffer:
            lost = number - self._read.get(event.line, 0) - 1
            overflow = total - self._read_total - 1
            self._read[event.line], self._read_total = number, total
            events.append(WireEvent(event.line, event.level, event.t_ns, lost, overflow))
        self._buffer = []
        return events

    def level(self, line: str) -> int:
        """Return an input's level."""
        return self.levels[line]

    def set(self, line: str, level: int, tag: int | None = None) -> None:
        """Drive an output; the world sees it at once."""
        if self.outputs[line] != level:
            self.outputs[line] = level
            self.changed(line)

    def filenos(self) -> Sequence[int]:
        """None: the history looks itself."""
        return ()

    def next_ns(self) -> int | None:
        """None: the history looks itself."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


class Agenda:
    """What will happen, by moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, t_ns: int, what: Callable[[], None]) -> None:
        """Let *what* happen at *t_ns*."""
        self._count += 1
        heapq.heappush(self._heap, (t_ns, self._count, what))

    def after(self, delay_ns: int, what: Callable[[], None]) -> None:
        """Let *what* happen a while from now."""
        self.at(self._clock.t_ns + delay_ns, what)

    def next_ns(self) -> int | None:
        """Return the next moment, None when nothing is ahead."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Let what is due happen."""
        while self._heap and self._heap[0][0] <= self._clock.t_ns:
            heapq.heappop(self._heap)[2]()


@dataclass(frozen=True)
class Build:
    """How the line is built. *distance*: quarters from the photo-eye to the device's middle."""

    distance: int
    tracks: int
    confirm: bool
    accepts: bool
    bounces: float = 0.0
    valve_fails: float = 0.0
    transit_ms: tuple[int, int] = (100, 140)
    """From the device to the bin's sensor."""


class World:
    """The belt and all that is on it."""

    def __init__(
        self, build: Build, clock: Clock, agenda: Agenda, wires: Wires, rng: Random
    ) -> None:
        self.build, self.clock, self.agenda, self.wires, self.rng = build, clock, agenda, wires, rng
        self.x = 0
        """How far the belt has run, in quarters."""
        self.products: list[Product] = []
        self.heading = 0
        self.quarter_ns = 5 * MS
        self.unseen = {TRIGGER: 0, ENCODER_A: 0}
        """How many of the next edges of photo-eye and encoder the kernel does not see."""
        self.bin_expected_ns: list[int] = []
        self.all_thrown: Callable[[], bool] = lambda: False
        """Whether the gate throws a stretch now, where nobody can tell that one is missing."""
        self._ticking = False
        self._covers: Product | None = None
        wires.changed = self._output_changed

    # Motion

    def run(self, heading: int, quarter_ns: int) -> None:
        """Let the belt run forward (1), back (-1), or stand (0)."""
        self.heading, self.quarter_ns = heading, quarter_ns
        if heading and not self._ticking:
            self._ticking = True
            self.agenda.after(quarter_ns, self._tick)

    def _tick(self) -> None:
        if not self.heading:
            self._ticking = False
            return
        self.x += self.heading
        self._turn_encoder()
        self._look_at_eye()
        for product in self.products:
            if product.on_belt and product.passed_ns is None:
                self._at_device(product)
        self.agenda.after(self.quarter_ns, self._tick)

    def _turn_encoder(self) -> None:
        levels = zip((ENCODER_A, ENCODER_B), TRACKS[(self.x + FAR) % 4], strict=True)
        for line, level in list(levels)[: self.build.tracks]:
            self._edge(line, level, ENCODER_A)

    def _edge(self, line: str, level: int, what: str) -> None:
        """Change an input, and let the kernel miss it as often as it was told to."""
        if self.wires.levels[line] == level:
            return
        seen = not self.unseen[what]
        self.unseen[what] -= not seen
        self.wires.edge(line, level, seen=seen)

    def _look_at_eye(self) -> None:
        covers = next(
            (p for p in self.products if p.on_belt and 0 <= self.x - p.front < p.length), None
        )
        if covers is not None and self._covers is None:
            covers.seen.append(self.clock.t_ns)
        self._covers = covers
        self._edge(TRIGGER, int(covers is not None), TRIGGER)

    def look_again(self) -> None:
        """Let the photo-eye see what hands have done."""
        self._look_at_eye()

    # The device

    def place(self, product: Product) -> int:
        """Quarters by which an item is behind the device's middle; negative before it."""
        return self.x - product.front - self.build.distance

    @property
    def throws(self) -> bool:
        """Whether the device throws off what it reaches now."""
        return bool(self.wires.outputs[REJECT_LINE]) != self.build.accepts

    def _at_device(self, product: Product) -> None:
        place = self.place(product)
        if place == -BEFORE and self.heading > 0 and not product.zone:
            self._reach(product)
        elif place == 2 and product.stamped and product.zone and not self.build.accepts:
            if self.throws:
                self._throw(product)
        elif place > BEHIND and product.zone:
            if product.stamped and self.build.accepts and self.surely_thrown(product):
                self._throw(product)
            product.passed_ns = self.clock.t_ns

    def _output_changed(self, line: str) -> None:
        if line != REJECT_LINE:
            return
        for product in self.products:
            if product.on_belt and product.zone and product.passed_ns is None:
                self._reach(product)

    def _reach(self, product: Product) -> None:
        """Let the device act on an item in its reach.

        An item that must be thrown is thrown at any moment in its reach, as the delay is set for
        its middle. A good one is thrown by a pulse when its middle is there, or passes by one at
        any moment where the pulse accepts.
        """
        product.zone.append((self.clock.t_ns, self.throws))
        if self.throws and not product.stamped:
            self._throw(product)

    def _throw(self, product: Product) -> None:
        if not product.on_belt or (product.valve_failed and not self.all_thrown()):
            return
        product.on_belt, product.thrown_ns = False, self.clock.t_ns
        low, high = self.build.transit_ms
        self._to_bin(self.clock.t_ns + self.rng.randint(low, high) * MS)

    def surely_thrown(self, product: Product) -> bool:
        """Whether the device threw all the while that it reached the item."""
        return {throws for _, throws in product.zone} == {True}

    def _to_bin(self, t_ns: int) -> None:
        if not self.build.confirm:
            return
        self.blink(CONFIRM, t_ns, 3)
        if self.rng.random() < self.build.bounces:
            self.blink(CONFIRM, t_ns + self.rng.randint(6, 12) * MS, 3)

    def blink(self, line: str, t_ns: int, ms: int) -> None:
        """Let an input be high for a while."""
        self.agenda.at(t_ns, lambda: self.wires.edge(line, 1))
        self.agenda.at(t_ns + ms * MS, lambda: self.wires.edge(line, 0))

    # Hands

    def press_reset(self) -> None:
        """Press the button."""
        self.blink(RESET, self.clock.t_ns, 20)

    def free(self, front: int, length: int, but: Product | None = None) -> bool:
        """Whether an item may lie there: clear of photo-eye, device and others."""
        behind = self.x - front
        if not length < behind < self.build.distance - BEFORE - 1:
            return False
        return all(
            front + length <= p.front or front >= p.front + p.length
            for p in self.products
            if p.on_belt and p is not but
        )
