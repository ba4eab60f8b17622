"""The reference of the place: taken, kept whole, noted in the journal, and used by the service."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.__main__ import main
from edge.clock import MonotonicClock
from edge.config import load_config
from edge.errors import JournalError
from edge.imaging.reference_file import load_reference
from edge.imaging.watch import MOVED
from edge.record.journal import Journal
from edge.record.verify import read_records, verify
from edge.selftest import sight
from edge.service import serve
from edge.sight.place_watch import PlaceWatch
from edge.vision.preprocess import Frame
from tests.disk import journal
from tests.edge.imaging.test_figures import gaussian
from tests.edge.imaging.test_reference import place
from tests.programs import PATIENCE_S
from tests.tiny_model import write_tiny_model

SETTINGS = """\
[camera]
folder = "{folder}"
pictures_per_second = 0.0
[imaging]
reference = "state/reference.json"
compare_s = 0.001
[model]
file = "model.onnx"
[gate]
record = ""
[journal]
file = "journal.jsonl"
mark = ""
status = ""
patience_ms = 10000.0
[evidence]
folder = ""
"""
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command on pictures that the camera gives."""
    write_tiny_model(tmp_path / "model.onnx")

    def go(kind: str, frames: list[Frame], *more: str) -> int:
        return main(
            ["calibrate", "--config", str(shown(tmp_path, kind, frames)), f"--{kind}", *more]
        )

    return go


def shown(tmp_path: Path, name: str, frames: list[Frame]) -> Path:
    """Write pictures for the camera, and the settings that name them."""
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:03}.png", compress_level=1)
    (tmp_path / "edge.toml").write_text(SETTINGS.format(folder=name))
    return tmp_path / "edge.toml"


def empty() -> list[Frame]:
    """Pictures of the empty place."""
    return [place(None, seed) for seed in range(4)]


def filled(right: int = 0, number: int = 4) -> list[Frame]:
    """Pictures of items, with the camera moved to the side."""
    return [place(seed % 3, 40 + seed, (right, 0)) for seed in range(number)]


def test_empty_and_filled_make_a_reference_that_the_journal_names(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step says what is next; the chain of the journal holds both notes."""
    assert run("empty", empty(), "--pictures", "4") == 0
    assert "next: stampgate-edge calibrate --filled" in capsys.readouterr().out
    assert run("filled", filled(), "--pictures", "4") == 0
    said = capsys.readouterr().out
    assert "patches of " in said
    assert "a false alarm of softness in 1e+12 comparisons" in said
    loaded = load_reference(tmp_path / "state" / "reference.json")
    assert loaded is not None
    notes = [r for r in read_records(tmp_path / "journal.jsonl") if r.get("code") == "calibrated"]
    assert [note["patches"] for note in notes] == [0, len(loaded[0].patches)]
    assert notes[1]["reference_sha256"] == loaded[1]
    assert notes[1]["settings_sha256"] == load_config(tmp_path / "edge.toml").checksum()
    verify(tmp_path / "journal.jsonl")
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["reference.json"]


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (lambda frame: gaussian(frame, 5), "soft; focus the lens"),
        (lambda frame: (frame * 0.14).astype(np.uint8), "dark; more light"),
    ],
)
def test_a_bad_picture_makes_no_reference(
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoilt: Callable[[Frame], Frame],
    why: str,
) -> None:
    """What was kept before stays, and the journal has no new note."""
    assert run("empty", empty()) == 0
    before = (tmp_path / "state" / "reference.json").read_bytes()
    assert run("empty", [spoilt(frame) for frame in empty()]) == 1
    assert why in capsys.readouterr().err
    assert (tmp_path / "state" / "reference.json").read_bytes() == before
    notes = [r for r in read_records(tmp_path / "journal.jsonl") if r["kind"] == "note"]
    assert len(notes) == 1


def test_a_journal_that_cannot_be_written_keeps_the_old_reference(
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing changes what the line does unless it is written down."""

    def fail(*_: object) -> None:
        raise JournalError("journal.jsonl: cannot be written")

    monkeypatch.setattr(Journal, "append", fail)
    assert run("empty", empty()) == 74
    assert "journal.jsonl: cannot be written" in capsys.readouterr().err
    assert not list((tmp_path / "state").glob("*"))


def test_while_the_service_runs_it_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has the camera and the journal."""
    with journal(tmp_path / "journal.jsonl"):
        assert run("empty", empty()) == 1
    assert "the service runs and has the camera; stop the line" in capsys.readouterr().err


def test_too_few_pictures_are_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """One says nothing of what stays alike."""
    assert run("empty", empty()[:1]) == 1
    assert "1 pictures came, must be at least 2" in capsys.readouterr().err


def test_no_file_of_another_kind_is_written_over(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither one that another setting names, nor one that is no reference."""
    path = shown(tmp_path, "empty", empty())
    path.write_text(path.read_text().replace("state/reference.json", "journal.jsonl"))
    assert main(["calibrate", "--config", str(path), "--empty"]) == 78
    assert "[imaging] reference" in capsys.readouterr().err
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "reference.json").write_text("mine")
    assert run("empty", empty()) == 1
    assert "remove it, and run" in capsys.readouterr().err
    assert (tmp_path / "state" / "reference.json").read_text() == "mine"


def test_without_a_file_to_keep_it_in_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The setting is empty."""
    path = shown(tmp_path, "empty", empty()[:1])
    path.write_text(path.read_text().replace("state/reference.json", ""))
    assert main(["calibrate", "--config", str(path), "--empty"]) == 2
    assert "[imaging] reference is empty" in capsys.readouterr().err


def test_check_says_what_the_reference_lacks(run: Run, tmp_path: Path) -> None:
    """None at all, and then the half that is missing."""
    config = load_config(shown(tmp_path, "now", empty()))

    def said() -> list[str]:
        lines = [str(one) for one in sight.camera(config, MonotonicClock(), 4)]
        return [line for line in lines if "reference" in line]

    assert [line.startswith("WARN reference         none is kept") for line in said()] == [True]
    assert run("empty", empty(), "--pictures", "4") == 0
    (line,) = said()
    assert "the empty place alone; run 'stampgate-edge calibrate --filled'" in line


def test_check_and_service_notice_a_camera_that_was_knocked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check FAILs; the service notes when it began and when it was set back, and names both."""
    assert run("empty", empty(), "--pictures", "4") == 0
    assert run("filled", filled(), "--pictures", "4") == 0
    knocked = shown(tmp_path, "knocked", filled(15, 6))
    checked = [str(one) for one in sight.camera(load_config(knocked), MonotonicClock(), 6)]
    (said,) = [line for line in checked if line.startswith("FAIL")]
    assert said.startswith("FAIL reference place   the camera has moved by 15 pixels")
    offer = PlaceWatch.offer

    def compared(watch: PlaceWatch, frame: Frame) -> None:
        offer(watch, frame)
        if watch._work is not None:  # the next item would end it
            assert watch._work.done.wait(PATIENCE_S)

    monkeypatch.setattr(PlaceWatch, "offer", compared)
    path = shown(tmp_path, "shift", [*filled(0, 6), *filled(15, 6), *filled(0, 6)])
    serve(load_config(path))
    records = read_records(tmp_path / "journal.jsonl")
    notes = [record for record in records if record.get("code") == MOVED]
    assert [note["reason"].startswith("no more") for note in notes] == [False, True]
    loaded = load_reference(tmp_path / "state" / "reference.json")
    assert loaded is not None
    started = next(record for record in records if record["kind"] == "start")
    assert started["reference_sha256"] == loaded[1]
    assert verify(tmp_path / "journal.jsonl").items == 18


def test_the_kept_file_says_for_people_how_it_was_made(run: Run, tmp_path: Path) -> None:
    """The settings and the camera's own; when stands in the journal."""
    assert run("empty", empty()) == 0
    kept = json.loads((tmp_path / "state" / "reference.json").read_text())
    assert kept["settings_sha256"] == load_config(tmp_path / "edge.toml").checksum()
    assert kept["camera"]["folder"] == "empty"
