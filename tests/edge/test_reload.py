"""Settings read again while the service runs: real files, real signals, whole journals."""

import dataclasses
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.camera import Capture
from edge.clock import SimulatedClock
from edge.commands.status import _from_journal
from edge.config import SECTIONS, Config, load_config
from edge.errors import ConfigError
from edge.gate.simulated import SimulatedGate
from edge.record.status import read_status
from edge.record.verify import read_records, verify
from edge.reload import Reload, changes
from edge.sections.gate import GateSettings
from edge.service import serve
from edge.wiring import check_gate
from tests.camera_doubles import ScriptedCamera
from tests.disk import item, journal
from tests.edge.test_replay import Systemd
from tests.gate_rig import edge_process, edges_of, pass_photo_eye, swept
from tests.programs import eventually
from tests.tiny_model import paint, two_classes, write_tiny_model

SETTINGS = """\
[camera]
folder = "frames"
allow_repeats = true
covered_below = 0.0
[decision]
required = ["dot"]
[gate]
record = "edges.jsonl"
pulse_ms = 50.0
[model]
file = "m.onnx"
[journal]
file = "journal.jsonl"
status = "status.json"
[evidence]
folder = ""
"""
DOT = paint({"dot": [(16, 24)]})
Edit = Callable[..., Path]
CAMERA_LIMITS = ("black_below", "covered_below", "overexposed_above")
"""Settings of the checks that each picture must pass."""


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Writes the settings file, with a text put in place of another; gives its path."""

    def write(old: str = "", new: str = "") -> Path:
        assert old in SETTINGS
        (tmp_path / "edge.toml").write_text(SETTINGS.replace(old, new) if old else SETTINGS)
        return tmp_path / "edge.toml"

    return write


def served(
    edit: Edit, monkeypatch: pytest.MonkeyPatch, *change: str, items: int = 4
) -> list[dict[str, Any]]:
    """Run the service on pictures of a dot.

    In the middle of the second item the file is changed and SIGHUP sent.
    """

    class Interrupted(ScriptedCamera):
        def __init__(self, _config: Config, clock: SimulatedClock) -> None:
            super().__init__(clock, [DOT] * items)

        def capture(self, after_ns: int) -> Capture:
            if self._shown == 1:
                edit(*change)
                os.kill(os.getpid(), signal.SIGHUP)
            return super().capture(after_ns)

    path = edit()
    write_tiny_model(path.parent / "m.onnx", two_classes())
    monkeypatch.setattr("edge.service.make_camera", Interrupted)
    serve(load_config(path), SimulatedClock())
    assert verify(path.parent / "journal.jsonl").items == items
    return read_records(path.parent / "journal.jsonl")


def shape(records: list[dict[str, Any]]) -> list[str]:
    """Kind or verdict, line by line; at this speed pulses overlap, and incidents say so."""
    return [r.get("verdict", r["kind"]) for r in records if r["kind"] != "incident"]


def test_changed_settings_count_from_the_next_item_on_and_the_journal_says_which(
    edit: Edit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The item in hand is decided by the old ones.

    A record stands between, with the new checksum and what changed.
    """
    before = signal.getsignal(signal.SIGHUP)
    records = served(edit, monkeypatch, '["dot"]', '["dot", "square"]')
    assert shape(records) == ["start", "pass", "pass", "settings", "reject", "reject", "stop"]
    told, path = records[3], edit('["dot"]', '["dot", "square"]')
    assert (told["sequence"], told["reason"], told["required"]) == (
        2,
        "settings read again",
        ["dot", "square"],
    )
    assert told["settings_sha256"] == load_config(path).checksum() != records[0]["settings_sha256"]
    assert told["changed"] == {"[decision] required": [["dot"], ["dot", "square"]]}
    assert records[4]["reason"] == "no square found"
    assert capsys.readouterr().err == "stampgate-edge: settings read again\n"
    status = read_status(path.parent / "status.json")
    assert status is not None
    assert status["settings_sha256"] == told["settings_sha256"]
    assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "pulse_ms = 50.0",
            "pulse_ms = -1",
            "[gate] pulse_ms must be above 0 and at most 10000, not -1",
        ),
        ("pulse_ms = 50.0", "puls_ms = 60.0", "[gate] has no key 'puls_ms'"),
        ("[gate]", "[gate", "edge.toml: must be TOML in UTF-8"),
        ("pulse_ms = 50.0", "pulse_ms = 1" + "0" * 400, "and at most 10000, not 1000"),
        ("pulse_ms = 50.0", "pulse_ms = 1" + "0" * 5000, "a number has thousands of digits"),
        ("pulse_ms = 50.0", "pulse_ms = " + "[" * 5000, "nested too deeply"),
        ("pulse_ms = 50.0", "pulse_ms = nan", "and at most 10000, not NaN"),
        ('"journal.jsonl"', '"\\u0000"', "[journal] file must be one line without control"),
        ('"status.json"', f'"{"a" * 5000}"', "[journal] status must be a path of at most"),
        ("[camera]", "\ufeff[camera]", "it begins with a byte-order mark"),
        (
            'file = "m.onnx"',
            'file = "n.onnx"',
            "edge.toml: [model] file: needs a restart; restart, or take the change",
        ),
        (
            "[gate]\n",
            "[trigger]\nkind = 'interval'\n[gate]\ndriver = 'process'\n",
            "[trigger] kind, [gate] driver: needs",
        ),
        ('["dot"]', '["dto"]', "[decision] required: "),
        ("pulse_ms = 50.0", 'pulse_ms = 40.0\npulse = "accepts"', "[gate] pulse: needs a restart"),
        (
            "[gate]\n",
            "[trigger]\nspacing_ms = 50.0\n[gate]\n",
            '[trigger] spacing_ms needs kind "photo-eye"',
        ),
    ],
)
def test_a_file_that_is_wrong_or_needs_a_restart_is_refused_whole(
    edit: Edit,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    why: str,
) -> None:
    """One line says why; the settings before go on, and the record carries their checksum."""
    records = served(edit, monkeypatch, old, new)
    assert shape(records) == ["start", "pass", "pass", "settings", "pass", "pass", "stop"]
    assert records[3]["reason"].startswith("settings refused, those before go on: ")
    assert why in records[3]["reason"]
    assert (records[3]["settings_sha256"], records[3]["changed"]) == (
        records[0]["settings_sha256"],
        {},
    )
    complaint = capsys.readouterr().err
    assert complaint == f"stampgate-edge: {records[3]['reason']}\n"


def test_the_simulated_gate_takes_a_longer_pulse_and_items_under_way_keep_their_moments() -> None:
    """As the gate's process does."""
    clock, settings = SimulatedClock(), GateSettings(reject_delay_ms=100, pulse_ms=20)
    with SimulatedGate(settings, clock) as gate:
        gate.expect(1, 0)
        clock.sleep_until(50_000_000)
        gate.adopt(dataclasses.replace(settings, pulse_ms=60.0))
        clock.sleep_until(10**9)
    assert [(edge.level, edge.t_ns / 1e6) for edge in gate.transitions][1:] == [(1, 100), (0, 160)]


def test_nothing_changed_is_told_too(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked wants an answer."""
    record = served(edit, monkeypatch)[3]
    assert (record["kind"], record["reason"], record["changed"]) == (
        "settings",
        "settings read again",
        {},
    )


def test_the_next_file_of_the_journal_and_the_status_know_the_new_settings(tmp_path: Path) -> None:
    """Where older files are kept elsewhere, and when the service does not run any more."""
    path = tmp_path / "journal.jsonl"
    with journal(path, file_items=1) as log:
        log.append("start", {"version": "1.2", "settings_sha256": "ab", "required": ["dot"]})
        log.append(
            "settings", {"reason": "settings read again", "settings_sha256": "cd", "changed": {}}
        )
        log.append("item", item())
        log.append("item", item())
        log.append(
            "settings", {"reason": "settings read again", "settings_sha256": "ef", "changed": {}}
        )
    continued = next(record for record in read_records(path) if record["kind"] == "continued")
    assert continued["start"] == {"version": "1.2", "settings_sha256": "cd", "required": ["dot"]}
    assert verify(path).items == 2
    assert _from_journal(path)["settings_sha256"] == "ef"


def test_every_part_of_the_eye_takes_its_settings(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each section's keys that can change reach the one who reads them."""
    adopted: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        "edge.record.journal.Journal.adopt",
        lambda _, settings: adopted.append(("journal", settings)),
    )
    monkeypatch.setattr(
        "edge.gate.simulated.SimulatedGate.adopt",
        lambda _, settings: adopted.append(("gate", settings)),
    )
    monkeypatch.setattr(
        "edge.record.health.Health.adopt",
        lambda _, settings, _about: adopted.append(("health", settings)),
    )
    served(edit, monkeypatch, "[gate]\n", "[gate]\nconfirm_ms = 7.0\n")
    fresh = load_config(edit("[gate]\n", "[gate]\nconfirm_ms = 7.0\n"))
    assert adopted == [("journal", fresh.journal), ("gate", fresh.gate), ("health", fresh.journal)]


def test_what_a_running_service_can_change_is_this_and_nothing_else() -> None:
    """A key is marked once somebody has made sure that a change of it loses nothing."""
    live = {
        section: [field.name for field in dataclasses.fields(kind) if field.metadata["live"]]
        for section, kind in SECTIONS.items()
        if any(field.metadata["live"] for field in dataclasses.fields(kind))
    }
    assert live == {
        "camera": ["rotate", "flip", "drift_above", *CAMERA_LIMITS],
        "trigger": [
            "spacing_ms",
            "blocked_ms",
            "blocked_counts",
            "off_delay_ms",
            "off_delay_counts",
        ],
        "gate": [
            "ready_stops_belt",
            "belt_start_ms",
            "standstill_ms",
            "pulse_ms",
            "merge_gap_ms",
            "confirm_ms",
            "confirm_earliest_ms",
            "confirm_apart_ms",
        ],
        "model": [f"probation_{of}" for of in ("items", "minutes", "row", "faults", "rejects")],
        "decision": [field.name for field in dataclasses.fields(SECTIONS["decision"])],
        "imaging": ["compare_s", "moved_above_px", "light_above", "softer_above"],
        "journal": [
            "sync",
            "group_items",
            "group_ms",
            "patience_ms",
            "memory_kb",
            "file_items",
            "health_s",
        ],
        "evidence": ["limit_mb", "keep_free_mb", "pass_rate", "seed", "quality", "patience_ms"],
        "alarms": [field.name for field in dataclasses.fields(SECTIONS["alarms"])],
        "challenge": ["every_hours", "at_start", "at_changeover", "item_s", "sign_group"],
    }


def test_a_section_of_a_program_beside_the_line_keeps_no_reload_from_being_taken(
    edit: Edit,
) -> None:
    """Neither eye nor gate reads it; what they do read is taken, and the checksum stays."""
    running = load_config(edit())
    changed = "[review]\nport = 9999\n[gate]\nconfirm_ms = 7.0\n"
    with Reload(running) as reload:
        path = edit("[gate]\n", changed)
        assert reload.read().gate.confirm_ms == 7.0
    assert set(changes(running, load_config(path))) == {"[gate] confirm_ms"}
    only = load_config(edit("[gate]\n", "[review]\nport = 9999\n[gate]\n"))
    assert only.checksum() == running.checksum()
    assert only.review.port == 9999


@pytest.mark.parametrize("kind", ["absent", "folder", "FIFO", "UTF-16"])
def test_a_file_that_was_taken_away_or_exchanged_is_refused_and_nobody_waits(
    edit: Edit, kind: str
) -> None:
    """Those before go on; the gate and the eye read by the same function."""
    running = load_config(edit())
    with Reload(running) as reload:
        path = edit()
        content = path.read_text()
        path.unlink()
        if kind == "folder":
            path.mkdir()
        elif kind == "FIFO":
            os.mkfifo(path)
        elif kind == "UTF-16":
            path.write_bytes(content.encode("utf-16"))
        os.kill(os.getpid(), signal.SIGHUP)
        assert reload.take()
        with pytest.raises(ConfigError, match=r"edge\.toml: (cannot be read|must be TOML)"):
            reload.read()
    assert reload.running is running


def test_what_nobody_foresaw_in_a_settings_file_ends_no_gate(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused like any other, with its name."""

    def broken(_: Path) -> Config:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr("edge.reload.load_checked", broken)
    with pytest.raises(ConfigError, match="not foreseen: ZeroDivisionError: no such luck"):
        Reload(load_config(edit())).read()


def test_a_storm_of_signals_costs_one_reload(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the file has changed meanwhile; a request that comes later is a new one."""
    now = [10**9]
    monkeypatch.setattr("edge.reload.monotonic_ns", lambda: now[0])
    path = edit()
    with Reload(load_config(path)) as reload:

        def taken(signals: int, ms: int) -> list[int]:
            """Send so many signals, one each millisecond, and ask as often; then wait *ms*."""
            moments = []
            for sent in range(signals + ms):
                if sent < signals:
                    os.kill(os.getpid(), signal.SIGHUP)
                moments += [sent] * reload.take()
                now[0] += 10**6
            return moments

        assert taken(1000, 1000) == [0]
        assert taken(1, 1000) == [0]
        assert taken(2, 100) == [0]
        edit("pulse_ms = 50.0", "pulse_ms = 60.0")
        assert taken(0, 1000) == [98]
        assert taken(0, 1000) == []


def test_settings_without_a_file_leave_the_signal_as_it_was() -> None:
    """A terminal that closes ends the demo."""
    before = signal.getsignal(signal.SIGHUP)
    with Reload(Config()):
        assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.parametrize(
    ("spacing_ms", "trigger", "why"),
    [
        (50.0, "interval", 'spacing_ms needs kind "photo-eye"'),
        (500.0, "photo-eye", "spacing_ms must be below [gate]"),
    ],
)
def test_a_spacing_that_cannot_hold_is_a_wrong_setting(
    spacing_ms: float, trigger: str, why: str
) -> None:
    """The first of two must still be ahead when the second comes too close."""
    config = Config()
    changed = dataclasses.replace(config.trigger, spacing_ms=spacing_ms, kind=trigger)
    lines = dataclasses.replace(config.lines, trigger="EYE")
    gate = dataclasses.replace(config.gate, driver="process")
    with pytest.raises(ConfigError) as caught:
        check_gate(dataclasses.replace(config, trigger=changed, lines=lines, gate=gate))
    assert why in str(caught.value)


GATE = """\
[trigger]
kind = "photo-eye"
[gate]
driver = "process"
reject_delay_ms = 700.0
pulse_ms = {pulse_ms}
eye_silent_ms = 10000.0
socket = "gate.sock"
record = "edges.jsonl"
[lines]
trigger = "EYE"
inputs = "lines.sock"
"""


@pytest.mark.slow
def test_the_gates_process_takes_a_longer_pulse_and_loses_nothing_under_way(tmp_path: Path) -> None:
    """SIGHUP while an item is under way: it comes at its moment with the new pulse.

    A wrong file changes nothing.
    """
    config, systemd = tmp_path / "edge.toml", Systemd(tmp_path / "notify")
    config.write_text(GATE.format(pulse_ms=100.0))
    with edge_process("gate", config, systemd.path) as gate:
        swept(tmp_path)
        config.write_text(GATE.format(pulse_ms=0))
        gate.send(signal.SIGHUP)
        systemd.hear("READY=1", times=2)
        pass_photo_eye(tmp_path)
        config.write_text(GATE.format(pulse_ms=400.0))
        gate.send(signal.SIGHUP)
        systemd.hear("READY=1", times=3)
        eventually(lambda: len(edges_of(tmp_path, "reject")) == 5)
        gate.send(signal.SIGTERM)
        said = gate.ended().stderr
    reloads = [
        message for message in systemd.drain() if message.startswith("RELOADING=1\nMONOTONIC_USEC=")
    ]
    systemd.close()
    assert len(reloads) == 2
    rise, fall = edges_of(tmp_path, "reject")[3:]
    assert (rise.sequence, fall.sequence) == (1, 1)
    assert fall.t_ns - rise.t_ns >= 400 * 10**6
    lines = [
        line.removeprefix("stampgate-edge gate: settings ")
        for line in said.splitlines()
        if "settings" in line
    ]
    assert lines[0].startswith("refused, those before go on: ")
    assert lines[1] == "read again: {'[gate] pulse_ms': [100.0, 400.0]}"
