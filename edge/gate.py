"""The gate as the station sees it, and one without hardware in the station's own process.

What a gate does is told in :mod:`edge.rejects`. The real one is a process of its own that outlives the eye
(:mod:`edge.gatekeeper`); the station speaks to it through :mod:`edge.gate_client`. Both know numbers and moments, no
picture, no model and no verdict. Standard library only.
"""

import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from edge.clock import Attendant, Clock
from edge.config import Config, GateSettings
from edge.edges import FAULT_LINE, REJECT_LINE, Edge, EdgeRecord
from edge.errors import ConfigError
from edge.lines import ENCODER_A, ENCODER_B, TRIGGER, wired
from edge.rejects import Outcome, RejectQueue


class Gate(Protocol):
    """What the station asks of a gate; open inside its ``with`` block.

    An item goes by its *tag*, the gate's own number for it.
    """

    def __enter__(self) -> Self:
        """Begin. Raises GateError or ConfigError."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; items already under way still arrive and are rejected."""

    def expect(self, sequence: int, t_trigger_ns: int) -> int:
        """Enter an item at its trigger and return its tag. Raises GateError."""

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Take the eye's answer. Raises GateError when the gate is gone."""

    def withdraw(self, tag: int) -> None:
        """Take a cancellation back."""

    def settle(self, tag: int) -> None:
        """Say that the item is written down: what becomes of the eye no longer matters to it."""

    def complain(self, trouble: str) -> None:
        """Show *trouble* on the FAULT output, from now on and until it is said to be over with an empty text."""

    def adopt(self, settings: GateSettings) -> None:
        """Let changed settings count from now on; items under way keep their moments."""

    def check(self) -> None:
        """Raise when the gate no longer keeps time."""

    def facts(self) -> Mapping[str, object]:
        """What the gate says of itself, for the journal; empty for one that has nothing to say."""


class SimulatedGate:
    """A gate without hardware: it keeps time like a real one and records every edge of its lines.

    *record*: a file to which each edge is added as a JSON line. Every output is low outside the ``with`` block.

    Synchronization: the station's thread calls, the clock's attendant acts; one lock guards the queue and the line.
    """

    def __init__(self, settings: GateSettings, clock: Clock, record: Path | None = None) -> None:
        self._clock = clock
        self._queue = make_queue(settings)
        self._record = EdgeRecord(clock, record)
        self._lock = threading.Lock()
        self._attendant: Attendant | None = None
        self._complained = False

    @property
    def edges(self) -> deque[Edge]:
        """The edges so far, the oldest first."""
        return self._record.edges

    def __enter__(self) -> Self:
        self._record.open()
        with self._lock:
            self._record.note(REJECT_LINE, 0, None)
        if self._record.trouble is not None:
            raise self._record.trouble
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
                self._record.note(REJECT_LINE, 0, None)
                self._show_trouble(on=False)
                self._record.close()

    def expect(self, sequence: int, t_trigger_ns: int) -> int:
        """Enter an item at its trigger; its tag is its number in the journal."""
        with self._lock:
            self._queue.expect(sequence, t_trigger_ns)
        self.check()
        return sequence

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Take the eye's answer."""
        with self._lock:
            return self._queue.answer(tag, cancel=cancel, now_ns=self._clock.now_ns())

    def withdraw(self, tag: int) -> None:
        """Take a cancellation back."""
        with self._lock:
            self._queue.withdraw(tag)

    def settle(self, tag: int) -> None:
        """Nothing to do: this gate does not outlive the eye."""

    def complain(self, trouble: str) -> None:
        """Raise or lower the FAULT line."""
        with self._lock:
            self._show_trouble(on=bool(trouble))

    def adopt(self, settings: GateSettings) -> None:
        """Let pulses from now on be as long as *settings* say."""
        with self._lock:
            retime(self._queue, settings)

    def check(self) -> None:
        """Raise RuntimeError when nobody keeps time for the gate, JournalError when its edges are not recorded."""
        assert self._attendant is not None
        self._attendant.wake()
        if self._record.trouble is not None:
            raise self._record.trouble

    def facts(self) -> Mapping[str, object]:
        """Nothing: all it could say stands in the station's own counters."""
        return {}

    def next_ns(self) -> int | None:
        """When the gate must act next."""
        with self._lock:
            return self._queue.next_ns()

    def act(self) -> None:
        """Do what is due by now."""
        with self._lock:
            for level, sequence in self._queue.step(self._clock.now_ns()):
                self._record.note(REJECT_LINE, level, sequence)
                if level:
                    self._queue.rose(self._record.edges[-1].t_ns)

    def _show_trouble(self, *, on: bool) -> None:
        """Move the FAULT line; it is not in the record of a run in which there never was any."""
        if on or self._complained:
            self._complained = True
            self._record.note(FAULT_LINE, int(on), None)


def make_queue(settings: GateSettings) -> RejectQueue:
    """Make the queue that ``[gate]`` asks for."""
    by_counts = settings.reject_delay_counts > 0
    delay = settings.reject_delay_counts if by_counts else round(settings.reject_delay_ms * 1e6)
    queue = RejectQueue(delay, round(settings.pulse_ms * 1e6), by_counts=by_counts, accepts=settings.pulse == "accepts")
    retime(queue, settings)
    return queue


def retime(queue: RejectQueue, settings: GateSettings) -> None:
    """Give a queue the pulse and the gap of *settings*; :func:`check_gate` allows no gap by counts."""
    queue.retime(round(settings.pulse_ms * 1e6), round(settings.merge_gap_ms * 1e6))


def check_gate(config: Config) -> None:
    """Check what the sections on the gate say together. Raises ConfigError with one line."""
    gate, lines, process = config.gate, config.lines, config.gate.driver == "process"
    by_counts = gate.reject_delay_counts > 0
    names = wired(lines)
    unnamed = [role for role in lines.active_low if role not in names]
    twice = len(set(names.values())) < len(names)
    wrong = {
        '[trigger] kind "photo-eye" needs [gate] driver "process"': config.trigger.kind == "photo-eye" and not process,
        '[trigger] kind "photo-eye" needs a name in [lines] trigger': (
            config.trigger.kind == "photo-eye" and TRIGGER not in names
        ),
        '[trigger] spacing_ms needs kind "photo-eye"': config.trigger.spacing_ms > 0
        and config.trigger.kind != "photo-eye",
        "[trigger] spacing_ms must be below [gate] reject_delay_ms": (
            not by_counts and config.trigger.spacing_ms >= gate.reject_delay_ms
        ),
        '[gate] reject_delay_counts needs driver "process" and a name in [lines] encoder_a': (
            by_counts and not (process and ENCODER_A in names)
        ),
        "[gate] merge_gap_ms must be 0 when the delay is in counts or the pulse accepts": (
            gate.merge_gap_ms > 0 and (by_counts or gate.pulse == "accepts")
        ),
        "[lines] encoder_b needs encoder_a": ENCODER_B in names and ENCODER_A not in names,
        '[lines] driver "gpiod" needs a name in reject': lines.driver == "gpiod" and REJECT_LINE not in names,
        f"[lines] active_low must list lines that have a name, not {', '.join(unnamed)}": bool(unnamed),
        f"[lines] must give each line a name of its own, not {', '.join(names.values())}": twice,
    }
    for sentence, amiss in wrong.items():
        if amiss:
            raise ConfigError(f"{sentence}; correct it in {config.folder}")
