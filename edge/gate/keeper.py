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
from dataclasses import dataclass

from edge.clock import Clock
from edge.config import Config
from edge.errors import GateError
from edge.gate.beam import Beam, longest_blocked
from edge.gate.confirmations import Confirmations, window_of
from edge.gate.encoder import Encoder
from edge.gate.heartbeat import Ready
from edge.gate.incidents import Incidents
from edge.gate.lines import BOTH_EDGES, Lines, WireEvent
from edge.gate.lost_edges import EdgeWatch, Loss
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
from edge.gate.motion import SeenPlaces, Standstill
from edge.gate.rejects import UNDER_A_STRETCH, Arrival, Outcome, make_queue, retime
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
    TRIGGER,
)

AHEAD_AT_MOST = 10_000
"""Items between the eye and the gate; more means that the encoder or the settings are wrong."""
NO_EYE = "no eye was connected when it came by"
BEHIND = "the eye had not written down so many before it that the gate told it of no more"
EYE_LOST = "the eye was lost before it was written down"
EYE_LOST_PASSED = "the eye was lost after it had let the item pass, before that was written down"
EDGE_LOST = "its edge was lost: all that passed the photo-eye meanwhile is rejected"
EDGE_MISSING = "edges of an input were lost"
BLOCKED_AT_START = (
    "the photo-eye was blocked when the gate began: until it is clear all is rejected"
)
PASSED_BY = "an item may have passed the gate before it could be rejected"
NOT_IN_THE_BIN = "a rejected item did not come to the bin"
NOT_REJECTED = "an item came to the bin that was not rejected"
WHY_RESET = "somebody pressed reset while it was under way"
WHY_STARTED = "the gate began while it was under way"
WHY_ENCODER = "edges of the encoder were lost while it was under way"
WHY_EDGES = "edges of the photo-eye were lost beside it"
WHY_TOUCHING = "the photo-eye was blocked by it for longer than by one item"
EDGE_LOST_STRETCH = "edges were lost: all that passed the photo-eye meanwhile is rejected"
EDGE_LOST_POSITION = (
    "edges were lost, and so the belt's position: all that was under way is rejected"
)
COUNTS_BACK = "new items come while the encoder counts back"
STOOD_STILL = "the belt stood still with items under way, and the delay is a time"
WHY_READY = "READY had stopped the belt, and nobody can tell where things are"
WHY_STOOD = "the belt stood still, and nobody can tell where things are"
WHY_CLOSE = "another item followed it too close"
WHY_EYE = EYE_LOST
REREAD_NS = 1_000_000
"""How long the photo-eye must read as clear until the edge that would say so counts as lost."""
DRAIN_BY_COUNTS_NS = 10 * 10**9
"""Longest wait of a gate that must stop, for a belt that may have stopped."""


@dataclass
class GateCounters:
    """Counts since the gate began; the eye receives them with each heartbeat."""

    triggers: int = 0
    """Items entered, those of lost edges among them."""
    thrown: int = 0
    """Items thrown on arrival; what nobody knew of in a stretch that was swept counts as none."""
    thrown_passes: int = 0
    """Items of these that the eye had let pass: each is an incident in the journal."""
    missed: int = 0
    """Items that came while no eye was connected."""
    busy: int = 0
    """Items that came while the eye had not answered for the one before."""
    close: int = 0
    """Items that came less than ``spacing_ms`` after the one before."""
    late: int = 0
    """Answers that came when the item was already due."""
    unknown: int = 0
    """Answers for an item that the gate does not know, or that had its answer."""
    joined: int = 0
    """Breaks of the beam that went on with the item before, within ``off_delay_ms``."""
    touching: int = 0
    """Breaks of the beam that were longer than one item."""
    reread: int = 0
    """Items that a belt which ran back brought to the photo-eye again."""
    lost_edges: int = 0
    """Edges of the inputs that were not delivered."""
    unconfirmed: int = 0
    """Rejected items that did not come to the bin in time."""
    unexpected: int = 0
    """Items at the bin that had not been rejected."""
    seen_again: int = 0
    """Edges at the bin that were the item before once more."""
    malformed: int = 0
    """Messages that could not be decoded."""
    refused: int = 0
    """Eyes that were refused: a second one, or one of another version."""


class Keeper:
    """The state and the decisions of the gate.

    *outbox*: messages to be sent to the eye, in order; call :meth:`eye_lost` when sending
    fails. After :meth:`handle` or any other call :meth:`act` does what has become due.

    Synchronization: one thread.
    """

    def __init__(self, config: Config, lines: Lines, clock: Clock) -> None:
        settings = config.gate
        self.counters = GateCounters()
        self.outbox: deque[FromGate] = deque()
        self.crowded = ""
        """Why the process of the gate takes no connection now; empty while it can."""
        self.run = f"{os.getpid()}-{clock.now_ns()}"
        self._settings, self._trigger = settings, config.trigger
        self._lines, self._clock = lines, clock
        self._queue, self._unsettled = make_queue(settings), Unsettled()
        self._by_counts = settings.reject_delay_counts > 0
        self._encoder = Encoder(two_tracks=bool(config.lines.encoder_b))
        self._seen = SeenPlaces()
        self._standstill = Standstill(round(settings.standstill_ms * 1e6), clock.now_ns())
        self._encoder_wired = bool(config.lines.encoder_a)
        self._ready = Ready(round(settings.ready_ms * 1e6))
        self._incidents = Incidents()
        self._confirmations = Confirmations(window_of(settings)) if config.lines.confirm else None
        self._silent_ns = round(settings.eye_silent_ms * 1e6)
        self._tick_ns: int | None = None
        self._tag = 0
        self._unanswered: set[int] = set()
        self._cancelled: set[int] = set()
        self._reported_missed: int | None = None
        self._eye, self._heard_ns, self._eye_trouble = False, 0, ""
        self._latched: dict[str, bool] = {}
        self._shown: set[str] = set()
        self._bin_full = False
        self._photo_eye = config.trigger.kind == "photo-eye"
        self._watch = EdgeWatch(0, clock.now_ns())
        self._beam = Beam(longest_blocked(config), round(config.trigger.off_delay_ms * 1e6))
        self._beam_item = 0
        self._clear_ns: int | None = None
        self._stretch_told = False
        self._lost_until: int | None = None
        self._last_ns = clock.now_ns()
        self._last_tag = 0
        self._last_position: int | None = None
        self._levels = dict(SAFE)
        self._stopping_ns: int | None = None
        self._unplaced_until_ns = 0

    def begin(self) -> None:
        """Reject what was under way before this gate began; READY begins when an eye connects."""
        now_ns = self._clock.now_ns()
        self._watch = EdgeWatch(self._place(now_ns), now_ns)
        self._standstill.count(now_ns)
        self._bin_full = bool(self._lines.level(BIN_FULL))
        self._encoder = Encoder(
            two_tracks=self._encoder.two_tracks,
            b=self._lines.level(ENCODER_B) if self._encoder.two_tracks else 0,
        )
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
        retime(self._queue, config.gate)
        self._standstill.limit_ns = round(config.gate.standstill_ms * 1e6)
        self._beam.longest = longest_blocked(config)
        self._beam.off_delay_ns = round(config.trigger.off_delay_ms * 1e6)
        if self._confirmations is not None:
            self._confirmations.window = window_of(config.gate)

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
            self._beam_next_ns(),
            self._standstill.next_ns() if self._must_move() else None,
            self._confirmations.next_ns() if self._confirmations else None,
            silent_ns if silent_ns is not None and self._ready.next_ns() is not None else None,
            self._stopping_ns if not self.done else None,
        ]
        return min((moment for moment in moments if moment is not None), default=None)

    def act(self) -> None:
        """Do what is due by now."""
        for event in self._lines.read():
            self._handle_event(event)
        now_ns = self._clock.now_ns()
        self._check_beam(self._place(now_ns))
        self._check_standstill(now_ns)
        while self._tick_ns is not None and self._tick_ns <= now_ns:
            self._handle_item(self._tick_ns)
            self._tick_ns += round(self._trigger.interval_ms * 1e6)
        self._step_queue()
        self._miss_overdue(now_ns)
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
        self._eye, self._heard_ns = True, self._clock.now_ns()
        self._report_missed()
        return Welcome(VERSION, self.run)

    def handle(self, message: FromEye) -> None:
        """Handle a message of the eye. Raises ValueError for one that is out of place."""
        self._heard_ns = self._clock.now_ns()
        match message:
            case Answer():
                self.outbox.append(Answered(message.tag, self._answer(message)))
            case Withdraw():
                if self._unsettled.knows(message.tag):
                    self._queue.withdraw(message.tag, WHY_EYE)
            case Settle():
                self._settle(message.tag)
            case Recorded():
                self._incidents.recorded(message.number)
            case Expect():
                self._expect(message)
            case Beat():
                self._eye_trouble = message.trouble
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
        self.counters.late += outcome == "late"
        self.counters.unknown += outcome == "unknown"
        return outcome

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
            self.outbox.append(Missed(missed.tag, missed.t_ns, missed.why))

    # The lines

    def _place(self, t_ns: int) -> int:
        """Return what passes the photo-eye at *t_ns*: that moment, or by counts the position."""
        return self._encoder.position if self._by_counts else t_ns

    def _handle_event(self, event: WireEvent) -> None:
        loss = self._watch.feed(event, self._place(event.t_ns))
        encoder = event.line in (ENCODER_A, ENCODER_B)
        if encoder:
            self._encoder.feed(event)
            moved_ns = event.t_ns if loss is None else loss.since_ns
            self._queue.move_to(self._encoder.position, moved_ns)
            self._seen.move_to(self._encoder.position)
            self._move_after_standstill(event.t_ns)
        if loss is not None:
            self._handle_loss(event, loss)
        if event.line == TRIGGER and self._photo_eye:
            self._handle_photo_eye(event)
        elif encoder:
            self._check_beam(self._place(event.t_ns))
            self._step_queue()
        elif event.line == CONFIRM and event.level:
            self._confirm(event.t_ns)
        elif event.line == BIN_FULL:
            self._bin_full = bool(event.level)
        elif event.line == RESET and event.level:
            self._reset()

    def _handle_item(self, t_ns: int) -> None:
        """Enter an item, and report it to the eye if there is one."""
        if self._by_counts and self._photo_eye and self._stands_still():
            self._latched["the encoder stands still while items come"] = True
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
        self._last_position = self._encoder.position
        return self._tag

    def _stands_still(self) -> bool:
        """Return whether the belt has not moved since the last item.

        With one of its two tracks broken an encoder counts up and down by one.
        """
        if self._last_position is None:
            return False
        moved = abs(self._encoder.position - self._last_position)
        return moved <= int(self._encoder.two_tracks)

    # The photo-eye

    def _handle_photo_eye(self, event: WireEvent) -> None:
        """Handle an edge of the photo-eye: an item begins or goes on, or the beam is clear."""
        place, self._clear_ns, self._stretch_told = self._place(event.t_ns), None, False
        self._grow_beam(place)
        if not event.level:
            self._sweep_beam(place)
            self._beam.uncover(event.t_ns)
        elif self._beam.cover(place, event.t_ns):
            self._handle_front(event.t_ns)
        else:
            self.counters.joined += 1

    def _take_first_levels(self, now_ns: int) -> None:
        """Take the edges since the inputs were requested, and the levels from which all go on.

        A level that is read is that of the last edge where none has come meanwhile.
        """
        for event in self._lines.read():
            self._handle_event(event)
        levels = {line: self._lines.level(line) for line in BOTH_EDGES}
        events = self._lines.read()
        for line in levels.keys() - {event.line for event in events}:
            self._watch.correct(line, levels[line])
            if line == TRIGGER and self._photo_eye and levels[line] and not self._beam.blocked:
                self._begin_blocked(now_ns)
        for event in events:
            self._handle_event(event)

    def _handle_front(self, t_ns: int) -> None:
        """Enter the item whose front is at the photo-eye, unless it was there before."""
        if self._by_counts and self._encoder.two_tracks:
            if self._seen.again(self._beam.longest):
                self.counters.reread += 1
                self._beam_item = 0
                return
            if self._seen.behind:
                self._latched[COUNTS_BACK] = True
        self._handle_item(t_ns)
        self._seen.enter()
        self._beam_item = self._last_tag

    def _begin_blocked(self, now_ns: int) -> None:
        """Reject what covers the photo-eye at the start, of which nobody saw the beginning."""
        place = self._place(now_ns)
        self._beam.cover(place - self._beam.longest - 1, now_ns)
        self._beam.grow(place)
        self._sweep_beam(place)
        self._owe(now_ns, BLOCKED_AT_START)

    def _check_beam(self, place: int) -> None:
        """Look at what covers the photo-eye, whenever it has grown by a length."""
        due = self._beam.next_place()
        if due is None or place < due:
            return
        now_ns = self._clock.now_ns()
        if self._lines.level(TRIGGER):
            self._clear_ns = None
            self._grow_beam(place)
        elif self._clear_ns is None:
            self._clear_ns = now_ns  # the edge that says so may be on its way
        elif now_ns - self._clear_ns >= REREAD_NS:
            self._watch.correct(TRIGGER, 0)
            self._handle_lost_fall(place, now_ns)

    def _beam_next_ns(self) -> int | None:
        """Return when :meth:`_check_beam` has something to look at; None when nothing is ahead."""
        if self._clear_ns is not None:
            return self._clear_ns + REREAD_NS
        return None if self._by_counts else self._beam.next_place()

    def _grow_beam(self, place: int) -> None:
        """Reject what covers the photo-eye for longer than one item; record it once."""
        several = self._beam.lengths > 0
        if not self._beam.grow(place):
            return
        if not several:
            self._reject_touching()
        self._sweep_beam(place)

    def _reject_touching(self) -> None:
        """Reject several items of which only the first has a trigger."""
        self.counters.touching += 1
        self._queue.withdraw(self._beam_item, WHY_TOUCHING)
        fate = "rejected" if self._queue.under_way(self._beam_item) else "past the gate already"
        first = (
            f" by item {self._beam_item} of the gate, which is {fate}" if self._beam_item else ""
        )
        longest = self._beam.longest
        limit = f"{longest} counts" if self._by_counts else f"{longest / 1e6:g} ms"
        why = f"several items: the photo-eye was blocked{first}; one blocks it for {limit} at most"
        self._owe(self._clock.now_ns(), why)

    def _sweep_beam(self, place: int) -> None:
        """Reject what covers the photo-eye up to *place*, when it is longer than one item."""
        if self._beam.blocked and self._beam.lengths and place > self._beam.swept:
            self._sweep(self._beam.swept, place, WHY_TOUCHING)
            self._beam.swept = place

    def _owe(self, t_ns: int, why: str) -> None:
        """Enter an item that nobody saw come, to be written down; what it is on is swept."""
        self._tag += 1
        self.counters.triggers += 1
        self._unsettled.add_missed(UnsettledItem(self._tag, t_ns, why))
        self._report_missed()

    # A belt that stands still

    def _must_move(self) -> bool:
        """Return whether the belt must not stand still now: items are under way by time."""
        timed = self._encoder_wired and not self._by_counts and STOOD_STILL not in self._latched
        return timed and bool(self._queue.ahead)

    def _check_standstill(self, now_ns: int) -> None:
        """Stop the production line when the belt stands still and its items are timed."""
        if self._must_move() and self._standstill.stands(now_ns):
            self._latched[STOOD_STILL] = True
            self._incidents.add("stood still", 0, now_ns, STOOD_STILL)

    def _move_after_standstill(self, t_ns: int) -> None:
        """Reject all that is under way when the belt moves again, where its places are in doubt.

        They are where the delay is a time, and where one track cannot tell whether the belt has run
        back: then what is there comes up to twice as far, as it is counted both ways.
        """
        stood = self._standstill.count(t_ns)
        if not stood or (self._by_counts and self._encoder.two_tracks):
            return
        here, now_ns = self._encoder.position, self._clock.now_ns()
        empty = self._queue.idle and not self._queue.sweeping(now_ns) and not self._beam.blocked
        if self._by_counts and empty:
            return
        self._queue.sweep_all(now_ns, WHY_STOOD)
        if self._by_counts:
            self._queue.sweep(here, here + self._settings.reject_delay_counts, WHY_STOOD)
            self._incidents.add("swept", 0, t_ns, WHY_STOOD)

    # Lost edges

    def _handle_loss(self, event: WireEvent, loss: Loss) -> None:
        """Reject at once what lost edges may hide, and have it written down."""
        self.counters.lost_edges += loss.edges
        self._latched.setdefault(EDGE_MISSING, False)
        here, photo_eye = self._place(event.t_ns), event.line == TRIGGER and self._photo_eye
        if self._by_counts and (loss.shared or event.line in (ENCODER_A, ENCODER_B)):
            self._lose_position(here, loss, event.t_ns)
        elif (loss.shared and self._photo_eye) or (photo_eye and not loss.known):
            self._lose_stretch(here, loss, event.t_ns)
        if loss.shared:
            self._read_levels()
        if photo_eye:
            self._doubt_beam()
            for _ in range(loss.rises):
                self._owe(event.t_ns, EDGE_LOST)
        elif loss.shared and self._photo_eye:
            self._reread_beam(loss)

    def _lose_position(self, here: int, loss: Loss, t_ns: int) -> None:
        """Sweep all that is under way: nobody knows any more what is where.

        The counts that were added for lost edges may be too many: then things come later.
        """
        delay = self._settings.reject_delay_counts
        self._seen.forget()
        self._queue.withdraw_all(WHY_ENCODER)
        first = min(here - delay, loss.since) if loss.shared or loss.known else here - delay
        self._sweep(first, here + loss.edges // 2 + 1, WHY_ENCODER)
        if self._lost_until is None or here > self._lost_until:
            self._incidents.add("lost", 0, t_ns, EDGE_LOST_POSITION)
        self._lost_until = here + delay

    def _lose_stretch(self, here: int, loss: Loss, t_ns: int) -> None:
        """Sweep what passed the photo-eye since the last good event.

        One edge of it alone is of an item that is still there, or has just left; a buffer that ran
        over may hide any.
        """
        several = self._beam.blocked and self._beam.lengths
        since = self._beam.swept if several else loss.since
        first = min(since, here)
        if not loss.shared:
            first = max(first, self._at_gate())
        self._sweep(first, max(since, here), WHY_EDGES)
        if not loss.rises and not self._stretch_told:
            self._incidents.add("lost", 0, t_ns, EDGE_LOST_STRETCH)
        self._stretch_told = True

    def _sweep(self, first: int, last: int, why: str) -> None:
        """Reject all from one place to another; what may have passed the gate stops the line."""
        at_gate = self._at_gate()
        pulse_ns = 0 if self._by_counts else round(self._settings.pulse_ms * 1e6)
        if first < at_gate - pulse_ns:
            self._latched[PASSED_BY] = True
        self._queue.sweep(max(first, at_gate), max(last, at_gate), why)

    def _at_gate(self) -> int:
        """Return the place of what is at the gate now: what passed the photo-eye before is gone."""
        if self._by_counts:
            return self._encoder.position - self._settings.reject_delay_counts
        return self._clock.now_ns() - round(self._settings.reject_delay_ms * 1e6)

    def _read_levels(self) -> None:
        """Read the levels again that lost edges may have changed."""
        self._encoder.correct(self._lines.level(ENCODER_B))
        self._bin_full = bool(self._lines.level(BIN_FULL))

    def _doubt_beam(self) -> None:
        """Reject the item at the photo-eye, whose end nobody saw; what comes next is another."""
        if self._beam.blocked:
            self._queue.withdraw(self._beam_item, WHY_EDGES)
        self._beam.forget()

    def _reread_beam(self, loss: Loss) -> None:
        """Read the photo-eye again after edges of any line were lost."""
        blocked = self._beam.blocked
        if blocked:
            self._queue.withdraw(self._beam_item, WHY_EDGES)
        if not self._lines.level(TRIGGER):
            self._beam.forget()
        elif not blocked:
            self._beam.forget()
            self._beam.cover(loss.since, loss.since_ns)
            self._beam_item = 0

    def _handle_lost_fall(self, place: int, now_ns: int) -> None:
        """Handle a beam that is clear although no edge said so, like any other loss."""
        self.counters.lost_edges += 1
        self._latched.setdefault(EDGE_MISSING, False)
        self._sweep(self._beam.swept, place, WHY_EDGES)
        self._doubt_beam()
        self._incidents.add("lost", 0, now_ns, EDGE_LOST_STRETCH)
        self._clear_ns = None

    def _reset(self) -> None:
        """Handle the reset button: what is under way is rejected, and the faults are over.

        Somebody had his hands there: items may lie where none is known, so all of the belt between
        photo-eye and gate is rejected, as at the start. What was not shown yet when it was pressed
        stays: nobody has looked at that.
        """
        self._latched = {why: stop for why, stop in self._latched.items() if why not in self._shown}
        self._queue.sweep_all(self._clock.now_ns(), WHY_RESET)
        self._seen.forget()
        if self._confirmations is not None:
            self._confirmations.clear()

    def _step_queue(self) -> None:
        sweeping = self._queue.sweeping(self._clock.now_ns())
        for level, tag in self._queue.step(self._clock.now_ns()):
            self._drive(REJECT_LINE, level, tag)
            if level:
                self._queue.note_rise(self._clock.now_ns())
        now_ns = self._clock.now_ns()
        if self._queue.take_lateness_ns() > round(self._settings.pulse_ms * 1e6):
            self._latched["an item was reached later than a pulse is long: look at it"] = True
        if self._confirmations and (sweeping or self._queue.sweeping(now_ns)):
            self._confirmations.sweep(now_ns, self._encoder.position)
        for arrival in self._queue.take_arrivals():
            if arrival.thrown:
                self._note_thrown(arrival, now_ns)

    def _note_thrown(self, arrival: Arrival, now_ns: int) -> None:
        """Count an item that is thrown; of one that the eye let pass the journal must be told."""
        self.counters.thrown += 1
        swept = arrival.why == UNDER_A_STRETCH  # one of many, of which some may be past the device
        placed = now_ns >= self._unplaced_until_ns
        if self._confirmations is not None and placed and not swept:
            self._confirmations.expect(arrival.sequence, now_ns, self._encoder.position)
        if arrival.let_pass:
            self.counters.thrown_passes += 1
            self._cancelled.discard(arrival.sequence)
            self._incidents.add("thrown", arrival.sequence, now_ns, arrival.why)

    # The bin

    def _confirm(self, t_ns: int) -> None:
        """Take an edge of the bin's sensor; an item that nobody had rejected is trouble."""
        if self._confirmations is None:
            return
        if self._queue.sweeping(t_ns):
            self._confirmations.sweep(t_ns, self._encoder.position)
        if self._confirmations.confirm(t_ns, self._encoder.position) == "unexpected":
            self._latched[NOT_REJECTED] = True
            self._incidents.add("unexpected", 0, t_ns, NOT_REJECTED)

    def _miss_overdue(self, now_ns: int) -> None:
        """Latch a trouble for rejected items that should have come to the bin by now."""
        if self._confirmations is None:
            return
        for tag in self._confirmations.overdue(now_ns, self._encoder.position):
            self._latched[NOT_IN_THE_BIN] = True
            self._incidents.add("unconfirmed", tag, now_ns, NOT_IN_THE_BIN)

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
            "the photo-eye is blocked": self._beam.jammed,
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
                *filter(None, [self.crowded, self._eye_trouble]),
            ]
        )

    def _start_belt(self, now_ns: int) -> None:
        """Reject all that is under way when READY begins, and until the belt runs at its speed.

        By counts the belt itself tells where things are. By time what stood on it comes later than
        reckoned, and so does what comes to the photo-eye while it is slow.
        """
        if self._by_counts or not self._settings.ready_stops_belt:
            return
        start_ns = now_ns + round(self._settings.belt_start_ms * 1e6)
        self._queue.withdraw_all(WHY_READY)
        self._queue.sweep(self._at_gate(), start_ns, WHY_READY)
        self._unplaced_until_ns = start_ns + round(self._settings.reject_delay_ms * 1e6)
        if self._tag:
            self._incidents.add("swept", 0, now_ns, WHY_READY)
        self._step_queue()

    def _show_state(self, now_ns: int) -> None:
        live = not self._reasons_to_stop(now_ns)
        if live and self._ready.next_ns() is None:
            self._start_belt(now_ns)
        self._drive(READY_LINE, self._ready.act(now_ns, live=live))
        self._drive(FAULT_LINE, int(bool(self.trouble)))
        self._shown = set(self._latched)
        if self._confirmations is not None:
            self.counters.unconfirmed = self._confirmations.missing
            self.counters.unexpected = self._confirmations.unexpected
            self.counters.seen_again = self._confirmations.again
