import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision import Box, Finding
from edge.errors import ModelError
from edge.vision.localizer import Localizer
from edge.vision.two_looks import decode
from tests.tiny_model import CONTRACT, paint, two_classes, write_tiny_model


@pytest.fixture
def localizer(tmp_path: Path) -> Localizer:
    """One that knows dots and squares."""
    return Localizer(write_tiny_model(tmp_path / "m.onnx", two_classes()))


def test_marks_of_two_classes_are_found_where_they_were_painted(localizer: Localizer) -> None:
    """Cell (2, 3) has its centre at (20, 28); the tiny model's boxes reach 12 pixels each way."""
    found = localizer.find(paint({"dot": [(16, 24)], "square": [(40, 48)]}))
    assert found == (
        Finding("dot", 1.0, Box(8.0, 16.0, 32.0, 40.0)),
        Finding("square", 1.0, Box(32.0, 40.0, 56.0, 64.0)),
    )


def test_boxes_are_in_camera_pixels(localizer: Localizer) -> None:
    """A dot in a wide picture three times as large: the bars above and below are taken off."""
    found = localizer.find(paint({"dot": [(48, 48)]}, width=192, height=96, side=24))
    assert [f.label for f in found] == ["dot"]
    assert found[0].box.corners() == pytest.approx((24, 24, 96, 96))


def test_a_box_over_the_edge_is_cut_at_the_edge(localizer: Localizer) -> None:
    """A mark in the corner cell reaches beyond the picture."""
    assert localizer.find(paint({"dot": [(0, 0)]}))[0].box == Box(0, 0, 16, 16)


def test_below_the_threshold_nothing_is_found_unless_asked_for(localizer: Localizer) -> None:
    """Half a cell's colour scores 0.375."""
    picture = paint({"dot": [(16, 24)]}, side=8)
    picture[24:29, 16:24] = paint({})[:5, :8]
    assert localizer.find(picture) == ()
    assert localizer.find(picture, min_score=0.3)[0].score == pytest.approx(0.375, abs=1e-3)


def test_of_two_boxes_of_one_class_on_one_mark_the_better_stays() -> None:
    """Two peaks two cells apart whose boxes overlap by more than half are one mark seen twice."""
    heat = np.zeros((1, 8, 8), np.float32)
    heat[0, 4, 2], heat[0, 4, 4] = 0.8, 0.9
    found = decode(heat, np.full((4, 8, 8), 4.0, np.float32), ["dot"], 0.5)
    assert [f.box for f in found] == [Box(4, 4, 68, 68)]
    assert found[0].score == pytest.approx(0.9)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
def test_decode_of_noise_is_ordered_bounded_and_above_the_threshold(
    seed: int, threshold: float
) -> None:
    """Noise with holes in it (not-a-number) never becomes a finding without a box."""
    random = np.random.default_rng(seed)
    heat, sides = random.random((2, 12, 9), np.float32), random.random((4, 12, 9), np.float32) * 3
    heat[random.random(heat.shape) < 0.1] = np.nan
    sides[random.random(sides.shape) < 0.1] = np.inf
    found = decode(heat, sides, ["a", "b"], threshold)
    scores = [f.score for f in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score >= np.float32(threshold) for score in scores)
    assert all(np.isfinite(f.box.corners()).all() for f in found)


def foreign_text() -> str:
    """A contract from the future."""
    return json.dumps({**dataclasses.asdict(CONTRACT), "version": 3})


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("", "carries no stampgate.contract, so it was not made by 'stampgate export'"),
        (foreign_text(), "version must be 2, not 3; export the model"),
        ("no json", "must be a JSON text"),
    ],
)
def test_a_foreign_model_is_refused_in_one_line(
    tmp_path: Path, metadata: str, message: str
) -> None:
    """It loads, but nobody says how to read it."""
    path = write_tiny_model(tmp_path / "m.onnx", metadata=metadata)
    with pytest.raises(ModelError) as caught:
        Localizer(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08" * 40])
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    """Empty, text, and bytes that begin like protobuf."""
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not an ONNX model that can be loaded") as caught:
        Localizer(path)
    assert "\n" not in str(caught.value)


def test_a_cut_model_is_refused_in_one_line(tmp_path: Path) -> None:
    """A copy that stopped half way."""
    path = write_tiny_model(tmp_path / "m.onnx")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match=r"m\.onnx") as caught:
        Localizer(path)
    assert "\n" not in str(caught.value)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    """And the next step with it."""
    with pytest.raises(
        ModelError, match="no such model file; name an ONNX file made by 'stampgate export'"
    ):
        Localizer(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("lie", [{"input_width": 96}, {"classes": ("dot", "square")}])
def test_a_graph_that_breaks_its_own_contract_is_refused(
    tmp_path: Path, lie: dict[str, object]
) -> None:
    """Found at the start, not on the first item."""
    text = json.dumps({**dataclasses.asdict(CONTRACT), **lie})
    with pytest.raises(ModelError, match="contract"):
        Localizer(write_tiny_model(tmp_path / "m.onnx", metadata=text))
