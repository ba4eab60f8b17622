"""Make a model of lower precision from a float one, and let the decision gate judge it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime
from onnx import ModelProto
from tqdm import tqdm

from edge.errors import ModelError
from edge.printing import printable
from edge.vision.contract import Contract
from edge.vision.localizer import Localizer
from export.precision import int8
from export.precision.calibration import Pictures, Ranges, ranges, shown_to_network
from export.precision.choosing import Expected, choose
from export.precision.float16 import halved
from export.precision.gate import GateResult, Pair, compare, judge
from export.precision.int8 import Damage, Layer
from train.assess.frozen_pictures import FrozenPicture, FrozenPictures, Part

PRECISION_KEY = "stampgate.precision"
"""Key of the metadata under which a file of lower precision says what its gate found."""
VERSION = 1
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Reduced:
    """A graph of lower precision that passed its gate.

    *layers*: all that may be quantized, with their damage; *quantized*: those that are. Both are
    empty for fp16.
    """

    model: ModelProto
    precision: str
    gate: GateResult
    layers: tuple[Layer, ...] = ()
    quantized: tuple[Layer, ...] = ()

    @property
    def text(self) -> str:
        """What the file's metadata say of it, as one JSON text."""
        chosen = {layer.node for layer in self.quantized}
        raw: dict[str, Any] = {
            "version": VERSION,
            "precision": self.precision,
            "onnxruntime": onnxruntime.__version__,
            "gate": self.gate.as_object(),
        }
        if self.layers:
            raw["int8"] = [layer.weight for layer in self.layers if layer.node in chosen]
            raw["float"] = [layer.weight for layer in self.layers if layer.node not in chosen]
        return json.dumps(raw, sort_keys=True)


def reduce_precision(
    model: ModelProto,
    contract: Contract,
    precision: str,
    pictures: FrozenPictures,
    tell: Tell,
) -> Reduced:
    """Return *model*, a float graph that stays as it is, in lower *precision*.

    *pictures*: of the run; *tell*: hears each line that is to be printed, the gate's table among
    them. Raises ModelError when the gate refuses, InputError when a picture cannot be read.
    """
    made = _Maker(model, contract, pictures, tell)
    layers, chosen, reduced = made.int8() if precision == "int8" else ((), (), halved(model))
    pairs, share = compare(
        made.exact,
        made.opened(reduced),
        made.shown(Part.JUDGE, "gate"),
    )
    gate = GateResult.of(pairs, contract, share)
    for line in gate.lines():
        tell(line)
    if gate.failures:
        raise ModelError(
            f"--precision {precision}: does not decide as float32 does: "
            f"{'; '.join(gate.failures)}; nothing was written: export without it, or train longer, "
            "so that fewer scores lie near the threshold"
        )
    return Reduced(reduced, precision, gate, layers, chosen)


class _Maker:
    """One reduction: the float model and the pictures that it is compared on."""

    def __init__(
        self, model: ModelProto, contract: Contract, pictures: FrozenPictures, tell: Tell
    ) -> None:
        self.model, self.contract, self.pictures, self.tell = model, contract, pictures, tell
        self.exact = self.opened(model)

    def opened(self, model: ModelProto) -> Localizer:
        """Open a graph as the box does."""
        return Localizer.unproven(Path("the model"), model.SerializeToString(), self.contract)

    def shown(self, part: Part, what: str) -> "tqdm[FrozenPicture]":
        """Return the pictures of a part, with a bar."""
        return tqdm(
            self.pictures.pictures(part),
            desc=printable(what),
            total=self.pictures.count(part),
            unit="picture",
            mininterval=1.0,
        )

    def int8(self) -> tuple[tuple[Layer, ...], tuple[Layer, ...], ModelProto]:
        """Calibrate, measure each layer, and quantize those that may be. Raises ModelError."""
        frames = (one.frame for one in self.shown(Part.CALIBRATE, "calibrate"))
        batches = shown_to_network(self.exact, frames)
        known = ranges(self.model, batches)
        layers = self._measured(known, batches)
        to_choose = [
            (one, judge(self.exact, one.frame)) for one in self.shown(Part.CHOOSE, "choose")
        ]
        total = self.pictures.count(Part.JUDGE)

        def expect(model: ModelProto) -> Expected:
            other = self.opened(model)
            pairs = [Pair(one.kind, exact, judge(other, one.frame)) for one, exact in to_choose]
            return Expected.of(pairs, self.contract.threshold, total)

        choice = choose(
            layers, lambda chosen: int8.quantized(self.model, known, chosen), expect, self.tell
        )
        if choice is None:
            raise ModelError(
                "--precision int8: every layer suffers too much in 8 bits; nothing was written: "
                "export without it"
            )
        self._tell_layers(layers, choice.layers)
        return layers, choice.layers, choice.model

    def _measured(self, known: Ranges, batches: Sequence[Pictures]) -> tuple[Layer, ...]:
        """Return the layers with the damage that each does by itself."""
        step = max(1, len(batches) // int8.MOST_CALIBRATED)
        found = int8.layers(self.model, self.contract)
        try:
            damage = Damage(self.contract, self.exact, batches[::step])
        except ValueError:
            raise ModelError(
                "--precision int8: the model finds nothing likely on its own pictures, so no layer "
                "can be measured; train longer"
            ) from None
        bar = tqdm(int8.measured(self.model, known, found, damage), "layers", len(found))
        return tuple(bar)

    def _tell_layers(self, layers: Sequence[Layer], chosen: Sequence[Layer]) -> None:
        """Tell which layers stay in float, the worst first."""
        kept = [layer for layer in layers if layer not in chosen]
        self.tell("left in float, with how far each alone in int8 moves the logits:")
        for layer in sorted(kept, key=lambda layer: -layer.damage):
            self.tell(f"  {layer.damage:.4f} {layer.weight}")
