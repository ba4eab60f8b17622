from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge.config import DEFAULT_MODEL
from edge.errors import ModelError
from edge.vision.contract import Contract
from edge.vision.localizer import Localizer
from edge.vision.model_file import examine, read_model
from edge.vision.preprocess import Frame
from export.packaged import resealed
from export.sealing import GOLDEN_SIDE, MOST_FINDINGS, choose_golden, seal, seal_texts
from tests.tiny_model import CONTRACT, build, golden_pictures, paint, sealed, two_classes


def test_sealing_keeps_the_graph_to_the_last_byte() -> None:
    """Once and again; what was in the metadata before is gone."""
    model = build(CONTRACT)
    graph = model.graph.SerializeToString(deterministic=True)
    helper.set_model_props(model, {"note": "old", "stampgate.sum": "f" * 64})
    once = seal(model, CONTRACT, golden_pictures(CONTRACT))
    loaded = onnx.ModelProto.FromString(once)
    assert loaded.graph.SerializeToString(deterministic=True) == graph
    assert [entry.key for entry in loaded.metadata_props] == [
        "stampgate.contract",
        "stampgate.golden",
        "stampgate.sum",
    ]
    assert seal(loaded, CONTRACT, golden_pictures(CONTRACT)) == once


def test_the_packaged_model_can_be_sealed_anew_and_keeps_its_weights() -> None:
    """Its golden pictures are samples: two that pass, one without a mark, and a look-alike."""
    before, after = DEFAULT_MODEL.read_bytes(), resealed()
    head = before.index(b"stampgate.contract")
    assert after[:head] == before[:head]
    golden = examine(Path("m.onnx"), after).golden
    assert [(p.name, p.decision) for p in golden.pictures] == [
        (p.name, p.decision) for p in read_model(DEFAULT_MODEL).golden.pictures
    ]
    assert sorted(p.decision for p in golden.pictures) == ["pass", "pass", "reject", "reject"]


def test_golden_are_the_clearest_and_the_nearest_of_each_decision() -> None:
    """Of many; none so near that another processor might decide otherwise."""
    pictures: dict[str, Frame] = {}
    for rows in range(9):
        picture = paint({"dot": [(16, 24)]})
        picture[24 + rows :] = paint({})[0, 0]
        pictures[f"{rows} rows"] = picture  # scores rows / 8; the threshold is 0.5
    localizer = Localizer.unproven(Path("m"), sealed(CONTRACT), CONTRACT)
    chosen = choose_golden(localizer, pictures).pictures
    assert [(p.name, p.decision) for p in chosen] == [
        ("8 rows", "pass"),
        ("5 rows", "pass"),
        ("0 rows", "reject"),
        ("3 rows", "reject"),
    ]


def test_large_pictures_become_small_ones() -> None:
    """The file stays small, whatever the pictures were."""
    frame = paint({"dot": [(160, 240)]}, 1280, 640, 80)
    golden = examine(Path("m"), seal(build(CONTRACT), CONTRACT, {"large": frame})).golden
    (large,) = (picture.frame() for picture in golden.pictures)
    assert large.shape == (GOLDEN_SIDE // 2, GOLDEN_SIDE, 3)


def test_where_every_picture_passes_an_empty_one_is_golden_too() -> None:
    """A model must show that it can reject."""
    content = seal(build(CONTRACT), CONTRACT, {"marked": paint({"dot": [(16, 24)]})})
    golden = examine(Path("m"), content).golden
    assert [(p.name, p.decision) for p in golden.pictures] == [
        ("marked", "pass"),
        ("empty", "reject"),
    ]


def always(score: float) -> onnx.ModelProto:
    """A model that sees a mark in every cell of every picture, or in one."""
    heat = np.zeros((1, 1, 8, 8), np.float32)
    heat[0, 0, 4, 4] = score
    constants = {"h": heat, "s": np.full((1, 4, 8, 8), 1.5, np.float32)}
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", [a], [b]) for a, b in (("h", "heat"), ("s", "sides"))],
        "always",
        [value("picture", TensorProto.UINT8, [1, 64, 64, 3])],
        [
            value("heat", TensorProto.FLOAT, [1, 1, 8, 8]),
            value("sides", TensorProto.FLOAT, [1, 4, 8, 8]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_model_that_lets_everything_pass_is_not_sealed() -> None:
    """Not even an empty picture is rejected."""
    with pytest.raises(ModelError, match="rejects none of 4 pictures, not even an empty one"):
        seal(always(0.9), CONTRACT, golden_pictures(CONTRACT))
    assert seal(always(0.1), CONTRACT, golden_pictures(CONTRACT))


def test_a_picture_full_of_findings_is_not_golden() -> None:
    """Which of so many are thinned out depends on the last bit of a score."""
    contract = two_classes()
    full = paint(
        {
            "dot": [(x, y) for x in range(0, 256, 32) for y in range(0, 128, 32)],
            "square": [(x, y) for x in range(0, 256, 32) for y in range(128, 256, 32)],
        },
        256,
        256,
        32,
    )
    wide = Contract(**{**vars(contract), "input_width": 256, "input_height": 256})
    localizer = Localizer.unproven(Path("m"), sealed(wide), wide)
    assert len(localizer.find(full)) > MOST_FINDINGS
    names = {p.name for p in choose_golden(localizer, {"full": full}).pictures}
    assert names == {"empty"}


def test_a_model_that_cannot_be_found_again_is_not_sealed() -> None:
    """A part that the box refuses is refused here."""
    model = build(CONTRACT)
    model.functions.add().name = "f"
    with pytest.raises(ModelError, match=r"cannot be sealed: .* field 25"):
        seal_texts(model, CONTRACT.to_json(), "{}")
