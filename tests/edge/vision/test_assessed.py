"""What a model exported with ``--anyway`` is said to be wherever the box tells of its model."""

import dataclasses
from pathlib import Path

import pytest

from edge.clock import MonotonicClock, SimulatedClock
from edge.commands.status import described
from edge.config import Config
from edge.record.status import read_status
from edge.record.verify import read_records
from edge.sections.camera import CameraSettings
from edge.sections.gate import GateSettings
from edge.sections.model import ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.selftest import CheckResult, sight
from edge.service import serve
from edge.vision.assessed import Assessed
from tests.tiny_model import CONTRACT, paint, save, write_tiny_model

READY = Assessed(True, False, (98, 100), (0, 652), (1, 100))
POOR = Assessed(False, True, (31, 100), (0, 652), (1, 100))
TROUBLE = (
    "the model was exported though it is not ready (it finds 31 of 100 painted marks): "
    "train it longer, and export it again"
)
FOUND = (
    "finds 98 of 100 painted marks, lets 0 of 652 photographs without one and 1 of 100 pictures of "
    "look-alikes through: ready to be tried"
)


def box_with(folder: Path, assessed: Assessed | None) -> Config:
    """A box with one picture, whose model carries that assessment."""
    write_tiny_model(folder / "m.onnx", dataclasses.replace(CONTRACT, assessed=assessed))
    (folder / "frames").mkdir()
    save(folder / "frames" / "1.png", paint({"dot": [(16, 24)]}))
    return Config(
        camera=CameraSettings(folder="frames", allow_repeats=True, covered_below=0.0),
        gate=GateSettings(record="edges.jsonl"),
        model=ModelSettings(file="m.onnx"),
        journal=JournalSettings(
            file="journal.jsonl", status="status.json", mark="", patience_ms=10_000.0
        ),
        evidence=EvidenceSettings(folder="evidence", keep_free_mb=0, patience_ms=10_000.0),
        folder=folder,
    )


def test_a_model_that_is_not_ready_is_told_at_the_start_and_in_the_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It judges all the same, in trouble for as long as it runs; the journal has the counts."""
    counters = serve(box_with(tmp_path, POOR), SimulatedClock())
    assert counters.passed == 1
    assert f"stampgate-edge: warning: {TROUBLE}" in capsys.readouterr().err.splitlines()
    status = read_status(tmp_path / "status.json")
    assert status is not None
    assert status["trouble"] == TROUBLE
    assert f"{'trouble':<15} {TROUBLE}" in described(status)
    start = read_records(tmp_path / "journal.jsonl")[0]
    assert start["model"]["assessed"] == POOR.as_object()


@pytest.mark.parametrize("assessed", [READY, None], ids=["ready", "of an earlier release"])
def test_of_any_other_model_there_is_no_warning_and_no_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], assessed: Assessed | None
) -> None:
    """A model without an assessment may be a good one."""
    serve(box_with(tmp_path, assessed), SimulatedClock())
    assert "warning" not in capsys.readouterr().err
    status = read_status(tmp_path / "status.json")
    assert status is not None
    assert status["trouble"] == ""


@pytest.mark.parametrize(
    ("assessed", "told"),
    [(POOR, [("WARN", TROUBLE)]), (READY, [("ok", FOUND)]), (None, [])],
    ids=["not ready", "ready", "of an earlier release"],
)
def test_check_has_a_line_for_the_assessment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    assessed: Assessed | None,
    told: list[tuple[str, str]],
) -> None:
    """A warning for a model that is not ready; none where the file says nothing."""
    judged = CheckResult("ok", "verdicts", "a child process judges them, for another test")
    monkeypatch.setattr(sight, "_verdicts", lambda *_: judged)
    config = box_with(tmp_path, assessed)
    seen = list(sight.model(config, MonotonicClock(), {tmp_path / "frames" / "1.png": "pass"}))
    assert [(one.state, one.text) for one in seen if one.name == "assessment"] == told
