"""The gate's decisions on each wire event, each message of the eye and each moment.

No file, no socket, no thread: :mod:`edge.gate.process` gives it the real ones; a test gives it a
clock that it moves itself, and compares histories.

The way of one item::

    photo-eye ─edge→ queue (REJECT, due later) → item is reported to the eye
                        → the eye answers: cancel, or not → due: pulse, or none
                        → the eye has written it down: settled

What is not settled when the eye is lost is rejected, if it is still ahead, and reported to the next
eye to be written down.
"""

import dataclasses
import os
from collections import deque

from edge.clock import Clock
from edge.config import Config
from edge.errors import GateError
from edge.gate.belt_stops import BeltStops
from edge.gate.debts import Debts, Entry, incident_entry, item_entry
from edge.gate.heartbeat import Ready
from edge.gate.incidents import PASSED_UNWRITTEN, thrown_words
from edge.gate.lines import BOTH_EDGES, Lines, WireEvent
from edge.gate.lines.locked import LockedLines
from edge.gate.loss_handling import LossHandler
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beat,
    Beaten,
    Expect,
    Expected,
    FromEye,
    FromGate,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Recorded,
    Refused,
    Settle,
    Welcome,
    Withdraw,
)
from edge.gate.people import People
from edge.gate.photo_eye import PhotoEye
from edge.gate.reject_bin import RejectBin
from edge.gate.rejects import UNDER_A_STRETCH, Arrival, Outcome
from edge.gate.transit import GateCounters, Transit
from edge.gate.unsettled import REPORTED_AT_MOST, Unsettled, UnsettledItem
from edge.wiring import (
    BIN_FULL,
    CONFIRM,
    ENCODER_A,
    ENCODER_B,
    FAULT_LINE,
    READY_LINE,
    REJECT_LINE,
    RESET,
    SAFE,
    TAKEN,
    TRIGGER,
    is_shadow,
)

AHEAD_AT_MOST = 10_000
"""Items between the eye and the gate; more means that the encoder or the settings are wrong."""
NO_EYE = "no eye was connected when it came by"
BEHIND = "the eye had not written down so many before it that the gate told it of no more"
EYE_LOST = "the eye was lost before it was written down"
EYE_LOST_PASSED = "the eye was lost after it had let the item pass, before that was written down"
WHY_RESET = "somebody pressed reset while it was under way"
WHY_STARTED = "the gate began while it was under way"
WHY_CLOSE = "another item followed it too close"
WHY_EYE = EYE_LOST
DRAIN_BY_COUNTS_NS = 10 * 10**9
"""Longest wait of a gate that must stop, for a belt that may have stopped."""


class Keeper:
    """The state and the decisions of the gate.

    *outbox*: messages to be sent to the eye, in order; call :meth:`eye_lost` when sending
    fails. After :meth:`handle` or any other call :meth:`act` does what has become due.

    In shadow the lines that it has are :class:`~edge.gate.lines.locked.LockedLines` from its first
    moment to its last: all goes its way, and the reject line never moves. READY then rests, unless
    the settings let it beat.

    Synchronization: one thread.
    """

    def __init__(self, config: Config, lines: Lines, clock: Clock) -> None:
        settings, self._mode = config.gate, config.service.mode
        if is_shadow(config):
            lines = LockedLines(lines)
        self._ready_rests = is_shadow(config) and not config.shadow.ready_beats
        transit = self._transit = Transit(config, clock)
        self.outbox: deque[FromGate] = deque()
        self.crowded = ""
        """Why the process of the gate takes no connection now; empty while it can."""
        self.run = f"{os.getpid()}-{clock.now_ns()}"
        self._settings, self._trigger = settings, config.trigger
        self._lines, self._clock = lines, clock
        self._queue, self._latched, self._incidents = (
            transit.queue,
            transit.latched,
            transit.incidents,
        )
        self._encoder, self._by_counts = transit.encoder, transit.by_counts
        self._photo_eye = PhotoEye(config, transit, lines, self._handle_item, self._owe)
        self._losses = LossHandler(transit, self._photo_eye, lines, self._owe)
        self._stops = BeltStops(config, transit)
        self._unsettled, self._debts = Unsettled(), Debts()
        self._ready = Ready(round(settings.ready_ms * 1e6))
        self._bin, self._people = RejectBin(config, transit), People(config, transit)
        self._silent_ns = round(settings.eye_silent_ms * 1e6)
        self._tick_ns: int | None = None
        self._tag = 0
        self._unanswered: set[int] = set()
        self._cancelled: set[int] = set()
        self._reported_missed: int | None = None
        self._eye, self._heard_ns, self._eye_trouble, self._eye_hold = False, 0, "", ""
        self._shown: set[str] = set()
        self._bin_full = False
        self._last_ns = clock.now_ns()
        self._last_tag = 0
        self._levels = dict(SAFE)
        self._stopping_ns: int | None = None

    @property
    def counters(self) -> GateCounters:
        """Counts since the gate began."""
        return self._transit.counters

    @property
    def is_shadow(self) -> bool:
        """Whether the reject output is locked off."""
        return self._mode == "shadow"

    def take_over(self, debts: Debts, boot_id: str) -> None:
        """Owe what the gate before this one owed, and keep in *debts* what is owed from now on.

        Items of another boot get the present moment: theirs is of another clock.
        """
        owed, now_ns = debts.read(), self._clock.now_ns()
        for item in owed.items.values():
            self._tag += 1
            t_ns = item.t_ns if owed.boot_id == boot_id else now_ns
            self._unsettled.add_missed(dataclasses.replace(item, tag=self._tag, t_ns=t_ns))
        self._unsettled.add_beyond(owed.beyond, now_ns)
        for incident in owed.incidents.values():
            self._incidents.owe(incident)
        self._debts = self._unsettled.ledger = self._incidents.ledger = debts
        debts.present = self._owed_entries
        debts.begin(self.run, boot_id)

    def _owed_entries(self) -> list[Entry]:
        """Return all that is owed now, as the file of debts has it."""
        number, t_ns = self._unsettled.beyond
        passed = [{"passed": tag} for tag in self._cancelled if self._unsettled.knows(tag)]
        return [
            *map(item_entry, self._unsettled.owed()),
            *passed,
            *([{"beyond": number, "t_ns": t_ns}] if number else []),
            *map(incident_entry, self._incidents.waiting),
        ]

    def begin(self) -> None:
        """Reject what was under way before this gate began; READY begins when an eye connects."""
        now_ns = self._clock.now_ns()
        self._losses.begin()
        self._stops.begin(now_ns)
        self._bin_full = bool(self._lines.level(BIN_FULL))
        if self._encoder.two_tracks:
            self._encoder.correct(self._lines.level(ENCODER_B))
        if self._trigger.kind == "interval":
            self._tick_ns = now_ns
        self._take_first_levels(now_ns)
        self._queue.sweep_all(self._clock.now_ns(), WHY_STARTED)
        self.act()

    def stop(self) -> None:
        """Begin to stop: READY goes low, and what is under way still arrives."""
        if self._stopping_ns is None:
            delay_ns = round(self._settings.reject_delay_ms * 1e6)
            travel_ns = DRAIN_BY_COUNTS_NS if self._by_counts else delay_ns
            pulse_ns = round(self._settings.pulse_ms * 1e6)
            self._stopping_ns = self._clock.now_ns() + travel_ns + 2 * pulse_ns

    def adopt(self, config: Config) -> None:
        """Apply changed settings from the next edge on; items under way keep their moments."""
        self._settings, self._trigger = config.gate, config.trigger
        self._transit.adopt(config.gate)
        self._stops.adopt(config.gate)
        self._photo_eye.adopt(config)
        self._bin.adopt(config.gate)

    @property
    def done(self) -> bool:
        """True when a gate that must stop has nothing more to wait for."""
        return self._stopping_ns is not None and (
            self._queue.idle or self._clock.now_ns() >= self._stopping_ns
        )

    @property
    def unsettled(self) -> int:
        """Number of items that stand in no journal yet."""
        return self._unsettled.reported + self._unsettled.waiting

    @property
    def unrecorded(self) -> list[Incident]:
        """The incidents that stand in no journal yet."""
        return self._incidents.waiting

    def next_ns(self) -> int | None:
        """Return when :meth:`act` must be called next; None when nothing is ahead."""
        silent_ns = self._heard_ns + self._silent_ns if self._eye else None
        moments = [
            self._queue.next_ns(),
            self._lines.next_ns(),
            self._ready.next_ns(),
            self._tick_ns,
            self._photo_eye.next_ns(),
            self._stops.next_ns(),
            self._bin.next_ns(),
            self._people.next_ns(),
            silent_ns if self._silence_is_ahead() else None,
            self._stopping_ns if not self.done else None,
        ]
        return min((moment for moment in moments if moment is not None), default=None)

    def _silence_is_ahead(self) -> bool:
        """Return whether an eye that goes on to say nothing will be noticed later than now."""
        ahead = self._clock.now_ns() < self._heard_ns + self._silent_ns
        return self._ready.next_ns() is not None or (self._ready_rests and ahead)

    def act(self) -> None:
        """Do what is due by now."""
        for event in self._lines.read():
            self._handle_event(event)
        now_ns = self._clock.now_ns()
        self._check_beam(now_ns)
        self._stops.check(now_ns)
        while self._tick_ns is not None and self._tick_ns <= now_ns:
            self._handle_item(self._tick_ns)
            self._tick_ns += round(self._trigger.interval_ms * 1e6)
        self._step_queue()
        self._bin.check(now_ns)
        self._people.check(now_ns)
        self._report_incident()
        self._show_state(now_ns)

    # The eye

    def accept_eye(self, hello: Hello) -> Welcome | Refused:
        """Accept an eye, unless another is connected or it differs in version or trigger."""
        if self._eye:
            return self.refuse("another eye is connected; stop one of them")
        if hello.version != VERSION:
            return self.refuse(
                f"the gate speaks version {VERSION}, not {hello.version}; "
                "install one stampgate for both"
            )
        if hello.trigger != self._trigger.kind:
            ours = self._trigger.kind
            return self.refuse(
                f"[trigger] kind is {ours!r} at the gate, not {hello.trigger!r}; restart both"
            )
        if hello.mode != self._mode:
            return self.refuse(
                f"[service] mode is {self._mode!r} at the gate, not {hello.mode!r}; restart both"
            )
        self._eye, self._heard_ns, self._eye_hold = True, self._clock.now_ns(), hello.hold
        self._report_missed()
        return Welcome(VERSION, self.run, self._mode)

    def handle(self, message: FromEye) -> None:
        """Handle a message of the eye. Raises ValueError for one that is out of place."""
        self._heard_ns = self._clock.now_ns()
        match message:
            case Answer():
                self.outbox.append(Answered(message.tag, self._answer(message)))
            case Withdraw():
                self._take_back(message.tag)
            case Settle():
                self._settle(message.tag)
            case Recorded():
                self._incidents.recorded(message.number)
            case Expect():
                self._expect(message)
            case Beat():
                self._eye_trouble, self._eye_hold = message.trouble, message.hold
                self.outbox.append(Beaten(dataclasses.asdict(self.counters), self.trouble))
            case Hello():
                raise ValueError("the eye has said hello already")

    def malformed(self) -> None:
        """Count a message that could not be decoded."""
        self.counters.malformed += 1

    def refuse(self, why: str) -> Refused:
        """Count an eye that is refused."""
        self.counters.refused += 1
        return Refused(why)

    def eye_lost(self) -> None:
        """Reject what a lost eye did not settle, and keep it for the next one."""
        passed = {tag for tag in self._cancelled if not self._queue.under_way(tag)}
        for tag in self._unsettled.take_back(EYE_LOST, dict.fromkeys(passed, EYE_LOST_PASSED)):
            self._queue.withdraw(tag, WHY_EYE)
        self._unanswered.clear()
        self._cancelled.clear()
        self._incidents.take_back()
        self.outbox.clear()
        self._eye, self._eye_trouble, self._reported_missed = False, "", None
        self._eye_hold = ""  # no eye, no READY; the next one says it again in its first word

    def _answer(self, answer: Answer) -> Outcome:
        tag = answer.tag
        if self._unsettled.is_missed(tag):
            return "kept"
        outcome: Outcome = "unknown"
        if self._unsettled.knows(tag):
            outcome = self._queue.answer(tag, cancel=answer.cancel, now_ns=self._clock.now_ns())
        self._unanswered.discard(tag)
        if outcome == "cancelled":
            self._cancelled.add(tag)
            self._debts.note_passed(tag)
        self.counters.late += outcome == "late"
        self.counters.unknown += outcome == "unknown"
        return outcome

    def _take_back(self, tag: int) -> None:
        """Reject an item after all whose record says no PASS; too late is an incident."""
        if not self._unsettled.knows(tag):
            return
        if tag in self._cancelled and not self._queue.under_way(tag):
            self._incidents.add("passed", tag, self._clock.now_ns(), PASSED_UNWRITTEN)
        self._cancelled.discard(tag)
        self._queue.take_back(tag, WHY_EYE)

    def _settle(self, tag: int) -> None:
        self._unsettled.settle(tag)
        self._unanswered.discard(tag)
        self._cancelled.discard(tag)
        if tag == self._reported_missed:
            self._reported_missed = None
        self._report_missed()

    def _expect(self, expect: Expect) -> None:
        if self._trigger.kind != "every-frame":
            raise ValueError(
                f"the eye announces no items while [trigger] kind is {self._trigger.kind!r}"
            )
        if self._unsettled.reported >= REPORTED_AT_MOST or self._queue.ahead >= AHEAD_AT_MOST:
            raise ValueError("the eye announces more items than it settles, or than have room")
        t_ns = min(expect.t_ns, self._clock.now_ns())
        tag = self._enter(t_ns)
        self._unsettled.report(UnsettledItem(tag, t_ns))
        self.outbox.append(Expected(tag))

    def _report_missed(self) -> None:
        """Report the next missed item, one at a time: new items must not wait behind a thousand."""
        if not self._eye or self._reported_missed is not None:
            return
        missed = self._unsettled.next_missed(self._tag + 1)
        if missed is not None:
            self._tag = max(self._tag, missed.tag)
            self._reported_missed = missed.tag
            self._unsettled.report(missed)
            self.outbox.append(
                Missed(missed.tag, missed.t_ns, missed.why, missed.run, missed.seen_as)
            )

    # The lines

    def _handle_event(self, event: WireEvent) -> None:
        loss = self._losses.find(event)
        encoder = event.line in (ENCODER_A, ENCODER_B)
        if encoder:
            self._encoder.feed(event, 0 if loss is None else loss.rises)
            moved_ns = event.t_ns if loss is None else loss.since_ns
            self._transit.move(moved_ns)
            self._stops.move(event.t_ns, blocked=self._photo_eye.blocked)
        if loss is not None:
            self._losses.handle(event, loss)
            self._bin_full = bool(self._lines.level(BIN_FULL)) if loss.shared else self._bin_full
            if loss.shared or event.line == TAKEN:
                self._people.doubt()
        if event.line == TRIGGER and self._photo_eye.triggers:
            self._photo_eye.handle(event)
        elif encoder:
            self._check_beam(event.t_ns)
            self._step_queue()
        elif event.line == CONFIRM and event.level:
            self._bin.confirm(event.t_ns)
        elif event.line == TAKEN and event.level:
            self._people.see(event.t_ns)
        elif event.line == BIN_FULL:
            self._bin_full = bool(event.level)
        elif event.line == RESET and event.level:
            self._reset()

    def _handle_item(self, t_ns: int) -> int:
        """Enter an item, report it to the eye if there is one, and return its tag."""
        if self._photo_eye.triggers:
            self._stops.check_item()
        self.counters.busy += bool(self._unanswered)
        before, apart_ns = self._last_tag, t_ns - self._last_ns
        tag = self._enter(t_ns)
        if before and apart_ns < round(self._trigger.spacing_ms * 1e6):
            self._reject_both(before, tag, t_ns, apart_ns)
        elif self._eye and self._unsettled.reported < REPORTED_AT_MOST:
            self._unsettled.report(UnsettledItem(tag, t_ns))
            self._unanswered.add(tag)
            self.outbox.append(ItemSeen(tag, t_ns))
        else:
            self.counters.missed += 1
            self._unsettled.add_missed(UnsettledItem(tag, t_ns, BEHIND if self._eye else NO_EYE))
        return tag

    def _reject_both(self, before: int, tag: int, t_ns: int, apart_ns: int) -> None:
        """Reject two items so close that a picture may show either; no answer can cancel that."""
        fate = "rejected, too" if self._queue.under_way(before) else "past the gate already"
        for item in (before, tag):
            self._queue.withdraw(item, WHY_CLOSE)
        self.counters.close += 1
        why = (
            f"too close: {apart_ns / 1e6:.0f} ms after item {before} of the gate, "
            f"which is {fate}; must be at least spacing_ms, {self._trigger.spacing_ms:g}"
        )
        self._unsettled.add_missed(UnsettledItem(tag, t_ns, why))
        self._report_missed()

    def _enter(self, t_ns: int) -> int:
        if self._queue.ahead >= AHEAD_AT_MOST:
            raise GateError(
                f"more than {AHEAD_AT_MOST} items are between the eye and the gate; "
                "check the encoder and [gate]"
            )
        self._tag += 1
        self.counters.triggers += 1
        self._queue.expect(self._tag, t_ns)
        self._last_ns, self._last_tag = t_ns, self._tag
        self._stops.note_item()
        self._people.expect(self._tag, t_ns)
        return self._tag

    def _take_first_levels(self, now_ns: int) -> None:
        """Take the edges since the inputs were requested, and the levels from which all go on.

        A level that is read is that of the last edge where none has come meanwhile.
        """
        for event in self._lines.read():
            self._handle_event(event)
        levels = {line: self._lines.level(line) for line in BOTH_EDGES}
        events = self._lines.read()
        for line in levels.keys() - {event.line for event in events}:
            self._losses.correct(line, levels[line])
            if line == TRIGGER and levels[line]:
                self._photo_eye.begin_blocked(now_ns)
        for event in events:
            self._handle_event(event)

    def _check_beam(self, t_ns: int) -> None:
        """Look at what covers the photo-eye, and at an end of it that no edge has told."""
        if self._photo_eye.check(place := self._transit.place(t_ns)):
            self._losses.handle_lost_fall(place)

    def _owe(self, t_ns: int, why: str) -> None:
        """Enter an item that nobody saw come, to be written down; what it is on is swept."""
        self._tag += 1
        self.counters.triggers += 1
        self._people.doubt()
        self._unsettled.add_missed(UnsettledItem(self._tag, t_ns, why))
        self._report_missed()

    def _reset(self) -> None:
        """Handle the reset button: what is under way is rejected, and the faults are over.

        Somebody had his hands there: items may lie where none is known, so all of the belt between
        photo-eye and gate is rejected, as at the start. What was not shown yet when it was pressed
        stays: nobody has looked at that.
        """
        for why in self._latched.keys() & self._shown:
            del self._latched[why]
        self._queue.sweep_all(self._clock.now_ns(), WHY_RESET)
        self._transit.seen.forget()
        self._bin.clear()

    def _step_queue(self) -> None:
        sweeping = self._queue.sweeping(self._clock.now_ns())
        for level, tag in self._queue.step(self._clock.now_ns()):
            self._drive(REJECT_LINE, level, tag)
            if level:
                self._queue.note_rise(self._clock.now_ns())
        now_ns = self._clock.now_ns()
        if self._queue.take_lateness_ns() > round(self._settings.pulse_ms * 1e6):
            self._latched["an item was reached later than a pulse is long: look at it"] = True
        if sweeping or self._queue.sweeping(now_ns):
            self._bin.sweep(now_ns)
        for arrival in self._queue.take_arrivals():
            if arrival.thrown:
                self._note_thrown(arrival, now_ns)

    def _note_thrown(self, arrival: Arrival, now_ns: int) -> None:
        """Count an item that is thrown; of one that the eye let pass the journal must be told.

        In shadow it would have been.
        """
        shadow = self.is_shadow
        self.counters.withheld += shadow
        self.counters.thrown += not shadow
        swept = arrival.why == UNDER_A_STRETCH  # one of many, of which some may be past the device
        placed = now_ns >= self._stops.unplaced_until_ns
        if placed and not swept:
            self._bin.expect(arrival.sequence, now_ns)
        if arrival.let_pass:
            self.counters.thrown_passes += not shadow
            self._cancelled.discard(arrival.sequence)
            what, why = thrown_words(arrival.why, shadow=shadow)
            self._incidents.add(what, arrival.sequence, now_ns, why)

    def _report_incident(self) -> None:
        """Report the next incident to the eye, one at a time."""
        if self._eye and (incident := self._incidents.next_report()) is not None:
            self.outbox.append(incident)

    def _drive(self, line: str, level: int, tag: int | None = None) -> None:
        if self._levels[line] != level:
            self._levels[line] = level
            self._lines.set(line, level, tag)

    # What is wrong

    def _reasons_to_stop(self, now_ns: int) -> list[str]:
        """Return the reasons for which the production line must not run now."""
        silent = self._eye and now_ns - self._heard_ns >= self._silent_ns
        found = {
            "the gate is stopping": self._stopping_ns is not None,
            "no eye is connected": not self._eye,
            "the eye says nothing": silent,
            "the bin is full": self._bin_full,
            "the photo-eye is blocked": self._photo_eye.jammed,
            **({self._eye_hold: True} if self._eye_hold else {}),
            **self._latched,
        }
        return [why for why, stops in found.items() if stops]

    @property
    def trouble(self) -> str:
        """The faults and warnings as text; empty when all is well."""
        warnings = [why for why, stops in self._latched.items() if not stops]
        return "; ".join(
            [
                *self._reasons_to_stop(self._clock.now_ns()),
                *warnings,
                *filter(None, [self.crowded, self._debts.trouble, self._eye_trouble]),
            ]
        )

    def _show_state(self, now_ns: int) -> None:
        live = not self._reasons_to_stop(now_ns) and not self._ready_rests
        if live and (self._ready.next_ns() is None or self._ready.rested(now_ns)):
            self._stops.start(now_ns, told=self._tag > 0)
            self._step_queue()
        self._drive(READY_LINE, self._ready.act(now_ns, live=live))
        self._drive(FAULT_LINE, int(bool(self.trouble)))
        self._shown = set(self._latched)
