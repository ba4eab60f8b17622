"""Half precision (fp16): weights and values in 16 bits, the picture and the answer as before."""

import sys

from onnx import ModelProto
from onnxruntime.quantization.onnx_model import ONNXModel

from edge.vision.contract import HEAT_NAME, SIDES_NAME
from export.graph import conv_behind


def halved(model: ModelProto) -> ModelProto:
    """Return *model* in half precision by onnxruntime's converter; *model* stays as it is.

    What comes up to the first convolution, and behind the last ones, stays in float32: a grey level
    is a half number with few bits left. Where a processor has no half precision, onnxruntime
    computes in float32 from weights that were rounded.
    """
    before = list(sys.path)
    from onnxruntime.transformers.float16 import (  # noqa: PLC0415
        convert_float_to_float16,
    )

    sys.path[:] = before  # that package adds its own folder
    copy = ModelProto.FromString(model.SerializeToString())
    made: ModelProto = convert_float_to_float16(
        copy, keep_io_types=True, node_block_list=_kept(copy)
    )
    ONNXModel(made).topological_sort()  # it appends what it adds
    return made


def _kept(model: ModelProto) -> list[str]:
    """Return the nodes up to the first convolution, and behind the answer's."""
    graph = model.graph
    first = next(n for n, node in enumerate(graph.node) if node.op_type == "Conv")
    behind = {conv_behind(graph, name).output[0] for name in (HEAT_NAME, SIDES_NAME)}
    kept = [node.name for node in graph.node[: first + 1]]
    for node in graph.node[first + 1 :]:
        if node.input[0] in behind:
            kept.append(node.name)
            behind.add(node.output[0])
    return kept
