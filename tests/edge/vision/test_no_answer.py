"""A model that gives no answer, or another than it must, through the whole service."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.clock import SimulatedClock
from edge.config import Config
from edge.errors import ModelError
from edge.gate.history import read_transitions
from edge.gate.simulated import SimulatedGate
from edge.record.status import read_status
from edge.record.verify import read_records
from edge.sections.camera import CameraSettings
from edge.sections.gate import GateSettings
from edge.sections.model import ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.service import serve
from edge.vision.localizer import Localizer
from tests.tiny_model import CONTRACT, paint, save, write_tiny_model

Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]
TWO_LOOKS = dataclasses.replace(CONTRACT, second_side=64, second_px=24)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings for a model of two looks and three items with a mark."""
    write_tiny_model(tmp_path / "m.onnx", TWO_LOOKS)
    (tmp_path / "frames").mkdir()
    for number in range(3):
        save(tmp_path / "frames" / f"{number}.png", paint({"dot": [(16, 24 + 8 * number)]}))
    return Config(
        camera=CameraSettings(
            folder="frames", pictures_per_second=4.0, allow_repeats=True, covered_below=0.0
        ),
        gate=GateSettings(record="edges.jsonl"),
        model=ModelSettings(file="m.onnx"),
        journal=JournalSettings(file="journal.jsonl", status="status.json"),
        evidence=EvidenceSettings(folder="evidence"),
        folder=tmp_path,
    )


def spoilt(look: int, cell: str, value: float) -> Callable[..., Arrays]:
    """A ``Localizer.infer`` that spoils one look of the second item."""
    infer, count = Localizer.infer, 0

    def answer(localizer: Localizer, pictures: NDArray[np.uint8]) -> Arrays:
        nonlocal count
        heat, sides = (np.array(array) for array in infer(localizer, pictures))
        count += 1
        if count == 2 + look:  # two looks at each item, the first item's are sound
            row, column = np.unravel_index(int(heat[0, 0].argmax()), heat[0, 0].shape)
            if cell == "score":
                heat[0, 0, row, column] = value
            elif cell == "box":
                sides[0, :, row, column] = value
            else:
                sides[0, 0, row, column], sides[0, 2, row, column] = 40.0, -39.0
        return heat, sides

    return answer


def after_the_start(monkeypatch: pytest.MonkeyPatch, infer: Callable[..., Arrays]) -> None:
    """Put *infer* in place of ``Localizer.infer`` once the golden pictures have been judged."""

    def begin(*_: Any) -> None:
        monkeypatch.setattr(Localizer, "infer", infer)

    monkeypatch.setattr("edge.service._begin_journal", begin)


@pytest.mark.parametrize("look", [1, 2])
@pytest.mark.parametrize(
    ("cell", "value", "why"),
    [
        ("score", math.nan, "a score of nan"),
        ("score", math.inf, "a score of inf"),
        ("score", -math.inf, "a score of -inf"),
        ("score", 1.5, "a score of 1.5"),
        ("score", -0.5, "a score of -0.5"),
        ("box", math.nan, "a box that is not a number"),
        ("box", math.inf, "a box that is not a number"),
        ("box", -1.0, "an inverted or empty box"),
        ("box", 0.0, "an inverted or empty box"),
        ("box", 1e30, "a box larger than what it looks at"),
        ("outside", 0.0, "an inverted or empty box"),
    ],
)
def test_no_answer_is_a_fault_with_its_name_and_the_service_goes_on(
    config: Config, monkeypatch: pytest.MonkeyPatch, look: int, cell: str, value: float, why: str
) -> None:
    """The item before and the one after pass; this one is rejected and says why."""
    after_the_start(monkeypatch, spoilt(look, cell, value))
    counters = serve(config, SimulatedClock())
    assert (counters.passed, counters.rejected, counters.faults) == (2, 0, 1)
    items = [r for r in read_records(config.folder / "journal.jsonl") if r["kind"] == "item"]
    assert [r["verdict"] for r in items] == ["pass", "fault", "pass"]
    assert (
        f"the model's {('first', 'second')[look - 1]} look gave no answer but {why}"
        in (items[1]["reason"])
    )
    pulses = read_transitions(config.folder / "edges.jsonl")
    assert [e.sequence for e in pulses if e.level] == [items[1]["sequence"]]


def test_the_journal_and_the_status_name_the_sum_of_the_model_that_decides(config: Config) -> None:
    """As sha256sum prints it."""
    serve(config, SimulatedClock())
    start = read_records(config.folder / "journal.jsonl")[0]
    status = read_status(config.folder / "status.json")
    wanted = Localizer(config.model_file()).sha256
    assert status is not None
    assert (start["model"]["sha256"], status["model"]["sha256"]) == (wanted, wanted)


def test_a_model_that_is_not_the_pinned_one_begins_nothing(config: Config) -> None:
    """Exit status 78, before the journal is opened."""
    pinned = dataclasses.replace(config, model=ModelSettings(file="m.onnx", sha256="0" * 64))
    with pytest.raises(ModelError, match=r"which \[model\] sha256 pins") as caught:
        serve(pinned, SimulatedClock())
    assert caught.value.exit_code == 78
    assert not (config.folder / "journal.jsonl").exists()


def test_a_wrong_answer_in_an_idle_hour_ends_the_service_with_its_reason(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULT is shown, the stop record says why and since when passes are in doubt."""
    shown: list[str] = []
    slow = dataclasses.replace(config.camera, pictures_per_second=1e-3)
    rare = dataclasses.replace(
        config, camera=slow, model=ModelSettings(file="m.onnx", golden_every_s=60.0)
    )
    infer = Localizer.infer

    def blind(self: Localizer, pictures: NDArray[np.uint8]) -> Arrays:
        heat, sides = infer(self, pictures)
        return heat * np.float32(0.1), sides

    def show(_: SimulatedGate, trouble: str) -> None:
        shown.append(trouble)

    after_the_start(monkeypatch, blind)
    monkeypatch.setattr(SimulatedGate, "show_fault", show)
    with pytest.raises(ModelError, match="golden picture 'marks' is not judged") as caught:
        serve(rare, SimulatedClock())
    assert caught.value.exit_code == 78
    stop = read_records(config.folder / "journal.jsonl")[-1]
    assert stop["kind"] == "stop"
    assert "golden picture 'marks' is not judged as it must be" in stop["reason"]
    assert "passed in the last 1 minutes" in stop["reason"]
    assert "golden picture 'marks'" in shown[-1]
