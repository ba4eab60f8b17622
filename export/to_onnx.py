"""Write a run as an ONNX file: uint8 picture in, dense heat and sides out, contract in metadata."""

import dataclasses
import itertools
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.utils.fusion import fuse_conv_bn_eval

from edge.errors import InputError
from edge.files import atomic_replace, make_folder
from edge.printing import print_line
from edge.vision.contract import (
    HEAT_NAME,
    INPUT_NAME,
    METADATA_KEY,
    SIDES_NAME,
    STRIDE,
    VERSION,
    Contract,
)
from edge.vision.golden import GoldenSet
from edge.vision.localizer import Localizer
from export.attached import attach_proof, photographs_text
from export.parity import Parity, check_parity
from export.ready import assessed_of, check_ready, threshold_for
from export.rewriting import rewrite
from export.sealing import seal
from train.network import checkpoint
from train.network.checkpoint import Checkpoint
from train.network.held_out import read_held_out
from train.network.model import DenseLocalizer

OPSET = 18
FLOAT = "fp32"
PRECISION_KEY = "stampgate.precision"
"""Key of the metadata under which a file of lower precision says what its gate found."""
PRECISIONS = (FLOAT, "fp16", "int8")
"""Choices of ``--precision``."""
MAX_SIDE = 4096
"""Longest side of a picture that the graph takes, in pixels."""
DOCUMENT = "Stampgate localizer. How to feed and read it: metadata_props, key " + METADATA_KEY


class Deployed(nn.Module):
    """The network as it is exported: scores instead of logits, batch norm folded."""

    def __init__(self, net: DenseLocalizer) -> None:
        """Take over *net*, which is changed."""
        super().__init__()
        self.net = plain_means(fold_batch_norm(net.eval()))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Return heat in 0..1 and sides in strides of *picture*, (n, height, width, 3) uint8."""
        logits, sides = self.net(picture)
        return torch.sigmoid(logits), sides


def fold_batch_norm(net: nn.Module) -> nn.Module:
    """Fold each batch norm into the convolution run just before it, in place.

    Which one that is follows from torchvision's own habit, checked by the parity test: the two
    stand next to each other in the order of registration, and their channels agree.
    """
    for parent in net.modules():
        children = list(parent.named_children())
        for (conv_name, conv), (norm_name, norm) in itertools.pairwise(children):
            if (
                isinstance(conv, nn.Conv2d)
                and isinstance(norm, nn.BatchNorm2d)
                and conv.out_channels == norm.num_features
            ):
                setattr(parent, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, norm_name, nn.Identity())
    return net


class Mean(nn.Module):
    """Mean over rows and columns; adaptive pooling to one cell becomes ten nodes of the graph."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of (n, channels, rows, columns) as (n, channels, 1, 1)."""
        return x.mean((2, 3), keepdim=True)


def plain_means(net: nn.Module) -> nn.Module:
    """Replace pooling to one cell, as in squeeze-excite, by :class:`Mean`, in place."""
    for parent in net.modules():
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size == 1:
                setattr(parent, name, Mean())
    return net


def contract_of(kept: Checkpoint, run_digest: str) -> Contract:
    """Return the contract of a trained run. Raises InputError when it has no threshold."""
    if kept.threshold is None:
        raise InputError(
            "the run was cut off before its threshold was set; "
            "finish it with 'stampgate train --resume' and its --out"
        )
    size, plan = kept.config.fit.size, kept.config.two_look_plan
    return Contract(
        version=VERSION,
        input_width=size,
        input_height=size,
        resize="letterbox",
        colour="rgb",
        strides=(STRIDE,),
        classes=kept.config.classes,
        threshold=round(kept.threshold, 4),
        second_side=plan.second_side,
        second_px=plan.second_px,
        second_from=plan.second_from,
        second_weight=plan.second_weight,
        second_offset=plan.second_offset,
        mark_px=mark_px_of(kept),
        run_digest=run_digest,
    )


def mark_px_of(kept: Checkpoint) -> tuple[float, float]:
    """Return the least and greatest longer side of the run's painted marks, in network pixels."""
    size, synth = kept.config.fit.size, kept.config.synth
    return round(size * synth.size_min, 1), round(size * synth.size_max, 1)


def to_onnx(kept: Checkpoint, contract: Contract, halve: bool = True) -> onnx.ModelProto:
    """Translate the network and optimise its graph; onnx.checker checks it.

    It has no metadata yet: :func:`export.sealing.seal` puts them in. *halve*: as of
    :func:`export.rewriting.rewrite`.
    """
    model = Deployed(kept.network())
    # Two, as an example of one would fix the number.
    pictures = torch.zeros(2, contract.input_height, contract.input_width, 3, dtype=torch.uint8)
    sides = {
        1: 16 * Dim("rows_16", min=2, max=MAX_SIDE // 16),
        2: 16 * Dim("columns_16", min=2, max=MAX_SIDE // 16),
    }
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter warns about its own internals; onnx.checker and parity judge it.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            (pictures,),
            dynamo=True,
            dynamic_shapes=({0: Dim("n"), **sides},),
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[HEAT_NAME, SIDES_NAME],
            verbose=False,
        )
    if program is None:
        raise AssertionError("the exporter returned nothing")
    proto: onnx.ModelProto = program.model_proto
    strip(proto)
    rewrite(proto, halve)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def strip(proto: onnx.ModelProto) -> None:
    """Drop the exporter's debugging data, paths of source files among it; name the file's kind."""
    del proto.metadata_props[:]
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    graph = proto.graph
    for value in (*graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""
    del proto.graph.metadata_props[:]
    del proto.functions[:]
    proto.producer_name, proto.producer_version, proto.doc_string = "stampgate", "", DOCUMENT


@dataclasses.dataclass(frozen=True)
class Exported:
    """The file that was written, what is in it, its size in bytes, and its parity with torch.

    *proof*: what its summary of a proof says, empty when it has none. The parity is that of the
    float graph; one of lower precision is made from that, and judged by its gate.
    """

    path: Path
    contract: Contract
    size: int
    parity: Parity
    golden: GoldenSet
    proof: str


def export_run(
    run: Path,
    out: Path,
    threshold: float | None = None,
    anyway: bool = False,
    proof: Path | None = None,
    precision: str = FLOAT,
    tell: Callable[[str], None] = print_line,
) -> Exported:
    """Export a run's folder to *out*, sealed and atomically, after onnx.checker and parity check.

    Its golden pictures are held-out pictures of the run, and the box's localizer must judge them.

    *threshold*: in place of the run's own; *anyway*: also when the run is not ready to be tried,
    though never one that does not find its mark pasted plainly; *proof*: a folder of ``stampgate
    prove`` whose summary travels in the file; *precision*: one of :data:`PRECISIONS`, of which the
    lower ones must pass the decision gate (:mod:`export.precision`); *tell*: hears what that says.
    Raises InputError when the run cannot be used, the proof is of another model or the file cannot
    be written, UsageError for a threshold that is too low, ModelError when a check fails.
    """
    kept = checkpoint.load(run)
    kept = dataclasses.replace(kept, threshold=threshold_for(kept, threshold))
    check_ready(kept, run, anyway)
    assessed = assessed_of(kept, anyway)
    contract = dataclasses.replace(contract_of(kept, checkpoint.digest(run)), assessed=assessed)
    make_folder(out.parent)
    proto = to_onnx(kept, contract, halve=precision == FLOAT)
    parity = check_parity(kept, Localizer.unproven(out, proto.SerializeToString(), contract), run)
    held_out = {f"held-out {i}": picture for i, picture in enumerate(read_held_out(run), 1)}
    texts = photographs_text(run)
    if precision != FLOAT:
        proto, texts[PRECISION_KEY] = _reduced(proto, contract, precision, kept, tell)
    content = seal(proto, contract, held_out, texts)
    content = content if proof is None else attach_proof(content, proof)
    with atomic_replace(out) as temporary:
        temporary.write_bytes(content)
        sealed = Localizer(temporary)
    return Exported(out, contract, len(content), parity, sealed.golden, sealed.proof)


def _reduced(
    proto: onnx.ModelProto,
    contract: Contract,
    precision: str,
    kept: Checkpoint,
    tell: Callable[[str], None],
) -> tuple[onnx.ModelProto, str]:
    """Return the graph in lower precision, and what its metadata say. Raises ModelError."""
    from export.precision.reducing import reduce_precision  # noqa: PLC0415 - slow to import
    from train.assess.frozen_pictures import FrozenPictures  # noqa: PLC0415 - the same

    made = reduce_precision(proto, contract, precision, FrozenPictures.of(kept), tell)
    onnx.checker.check_model(made.model)
    strip(made.model)
    return made.model, made.text
