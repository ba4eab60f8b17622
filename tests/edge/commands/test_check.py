"""The self-test on real files, processes and sockets; GPIO chips, sysfs and systemctl are fakes."""

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpiod
import numpy as np
import pytest
from gpiod.line import Value

from edge.__main__ import main
from edge.commands import check
from edge.config import DEFAULT_MODEL, Config
from edge.errors import GateError
from edge.gate.lines.gpiochip import EVENTS_KEPT
from edge.record import volatile
from edge.record.volatile import volatile_storage
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.service import ServiceSettings
from edge.selftest import CheckResult, box, run_check, sight, wires
from edge.vision.proof_summary import PROOF_KEY
from export.sealing import seal
from tests.disk import journal, small_file_system
from tests.edge.camera.test_v4l2 import EXPOSURE, HEIGHT, WIDTH, Kernel, plugged_in, wishes
from tests.gate_rig import Rig, rig_settings, swept
from tests.tiny_model import CONTRACT, build, golden_pictures, paint, save, write_tiny_model

SETTINGS = """\
[camera]
folder = "frames"
pictures_per_second = 0.0
loop = true
# Drawings, which have neither noise nor print.
allow_repeats = true
covered_below = 0.0
[imaging]
soft_below = 0.0
dark_below = 0.0
reference = "reference.json"
[gate]
socket = "gate.sock"
reject_delay_ms = 60000.0
[model]
file = "model.onnx"
[journal]
file = "journal.jsonl"
patience_ms = 10000.0
status = ""
[evidence]
folder = "evidence"
keep_free_mb = 0
"""
Run = Callable[..., tuple[int, list[str]]]
States = list[tuple[str, str]]
GATE_HOLDS_THE_LINES = (
    "not tried: the gate runs and holds the lines; stop the line and stampgate-gate.service first"
)


@pytest.fixture(autouse=True)
def _on_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary folders count as a disk, also where they lie in memory."""
    monkeypatch.setattr(box, "volatile_storage", lambda *_: "")


@pytest.fixture
def edge_toml(tmp_path: Path) -> Path:
    """A box that is well: pictures, a model that knows dots, room on the disk."""
    (tmp_path / "frames").mkdir()
    save(tmp_path / "frames" / "good.png", paint({"dot": [(16, 24)]}))
    save(tmp_path / "frames" / "bad.png", paint({}))
    write_tiny_model(tmp_path / "model.onnx")
    (tmp_path / "edge.toml").write_text(SETTINGS)
    return tmp_path / "edge.toml"


@pytest.fixture
def run(edge_toml: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on that box, with some settings replaced; returns exit status and lines."""

    def go(*arguments: str, **replaced: str) -> tuple[int, list[str]]:
        text = edge_toml.read_text()
        for key, line in replaced.items():
            text = "\n".join(
                line if old.startswith(f"{key} = ") else old for old in text.splitlines()
            )
        edge_toml.write_text(text)
        status = main(["check", "--config", str(edge_toml), "--frames", "3", *arguments])
        return status, capsys.readouterr().out.splitlines()

    return go


def states(seen: Any) -> States:
    """Return the results of a check without their words."""
    return [(one.state, one.name) for one in seen]


def line(lines: list[str], what: str) -> str:
    """The one line on *what*."""
    (found,) = [text for text in lines if text[5:].startswith(what)]
    return found


def test_a_box_that_is_well_is_told_line_by_line_and_exits_0(run: Run, edge_toml: Path) -> None:
    """In the order of the way of an item; nothing is left behind on the disk."""
    before = sorted(edge_toml.parent.iterdir())
    frames = edge_toml.parent / "frames"
    status, lines = run(
        "--picture", f"{frames / 'good.png'}=pass", "--picture", f"{frames / 'bad.png'}=reject"
    )
    assert status == 0
    whats = "settings, camera, pictures, light, focus, brightness, shake, verdicts, model, proof"
    seen = [" ".join(text[:22].split()) for text in lines]
    assert seen[7] == "WARN reference"
    assert [*seen[:7], *seen[8:13]] == [
        f"ok {what}" for what in [*whats.split(", "), "latency", "timing"]
    ]
    assert "3 fresh ones of 64 x 64, " in line(lines, "pictures")
    assert "2 of 2 known pictures" in line(lines, "verdicts")
    assert "finds dot from 0.50 on, 64 x 64" in line(lines, "model ")
    assert "none travels in the model file" in line(lines, "proof ")
    assert not [text for text in lines if text.startswith("FAIL")]
    assert lines[-1] == "nothing to put right"
    assert sorted(edge_toml.parent.iterdir()) == before


@pytest.fixture
def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """A USB camera whose picture has something on it, brighter with more exposure."""
    kernel = plugged_in(tmp_path / "video0", monkeypatch)
    rows = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)

    def send(number: int) -> tuple[bytes, int]:
        bright = min(200, kernel.controls[EXPOSURE][3] * 3)
        pixels = np.full((HEIGHT, WIDTH, 2), 128, np.uint8)
        pixels[:, :, 0] = 16 + (rows * 7 + number) % 20 * bright // 20
        return pixels.tobytes(), 0

    kernel.send = send
    return kernel


def usb_camera(kernel: Kernel, **changed: Any) -> list[CheckResult]:
    """Run the check of that camera."""
    wish = {"gain": 30.0, "covered_below": 0.0, "frames_per_second": 25.0} | changed
    config = Config(camera=wishes(kernel, **wish))
    return list(sight.camera(config, kernel.clock, 5))


@pytest.mark.parametrize(
    ("in_view_ms", "state", "said"),
    [
        (0.0, "ok", "must stay in view for 50 ms after its trigger"),
        (60.0, "ok", "and does for 60"),
        (45.0, "WARN", "not 45: items will be a FAULT"),
    ],
)
def test_how_long_an_item_must_stay_in_view_is_measured(
    usb: Kernel, in_view_ms: float, state: str, said: str
) -> None:
    """A period of 40 ms, and 10 by which the time stamp is unsure."""
    found = {one.name: one for one in usb_camera(usb, in_view_ms=in_view_ms)}
    assert (found["pictures"].state, found["in view"].state) == ("ok", state), found
    assert said in found["in view"].text


def test_an_exposure_that_the_picture_does_not_answer_to_is_a_warning(usb: Kernel) -> None:
    """The camera says that it keeps it, and the light on the picture stays the same."""
    assert ("ok", "exposure") in states(usb_camera(usb))
    assert usb.controls[EXPOSURE][3] == 50
    usb.send = lambda number: (bytes((16 + number % 11 * 20, 128)) * (WIDTH * HEIGHT), 0)
    (found,) = [one for one in usb_camera(usb, black_below=0.0) if one.name == "exposure"]
    assert found.state == "WARN"
    assert "does not answer to a change of it" in found.text


def test_a_known_picture_judged_wrongly_fails_by_its_name(run: Run, edge_toml: Path) -> None:
    """With the figure, and the next step."""
    status, lines = run("--picture", f"{edge_toml.parent / 'frames' / 'bad.png'}=pass")
    assert status == 1
    assert "bad.png must be pass, not reject (no dot found); check [model] file" in line(
        lines, "verdicts"
    )
    assert lines[-1] == "1 to put right"


def test_a_runtime_that_dies_on_this_processor_is_a_line_and_not_a_crash(
    run: Run, edge_toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGILL, as onnxruntime 1.21 does on a Raspberry Pi 4."""
    dying = edge_toml.parent / "python"
    dying.write_text("#!/bin/sh\nkill -ILL $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    status, lines = run("--picture", f"{edge_toml.parent / 'frames' / 'bad.png'}=reject")
    assert status == 1
    assert "onnxruntime was ended by SIGILL on this processor" in line(lines, "model")


def test_a_foreign_model_is_a_line_and_the_other_looks_go_on(run: Run, edge_toml: Path) -> None:
    """What is wrong is the model's; camera and disk are told all the same."""
    (edge_toml.parent / "model.onnx").write_bytes(b"no model")
    status, lines = run()
    assert status == 1
    assert line(lines, "model").startswith("FAIL model ")
    assert [line(lines, what)[:4].strip() for what in ("pictures", "journal disk")] == ["ok", "ok"]


def test_without_a_known_picture_the_technician_is_asked_for_one(run: Run) -> None:
    """A model of one's own comes without samples."""
    assert "name one of each kind: --picture good.jpg=pass" in line(run()[1], "verdicts")


def test_the_packaged_model_is_tried_on_packaged_pictures(run: Run) -> None:
    """One with the seal, one without."""
    status, lines = run(file='file = "default"')
    assert "2 of 2 known pictures judged as they should be" in line(lines, "verdicts")
    assert (status, "finds qc-tested" in line(lines, "model ")) == (0, True)


def test_every_look_slower_than_the_way_to_the_gate_fails(run: Run) -> None:
    """All answers would be late."""
    status, lines = run(reject_delay_ms="reject_delay_ms = 0.001")
    assert status == 1
    assert "must be below [gate] reject_delay_ms 0.001: all would be late" in line(lines, "latency")


def test_a_picture_that_would_be_a_fault_fails_by_its_name(run: Run, edge_toml: Path) -> None:
    """A lens cap on the camera."""
    black = paint({})
    black[:] = 3
    for name in ("good.png", "bad.png"):
        save(edge_toml.parent / "frames" / name, black)
    status, lines = run()
    assert status == 1
    assert "3 would be a FAULT: black picture" in line(lines, "pictures")
    assert "brightest 3 (at least 16)" in line(lines, "light")


@pytest.mark.parametrize(("side", "said"), [(64, "ok   region"), (65, "FAIL region")])
def test_the_region_must_lie_in_the_picture(
    run: Run, edge_toml: Path, side: int, said: str
) -> None:
    """A picture that does not hold it would make every item a FAULT."""
    region = f"[decision]\nregion = [[0, 0], [{side}, 0], [{side}, 40], [0, 40]]\n"
    edge_toml.write_text(edge_toml.read_text() + region)
    _, lines = run()
    assert [line for line in lines if said in line]


def test_a_camera_that_is_not_there_fails(run: Run) -> None:
    """One line, with its next step; the model is checked all the same."""
    status, lines = run(folder='folder = "nowhere"')
    assert status == 1
    assert line(lines, "camera").startswith("FAIL camera ")
    assert line(lines, "model").startswith("ok   model ")


def test_wrong_settings_are_the_only_line(run: Run) -> None:
    """Nothing else can be checked."""
    status, lines = run(pictures_per_second="pictures_per_second = -1")
    assert status == 1
    assert lines[0].startswith("FAIL settings ")
    assert "[camera] pictures_per_second must be" in lines[0]
    assert len(lines) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--frames", "0"],
        ["--picture", "x"],
        ["--picture", "nobody.png=pass"],
        ["--loop-back", "a"],
        ["--loop-back", "a=a"],
    ],
)
def test_a_wrong_call_is_refused(run: Run, arguments: list[str]) -> None:
    """Before anything is touched."""
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)


def test_while_the_service_runs_its_camera_is_left_alone(run: Run, edge_toml: Path) -> None:
    """A camera gives its pictures to one process; a folder to any."""
    with journal(edge_toml.parent / "journal.jsonl"):
        status, lines = run(allow_repeats='allow_repeats = true\ndriver = "v4l2"')
        assert status == 0
        assert line(lines, "camera").startswith(
            "WARN camera            not tried: the service has it; stop the line"
        )
        assert not [text for text in lines if "pictures" in text[5:22]]
    assert run()[0] == 1  # there is no such camera here


def test_whatever_nobody_foresaw_is_a_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and the other checks go on."""

    def broken(*_: object) -> Any:
        yield CheckResult("ok", "lines", "so far")
        raise ZeroDivisionError("oh")

    assert [str(seen)[:60] for seen in run_check("lines", broken())] == [
        "ok   lines             so far",
        "FAIL lines             not foreseen: ZeroDivisionError: oh; ",
    ]


# Disk


def settings(folder: Path, **evidence: Any) -> Config:
    """Settings of a journal and evidence in *folder*."""
    kept = EvidenceSettings(folder="evidence", **{"keep_free_mb": 0, **evidence})
    return Config(
        journal=JournalSettings(file="journal.jsonl", patience_ms=10_000.0),
        evidence=kept,
        folder=folder,
    )


def test_a_read_only_disk_fails(tmp_path: Path) -> None:
    """A real file system."""
    with small_file_system(tmp_path / "small") as disk:
        assert states(box.disk(settings(disk))) == [("ok", "journal disk"), ("ok", "evidence disk")]
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        seen = list(box.disk(settings(disk)))
    assert states(seen) == [("FAIL", "journal disk"), ("FAIL", "evidence disk")]
    assert (
        "cannot be written (Read-only file system); make room or permission there" in seen[0].text
    )


def test_a_journal_in_memory_fails_and_pictures_there_are_warned_of(
    run: Run, monkeypatch: pytest.MonkeyPatch, edge_toml: Path
) -> None:
    """A record there is written at once, and gone with the power."""
    monkeypatch.setattr(box, "volatile_storage", lambda *_: "/x is memory (tmpfs)")
    status, lines = run()
    assert status == 1
    assert line(lines, "journal disk") == (
        f"FAIL journal disk      {edge_toml.parent}: /x is memory (tmpfs): the journal is lost "
        "with the power; name a disk in [journal] file"
    )
    assert line(lines, "evidence disk").startswith("WARN")


def test_the_service_says_at_its_start_that_its_journal_is_in_memory(
    edge_toml: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And runs: whoever keeps it there must know, and the belt must not stand for it."""
    monkeypatch.setattr(volatile, "volatile_storage", lambda *_: "/x is memory (tmpfs)")
    text = edge_toml.read_text().replace("loop = true", "loop = false")
    edge_toml.write_text(text.replace("60000.0", "10.0"))
    assert main(["run", "--config", str(edge_toml)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith(
        "/x is memory (tmpfs): the journal is lost with the power; name a disk in [journal] file, "
        "and see 'stampgate-edge check'"
    )


def test_a_real_file_system_in_memory_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the kernel's own mount table."""
    monkeypatch.setattr(box, "volatile_storage", volatile_storage)
    with small_file_system(tmp_path / "small") as disk:
        seen = list(box.disk(settings(disk)))
    assert states(seen) == [("FAIL", "journal disk"), ("WARN", "evidence disk")]
    assert f"{tmp_path / 'small'} is memory (tmpfs)" in seen[0].text


def test_a_folder_that_is_not_there_fails_for_the_journal_and_not_for_evidence(
    tmp_path: Path,
) -> None:
    """The service makes the evidence's folder and not the journal's."""
    config = Config(
        journal=JournalSettings(file="no/journal.jsonl"),
        evidence=EvidenceSettings(folder="e/f"),
        folder=tmp_path,
    )
    journals, pictures = box.disk(config)
    assert journals.state == "FAIL"
    assert pictures.text.startswith(f"{tmp_path}: ")


def test_a_disk_without_room_for_pictures_and_a_slow_one_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the figure and the setting it is measured by."""
    assert (
        "no pictures are kept below [evidence] keep_free_mb 10000000"
        in list(box.disk(settings(tmp_path, keep_free_mb=10_000_000)))[1].text
    )
    monkeypatch.setattr(box, "WRITES", 2)
    monkeypatch.setattr(os, "fdatasync", lambda _: time.sleep(0.02))
    slow = Config(
        journal=JournalSettings(file="j", patience_ms=10.0),
        evidence=EvidenceSettings(folder=""),
        folder=tmp_path,
    )
    (seen,) = box.disk(slow)
    assert seen.state == "WARN"
    assert "above [journal] patience_ms 10 records wait in memory" in seen.text


# Clock, watchdogs, power


@pytest.mark.parametrize(("synced", "state"), [(True, "ok"), (False, "WARN"), (None, "WARN")])
def test_a_clock_that_is_not_synchronised_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, synced: bool | None, state: str
) -> None:
    """The monotonic one is what counts."""
    monkeypatch.setattr(box, "clock_synced", lambda: synced)
    assert states(box.clock()) == [("ok", "clock"), (state, "wall clock")]


def systemd(root: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    """Let systemd run in *root*, and systemctl say *says*."""
    (root / "run/systemd/system").mkdir(parents=True)
    (root / "bin").mkdir()
    (root / "bin/systemctl").write_text(f"#!/bin/sh\nprintf '{says}'\n")
    (root / "bin/systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{root / 'bin'}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("says", "state", "words"),
    [
        (
            "LoadState=loaded\\nActiveState=active\\nWatchdogUSec=10s\\n",
            "ok",
            "watchdog 10s, active",
        ),
        (
            "LoadState=loaded\\nActiveState=active\\nWatchdogUSec=0\\n",
            "FAIL",
            "must have one: set WatchdogSec=10",
        ),
        ("LoadState=not-found\\n", "FAIL", "is not-found; install it"),
        ("", "FAIL", "systemd does not answer this user; try again with sudo"),
    ],
)
def test_a_unit_must_be_there_with_a_watchdog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, state: str, words: str
) -> None:
    """As systemctl says; the gate's unit only where there is one."""
    systemd(tmp_path, monkeypatch, says)
    both = list(box.watchdog(Config(gate=GateSettings(driver="process")), tmp_path))
    assert [(seen.state, words in seen.text) for seen in both[:2]] == [(state, True)] * 2
    assert [seen.text.split(":")[0] for seen in both[:2]] == [
        "stampgate-edge.service",
        "stampgate-gate.service",
    ]
    assert len(list(box.watchdog(Config(), tmp_path))) == 2


@pytest.mark.parametrize(
    ("state", "expected", "words"),
    [
        ("active", "ok", "Broadcom BCM2835 Watchdog timer: resets the box after 15 s"),
        (
            "inactive",
            "WARN",
            "is not running, so a kernel that hangs stays so; set RuntimeWatchdogSec=15",
        ),
        (None, "WARN", "none here"),
    ],
)
def test_the_hardware_watchdog_must_run(
    tmp_path: Path, state: str | None, expected: str, words: str
) -> None:
    """A time above what the chip grants leaves it standing, and systemd goes on without a word."""
    if state is not None:
        folder = tmp_path / "sys/class/watchdog/watchdog0"
        folder.mkdir(parents=True)
        for name, text in {
            "state": state,
            "identity": "Broadcom BCM2835 Watchdog timer",
            "timeout": "15",
        }.items():
            (folder / name).write_text(f"{text}\n")
    nobody, seen = box.watchdog(Config(), tmp_path)
    assert "systemd does not run here" in nobody.text
    assert (seen.state, words in seen.text) == (expected, True)


@pytest.mark.parametrize(
    ("degrees", "bits", "expected"),
    [
        ("48200", "0", ["ok 48.2 degrees", "ok throttled: never"]),
        (
            "81000",
            "50000",
            ["WARN 81.0 degrees", "WARN throttled: before: undervoltage, throttled"],
        ),
        ("60000", "50001", ["ok 60.0 degrees", "FAIL throttled: undervoltage now"]),
    ],
)
def test_heat_and_undervoltage_are_told(
    tmp_path: Path, degrees: str, bits: str, expected: list[str]
) -> None:
    """Undervoltage now fails; what has been is warned of."""
    for name, text in {
        "sys/class/thermal/thermal_zone0/temp": degrees,
        "sys/devices/platform/soc/soc:firmware/get_throttled": bits,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    seen = list(box.power(tmp_path))
    assert all(
        f"{one.state} {one.text}".startswith(words)
        for one, words in zip(seen, expected, strict=True)
    )


def test_a_box_that_shows_neither_is_no_trouble(tmp_path: Path) -> None:
    """Most desks do not."""
    assert states(box.power(tmp_path)) == [("ok", "temperature"), ("ok", "power")]


# Lines


class Chip:
    """A fake GPIO chip of six lines.

    *held*: the holder of each line; *wires*: the output that an input follows, and whether it is
    inverted; *driven*: every level driven, in order.
    """

    names = ("EYE", "BIN", "REJECT", "READY", "TWIN", "TWIN")
    wires: dict[int, tuple[int, bool]]
    held: dict[int, str]
    levels: dict[int, int]
    driven: list[tuple[int, int]]

    def __init__(self, _path: str) -> None:
        pass

    def __enter__(self) -> "Chip":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_info(self) -> Any:
        return SimpleNamespace(label="chip", num_lines=len(self.names))

    def get_line_info(self, offset: int) -> Any:
        return SimpleNamespace(
            name=self.names[offset], used=offset in self.held, consumer=self.held.get(offset, "")
        )

    def request_lines(self, config: Any, *, consumer: str) -> Any:
        (offset,) = config
        if offset in self.held:
            raise OSError(16, "Device or resource busy")
        return SimpleNamespace(set_value=self.drive, get_value=self.level, release=lambda: None)

    def drive(self, offset: int, value: Value) -> None:
        self.levels[offset] = int(value is Value.ACTIVE)
        self.driven.append((offset, self.levels[offset]))

    def level(self, offset: int) -> Value:
        source, turned = self.wires.get(offset, (-1, False))
        return Value.ACTIVE if self.levels.get(source, 0) != turned else Value.INACTIVE


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like /dev with that chip."""
    (tmp_path / "gpiochip0").touch()
    Chip.wires, Chip.held, Chip.levels, Chip.driven = {}, {}, {}, []
    monkeypatch.setattr(gpiod, "Chip", Chip)
    monkeypatch.setattr(gpiod, "is_gpiochip_device", lambda _: True)
    monkeypatch.setattr(wires, "SETTLED_S", 0.01)
    monkeypatch.setattr(wires, "DEVICES", tmp_path)
    return tmp_path


def wired_box(**names: Any) -> Config:
    """A box with a photo-eye and a reject line."""
    return Config(
        lines=LinesSettings(driver="gpiod", **{"trigger": "EYE", "reject": "REJECT", **names})
    )


def test_each_line_is_found_by_name_with_its_holder_and_none_is_driven(devices: Path) -> None:
    """Free, held by the gate, held by somebody else, not there, there twice."""
    Chip.held = {2: "stampgate-gate", 3: "lirc"}
    config = wired_box(ready="READY", confirm="NOBODY", reset="TWIN")
    seen = {one.name: (one.state, one.text) for one in wires.lines(config, devices)}
    assert seen == {
        "line trigger": ("ok", "EYE is line 0 of chip, free"),
        "line confirm": ("FAIL", "NOBODY: must be the name of one line, not of 0; see gpioinfo"),
        "line reset": ("FAIL", "TWIN: must be the name of one line, not of 2; see gpioinfo"),
        "line reject": ("ok", "REJECT is line 2 of chip, held by the gate"),
        "line ready": (
            "FAIL",
            "READY is line 3 of chip, held by lirc; end that, or use another line",
        ),
        "edge buffer": (
            "ok",
            f"the kernel keeps {EVENTS_KEPT} edges of all inputs together while {BUSY}",
        ),
    }
    assert Chip.driven == []


BUSY = "the gate is busy; beyond that all that passed is rejected"


@pytest.mark.parametrize(("tracks", "counts"), [(["encoder_a"], 512), (["encoder_b"], 256)])
def test_the_kernels_buffer_is_told_in_counts_of_the_encoder(
    devices: Path, tracks: list[str], counts: int
) -> None:
    """A count has two edges with one track, four with two."""
    names = {"encoder_a": "BIN"} | dict.fromkeys(tracks, "READY")
    (told,) = (one for one in wires.lines(wired_box(**names), devices) if one.name == "edge buffer")
    assert f"while the gate is busy, {counts} counts of the encoder; beyond" in told.text


def test_a_chip_that_cannot_be_looked_at_is_a_failure_only_where_lines_are_missing(
    devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A USB expander that may not be opened; then one with the line that is asked for."""

    def refuse(self: Chip, path: str) -> None:
        if path.endswith("gpiochip1"):
            raise PermissionError(13, "Permission denied")

    (devices / "gpiochip1").touch()
    monkeypatch.setattr(Chip, "__init__", refuse)
    why = f"{devices}/gpiochip1: cannot be opened (Permission denied); the gate's user must be"
    for names, state in (({}, "WARN"), ({"confirm": "NOBODY"}, "FAIL")):
        (told,) = (one for one in wires.lines(wired_box(**names), devices) if one.name == "chip")
        assert (told.state, told.text[: len(why)]) == (state, why)
    assert states(wires.loop_back(wired_box(), ("READY", "BIN"), devices))[0][1] == "loop-back"
    with pytest.raises(GateError, match="gpiochip1: cannot be opened"):
        list(wires.loop_back(wired_box(), ("READY", "NOBODY"), devices))


@pytest.mark.parametrize(
    ("wire", "state", "words"),
    [
        ({0: (2, False)}, "ok", "reject to trigger: low and high arrive"),
        ({}, "FAIL", "high does not arrive; check the wire"),
        ({0: (-1, True)}, "FAIL", "low does not arrive; check the wire"),
        (
            {0: (2, True)},
            "FAIL",
            "neither low nor high arrives; list one of them in [lines] active_low",
        ),
    ],
)
def test_a_loop_back_wire_must_carry_low_and_high(
    devices: Path, wire: dict[int, tuple[int, bool]], state: str, words: str
) -> None:
    """A good wire, a broken, a stuck and an inverted one; the output is left at rest."""
    Chip.wires = wire
    (seen,) = wires.loop_back(wired_box(), ("reject", "trigger"), devices)
    assert (seen.state, words in seen.text) == (state, True)
    assert Chip.driven == [(2, level) for level in (*wires.LEVELS, 0)]


@pytest.mark.parametrize("end", ["reject", wired_box().lines.reject])
def test_in_shadow_no_loop_back_moves_the_reject_line(devices: Path, end: str) -> None:
    """By its role or its name; any other output may be tried, and the mode is told."""
    shadow = dataclasses.replace(wired_box(), service=ServiceSettings(mode="shadow"))
    (seen,) = run_check("loop-back", wires.loop_back(shadow, (end, "trigger"), devices))
    assert (seen.state, "must not move reject in shadow" in seen.text) == ("FAIL", True)
    assert Chip.driven == []
    Chip.wires = {1: (3, False)}
    assert states(wires.loop_back(shadow, ("READY", "BIN"), devices)) == [("ok", "loop-back")]
    (told,) = wires.mode(shadow)
    assert told.text.startswith("shadow: the gate locks reject off")
    assert list(wires.mode(wired_box())) == []


def test_a_loop_back_may_name_the_chips_own_lines(devices: Path) -> None:
    """Spare ones, that [lines] does not use."""
    Chip.wires = {1: (3, False)}
    assert states(wires.loop_back(wired_box(), ("READY", "BIN"), devices)) == [("ok", "loop-back")]


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (("reject", "NOBODY"), "loop-back NOBODY: must be the name of one line, not of 0"),
        (
            ("reject", "trigger"),
            "loop-back reject: the kernel does not give the line (Device or resource busy)",
        ),
    ],
)
def test_a_line_that_is_held_or_not_there_is_not_moved(
    devices: Path, wire: tuple[str, str], words: str
) -> None:
    """One line says which."""
    Chip.held = {2: "stampgate-gate"}
    (seen,) = run_check("loop-back", wires.loop_back(wired_box(), wire, devices))
    assert (seen.state, words in seen.text) == ("FAIL", True)
    assert Chip.driven == []


def test_the_reject_output_of_a_running_gate_is_never_touched(
    tmp_path: Path, devices: Path
) -> None:
    """A real gate on its socket: refused by name, and the gate hears nothing of it."""
    config = rig_settings(tmp_path)
    with Rig(config) as rig:
        swept(tmp_path)
        (seen,) = check.loop_back(config, ("reject", "trigger"))
        assert seen.state == "FAIL"
        assert seen.text == GATE_HOLDS_THE_LINES
        assert (rig.keeper.counters.refused, rig.keeper.counters.malformed) == (0, 0)
    assert Chip.driven == []
    assert not check.gate_runs(config)


def test_without_wires_there_is_nothing_to_loop(tmp_path: Path) -> None:
    """A box whose lines are simulated."""
    assert states(wires.lines(Config())) == [("ok", "lines")]
    (seen,) = run_check("loop-back", wires.loop_back(Config(), ("reject", "trigger")))
    assert seen.text == 'a loop-back needs [lines] driver "gpiod"; set it there'


@pytest.mark.parametrize(("says", "state"), [("Y", "FAIL"), ("N", "ok")])
def test_a_kernel_that_keeps_a_dead_processes_output_fails(
    tmp_path: Path, says: str, state: str
) -> None:
    """A Raspberry Pi's does unless told otherwise: the reject line would stay as it was."""
    file = tmp_path / "sys/module/pinctrl_rp1/parameters/persist_gpio_outputs"
    file.parent.mkdir(parents=True)
    file.write_text(f"{says}\n")
    assert states(wires.released(wired_box(), tmp_path)) == [(state, "lines released")]
    assert list(wires.released(Config(), tmp_path)) == []


def test_the_packaged_pictures_it_is_tried_on_are_there() -> None:
    """By the names in the source."""
    assert all((DEFAULT_MODEL.parent / "samples" / name).is_file() for name in sight.SAMPLES)


def test_settings_that_go_beyond_what_was_proven_are_told(
    run: Run, edge_toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A higher least score rejects more stamped items than the proof says."""
    monkeypatch.setattr("edge.vision.localizer.proof_line", lambda *_: "desk: shown (study 1)")
    path = edge_toml.parent / "model.onnx"
    texts = {PROOF_KEY: "{}"}
    path.write_bytes(seal(build(CONTRACT), CONTRACT, golden_pictures(CONTRACT), texts))
    _, lines = run()
    assert line(lines, "proof ").endswith("desk: shown (study 1)")
    edge_toml.write_text(edge_toml.read_text() + "\n[decision]\nmin_score = 0.8\n")
    _, lines = run()
    said = "desk: shown (study 1); [decision] min_score 0.8 rejects more than that"
    assert line(lines, "proof ").endswith(said)
