"""The reject queue: every item is rejected on arrival unless an answer cancelled that in time.

An item is entered at its trigger with the verdict REJECT and the place at which it is due. The eye
may only cancel. No answer, a late answer, a dead eye: the item is rejected all the same. The method
is that of the field's timing controllers, e.g. the manual of the Gardasoft CC320, section 6.

A *place* is a moment in monotonic nanoseconds where the belt runs at one speed, or a count of the
encoder where it does not: then an item is due when the belt has carried it to the gate, however
often it stopped or ran back on the way.
"""

import dataclasses
import heapq
from dataclasses import dataclass
from typing import Literal

from edge.sections.gate import GateSettings

OVERDUE_KEPT = 256
"""Items past the gate whose answer is still awaited; beyond that the oldest is forgotten and its
answer is unknown."""

Outcome = Literal["cancelled", "kept", "late", "unknown", "gone"]
"""Effect of an answer: it cancelled the reject, left it standing, came after the item was due,
named no known item, or found no gate to take it."""


@dataclass(frozen=True)
class Entry:
    """An item between the eye and the gate, or a stretch of the belt on which all is rejected."""

    sequence: int | None
    """The item's number; None for a stretch."""
    t_trigger_ns: int
    due: int
    """The place at which it is at the gate."""
    last: int
    """The place at which the last of it is: *due* itself for an item."""
    reject: bool = True
    answered: bool = False
    final: bool = False
    """True when no answer can cancel its reject any more."""
    let_pass: bool = False
    """True when an answer was told that it had cancelled the reject: the journal says PASS."""
    why: str = ""
    """Why it is rejected after all, or why its stretch is; empty for the reject of every item."""


@dataclass(frozen=True)
class Arrival:
    """What became of an item at the gate."""

    sequence: int
    thrown: bool
    let_pass: bool
    """Whether the eye was told that the item would pass."""
    why: str
    """Why an item that should have passed was thrown; empty for any other."""


UNDER_A_PULSE = "it came to the gate under the pulse for another item"
UNDER_A_STRETCH = "it came to the gate while everything was rejected"
REACHED_LATE = "the gate was held up and reached it more than a pulse late"


class RejectQueue:
    """The arithmetic of the gate: no clock, thread or output, so every case can be tested exactly.

    *delay*: from the photo-eye to the gate, in nanoseconds, or in encoder counts when *by_counts*.
    *pulse_ns*: how long a pulse lasts from the moment it begins. An item that comes due while the
    line is high, or at the very moment it would go low, prolongs the pulse: merged pulses are one.
    So do two that would be less than *gap_ns* apart, because a valve needs time to close and open
    again; that needs moments that can be foreseen, so not *by_counts*. An item that should pass and
    comes due while the line is high is thrown all the same: its :class:`Arrival` says so.

    *accepts*: the pulse lets an item pass and silence rejects it. Then a rejected item ends the
    pulse of the one before at once, and one that the gate reaches more than a pulse late gets none:
    it would be for another item.
    """

    def __init__(
        self,
        delay: int,
        pulse_ns: int,
        *,
        by_counts: bool = False,
        gap_ns: int = 0,
        accepts: bool = False,
    ) -> None:
        self.rejected = 0
        """Items that arrived and were thrown."""
        self._arrivals: list[Arrival] = []
        self._lateness_ns = 0
        self._delay, self._pulse_ns, self._gap_ns = delay, pulse_ns, gap_ns
        self._by_counts, self._accepts = by_counts, accepts
        self._ahead: dict[int, Entry] = {}
        self._order: list[tuple[int, bool, int]] = []
        """A heap: the place of each entry ahead, whether it passes, its number. What has left, or
        was answered since, is dropped when it comes up: however many items a talker announces, the
        next one that is due is found at once."""
        self._stretches: list[Entry] = []
        self._overdue: dict[int, Entry] = {}
        self._position = 0
        self._moved_ns: int | None = None
        self._high = self._sweeping = False
        self._rose_ns = self._fell_ns = 0
        self._until_ns = 0
        self._closed_until: int | None = None
        self._last: int | None = None
        self.sweeps = 0
        """How often a stretch was rejected: what was under way then was in doubt."""

    @property
    def ahead(self) -> int:
        """Number of items between the eye and the gate."""
        return len(self._ahead)

    @property
    def idle(self) -> bool:
        """True when nothing is under way and the line is low."""
        return not (self._ahead or self._stretches or self._high)

    def expect(self, sequence: int, t_trigger_ns: int) -> Entry:
        """Enter an item at its trigger, to be rejected unless :meth:`answer` cancels that in time.

        By counts the belt's present position is taken. Raises ValueError for a number that is under
        way already.
        """
        if sequence in self._ahead or sequence in self._overdue:
            raise ValueError(f"item {sequence} is already at the gate")
        due = (self._position if self._by_counts else t_trigger_ns) + self._delay
        entry = Entry(sequence, t_trigger_ns, due, due)
        self._put(sequence, entry)
        return entry

    def sweep(self, first: int, last: int, why: str = "") -> None:
        """Reject everything that passed the photo-eye from place *first* to place *last*.

        For what was there before this queue began, and for items whose edges were lost.
        """
        self.sweeps += 1
        self._stretches.append(Entry(None, 0, first + self._delay, last + self._delay, why=why))

    def sweep_all(self, now_ns: int, why: str) -> None:
        """Reject everything between photo-eye and gate, known or not, whatever was answered."""
        self.withdraw_all(why)
        here = self._place(now_ns)
        self.sweeps += 1
        self._stretches.append(Entry(None, now_ns, here, here + self._delay, why=why))

    def answer(self, sequence: int, *, cancel: bool, now_ns: int) -> Outcome:
        """Answer for an item: cancel a reject that is still ahead, or let it stand."""
        if self._overdue.pop(sequence, None):
            return "late"
        entry = self._ahead.get(sequence)
        if entry is None or entry.answered:
            return "unknown"
        if entry.final:
            self._ahead[sequence] = dataclasses.replace(entry, answered=True)
            return "kept"
        in_time = self._place(now_ns) < entry.due
        passes = cancel and in_time
        answered = dataclasses.replace(entry, answered=True, reject=not passes, let_pass=passes)
        self._put(sequence, answered)
        if not in_time:
            return "late"
        return "cancelled" if cancel else "kept"

    def withdraw(self, sequence: int, why: str = "") -> None:
        """Reject the item after all, finally, if it is still ahead."""
        entry = self._ahead.get(sequence)
        if entry is not None:
            final = dataclasses.replace(entry, reject=True, final=True, why=entry.why or why)
            self._put(sequence, final)

    def take_back(self, sequence: int, why: str = "") -> None:
        """Reject the item after all, as :meth:`withdraw`; no record says that it was let pass."""
        self.withdraw(sequence, why)
        if (entry := self._ahead.get(sequence)) is not None:
            self._ahead[sequence] = dataclasses.replace(entry, let_pass=False)

    def withdraw_all(self, why: str = "") -> None:
        """Reject all items that are under way, whatever was or will be answered."""
        for sequence in self._ahead:
            self.withdraw(sequence, why)

    def covers(self, t_ns: int) -> bool:
        """Return whether what passes the photo-eye at *t_ns* is on a stretch that is rejected."""
        due = self._place(t_ns) + self._delay
        return any(stretch.due <= due <= stretch.last for stretch in self._stretches)

    def under_way(self, sequence: int) -> bool:
        """Return whether the item is between the eye and the gate."""
        return sequence in self._ahead

    def take_lateness_ns(self) -> int:
        """Return the worst lateness at the gate since the last call.

        That of an item which passes without a pulse does not count: it would have passed in time.
        """
        lateness_ns, self._lateness_ns = self._lateness_ns, 0
        return lateness_ns

    def take_arrivals(self) -> list[Arrival]:
        """Return what became of each item that arrived since the last call, in order."""
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def retime(self, pulse_ns: int, gap_ns: int) -> None:
        """Set length and gap of the pulses that begin from now on; items keep their places."""
        self._pulse_ns, self._gap_ns = pulse_ns, gap_ns

    def move_to(self, position: int, t_ns: int | None = None) -> None:
        """Set the belt's position, in encoder counts; call :meth:`step` after it.

        *t_ns*: when the belt was there; what comes due is late by the time that has passed since.
        """
        self._position, self._moved_ns = position, t_ns

    def sweeping(self, now_ns: int) -> bool:
        """Return whether a stretch is at the gate, so that items are thrown that nobody knows."""
        if self._accepts:
            return self._closed_until is not None and self._place(now_ns) <= self._closed_until
        return self._sweeping

    def next_ns(self) -> int | None:
        """Return when :meth:`step` must be called next; None when no moment is ahead."""
        first = None if self._by_counts else self._first()
        moments = [] if first is None else [first.due]
        if self._high and not self._held():
            moments.append(self._until_ns)
        return min(moments, default=None)

    def step(self, now_ns: int) -> list[tuple[int, int | None]]:
        """Do what is due at *now_ns*, and return the levels that the line takes, in order.

        Each comes with the item that it is for.
        """
        levels: list[tuple[int, int | None]] = []
        while True:
            self._end_stretch(now_ns)
            if (entry := self._arriving(now_ns)) is not None:
                levels += self._arrive(entry, now_ns)
            elif self._high and not self._held() and self._until_ns <= now_ns:
                levels += self._end(now_ns)
            else:
                return levels

    def note_rise(self, now_ns: int) -> None:
        """Note when the line was really high: the pulse lasts from then."""
        if self._high:
            self._until_ns = max(self._until_ns, now_ns + self._pulse_ns)

    def _place(self, now_ns: int) -> int:
        return self._position if self._by_counts else now_ns

    def _entries(self) -> list[Entry]:
        return [*self._ahead.values(), *self._stretches]

    def _put(self, sequence: int, entry: Entry) -> None:
        before = self._ahead.get(sequence)
        self._ahead[sequence] = entry
        if before is None or before.reject != entry.reject:
            heapq.heappush(self._order, (*_place_of(entry), sequence))

    def _first(self) -> Entry | None:
        """Return the entry that comes first; of two at one place the rejected one."""
        while self._order:
            due, passes, sequence = self._order[0]
            entry = self._ahead.get(sequence)
            if entry is not None and _place_of(entry) == (due, passes):
                return min((entry, *self._stretches), key=_place_of)
            heapq.heappop(self._order)
        return min(self._stretches, key=_place_of, default=None)

    def _held(self) -> bool:
        """Return whether the end of a stretch, in counts, is still ahead, at no known moment."""
        return self._by_counts and not self._accepts and self._closed_until is not None

    def _end_stretch(self, now_ns: int) -> None:
        """Let the line go low a pulse length after the belt has brought the end of a stretch."""
        if self._held() and self._closed_until is not None and self._position >= self._closed_until:
            self._closed_until = None
            self._until_ns = max(self._until_ns, now_ns + self._pulse_ns)

    def _arriving(self, now_ns: int) -> Entry | None:
        """Return the first entry that is due, unless the line must go low before it.

        Of two at one place the rejected one comes first: the other is under its pulse.
        """
        entry = self._first()
        if entry is None or entry.due > self._place(now_ns):
            return None
        if not self._high or self._held():
            return entry
        if self._by_counts:
            falls_first = self._until_ns <= now_ns and not entry.reject
        else:
            falls_first = self._until_ns < entry.due + (not entry.reject)
        return None if falls_first else entry

    def _arrive(self, entry: Entry, now_ns: int) -> list[tuple[int, int | None]]:
        if entry.sequence is None:
            return self._arrive_stretch(entry, now_ns)
        del self._ahead[entry.sequence]
        if not entry.answered:
            self._overdue[entry.sequence] = entry
            while len(self._overdue) > OVERDUE_KEPT:
                del self._overdue[next(iter(self._overdue))]
        late_ns = self._late_ns(entry, now_ns)
        if entry.reject or self._accepts:
            self._lateness_ns = max(self._lateness_ns, late_ns)
        why = self._why_thrown(entry, now_ns, late_ns)
        self.rejected += why is not None
        told = why or "" if entry.let_pass else ""
        self._arrivals.append(Arrival(entry.sequence, why is not None, entry.let_pass, told))
        if self._accepts:
            return self._accept(entry.sequence, now_ns, accept=why is None)
        return self._raise(entry.sequence, now_ns) if entry.reject else []

    def _late_ns(self, entry: Entry, now_ns: int) -> int:
        """Return for how long the item has been at the gate."""
        if not self._by_counts:
            return now_ns - entry.due
        since_ns = max(self._moved_ns or 0, entry.t_trigger_ns)
        return 0 if self._moved_ns is None else max(0, now_ns - since_ns)

    def _why_thrown(self, entry: Entry, now_ns: int, late_ns: int) -> str | None:
        """Return why the item that arrives is thrown; None when it passes."""
        if entry.reject:
            return entry.why
        if self._accepts:
            if self._closed_until is not None and entry.due <= self._closed_until:
                return UNDER_A_STRETCH
            return REACHED_LATE if late_ns > self._pulse_ns else None
        # A line that fell late was really high until then.
        if self._high or self._rose_ns <= now_ns - late_ns < self._fell_ns:
            return UNDER_A_STRETCH if self._sweeping else UNDER_A_PULSE
        return None

    def _arrive_stretch(self, entry: Entry, now_ns: int) -> list[tuple[int, int | None]]:
        self._stretches.remove(entry)
        self._lateness_ns = max(self._lateness_ns, self._late_ns(entry, now_ns))
        self._closed_until = (
            entry.last if self._closed_until is None else max(self._closed_until, entry.last)
        )
        if self._accepts:
            return self._accept(self._last, now_ns, accept=False)
        levels, self._sweeping = self._raise(None, now_ns), True
        if not self._by_counts:
            self._until_ns = max(self._until_ns, entry.last + self._pulse_ns)
        return levels

    def _accept(
        self, sequence: int | None, now_ns: int, *, accept: bool
    ) -> list[tuple[int, int | None]]:
        """Open for this item, or close for it, where the pulse accepts."""
        if accept:
            return self._raise(sequence, now_ns)
        if not self._high:
            return []
        self._high, self._fell_ns = False, now_ns
        return [(0, sequence)]

    def _raise(self, sequence: int | None, now_ns: int) -> list[tuple[int, int | None]]:
        rises, self._high, self._last = not self._high, True, sequence
        if rises:
            self._rose_ns = now_ns
        # From now, not from the due moment: a pulse that begins a little late still moves the flap
        # all the way.
        self._until_ns = max(self._until_ns, now_ns + self._pulse_ns)
        return [(1, sequence)] if rises else []

    def _end(self, now_ns: int) -> list[tuple[int, int | None]]:
        """End the pulse, unless the next one would begin before the device can follow."""
        if self._gap_ns and not self._accepts:
            soon = [
                e.due
                for e in self._entries()
                if e.reject and e.due <= self._until_ns + self._gap_ns
            ]
            if soon:
                self._until_ns = min(soon)
                return []
        self._high, self._sweeping, self._fell_ns = False, False, now_ns
        return [(0, self._last)]


def _place_of(entry: Entry) -> tuple[int, bool]:
    """Return in which order entries come to the gate."""
    return entry.due, not entry.reject


def make_queue(settings: GateSettings) -> RejectQueue:
    """Make the queue that ``[gate]`` asks for."""
    by_counts = settings.reject_delay_counts > 0
    delay = settings.reject_delay_counts if by_counts else round(settings.reject_delay_ms * 1e6)
    queue = RejectQueue(
        delay,
        round(settings.pulse_ms * 1e6),
        by_counts=by_counts,
        accepts=settings.pulse == "accepts",
    )
    retime(queue, settings)
    return queue


def retime(queue: RejectQueue, settings: GateSettings) -> None:
    """Give a queue the pulse and the gap of *settings*.

    :func:`edge.wiring.check_gate` allows no gap by counts.
    """
    queue.retime(round(settings.pulse_ms * 1e6), round(settings.merge_gap_ms * 1e6))
