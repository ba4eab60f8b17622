"""The way of one item, from the trigger to the watchdog: :meth:`Station.pass_item`."""

import contextlib
import dataclasses
from dataclasses import dataclass, field
from typing import Any

from edge.camera import Camera, Capture
from edge.camera.checks import FrameChecks
from edge.clock import Clock, Stop
from edge.config import Config
from edge.decision import Verdict, decide, fault, required_classes
from edge.errors import CameraError, ConfigError, FrameError, GateError, JournalError, UsageError
from edge.gate import Gate
from edge.gate.rejects import Outcome
from edge.notify import Notifier
from edge.record.evidence import Evidence
from edge.record.health import Health
from edge.record.journal import Journal
from edge.trigger import Item, Trigger
from edge.vision.localizer import Localizer

NUMBERS_KEPT = 10_000
"""Items whose numbers are kept for incidents: as many as may be between the eye and the gate."""


@dataclass
class Counters:
    """Counts of the items of this run; triggers = passed + rejected + faults, always."""

    passed: int = 0
    rejected: int = 0
    faults: int = 0
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
        self.late += outcome == "late"
        self.unknown += outcome == "unknown"

    def as_object(self) -> dict[str, int]:
        """The counters as the journal's stop record holds them."""
        return {
            "triggers": self.triggers,
            "pass": self.passed,
            "reject": self.rejected,
            "fault": self.faults,
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
    not be judged, without its traceback; None when it could.
    """

    verdict: Verdict
    capture: Capture | None = None
    error: Exception | None = None

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


@dataclass(eq=False, kw_only=True)
class Station:
    """All parts of the box, opened by :func:`edge.service.serve`, and the way of an item.

    *required*: the classes that must all be found for a PASS.

    Synchronization: one thread; the gate keeps its own time.
    """

    trigger: Trigger
    camera: Camera
    checks: FrameChecks
    localizer: Localizer
    required: frozenset[str]
    gate: Gate
    evidence: Evidence
    journal: Journal
    health: Health
    notifier: Notifier
    clock: Clock
    counters: Counters = field(default_factory=Counters)
    _numbers: dict[int, int] = field(default_factory=dict)
    """The journal's numbers of the last items, by their tags."""

    def pass_item(self, until_ns: int, stop: Stop) -> None:
        """Wait until *until_ns* for an item and process it; if none comes, feed the watchdog only.

        ::

            trigger → camera ─Frame→ localizer ─Finding→ decide ─Verdict→ gate → journal → watchdog

        The item is registered with the gate first, which will reject it; all that follows can only
        cancel that. Any error while it is judged makes it a FAULT, never a PASS. Raises
        JournalError when it cannot be written down, and CameraError or GateError, after it was
        written down, when the camera or the gate is lost.
        """
        item = self.trigger.wait(until_ns, stop)
        if item is None:
            self._idle()
            return
        tag, unfit = self._register(item)
        capture = None
        try:
            if unfit is not None:
                raise unfit
            capture = self.camera.capture(item.t_ns)
            self.checks.examine(capture, item.t_ns)
            findings = self.localizer.find(capture.picture)
            self.checks.before_next(capture, self.trigger.next_ns(item))
            judged = Judged(decide(findings, self.required), capture)
        except Exception as error:  # noqa: BLE001 - ends as FAULT and does not end the service
            judged = Judged(_fault_of(error), capture, _without_traceback(error))
        answered_ns = self.clock.now_ns()
        judged, outcome = self._answer(tag, judged)
        self._write_down(item, tag, judged, outcome, answered_ns)
        self._feed_watchdog()
        if judged.lost is not None:
            raise judged.lost

    def adopt(self, config: Config) -> None:
        """Apply changed settings from the next item on.

        Raises ConfigError, and then nothing has changed.
        """
        self.required = required_of(config, self.localizer)
        self.checks.settings, self.evidence.settings = config.camera, config.evidence
        self.journal.adopt(config.journal)

    def _idle(self) -> None:
        """Feed the watchdog without an item, once gate and camera have shown that they work."""
        self.gate.check()
        self.camera.check()
        self._feed_watchdog()

    def _register(self, item: Item) -> tuple[int, Exception | None]:
        """Register the item with the gate unless the gate reported it.

        Returns its tag, and why it cannot be judged, None when it can; the tag is 0 when the gate
        is lost.
        """
        unfit = FrameError(item.trouble) if item.trouble else None
        if item.tag is not None:
            return item.tag, unfit
        try:
            return self.gate.expect(self.journal.next_sequence, item.t_ns), unfit
        except GateError as error:
            return 0, error

    def _answer(self, tag: int, judged: Judged) -> tuple[Judged, Outcome]:
        """Answer for the item at the gate, and return what really becomes of it.

        Without a gate every item is a FAULT: nothing could let it pass.
        """
        if isinstance(judged.error, GateError):
            return judged, "gone"
        verdict = judged.verdict
        try:
            outcome = self.gate.answer(tag, cancel=verdict.kind == "pass")
        except GateError as error:
            lost = fault(f"{error} ({verdict.reason})")
            return dataclasses.replace(judged, verdict=lost, error=error), "gone"
        return dataclasses.replace(judged, verdict=_settled(verdict, outcome)), outcome

    def _write_down(
        self, item: Item, tag: int, judged: Judged, outcome: Outcome, answered_ns: int
    ) -> None:
        """Keep the evidence, append the item's record to the journal, and count the item."""
        sequence, verdict = self.journal.next_sequence, judged.verdict
        frame = None if judged.capture is None else judged.capture.picture
        kept = self.evidence.keep(sequence, verdict.kind, frame, verdict.reason)
        ms = (answered_ns - item.t_ns) / 1e6
        fields: dict[str, Any] = {
            "verdict": verdict.kind,
            "reason": verdict.reason,
            "gate": outcome,
            "findings": [finding.as_object() for finding in verdict.findings],
            "picture": judged.picture,
            **kept.as_fields(),
            "trigger_ns": item.t_ns,
            "ms": round(ms, 3),
        }
        if self.gate.facts:  # a gate that outlives us numbers the items itself
            fields |= {"tag": tag, "gate_run": self.gate.facts["run"]}
        self._append(fields, tag)
        self._numbers[tag] = sequence
        if len(self._numbers) > NUMBERS_KEPT:
            del self._numbers[next(iter(self._numbers))]
        self.counters.count(verdict, outcome)
        self.health.item(sequence, verdict, ms)

    def record_incidents(self) -> None:
        """Append an ``incident`` record for whatever the gate has reported.

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
                fields |= {"item": self._numbers.get(incident.tag), "tag": incident.tag}
            if self.gate.facts:
                fields |= {"gate_run": self.gate.facts["run"]}
            self.journal.append("incident", fields)
            self.counters.thrown_passes += incident.what == "thrown"
            with contextlib.suppress(GateError):  # it reports it to the next eye once more
                self.gate.recorded(incident)

    def _append(self, fields: dict[str, Any], tag: int) -> None:
        """Append an item's record; an item that cannot be written down is rejected after all."""
        try:
            self.journal.append("item", fields)
        except JournalError:
            with contextlib.suppress(GateError):  # a gate that is gone rejects it as well
                self.gate.settle(tag, written=False)
            raise
        with contextlib.suppress(GateError):  # the next request to it raises
            self.gate.settle(tag, written=True)

    def _feed_watchdog(self) -> None:
        """End an item or an idle tick: write down incidents, show trouble, feed the watchdog."""
        self.record_incidents()
        self.health.camera = self.camera.facts
        self.health.camera_trouble = self.camera.trouble or self.checks.trouble
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
    return dataclasses.replace(verdict, kind="reject", reason=reason)


def _fault_of(error: Exception) -> Verdict:
    """Return a FAULT whose reason is the error, with the exception's name if it was unforeseen."""
    if isinstance(error, CameraError | GateError):
        return fault(str(error))
    return fault(f"not foreseen: {type(error).__name__}: {error}")


def _without_traceback(error: Exception) -> Exception:
    """Drop traceback and causes; they keep the frame alive until the next garbage collection."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def required_of(config: Config, localizer: Localizer) -> frozenset[str]:
    """Return the classes that an item must show, all of the model's when the settings name none.

    Raises ConfigError for a class that the model does not know.
    """
    try:
        return required_classes(config.decision.required, localizer.contract.classes)
    except UsageError as error:
        raise ConfigError(f"[decision] required: {error}; correct it there") from None
