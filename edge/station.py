"""The service: the way of one item, from the trigger to the watchdog, in :meth:`Station.pass_item`."""

import contextlib
import dataclasses
import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge import __version__
from edge.camera import Camera, Capture, make_camera
from edge.camera.checks import FrameChecks
from edge.clock import Clock, MonotonicClock, Stop
from edge.config import Config
from edge.decision import Verdict, decide, fault, required_classes
from edge.errors import CameraError, ConfigError, FrameError, GateError, JournalError, UsageError
from edge.evidence import Evidence, Exhibit
from edge.gate import Gate, SimulatedGate, check_gate
from edge.gate_client import RemoteGate
from edge.health import Health
from edge.journal import Journal
from edge.journal_file import LONGEST_LINE, parse_record, turned_files
from edge.localizer import Localizer
from edge.memory import stay_so
from edge.notify import Notifier
from edge.rejects import Outcome
from edge.reload import Reload, changes
from edge.stopping import stop_on_signals
from edge.trigger import Item, Trigger, make_trigger


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

        The gate hears of the item first and will reject it; all that follows can only cancel that. Whatever goes wrong
        while the item is judged makes it a FAULT, never a PASS. Raises JournalError when it cannot be written down, and
        CameraError or GateError, after it was written down, when the camera or the gate is lost.
        """
        item = self.trigger.wait(until_ns, stop)
        if item is None:
            self._idle()
            return
        sequence = self.journal.next_sequence
        tag, lost = self._announce(sequence, item)
        verdict, capture, trouble = self._judge(item) if lost is None else (fault(str(lost)), None, lost)
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
        """Let changed settings count from the next item on. Raises ConfigError, and then nothing has changed."""
        self.required = _required(config, self.localizer)
        self.checks.settings, self.evidence.settings = config.camera, config.evidence
        self.journal.adopt(config.journal)
        self.gate.adopt(config.gate)

    def _announce(self, sequence: int, item: Item) -> tuple[int, GateError | None]:
        """Let the gate hear of the item, unless it told us of it; its tag, and why there is none worth the name."""
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
        """Tell the gate, and say what really becomes of the item; without a gate it could not be judged."""
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
        self, tag: int, item: Item, answered_ns: int, verdict: Verdict, outcome: Outcome, picture: str, kept: Exhibit
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
            fields |= {"tag": tag, "gate_run": facts["run"]}  # the gate counts on its own, because it outlives us
        try:
            self.journal.append("item", fields)
        except JournalError:
            with contextlib.suppress(GateError):  # a gate that is gone rejects it as well
                self.gate.withdraw(tag)  # what cannot be written down must not pass
            raise
        with contextlib.suppress(GateError):  # the next thing we ask of it tells
            self.gate.settle(tag)
            self.gate.complain(self.health.trouble)


def serve(config: Config, clock: Clock | None = None) -> Counters:
    """Run the service until SIGTERM, SIGINT or the end of the pictures, and return the counters.

    On a signal the item in hand is finished, items on their way to the gate arrive there and are rejected or let pass
    as decided, the stop record is written, and every output is low; that takes at most the reject delay and one pulse.
    An item that comes by after that is nobody's: stop the line before the service. Raises StampgateError; what was
    rejected until then is still rejected. *clock*: the kernel's when None.
    """
    clock = clock or MonotonicClock()
    check_gate(config)
    with stop_on_signals() as stop, Reload(config) as reload, Notifier() as notifier:
        localizer = Localizer(config.model_file(), config.model.threads)
        required = _required(config, localizer)
        camera = make_camera(config, clock)
        remote = _remote_gate(config, clock)
        gate: Gate = (
            remote
            if config.gate.driver == "process"
            else SimulatedGate(config.gate, clock, _path(config, config.gate.record))
        )
        evidence = Evidence(_path(config, config.evidence.folder), config.evidence)
        about = _start_fields(config, localizer, required)
        path, make_room = config.path(config.journal.file), evidence.give_way
        with evidence, Journal(path, clock, settings=config.journal, make_room=make_room) as journal:
            health = Health(journal, evidence, config.journal, clock, _path(config, config.journal.status), about)
            checks = FrameChecks(config.camera)
            with camera, gate:
                trigger = make_trigger(config.trigger, camera, clock, remote if gate is remote else None)
                parts = (trigger, camera, localizer, required, gate, journal, notifier, clock)
                station = Station(*parts, evidence, health, checks)
                stay_so()
                journal.append("start", about)
                notifier.ready(f"watching with {config.model_file().name}")
                ended = _run(station, stop, reload, _tick_ns(config, notifier))
                notifier.stopping(ended)
            journal.append("stop", {"reason": ended, "counters": station.counters.as_object(), **_apart(station)})
            health.show(station.counters.as_object(), state="stopped")
    return station.counters


def _path(config: Config, text: str) -> Path | None:
    """What the settings name; None when they name nothing."""
    return config.path(text) if text else None


def _remote_gate(config: Config, clock: Clock) -> RemoteGate:
    """Speak to the gate's process, knowing which item was the last that an eye has written down."""
    path, record = config.path(config.journal.file), dict[str, Any]()
    if config.gate.driver == "process":
        record = last_item(path) or {}
    written = (str(record.get("gate_run", "")), int(record.get("tag", 0)))
    return RemoteGate(config.path(config.gate.socket), config.trigger.kind, clock, written)


def last_item(journal: Path) -> dict[str, Any] | None:
    """The last item record of a journal, whole or torn; None when there is none within its last megabyte."""
    for path in (journal, *reversed(turned_files(journal)[-1:])):
        if path.is_file():
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - LONGEST_LINE))
                lines = file.read().splitlines()
            records = (parse_record(line) for line in reversed(lines))
            item = next((record for record in records if record is not None and record["kind"] == "item"), None)
            if item is not None:
                return item
    return None


def _run(station: Station, stop: Stop, reload: Reload, tick_ns: int) -> str:
    """Take items until the end; return why it ended. An error is written down, then goes on its way."""
    try:
        while not stop.reason and not station.camera.ended:
            if reload.take():
                _take_settings(station, reload)
            station.pass_item(station.clock.now_ns() + tick_ns, stop)
    except JournalError:
        raise
    except Exception as error:
        fields = {"reason": f"{type(error).__name__}: {error}", "counters": station.counters.as_object()}
        station.journal.append("stop", {**fields, **_apart(station)})
        station.notifier.stopping(str(error))
        raise
    return stop.reason or "end of the pictures"


def _take_settings(station: Station, reload: Reload) -> None:
    """Read the settings again; the journal says what counts from the next item on, or why those before go on."""
    station.notifier.reloading(station.clock.now_ns())
    before = reload.running
    try:
        fresh = reload.read()
        station.adopt(fresh)
    except ConfigError as error:
        said = f"settings refused, those before go on: {error}"
    else:
        said, reload.running = "settings read again", fresh
    about = {"settings_sha256": reload.running.checksum(), "required": sorted(station.required)}
    station.journal.append("settings", {"reason": said, **about, "changed": changes(before, reload.running)})
    station.health.adopt(reload.running.journal, about)
    station.notifier.ready(said)
    print(f"stampgate-edge: {said}", file=sys.stderr, flush=True)


def _settled(verdict: Verdict, outcome: Outcome) -> Verdict:
    """What really becomes of the item: a pass that the gate did not take is a reject."""
    if verdict.kind == "pass" and outcome != "cancelled":
        why = {
            "late": "the answer came after the item was due",
            "unknown": "the gate does not know the item",
            "kept": "the gate rejects it in any case: too close to another, edges were lost, or reset",
        }
        return dataclasses.replace(verdict, kind="reject", reason=f"{why.get(outcome, outcome)} ({verdict.reason})")
    return verdict


def _fault_of(error: Exception) -> Verdict:
    """Name in the journal what went wrong, the exception's kind too where nobody foresaw it."""
    return fault(str(error) if isinstance(error, CameraError) else f"not foreseen: {type(error).__name__}: {error}")


def _bare(error: Exception) -> Exception:
    """Take from an error how it came about: that holds the picture until Python looks for cycles, many items later."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


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


def _apart(station: Station) -> dict[str, Any]:
    """What the stop record holds beside the reason and the counters."""
    facts = station.gate.facts()
    return {"skipped_triggers": station.trigger.skipped, **({"gate": dict(facts)} if facts else {})}


def _tick_ns(config: Config, notifier: Notifier) -> int:
    """How long to wait for an item: never more than a quarter of what systemd's watchdog, and the gate's, grant."""
    tick_ns = round(config.service.tick_ms * 1e6)
    if config.gate.driver == "process":
        tick_ns = min(tick_ns, round(config.gate.eye_silent_ms * 1e6) // 4)
    return min(tick_ns, notifier.watchdog_ns // 4) if notifier.watchdog_ns else tick_ns
