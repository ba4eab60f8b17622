import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.config import GateSettings, ServiceSettings
from edge.errors import ConfigError
from edge.settings import read_section

FOLDER = Path(__file__).resolve().parents[1] / "systemd"
UNIT, GATE_UNIT = FOLDER / "stampgate-edge.service", FOLDER / "stampgate-gate.service"
both = pytest.mark.parametrize("path", [UNIT, GATE_UNIT], ids=lambda path: path.stem)


def unit(path: Path = UNIT) -> configparser.RawConfigParser:
    """The unit's sections; a key given twice keeps its last value."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keep the letters' case, as documented
    parser.read(path)
    return parser


@both
def test_systemd_accepts_the_unit(tmp_path: Path, path: Path) -> None:
    """A copy whose program exists here, because systemd looks for it."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed; apt install systemd")
    text = path.read_text().replace("/opt/stampgate/bin/stampgate-edge", "/bin/true")
    copy = tmp_path / path.name
    copy.write_text(text)
    done = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@both
def test_the_service_is_always_started_again_but_not_with_a_wrong_configuration(path: Path) -> None:
    """The exit status that systemd does not restart on is the one the program uses for it."""
    service = unit(path)["Service"]
    assert (service["Type"], service["Restart"], unit(path)["Unit"]["StartLimitIntervalSec"]) == (
        "notify",
        "always",
        "0",
    )
    assert int(service["RestartPreventExitStatus"]) == ConfigError.exit_code


def test_the_watchdog_waits_longer_than_two_of_the_slowest_ticks() -> None:
    """The settings allow ticks up to their bound; the station shortens them to a quarter of this in any case."""
    slowest = read_section(ServiceSettings, {"tick_ms": 5000}, "test").tick_ms
    assert float(unit()["Service"]["WatchdogSec"]) * 1000 >= 2 * slowest


@both
def test_stopping_may_take_as_long_as_the_longest_way_to_the_gate(path: Path) -> None:
    """Items under way still arrive; systemd must not cut that short."""
    longest = read_section(GateSettings, {"reject_delay_ms": 60_000, "pulse_ms": 10_000}, "test")
    assert float(unit(path)["Service"]["TimeoutStopSec"]) * 1000 > longest.reject_delay_ms + longest.pulse_ms


def test_the_default_paths_are_the_folders_that_systemd_makes() -> None:
    """Under ProtectSystem=strict nothing else can be written."""
    service = unit()["Service"]
    sample = (FOLDER / "edge.toml").read_text()
    assert f"/var/log/{service['LogsDirectory']}/journal.jsonl" in sample
    assert f"/var/lib/{service['StateDirectory']}/frames" in sample
    assert f"/etc/{service['ConfigurationDirectory']}/edge.toml" in service["ExecStart"]
    for path in (UNIT, GATE_UNIT):
        assert f"/run/{unit(path)['Service']['RuntimeDirectory']}/gate.sock" in sample
    assert f"/var/log/{service['LogsDirectory']}/evidence" in sample


@both
def test_the_user_is_made_by_sysusers(path: Path) -> None:
    """The name in the unit and in the sysusers file is one."""
    line = next(x for x in (FOLDER / "stampgate.sysusers.conf").read_text().splitlines() if not x.startswith("#"))
    assert re.match(rf"u {unit(path)['Service']['User']} - ", line)
