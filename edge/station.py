"""The service: the way of one item, from the trigger to the watchdog, in :meth:`Station.pass_item`."""

import contextlib
import dataclasses
import hashlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from edge import __version__
from edge.camera import Camera, Capture
from edge.camera.replay import ReplayCamera
from edge.clock import Clock, MonotonicClock, Stop
from edge.config import Config
from edge.decision import Verdict, decide, fault, required_classes
from edge.errors import CameraError, ConfigError, FrameError, JournalError, UsageError
from edge.gate import Gate, Outcome, SimulatedGate
from edge.journal import Journal
from edge.localizer import Localizer
from edge.notify import Notifier
from edge.trigger import Trigger, make_trigger


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


class Station:
    """All parts of the box, opened by :func:`serve`, and the way of an item through them.

    Synchronization: one thread; the gate keeps its own time.
    """

    def __init__(
        self,
        trigger: Trigger,
        camera: Camera,
        localizer: Localizer,
        required: frozenset[str],
        gate: Gate,
        journal: Journal,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self.trigger, self.camera, self.localizer, self.required = trigger, camera, localizer, required
        self.gate, self.journal, self.notifier, self.clock = gate, journal, notifier, clock
        self.counters = Counters()
        self._last_frame = 0

    def pass_item(self, until_ns: int, stop: Stop) -> None:
        """Take one item the whole way; without one until *until_ns*, only the watchdog hears of us.

        ::

            trigger → camera ─Frame→ localizer ─Finding→ decide ─Verdict→ gate → journal → watchdog

        The gate hears of the item first and will reject it; all that follows can only cancel that. Whatever goes wrong
        while the item is judged makes it a FAULT, never a PASS. Raises JournalError when it cannot be written down, and
        CameraError, after it was written down, when the camera is lost.
        """
        t_ns = self.trigger.wait(until_ns, stop)
        if t_ns is None:
            self._idle()
            return
        sequence = self.journal.next_sequence
        self.gate.expect(sequence, t_ns)
        capture: Capture | None = None
        trouble: Exception | None = None
        try:
            capture = self._fresh(self.camera.capture(t_ns), t_ns)
            findings = self.localizer.find(capture.picture)
            verdict = decide(findings, self.required)
        except Exception as error:  # noqa: BLE001 - the unforeseen must end as FAULT, not as a service that is gone
            verdict, trouble = _fault_of(error), error
        answered_ns = self.clock.now_ns()
        outcome = self.gate.answer(sequence, cancel=verdict.kind == "pass")
        verdict = _settled(verdict, outcome)
        self._write_down(sequence, t_ns, answered_ns, verdict, outcome, _picture(capture, trouble))
        self.counters.count(verdict, outcome)
        self.notifier.alive(str(self.counters))
        if isinstance(trouble, CameraError) and not isinstance(trouble, FrameError):
            raise trouble

    def _fresh(self, capture: Capture, t_ns: int) -> Capture:
        """Let only a frame pass that was taken for this item: exposed after its trigger, and counted on since the last.

        A camera library's "success" proves nothing. Raises FrameError.
        """
        if capture.t_ns < t_ns or capture.sequence <= self._last_frame:
            raise FrameError("the camera gave an old picture; check its connection and trigger", picture=capture.name)
        self._last_frame = capture.sequence
        return capture

    def _idle(self) -> None:
        self.gate.check()
        self.notifier.alive(str(self.counters))

    def _write_down(
        self, sequence: int, t_ns: int, answered_ns: int, verdict: Verdict, outcome: Outcome, picture: str
    ) -> None:
        try:
            self.journal.append(
                "item",
                {
                    "verdict": verdict.kind,
                    "reason": verdict.reason,
                    "gate": outcome,
                    "findings": [finding.as_object() for finding in verdict.findings],
                    "picture": picture,
                    "trigger_ns": t_ns,
                    "ms": round((answered_ns - t_ns) / 1e6, 3),
                },
            )
        except JournalError:
            self.gate.withdraw(sequence)  # what cannot be written down must not pass
            raise


def serve(config: Config, clock: Clock | None = None) -> Counters:
    """Run the service until SIGTERM, SIGINT or the end of the pictures, and return the counters.

    On a signal the item in hand is finished, items on their way to the gate arrive there and are rejected or let pass
    as decided, the stop record is written, and every output is low; that takes at most the reject delay and one pulse.
    An item that comes by after that is nobody's: stop the line before the service. Raises StampgateError; what was
    rejected until then is still rejected. *clock*: the kernel's when None.
    """
    clock = clock or MonotonicClock()
    with _stop_on_signals() as stop, Notifier() as notifier:
        localizer = Localizer(config.model_file(), config.model.threads)
        required = _required(config, localizer)
        camera = ReplayCamera(config.path(config.camera.folder), config.camera, clock)
        record = config.path(config.gate.record) if config.gate.record else None
        gate = SimulatedGate(config.gate, clock, record)
        with Journal(config.path(config.journal.file), clock) as journal:
            with camera, gate:
                trigger = make_trigger(config.trigger, camera, clock)
                station = Station(trigger, camera, localizer, required, gate, journal, notifier, clock)
                journal.append("start", _start_fields(config, localizer, required))
                notifier.ready(f"watching with {config.model_file().name}")
                ended = _run(station, stop, _tick_ns(config, notifier))
                notifier.stopping(ended)
            journal.append("stop", {"reason": ended, "counters": station.counters.as_object(), **_skipped(trigger)})
    return station.counters


def _run(station: Station, stop: Stop, tick_ns: int) -> str:
    """Take items until the end; return why it ended. An error is written down, then goes on its way."""
    try:
        while not stop.reason and not station.camera.ended:
            station.pass_item(station.clock.now_ns() + tick_ns, stop)
    except JournalError:
        raise
    except Exception as error:
        fields = {"reason": f"{type(error).__name__}: {error}", "counters": station.counters.as_object()}
        station.journal.append("stop", {**fields, **_skipped(station.trigger)})
        station.notifier.stopping(str(error))
        raise
    return stop.reason or "end of the pictures"


def _settled(verdict: Verdict, outcome: Outcome) -> Verdict:
    """What really becomes of the item: a pass that the gate did not take is a reject."""
    if verdict.kind == "pass" and outcome != "cancelled":
        why = {"late": "the answer came after the item was due", "unknown": "the gate does not know the item"}
        return dataclasses.replace(verdict, kind="reject", reason=f"{why.get(outcome, outcome)} ({verdict.reason})")
    return verdict


def _fault_of(error: Exception) -> Verdict:
    """Name in the journal what went wrong, the exception's kind too where nobody foresaw it."""
    return fault(str(error) if isinstance(error, CameraError) else f"not foreseen: {type(error).__name__}: {error}")


def _picture(capture: Capture | None, trouble: Exception | None) -> str:
    if capture is not None:
        return capture.name
    return trouble.picture if isinstance(trouble, FrameError) else ""


def _required(config: Config, localizer: Localizer) -> frozenset[str]:
    try:
        return required_classes(config.decision.required, localizer.contract.classes)
    except UsageError as error:
        raise ConfigError(f"[decision] required: {error}; correct it there") from None


def _start_fields(config: Config, localizer: Localizer, required: frozenset[str]) -> dict[str, Any]:
    contract = localizer.contract
    model = {
        "file": config.model_file().name,
        "sha256": hashlib.sha256(config.model_file().read_bytes()).hexdigest(),
        "run_digest": contract.run_digest,
        "classes": contract.classes,
        "threshold": contract.threshold,
    }
    return {
        "version": __version__,
        "settings_sha256": config.checksum(),
        "model": model,
        "required": sorted(required),
    }


def _skipped(trigger: Trigger) -> dict[str, int]:
    return {"skipped_triggers": trigger.skipped}


def _tick_ns(config: Config, notifier: Notifier) -> int:
    """How long to wait for an item before the watchdog is fed: never more than a quarter of what systemd grants."""
    tick_ns = round(config.service.tick_ms * 1e6)
    return min(tick_ns, notifier.watchdog_ns // 4) if notifier.watchdog_ns else tick_ns


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[Stop]:
    """Turn SIGTERM and SIGINT into a request to stop; the handlers found before are put back."""
    stop = Stop()

    def request(number: int, _frame: FrameType | None) -> None:
        stop.request(signal.Signals(number).name)

    before = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.close()
