"""The checks that concern more than one section of the settings, and who runs them."""

import ast
import os
from pathlib import Path
from typing import Any

import pytest

from edge.__main__ import main
from edge.clock import SimulatedClock
from edge.config import Config
from edge.errors import ConfigError
from edge.gate.process import serve_gate
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.trigger import TriggerSettings
from edge.selftest.wires import timing
from edge.service import make_gate, serve
from edge.wiring import (
    check_for_eye,
    check_for_gate,
    check_gate,
    gate_warnings,
    load_checked,
    unsigned_trouble,
)
from tests.paths import ROOT

DISAGREEING = """\
[trigger]
kind = "photo-eye"
[gate]
socket = "gate.sock"
[journal]
file = "journal.jsonl"
status = ""
[evidence]
folder = ""
"""
"""Each section is right, but the photo-eye needs a gate process."""
WHY = '[trigger] kind "photo-eye" needs [gate] driver "process"'


@pytest.fixture
def edge_toml(tmp_path: Path) -> Path:
    """A settings file whose sections disagree, beside a journal."""
    (tmp_path / "journal.jsonl").write_text("")
    (tmp_path / "edge.toml").write_text(DISAGREEING)
    return tmp_path / "edge.toml"


def test_a_file_whose_sections_disagree_is_not_loaded(edge_toml: Path) -> None:
    """The error names the demand and the folder in which to correct it."""
    with pytest.raises(ConfigError) as caught:
        load_checked(edge_toml)
    assert str(caught.value) == f"{WHY}; correct it in {edge_toml.parent}"


@pytest.mark.parametrize("command", ["run", "gate", "status", "log", "verify-log"])
def test_every_command_refuses_settings_whose_sections_disagree(
    edge_toml: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """The service and its commands agree on which settings are right."""
    assert main([command, "--config", str(edge_toml)]) == ConfigError.exit_code
    assert WHY in capsys.readouterr().err


def test_the_self_test_fails_on_settings_whose_sections_disagree(
    edge_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reports every failure as a line of its own."""
    assert main(["check", "--config", str(edge_toml)]) == 1
    assert WHY in capsys.readouterr().out


def test_settings_made_in_code_are_checked_too(tmp_path: Path) -> None:
    """They have passed no file reader."""
    eye = Config(trigger=TriggerSettings(kind="photo-eye"), folder=tmp_path)
    by_counts = Config(gate=GateSettings(reject_delay_counts=5), folder=tmp_path)
    with pytest.raises(ConfigError, match=r"needs \[gate\] driver"):
        serve(eye, SimulatedClock())
    with pytest.raises(ConfigError, match="reject_delay_counts needs driver"):
        serve_gate(by_counts)
    assert list(tmp_path.iterdir()) == []


def test_the_box_reads_settings_by_the_one_function_that_checks_them_all() -> None:
    """A second way in would be a check that can be forgotten."""
    calls = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "edge").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name | ast.Attribute) and "load_config" in ast.unparse(node)
    }
    assert calls == {"edge/wiring.py"}


@pytest.mark.parametrize(
    ("trigger", "gate", "lines", "said"),
    [
        ({"spacing_ms": 50.0}, {}, {}, []),
        ({"spacing_ms": 49.0}, {}, {}, ["pulse_ms 50 must be at most"]),
        ({"spacing_ms": 49.0}, {"pulse": "accepts"}, {}, []),
        ({}, {}, {}, ["spacing_ms is 0"]),
        ({"spacing_ms": 50.0, "blocked_ms": 0.0}, {}, {}, ["blocked_ms is 0: items that touch"]),
        (
            {"spacing_ms": 50.0, "blocked_ms": 0.0},
            {"reject_delay_counts": 90},
            {"encoder_a": "A"},
            ["blocked_counts is 0: items that touch are found only when they cover the photo-eye"],
        ),
        (
            {"spacing_ms": 50.0, "blocked_ms": 0.0, "blocked_counts": 9},
            {"reject_delay_counts": 90},
            {"encoder_a": "A"},
            [],
        ),
        ({"kind": "interval", "interval_ms": 40.0}, {}, {}, ["pulse_ms 50 must be at most"]),
        ({"kind": "every-frame"}, {}, {}, []),
        ({"spacing_ms": 50.0}, {"merge_gap_ms": 49.0}, {}, []),
        ({"spacing_ms": 50.0}, {"merge_gap_ms": 50.0}, {}, ["pulse_ms + merge_gap_ms 100 must be"]),
        ({"spacing_ms": 50.0}, {}, {"confirm": "BIN"}, ["confirm_ms - confirm_earliest_ms 980"]),
        ({"spacing_ms": 50.0}, {"confirm_ms": 70.0}, {"confirm": "BIN"}, []),
        ({"spacing_ms": 50.0}, {"confirm_counts": 9}, {"confirm": "BIN", "encoder_a": "A"}, []),
    ],
)
def test_times_that_overlap_are_warned_of(
    trigger: dict[str, Any], gate: dict[str, Any], lines: dict[str, Any], said: list[str]
) -> None:
    """Nothing bad passes by them, so they are not refused; `check` shows each as a WARN."""
    usual = {} if "kind" in trigger else {"kind": "photo-eye", "blocked_ms": 100.0}
    config = Config(
        trigger=TriggerSettings(**{**usual, **trigger}),
        gate=GateSettings(driver="process", **gate),
        lines=LinesSettings(**{"trigger": "EYE", **lines}),
    )
    check_gate(config)
    warnings = gate_warnings(config)
    assert len(warnings) == len(said)
    assert all(words in warning for words, warning in zip(said, warnings, strict=True))
    shown = [(result.state, result.text) for result in timing(config)]
    assert [text for state, text in shown if state == "WARN"] == warnings
    assert len(shown) == max(1, len(said))


BY_COUNTS = {"reject_delay_counts": 90}


@pytest.mark.parametrize(
    ("trigger", "gate", "said"),
    [
        ({"kind": "interval", "blocked_ms": 9.0}, {}, 'blocked_ms needs kind "photo-eye"'),
        ({"kind": "interval", "off_delay_ms": 9.0}, {}, 'off_delay_ms needs kind "photo-eye"'),
        ({"blocked_ms": 500.0}, {}, "blocked_ms must be below [gate] reject_delay_ms"),
        ({"blocked_counts": 9}, {}, "blocked_counts needs [gate] reject_delay_counts"),
        ({"blocked_ms": 9.0}, BY_COUNTS, "blocked_ms must be 0 when the delay is in counts"),
        ({"blocked_counts": 90}, BY_COUNTS, "blocked_counts must be below [gate] reject_delay_co"),
        ({"off_delay_ms": 250.0}, {}, "off_delay_ms must be below blocked_ms, or half of [gate]"),
        ({"off_delay_ms": 9.0, "blocked_ms": 9.0}, {}, "off_delay_ms must be below blocked_ms"),
        ({"off_delay_ms": 249.0}, {}, ""),
        ({"off_delay_ms": 999.0, "blocked_counts": 89}, BY_COUNTS, ""),
        ({"off_delay_counts": 9}, {}, "off_delay_counts needs [gate] reject_delay_counts"),
        (
            {"off_delay_counts": 20, "blocked_counts": 20},
            BY_COUNTS,
            "off_delay_counts must be below blocked_counts",
        ),
        ({"off_delay_counts": 19, "blocked_counts": 20}, BY_COUNTS, ""),
        ({"blocked_ms": 499.0}, {}, ""),
    ],
)
def test_lengths_at_the_photo_eye_must_fit_its_kind_and_the_reject_delay(
    trigger: dict[str, Any], gate: dict[str, Any], said: str
) -> None:
    """The first of several items must still be ahead of the gate when they are found."""
    config = Config(
        trigger=TriggerSettings(**{"kind": "photo-eye", **trigger}),
        gate=GateSettings(driver="process", **gate),
        lines=LinesSettings(trigger="EYE", encoder_a="A"),
    )
    if not said:
        check_gate(config)
        return
    with pytest.raises(ConfigError) as caught:
        check_gate(config)
    assert said in str(caught.value)


def test_a_gate_says_at_its_start_that_pulses_overlap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The simulated one; that of a process says it in the same words."""
    gate = GateSettings(pulse_ms=120.0)
    trigger = TriggerSettings(kind="interval", interval_ms=100.0)
    make_gate(Config(trigger=trigger, gate=gate, folder=tmp_path), SimulatedClock())
    assert "warning: [gate] pulse_ms 120 must be at most" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"confirm_ms": 20.0}, "confirm_earliest_ms must be below confirm_ms"),
        ({"confirm_counts": 5}, "confirm_counts needs driver"),
        ({"confirm_earliest_counts": 5}, "confirm_earliest_counts must be below confirm_counts"),
    ],
)
def test_a_window_of_confirmation_that_is_none_is_refused(gate: dict[str, Any], said: str) -> None:
    """Nothing could ever be confirmed in it."""
    config = Config(gate=GateSettings(driver="process", **gate), lines=LinesSettings(confirm="BIN"))
    with pytest.raises(ConfigError, match=said):
        check_gate(config)


PATHS = """\
[camera]
folder = "frames"
[gate]
record = "edges.jsonl"
socket = "gate.sock"
[model]
file = "m.onnx"
[journal]
file = "journal.jsonl"
status = "status.json"
[evidence]
folder = "evidence"
"""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("status.json", "/dev/full", "[journal] status /dev/full: cannot be written (a device"),
        ("status.json", "fifo", "(a FIFO, not a file)"),
        ("status.json", "frames", "(Is a directory)"),
        ("status.json", "link", "(a link, not a file)"),
        ("status.json", "notes.txt", "notes.txt: must be a status file, or none yet"),
        ("status.json", "edge.toml", "must be a file of its own, not the settings file too"),
        ("status.json", "m.onnx", "must be a file of its own, not [model] file too"),
        ("status.json", "journal.jsonl", "must be a file of its own, not [journal] file too"),
        ("status.json", "x/../journal.jsonl", "must be a file of its own, not [journal] file too"),
        ("journal.jsonl", "frames", "[journal] file "),
        ("journal.jsonl", "fifo", "(a FIFO, not a file)"),
        ("gate.sock", "journal.jsonl", "must be a file of its own, not [journal] file too"),
        ("edges.jsonl", "/dev/null", "[gate] record /dev/null: cannot be written (a device"),
        ("edges.jsonl", "journal.jsonl", "[gate] record"),
        ("[gate]", '[gate]\ndebts = "journal.jsonl"', "[gate] debts"),
        ('"evidence"', '"notes.txt"', "[evidence] folder"),
        ('"evidence"', '"/dev/null"', "[evidence] folder /dev/null: must be a folder"),
    ],
)
def test_a_service_writes_only_files_of_its_own(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    """Looked at before anything is opened: what is there stays, and nothing begins."""
    path = tmp_path / "edge.toml"
    path.write_text(PATHS.replace(old, new))
    (tmp_path / "frames").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("notes.txt")
    (tmp_path / "notes.txt").write_text("mine")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ConfigError) as caught:
        serve(load_checked(path))
    assert why in str(caught.value)
    assert str(caught.value).isprintable()
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_status_of_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    """And so is an empty file; the gate's process has its record alone to look at."""
    (tmp_path / "edge.toml").write_text(PATHS)
    config = load_checked(tmp_path / "edge.toml")
    for content in ("", '{"process": [1, 2], "written_ns": 3}\n'):
        (tmp_path / "status.json").write_text(content)
        check_for_eye(config)
    (tmp_path / "edge.toml").write_text(PATHS.replace("gate.sock", "journal.jsonl"))
    with pytest.raises(ConfigError, match=r"\[gate\] socket .*: must be a file of its own"):
        check_for_gate(load_checked(tmp_path / "edge.toml"))
    (tmp_path / "edges.jsonl").mkdir()
    with pytest.raises(ConfigError, match=r"\[gate\] record .*edges.jsonl: cannot be written"):
        check_for_gate(config)


def test_a_bare_model_file_does_not_drive_real_outputs_unasked(tmp_path: Path) -> None:
    """The gate process and real wires ask for a bundle, or for one who allows it, and says so."""
    wires = '[gate]\ndriver = "process"\n[lines]\ndriver = "gpiod"\nreject = "GPIO1"\n[model]\n'
    path = tmp_path / "edge.toml"
    path.write_text(wires + 'file = "m.onnx"\n')
    with pytest.raises(ConfigError, match=r"in no signed bundle.*or set allow_unsigned = true"):
        check_for_eye(load_checked(path))
    check_for_gate(load_checked(path))  # the gate goes on: it reads no model
    path.write_text(wires + 'file = "m.onnx"\nallow_unsigned = true\n')
    check_for_eye(load_checked(path))
    assert "is in no signed bundle" in unsigned_trouble(load_checked(path))
    for more in ("", 'bundle = "current"\n'):
        path.write_text(wires + more)
        check_for_eye(load_checked(path))
        assert unsigned_trouble(load_checked(path)) == ""
    path.write_text(wires.replace('"gpiod"', '"simulated"') + 'file = "m.onnx"\n')
    check_for_eye(load_checked(path))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('file = "m.onnx"\nbundle = "current"\n', "file and sha256 must be left out"),
        (f'sha256 = "{"0" * 64}"\nbundle = "current"\n', "file and sha256 must be left out"),
        ('bundle = "stamp-7.bundle"\n', 'must be "current" or empty'),
        ("probation_rejects = [0.6, 0.5]\n", "the least and then the greatest"),
    ],
)
def test_a_release_is_asked_for_without_contradiction(text: str, why: str, tmp_path: Path) -> None:
    """One line says which key must go."""
    (tmp_path / "edge.toml").write_text("[model]\n" + text)
    with pytest.raises(ConfigError, match=why):
        check_for_eye(load_checked(tmp_path / "edge.toml"))
