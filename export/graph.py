"""Read and change the nodes of an ONNX graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper


class Writer:
    """Builds nodes, in the order in which they run, and names their outputs."""

    def __init__(self, graph: GraphProto, topic: str) -> None:
        """Write for *graph*, which gets the constants at once and the nodes by :func:`replace`."""
        self.graph, self.topic, self.nodes = graph, topic, list[NodeProto]()
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def constant(self, values: NDArray[Any]) -> str:
        """Keep *values*, float32 or int64, in the graph; equal ones once."""
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self._constants:
            self._constants[key] = name = f"{self.topic}.constant_{len(self._constants)}"
            self.graph.initializer.append(
                numpy_helper.from_array(np.ascontiguousarray(values), name)
            )
        return self._constants[key]

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output; returns its name."""
        name = f"{self.topic}.{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def conv(self, x: str, weight: NDArray[np.float64], bias: str = "", **attributes: Any) -> str:
        """Add a convolution; *attributes* but for kernel_shape, those of ONNX and its defaults."""
        inputs = [x, self.constant(weight.astype(np.float32)), *([bias] if bias else [])]
        return self.node("Conv", *inputs, kernel_shape=weight.shape[2:], **attributes)

    def along(
        self,
        x: str,
        taps: Sequence[int],
        channels: int,
        left: int = 0,
        right: int = 0,
        stride: int = 1,
    ) -> str:
        """Add a depthwise convolution along rows, with the same *taps* for each channel."""
        weight = np.tile(np.array(taps, np.float64), (channels, 1, 1, 1))
        return self.conv(x, weight, group=channels, pads=[0, left, 0, right], strides=[1, stride])


def made_by(graph: GraphProto, name: str) -> NodeProto:
    """Return the node whose output is *name*."""
    node: NodeProto = next(node for node in graph.node if name in node.output)
    return node


def conv_behind(graph: GraphProto, name: str) -> NodeProto:
    """Return the nearest convolution upstream of the value *name*."""
    while (node := made_by(graph, name)).op_type != "Conv":
        name = node.input[0]
    return node


def values(graph: GraphProto, name: str) -> NDArray[Any]:
    """Return a constant of the graph."""
    return numpy_helper.to_array(
        next(constant for constant in graph.initializer if constant.name == name)
    )


def attributes(node: NodeProto) -> dict[str, Any]:
    """Return the attributes of a node by name."""
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def replace(
    graph: GraphProto, old: Sequence[NodeProto], new: Sequence[NodeProto], at: NodeProto
) -> None:
    """Replace the *old* nodes by *new* ones, which are put in the place of *at*, one of the old."""
    gone = {node.output[0] for node in old}
    nodes: list[NodeProto] = []
    for node in graph.node:
        nodes += new if node.output[0] == at.output[0] else []
        nodes += [] if node.output[0] in gone else [node]
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def drop_unused(graph: GraphProto) -> None:
    """Drop constants that no node takes any more."""
    used = {name for node in graph.node for name in node.input}
    kept = [
        TensorProto.FromString(c.SerializeToString()) for c in graph.initializer if c.name in used
    ]
    del graph.initializer[:]
    graph.initializer.extend(kept)
