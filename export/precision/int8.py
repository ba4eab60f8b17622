"""Static int8 (QDQ): convolutions in 8 bits, by onnxruntime's quantizer, but for those that suffer.

Weights are signed, symmetric and have a scale for each channel; activations are unsigned, with a
scale for each tensor, from the least to the greatest value seen. Preprocessing, the first
convolution and the answer's own stay in float, and so does all that is no convolution.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from edge.vision.contract import HEAT_NAME, SIDES_NAME, Contract
from edge.vision.localizer import Localizer
from export.graph import attributes, conv_behind, values
from export.precision.calibration import Pictures, Ranges

LIKELY = 0.1
"""Damage is measured in cells that score more in float: others decide nothing."""
SURE = 1e-5
DEPTHWISE_COST = 16
"""A multiplication in a depthwise convolution takes as long as so many in a dense one, about: in an
Arm board's layout they take 36 % of the time with a fifteenth of the multiplications."""
MOST_CALIBRATED = 40
"""Batches, first and second looks in turn, on which each layer is measured by itself."""


@dataclass(frozen=True)
class Layer:
    """A convolution that may be quantized.

    *node*: its name in the graph; *weight*: that of its weights, which tells a reader more; *cost*:
    multiplications for a whole frame, in millions, as a dense convolution makes them; *damage*: how
    far the logits of likely cells move when it alone is quantized, as root mean square.
    """

    node: str
    weight: str
    cost: float
    damage: float = 0.0


def layers(model: ModelProto, contract: Contract) -> list[Layer]:
    """Return the convolutions of *model* that may be quantized, in their order.

    All but the first, which sees the normalised picture, and those that give the answer.
    """
    graph = model.graph
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    kept = {conv_behind(graph, name).name for name in (HEAT_NAME, SIDES_NAME)}
    kept.add(convolutions[0].name)
    return [
        Layer(node.name, node.input[1], _cost(graph, node, contract))
        for node in convolutions
        if node.name not in kept
    ]


def _cost(graph: GraphProto, node: NodeProto, contract: Contract) -> float:
    weight = values(graph, node.input[1])
    info = next(value for value in graph.value_info if value.name == node.output[0])
    rows, columns = (
        dim.dim_value or side / float(dim.dim_param.partition(" / ")[2] or 1)
        for dim, side in zip(
            info.type.tensor_type.shape.dim[2:],
            (contract.input_height, contract.input_width),
            strict=True,
        )
    )
    each = DEPTHWISE_COST if attributes(node).get("group", 1) > 1 else 1
    return float(rows * columns * weight.size * each / 1e6)


def quantized(model: ModelProto, known: Ranges, chosen: Sequence[Layer]) -> ModelProto:
    """Return *model* with the *chosen* layers in 8 bits; what was there stays as it is.

    *known*: the ranges of its values.
    """
    nodes = {layer.node for layer in chosen}
    behind = {node.output[0] for node in model.graph.node if node.name in nodes}
    relus = [n.name for n in model.graph.node if n.op_type == "Relu" and n.input[0] in behind]
    logging.disable(logging.WARNING)  # it warns of weights that it adjusts, which is its work
    try:
        quantizer = QDQQuantizer(
            ModelProto.FromString(model.SerializeToString()),
            True,  # a scale for each channel
            False,  # the whole range
            QuantType.QInt8,
            QuantType.QUInt8,
            TensorsData(CalibrationMethod.MinMax, dict(known)),
            sorted(nodes) + relus,
            [],
            ["Conv", "Relu"],
            {"WeightSymmetric": True, "ActivationSymmetric": False},
        )
        quantizer.quantize_model()
        quantizer.model.topological_sort()  # it appends what it adds
    finally:
        logging.disable(logging.NOTSET)
    made: ModelProto = quantizer.model.model
    return made


class Damage:
    """Measures how far another graph's scores are from those of the float graph."""

    def __init__(self, contract: Contract, exact: Localizer, batches: Sequence[Pictures]) -> None:
        """Ask the float graph once; *batches*: as the network is shown them."""
        self._contract, self._batches = contract, batches
        self._heat = [exact.infer(batch)[0] for batch in batches]
        if not any((heat > LIKELY).any() for heat in self._heat):
            raise ValueError("no cell is likely")

    def of(self, model: ModelProto) -> float:
        """Return the root mean square of how far the logits of likely cells lie from float's."""
        content = model.SerializeToString()
        localizer = Localizer.unproven(Path("the quantized model"), content, self._contract)
        gaps = []
        for batch, exact in zip(self._batches, self._heat, strict=True):
            likely = exact > LIKELY
            gaps.append(_logits(localizer.infer(batch)[0][likely]) - _logits(exact[likely]))
        return float(np.sqrt((np.concatenate(gaps) ** 2).mean()))


def _logits(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    kept = np.clip(scores.astype(np.float64), SURE, 1 - SURE)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def measured(
    model: ModelProto,
    known: Ranges,
    found: Sequence[Layer],
    damage: Damage,
    on_layer: Callable[[], None] = lambda: None,
) -> Iterator[Layer]:
    """Yield each layer with the damage that it does when it alone is quantized."""
    for layer in found:
        on_layer()
        yield dataclasses.replace(layer, damage=damage.of(quantized(model, known, [layer])))


def within(found: Sequence[Layer], budget: float) -> list[Layer]:
    """Return the layers worth quantizing whose damage together stays within *budget*.

    Damages add up as independent errors do, by their squares. Those that save most for the damage
    they do come first.
    """
    ranked = sorted(found, key=lambda layer: (layer.damage**2 / layer.cost, layer.node))
    chosen, total = list[Layer](), 0.0
    for layer in ranked:
        if total + layer.damage**2 <= budget**2:
            chosen.append(layer)
            total += layer.damage**2
    return chosen
