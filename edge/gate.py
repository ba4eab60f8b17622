"""The gate: every item is rejected when it arrives, unless the answer cancelled that in time.

An item is entered at its trigger with the verdict REJECT and the moment it is due at the gate. The eye may only cancel.
No answer, a late answer, a dead eye: the pulse comes all the same. The reject line is low before, between and after.

Standard library only and no picture, no model, no verdict in sight: the gate is to become a process of its own that
outlives the eye, and speaks in sequence numbers and moments already. The method is that of the field's timing
controllers, e.g. the manual of the Gardasoft CC320, section 6.
"""

import contextlib
import dataclasses
import json
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Protocol, Self

from edge.clock import Attendant, Clock
from edge.config import GateSettings
from edge.errors import ConfigError, JournalError

REJECT_LINE = "reject"
EDGES_KEPT = 10_000
"""Edges the simulated gate remembers; more are in its record only, so a long run does not fill the memory."""
OVERDUE_KEPT = 256
"""Items past the gate whose answer is still awaited; beyond that the oldest is forgotten and its answer is unknown."""

Outcome = Literal["cancelled", "kept", "late", "unknown"]
"""What an answer did: cancelled the reject, left it standing, came after the item was due, or named no known item."""


@dataclass(frozen=True)
class Entry:
    """An item between the eye and the gate."""

    sequence: int
    t_trigger_ns: int
    due_ns: int
    """When it is at the gate, monotonic nanoseconds."""
    reject: bool = True
    answered: bool = False


@dataclass(frozen=True)
class Edge:
    """One change of an output: *level* 1 is high; *sequence*: the item it was for, None when it was for none."""

    line: str
    level: int
    t_ns: int
    sequence: int | None


@dataclass(frozen=True)
class Pulse:
    """One time that the reject line was high: the first item it was for, and when, in monotonic nanoseconds."""

    sequence: int | None
    start_ns: int
    end_ns: int


class RejectQueue:
    """The arithmetic of the gate: no clock, no thread, no output, so every case can be tried exactly.

    A pulse lasts *pulse_ns* from the moment it begins. An item that comes due while the line is high, or at the very
    moment it would go low, prolongs the pulse: merged pulses are one, never two with no gap between.
    """

    def __init__(self, delay_ns: int, pulse_ns: int) -> None:
        self._delay_ns, self._pulse_ns = delay_ns, pulse_ns
        self._ahead: dict[int, Entry] = {}
        self._overdue: dict[int, Entry] = {}
        self._until_ns: int | None = None
        self._last: int | None = None

    def expect(self, sequence: int, t_trigger_ns: int) -> Entry:
        """Enter an item at its trigger; it will be rejected unless :meth:`answer` cancels that in time."""
        if sequence in self._ahead or sequence in self._overdue:
            raise ValueError(f"item {sequence} is already at the gate")
        entry = Entry(sequence, t_trigger_ns, t_trigger_ns + self._delay_ns)
        self._ahead[sequence] = entry
        return entry

    def answer(self, sequence: int, *, cancel: bool, now_ns: int) -> Outcome:
        """Take the eye's answer; it can cancel a reject that is still ahead, and nothing else."""
        if self._overdue.pop(sequence, None):
            return "late"
        entry = self._ahead.get(sequence)
        if entry is None or entry.answered:
            return "unknown"
        in_time = now_ns < entry.due_ns
        self._ahead[sequence] = dataclasses.replace(entry, answered=True, reject=not (cancel and in_time))
        if not in_time:
            return "late"
        return "cancelled" if cancel else "kept"

    def withdraw(self, sequence: int) -> None:
        """Take a cancellation back: the item is rejected after all, if it is still ahead."""
        if sequence in self._ahead:
            self._ahead[sequence] = dataclasses.replace(self._ahead[sequence], reject=True)

    def next_ns(self) -> int | None:
        """When :meth:`step` must be called next; None when the line is low and no item is ahead."""
        moments = [entry.due_ns for entry in self._ahead.values()]
        return min(moments if self._until_ns is None else [*moments, self._until_ns], default=None)

    def step(self, now_ns: int) -> list[tuple[int, int | None]]:
        """Do what is due at *now_ns*, in order; return the levels the line takes, each with the item it is for."""
        levels: list[tuple[int, int | None]] = []
        while (moment := self.next_ns()) is not None and moment <= now_ns:
            due = [entry for entry in self._ahead.values() if entry.due_ns == moment]
            for entry in due:
                levels += self._arrive(entry, now_ns)
            if not due:
                levels.append((0, self._last))
                self._until_ns = None
        return levels

    def rose(self, now_ns: int) -> None:
        """Say when the line was really high: the pulse lasts from then, however long the rise itself took."""
        if self._until_ns is not None:
            self._until_ns = max(self._until_ns, now_ns + self._pulse_ns)

    def _arrive(self, entry: Entry, now_ns: int) -> list[tuple[int, int | None]]:
        del self._ahead[entry.sequence]
        if not entry.answered:
            self._overdue[entry.sequence] = entry
            while len(self._overdue) > OVERDUE_KEPT:
                del self._overdue[next(iter(self._overdue))]
        if not entry.reject:
            return []
        rises = self._until_ns is None
        # From now, not from the due moment: a pulse that begins a little late still moves the flap all the way.
        self._until_ns, self._last = now_ns + self._pulse_ns, entry.sequence
        return [(1, entry.sequence)] if rises else []


class Gate(Protocol):
    """What the station asks of a gate; open inside its ``with`` block, and every output is low outside it."""

    def __enter__(self) -> Self:
        """Drive every output low and begin to keep time."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the items already under way arrive and be rejected, then drive every output low."""

    def expect(self, sequence: int, t_trigger_ns: int) -> None:
        """Enter an item at its trigger."""

    def answer(self, sequence: int, *, cancel: bool) -> Outcome:
        """Take the eye's answer."""

    def withdraw(self, sequence: int) -> None:
        """Take a cancellation back."""

    def check(self) -> None:
        """Raise when the gate no longer keeps time."""


class SimulatedGate:
    """A gate without hardware: it keeps time like a real one and records every edge of its line.

    *record*: a file to which each edge is added as a JSON line at once (no fsync: it is no evidence).

    Synchronization: the station's thread calls, the clock's attendant acts; one lock guards the queue and the line.
    """

    def __init__(self, settings: GateSettings, clock: Clock, record: Path | None = None) -> None:
        self.edges: deque[Edge] = deque(maxlen=EDGES_KEPT)
        self._clock, self._path = clock, record
        self._queue = RejectQueue(round(settings.reject_delay_ms * 1e6), round(settings.pulse_ms * 1e6))
        self._lock = threading.Lock()
        self._level: int | None = None
        self._attendant: Attendant | None = None
        self._record: IO[str] | None = None
        self._trouble: JournalError | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._record = self._path.open("a", encoding="utf-8")
            except OSError as error:
                raise ConfigError(
                    f"{self._path}: [gate] record must be a file that can be written ({error.strerror}); name another"
                ) from None
        with self._lock:
            self._set(0, None)
        if self._trouble is not None:
            raise self._trouble
        self._attendant = self._clock.attend(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._attendant is not None
        try:
            while (moment := self.next_ns()) is not None:
                self._attendant.wake()
                self._clock.sleep_until(max(moment, self._clock.now_ns() + 1_000_000))
        finally:
            self._attendant.stop()
            with self._lock:
                self._set(0, None)
                self._close_record()

    def expect(self, sequence: int, t_trigger_ns: int) -> None:
        """Enter an item at its trigger."""
        with self._lock:
            self._queue.expect(sequence, t_trigger_ns)
        self.check()

    def answer(self, sequence: int, *, cancel: bool) -> Outcome:
        """Take the eye's answer."""
        with self._lock:
            return self._queue.answer(sequence, cancel=cancel, now_ns=self._clock.now_ns())

    def withdraw(self, sequence: int) -> None:
        """Take a cancellation back."""
        with self._lock:
            self._queue.withdraw(sequence)

    def check(self) -> None:
        """Raise RuntimeError when nobody keeps time for the gate, JournalError when its edges are not recorded."""
        assert self._attendant is not None
        self._attendant.wake()
        if self._trouble is not None:
            raise self._trouble

    def next_ns(self) -> int | None:
        """When the gate must act next."""
        with self._lock:
            return self._queue.next_ns()

    def act(self) -> None:
        """Do what is due by now."""
        with self._lock:
            for level, sequence in self._queue.step(self._clock.now_ns()):
                self._set(level, sequence)
                if level:
                    self._queue.rose(self.edges[-1].t_ns)

    def _set(self, level: int, sequence: int | None) -> None:
        if level == self._level:
            return
        self._level = level
        edge = Edge(REJECT_LINE, level, self._clock.now_ns(), sequence)
        self.edges.append(edge)
        if self._record is not None:
            try:
                self._record.write(json.dumps(dataclasses.asdict(edge)) + "\n")
                self._record.flush()
            except OSError as error:
                # Told by check(), in the station's thread; here the line must go on keeping its time.
                self._trouble = JournalError(
                    f"{self._path}: the gate's record cannot be written ({error.strerror}); make room there"
                )
                self._close_record()

    def _close_record(self) -> None:
        if self._record is not None:
            with contextlib.suppress(OSError):  # it tries once more to write what did not fit
                self._record.close()
            self._record = None


def read_edges(path: Path) -> list[Edge]:
    """Read a simulated gate's record."""
    return [Edge(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def pulses(edges: Iterable[Edge]) -> list[Pulse]:
    """Pair the edges of the reject line: each rise with the fall that follows it."""
    found: list[Pulse] = []
    rise: Edge | None = None
    for edge in edges:
        if edge.level:
            rise = edge
        elif rise is not None:
            found.append(Pulse(rise.sequence, rise.t_ns, edge.t_ns))
            rise = None
    return found
