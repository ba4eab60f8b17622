"""Settings of a training run: every number that can be set, with unit, range and a sentence.

A run writes them all into its ``config.toml``. The painters draw further numbers, such as the
strength of a sticker's gleam, from ranges that are no settings: those are constants of the modules
that docs/training.md names, and changing one changes the program.
"""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any

from edge.errors import ConfigError
from edge.settings import read_section, sample_section, setting, shown, toml_value
from edge.strict_json import each_once
from edge.vision.contract import STRIDE, TwoLookPlan

BACKBONES = (
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "mobilenet_v2",
    "resnet18",
    "resnet34",
    "resnet50",
)
"""torchvision backbones; :mod:`train.network.torchvision_models` takes each apart."""
WEIGHTS = ("starter", "imagenet", "none")
"""Initial weights: those shipped with stampgate, torchvision's ImageNet weights, or random ones."""
STARTER_NETWORK = "mobilenet_v3_small"
"""The one network that the shipped weights are for."""
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
"""Floating-point formats of training; *auto* is the best a GPU has, and float32 on a processor."""


def _share(default: float, sentence: str) -> float:
    """Declare a chance or a share of 0 to 1."""
    declared: float = setting(default, sentence, at_least=0.0, at_most=1.0)
    return declared


@dataclass(frozen=True)
class SynthSettings:
    """Augmentation: how a training picture is painted; lengths are shares of it, or say pixels."""

    # what is on a picture
    negative_share: float = setting(
        0.25, "share of pictures without any mark", at_least=0.0, at_most=0.9
    )
    marks_max: int = setting(5, "most marks in one picture", at_least=1, at_most=20)
    lookalikes_max: int = setting(3, "most look-alikes in one picture", at_least=0, at_most=20)
    lookalike_share: float = _share(0.55, "chance of each of them")
    given_share: float = _share(
        0.5, "share of look-alikes that are those brought along, where there are any"
    )
    piece_share: float = _share(
        0.25, "share of the other look-alikes that are mark-shaped pieces of photographs"
    )
    mine: tuple[str, ...] = setting(
        (), "numbers or kinds, as in lookalikes.png, of look-alikes that are the mark after all"
    )
    legible_px: float = setting(
        36.0,
        "a look-alike whose longer side has fewer network pixels is ignored: it could be a mark",
        at_least=0.0,
        at_most=1000.0,
    )
    keep_bearing: bool = setting(
        False, "train on photographs too in which the mark was found before training"
    )
    painted_share: float = _share(
        0.15, "share of pictures on painted products, which are full of print"
    )
    plain_share: float = _share(
        0.0, "share of pictures with the product on plain, mostly white ground"
    )
    # how a mark lies
    size_min: float = setting(
        0.045, "smallest mark, its longer side as a share of the frame's", above=0.0, at_most=1.0
    )
    size_max: float = setting(
        0.6, "largest mark, its longer side as a share of the frame's", above=0.0, at_most=1.0
    )
    smallest_px: float = setting(
        12.0,
        "a mark whose shorter side has fewer network pixels is ignored",
        at_least=0.0,
        at_most=1000.0,
    )
    softness_cost: float = setting(
        0.5,
        "how much larger either must be for each network pixel of blur, as a share",
        at_least=0.0,
        at_most=10.0,
    )
    rotation_deg: float = setting(
        45.0, "greatest rotation either way, in degrees", at_least=0.0, at_most=180.0
    )
    turned_share: float = _share(0.2, "chance that a mark is rotated by any angle")
    perspective: float = setting(
        0.18, "greatest shift of a corner, as a share of the mark", at_least=0.0, at_most=0.4
    )
    squeeze: float = setting(
        0.5, "greatest foreshortening of width or height", at_least=0.0, at_most=0.7
    )
    curve_share: float = _share(0.15, "chance that a mark lies round a bottle or can")
    curve_deg: float = setting(
        110.0, "most of the bottle that it covers, in degrees", above=0.0, at_most=150.0
    )
    cut_share: float = _share(0.1, "chance that the frame may cut a mark")
    occlusion_share: float = _share(0.2, "chance that a hand or a label hides a part of a mark")
    visible_min: float = _share(0.45, "a mark less visible than this is ignored")
    contrast_min: float = setting(
        18.0,
        "a mark that differs from what lies below it by fewer grey levels is ignored",
        at_least=0.0,
        at_most=255.0,
    )
    # how a mark is made
    inks: tuple[str, ...] = setting(
        (), "names of marks that are ink without a ground, where the guess is wrong"
    )
    stickers: tuple[str, ...] = setting(
        (), "names of marks that bring their own ground, where the guess is wrong"
    )
    plate_share: float = _share(
        0.5, "chance that a mark without a ground of its own lies on a plain plate with other print"
    )
    other_colours_share: float = _share(
        0.35, "chance that a one-coloured mark without a ground is printed in other colours"
    )
    colour_jitter: float = _share(0.25, "greatest change of a mark's own brightness, contrast, hue")
    opacity_min: float = setting(0.7, "least opacity of a mark", above=0.0, at_most=1.0)
    worn_share: float = _share(0.3, "chance that a mark is worn unevenly")
    soft_share: float = _share(0.5, "chance that a mark is softer than the picture around it")
    ink_share: float = _share(0.2, "chance that a mark is printed (multiplied) and not stuck on")
    bleed_share: float = _share(0.15, "share of printed marks whose ink has run")
    speckle_share: float = _share(
        0.15, "share of printed marks on rough ground, which takes ink in spots"
    )
    smear_share: float = _share(0.08, "share of printed marks that were touched while wet")
    partial_share: float = _share(0.12, "share of printed marks of which a part was not printed")
    partial_max: float = setting(
        0.35, "greatest part that was not printed", at_least=0.0, at_most=0.9
    )
    double_share: float = _share(0.06, "share of printed marks that were struck twice")
    gloss_share: float = _share(0.12, "share of stickers with a gleam on them")
    lift_share: float = _share(0.1, "share of stickers with a lifted edge and its shadow")
    # light
    light_stops: float = setting(
        1.0, "greatest change of the exposure either way, in stops", at_least=0.0, at_most=4.0
    )
    white_balance: float = setting(
        0.15, "greatest gain or loss of a colour channel", at_least=0.0, at_most=0.6
    )
    gamma: float = _share(
        0.25, "greatest change of the curve of grey levels, as a power of e either way"
    )
    gradient_share: float = _share(0.25, "chance that the light falls off across the picture")
    shadow_share: float = _share(0.1, "chance that something casts a shadow on the picture")
    glare_share: float = _share(0.06, "chance that a lamp is mirrored in the picture")
    # lens and sensor
    camera_share: float = _share(
        0.5, "chance that the camera's pixels are not just as large as the network's"
    )
    camera_min: float = setting(
        0.55,
        "coarsest camera, its pixels per pixel of the network's input",
        at_least=0.2,
        at_most=4.0,
    )
    camera_max: float = setting(
        1.4, "finest camera, its pixels per pixel of the network's input", at_least=0.2, at_most=4.0
    )
    blur_share: float = _share(0.45, "chance that the picture is out of focus")
    blur_px: float = setting(
        1.6,
        "greatest defocus of the picture, Gaussian radius in camera pixels",
        at_least=0.0,
        at_most=10.0,
    )
    motion_share: float = _share(
        0.1, "chance that a picture in focus is smeared by the belt's motion"
    )
    motion_px: float = setting(
        5.0, "longest such smear, in camera pixels", at_least=1.0, at_most=40.0
    )
    belt_deg: float = setting(
        0.0,
        "direction of the belt in the picture, in degrees from its x axis",
        at_least=-180.0,
        at_most=180.0,
    )
    belt_spread_deg: float = setting(
        90.0,
        "greatest deviation from it, in degrees; 90 is any direction",
        at_least=0.0,
        at_most=90.0,
    )
    coarse_share: float = _share(0.1, "chance that a coarser picture is enlarged to the camera's")
    coarse_max: float = setting(2.2, "greatest such enlargement", at_least=1.0, at_most=8.0)
    noise_share: float = _share(0.5, "chance that the sensor's noise can be seen")
    noise_levels: float = setting(
        10.0, "greatest deviation of the sensor's noise, in grey levels", at_least=0.0, at_most=60.0
    )
    mosaic_share: float = _share(
        0.25, "chance that the sensor saw one colour a pixel (Bayer) and the others are guessed"
    )
    jpeg_share: float = _share(0.6, "chance that the picture was saved as JPEG")
    jpeg_min: int = setting(35, "worst JPEG quality", at_least=5, at_most=95)


@dataclass(frozen=True)
class FitSettings:
    """Training of the network."""

    backbone: str = setting("mobilenet_v3_small", "torchvision backbone", choices=BACKBONES)
    width: float = setting(
        1.0,
        "width of a MobileNet backbone, as a multiple of its usual channels",
        at_least=0.1,
        at_most=4.0,
    )
    weights: str = setting(
        "starter",
        "initial weights; starter is shipped, imagenet is torchvision's and is downloaded",
        choices=WEIGHTS,
    )
    size: int = setting(
        416,
        "side of the network's square input, in pixels, a multiple of 32",
        at_least=96,
        at_most=1280,
    )
    window: int = setting(
        256,
        "side of the part of it that most training pictures show, in pixels",
        at_least=96,
        at_most=1280,
    )
    whole_every: int = setting(
        6, "every so many batches, one shows whole frames", at_least=1, at_most=1000
    )
    batch: int = setting(16, "pictures of that window in a batch", at_least=2, at_most=512)
    minutes: float = setting(
        20.0, "time to train, in minutes; 0 counts steps instead", at_least=0.0, at_most=10080.0
    )
    steps: int = setting(
        0, "steps to train; 0 counts minutes instead", at_least=0, at_most=10_000_000
    )
    learning_rate: float = setting(0.002, "peak learning rate of AdamW", above=0.0, at_most=1.0)
    weight_decay: float = setting(0.02, "weight decay of AdamW", at_least=0.0, at_most=1.0)
    warmup_share: float = setting(
        0.04, "share of the run in which the learning rate rises", at_least=0.0, at_most=0.5
    )
    ema: float = setting(
        0.998,
        "decay per step of the exponential moving average of the weights, which is exported",
        at_least=0.0,
        at_most=0.99999,
    )
    freeze_stages: int = setting(
        0,
        "first stages of the backbone that do not learn until unfreeze_share",
        at_least=0,
        at_most=4,
    )
    unfreeze_share: float = setting(
        1.0,
        "share of the run after which frozen stages learn too; 1 never frees them",
        at_least=0.0,
        at_most=1.0,
    )
    precision: str = setting(
        "auto", "floating-point format of training; auto is the GPU's best", choices=PRECISIONS
    )
    real_share: float = setting(
        0.2,
        "share of pictures made from real labelled photographs, where there are any",
        at_least=0.0,
        at_most=1.0,
    )
    sides_weight: float = setting(
        3.0, "weight of the box loss beside the heat loss", at_least=0.0, at_most=100.0
    )
    clip_norm: float = setting(10.0, "greatest norm of the gradient", above=0.0, at_most=1000.0)
    seed: int = setting(0, "seed of everything random", at_least=0, at_most=2**31 - 1)
    workers: int = setting(
        2, "processes that paint pictures; 0 paints in the training process", at_least=0, at_most=64
    )
    threads: int = setting(0, "cores for the network; 0 takes all", at_least=0, at_most=256)
    validate_share: float = setting(
        0.2,
        "share of the run between two validations on held-out pictures; 0 never validates",
        at_least=0.0,
        at_most=1.0,
    )
    patience: int = setting(
        0,
        "early stopping: validations without a lower loss after which the run ends; 0 trains on",
        at_least=0,
        at_most=1000,
    )
    tensorboard: bool = setting(
        False, "write curves and pictures for TensorBoard into the run's folder"
    )
    second_side: int = setting(
        112,
        "side of the crop of a likely mark that a second look takes, in pixels, a multiple of 16; "
        "0 takes one look at the whole frame",
        at_least=0,
        at_most=512,
    )
    second_px: int = setting(
        88,
        "longer side of the likely mark in that crop, in pixels",
        at_least=8,
        at_most=512,
    )
    second_from: float = setting(
        0.2,
        "least score of the first look at which a second one is taken",
        at_least=0.0,
        at_most=0.99,
    )
    second_weight: float = setting(
        2.0,
        "weight of the second look's score beside the first one's",
        at_least=0.0,
        at_most=100.0,
    )
    second_offset: int = setting(
        STRIDE // 2,
        "how far right of and below the middle of that crop the likely mark's centre comes, in "
        "pixels; 4 is the middle of a cell",
        at_least=0,
        at_most=STRIDE // 2,
    )
    held_out_share: float = setting(
        0.1, "share of the products held out for setting the threshold", above=0.0, at_most=0.5
    )
    false_accept_rate: float = setting(
        0.002,
        "greatest rate of photographs without a mark that the threshold may accept",
        above=0.0,
        at_most=0.5,
    )
    confidence: float = setting(
        0.95,
        "confidence with which the photographs must show that rate",
        at_least=0.5,
        at_most=0.9999,
    )
    lookalike_rate: float = setting(
        0.01, "rate of look-alikes accepted that the threshold aims at", above=0.0, at_most=0.5
    )
    least_found: float = setting(
        0.97,
        "share of painted marks under nominal conditions that the threshold must still find, for "
        "the rate of look-alikes",
        at_least=0.0,
        at_most=1.0,
    )

    @property
    def network(self) -> str:
        """Return the name of the backbone, with its width where that is not 1.

        >>> FitSettings(backbone="mobilenet_v2", width=0.5).network
        'mobilenet_v2:0.5'
        """
        return self.backbone if self.width == 1.0 else f"{self.backbone}:{self.width:g}"


WHERE = "checkpoint:"
"""How messages about a run's own configuration begin."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{shown(value)} is no text")
    return value


def _section(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{shown(value)} is no section")
    return value


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a training run; saved in its checkpoint."""

    marks: tuple[tuple[str, str], ...]
    """Class name and path of each mark, in the order given."""
    backgrounds: str
    """Folder of photographs; empty for painted products."""
    lookalikes: tuple[str, ...] = ()
    """Paths of pictures of what must not be taken for a mark: other stamps in use, say."""
    real: tuple[str, ...] = ()
    """Labels of real photographs and the folder of those photographs; empty when there are none."""
    synth: SynthSettings = field(default_factory=SynthSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    recipe: str = "stamp"
    """Name of the recipe that the settings were set out from (:mod:`train.recipes`)."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names, each once, in the order given; the index is the channel."""
        return tuple(dict.fromkeys(name for name, _ in self.marks))

    @property
    def two_look_plan(self) -> TwoLookPlan:
        """Return how the trained network looks at a frame: once, or a second time at each crop.

        A second look shows a mark at a size that training showed marks at: the boxes of larger ones
        are bad (median IoU 0.58 in place of 0.89, measured with marks of 35 to 61 pixels shown at
        80).
        """
        fit = self.fit
        least, most = 1.25 * self.synth.size_min * fit.size, 0.8 * self.synth.size_max * fit.size
        px = max(1, round(min(max(fit.second_px, least), most)))
        room = fit.second_side / fit.second_px
        side = max(fit.second_side, 16 * math.ceil(px * room / 16)) if fit.second_side else 0
        return TwoLookPlan(
            self.classes,
            fit.size,
            fit.size,
            side,
            px,
            fit.second_from,
            fit.second_weight,
            fit.second_offset,
        )

    def to_json(self) -> str:
        """Return the configuration as one JSON text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "RunConfig":
        """Read what :meth:`to_json` wrote and check it like any settings. Raises ConfigError."""
        try:
            raw: dict[str, Any] = json.loads(text, object_pairs_hook=each_once)
            pairs = [(_text(name), _text(path)) for name, path in raw["marks"]]
            backgrounds = _text(raw["backgrounds"])
            lookalikes = tuple(map(_text, raw["lookalikes"]))
            real = tuple(map(_text, raw.get("real", ())))
            recipe = _text(raw.get("recipe", "stamp"))
            sections = _section(raw["synth"]), _section(raw["fit"])
            # Runs of earlier releases set their threshold with the mark in the middle.
            sections[1].setdefault("second_offset", 0)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            what = f"{type(error).__name__}: {error}"[:80]
            raise ConfigError(f"{WHERE} must be what a run wrote ({what}); train again") from None
        return cls(
            tuple(pairs),
            backgrounds,
            lookalikes,
            real,
            read_section(SynthSettings, sections[0], f"{WHERE} [synth]"),
            read_section(FitSettings, sections[1], f"{WHERE} [fit]"),
            recipe,
        )

    def to_toml(self) -> str:
        """Return the configuration for people: the inputs, then both sections, commented.

        Raises ConfigError when a path is not UTF-8.
        """
        head = f"marks = {toml_value(self.marks)}\nbackgrounds = {toml_value(self.backgrounds)}\n"
        head += f"lookalikes = {toml_value(self.lookalikes)}\nreal = {toml_value(self.real)}\n"
        head += f"recipe = {toml_value(self.recipe)}\n"
        return "\n".join(
            (head, sample_section("synth", self.synth), sample_section("fit", self.fit))
        )
