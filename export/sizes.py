"""Shape inference: name the free sizes of every value, so that onnxruntime knows equal ones."""

from collections.abc import Sequence
from fractions import Fraction

from onnx import GraphProto, NodeProto, TensorProto, helper

from edge.vision.contract import INPUT_NAME
from export.graph import attributes, values

Size = int | tuple[str, Fraction]
"""A number, or a part of a size that is free, by name: ("height", 1/8)."""


def name_sizes(graph: GraphProto) -> None:
    """Name the free sizes of every value by the picture's, as in "height / 8".

    onnxruntime cannot divide sizes. Told that two values are of one size it adds one to the other
    inside a convolution, and writes the result where a value lay that is no longer needed.
    """
    (picture,) = graph.input
    given = zip(
        picture.type.tensor_type.shape.dim, ("n", "height", "width", "colours"), strict=True
    )
    known: dict[str, list[Size]] = {
        INPUT_NAME: [dim.dim_value or (name, Fraction(1)) for dim, name in given]
    }
    for node in graph.node:
        sizes = _sizes(graph, node, known)
        parts = (
            [int(part) for part in values(graph, node.input[1])]
            if node.op_type == "Split"
            else sizes[1:2]
        )
        known |= {
            name: [sizes[0], part, *sizes[2:]]
            for name, part in zip(node.output, parts, strict=True)
        }
    outputs = {value.name: value for value in graph.output}
    del graph.value_info[:]
    for name, sizes in known.items():
        kind = TensorProto.UINT8 if name == INPUT_NAME else TensorProto.FLOAT
        info = helper.make_tensor_value_info(name, kind, [_word(size) for size in sizes])
        if name == INPUT_NAME or name in outputs:
            (picture if name == INPUT_NAME else outputs[name]).CopyFrom(info)
        else:
            graph.value_info.append(info)


def _word(size: Size) -> int | str:
    if isinstance(size, int):
        return size
    name, part = size
    return name if part == 1 else f"{name} / {1 / part}"


def _sizes(graph: GraphProto, node: NodeProto, known: dict[str, list[Size]]) -> list[Size]:
    """Return the sizes of a node's output (of a Split's first) from those of its inputs."""
    attribute, x = attributes(node), known[node.input[0]]
    match node.op_type:
        case "Transpose":
            x = [x[axis] for axis in attribute["perm"]]
        case "Conv":
            strides = [Fraction(1, stride) for stride in attribute.get("strides", (1, 1))]
            x = [x[0], len(values(graph, node.input[1])), *_scaled(x[2:], strides)]
        case "MaxPool":
            x = [*x[:2], *_scaled(x[2:], [Fraction(1, stride) for stride in attribute["strides"]])]
        case "GlobalAveragePool":
            x = [*x[:2], 1, 1]
        case "Resize":
            x = _scaled(x, [Fraction(int(scale)) for scale in values(graph, node.input[2])])
        case "Add" | "Mul" if node.input[1] in known:
            x = [b if a == 1 else a for a, b in zip(x, known[node.input[1]], strict=True)]
        case "Unsqueeze":
            x = [*x, 1]
        case "Concat":
            x = [*x[:-1], len(node.input)]
        case "Reshape":
            x = [*x[:3], *_scaled(x[3:4], [Fraction(str(x[4]))])]
    return x


def _scaled(sizes: Sequence[Size], scales: Sequence[Fraction]) -> list[Size]:
    """Return sizes times *scales*, which divide them."""
    return [
        int(size * scale) if isinstance(size, int) else (size[0], size[1] * scale)
        for size, scale in zip(sizes, scales, strict=True)
    ]
