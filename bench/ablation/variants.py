"""The ablations: each variant leaves out or changes one ingredient of the training.

All else stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.errors import UsageError
from train.config import FitSettings, RunConfig
from train.learn.dataset import plan_batch
from train.network import model

DEFAULT = "default"
"""The variant with every ingredient, to which the others are compared."""


@dataclass(frozen=True)
class Variant:
    """One way to train.

    *overrides*: keys of the run's configuration and their values here; *without*: parts that are no
    setting, by their names in :data:`bench.ablation.switches.PARTS`.
    """

    name: str
    sentence: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()


PRINT = {
    # and with it bleeding, specks, smears, partial and double strikes, which are shares of it
    "ink_share": 0.0,
    "colour_jitter": 0.0,
    "opacity_min": 1.0,
    "worn_share": 0.0,
    "soft_share": 0.0,
    "gloss_share": 0.0,
    "lift_share": 0.0,
}
LIGHT = {
    "light_stops": 0.0,
    "white_balance": 0.0,
    "gamma": 0.0,
    "gradient_share": 0.0,
    "shadow_share": 0.0,
    "glare_share": 0.0,
}
CAMERA = {
    "camera_share": 0.0,
    "blur_share": 0.0,
    "motion_share": 0.0,
    "coarse_share": 0.0,
    "noise_share": 0.0,
    "mosaic_share": 0.0,
    "jpeg_share": 0.0,
}


def all_variants(base: FitSettings) -> tuple[Variant, ...]:
    """Every variant of a training with the settings *base*, the default first."""
    last = base.whole_every - 1  # the batch that shows whole frames: as many pixels as the others
    whole = {"window": base.size, "batch": plan_batch(base, last)[1]}
    rate = base.learning_rate
    return (
        Variant(DEFAULT, "everything on"),
        Variant(
            "another-seed", "the same with another seed: what is chance", {"seed": base.seed + 1}
        ),
        Variant("one-look", "the look at the whole frame alone", {"second_side": 0}),
        Variant("no-starter", "from random weights instead of the starter's", {"weights": "none"}),
        Variant("no-lookalikes", "no look-alikes as negatives", {"lookalikes_max": 0}),
        Variant("no-twins", "each picture on a background of its own", without=("twins",)),
        Variant(
            "no-painted-products", "photographs alone behind the marks", {"painted_share": 0.0}
        ),
        Variant("no-print", "no ink, wear, fading, gleam or lifted edge", PRINT),
        Variant("no-light", "no change of exposure, colour, gradient, shadow or glare", LIGHT),
        Variant("no-camera", "no blur, noise, mosaic, JPEG or other resolution", CAMERA),
        Variant(
            "whole-frames", "whole frames instead of windows, as many pixels in a batch", whole
        ),
        Variant("no-ema", "the last weights instead of averaged ones", {"ema": 0.0}),
        Variant("no-warm-up", "the full learning rate from the first step", {"warmup_share": 0.0}),
        Variant(
            "lighter-box-loss",
            "a third of the weight of the box loss",
            {"sides_weight": base.sides_weight / 3},
        ),
        Variant("batch-8", "8 pictures in a batch", {"batch": 8}),
        Variant("half-rate", "half the learning rate", {"learning_rate": rate / 2}),
        Variant("double-rate", "twice the learning rate", {"learning_rate": rate * 2}),
        Variant("no-bfloat16", "neck and head in float32 on the processor", without=("bfloat16",)),
    )


def plan(config: RunConfig, only: Sequence[str]) -> tuple[tuple[Variant, ...], tuple[str, ...]]:
    """The variants to train and those left out here because they would change nothing.

    *only*: names of the wanted ones, all when empty; the default always comes first. Raises
    UsageError for a name that nobody knows.
    """
    known = all_variants(config.fit)
    strange = sorted(set(only) - {variant.name for variant in known})
    if strange:
        raise UsageError(
            f"--only {strange[0]}: must be one of {', '.join(v.name for v in known)}; correct it"
        )
    asked = [v for v in known if not only or v.name in only or v.name == DEFAULT]
    idle = tuple(v.name for v in asked if v.name != DEFAULT and not differs(v, config))
    return tuple(v for v in asked if v.name not in idle), idle


def differs(variant: Variant, config: RunConfig) -> bool:
    """Return whether a variant trains otherwise than *config* does, on this machine."""
    if variant.without == ("bfloat16",):
        return model.HALVES
    settings = {**vars(config.synth), **vars(config.fit)}
    return bool(variant.without) or any(
        settings[key] != value for key, value in variant.overrides.items()
    )
