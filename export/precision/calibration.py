"""Calibration: what the box shows the network, and the ranges of the layers' values on it."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from edge.vision.answers import Floats
from edge.vision.contract import INPUT_NAME
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame
from edge.vision.two_looks import find

Pictures = NDArray[np.uint8]
"""A batch as the graph takes it: (n, height, width, 3), RGB."""
Ranges = Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""The least and greatest value of each tensor, by its name."""
LIMITS = ("ReduceMin", "ReduceMax")


def shown_to_network(localizer: Localizer, frames: Iterable[Frame]) -> list[Pictures]:
    """Return every batch that the network is shown while the box looks at *frames*.

    They are prepared by the box's own code: first looks by ``prepare``, second ones by ``zoom``.
    """
    batches: list[Pictures] = []

    def network(pictures: Pictures) -> tuple[Floats, Floats]:
        batches.append(pictures.copy())
        return localizer.infer(pictures)

    contract = localizer.contract
    for frame in frames:
        find(network, frame, contract.two_look_plan, contract.threshold)
    return batches


def ranges(model: ModelProto, batches: Sequence[Pictures]) -> Ranges:
    """Return the ranges of what convolutions take and give, over all *batches*."""
    names = dict.fromkeys(
        name
        for node in model.graph.node
        if node.op_type in ("Conv", "Relu")
        for name in (node.input[0], node.output[0])
    )
    watched = ModelProto.FromString(model.SerializeToString())
    for name in names:
        for kind in LIMITS:
            watched.graph.node.append(
                helper.make_node(kind, [name], [f"{kind} {name}"], keepdims=0)
            )
            value = helper.make_tensor_value_info(f"{kind} {name}", TensorProto.FLOAT, [])
            watched.graph.output.append(value)
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), _options(), providers=["CPUExecutionProvider"]
    )
    watched_names = [f"{kind} {name}" for kind in LIMITS for name in names]
    found = np.array([session.run(watched_names, {INPUT_NAME: batch}) for batch in batches])
    lows, highs = found[:, : len(names)].min(0), found[:, len(names) :].max(0)
    return {name: (low, high) for name, low, high in zip(names, lows, highs, strict=True)}


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options
