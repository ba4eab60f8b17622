"""The service: opens the parts of the box, hands them to the station, and processes items."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge import __version__
from edge.alarms.line_alarms import LineAlarms, basis_of
from edge.camera.checks import FrameChecks
from edge.camera.drivers import make_camera
from edge.challenge.control import Challenges
from edge.challenge.link import Listener
from edge.clock import Clock, MonotonicClock, Stop
from edge.config import Config
from edge.deciding.rules import Rules
from edge.errors import ConfigError, JournalError, StampgateError
from edge.gate import Gate
from edge.gate.client import RemoteGate
from edge.gate.simulated import SimulatedGate
from edge.printing import print_line
from edge.process.memory import keep_frame_memory
from edge.process.notify import Notifier
from edge.process.stopping import stop_on_signals
from edge.record.configured import configured_record
from edge.record.evidence import Evidence
from edge.record.health import Health
from edge.record.journal import Journal
from edge.record.journal_file import END_BYTES, last_item
from edge.record.written import WrittenRecords
from edge.reload import Reload, changes
from edge.shadow.identity import study_fields
from edge.sight.idle_marks import IdleMarks
from edge.sight.inspector import Inspector
from edge.station import Counters, Station, rules_for
from edge.trigger import make_trigger
from edge.vision.idle_proof import IdleProof
from edge.vision.localizer import Localizer
from edge.wiring import check_for_eye, gate_warnings, is_shadow, plan_of, unsigned_trouble

if TYPE_CHECKING:
    from edge.probation.control import Releases
    from edge.sight.place_watch import PlaceWatch

SETTINGS_SHOWN = 12
"""Figures of the settings' checksum that every record bears where a release runs."""
ANOTHER_GATE = "another gate began: what was under way was thrown, or passed while there was none"
ANOTHER_SHADOW_GATE = "another gate began, in shadow: what was under way would have been thrown"


def serve(config: Config, clock: Clock | None = None) -> Counters:
    """Run the service until SIGTERM, SIGINT or the end of the pictures, and return the counters.

    On a signal the item in hand is finished, items on their way to the gate arrive there and are
    rejected or let pass as decided, the stop record is written, and every output is low; that takes
    at most the reject delay and one pulse. An item that comes after that is not processed: stop the
    belt first. *clock*: the kernel's when None. Raises StampgateError; earlier rejects still count.
    """
    clock = clock or MonotonicClock()
    check_for_eye(config)
    signals, model = stop_on_signals(), _model(config, clock)
    with signals as stop, Reload(config) as reload, Notifier() as notifier, model as chosen:
        inspector, releases = chosen
        about = _start_fields(config, inspector.localizer, inspector.rules)
        camera, gate = make_camera(config, clock), make_gate(config, clock)
        with configured_record(config, clock) as (evidence, journal):
            health = _health(config, journal, evidence, clock, about, inspector)
            challenge = _challenges(config, journal, clock, gate, about)
            watches = _watches(config, inspector, clock)
            with challenge as challenges, camera, gate, watches as (idle_marks, place):
                station = Station(
                    trigger=make_trigger(config.trigger, camera, clock, gate),
                    camera=camera,
                    checks=FrameChecks(config.camera),
                    inspector=inspector,
                    gate=gate,
                    evidence=evidence,
                    journal=journal,
                    health=health,
                    notifier=notifier,
                    clock=clock,
                    idle_proof=IdleProof(inspector.localizer, clock, config.model.golden_every_s),
                    idle_marks=idle_marks,
                    shadow=is_shadow(config),
                    alarms=_alarms(config, clock, inspector),
                    place=place,
                    challenges=challenges,
                    releases=releases,
                )
                _begin(station, config, about)
                ended = _run(station, stop, reload, _tick_ns(config, notifier))
            _end_journal(station, ended)
    return station.counters


def _begin(station: Station, config: Config, about: dict[str, Any]) -> None:
    """Append the first records, and say that items may come."""
    keep_frame_memory()
    _bear_release(station, config)
    _begin_journal(config, station.journal, station.gate, about | _begun_fields(station))
    if station.releases is not None:
        station.releases.begin()
    station.tell_release()
    station.notifier.ready(f"watching with {about['model']['file']}")


def _end_journal(station: Station, ended: str) -> None:
    """Append the last records; a simulated gate's last items have arrived by now."""
    station.record_incidents()
    station.journal.append("stop", _stop_fields(ended, station))
    station.health.show(station.counters.as_object(), state="stopped")


@contextlib.contextmanager
def _model(config: Config, clock: Clock) -> "Iterator[tuple[Inspector, Releases | None]]":
    """Load the model, and the rules by which it judges; beside it what keeps the release.

    None for a bare model file. A camera, a gate or a disk that is lost proves nothing about a
    model.
    """
    if not config.model.bundle:
        yield _inspector(config, None), None
        return
    from edge.probation.control import Releases  # noqa: PLC0415 - few boxes have releases

    releases = Releases(config, clock)
    try:
        yield _inspector(config, releases), releases
    except StampgateError:
        releases.end(well=True)
        raise
    except BaseException:
        releases.end(well=False)
        raise
    releases.end(well=True)


def _inspector(config: Config, releases: "Releases | None") -> Inspector:
    """Load the model, and the rules by which it judges.

    A release that does not fit the settings is given up for the one before it.
    """
    localizer = Localizer.of(config) if releases is None else releases.load()
    try:
        return _checked_inspector(config, localizer)
    except ConfigError as error:
        if releases is None or not releases.is_on_probation:
            raise
        releases.give_up(str(error))
        return _checked_inspector(config, releases.load())


def _checked_inspector(config: Config, localizer: Localizer) -> Inspector:
    """Return what judges with that model. Raises ConfigError where it may not."""
    inspector = Inspector(localizer, rules_for(config, localizer))
    _clearance_fields(config, localizer)
    return inspector


@contextlib.contextmanager
def _watches(
    config: Config, inspector: Inspector, clock: Clock
) -> Iterator[tuple[IdleMarks | None, "PlaceWatch | None"]]:
    """Make what looks at pictures between items: for marks, and at the camera's place."""
    with (
        _idle_marks(config, inspector, clock) as idle_marks,
        _place_watch(config, clock) as place,
    ):
        yield idle_marks, place


def _place_watch(
    config: Config, clock: Clock
) -> "contextlib.AbstractContextManager[PlaceWatch | None]":
    """Make what compares pictures with the place's reference; nothing where there is none."""
    reference = config.imaging.reference
    if not reference or not os.path.lexists(config.path(reference)):
        return contextlib.nullcontext()
    from edge.sight.place_watch import PlaceWatch  # noqa: PLC0415 - not every box has a reference

    return PlaceWatch.of(config, clock)


@contextlib.contextmanager
def _idle_marks(config: Config, inspector: Inspector, clock: Clock) -> Iterator[IdleMarks | None]:
    """Make what looks for marks while no item is there; None where it cannot.

    Only a photo-eye tells when that is; replayed pictures are of items, each the next one's.
    """
    if config.trigger.kind != "photo-eye" or config.camera.driver == "replay":
        yield None
        return
    with IdleMarks(inspector, clock, config.decision) as idle_marks:
        yield idle_marks


def _alarms(config: Config, clock: Clock, inspector: Inspector) -> LineAlarms:
    """Make the alarms of the line, which go on where the journal ends."""
    basis = basis_of(config, inspector.localizer.sha256)
    alarms = LineAlarms(config, clock, basis, inspector.rules.scores.least)
    alarms.of_model = {"unsigned": unsigned_trouble(config)}
    alarms.restore(config.path(config.journal.file))
    return alarms


def _alarm_fields(station: Station) -> dict[str, Any]:
    """Return what a record holds of the alarms, for the next start."""
    return {"alarms": station.alarms.state} if station.alarms is not None else {}


def _begun_fields(station: Station) -> dict[str, Any]:
    """Return what the start record holds of the alarms, and of the place's reference."""
    sha256 = station.place.sha256 if station.place is not None else ""
    return _alarm_fields(station) | ({"reference_sha256": sha256} if sha256 else {})


def _begin_journal(config: Config, journal: Journal, gate: Gate, about: dict[str, Any]) -> None:
    """Append the ``start`` record, and an ``incident`` when another gate has begun since.

    That gate has thrown what was under way, also what the gate before had let pass: there are
    records that say PASS, and only this one tells.
    """
    journal.append("start", about | ({"lacking": journal.lacking} if journal.lacking else {}))
    run = gate.facts.get("run", "")
    last = last_item(config.path(config.journal.file)) or {}
    before = last.get("told_by", last.get("gate_run", run))
    if run and before != run:
        why = ANOTHER_SHADOW_GATE if is_shadow(config) else ANOTHER_GATE
        fields = {"what": "swept", "reason": why, "at_ns": int(str(run).rpartition("-")[2])}
        journal.append("incident", {**fields, "gate_run": run, "gate_run_before": before})


def _bear_release(station: Station, config: Config) -> None:
    """Let every record bear the release that runs and the beginning of the settings' checksum."""
    if station.releases is not None:
        short = config.checksum()[:SETTINGS_SHOWN]
        station.journal.bear({"release": station.releases.running.id, "settings": short})


def _take_release(station: Station, config: Config) -> None:
    """Do what is due about the release between two items: another one judges from the next on.

    Raises ModelError where a release failed its probation and there is none before it.
    """
    releases = station.releases
    if releases is None:
        return
    try:
        _look_at_challenge(station, releases)
        if (localizer := releases.step()) is not None:
            _offer_model(station, config, localizer)
    finally:
        station.tell_release()


def _look_at_challenge(station: Station, releases: "Releases") -> None:
    """Let a challenge test that failed in the probation end it."""
    challenges = station.challenges
    if challenges is not None and (why := challenges.take_failure()):
        releases.fail(why)


def _offer_model(station: Station, config: Config, localizer: Localizer) -> None:
    """Put a loaded model in the place of the one that judges, if the settings let it judge."""
    releases = station.releases
    assert releases is not None
    try:
        inspector = _checked_inspector(config, localizer)
    except ConfigError as error:
        releases.refused(str(error))
        return
    station.tell_release()  # what led to it
    fields = releases.swapped()
    station.change_model(inspector, config)
    about = _start_fields(config, inspector.localizer, inspector.rules)
    _bear_release(station, config)
    station.journal.append("release", {**fields, **about, **_alarm_fields(station)})
    station.health.adopt(config.journal, about)
    station.health.model_trouble = _model_trouble(inspector.localizer)
    if station.challenges is not None:
        station.challenges.adopt(config, _setup(about))
    keep_frame_memory()  # what the model before had
    station.notifier.ready(f"watching with {releases.running.id}")


def make_gate(config: Config, clock: Clock) -> Gate:
    """Make the gate that ``[gate]`` asks for: simulated in this process, or a process of its own.

    The link to a gate process is told what the journal holds, so that an item which an eye wrote
    down and could not settle before it died is not recorded twice.
    """
    if config.gate.driver != "process":
        for warning in gate_warnings(config):  # a gate process says it itself
            print_line(f"stampgate-edge: warning: {warning}", file=sys.stderr, flush=True)
        record, shadow = _path(config, config.gate.record), is_shadow(config)
        return SimulatedGate(config.gate, clock, record, shadow=shadow)
    most = END_BYTES + 2 * 1024 * config.journal.memory_kb  # what may be on the disk and unsettled
    written = WrittenRecords(config.path(config.journal.file), most)
    path, user = config.path(config.gate.socket), config.gate.gate_user
    mode = config.service.mode
    return RemoteGate(path, config.trigger.kind, clock, written, user, mode)


def _path(config: Config, text: str) -> Path | None:
    """Return the path that the settings name, None for an empty one."""
    return config.path(text) if text else None


def _run(station: Station, stop: Stop, reload: Reload, tick_ns: int) -> str:
    """Process items until the end, and return why it ended.

    An error is written into the stop record and raised again.
    """
    try:
        while not stop.reason and not station.camera.ended:
            if reload.take():
                _take_settings(station, reload)
            _take_release(station, reload.running)
            station.pass_item(station.clock.now_ns() + tick_ns, stop)
    except JournalError:
        raise
    except Exception as error:
        station.journal.append("stop", _stop_fields(f"{type(error).__name__}: {error}", station))
        station.notifier.stopping(str(error))
        raise
    ended = stop.reason or "end of the pictures"
    if station.challenges is not None:
        station.challenges.end(f"the service stopped: {ended}")
    station.settle_all()
    station.notifier.stopping(ended)
    return ended


def _take_settings(station: Station, reload: Reload) -> None:
    """Read the settings again, and append the `settings` record.

    It holds what counts from the next item on, or why the settings before still count.
    """
    station.notifier.reloading(station.clock.now_ns())
    before = reload.running
    try:
        fresh = reload.read()
        station.adopt(fresh)
        if isinstance(station.gate, SimulatedGate):  # a gate process reads the settings itself
            station.gate.adopt(fresh.gate)
    except ConfigError as error:
        said = f"settings refused, those before go on: {error}"
    else:
        said, reload.running = "settings read again", fresh
    if station.releases is not None:
        station.releases.adopt(reload.running)
    inspector = station.inspector
    about = {
        "settings_sha256": reload.running.checksum(),
        **_rule_fields(inspector.rules),
        **study_fields(reload.running, inspector.localizer.decision_digest),
    }
    station.journal.append(
        "settings",
        {
            "reason": said,
            **about,
            **_alarm_fields(station),
            "changed": changes(before, reload.running),
        },
    )
    station.health.adopt(reload.running.journal, about)
    _bear_release(station, reload.running)
    if station.challenges is not None:
        model = {"model": {"sha256": station.inspector.localizer.sha256}}
        station.challenges.adopt(reload.running, _setup(about | model))
    station.notifier.ready(said)
    print_line(f"stampgate-edge: {said}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _challenges(
    config: Config, journal: Journal, clock: Clock, gate: Gate, about: dict[str, Any]
) -> Iterator[Challenges]:
    """Open the challenge test, and tell the gate before it is connected whether READY must rest."""
    with Listener(_path(config, config.challenge.socket)) as link:
        challenges = Challenges(config, journal, clock, gate, link, _setup(about))
        gate.hold(challenges.begin())
        yield challenges


def _setup(about: dict[str, Any]) -> str:
    """Return what a passed challenge test vouches for: the checksums of settings and model."""
    return f"{about['settings_sha256']} {about['model']['sha256']}"


def _rule_fields(rules: Rules) -> dict[str, Any]:
    """Return which classes are required, and from which score on a mark counts."""
    any_of = sorted(rules.classes.any_of)
    return {
        "required": sorted(rules.required),
        **({"any_of": any_of} if any_of else {}),
        "min_score": rules.scores.least,
    }


def _start_fields(config: Config, localizer: Localizer, rules: Rules) -> dict[str, Any]:
    """Return the start record. Raises ConfigError where an agreed plan does not let it run."""
    contract = localizer.contract
    model = {
        "file": localizer.path.name,
        "sha256": localizer.sha256,
        "run_digest": contract.run_digest,
        "classes": contract.classes,
        "threshold": contract.threshold,
        **({"proof": localizer.proof} if localizer.proof else {}),
        **localizer.learnt,
    }
    if contract.assessed is not None:
        model["assessed"] = contract.assessed.as_object()
    return {
        "version": __version__,
        "settings_sha256": config.checksum(),
        "model": model,
        **_rule_fields(rules),
        **study_fields(config, localizer.decision_digest),
        **_clearance_fields(config, localizer),
    }


def _clearance_fields(config: Config, localizer: Localizer) -> dict[str, Any]:
    """Return why the box may run by the plan that is agreed; nothing where none is.

    Raises ConfigError where it may not.
    """
    if plan_of(config) is None:
        return {}
    from edge.shadow.clearance import clearance_fields  # noqa: PLC0415 - few boxes have a plan

    return clearance_fields(config, localizer.decision_digest)


def _health(
    config: Config,
    journal: Journal,
    evidence: Evidence,
    clock: Clock,
    about: dict[str, Any],
    inspector: Inspector,
) -> Health:
    status = _path(config, config.journal.status)
    named = {"service": config.service.name} if config.service.name else {}
    health = Health(journal, evidence, config.journal, clock, status, about | named)
    health.model_trouble = _model_trouble(inspector.localizer)
    return health


def _model_trouble(localizer: Localizer) -> str:
    """Return why the model should not judge, and print it; empty for a model that is ready."""
    assessed = localizer.contract.assessed
    trouble = assessed.trouble if assessed else ""
    if trouble:
        print_line(f"stampgate-edge: warning: {trouble}", file=sys.stderr, flush=True)
    return trouble


def _stop_fields(reason: str, station: Station) -> dict[str, Any]:
    """Return the stop record; a gate process adds its own counters."""
    fields = {
        "reason": reason,
        "counters": station.counters.as_object(),
        "skipped_triggers": station.trigger.skipped,
        **_alarm_fields(station),
    }
    facts = station.gate.facts
    return fields | ({"gate": dict(facts)} if facts else {})


def _tick_ns(config: Config, notifier: Notifier) -> int:
    """Return the longest wait for an item, in nanoseconds.

    At most a quarter of the period of systemd's watchdog, and of the gate's.
    """
    tick_ns = round(config.service.tick_ms * 1e6)
    if config.gate.driver == "process":
        tick_ns = min(tick_ns, round(config.gate.eye_silent_ms * 1e6) // 4)
    return min(tick_ns, notifier.watchdog_ns // 4) if notifier.watchdog_ns else tick_ns
