"""The way of one item, from the trigger to the watchdog: :meth:`Station.pass_item`."""

import contextlib
import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.alarms.line_alarms import LineAlarms, basis_of
from edge.camera import Camera, Capture
from edge.camera.burst import take_pictures
from edge.camera.checks import FrameChecks
from edge.camera.turning import turned_capture
from edge.challenge.control import Challenges
from edge.challenge.course import Passing
from edge.clock import Clock, Stop
from edge.config import Config
from edge.deciding.burst import combine
from edge.deciding.codes import FIXED_MARK, GATE, GIVEN_UP, NO_ROOM, STANDING_MARK, UNSURE
from edge.deciding.fixed_marks import StandingMarks, corners
from edge.deciding.judging import Scene
from edge.deciding.rules import Rules, rules_of
from edge.decision import Kind, Verdict, fault
from edge.errors import CameraError, FrameError, GateError, JournalError, ModelError
from edge.gate import Gate
from edge.gate.messages import Incident
from edge.gate.rejects import Outcome
from edge.process.notify import Notifier
from edge.record.evidence import Evidence
from edge.record.health import AlarmWords, Health
from edge.record.journal import Journal
from edge.sight.idle_marks import IdleMarks
from edge.sight.inspector import Inspector
from edge.trigger import Item, Trigger
from edge.vision.idle_proof import IdleProof
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame

if TYPE_CHECKING:
    from edge.probation.control import Releases
    from edge.sight.place_watch import PlaceWatch

NUMBERS_KEPT = 10_000
"""Items whose numbers are kept for incidents: as many as may be between the eye and the gate."""
IDLE_AFTER_NS = 10**9
"""How long after its trigger an item may still be in view at most, unless [camera] in_view_ms says
more; only then a picture counts as one without an item."""
TRUTHS = {"taken": "bad", "left": "good", "unclear": "unclear"}
"""What an incident of the photo-eye behind the people says of an item, as a truth record has it."""
PHOTO_EYE = "photo-eye"
TAKEN_BACK = "; it had been let pass, and that was taken back"


@dataclass
class Counters:
    """Counts of the items of this run; triggers = passed + rejected + faults, always."""

    passed: int = 0
    rejected: int = 0
    faults: int = 0
    unsure: int = 0
    """Items of the rejected whose verdict hung on a mark in the no-call band."""
    late: int = 0
    """Items of the above whose answer came after they were due at the gate."""
    unknown: int = 0
    """Items of the above that the gate did not know."""
    thrown_passes: int = 0
    """Items that passed by their record and were thrown all the same, by an incident's."""

    @property
    def triggers(self) -> int:
        """Number of items."""
        return self.passed + self.rejected + self.faults

    def count(self, verdict: Verdict, outcome: Outcome) -> None:
        """Count one item, once."""
        self.passed += verdict.kind == "pass"
        self.rejected += verdict.kind == "reject"
        self.faults += verdict.kind == "fault"
        self.unsure += verdict.code == UNSURE
        self.late += outcome == "late"
        self.unknown += outcome == "unknown"

    def as_object(self) -> dict[str, int]:
        """The counters as the journal's stop record holds them."""
        return {
            "triggers": self.triggers,
            "pass": self.passed,
            "reject": self.rejected,
            "fault": self.faults,
            "unsure": self.unsure,
            "late": self.late,
            "unknown": self.unknown,
            "thrown_passes": self.thrown_passes,
        }

    def __str__(self) -> str:
        kinds = f"{self.passed} pass, {self.rejected} reject, {self.faults} fault"
        return f"{self.triggers} items: {kinds}"


@dataclass(frozen=True)
class Judged:
    """The verdict on one item, with the picture and the error behind it.

    *capture*: the picture that was judged; None when there was none. *error*: why the item could
    not be judged, without its traceback; None when it could. *frames*: of a burst, what each
    picture showed.
    """

    verdict: Verdict
    capture: Capture | None = None
    error: Exception | None = None
    frames: tuple[dict[str, Any], ...] = ()

    @property
    def picture(self) -> str:
        """Name of the picture; empty when there was none."""
        if self.capture is not None:
            return self.capture.name
        return self.error.picture if isinstance(self.error, FrameError) else ""

    @property
    def lost(self) -> CameraError | GateError | None:
        """The error that this process cannot recover from: the camera or the gate is lost."""
        if isinstance(self.error, FrameError):
            return None
        return self.error if isinstance(self.error, CameraError | GateError) else None


@dataclass
class _Passage:
    """One item on its way through the box, as far as it has come.

    *sequence*: its number in the journal.
    """

    item: Item
    sequence: int
    tag: int = 0
    judged: Judged | None = None
    outcome: Outcome = "unknown"
    said: Kind | None = None
    """What the model's answer was, before the gate's; None where it was not asked."""
    counted: bool = False
    answered_ns: int = 0

    @property
    def latency_ms(self) -> float:
        """Time from the trigger to the answer, milliseconds."""
        return (self.answered_ns - self.item.t_ns) / 1e6

    @property
    def picture(self) -> Frame | None:
        """The picture that was judged, (height, width, 3) uint8 RGB; None when there was none."""
        capture = self.judged and self.judged.capture
        return capture.picture if capture else None


@dataclass(eq=False, kw_only=True)
class Station:
    """All parts of the box, opened by :func:`edge.service.serve`, and the way of an item.

    Synchronization: one thread; the gate keeps its own time.
    """

    trigger: Trigger
    camera: Camera
    checks: FrameChecks
    inspector: Inspector
    gate: Gate
    evidence: Evidence
    journal: Journal
    health: Health
    notifier: Notifier
    clock: Clock
    idle_proof: IdleProof | None = None
    """What judges the golden pictures again; None judges none."""
    idle_marks: IdleMarks | None = None
    """What looks for marks while no item is there; None where nobody knows when that is."""
    shadow: bool = False
    """Whether the gate has locked the reject output off: each item's record says so."""
    alarms: LineAlarms | None = None
    """The alarms of the line; None has none."""
    place: "PlaceWatch | None" = None
    """What compares pictures with the place's reference; None compares none."""
    challenges: Challenges | None = None
    """The challenge test; None where there is none."""
    releases: "Releases | None" = None
    """The release that runs; None for a bare model file."""
    standing: StandingMarks = field(default_factory=StandingMarks)
    counters: Counters = field(default_factory=Counters)
    _numbers: dict[int, int] = field(default_factory=dict)
    """The journal's numbers of the last items, by their tags."""
    _unsettled: dict[int, int] = field(default_factory=dict)
    """By the tags of items that the gate does not know to be on the disk: their lines' ordinals."""
    _unsettled_incidents: deque[tuple[int, Incident]] = field(default_factory=deque)
    """The same for incidents."""
    _item_ns: int = 0
    """Trigger of the last item."""
    _idle_ns: int | None = None
    """The last idle tick, None once an item came since."""

    def pass_item(self, until_ns: int, stop: Stop) -> None:
        """Wait until *until_ns* for an item and process it; if none comes, feed the watchdog only.

        ::

            trigger → camera ─Frame→ localizer ─Finding→ judge ─Verdict→ gate → journal → watchdog

        The item is registered with the gate first, which will reject it; all that follows can only
        cancel that. Any error while it is judged makes it a FAULT, never a PASS; so does any error
        before its record is taken, and what was cancelled is rejected after all. The order is
        cancel, record, settle: docs/decisions/0013. Raises JournalError when it cannot be written
        down, and CameraError or GateError, after it was written down, when the camera or the gate
        is lost.
        """
        item = self.trigger.wait(until_ns, stop)
        if item is None:
            self._idle()
            return
        self._end_idle(item)
        passage = _Passage(item, self.journal.next_sequence, item.tag or 0)
        try:
            self._judge(passage)
            self._answer(passage)
            self._write_down(passage)
        except JournalError:
            self._withdraw(passage)
            raise
        except BaseException as error:  # what ends the process, too
            self._rescue(passage, error)
            if not isinstance(error, Exception):
                raise
        self._watch_place(passage.picture)
        self._tell_challenge(passage)
        if self.releases is not None:
            self.releases.item(passage.said, late=passage.outcome == "late")
        self._feed_watchdog()
        if passage.judged is not None and passage.judged.lost is not None:
            raise passage.judged.lost

    def adopt(self, config: Config) -> None:
        """Apply changed settings from the next item on.

        Raises ConfigError, and then nothing has changed.
        """
        self.inspector.rules = rules_for(config, self.inspector.localizer)
        if self.alarms is not None:
            basis = basis_of(config, self.inspector.localizer.sha256)
            self.alarms.adopt(config, basis, self.inspector.rules.scores.least)
        if self.idle_marks is not None:
            self.idle_marks.adopt(config.decision)
        if self.place is not None:
            self.place.adopt(config.imaging)
        self.checks.settings, self.evidence.settings = config.camera, config.evidence
        self.journal.adopt(config.journal)

    def change_model(self, inspector: Inspector, config: Config) -> None:
        """Let another model judge by its rules from the next item on.

        What was learnt about the model before is forgotten. The inspector stays the same object:
        what looks at pictures between items has it, too.
        """
        self.inspector.localizer, self.inspector.rules = inspector.localizer, inspector.rules
        every_s = config.model.golden_every_s
        self.idle_proof = IdleProof(inspector.localizer, self.clock, every_s)
        self.standing = StandingMarks()
        if self.idle_marks is not None:
            self.idle_marks.adopt(config.decision)
        if self.alarms is not None:
            basis = basis_of(config, inspector.localizer.sha256)
            self.alarms.adopt(config, basis, inspector.rules.scores.least)

    def tell_release(self) -> None:
        """Write down what was done about the release, and show how it stands."""
        releases = self.releases
        if releases is None:
            return
        for fields in releases.take_records():
            self.journal.append("release", fields)
        self.health.release = releases.about
        if self.alarms is not None:
            self.alarms.of_model = {**self.alarms.of_model, "release": releases.trouble}

    def _idle(self) -> None:
        """Feed the watchdog without an item, once gate and camera have shown that they work."""
        self.journal.check()
        self.gate.check()
        if not self._look_without_item():
            self.camera.check()
        self._watch_place(None)
        self._prove_model()
        self._feed_watchdog()

    def _end_idle(self, item: Item) -> None:
        """Stop what is done in idle moments: an item has come."""
        self._idle_ns, self._item_ns = None, item.t_ns
        if self.idle_marks is not None:
            self.idle_marks.stop()
        if self.place is not None:
            self.place.stop()

    def _look_without_item(self) -> bool:
        """Begin a look at a picture without an item when one is due; return whether one was taken.

        The picture is from after an idle tick when the last item had left the view, and one that
        is there or under way: waiting for it takes no picture from an item that comes meanwhile.
        """
        idle, since_ns = self.idle_marks, self._idle_ns
        if idle is None:
            return False
        self._note_fixed_marks(idle)
        settings, self._idle_ns = self.checks.settings, self.clock.now_ns()
        clear_ns = self._item_ns + max(IDLE_AFTER_NS, round(settings.in_view_ms * 1e6))
        if since_ns is None or since_ns < clear_ns or not idle.is_due:
            return False
        period_ns = round(1e9 / settings.frames_per_second)
        with contextlib.suppress(FrameError):
            capture = self.camera.capture(max(since_ns, self._idle_ns - period_ns))
            picture = turned_capture(capture, settings).picture
            idle.begin(picture)
            self._watch_place(picture)
        return True

    def _note_fixed_marks(self, idle: IdleMarks) -> None:
        """Write down which marks are seen without an item since now, or are no more."""
        for mark, begun in idle.take():
            what = f"{mark.label} at [{corners(mark.box)}]"
            words = "is seen while no item is there" if begun else "is not seen there any more"
            fields = {"reason": f"{what} {words}", "code": FIXED_MARK, "mark": mark.as_object()}
            self.journal.append("note", fields)

    def _watch_place(self, picture: Frame | None) -> None:
        """Write down what has changed of the camera's place, and offer the next picture of it."""
        if self.place is None:
            return
        for trouble, begun in self.place.take():
            words = trouble.words if begun else f"no more: {trouble.words}"
            self.journal.append("note", {"reason": words, "code": trouble.code})
        if picture is not None:
            self.place.offer(picture)

    def _prove_model(self) -> None:
        """Judge a golden picture if one is due; FAULT is shown before ModelError ends us.

        A release in probation is given up instead.
        """
        try:
            if self.idle_proof is not None:
                self.idle_proof.step()
        except ModelError as error:
            if self.releases is not None and self.releases.fail(str(error)):
                return  # the release before it takes its place
            with contextlib.suppress(GateError):  # a gate that is gone is not READY either
                self.gate.show_fault(str(error))
            raise

    def _judge(self, passage: _Passage) -> None:
        """Register the item with the gate, take its picture and decide."""
        item, taken = passage.item, list[Capture]()
        try:
            self._register(passage)
            if item.trouble:
                raise FrameError(item.trouble)
            take_pictures(self.camera, self.checks, item.t_ns, self.inspector.rules.burst, taken)
            passage.judged = self._inspect(item, taken)
            for capture in taken:
                self.checks.before_next(capture, self.trigger.next_ns(item))
        except Exception as error:  # noqa: BLE001 - ends as FAULT and does not end the service
            shown = taken[-1] if taken else None
            passage.judged = Judged(_fault_of(error), shown, _without_traceback(error))

    def _inspect(self, item: Item, taken: Sequence[Capture]) -> Judged:
        """Judge the pictures of an item by the rules. Raises FrameError, AnswerError."""
        rules = self.inspector.rules
        fixed = () if self.idle_marks is None else self.idle_marks.marks
        verdicts = []
        for capture in taken:
            moved_ms = tuple((ns - item.t_ns) / 1e6 for ns in (capture.t_ns, capture.begun_ns))
            scene = Scene(fixed, (moved_ms[0], moved_ms[1]))
            verdicts.append(self.inspector.inspect(capture.picture, scene, capture.name))
        verdict, shown = combine(verdicts, rules.needed, rules.forbidden)
        frames = tuple(map(_frame_fields, taken, verdicts)) if len(taken) > 1 else ()
        return Judged(verdict, taken[shown], frames=frames)

    def _register(self, passage: _Passage) -> None:
        """Register the item with the gate unless the gate reported it. Raises GateError."""
        if passage.item.tag is None:
            passage.tag = self.gate.expect(passage.sequence, passage.item.t_ns)

    def _answer(self, passage: _Passage) -> None:
        """Answer for the item at the gate, and take what really becomes of it as its verdict.

        Without a gate every item is a FAULT, and without room for its record: nothing can let it
        pass.
        """
        judged = passage.judged
        assert judged is not None
        passage.answered_ns = self.clock.now_ns()
        if judged.error is None or not isinstance(judged.error, CameraError | GateError):
            passage.said = judged.verdict.kind
        if isinstance(judged.error, GateError):
            passage.outcome = "gone"
            return
        if judged.verdict.kind == "pass" and not self.journal.has_room:
            full = fault(f"there is no room for its record ({judged.verdict.reason})")
            full = dataclasses.replace(full, code=NO_ROOM)
            judged = dataclasses.replace(judged, verdict=full)
        verdict = self._refused(passage.item, judged.verdict)
        try:
            outcome = self.gate.answer(passage.tag, cancel=verdict.kind == "pass")
        except GateError as error:
            lost = dataclasses.replace(fault(f"{error} ({verdict.reason})"), code=f"{GATE}gone")
            passage.judged = dataclasses.replace(judged, verdict=lost, error=error)
            passage.outcome = "gone"
        else:
            passage.judged = dataclasses.replace(judged, verdict=_settled(verdict, outcome))
            passage.outcome = outcome

    def _refused(self, item: Item, verdict: Verdict) -> Verdict:
        """Return the verdict, a PASS as a REJECT while a challenge test does not let items pass.

        So it is while a release that was given up still judges.
        """
        if verdict.kind != "pass":
            return verdict
        why, code = "", ""
        if self.challenges is not None:
            why, code = self.challenges.refusal(item.t_ns)
        if self.releases is not None and not why:
            why, code = self.releases.refusal, GIVEN_UP
        if not why:
            return verdict
        reason = f"{why} ({verdict.reason})"
        return dataclasses.replace(verdict, kind="reject", reason=reason, code=code)

    def _tell_challenge(self, passage: _Passage) -> None:
        """Tell the challenge test of an item whose record was taken. Raises JournalError."""
        if self.challenges is not None and passage.judged is not None:
            verdict = passage.judged.verdict
            self.challenges.see(
                Passing(
                    passage.sequence,
                    passage.item.t_ns,
                    verdict.kind,
                    passage.outcome,
                    verdict.reason,
                )
            )

    def _follow_challenge(self) -> None:
        """Let the challenge test do what is due, and READY rest while it says so."""
        challenges, health = self.challenges, self.health
        if challenges is None:
            return
        with contextlib.suppress(GateError):  # the next request to it raises
            challenges.tick()
            health.hold, health.challenge_trouble = challenges.hold, challenges.trouble
            health.challenge = challenges.note
            self.gate.hold(health.hold)

    def _write_down(self, passage: _Passage) -> None:
        """Keep the evidence, append the item's record to the journal, and count the item."""
        judged = passage.judged
        assert judged is not None
        verdict = judged.verdict
        frame = None if judged.capture is None else judged.capture.picture
        kept = self.evidence.keep(passage.sequence, verdict.kind, frame, verdict.reason)
        self._append(passage, judged, kept.as_fields())
        self._count(passage, verdict)
        if verdict.kind != "fault":
            self.standing.note_item(verdict.findings)

    def _append(self, passage: _Passage, judged: Judged, evidence: Mapping[str, str]) -> None:
        """Append the item's record; the gate hears of it once it is on the disk."""
        item, verdict = passage.item, judged.verdict
        fields: dict[str, Any] = {
            "verdict": verdict.kind,
            "reason": verdict.reason,
            "code": verdict.code,
            "gate": passage.outcome,
            "findings": [finding.as_object() for finding in verdict.findings],
            "near_miss": verdict.near and verdict.near.as_object(),
            "picture": judged.picture,
            **({"frames": list(judged.frames)} if judged.frames else {}),
            **evidence,
            **({"mode": "shadow"} if self.shadow else {}),
            "trigger_ns": item.t_ns,
            **({} if item.trouble else {"ms": round(passage.latency_ms, 3)}),
        }
        if self.gate.facts:  # a gate that outlives us numbers the items itself
            run = self.gate.facts["run"]
            if item.run:  # an item of a gate that has ended keeps its name
                fields |= {"tag": item.seen_as, "gate_run": item.run, "told_by": run}
            else:
                fields |= {"tag": passage.tag, "gate_run": run}
        self.journal.append("item", fields)

    def _count(self, passage: _Passage, verdict: Verdict) -> None:
        """Count an item whose record is taken, and have it settled when that is on the disk."""
        self._unsettled[passage.tag] = self.journal.taken
        if not passage.counted:
            self.counters.count(verdict, passage.outcome)
            passage.counted = True
        self._numbers[passage.tag] = passage.sequence
        if len(self._numbers) > NUMBERS_KEPT:
            del self._numbers[next(iter(self._numbers))]
        ms = None if passage.item.trouble else passage.latency_ms  # None: no eye saw it
        self.health.item(passage.sequence, verdict, ms)
        if self.alarms is not None:
            self.alarms.item(verdict, ms)

    def _rescue(self, passage: _Passage, error: BaseException) -> None:
        """Write an item down as FAULT that an *error* stopped on its way, rejecting it first.

        Where its record was taken already, that stands. Raises JournalError.
        """
        if self.journal.next_sequence > passage.sequence and passage.judged is not None:
            self._count(passage, passage.judged.verdict)
            return
        let_pass = passage.outcome == "cancelled"
        self._withdraw(passage)
        why = f"{_fault_of(error).reason}{TAKEN_BACK if let_pass else ''}"
        cause = error if isinstance(error, Exception) else None
        judged = Judged(fault(why), None, cause and _without_traceback(cause))
        passage.judged, passage.answered_ns = judged, self.clock.now_ns()
        passage.outcome = "gone" if isinstance(error, GateError) else "kept"
        self._append(passage, judged, {"evidence": ""})
        self._count(passage, judged.verdict)

    def _withdraw(self, passage: _Passage) -> None:
        """Reject the item after all; one that is past the gate already becomes an incident."""
        with contextlib.suppress(GateError):  # a gate that is gone rejects it as well
            self.gate.settle(passage.tag, written=False)

    def settle_all(self) -> None:
        """Bring the records that wait for others onto the disk, and settle their items."""
        self.journal.flush()
        self._settle_written()

    def _settle_written(self) -> None:
        """Settle with the gate every item and incident that is on the disk, and no other."""
        with contextlib.suppress(GateError):  # the next request to it raises
            synced = self.journal.synced
            while self._unsettled and (oldest := next(iter(self._unsettled.items())))[1] <= synced:
                self.gate.settle(oldest[0], written=True)
                del self._unsettled[oldest[0]]
            while self._unsettled_incidents and self._unsettled_incidents[0][0] <= synced:
                self.gate.recorded(self._unsettled_incidents[0][1])
                self._unsettled_incidents.popleft()

    def record_incidents(self) -> None:
        """Append an ``incident`` record for whatever the gate has reported.

        What became of an item at the photo-eye behind the people is a ``truth`` record.

        An incident of an item that an eye before this one wrote down names its tag alone.
        """
        for incident in self.gate.incidents():
            fields: dict[str, Any] = {
                "what": incident.what,
                "reason": incident.why,
                "at_ns": incident.t_ns,
                "incident": incident.number,
            }
            if incident.tag:
                item = None if incident.run else self._numbers.get(incident.tag)
                fields |= {"item": item, "tag": incident.tag}
            if self.gate.facts:
                fields |= {"gate_run": incident.run or self.gate.facts["run"]}
            if incident.what in TRUTHS:
                fields |= {"truth": TRUTHS[incident.what], "by": PHOTO_EYE}
            self.journal.append("truth" if "truth" in fields else "incident", fields)
            self.counters.thrown_passes += incident.what == "thrown"
            if self.challenges is not None:
                self.challenges.note_incident(incident)
            self._unsettled_incidents.append((self.journal.taken, incident))
        self._settle_written()

    def _look_for_alarms(self) -> None:
        """Write down which alarms began or ended, and have them told."""
        if self.alarms is None:
            return
        for change in self.alarms.look(self.health.sensors):
            self.journal.append("note", change.as_fields())
        alarms = self.alarms
        self.health.alarms = AlarmWords(alarms.fault, alarms.told, alarms.state)

    def _feed_watchdog(self) -> None:
        """End an item or an idle tick: write down incidents, show trouble, feed the watchdog."""
        self.record_incidents()
        self._follow_challenge()
        if self.health.note != self.standing.words:
            self.health.note = self.standing.words
            if self.health.note:
                self.journal.append("note", {"reason": self.health.note, "code": STANDING_MARK})
        self.health.camera = self.camera.facts
        told = (
            self.camera.trouble or self.checks.trouble,
            "" if self.place is None else self.place.trouble,
        )
        self.health.camera_trouble = "; ".join(filter(None, told))
        self._look_for_alarms()
        self.health.marks_trouble = "" if self.idle_marks is None else self.idle_marks.trouble
        with contextlib.suppress(GateError):  # the next request to it raises
            self.gate.show_fault(self.health.trouble)
        self.health.gate = self.gate.facts
        self.health.tick(self.counters.as_object())
        self.notifier.alive(str(self.counters))


def _settled(verdict: Verdict, outcome: Outcome) -> Verdict:
    """Return what really becomes of the item: a pass that the gate did not take is a reject."""
    if verdict.kind != "pass" or outcome == "cancelled":
        return verdict
    why = {
        "late": "the answer came after the item was due",
        "unknown": "the gate does not know the item",
        "kept": "the gate rejects it in any case: touching or too close, edges were lost, or reset",
    }
    reason = f"{why.get(outcome, outcome)} ({verdict.reason})"
    code = f"{GATE}{outcome}"
    return dataclasses.replace(verdict, kind="reject", reason=reason, code=code)


def _frame_fields(capture: Capture, verdict: Verdict) -> dict[str, Any]:
    """Return what one picture of a burst showed, as the item's record holds it."""
    scored = verdict.findings[0] if verdict.findings else verdict.near
    return {
        "picture": capture.name,
        "verdict": verdict.kind,
        "code": verdict.code,
        "score": scored and round(scored.score, 4),
    }


def _fault_of(error: BaseException) -> Verdict:
    """Return a FAULT whose reason is the error, with the exception's name if it was unforeseen."""
    if isinstance(error, CameraError | GateError | ModelError):
        return fault(str(error))
    said = f": {error}" if str(error) else ""
    return fault(f"not foreseen: {type(error).__name__}{said}")


def _without_traceback(error: Exception) -> Exception:
    """Drop traceback and causes; they keep the frame alive until the next garbage collection."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def rules_for(config: Config, localizer: Localizer) -> Rules:
    """Return the rules of the settings for that model.

    Raises ConfigError for what they cannot ask of it, such as a class that it does not know.
    """
    contract = localizer.contract
    return rules_of(config.decision, contract.classes, contract.threshold)
