"""A gate without hardware, in the station's own process.

What a gate does is described in :mod:`edge.gate.rejects`.
"""

import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from edge.clock import Clock, Timer
from edge.gate.history import Transition, TransitionRecord
from edge.gate.incidents import PASSED_UNWRITTEN, Incidents, thrown_words
from edge.gate.messages import Incident
from edge.gate.rejects import Outcome, make_queue, retime
from edge.sections.gate import GateSettings
from edge.wiring import FAULT_LINE, REJECT_LINE


class SimulatedGate:
    """A gate without hardware: it keeps time like a real one and records its transitions.

    *record*: a file to which each is appended as a JSON line. Every output is low outside the
    ``with`` block. *shadow*: the reject line is locked off, and never moves.

    Synchronization: the station's thread calls, the clock's timer acts; one lock guards the queue
    and the line.
    """

    facts: Mapping[str, object] = MappingProxyType({})
    """Empty: all that this gate knows stands in the station's own counters."""

    def __init__(
        self,
        settings: GateSettings,
        clock: Clock,
        record: Path | None = None,
        *,
        shadow: bool = False,
    ) -> None:
        self._clock, self._shadow = clock, shadow
        self._queue, self._incidents = make_queue(settings), Incidents()
        self._unsettled: set[int] = set()  # let pass, and not known to be written down
        self._record = TransitionRecord(clock, record)
        self._lock = threading.Lock()
        self._timer: Timer | None = None
        self._had_fault = False
        self._trouble = self._hold = ""

    @property
    def transitions(self) -> deque[Transition]:
        """The transitions so far, the oldest first."""
        return self._record.transitions

    def __enter__(self) -> Self:
        self._record.open()
        with self._lock:
            self._record.note(REJECT_LINE, 0, None)
        if self._record.trouble is not None:
            raise self._record.trouble
        self._timer = self._clock.start_timer(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._timer is not None
        if error is not None:
            for tag in list(self._unsettled):
                self.settle(tag, written=False)
        try:
            while (moment := self.next_ns()) is not None:
                self._timer.wake()
                self._clock.sleep_until(max(moment, self._clock.now_ns() + 1_000_000))
        finally:
            self._timer.stop()
            with self._lock:
                self._record.note(REJECT_LINE, 0, None)
                self._drive_fault(on=False)
                self._record.close()

    def expect(self, sequence: int, t_trigger_ns: int) -> int:
        """Enter an item at its trigger; its tag is its number in the journal."""
        with self._lock:
            self._queue.expect(sequence, t_trigger_ns)
        self.check()
        return sequence

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Cancel the item's reject, or let it stand."""
        with self._lock:
            outcome = self._queue.answer(tag, cancel=cancel, now_ns=self._clock.now_ns())
            if outcome == "cancelled":
                self._unsettled.add(tag)
            return outcome

    def settle(self, tag: int, *, written: bool) -> None:
        """Reject an item after all unless its record was *written*; too late is an incident."""
        with self._lock:
            let_pass = tag in self._unsettled
            self._unsettled.discard(tag)
            if written:
                return
            if let_pass and not self._queue.under_way(tag):
                self._incidents.add("passed", tag, self._clock.now_ns(), PASSED_UNWRITTEN)
            self._queue.take_back(tag, "its record could not be written")

    def incidents(self) -> list[Incident]:
        """Return the items that were thrown although they were let pass, since the last call."""
        with self._lock:
            return self._incidents.take_all()

    def recorded(self, incident: Incident) -> None:
        """Do nothing: an incident that was returned is the station's."""

    def show_fault(self, trouble: str) -> None:
        """Raise the FAULT line, or lower it for an empty text."""
        self._trouble = trouble
        with self._lock:
            self._drive_fault(on=bool(self._trouble or self._hold))

    def hold(self, why: str) -> None:
        """Show *why* on the FAULT line, too: there is no READY that could rest."""
        self._hold = why
        if self._timer is not None:  # the gate is open
            self.show_fault(self._trouble)

    def adopt(self, settings: GateSettings) -> None:
        """Give pulses from now on the length that *settings* say."""
        with self._lock:
            retime(self._queue, settings)

    def check(self) -> None:
        """Raise RuntimeError when the timer has died, JournalError when the record has failed."""
        assert self._timer is not None
        self._timer.wake()
        if self._record.trouble is not None:
            raise self._record.trouble

    def next_ns(self) -> int | None:
        """Return when :meth:`act` must be called next; None when nothing is ahead."""
        with self._lock:
            return self._queue.next_ns()

    def act(self) -> None:
        """Do what is due by now."""
        with self._lock:
            for level, sequence in self._queue.step(self._clock.now_ns()):
                if not self._shadow:
                    self._record.note(REJECT_LINE, level, sequence)
                if level:
                    self._queue.note_rise(self._clock.now_ns())
            for arrival in self._queue.take_arrivals():
                if arrival.thrown and arrival.let_pass:
                    now_ns = self._clock.now_ns()
                    what, why = thrown_words(arrival.why, shadow=self._shadow)
                    self._incidents.add(what, arrival.sequence, now_ns, why)

    def _drive_fault(self, *, on: bool) -> None:
        """Drive the FAULT line; a run without a fault has no record of it."""
        if on or self._had_fault:
            self._had_fault = True
            self._record.note(FAULT_LINE, int(on), None)
