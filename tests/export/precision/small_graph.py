"""A small float graph of the exporter's shape, with random weights: four layers and an answer.

As an exported one it takes bytes, normalises, and answers heat and sides at stride 8; one
convolution is depthwise, one has hard-swish behind it, which has no 8 bits.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge.vision.contract import HEAT_NAME, INPUT_NAME, SIDES_NAME, Contract
from edge.vision.localizer import Localizer
from export.sizes import name_sizes
from tests.tiny_model import CONTRACT

SIDE = 96
SMALL: Contract = dataclasses.replace(
    CONTRACT, classes=("disc",), input_width=SIDE, input_height=SIDE, threshold=0.65
)
WIDTH = 8


class _Builder:
    """Adds nodes with random weights, and names their outputs after them."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.constants: dict[str, NDArray[np.float32]] = {
            "mean": np.full((1, 3, 1, 1), 120.0, np.float32),
            "most": np.asarray(3.0, np.float32),
        }
        self.nodes: list[onnx.NodeProto] = [
            helper.make_node("Cast", [INPUT_NAME], ["floats"], "cast", to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["floats"], ["planes"], "order", perm=[0, 3, 1, 2]),
            helper.make_node("Sub", ["planes", "mean"], ["x"], "sub"),
        ]

    def conv(
        self, name: str, x: str, shape: tuple[int, ...], gain: float = 1.0, stride: int = 1
    ) -> str:
        """Add a convolution, depthwise where *shape* has one channel in."""
        weight = self._rng.normal(0.0, gain * np.sqrt(2.0 / np.prod(shape[1:])), shape)
        self.constants[f"{name}.weight"] = weight.astype(np.float32)
        self.constants[f"{name}.bias"] = self._rng.normal(0.0, 0.1, shape[0]).astype(np.float32)
        inputs = [x, f"{name}.weight", f"{name}.bias"]
        attributes: dict[str, Any] = {"kernel_shape": shape[2:], "strides": [stride] * 2}
        attributes |= {"pads": [shape[2] // 2] * 4}
        group = 1 if shape[1] > 1 else shape[0]
        self.nodes.append(
            helper.make_node("Conv", inputs, [name], f"node_{name}", group=group, **attributes)
        )
        return name

    def then(self, kind: str, x: str, *more: str, out: str = "") -> str:
        """Add a node of another kind behind *x*."""
        given = out or f"{x}.{kind}"
        self.nodes.append(helper.make_node(kind, [x, *more], [given], f"{kind} {x}"))
        return given


def small_graph(seed: int = 1) -> onnx.ModelProto:
    """Build it; the best scores of rough pictures lie on both sides of the threshold."""
    new = _Builder(seed)
    x = new.then("HardSwish", new.conv("first", "x", (WIDTH, 3, 3, 3), 0.02, 2))
    x = new.then("Relu", new.conv("depthwise", x, (WIDTH, 1, 3, 3), stride=2))
    x = new.then("HardSwish", new.conv("pointwise", x, (WIDTH, WIDTH, 1, 1)))
    x = new.then("Relu", new.conv("last", x, (WIDTH, WIDTH, 3, 3), stride=2))
    new.then("Sigmoid", new.conv("heat_logits", x, (1, WIDTH, 1, 1), 2.0), out=HEAT_NAME)
    sides = new.then("Clip", new.conv("log_sides", x, (4, WIDTH, 1, 1), 0.3), "", "most")
    new.then("Exp", sides, out=SIDES_NAME)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        new.nodes,
        "small",
        [value(INPUT_NAME, TensorProto.UINT8, ["n", "height", "width", 3])],
        [
            value(name, TensorProto.FLOAT, ["n", kinds, "rows", "columns"])
            for name, kinds in ((HEAT_NAME, 1), (SIDES_NAME, 4))
        ],
        [numpy_helper.from_array(constant, name) for name, constant in new.constants.items()],
    )
    name_sizes(graph)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def opened(model: onnx.ModelProto, contract: Contract = SMALL) -> Localizer:
    """Open a graph as the box does, not sealed."""
    return Localizer.unproven(Path("m"), model.SerializeToString(), contract)


def rough(number: int, count: int = 1, side: int = SIDE) -> NDArray[np.uint8]:
    """Paint *count* pictures of coarse noise, (count, side, side, 3) uint8 RGB."""
    rng = np.random.default_rng(number)
    coarse = rng.integers(0, 256, (count, side // 8, side // 8, 3)).astype(np.uint8)
    return coarse.repeat(8, 1).repeat(8, 2)
