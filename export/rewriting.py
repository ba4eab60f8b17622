"""Graph optimisation: rewrite the exported graph so that onnxruntime runs it faster.

The operators are others, the outputs the same up to rounding.

Each rewriting is an identity, whatever the weights and the picture, its border too. Together they
save an eighth of the time on one thread in onnxruntime's blocked layout, nearly all of it in the
3 x 3 convolutions at stride 8, which take half of the time there and run as fast as the processor
multiplies: only fewer multiplications help. In the layout of an Arm board (:mod:`bench.layouts`)
they save next to nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from edge.vision.contract import HEAT_NAME, INPUT_NAME, SIDES_NAME
from export.graph import Writer, attributes, conv_behind, drop_unused, made_by, replace, values
from export.sizes import name_sizes

PLAIN = {
    "kernel_shape": [3, 3],
    "strides": [1, 1],
    "pads": [1, 1, 1, 1],
    "dilations": [1, 1],
    "group": 1,
}
"""Attributes of a convolution that :func:`halve_columns` can rewrite."""


def rewrite(model: ModelProto, halve: bool = True) -> None:
    """Rewrite a model of ours in place; one that is rewritten already stays as it is.

    *halve*: whether by Winograd's F(2, 3) too, whose sums take more bits than what is summed.
    """
    fold_gain(model.graph)
    pool_globally(model.graph)
    if halve:
        halve_columns(model.graph)
    drop_unused(model.graph)
    name_sizes(model.graph)


def fold_gain(graph: GraphProto) -> None:
    """Fold the gain of the normalisation into the first convolution's weights; the mean stays.

    The mean cannot go there: the convolution pads the picture with zeros, which are the mean in
    normalised numbers. The bytes become floats before they change places, which is quicker.
    """
    first = next(node for node in graph.node if node.op_type == "Conv")
    before = [first]
    while before[0].input[0] != INPUT_NAME:
        before.insert(0, made_by(graph, before[0].input[0]))
    if [node.op_type for node in before] == ["Cast", "Transpose", "Sub", "Conv"]:
        return
    gain, offset = _normalisation(graph, before)
    new = Writer(graph, "picture")
    planes = new.node(
        "Transpose", new.node("Cast", INPUT_NAME, to=TensorProto.FLOAT), perm=[0, 3, 1, 2]
    )
    x = new.node(
        "Sub", planes, new.constant((-offset / gain).reshape(1, 3, 1, 1).astype(np.float32))
    )
    weight = values(graph, first.input[1]) * gain.reshape(1, 3, 1, 1)
    conv = NodeProto()
    conv.CopyFrom(first)
    conv.input[:2] = [x, new.constant(weight.astype(np.float32))]
    replace(graph, before, [*new.nodes, conv], first)


def _normalisation(
    graph: GraphProto, nodes: Sequence[NodeProto]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gain and then the offset that *nodes* apply to each colour."""
    gain, offset = np.ones(3), np.zeros(3)
    for node in nodes:
        number = (
            values(graph, node.input[1]).reshape(3)
            if node.op_type in ("Add", "Sub", "Mul", "Div")
            else 0.0
        )
        match node.op_type:
            case "Add":
                offset = offset + number
            case "Sub":
                offset = offset - number
            case "Mul":
                gain, offset = gain * number, offset * number
            case "Div":
                gain, offset = gain / number, offset / number
    return gain, offset


def pool_globally(graph: GraphProto) -> None:
    """Replace a mean over rows and columns by GlobalAveragePool.

    onnxruntime then keeps its own order of channels.
    """
    for node in graph.node:
        if node.op_type == "ReduceMean" and list(values(graph, node.input[1])) in (
            [2, 3],
            [-2, -1],
            [-1, -2],
        ):
            node.op_type = "GlobalAveragePool"
            del node.input[1:], node.attribute[:]


def halve_columns(graph: GraphProto) -> None:
    """Rewrite the last 3 x 3 convolutions by Winograd's F(2, 3): 12 multiplications in place of 18.

    The count is for each pair of columns. Source: Winograd's F(2, 3), as in Lavin and Gray, *Fast
    Algorithms for Convolutional Neural Networks* (2016), along rows only. Even and odd columns stay
    apart from the first of these convolutions up to the output. There is an even number of columns,
    as the picture's sides are multiples of 16.
    """
    heads = [conv_behind(graph, name) for name in (HEAT_NAME, SIDES_NAME)]
    layers = layers_before(graph, heads[0].input[0])
    if not layers:
        return
    new = Writer(graph, "columns")
    even, odd = _layer(new, _sums_of_whole(new, layers[0][0]), layers[0][0])
    for conv, _ in layers[1:]:
        even, odd = _layer(new, _sums_of_halves(new, even, odd, conv), conv)
    _answer(new, even, odd, heads)
    replace(graph, [node for pair in layers for node in pair] + heads, new.nodes, heads[0])


def layers_before(graph: GraphProto, name: str) -> list[tuple[NodeProto, NodeProto]]:
    """Return the chain of 3 x 3 convolutions, each with its Relu, that ends with *name*."""
    layers: list[tuple[NodeProto, NodeProto]] = []
    while (relu := made_by(graph, name)).op_type == "Relu":
        conv = made_by(graph, relu.input[0])
        if conv.op_type != "Conv" or not PLAIN.items() <= attributes(conv).items():
            break
        layers.insert(0, (conv, relu))
        name = conv.input[0]
    return layers


def _sums_of_whole(new: Writer, conv: NodeProto) -> list[str]:
    """Add the four input sums of F(2, 3) for each pair of neighbouring columns.

    With columns a and c before and after the pair (b0, b1): a - b1, b0 + b1, b1 - b0, b0 - c.
    """
    x, channels = conv.input[0], values(new.graph, conv.input[1]).shape[1]
    return [
        new.along(x, (1, 0, -1), channels, left=1, stride=2),
        new.along(x, (1, 1), channels, stride=2),
        new.along(x, (-1, 1), channels, stride=2),
        new.along(x, (1, 0, -1), channels, right=1, stride=2),
    ]


def _sums_of_halves(new: Writer, even: str, odd: str, conv: NodeProto) -> list[str]:
    """Add the same four sums where even and odd columns stand apart."""
    channels = values(new.graph, conv.input[1]).shape[1]
    return [
        new.along(odd, (1, -1), channels, left=1),
        new.node("Add", even, odd),
        new.node("Add", new.along(even, (-1,), channels), odd),
        new.along(even, (1, -1), channels, right=1),
    ]


def _layer(new: Writer, sums: Sequence[str], conv: NodeProto) -> tuple[str, str]:
    """Add convolution and Relu; returns even and odd columns.

    The order of additions lets onnxruntime fuse all but one.
    """
    weight = values(new.graph, conv.input[1]).astype(np.float64)
    left, middle, right = (weight[..., i : i + 1] for i in range(3))
    bias, pads = conv.input[2], [1, 0, 1, 0]
    plus = new.conv(sums[1], (left + middle + right) / 2, pads=pads)
    minus = new.conv(sums[2], (left - middle + right) / 2, pads=pads)
    outer = new.conv(sums[0], left, bias, pads=pads), new.conv(sums[3], -right, bias, pads=pads)
    inner = (
        new.node("Add", plus, minus),
        new.node("Add", new.along(minus, (-1,), len(weight)), plus),
    )
    even, odd = (new.node("Relu", new.node("Add", a, b)) for a, b in zip(outer, inner, strict=True))
    return even, odd


def _answer(new: Writer, even: str, odd: str, heads: Sequence[NodeProto]) -> None:
    """Add one convolution for all *heads*, 1 x 1 and of one input, and interleave the columns."""
    weight = np.concatenate([values(new.graph, head.input[1]) for head in heads]).astype(np.float64)
    bias = new.constant(np.concatenate([values(new.graph, head.input[2]) for head in heads]))
    last = new.constant(np.array([4]))
    pair = [new.node("Unsqueeze", new.conv(columns, weight, bias), last) for columns in (even, odd)]
    rows = new.node(
        "Reshape", new.node("Concat", *pair, axis=4), new.constant(np.array([0, 0, 0, -1]))
    )
    sizes = new.constant(np.array([len(values(new.graph, head.input[1])) for head in heads]))
    outputs = [head.output[0] for head in heads]
    new.nodes.append(
        helper.make_node("Split", [rows, sizes], outputs, f"{new.topic}.split", axis=1)
    )
