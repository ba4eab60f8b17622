import contextlib
import dataclasses
import errno
import gc
import hashlib
import json
import os
import signal
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from edge.camera import Capture
from edge.camera.checks import FrameChecks
from edge.clock import SimulatedClock, Stop
from edge.config import Config
from edge.deciding.rules import Rules
from edge.decision import Box, Finding, Verdict
from edge.errors import CameraError, ConfigError, FrameError, GateError, JournalError
from edge.gate.history import read_transitions
from edge.gate.rejects import UNDER_A_PULSE, Outcome
from edge.gate.simulated import SimulatedGate
from edge.process.notify import Notifier
from edge.record.evidence import Evidence
from edge.record.health import Health
from edge.record.journal import Journal
from edge.record.journal_file import last_item
from edge.record.verify import read_records, verify
from edge.record.written import WrittenRecords
from edge.sections.camera import CameraSettings
from edge.sections.decision import DecisionSettings
from edge.sections.gate import GateSettings
from edge.sections.model import ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.service import ServiceSettings
from edge.service import serve
from edge.sight.inspector import Inspector
from edge.station import Station
from edge.trigger import EveryFrame, Item
from edge.vision.localizer import Localizer, Stopper
from edge.vision.preprocess import Frame
from tests.camera_doubles import ScriptedCamera
from tests.disk import Disk
from tests.programs import eventually
from tests.tiny_model import paint, save, write_tiny_model

MS = 1_000_000
DRAWN = CameraSettings(
    folder="frames", pictures_per_second=4.0, allow_repeats=True, covered_below=0.0
)
"""Drawings have neither noise nor print."""
DOT, NOTHING = paint({"dot": [(16, 24)]}), paint({})


def settings(folder: Path, **sections: Any) -> Config:
    """Settings for a run in *folder*: four pictures a second, 500 ms to the gate, 50 ms pulses."""
    write_tiny_model(folder / "m.onnx")
    (folder / "frames").mkdir(exist_ok=True)
    defaults = {
        "camera": DRAWN,
        "gate": GateSettings(record="edges.jsonl"),
        "model": ModelSettings(file="m.onnx"),
        "journal": JournalSettings(file="journal.jsonl", status=""),
        "evidence": EvidenceSettings(folder="evidence"),
    }
    return Config(**{**defaults, **sections}, folder=folder)


def items(folder: Path) -> list[dict[str, Any]]:
    """The item records of the run in *folder*."""
    return [record for record in read_records(folder / "journal.jsonl") if record["kind"] == "item"]


def summary(folder: Path) -> list[tuple[int, str, str, str]]:
    """Each item as (sequence, picture, verdict, what the gate said)."""
    return [(r["sequence"], r["picture"], r["verdict"], r["gate"]) for r in items(folder)]


def edges(folder: Path) -> list[tuple[int, float, int | None]]:
    """Each edge as (level, ms, item)."""
    return [(e.level, e.t_ns / MS, e.sequence) for e in read_transitions(folder / "edges.jsonl")]


class SlowLocalizer(Localizer):
    """Takes *thinking_ms* of simulated time for each picture, and may fail."""

    def __init__(
        self,
        path: Path,
        clock: SimulatedClock,
        thinking_ms: float = 0,
        error: Exception | None = None,
    ) -> None:
        super().__init__(path)
        self._clock, self._thinking_ms, self._error = clock, thinking_ms, error

    def find(
        self,
        frame: Frame,
        min_score: float | None = None,
        *,
        near: bool = False,
        stopper: Stopper | None = None,
    ) -> tuple[Finding, ...]:
        """Take the time, then look or fail."""
        self._clock.sleep_until(self._clock.now_ns() + round(self._thinking_ms * MS))
        if self._error is not None:
            raise self._error
        return super().find(frame, min_score, near=near, stopper=stopper)


Build = Callable[..., contextlib.AbstractContextManager[Station]]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Make a station of real parts and a scripted camera, in simulated time, in a with block."""

    @contextlib.contextmanager
    def make(
        script: Sequence[Frame | Exception],
        *,
        old: bool = False,
        stuck: bool = False,
        kind: type[Journal] = Journal,
        gate_kind: type[SimulatedGate] = SimulatedGate,
        **thinking: Any,
    ) -> Iterator[Station]:
        clock = SimulatedClock()
        localizer = SlowLocalizer(write_tiny_model(tmp_path / "m.onnx"), clock, **thinking)
        gate = gate_kind(
            GateSettings(reject_delay_ms=100, pulse_ms=20), clock, tmp_path / "edges.jsonl"
        )
        camera = ScriptedCamera(clock, script, old=old, stuck=stuck)
        with (
            kind(tmp_path / "journal.jsonl", clock) as journal,
            gate,
            Notifier() as notifier,
            Evidence(tmp_path / "evidence", EvidenceSettings()) as evidence,
        ):
            yield Station(
                trigger=EveryFrame(camera, clock),
                camera=camera,
                checks=FrameChecks(DRAWN),
                inspector=Inspector(localizer, Rules.plain({"dot"}, 0.5)),
                gate=gate,
                evidence=evidence,
                journal=journal,
                health=Health(journal, evidence, JournalSettings(), clock),
                notifier=notifier,
                clock=clock,
            )

    return make


def test_an_item_that_no_eye_saw_has_no_latency(build: Build, tmp_path: Path, stop: Stop) -> None:
    """Minutes later it is written down: that is no time from trigger to answer."""
    with build([NOTHING, NOTHING], thinking_ms=30) as station:
        station.pass_item(10**12, stop)
        station.clock.sleep_until(300 * 10**9)
        missed = Item(10**9, None, "no eye was connected when it came by")
        station.trigger.wait = lambda *_: missed  # type: ignore[method-assign]
        station.pass_item(10**12, stop)
        station.clock.sleep_until(400 * 10**9)
        station.health.tick(station.counters.as_object())
    assert [record.get("ms") for record in items(tmp_path)] == [30.0, None]
    found = [r for r in read_records(tmp_path / "journal.jsonl") if r["kind"] == "health"]
    assert [(r["items"], r["p99_ms"]) for r in found] == [(2, 30.0), (0, None)]


def test_what_was_rejected_can_be_looked_at(tmp_path: Path) -> None:
    """The record names a picture, and the picture is there.

    A pass that was not drawn names none.
    """
    config = settings(tmp_path, evidence=EvidenceSettings(folder="evidence", pass_rate=0.0))
    save(tmp_path / "frames" / "1.png", DOT)
    save(tmp_path / "frames" / "2.png", NOTHING)
    serve(config, SimulatedClock())
    assert [r["evidence"] for r in items(tmp_path)] == ["", "000000001-000000002-reject.jpg"]
    assert [path.name for path in (tmp_path / "evidence").glob("*.jpg")] == [
        "000000001-000000002-reject.jpg"
    ]


def test_the_record_carries_the_sum_of_its_picture_and_a_pass_none(
    build: Build, tmp_path: Path, stop: Stop
) -> None:
    """The picture is there before the record is."""
    with build([DOT, NOTHING]) as station:
        station.evidence.settings = EvidenceSettings(
            keep_free_mb=0, pass_rate=0.0, patience_ms=10_000.0
        )
        assert station.evidence.drained(60.0)
        station.pass_item(10**12, stop)
        station.pass_item(10**12, stop)
        (picture,) = (tmp_path / "evidence").glob("*.jpg")
    sums = [r.get("evidence_sha256") for r in items(tmp_path)]
    assert sums == [None, hashlib.sha256(picture.read_bytes()).hexdigest()]


def test_a_picture_that_could_not_be_kept_is_said_to_be_lost(
    build: Build, tmp_path: Path, stop: Stop
) -> None:
    """The item is decided all the same."""
    with build([NOTHING]) as station:
        station.evidence.settings = EvidenceSettings(keep_free_mb=10_000_000, patience_ms=10_000.0)
        assert station.evidence.drained(60.0)
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["evidence"], "evidence_sha256" in record) == (
        "reject",
        "",
        False,
    )
    assert record["evidence_lost"].endswith(
        "(the disk is nearly full, see [evidence] keep_free_mb)"
    )


def test_a_picture_that_shows_nothing_is_a_fault_by_name_and_kept(tmp_path: Path) -> None:
    """A lens cap, and the same picture twice: neither can pass, and both can be looked at."""
    config = settings(tmp_path, camera=dataclasses.replace(DRAWN, allow_repeats=False))
    black = paint({})
    black[:] = 3
    for number, picture in enumerate((DOT, black, NOTHING, NOTHING), 1):
        save(tmp_path / "frames" / f"{number}.png", picture)
    serve(config, SimulatedClock())
    told = [(r["verdict"], r["reason"].partition(":")[0]) for r in items(tmp_path)]
    assert told == [
        ("pass", "dot found"),
        ("fault", "black picture"),
        ("reject", "no dot found"),
        ("fault", "frozen picture"),
    ]


def test_a_whole_run_in_simulated_time(tmp_path: Path) -> None:
    """Pass, reject, and a file that is no picture.

    One record and one pulse history each, the counters, and a chain that holds.
    """
    config = settings(tmp_path)
    save(tmp_path / "frames" / "1.png", DOT)
    save(tmp_path / "frames" / "2.png", NOTHING)
    (tmp_path / "frames" / "3.png").write_text("no picture")
    save(tmp_path / "frames" / "4.png", DOT)
    counters = serve(config, SimulatedClock())
    assert summary(tmp_path) == [
        (1, "1.png", "pass", "cancelled"),
        (2, "2.png", "reject", "kept"),
        (3, "3.png", "fault", "kept"),
        (4, "4.png", "pass", "cancelled"),
    ]
    assert edges(tmp_path) == [(0, 0, None), (1, 750, 2), (0, 800, 2), (1, 1000, 3), (0, 1050, 3)]
    records = read_records(tmp_path / "journal.jsonl")
    assert [r["kind"] for r in records] == ["start", "item", "item", "item", "item", "stop"]
    assert records[-1]["counters"] == {
        "triggers": 4,
        "pass": 2,
        "reject": 1,
        "fault": 1,
        "unsure": 0,
        "late": 0,
        "unknown": 0,
        "thrown_passes": 0,
    }
    assert records[-1]["counters"] == counters.as_object()
    assert records[-1]["reason"] == "end of the pictures"
    assert records[2]["reason"] == "no dot found"
    assert verify(tmp_path / "journal.jsonl").items == 4


def test_the_start_record_names_program_settings_and_model(tmp_path: Path) -> None:
    """So that each decision can be traced to what made it."""
    config = settings(tmp_path)
    save(tmp_path / "frames" / "1.png", DOT)
    serve(config, SimulatedClock())
    start = read_records(tmp_path / "journal.jsonl")[0]
    assert start["settings_sha256"] == config.checksum()
    assert start["model"]["run_digest"] == "0" * 64
    assert len(start["model"]["sha256"]) == 64
    assert (start["model"]["file"], start["model"]["threshold"], start["required"]) == (
        "m.onnx",
        0.5,
        ["dot"],
    )


def test_the_numbers_go_on_in_the_next_run(tmp_path: Path) -> None:
    """A restart does not make two items of one name."""
    config = settings(tmp_path)
    save(tmp_path / "frames" / "1.png", DOT)
    serve(config, SimulatedClock())
    serve(config, SimulatedClock(60_000_000_000))
    assert [r["sequence"] for r in items(tmp_path)] == [1, 2]
    assert verify(tmp_path / "journal.jsonl").records == 6


def test_a_pass_that_is_thrown_under_a_pulse_has_an_incident_in_the_journal(tmp_path: Path) -> None:
    """Pictures every 250 ms, pulses of 400: the good one comes under the pulse of the bad one.

    The incident names its number, the counters say it, and the journal is whole.
    """
    config = settings(tmp_path, gate=GateSettings(record="edges.jsonl", pulse_ms=400.0))
    for name, picture in (("1", NOTHING), ("2", DOT), ("3", NOTHING), ("4", DOT)):
        save(tmp_path / "frames" / f"{name}.png", picture)
    counters = serve(config, SimulatedClock())
    records = read_records(tmp_path / "journal.jsonl")
    told = [r for r in records if r["kind"] == "incident"]
    assert [(r["what"], r["item"], r["reason"], r["incident"]) for r in told] == [
        ("thrown", 2, UNDER_A_PULSE, 1),
        ("thrown", 4, UNDER_A_PULSE, 2),
    ]
    assert (counters.passed, counters.thrown_passes) == (2, 2)
    assert records[-1]["counters"]["thrown_passes"] == 2
    assert verify(tmp_path / "journal.jsonl").items == 4


def test_a_late_pass_is_a_reject_and_says_so(build: Build, tmp_path: Path, stop: Stop) -> None:
    """The eye took 130 ms, the item was at the gate after 100."""
    with build([DOT], thinking_ms=130) as station:
        station.pass_item(10**12, stop)
        assert station.counters.as_object() == {
            "triggers": 1, "pass": 0, "reject": 1, "fault": 0, "unsure": 0, "late": 1, "unknown": 0,
            "thrown_passes": 0,
        }  # fmt: skip
    (record,) = items(tmp_path)
    assert (record["verdict"], record["gate"], record["ms"]) == ("reject", "late", 130.0)
    assert record["reason"] == "the answer came after the item was due (dot found)"
    assert [finding["label"] for finding in record["findings"]] == ["dot"]
    assert edges(tmp_path) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


def test_what_nobody_foresaw_is_a_fault_and_the_service_goes_on(
    build: Build, tmp_path: Path, stop: Stop
) -> None:
    """Never a pass; the exception is named in the journal."""
    with build([DOT], error=ZeroDivisionError("oh")) as station:
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["reason"]) == ("fault", "not foreseen: ZeroDivisionError: oh")
    assert record["picture"] == "frame 1"
    assert edges(tmp_path) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


def test_the_picture_of_a_fault_is_let_go_when_the_item_is_done(
    build: Build, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error's traceback holds the picture in a reference cycle, which Python collects late."""
    seen: list[weakref.ref[Frame]] = []

    def read(camera: ScriptedCamera, after_ns: int) -> Capture:
        picture = DOT.copy()
        seen.append(weakref.ref(picture))
        try:
            raise ValueError("torn")
        except ValueError as error:
            raise FrameError(f"{error}: take the picture again") from error

    monkeypatch.setattr(ScriptedCamera, "capture", read)
    gc.disable()
    try:
        with build([DOT]) as station:
            station.pass_item(10**12, stop)
            assert [picture() for picture in seen] == [None]
    finally:
        gc.enable()


def test_an_old_frame_is_a_fault(build: Build, tmp_path: Path, stop: Stop) -> None:
    """A camera that gives the frame before the trigger shows the product before."""
    with build([DOT], old=True) as station:
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["gate"]) == ("fault", "kept")
    assert "old picture" in record["reason"]
    assert record["picture"] == "frame 1"


def test_a_frame_shown_twice_is_a_fault(build: Build, tmp_path: Path, stop: Stop) -> None:
    """The driver gives the last frame again, with a new time; only its count betrays it."""
    with build([DOT, DOT], stuck=True) as station:
        station.pass_item(10**12, stop)
        station.pass_item(10**12, stop)
    assert [(r["verdict"], r["gate"]) for r in items(tmp_path)] == [
        ("pass", "cancelled"),
        ("fault", "kept"),
    ]


def test_an_idle_tick_feeds_the_watchdog_only_if_the_gate_keeps_time(
    build: Build, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An eye that waits in good health behind a dead gate would let everything pass."""
    beats: list[str] = []
    monkeypatch.setattr(Notifier, "alive", lambda _, status: beats.append(status))
    with build([]) as station:
        stop.request("no item comes")
        station.pass_item(10**12, stop)
        assert beats == ["0 items: 0 pass, 0 reject, 0 fault"]

        def dead() -> None:
            raise RuntimeError("the timing thread has died")

        monkeypatch.setattr(station.gate, "check", dead)
        with pytest.raises(RuntimeError, match="has died"):
            station.pass_item(10**12, stop)
    assert len(beats) == 1


def test_the_watchdog_is_fed_four_times_as_often_as_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures come every two seconds, ticks of five are allowed, the watchdog asks for 0.4.

    So there is never more than 0.1 s between two notifications.
    """
    clock, beats = SimulatedClock(), [0.0]
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.setattr(Notifier, "alive", lambda *_: beats.append(clock.now_ns() / MS))
    camera = dataclasses.replace(DRAWN, pictures_per_second=0.5)
    config = settings(tmp_path, camera=camera, service=ServiceSettings(tick_ms=5000))
    for name in ("1.png", "2.png"):
        save(tmp_path / "frames" / name, DOT)
    serve(config, clock)
    assert beats[-1] == 2000
    assert max(later - earlier for earlier, later in pairwise(beats)) == 100


def test_a_lost_camera_ends_the_service_after_the_item_is_written_down(
    build: Build, tmp_path: Path, stop: Stop
) -> None:
    """The item is a FAULT and still rejected; a new process may see again."""
    with (
        build([CameraError("the cable is out")]) as station,
        pytest.raises(CameraError, match="the cable is out"),
    ):
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["reason"]) == ("fault", "the cable is out")
    assert edges(tmp_path) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


class GoneGate(SimulatedGate):
    """Is killed before what it is asked in *dies_at* is done."""

    dies_at = ""
    facts: Mapping[str, object] = MappingProxyType({"run": "1-2", "triggers": 1})
    """It numbers items on its own."""

    def expect(self, sequence: int, t_trigger_ns: int) -> int:
        """Enter the item, or be gone."""
        self._die_at("expect")
        return super().expect(sequence, t_trigger_ns)

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Take the answer, or be gone."""
        self._die_at("answer")
        return super().answer(tag, cancel=cancel)

    def settle(self, tag: int, *, written: bool) -> None:
        """Close the item, or be gone."""
        self._die_at("settle" if written else "withdraw")

    def _die_at(self, moment: str) -> None:
        if self.dies_at == moment:
            raise GateError("the gate is lost")


@pytest.mark.parametrize("shadow", [False, True])
def test_each_record_of_a_gates_item_is_known_to_the_next_eye(
    build: Build, tmp_path: Path, stop: Stop, shadow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was looked at, and one that no eye saw; else both would be written down twice."""
    with build([NOTHING], gate_kind=GoneGate) as station:
        station.shadow = shadow
        station.pass_item(10**12, stop)
        for item in (Item(2, None, "no eye was there"), Item(3, None, "lost", "0-1", 7)):
            monkeypatch.setattr(station.trigger, "wait", lambda *_, one=item: one)
            station.pass_item(10**12, stop)
    written = WrittenRecords(tmp_path / "journal.jsonl")
    records = items(tmp_path)
    assert [record["gate_run"] for record in records] == ["1-2", "1-2", "0-1"]
    assert all(
        written.holds_item(record["gate_run"], record["tag"], record["trigger_ns"])
        for record in records
    )


@pytest.mark.parametrize("moment", ["expect", "answer"])
def test_gate_killed_makes_the_item_in_hand_a_fault_and_ends_the_service(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Also one that was found good: without a gate nothing can be let pass.

    It is written down first.
    """
    monkeypatch.setattr(GoneGate, "dies_at", moment)
    with (
        build([DOT], gate_kind=GoneGate) as station,
        pytest.raises(GateError, match="the gate is lost"),
    ):
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["gate"]) == ("fault", "gone")
    assert record["reason"].startswith("the gate is lost")


def test_a_gate_killed_after_the_item_was_decided_changes_nothing_about_it(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pass stands in the journal, with the gate's own number and run.

    Whatever is asked of the gate next tells.
    """
    monkeypatch.setattr(GoneGate, "dies_at", "settle")
    with build([DOT], gate_kind=GoneGate) as station:
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["gate"], record["tag"], record["gate_run"]) == (
        "pass",
        "cancelled",
        1,
        "1-2",
    )


def test_a_full_disk_with_a_gate_that_is_gone_is_still_told_as_a_full_disk(
    build: Build, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two troubles at once; the gate rejects what it was not told, so nothing passes."""
    monkeypatch.setattr(GoneGate, "dies_at", "withdraw")
    with (
        build([DOT], kind=FullJournal, gate_kind=GoneGate) as station,
        pytest.raises(JournalError, match="no room"),
    ):
        station.pass_item(10**12, stop)


def test_what_passed_without_an_eye_is_written_down_as_a_fault_without_a_picture(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The camera is not asked: it would show another item."""
    with build([], gate_kind=SimulatedGate) as station:
        tag = station.gate.expect(1, 0)
        monkeypatch.setattr(
            station.trigger, "wait", lambda *_: Item(5 * MS, tag, "no eye was connected")
        )
        station.pass_item(10**12, stop)
        assert station.counters.faults == 1
    (record,) = items(tmp_path)
    assert (record["verdict"], record["reason"], record["picture"]) == (
        "fault",
        "no eye was connected",
        "",
    )
    assert record["trigger_ns"] == 5 * MS


def test_a_journal_in_trouble_shows_on_the_fault_output(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decisions go on; when it is over the output falls."""
    with build([DOT, DOT]) as station:
        monkeypatch.setattr(Journal, "trouble", "the disk is full")
        station.pass_item(10**12, stop)
        monkeypatch.setattr(Journal, "trouble", "")
        station.pass_item(10**12, stop)
    assert [record["verdict"] for record in items(tmp_path)] == ["pass", "pass"]
    assert [e.level for e in read_transitions(tmp_path / "edges.jsonl") if e.line == "fault"] == [
        1,
        0,
    ]


def test_a_camera_in_trouble_shows_on_the_fault_output_and_in_the_status(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decisions go on; its counts go along."""
    monkeypatch.setattr(ScriptedCamera, "trouble", "the camera's pictures are damaged")
    monkeypatch.setattr(ScriptedCamera, "facts", {"damaged": 9})
    with build([DOT]) as station:
        station.pass_item(10**12, stop)
        assert station.health.trouble == "the camera's pictures are damaged"
        assert station.health.camera == {"damaged": 9}
    assert [r["verdict"] for r in items(tmp_path)] == ["pass"]
    levels = [e.level for e in read_transitions(tmp_path / "edges.jsonl") if e.line == "fault"]
    assert levels == [1, 0]


def test_the_last_item_of_a_journal_is_found_behind_whatever_follows_it(tmp_path: Path) -> None:
    """A stop record, a line that was cut; in the full file before when the new one has none.

    None in an empty journal.
    """
    path = tmp_path / "journal.jsonl"
    assert last_item(path) is None
    with Journal(path, SimulatedClock()) as journal:
        for picture in ("a", "b"):
            journal.append("item", {"verdict": "reject", "picture": picture})
        journal.append("stop", {"counters": {}})
    path.write_bytes(path.read_bytes() + b'{"v": 1, "kind": "item", "sequ')
    found = last_item(path)
    assert found is not None
    assert found["picture"] == "b"
    path.rename(tmp_path / "journal-000001-000000001.jsonl")
    path.write_text("")
    assert last_item(path) == found


class FullJournal(Journal):
    """Has no room for items."""

    def append(self, kind: str, fields: Any) -> None:
        """Refuse."""
        raise JournalError("no room")


def test_a_pass_that_cannot_be_written_down_is_rejected(
    build: Build, tmp_path: Path, stop: Stop
) -> None:
    """The cancellation is taken back before the service ends."""
    with build([DOT], kind=FullJournal) as station, pytest.raises(JournalError, match="no room"):
        station.pass_item(10**12, stop)
    assert edges(tmp_path) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


class LostCamera(ScriptedCamera):
    """A replay camera's place taken by one that is lost at once."""

    def __init__(self, _config: Config, clock: SimulatedClock) -> None:
        super().__init__(clock, [DOT, CameraError("the cable is out"), DOT])


def test_the_journal_says_why_the_service_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop record counts the item that was lost with the camera."""
    monkeypatch.setattr("edge.service.make_camera", LostCamera)
    with pytest.raises(CameraError):
        serve(settings(tmp_path), SimulatedClock())
    stop = read_records(tmp_path / "journal.jsonl")[-1]
    assert (stop["kind"], stop["reason"]) == ("stop", "CameraError: the cable is out")
    assert stop["counters"] == {
        "triggers": 2,
        "pass": 1,
        "reject": 0,
        "fault": 1,
        "unsure": 0,
        "late": 0,
        "unknown": 0,
        "thrown_passes": 0,
    }
    assert verify(tmp_path / "journal.jsonl").items == 2


class StoppedFromOutside(ScriptedCamera):
    """Sends this very process the signal while the second item is in hand."""

    def __init__(self, _config: Config, clock: SimulatedClock) -> None:
        super().__init__(clock, [NOTHING] * 9)

    def capture(self, after_ns: int) -> Capture:
        """Let the signal come in the middle of an item."""
        if self._shown == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().capture(after_ns)


def test_a_signal_lets_the_item_in_hand_finish_and_those_under_way_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two items, two lines, both at the gate at 500 ms: one pulse.

    Then the line is low and the handlers are back.
    """
    monkeypatch.setattr("edge.service.make_camera", StoppedFromOutside)
    before = signal.getsignal(signal.SIGTERM)
    serve(settings(tmp_path), SimulatedClock())
    assert summary(tmp_path) == [(1, "frame 1", "reject", "kept"), (2, "frame 2", "reject", "kept")]
    assert edges(tmp_path) == [(0, 0, None), (1, 500, 1), (0, 550, 2)]
    assert read_records(tmp_path / "journal.jsonl")[-1]["reason"] == "SIGTERM"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_class_that_the_model_does_not_know_is_a_wrong_setting(tmp_path: Path) -> None:
    """Nothing could ever pass; and no journal is begun."""
    with pytest.raises(ConfigError, match=r"\[decision\] required: .* \(dot\), not 'dto'"):
        serve(settings(tmp_path, decision=DecisionSettings(required=("dto",))))
    assert not (tmp_path / "journal.jsonl").exists()


def test_the_journal_holds_json_without_not_a_number(tmp_path: Path) -> None:
    """Any reader of JSON can read it."""
    config = settings(tmp_path)
    save(tmp_path / "frames" / "1.png", DOT)
    serve(config, SimulatedClock())

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line, parse_constant=refuse)["kind"] for line in lines] == [
        "start",
        "item",
        "stop",
    ]


def test_a_picture_that_memory_has_no_room_for_costs_the_picture_and_no_item(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pass stands, with a record that says why its picture is missing."""

    def short(*_: object) -> None:
        raise MemoryError

    with build([DOT]) as station:
        station.evidence.settings = EvidenceSettings(pass_rate=1.0)
        monkeypatch.setattr("edge.record.evidence.Image.fromarray", short)
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["gate"], record["evidence"]) == ("pass", "cancelled", "")
    assert record["evidence_lost"].endswith("pictures cannot be kept (MemoryError)")


def test_a_score_that_no_record_can_hold_is_a_fault_and_rejected(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON knows no infinity: what was let pass is taken back, and a record says why.

    A decision never rests on such a score; were it to, this is what happens.
    """
    endless = Verdict("pass", "dot found", (Finding("dot", float("inf"), Box(1, 1, 2, 2)),))
    monkeypatch.setattr("edge.sight.inspector.judge", lambda *_: endless)
    with build([DOT, NOTHING]) as station:
        station.pass_item(10**12, stop)
        station.pass_item(10**12, stop)
        assert station.counters.faults == 2
    first, second = items(tmp_path)
    assert (first["verdict"], first["gate"], first["sequence"], second["sequence"]) == (
        "fault",
        "kept",
        1,
        2,
    )
    assert first["reason"].startswith("not foreseen: ValueError: ")
    assert first["reason"].endswith("it had been let pass, and that was taken back")
    assert [e[2] for e in edges(tmp_path) if e[0]] == [1]
    assert verify(tmp_path / "journal.jsonl").items == 2


class Interrupt(BaseException):
    """Ends the process, as KeyboardInterrupt does."""


def test_what_ends_the_process_is_written_down_first(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The item in hand is rejected and recorded; then the process may go."""

    def interrupted(*_: object) -> None:
        raise Interrupt

    monkeypatch.setattr(Evidence, "keep", interrupted)
    with build([DOT]) as station, pytest.raises(Interrupt):
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["gate"]) == ("fault", "kept")
    assert [e[2] for e in edges(tmp_path) if e[0]] == [1]


def test_no_item_passes_whose_record_has_no_room(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk and the memory are full: a good item is a FAULT, and thrown."""
    with build([DOT]) as station:
        monkeypatch.setattr(Journal, "has_room", False)
        station.pass_item(10**12, stop)
    (record,) = items(tmp_path)
    assert (record["verdict"], record["gate"]) == ("fault", "kept")
    assert record["reason"] == "there is no room for its record (dot found)"


class SettlingGate(SimulatedGate):
    """Notes which items are settled."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.settled: list[int] = []

    def settle(self, tag: int, *, written: bool) -> None:
        """Note it."""
        if written:
            self.settled.append(tag)
        super().settle(tag, written=written)


def test_an_item_is_settled_when_its_record_is_on_the_disk_and_not_before(
    build: Build, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that wait in memory are lost with the process: the gate must still know the items."""
    disk = Disk(monkeypatch)
    with build([DOT] * 4, gate_kind=SettlingGate) as station:
        gate = station.gate
        assert isinstance(gate, SettlingGate)
        station.pass_item(10**12, stop)
        assert gate.settled == [1]
        disk.error = errno.ENOSPC
        station.pass_item(10**12, stop)
        station.pass_item(10**12, stop)
        assert gate.settled == [1]
        disk.error = 0
        eventually(lambda: not station.journal.trouble)
        station.pass_item(10**12, stop)
        assert gate.settled == [1, 2, 3, 4]


def test_passes_in_a_group_are_settled_with_their_group(
    build: Build, tmp_path: Path, stop: Stop
) -> None:
    """At the end of the service the group is closed first."""
    with build([DOT] * 3, gate_kind=SettlingGate) as station:
        gate = station.gate
        assert isinstance(gate, SettlingGate)
        station.journal.adopt(JournalSettings(sync="grouped", group_items=9, group_ms=60_000))
        for _ in range(3):
            station.pass_item(10**12, stop)
        assert gate.settled == []
        station.settle_all()
        assert gate.settled == [1, 2, 3]
