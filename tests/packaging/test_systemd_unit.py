import configparser
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from edge.__main__ import PROGRAM as BOX
from edge.command_line import make_parser
from edge.errors import ConfigError
from edge.production_lines.names import sample_of_line
from edge.sections.gate import GateSettings
from edge.sections.model import ModelSettings
from edge.sections.records import JournalSettings
from edge.sections.review import ReviewSettings
from edge.sections.service import ServiceSettings
from edge.settings import read_section
from tests.paths import ROOT

FOLDER = ROOT / "systemd"
UNIT, GATE_UNIT, REVIEW_UNIT, TARGET = (
    FOLDER / name
    for name in (
        "stampgate-edge.service",
        "stampgate-gate.service",
        "stampgate-review.service",
        "stampgate.target",
    )
)
SYSUSERS = (FOLDER / "stampgate.sysusers.conf").read_text()
PROGRAM = "/opt/stampgate/current/bin/stampgate-edge"
CHECK = "/usr/lib/stampgate/check-environment"
EXPOSURE_AT_MOST = 2.0
"""Highest exposure that `systemd-analyze security` may find: 0 may do nothing, 10 everything."""
EXPOSURE_AT_MOST_WITH_NETWORK = 3.5
"""Of a unit that is there to be reached."""
both = pytest.mark.parametrize("path", [UNIT, GATE_UNIT], ids=lambda path: path.stem)


def unit(path: Path = UNIT) -> configparser.RawConfigParser:
    """The unit's sections; a key given twice keeps its last value."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keep the letters' case, as documented
    parser.read(path)
    return parser


@pytest.fixture
def analyze() -> str:
    """The program systemd-analyze; a test that needs it is skipped without."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed; apt install systemd")
    return found


def test_systemd_accepts_the_units(tmp_path: Path, analyze: str) -> None:
    """Copies whose program exists here, because systemd looks for it."""
    copies = [tmp_path / path.name for path in (UNIT, GATE_UNIT, REVIEW_UNIT, TARGET)]
    for copy in copies:
        text = (FOLDER / copy.name).read_text()
        copy.write_text(text.replace(PROGRAM, "/bin/true").replace(CHECK, "/bin/true"))
    done = subprocess.run([analyze, "verify", *copies], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("path", [UNIT, GATE_UNIT, REVIEW_UNIT], ids=lambda path: path.stem)
def test_little_is_left_that_the_service_could_do_to_the_box(path: Path, analyze: str) -> None:
    """As installed, with the devices that it drives: systemd's own measure."""
    command = [analyze, "security", "--offline=true", "--no-pager", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    assert float(found[1]) <= EXPOSURE_AT_MOST


@pytest.mark.parametrize(
    ("path", "group", "devices"),
    [(GATE_UNIT, "gpio", {"gpiochip"}), (UNIT, "video", {"video4linux", "media", "dma_heap"})],
    ids=["gate", "eye"],
)
def test_a_service_reaches_the_devices_it_drives_and_no_others(
    path: Path, group: str, devices: set[str]
) -> None:
    """Its unit lets it, its group exists, and the udev rule gives the devices to that group."""
    lines = path.read_text().splitlines()
    assert unit(path)["Service"]["DevicePolicy"] == "closed"
    assert {line for line in lines if line.startswith("DeviceAllow=")} == {
        f"DeviceAllow=char-{d} rw" for d in devices
    }
    assert group in unit(path)["Service"]["SupplementaryGroups"].split()
    assert f"g {group} -" in SYSUSERS.splitlines()
    assert f'GROUP="{group}", MODE="0660"' in (FOLDER / "stampgate.rules").read_text()


def test_the_target_starts_both_and_stops_both() -> None:
    """One command for the technician."""
    assert set(unit(TARGET)["Unit"]["Wants"].split()) == {UNIT.name, GATE_UNIT.name}
    assert unit(TARGET)["Install"]["WantedBy"] == "multi-user.target"
    assert [unit(path)["Unit"]["PartOf"] for path in (UNIT, GATE_UNIT)] == [TARGET.name] * 2


def test_the_review_page_reads_what_the_eye_writes_and_can_slow_nothing() -> None:
    """A user of its own in the eye's group, the last for processor and disk, and no device."""
    service = unit(REVIEW_UNIT)["Service"]
    assert service["User"] == "stampgate-review"
    assert service["SupplementaryGroups"] == "stampgate"
    assert "m stampgate-review stampgate" in SYSUSERS.splitlines()
    assert ReviewSettings().folder == f"/var/lib/{service['StateDirectory']}"
    assert service["IPAddressAllow"] == "localhost"
    assert int(service["Nice"]) > 0
    assert service["IOSchedulingClass"] == "idle"
    assert "ReadWritePaths" not in service
    assert unit(REVIEW_UNIT)["Unit"].get("PartOf") is None


def test_the_hardware_watchdog_is_one_that_a_pi_can_count() -> None:
    """With more than 15 s systemd says so once and goes on without."""
    assert unit(FOLDER / "watchdog.conf")["Manager"]["RuntimeWatchdogSec"] == "15s"


def test_the_systems_log_is_bounded_on_the_disk_in_memory_and_in_pace() -> None:
    """A program that floods it must not take the room of the journal and the pictures."""
    limits = unit(FOLDER / "journald.conf")["Journal"]
    assert {
        "SystemMaxUse",
        "SystemKeepFree",
        "RuntimeMaxUse",
        "RateLimitIntervalSec",
        "RateLimitBurst",
    } == set(limits)


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
    """The settings bound a tick; the station shortens it to a quarter of this in any case."""
    slowest = read_section(ServiceSettings, {"tick_ms": 5000}, "test").tick_ms
    assert float(unit()["Service"]["WatchdogSec"]) * 1000 >= 2 * slowest


@both
def test_stopping_may_take_as_long_as_the_longest_way_to_the_gate(path: Path) -> None:
    """Items under way still arrive; systemd must not cut that short."""
    longest = read_section(GateSettings, {"reject_delay_ms": 60_000, "pulse_ms": 10_000}, "test")
    assert (
        float(unit(path)["Service"]["TimeoutStopSec"]) * 1000
        > longest.reject_delay_ms + longest.pulse_ms
    )


def test_the_default_paths_are_the_folders_that_systemd_makes() -> None:
    """Under ProtectSystem=strict nothing else can be written."""
    service = unit()["Service"]
    sample = (FOLDER / "edge.toml").read_text()
    assert f"/var/log/{service['LogsDirectory']}/journal.jsonl" in sample
    assert f"/var/lib/{service['StateDirectory']}/frames" in sample
    assert (
        service["ExecStart"]
        == f"{PROGRAM} run --config /etc/{service['ConfigurationDirectory']}/edge.toml"
    )
    assert f"/run/{unit(GATE_UNIT)['Service']['RuntimeDirectory']}/gate.sock" in sample
    assert f"/var/log/{service['LogsDirectory']}/evidence" in sample


@both
def test_the_user_is_made_by_sysusers(path: Path) -> None:
    """The names in the units and in the sysusers file are the same."""
    user = unit(path)["Service"]["User"]
    assert re.search(rf"^u {user} - ", SYSUSERS, flags=re.MULTILINE)
    assert unit(path)["Service"]["Group"] == user


def test_eye_and_gate_are_two_users_and_only_one_way_into_the_others_group() -> None:
    """The eye comes to the socket by the gate's group; the gate is in none of the eye's."""
    eye, gate = unit(UNIT)["Service"], unit(GATE_UNIT)["Service"]
    assert (eye["User"], gate["User"]) == (GateSettings().eye_user, GateSettings().gate_user)
    assert eye["User"] != gate["User"]
    assert eye["SupplementaryGroups"].split() == ["video", gate["Group"]]
    assert gate["SupplementaryGroups"].split() == ["gpio"]


@both
def test_no_service_reaches_into_another_process(path: Path) -> None:
    """Neither by its user nor by a system call."""
    text = path.read_text()
    assert "SystemCallFilter=~@debug process_vm_readv process_vm_writev\n" in text
    assert unit(path)["Service"]["ProtectProc"] == "invisible"
    assert unit(path)["Service"]["CapabilityBoundingSet"] == ""


def test_the_folder_of_the_socket_is_the_gates_and_both_write_there() -> None:
    """In one place for both: tmpfiles.d makes it at boot, for an eye without a gate too."""
    gate, eye = unit(GATE_UNIT)["Service"], unit(UNIT)["Service"]
    line, releases = (
        line.split()
        for line in (FOLDER / "stampgate.tmpfiles.conf").read_text().splitlines()
        if not line.startswith("#")
    )
    folder, mode = f"/run/{gate['RuntimeDirectory']}", gate["RuntimeDirectoryMode"]
    assert line == ["d", folder, mode, gate["User"], gate["Group"], "-"]
    assert releases == ["d", "/var/lib/stampgate-releases", "0755", "root", "root", "-"]
    assert ModelSettings().releases.startswith(f"{releases[1]}/")
    assert eye["ReadWritePaths"] == f"-{folder}"  # and not the releases
    assert "RuntimeDirectory" not in eye
    for path in (GateSettings().socket, JournalSettings().status):
        assert path.startswith(f"{folder}/")


def test_each_service_has_a_state_of_its_own_and_cannot_look_into_the_others() -> None:
    """Whatever modes somebody has given the folders."""
    gate, eye = unit(GATE_UNIT)["Service"], unit(UNIT)["Service"]
    hidden = gate["InaccessiblePaths"].split()
    state = f"-/var/lib/{eye['StateDirectory']}"
    assert {f"-/var/log/{eye['LogsDirectory']}", state, f"{state}-releases"} == {*hidden}
    assert ModelSettings().state.startswith(f"/var/lib/{eye['StateDirectory']}/")
    assert eye["InaccessiblePaths"] == f"-/var/lib/{gate['StateDirectory']}"
    assert "LogsDirectory" not in gate
    assert GateSettings().debts.startswith(f"/var/lib/{gate['StateDirectory']}/")
    assert JournalSettings().mark.startswith(f"/var/lib/{eye['StateDirectory']}/")


TEMPLATES = {
    FOLDER / "stampgate-edge@.service": UNIT,
    FOLDER / "stampgate-gate@.service": GATE_UNIT,
    FOLDER / "stampgate@.target": TARGET,
    FOLDER / "stampgate-review@.service": REVIEW_UNIT,
}
"""The units of one production line of several, and those that they are made from."""
OF_A_LINE = {
    "/etc/stampgate/lines/%i.toml": "/etc/stampgate/edge.toml",
    "stampgate@%i.target": "stampgate.target",
    "stampgate-gate@%i.service": "stampgate-gate.service",
    "stampgate-edge@%i.service": "stampgate-edge.service",
    "stampgate/%i": "stampgate",
    "stampgate-gate/%i": "stampgate-gate",
    "stampgate-review/%i": "stampgate-review",
    " of line %i": "",
}
"""What of a template names the line, and what stands there in the other."""


@pytest.mark.parametrize(("template", "path"), TEMPLATES.items(), ids=lambda path: path.name)
def test_a_line_of_several_has_the_same_units_with_folders_of_its_own(
    template: Path, path: Path
) -> None:
    """Key by key, but for what names the line; the comments at the top apart."""
    text = template.read_text()
    for named, plain in OF_A_LINE.items():
        text = text.replace(named, plain)
    ours, theirs = (
        [line for line in lines.splitlines() if line and not line.startswith("#")]
        for lines in (text, path.read_text())
    )
    assert ours == theirs
    assert "%i" not in text


def test_the_folders_of_a_line_are_those_of_its_settings() -> None:
    """`stampgate-edge config --line A` names what the units make."""
    config = tomllib.loads(sample_of_line("A"))
    eye, gate = (unit(path)["Service"] for path in list(TEMPLATES)[:2])
    review = unit(FOLDER / "stampgate-review@.service")["Service"]
    made = {
        config["journal"]["file"]: f"/var/log/{eye['LogsDirectory']}/",
        config["evidence"]["folder"]: f"/var/log/{eye['LogsDirectory']}/",
        config["journal"]["mark"]: f"/var/lib/{eye['StateDirectory']}/",
        config["journal"]["status"]: f"/run/{gate['RuntimeDirectory']}/",
        config["gate"]["socket"]: f"/run/{gate['RuntimeDirectory']}/",
        config["gate"]["debts"]: f"/var/lib/{gate['StateDirectory']}/",
        config["review"]["folder"]: f"/var/lib/{review['StateDirectory']}",
    }
    assert {
        path: folder
        for path, folder in made.items()
        if not path.startswith(folder.replace("%i", "A"))
    } == {}
    assert eye["ReadWritePaths"] == f"-/run/{gate['RuntimeDirectory']}"


def test_systemd_accepts_the_units_of_two_lines(tmp_path: Path, analyze: str) -> None:
    """The targets of A and of B, side by side."""
    for source in TEMPLATES:
        text = source.read_text().replace(PROGRAM, "/bin/true").replace(CHECK, "/bin/true")
        (tmp_path / source.name).write_text(text)
    units = [f"{path.name.replace('@', f'@{name}')}" for path in TEMPLATES for name in "AB"]
    for name in units:
        (tmp_path / name).symlink_to(re.sub("@.", "@", name))
    done = subprocess.run(
        [analyze, "verify", *(tmp_path / name for name in units)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_package_has_the_units_of_a_line() -> None:
    """And restarts, stops and forgets those that somebody has enabled."""
    scripts = {name: (ROOT / "packaging" / name).read_text() for name in ("postinst", "prerm")}
    build = (ROOT / "packaging" / "build-deb").read_text()
    assert "systemd/stampgate-{edge,gate,review}@.service" in build
    assert "systemd/stampgate@.target" in build
    for text in scripts.values():
        assert "'stampgate-gate@*.service'" in text
        assert "'stampgate-edge@*.service'" in text
        assert "'stampgate-review@*.service'" in text


EXPORTER = FOLDER / "stampgate-exporter@.service"


@pytest.mark.parametrize("name", ["prometheus", "mqtt", "modbus", "A-mqtt"])
def test_systemd_accepts_the_unit_of_an_exporter(tmp_path: Path, analyze: str, name: str) -> None:
    """Of each kind, and of one line of several; its command takes that name."""
    (tmp_path / EXPORTER.name).write_text(EXPORTER.read_text().replace(PROGRAM, "/bin/true"))
    instance = tmp_path / EXPORTER.name.replace("@", f"@{name}")
    instance.symlink_to(EXPORTER.name)
    done = subprocess.run(
        [analyze, "verify", instance], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    asked = ["exporter", name]
    kind, line = make_parser(BOX, asked).parse_args(asked).kind
    assert (kind, line) == (name.removeprefix("A-"), "A" if name == "A-mqtt" else "")


def test_little_is_left_that_an_exporter_could_do_to_the_box(analyze: str) -> None:
    """It has the network; all else is as far away as from eye and gate."""
    command = [analyze, "security", "--offline=true", "--no-pager", str(EXPORTER)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    assert float(found[1]) <= EXPOSURE_AT_MOST_WITH_NETWORK


def test_an_exporter_reads_the_journal_gives_way_and_is_started_again() -> None:
    """By the eye's group, which may write nothing there; with wrong settings it stays down."""
    service, eye = unit(EXPORTER)["Service"], unit(UNIT)["Service"]
    assert service["SupplementaryGroups"] == eye["Group"]
    assert int(eye["LogsDirectoryMode"], 8) & 0o070 == 0o050
    assert (service["CPUSchedulingPolicy"], service["IOSchedulingClass"]) == ("idle", "idle")
    assert (service["Restart"], int(service["RestartPreventExitStatus"])) == (
        "always",
        ConfigError.exit_code,
    )
    assert re.search(rf"^u {service['User']} - ", SYSUSERS, flags=re.MULTILINE)
    assert "PartOf" not in unit(EXPORTER)["Unit"]


def test_the_package_has_the_unit_of_the_exporters() -> None:
    """And restarts, stops and forgets those that somebody has enabled."""
    for name in ("build-deb", "postinst", "prerm", "postrm"):
        assert "stampgate-exporter@" in (ROOT / "packaging" / name).read_text()


REPORT, TIMER = FOLDER / "stampgate-report.service", FOLDER / "stampgate-report.timer"


def test_a_report_is_written_behind_everything_and_reaches_nothing(analyze: str) -> None:
    """A user's own folder, no network, no device, and less than the services in every queue."""
    service = unit(REPORT)["Service"]
    assert service["Type"] == "oneshot"
    assert (service["Nice"], service["CPUSchedulingPolicy"], service["CPUWeight"]) == (
        "19",
        "idle",
        "1",
    )
    assert service["ProtectSystem"] == "strict"
    assert "ReadWritePaths" not in service
    assert service["StateDirectory"] == "stampgate/reports"
    command = [analyze, "security", "--offline=true", "--no-pager", str(REPORT)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    assert float(found[1]) <= EXPOSURE_AT_MOST


def test_systemd_accepts_the_timer_and_that_of_a_line(tmp_path: Path, analyze: str) -> None:
    """They are alike but for the line's name, and the package brings, stops and removes them."""
    texts = {
        name: (FOLDER / name).read_text().replace(PROGRAM, "/bin/true")
        for name in (
            f"stampgate-report{at}.{kind}" for at in ("", "@") for kind in ("service", "timer")
        )
    }
    for name, text in texts.items():
        (tmp_path / name.replace("@", "@A")).write_text(text.replace("%i", "A"))
    copies = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run([analyze, "verify", *copies], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    of_line = unit(FOLDER / "stampgate-report@.service")["Service"]
    single = unit(REPORT)["Service"]
    same = ("ExecStart", "StateDirectory", "WorkingDirectory")
    assert [of_line[key] for key in of_line if key not in same] == [
        single[key] for key in single if key not in same
    ]
    packaging = ROOT / "packaging"
    assert "systemd/stampgate-report{,@}.{service,timer}" in (packaging / "build-deb").read_text()
    for script in ("prerm", "postrm"):
        assert "stampgate-report.timer" in (packaging / script).read_text()
