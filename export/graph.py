"""Read and change the nodes of an ONNX graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper


class Writer:
    """Writes nodes, in the order in which they run, and names what they answer."""

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
        """Weigh neighbours in a row by *taps*, the same for each of the *channels*."""
        weight = np.tile(np.array(taps, np.float64), (channels, 1, 1, 1))
        return self.conv(x, weight, group=channels, pads=[0, left, 0, right], strides=[1, stride])


def made_by(graph: GraphProto, name: str) -> NodeProto:
    """The node that answers *name*."""
    node: NodeProto = next(node for node in graph.node if name in node.output)
    return node


def conv_behind(graph: GraphProto, name: str) -> NodeProto:
    """The nearest convolution from which *name* is made."""
    while (node := made_by(graph, name)).op_type != "Conv":
        name = node.input[0]
    return node


def values(graph: GraphProto, name: str) -> NDArray[Any]:
    """A constant of the graph."""
    return numpy_helper.to_array(
        next(constant for constant in graph.initializer if constant.name == name)
    )


def attributes(node: NodeProto) -> dict[str, Any]:
    """What the node says, by name."""
    return {said.name: helper.get_attribute_value(said) for said in node.attribute}


def replace(
    graph: GraphProto, old: Sequence[NodeProto], new: Sequence[NodeProto], at: NodeProto
) -> None:
    """Put *new* where *at* stands, one of the *old* nodes, which go."""
    gone = {node.output[0] for node in old}
    nodes: list[NodeProto] = []
    for node in graph.node:
        nodes += new if node.output[0] == at.output[0] else []
        nodes += [] if node.output[0] in gone else [node]
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def drop_unused(graph: GraphProto) -> None:
    """Drop constants that no node asks for any more."""
    asked = {name for node in graph.node for name in node.input}
    kept = [
        TensorProto.FromString(c.SerializeToString()) for c in graph.initializer if c.name in asked
    ]
    del graph.initializer[:]
    graph.initializer.extend(kept)
