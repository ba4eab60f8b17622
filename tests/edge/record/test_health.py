import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from edge.clock import SimulatedClock
from edge.decision import Verdict
from edge.record.evidence import Evidence
from edge.record.health import LATENCIES, Health
from edge.record.journal import Journal
from edge.record.status import StatusFile, is_running, process_name, read_status
from edge.record.telemetry import telemetry, throttled_words
from edge.record.verify import read_records, verify
from edge.sections.records import EvidenceSettings, JournalSettings
from tests.disk import settings

S = 1_000_000_000
COUNTERS = {"triggers": 2, "pass": 1, "reject": 1, "fault": 0}


def fake_files(root: Path, **files: str) -> Path:
    """Files below *root*; in a name, two underscores stand for a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_board_that_shows_nothing_gives_null(tmp_path: Path) -> None:
    """No sensor, no firmware, no /proc: every key is there and none has a value."""
    names = ("temperature_c", "throttled", "undervoltage", "rss_mb", "open_files")
    assert telemetry(tmp_path) == dict.fromkeys(names)


def test_a_raspberry_pi_shows_temperature_throttling_and_undervoltage(tmp_path: Path) -> None:
    """The hottest zone, and the firmware's bits as they are: undervoltage now, throttled before."""
    fake_files(
        tmp_path,
        sys__class__thermal__thermal_zone0__temp="54123\n",
        sys__class__thermal__thermal_zone1__temp="61500\n",
        sys__class__thermal__thermal_zone2__temp="no number\n",
    )
    firmware = tmp_path / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True)
    (firmware / "get_throttled").write_text("40001\n")
    seen = telemetry(tmp_path)
    assert (seen["temperature_c"], seen["throttled"], seen["undervoltage"]) == (
        61.5,
        "0x40001",
        True,
    )
    assert throttled_words(0x40001) == "undervoltage now; before: throttled"
    assert throttled_words(0) == "never"


@pytest.mark.parametrize(
    ("name", "alarm", "said"), [("rpi_volt", "1", True), ("rpi_volt", "0", False), ("x", "1", None)]
)
def test_undervoltage_is_read_from_the_voltage_driver_when_the_firmware_says_nothing(
    tmp_path: Path, name: str, alarm: str, said: bool | None
) -> None:
    """The mainline kernel has a hwmon driver, rpi_volt."""
    fake_files(
        tmp_path,
        sys__class__hwmon__hwmon3__name=f"{name}\n",
        sys__class__hwmon__hwmon3__in0_lcrit_alarm=alarm,
    )
    assert telemetry(tmp_path)["undervoltage"] is said


def test_this_process_has_memory_and_open_files() -> None:
    """As /proc says here and now."""
    seen = telemetry()
    assert 5 < seen["rss_mb"] < 5000
    before = seen["open_files"]
    with Path("/dev/null").open():
        assert telemetry()["open_files"] == before + 1


class Box:
    """A health watch on a simulated clock, with its journal and status file."""

    def __init__(self, folder: Path, root: Path, **changes: Any) -> None:
        self.clock = SimulatedClock(42)
        self.status = folder / "status.json"
        self.path = folder / "journal.jsonl"
        self.journal = Journal(self.path, self.clock, settings=settings(**changes))
        evidence = Evidence(None, EvidenceSettings())
        about = {"version": "1.2", "settings_sha256": "ab"}
        self.health = Health(
            self.journal,
            evidence,
            JournalSettings(health_s=60),
            self.clock,
            self.status,
            about,
            root,
        )

    def tick_at(self, seconds: float) -> None:
        """Tick then."""
        self.clock.sleep_until(42 + round(seconds * S))
        self.health.tick(COUNTERS, queue_depth=3)


def test_a_minute_by_minute_line_tells_how_the_box_is(tmp_path: Path) -> None:
    """At 60 s with the two items since the start, at 120 s with none, and not in between."""
    box = Box(
        tmp_path, fake_files(tmp_path / "root", sys__class__thermal__thermal_zone0__temp="40000")
    )
    with box.journal:
        for seconds in (1.0, 59.9):
            box.health.item(1, Verdict("pass", "found"), ms=seconds)
            box.tick_at(seconds)
        for seconds in (60.0, 60.1, 119.9, 120.0):
            box.tick_at(seconds)
    lines = [r for r in read_records(box.path) if r["kind"] == "health"]
    assert [r["monotonic_ns"] for r in lines] == [42 + 60 * S, 42 + 120 * S]
    assert [(r["items"], r["p50_ms"], r["p99_ms"], r["worst_ms"]) for r in lines] == [
        (2, 1, 59.9, 59.9),
        (0, *[None] * 3),
    ]
    assert [(r["temperature_c"], r["queue_depth"], r["trouble"]) for r in lines] == [
        (40.0, 3, "")
    ] * 2
    assert lines[0]["evidence"] == {"pictures": 0, "mb": 0.0, "lost": 0}
    assert set(lines[0]["journal"]) == {
        "waiting_lines",
        "waiting_kb",
        "slowest_sync_ms",
        "lost_records",
    }
    assert verify(box.path).records == 2


def test_percentiles_need_bounded_memory(tmp_path: Path) -> None:
    """Of a hundred thousand items in one minute only the last are kept, and all are counted."""
    box = Box(tmp_path, tmp_path)
    with box.journal:
        for number in range(100_000):
            box.health.item(number, Verdict("pass", "found"), ms=float(number))
        box.tick_at(60)
    (line,) = read_records(box.path)
    assert (line["items"], line["worst_ms"], line["p50_ms"]) == (
        100_000,
        99_999,
        99_999 - LATENCIES // 2,
    )


def test_the_status_file_says_what_a_technician_asks_first(tmp_path: Path) -> None:
    """Whole, once a second at most, with the name of the process that wrote it."""
    box = Box(tmp_path, tmp_path)
    with box.journal:
        box.health.item(7, Verdict("reject", "no dot found", (), "missing"), ms=12.5)
        box.tick_at(0)
        first = read_status(box.status)
        box.tick_at(0.9)
        assert read_status(box.status) == first
        box.tick_at(1.0)
        second = read_status(box.status)
    assert first is not None
    assert second is not None
    assert second["written_ns"] > first["written_ns"]
    said = {
        "state": "running",
        "trouble": "",
        "version": "1.2",
        "settings_sha256": "ab",
        "counters": COUNTERS,
    }
    assert {name: first[name] for name in said} == said
    assert first["queue_depth"] == 3
    assert first["last"] == {
        "sequence": 7,
        "verdict": "reject",
        "reason": "no dot found",
        "code": "missing",
        "ms": 12.5,
    }
    assert (first["p50_ms"], first["p99_ms"]) == (12.5, 12.5)
    assert is_running(first)
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["journal.jsonl", "status.json"]


def test_trouble_shows_in_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word of the first thing that is wrong."""
    box = Box(tmp_path, tmp_path)
    with box.journal:
        monkeypatch.setattr(Journal, "trouble", "the disk is full")
        box.tick_at(1)
        status = read_status(box.status)
    assert status is not None
    assert (status["state"], status["trouble"]) == ("trouble", "the disk is full")


@pytest.mark.parametrize(
    ("ours", "gates", "shown"),
    [
        ("", "the bin is full", "the bin is full"),
        ("the disk is full", "", "the disk is full"),
        ("the disk is full", "the bin is full", "the disk is full; the bin is full"),
        (
            "the disk is full",
            "the bin is full; the disk is full",
            "the bin is full; the disk is full",
        ),
    ],
)
def test_the_gates_trouble_shows_in_the_state_and_stays_the_gates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: str, gates: str, shown: str
) -> None:
    """The gate is told of ours and repeats it; its own is not told back to it as ours."""
    box = Box(tmp_path, tmp_path)
    with box.journal:
        monkeypatch.setattr(Journal, "trouble", ours)
        box.health.gate = {"run": "a", "trouble": gates, "triggers": 5}
        box.tick_at(1)
        status = read_status(box.status)
        assert box.health.trouble == ours
    assert status is not None
    assert (status["state"], status["trouble"], status["gate"]["triggers"]) == ("trouble", shown, 5)


def test_no_place_for_the_status_is_no_trouble(tmp_path: Path) -> None:
    """It is only shown, and nothing depends on it."""
    StatusFile(tmp_path / "no" / "status.json").write({"state": "running"})
    StatusFile(None).write({"state": "running"})
    assert read_status(tmp_path / "no" / "status.json") is None
    assert read_status(None) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_a_status_that_root_wrote_belongs_to_the_owner_of_the_journal(tmp_path: Path) -> None:
    """The folder is the gate's: there, nobody but its owner can replace a file."""
    for name, owner in (("run", 1234), ("log", 4321)):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, owner, owner)
    status = StatusFile(tmp_path / "run" / "status.json", tmp_path / "log")
    (tmp_path / "run" / ".status.json.new").write_text("half")  # whoever wrote it was killed
    status.write({"state": "running"})
    assert (tmp_path / "run" / "status.json").stat().st_uid == 4321
    assert (read_status(tmp_path / "run" / "status.json") or {})["state"] == "running"


@pytest.mark.parametrize(
    "process",
    [
        *("null", "[]", '["abc", 1]', "[null]", "[[1], 2]", "[1e400, 2]", "[true, 1]", "[-1, 0]"),
        *('["../../1", 1]', f"[{10**300}, 1]", '{"0": 1}', '"12"', "[1.5, 2]"),
    ],
)
def test_a_status_that_names_no_process_is_of_none_that_runs(process: str, tmp_path: Path) -> None:
    """Others may write where the file lies; it used to end in a traceback."""
    path = tmp_path / "status.json"
    path.write_text(f'{{"process": {process}, "state": "running"}}')
    status = read_status(path)
    assert status is not None
    assert not is_running(status)


def test_a_status_outlives_its_process_and_shows_that(tmp_path: Path) -> None:
    """The number of a process is given again; the moment it began is not."""
    with subprocess.Popen(["sleep", "60"]) as process:
        mine = {"process": process_name(process.pid)}
        assert is_running(mine)
        process.kill()
        process.wait()
    assert not is_running(mine)
    assert not is_running({"process": [os.getpid(), 1]})
    assert not is_running({})


def test_a_damaged_status_is_none(tmp_path: Path) -> None:
    """Somebody's hand was in it."""
    (tmp_path / "s").write_text(json.dumps([time.time()]))
    assert read_status(tmp_path / "s") is None
    (tmp_path / "s").write_text("{")
    assert read_status(tmp_path / "s") is None
