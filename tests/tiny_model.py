"""A model small enough to reason about: it takes magenta for a ``dot``, cyan for a ``square``.

Real ONNX, real contract, no training: each class's heat is how much of an 8 x 8 cell has exactly
that colour, and the sides are constant, so every expected box is known by arithmetic. Painted with
:func:`paint`.
"""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from edge.vision.contract import (
    HEAT_NAME,
    INPUT_NAME,
    SIDES_NAME,
    STRIDE,
    VERSION,
    Contract,
)
from edge.vision.model_file import read_model
from export.sealing import seal, seal_texts

SIZE = 64
HALF_SIDE = 1.5
"""Distance from a cell's centre to each side of the box, in strides: every box is 24 x 24 network
pixels."""
COLOURS = {"dot": (255, 0, 255), "square": (0, 255, 255)}
GREY = (90, 90, 90)

CONTRACT = Contract(
    version=VERSION,
    input_width=SIZE,
    input_height=SIZE,
    resize="letterbox",
    colour="rgb",
    strides=(STRIDE,),
    classes=("dot",),
    threshold=0.5,
    second_side=0,
    second_px=1,
    second_from=0.2,
    second_weight=2.0,
    run_digest="0" * 64,
)


def write_tiny_model(
    path: Path, contract: Contract = CONTRACT, metadata: str | None = None
) -> Path:
    """Write the model for *contract*, whose classes must be among :data:`COLOURS`; return *path*.

    It is sealed. *metadata*: the contract text to seal in place of the right one; ``""`` stores no
    metadata at all.
    """
    if metadata is None:
        path.write_bytes(sealed(contract))
        return path
    model = build(contract)
    golden = read_model(write_tiny_model(path, contract)).golden.to_json()
    path.write_bytes(seal_texts(model, metadata, golden) if metadata else model.SerializeToString())
    return path


@functools.cache
def sealed(contract: Contract) -> bytes:
    """The content of the sealed model for *contract*."""
    model = build(contract)
    onnx.checker.check_model(model)
    return seal(model, contract, golden_pictures(contract))


def golden_pictures(contract: Contract) -> dict[str, NDArray[np.uint8]]:
    """Pictures with every mark of *contract*, with a third of each mark, and with none."""
    width, height = contract.input_width, contract.input_height
    marks = {name: [(16 + 24 * i, 24)] for i, name in enumerate(contract.classes)}
    whole, part = (paint(marks, width, height) for _ in range(2))
    part[27:] = GREY
    return {"marks": whole, "near miss": part, "no mark": paint({}, width, height)}


def two_classes(threshold: float = 0.5) -> Contract:
    """The contract of a model that knows both colours."""
    return dataclasses.replace(CONTRACT, classes=("dot", "square"), threshold=threshold)


def paint(
    marks: dict[str, list[tuple[int, int]]], width: int = SIZE, height: int = SIZE, side: int = 8
) -> NDArray[np.uint8]:
    """Paint a grey picture with square patches of the marks' colours.

    *marks*: for each mark the top left corners (x, y) of its patches, pixels; *side*: a patch's
    side. Returns (height, width, 3) uint8, RGB.
    """
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = GREY
    for name, corners in marks.items():
        for x, y in corners:
            picture[y : y + side, x : x + side] = COLOURS[name]
    return picture


def save(path: Path, picture: NDArray[np.uint8]) -> Path:
    """Write *picture*, (height, width, 3) uint8 RGB, without loss; return *path*."""
    Image.fromarray(picture).save(path)
    return path


def build(contract: Contract) -> onnx.ModelProto:
    """Build the model, not sealed: a graph of heat = mean over a cell of clip(w . rgb).

    That is 1 for the class's own colour, 0 for grey, black and white.
    """
    kinds = len(contract.classes)
    # Like exported models, of any size where there are second looks, else of its own size alone.
    fixed = [1, contract.input_height, contract.input_width]
    number, height, width = ["n", "height", "width"] if contract.second_side else fixed
    rows, columns = (
        ("rows", "columns") if contract.second_side else (fixed[1] // STRIDE, fixed[2] // STRIDE)
    )
    takes = [(INPUT_NAME, TensorProto.UINT8, [number, height, width, 3])]
    gives = [
        (HEAT_NAME, TensorProto.FLOAT, [number, kinds, rows, columns]),
        (SIDES_NAME, TensorProto.FLOAT, [number, 4, rows, columns]),
    ]
    graph = helper.make_graph(
        _nodes(kinds),
        "tiny",
        [helper.make_tensor_value_info(*value) for value in takes],
        [helper.make_tensor_value_info(*value) for value in gives],
        [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in _constants(contract.classes).items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _constants(classes: Sequence[str]) -> dict[str, Any]:
    kinds = len(classes)
    weights = np.zeros((kinds, 3, 1, 1), np.float32)
    for kind, name in enumerate(classes):
        weights[kind, :, 0, 0] = [1 / 510 if level else -1 / 255 for level in COLOURS[name]]
    return {
        "weights": weights,
        "mean": np.full((kinds, 1, STRIDE, STRIDE), 1 / STRIDE**2, np.float32),
        "low": np.float32(0),
        "high": np.float32(1),
        "reach": np.full((1, 4, 1, 1), HALF_SIDE, np.float32),
        "nothing": np.zeros((4, kinds, 1, 1), np.float32),
    }


def _nodes(kinds: int) -> list[onnx.NodeProto]:
    per_cell: dict[str, Any] = {"strides": [STRIDE, STRIDE], "group": kinds}
    return [
        helper.make_node("Cast", [INPUT_NAME], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "weights"], ["match"]),
        helper.make_node("Clip", ["match", "low", "high"], ["colour"]),
        helper.make_node("Conv", ["colour", "mean"], [HEAT_NAME], **per_cell),
        helper.make_node("Conv", [HEAT_NAME, "nothing"], ["no_sides"]),
        helper.make_node("Add", ["no_sides", "reach"], [SIDES_NAME]),
    ]
