"""The checks that concern more than one section of the settings, and who runs them."""

import ast
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.clock import SimulatedClock
from edge.config import Config, GateSettings, TriggerSettings
from edge.errors import ConfigError
from edge.gate.process import serve_gate
from edge.service import serve
from edge.wiring import load_checked
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
