"""Count the operators of a graph as onnxruntime optimises it, fused activations told apart."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import onnxruntime

from bench.layouts import Entries
from edge.errors import ModelError
from edge.vision.protobuf import Field, fields

GRAPH, NODE = 7, 1
"""Fields of ModelProto and GraphProto (onnx.proto)."""
OP_TYPE, ATTRIBUTE, DOMAIN = 4, 5, 7
"""Fields of NodeProto."""
NAME, TEXT = 1, 4
"""Fields of AttributeProto."""
SHORT = {"com.microsoft.nchwc": "nchwc."}
"""Domains whose operators have names that others have, too."""
Census = Counter[str]


def census(model: Path, entries: Entries) -> Census:
    """Count the operators of *model* once this machine's onnxruntime has optimised it.

    Keys are operators, a fused activation in brackets: ``FusedConv[Relu]``; those of the blocked
    layout begin with ``nchwc.``. Raises ModelError when onnxruntime cannot load it.
    """
    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        _optimise(model, entries, optimised)
        return count(optimised.read_bytes())


def _optimise(model: Path, entries: Entries, out: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # it warns that the file is for this kind of processor only
    options.optimized_model_filepath = str(out)
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    try:
        onnxruntime.InferenceSession(
            model.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no public base
        line = " ".join(str(error).split())[:160]
        raise ModelError(
            f"{model}: not an ONNX model that can be loaded ({line}); name another"
        ) from None


def count(content: bytes) -> Census:
    """Count the operators of the ONNX file that holds *content*, as it is."""
    counted: Census = Counter()
    for graph in _inside(content, None, GRAPH):
        for node in _inside(content, graph, NODE):
            counted[_operator(content, node)] += 1
    return counted


def _operator(content: bytes, node: Field) -> str:
    (kind,) = (_text(content, field) for field in _inside(content, node, OP_TYPE))
    domain = "".join(_text(content, field) for field in _inside(content, node, DOMAIN))
    fused = [
        _text(content, text)
        for attribute in _inside(content, node, ATTRIBUTE)
        if [_text(content, n) for n in _inside(content, attribute, NAME)] == ["activation"]
        for text in _inside(content, attribute, TEXT)
    ]
    return SHORT.get(domain, "") + kind + "".join(f"[{activation}]" for activation in fused)


def _inside(content: bytes, message: Field | None, number: int) -> list[Field]:
    """Return the fields *number* of *message*, of the whole file when None."""
    begin, end = (0, len(content)) if message is None else (message.begin, message.end)
    return [field for field in fields(content, begin, end) if field.number == number]


def _text(content: bytes, field: Field) -> str:
    return content[field.begin : field.end].decode()


def differences(expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """Say operator by operator what is other than expected.

    >>> differences({"FusedConv[Relu]": 2}, {"FusedConv[Relu]": 1, "Relu": 1})
    ['FusedConv[Relu]: 1, not 2', 'Relu: 1, not 0']
    """
    names = sorted({*expected, *found})
    return [
        f"{name}: {found.get(name, 0)}, not {expected.get(name, 0)}"
        for name in names
        if found.get(name, 0) != expected.get(name, 0)
    ]


def table(columns: Mapping[str, Census]) -> str:
    """Show a census beside another: a line for each operator, a column for each name.

    >>> print(table({"file": Counter(Conv=2, Relu=2), "aarch64": Counter({"FusedConv[Relu]": 2})}))
                      file  aarch64
    Conv                 2        -
    FusedConv[Relu]      -        2
    Relu                 2        -
    all                  4        2
    """
    names = sorted({name for column in columns.values() for name in column})
    wide = max(map(len, names), default=0)
    lines = [" " * wide + "".join(f"{name:>{_wide(name)}}" for name in columns)]
    for name in names:
        cells = (f"{c[name] or '-':>{_wide(head)}}" for head, c in columns.items())
        lines.append(f"{name:<{wide}}" + "".join(cells))
    cells = (f"{column.total():>{_wide(head)}}" for head, column in columns.items())
    return "\n".join([*lines, f"{'all':<{wide}}" + "".join(cells)])


def _wide(head: str) -> int:
    return max(len(head) + 2, 7)
