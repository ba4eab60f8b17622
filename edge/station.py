"""The service: the way of one item, from the trigger to the watchdog, in :meth:`Station.pass_item`."""

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
from edge.record.evidence import Evidence, Exhibit
from edge.record.health import Health
from edge.record.journal import Journal
from edge.trigger import Item, Trigger
from edge.vision.localizer import Localizer


@dataclass
class Counters:
    """What became of the items of this run; triggers = passed + rejected + faults, always."""

    passed: int = 0
    rejected: int = 0
    faults: int = 0
    late: int = 0
    """Items of the above whose answer came after they were due at the gate."""
    unknown: int = 0
    """Items of the above that the gate did not know."""

    @property
    def triggers(self) -> int:
        """How many items there were."""
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
        }

    def __str__(self) -> str:
        return f"{self.triggers} items: {self.passed} pass, {self.rejected} reject, {self.faults} fault"


@dataclass(eq=False)
class Station:
    """All parts of the box, opened by :func:`serve`, and the way of an item through them.

    Synchronization: one thread; the gate keeps its own time.
    """

    trigger: Trigger
    camera: Camera
    localizer: Localizer
    required: frozenset[str]
    gate: Gate
    journal: Journal
    notifier: Notifier
    clock: Clock
    evidence: Evidence
    health: Health
    checks: FrameChecks
    counters: Counters = field(default_factory=Counters)

    def pass_item(self, until_ns: int, stop: Stop) -> None:
        """Take one item the whole way; without one until *until_ns*, only the watchdog hears of us.

        ::

            trigger → camera ─Frame→ localizer ─Finding→ decide ─Verdict→ gate → journal → watchdog

        The gate hears of the item first and will reject it; all that follows can only cancel that.
        Whatever goes wrong while the item is judged makes it a FAULT, never a PASS. Raises
        JournalError when it cannot be written down, and CameraError or GateError, after it was
        written down, when the camera or the gate is lost.
        """
        item = self.trigger.wait(until_ns, stop)
        if item is None:
            self._idle()
            return
        sequence = self.journal.next_sequence
        tag, lost = self._announce(sequence, item)
        verdict, capture, trouble = (
            self._judge(item) if lost is None else (fault(str(lost)), None, lost)
        )
        answered_ns = self.clock.now_ns()
        verdict, outcome, trouble = self._answer(tag, verdict, trouble)
        frame = None if capture is None else capture.picture
        kept = self.evidence.keep(sequence, verdict.kind, frame, verdict.reason)
        self._write_down(tag, item, answered_ns, verdict, outcome, _picture(capture, trouble), kept)
        self.counters.count(verdict, outcome)
        self.health.item(sequence, verdict, (answered_ns - item.t_ns) / 1e6)
        self.health.gate = self.gate.facts()
        self.health.tick(self.counters.as_object())
        self.notifier.alive(str(self.counters))
        if isinstance(trouble, CameraError | GateError) and not isinstance(trouble, FrameError):
            raise trouble

    def adopt(self, config: Config) -> None:
        """Let changed settings count from the next item on. Raises ConfigError, and then nothing
        has changed.
        """
        self.required = required_of(config, self.localizer)
        self.checks.settings, self.evidence.settings = config.camera, config.evidence
        self.journal.adopt(config.journal)
        self.gate.adopt(config.gate)

    def _announce(self, sequence: int, item: Item) -> tuple[int, GateError | None]:
        """Let the gate hear of the item, unless it told us of it; its tag, and why there is none
        worth the name.
        """
        if item.tag is not None:
            return item.tag, None
        try:
            return self.gate.expect(sequence, item.t_ns), None
        except GateError as error:
            return 0, error

    def _judge(self, item: Item) -> tuple[Verdict, Capture | None, Exception | None]:
        """See and decide; the verdict, the picture, and what went wrong."""
        if item.trouble:
            return fault(item.trouble), None, None
        capture: Capture | None = None
        try:
            capture = self.camera.capture(item.t_ns)
            self.checks.examine(capture, item.t_ns)
            findings = self.localizer.find(capture.picture)
            return decide(findings, self.required), capture, None
        except Exception as error:  # noqa: BLE001 - the unforeseen must end as FAULT, not as a service that is gone
            return _fault_of(error), capture, _bare(error)

    def _answer(
        self, tag: int, verdict: Verdict, trouble: Exception | None
    ) -> tuple[Verdict, Outcome, Exception | None]:
        """Tell the gate, and say what really becomes of the item; without a gate it could not be
        judged.
        """
        if isinstance(trouble, GateError):
            return verdict, "gone", trouble
        try:
            outcome = self.gate.answer(tag, cancel=verdict.kind == "pass")
        except GateError as error:
            return fault(f"{error} ({verdict.reason})"), "gone", error
        return _settled(verdict, outcome), outcome, trouble

    def _idle(self) -> None:
        self.gate.complain(self.health.trouble)
        self.gate.check()
        self.camera.check()
        self.health.gate = self.gate.facts()
        self.health.tick(self.counters.as_object())
        self.notifier.alive(str(self.counters))

    def _write_down(
        self,
        tag: int,
        item: Item,
        answered_ns: int,
        verdict: Verdict,
        outcome: Outcome,
        picture: str,
        kept: Exhibit,
    ) -> None:
        fields: dict[str, Any] = {
            "verdict": verdict.kind,
            "reason": verdict.reason,
            "gate": outcome,
            "findings": [finding.as_object() for finding in verdict.findings],
            "picture": picture,
            **kept.as_fields(),
            "trigger_ns": item.t_ns,
            "ms": round((answered_ns - item.t_ns) / 1e6, 3),
        }
        if facts := self.gate.facts():
            fields |= {
                "tag": tag,
                "gate_run": facts["run"],
            }  # the gate counts on its own, because it outlives us
        try:
            self.journal.append("item", fields)
        except JournalError:
            with contextlib.suppress(GateError):  # a gate that is gone rejects it as well
                self.gate.withdraw(tag)  # what cannot be written down must not pass
            raise
        with contextlib.suppress(GateError):  # the next thing we ask of it tells
            self.gate.settle(tag)
            self.gate.complain(self.health.trouble)


def _settled(verdict: Verdict, outcome: Outcome) -> Verdict:
    """What really becomes of the item: a pass that the gate did not take is a reject."""
    if verdict.kind == "pass" and outcome != "cancelled":
        why = {
            "late": "the answer came after the item was due",
            "unknown": "the gate does not know the item",
            "kept": "the gate rejects it in any case: too close to another, edges were lost, or reset",
        }
        return dataclasses.replace(
            verdict, kind="reject", reason=f"{why.get(outcome, outcome)} ({verdict.reason})"
        )
    return verdict


def _fault_of(error: Exception) -> Verdict:
    """Name in the journal what went wrong, the exception's kind too where nobody foresaw it."""
    return fault(
        str(error)
        if isinstance(error, CameraError)
        else f"not foreseen: {type(error).__name__}: {error}"
    )


def _bare(error: Exception) -> Exception:
    """Take from an error how it came about: that holds the picture until Python looks for cycles,
    many items later.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _picture(capture: Capture | None, trouble: Exception | None) -> str:
    if capture is not None:
        return capture.name
    return trouble.picture if isinstance(trouble, FrameError) else ""


def required_of(config: Config, localizer: Localizer) -> frozenset[str]:
    try:
        return required_classes(config.decision.required, localizer.contract.classes)
    except UsageError as error:
        raise ConfigError(f"[decision] required: {error}; correct it there") from None
