"""The service: opens the parts of the box, hands them to the station, and takes items until the
end.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

from edge import __version__
from edge.camera import make_camera
from edge.camera.checks import FrameChecks
from edge.clock import Clock, MonotonicClock, Stop
from edge.config import Config
from edge.errors import ConfigError, JournalError
from edge.gate import Gate
from edge.gate.client import RemoteGate
from edge.gate.simulated import SimulatedGate
from edge.memory import keep_frame_memory
from edge.notify import Notifier
from edge.record.evidence import Evidence
from edge.record.health import Health
from edge.record.journal import Journal
from edge.record.journal_file import last_item
from edge.reload import Reload, changes
from edge.station import Counters, Station, required_of
from edge.stopping import stop_on_signals
from edge.trigger import make_trigger
from edge.vision.localizer import Localizer
from edge.wiring import check_gate


def serve(config: Config, clock: Clock | None = None) -> Counters:
    """Run the service until SIGTERM, SIGINT or the end of the pictures, and return the counters.

    On a signal the item in hand is finished, items on their way to the gate arrive there and are
    rejected or let pass as decided, the stop record is written, and every output is low; that takes
    at most the reject delay and one pulse. An item that comes by after that is nobody's: stop the
    line before the service. Raises StampgateError; what was rejected until then is still rejected.
    *clock*: the kernel's when None.
    """
    clock = clock or MonotonicClock()
    check_gate(config)
    with stop_on_signals() as stop, Reload(config) as reload, Notifier() as notifier:
        localizer = Localizer(config.model_file(), config.model.threads)
        required = required_of(config, localizer)
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
        with (
            evidence,
            Journal(path, clock, settings=config.journal, make_room=make_room) as journal,
        ):
            health = Health(
                journal,
                evidence,
                config.journal,
                clock,
                _path(config, config.journal.status),
                about,
            )
            checks = FrameChecks(config.camera)
            with camera, gate:
                trigger = make_trigger(
                    config.trigger, camera, clock, remote if gate is remote else None
                )
                parts = (trigger, camera, localizer, required, gate, journal, notifier, clock)
                station = Station(*parts, evidence, health, checks)
                keep_frame_memory()
                journal.append("start", about)
                notifier.ready(f"watching with {config.model_file().name}")
                ended = _run(station, stop, reload, _tick_ns(config, notifier))
                notifier.stopping(ended)
            journal.append(
                "stop",
                {"reason": ended, "counters": station.counters.as_object(), **_apart(station)},
            )
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


def _run(station: Station, stop: Stop, reload: Reload, tick_ns: int) -> str:
    """Take items until the end; return why it ended. An error is written down, then goes on its
    way.
    """
    try:
        while not stop.reason and not station.camera.ended:
            if reload.take():
                _take_settings(station, reload)
            station.pass_item(station.clock.now_ns() + tick_ns, stop)
    except JournalError:
        raise
    except Exception as error:
        fields = {
            "reason": f"{type(error).__name__}: {error}",
            "counters": station.counters.as_object(),
        }
        station.journal.append("stop", {**fields, **_apart(station)})
        station.notifier.stopping(str(error))
        raise
    return stop.reason or "end of the pictures"


def _take_settings(station: Station, reload: Reload) -> None:
    """Read the settings again; the journal says what counts from the next item on, or why those
    before go on.
    """
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
    station.journal.append(
        "settings", {"reason": said, **about, "changed": changes(before, reload.running)}
    )
    station.health.adopt(reload.running.journal, about)
    station.notifier.ready(said)
    print(f"stampgate-edge: {said}", file=sys.stderr, flush=True)


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
    """How long to wait for an item: never more than a quarter of what systemd's watchdog, and the
    gate's, grant.
    """
    tick_ns = round(config.service.tick_ms * 1e6)
    if config.gate.driver == "process":
        tick_ns = min(tick_ns, round(config.gate.eye_silent_ms * 1e6) // 4)
    return min(tick_ns, notifier.watchdog_ns // 4) if notifier.watchdog_ns else tick_ns
