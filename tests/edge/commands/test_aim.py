"""``stampgate-edge aim`` and ``snapshot`` as they are called."""

import json
import re
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

import pytest

from edge.__main__ import main
from edge.aiming.terminal import TerminalLine
from edge.aiming.view import View
from edge.clock import MonotonicClock
from edge.commands.aim import HOST
from edge.config import load_config
from edge.record.journal import Journal
from edge.vision.picture_files import read_picture
from tests.chromium import Page, browser
from tests.edge.aiming.aim_rig import SIDE, Aimed, aimed, box_in
from tests.programs import Program, eventually

AIM = (sys.executable, "-m", "edge", "aim")


@pytest.mark.parametrize("command", [["aim"], ["aim", "--terminal"], ["snapshot"]])
def test_while_the_service_runs_the_camera_is_its_own(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the next step, and nothing is opened or written."""
    path = box_in(tmp_path)
    with Journal(tmp_path / "journal.jsonl", MonotonicClock()):
        before = sorted(tmp_path.iterdir())
        assert main([*command, "--config", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        "the service runs and has the camera; stop the line and its stampgate-edge.service" in line
    )
    assert sorted(tmp_path.iterdir()) == before


def test_aim_ends_cleanly_on_ctrl_c(tmp_path: Path) -> None:
    """Status 0 and not a word of complaint; the camera's process is gone, and its page with it."""
    with Program(*AIM, "--config", box_in(tmp_path), "--port", "0") as program:
        program.hear("Ctrl-C ends")
        with urlopen(program.out.split()[1]) as page:
            assert b"Aim the camera" in page.read()
        program.send(signal.SIGINT)
        ended = program.ended()
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_terminal_ends_cleanly_on_a_signal(
    tmp_path: Path,
    number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 0, after a line with all figures; the handlers found before are back."""
    show, before = TerminalLine.show, signal.getsignal(number)

    def show_and_end(line: TerminalLine, view: View) -> None:
        show(line, view)
        signal.raise_signal(number)

    monkeypatch.setattr(TerminalLine, "show", show_and_end)
    assert main(["aim", "--terminal", "--config", str(box_in(tmp_path))]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert re.match(r"focus \d+, best \d+ \(100%\) \| light \d+, dark \d", line), line
    assert "PASS: dot found | dot 0.94, 24 network px" in line
    assert signal.getsignal(number) is before


def test_a_port_that_is_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the option that helps."""
    with aimed(box_in(tmp_path)) as box:
        port = str(box.server.server_port)
        assert main(["aim", "--config", str(box.path), "--port", port]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{HOST} port {port}: cannot be listened on (Address already in use)" in line


def test_a_model_that_does_not_work_leaves_the_camera_to_be_aimed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lens is often set before the model is there."""
    path = box_in(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no model")
    assert main(["snapshot", "--config", str(path), "--out", str(tmp_path / "one.png")]) == 0
    assert "snapshot: marks are not looked for: " in capsys.readouterr().err
    about = json.loads((tmp_path / "one.json").read_text())
    assert about["model"] is None
    assert about["figures"]["focus"] > 0


def test_a_snapshot_is_what_the_camera_gave_with_all_about_it(tmp_path: Path) -> None:
    """Without loss; its time has a zone, and its metadata name model, settings and marks."""
    path, folder = box_in(tmp_path), tmp_path / "snapshots"
    for _ in range(2):
        assert main(["snapshot", "--config", str(path), "--out", str(folder)]) == 0
    pictures = sorted(folder.glob("snapshot-*.png"))
    assert len(pictures) == len(list(folder.glob("snapshot-*.json"))) == 2, "none is written over"
    frame = read_picture(tmp_path / "frames" / "good.png")
    assert (read_picture(pictures[0]) == frame).all()
    about = json.loads(pictures[0].with_suffix(".json").read_text())
    assert datetime.fromisoformat(about["time"]).tzinfo is not None
    assert about["settings_sha256"] == load_config(path).checksum()
    assert (about["verdict"], about["width"], about["picture"]) == ("pass", SIDE, "good.png")
    assert about["marks"][0]["label"] == "dot"
    assert len(about["model"]["sha256"]) == 64
    assert (about["model"]["sizes"], about["model"]["mark_px"]) == ("not stated", [])
    assert about["camera"]["folder"] == "frames"
    assert about["figures"]["shake_px"] == 0.0


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("one.jpg", 2, "must end with .png"),
        ("edge.toml", 2, "must end with .png"),
        ("frames/good.png", 1, "is there already and stays"),
        ("model.onnx/in", 1, "cannot be made a folder"),
        ("missing/one.png", 1, "cannot be written"),
    ],
)
def test_a_snapshot_writes_over_nothing(
    tmp_path: Path, name: str, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and all that was there stays as it was."""
    path = box_in(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert main(["snapshot", "--config", str(path), "--out", str(tmp_path / name)]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[Aimed, Page]]:
    """A box that is aimed, and its page in a browser."""
    (tmp_path / "box").mkdir()
    with browser(tmp_path / "profile") as shown, aimed(box_in(tmp_path / "box")) as box:
        shown.open(box.server.link, 1280, 900)
        eventually(lambda: shown.value("document.getElementById('state')?.textContent") == "live")
        yield box, shown


def test_the_region_is_drawn_by_mouse_finger_and_key(page: tuple[Aimed, Page]) -> None:
    """Each makes another region of the one before; it is saved with a button, and loaded again."""
    box, shown = page
    left, top, side = shown.value(
        "(() => { const r = document.getElementById('overlay').getBoundingClientRect();"
        "return [r.x, r.y, r.width]; })()"
    )

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * side / SIDE, top + y * side / SIDE

    def drawn() -> list[list[int]]:
        numbers = shown.value("document.getElementById('corners').value").replace(",", "").split()
        return [[int(x), int(y)] for x, y in zip(numbers[::2], numbers[1::2], strict=True)]

    shown.click("#draw")
    shown.value("scrollTo(0, 0)")
    shown.drag(at(40, 60), at(200, 180))
    assert drawn() == [[40, 60], [200, 60], [200, 180], [40, 180]]
    shown.swipe(at(200, 180), at(240, 200))
    assert drawn() == [[40, 60], [200, 60], [240, 200], [40, 180]]
    shown.value("document.querySelector('[data-corner=\"0\"]').focus()")
    shown.press("ArrowRight")
    shown.press("ArrowDown", modifiers=8)
    shown.press("Insert")
    shown.press("Delete")
    assert drawn() == [[41, 70], [200, 60], [240, 200], [40, 180]]
    shown.click("#save")
    eventually(lambda: "saved" in shown.value("document.getElementById('said').textContent"))
    corners = ((41.0, 70.0), (200.0, 60.0), (240.0, 200.0), (40.0, 180.0))
    assert load_config(box.path).decision.region == corners
    shown.click("#clear")
    assert drawn() == []
    shown.click("#load")
    eventually(lambda: drawn() == [[41, 70], [200, 60], [240, 200], [40, 180]])
    eventually(lambda: "PASS" in shown.value("document.getElementById('verdict').textContent"))
    box.server.shutdown()
    box.server.socket.close()
    eventually(lambda: shown.value("document.getElementById('state').textContent") == "no answer")
    assert shown.value("document.body.className") == "stale", "an old picture is not taken for live"
    for width in (390, 1280):
        shown.resize(width, 844)
        assert shown.value("document.documentElement.scrollWidth") <= width, "nothing is cut off"
