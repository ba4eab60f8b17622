"""The float model of a run, or the packaged one, and all that is made of it in lower precision."""

import math
from collections.abc import Mapping
from pathlib import Path

import onnx
from onnx import ModelProto

from edge.config import DEFAULT_MODEL
from edge.vision.contract import METADATA_KEY, Contract
from edge.vision.localizer import Localizer
from export.precision.calibration import ranges, shown_to_network
from export.precision.float16 import halved
from export.precision.int8 import (
    MOST_CALIBRATED,
    Damage,
    Layer,
    layers,
    measured,
    quantized,
    within,
)
from export.rewriting import rewrite
from export.to_onnx import contract_of, to_onnx
from train.assess.frozen_pictures import FrozenPictures, Part
from train.config import FitSettings, RunConfig, SynthSettings
from train.network import checkpoint
from train.paint.inputs import read_inputs

BUDGETS = {"int8, all layers": math.inf, "int8, damage 0.04": 0.04, "int8, damage 0.01": 0.01}
"""How much damage the quantized layers may do together, in logits, by the variant's name."""
FLOAT, HALF = "fp32", "fp16"
ARTWORK = Path("artwork")
PACKAGED = SynthSettings(size_min=0.07, size_max=0.4, marks_max=5, lookalike_share=0.7)
"""How the packaged model's last pictures were painted (docs/evidence.md)."""
Model = tuple[ModelProto, ModelProto, Contract, FrozenPictures]
"""The graph as it is exported in float32, the same without halved columns, its contract, and the
pictures that it is judged on."""


def of_run(run: Path) -> Model:
    """Translate the network of a run. Raises InputError."""
    kept = checkpoint.load(run)
    contract = contract_of(kept, checkpoint.digest(run))
    as_it_is, plain = (to_onnx(kept, contract, halve) for halve in (True, False))
    return as_it_is, plain, contract, FrozenPictures.of(kept)


def of_packaged(backgrounds: Path) -> Model:
    """Take the packaged model, which has no run, and paint with its artwork. Raises InputError."""
    as_it_is, plain = onnx.load(DEFAULT_MODEL), onnx.load(DEFAULT_MODEL)
    texts = {entry.key: entry.value for entry in plain.metadata_props}
    contract = Contract.from_json(texts[METADATA_KEY])
    for model in (as_it_is, plain):
        del model.metadata_props[:]
    rewrite(plain, halve=False)
    config = RunConfig(
        ((contract.classes[0], str(ARTWORK / "qc-tested.png")),),
        str(backgrounds),
        tuple(str(path) for path in sorted((ARTWORK / "lookalikes").glob("*.png"))),
        synth=PACKAGED,
        fit=FitSettings(size=contract.input_width),
    )
    return as_it_is, plain, contract, FrozenPictures(read_inputs(config))


def variants(model: Model) -> tuple[Mapping[str, ModelProto], list[Layer]]:
    """Make every variant, the float one first; returns the layers with their damage, too."""
    as_it_is, plain, contract, pictures = model
    exact = Localizer.unproven(Path("the model"), plain.SerializeToString(), contract)
    shown = shown_to_network(exact, (one.frame for one in pictures.pictures(Part.CALIBRATE)))
    known = ranges(plain, shown)
    damage = Damage(contract, exact, shown[:: max(1, len(shown) // MOST_CALIBRATED)])
    found = list(measured(plain, known, layers(plain, contract), damage))
    made = {FLOAT: as_it_is, HALF: halved(plain)}
    for name, budget in BUDGETS.items():
        if chosen := within(found, budget):
            made[name] = quantized(plain, known, chosen)
    return made, found
