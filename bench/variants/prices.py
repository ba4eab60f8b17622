"""Prices on shelf labels: the place located, then read, from the whole picture with nothing given.

One model does both: in the whole picture it finds the place, in the enlarged cut of it the digits.
It is trained on painted labels alone: no photograph of --data is used but to be judged.
--data: ``images/`` and ``labels.json`` (COCO), a ``price`` box with ``text`` ("22.90") a picture,
``ignore`` for a neighbour's, ``variant``; per image ``source_file``.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.command import run as run_program
from bench.variants.price_readers import (
    Model,
    Reader,
    locate,
    own_reader,
    rapidocr_crop,
    rapidocr_whole,
)
from edge.decision import Box
from edge.errors import InputError, UsageError
from edge.strict_json import each_once
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from train.assess.run_contender import RunDetector
from train.labels.ground_truth import FOUND_IOU
from train.marks.insides import has_insides
from train.network import checkpoint
from train.network.model import as_network
from train.shelf.cut_outs import AROUND, COUNTED, WHOLE

SETTINGS: dict[str, float] = {
    "size": 256, "window": 256, "whole_every": 1, "batch": 8, "second_side": 0,
    "size_min": 0.55, "size_max": 1.0, "marks_max": 1, "rotation_deg": 10,
    "curve_share": 0, "perspective": 0.1, "squeeze": 0.35, "cut_share": 0.15,
    "lookalikes_max": 1, "lookalike_share": 0.3, "piece_share": 1,
    "opacity_min": 0.95, "worn_share": 0.05,
    "occlusion_share": 0.05, "lift_share": 0, "smallest_px": 7, "visible_min": 0.75,
    "negative_share": 0.1, "painted_share": 0, "validate_share": 0, "false_accept_rate": 0.1,
}  # fmt: skip
"""What differs from the recipe for labels: a price is small on its label, and print lies flat."""
CUT_OUTS = {WHOLE: 160, AROUND: 320}
"""Cut-outs of each part that the model is trained on."""


@dataclass(frozen=True)
class Labelled:
    """A picture: *text* is its price, *box* where it stands, *others* boxes that do not count."""

    path: Path
    source: str
    variant: str
    text: str
    box: Box
    others: tuple[Box, ...]


@dataclass(frozen=True)
class Judged:
    """A picture judged: *iou* of the place found, what each reader read, and in milliseconds."""

    of: Labelled
    iou: float
    read: dict[str, str]
    took_ms: dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add = parser.add_argument
    add(
        "--backgrounds", type=Path, metavar="DIR", help="photographs to paint on (default: painted)"
    )
    add(
        "--font", action="append", default=[], type=Path, metavar="PATH", help="as stampgate labels"
    )
    add("--minutes", type=float, default=10, metavar="M", help="of each training (%(default)s)")
    add("--model", type=Path, metavar="ONNX", help="model or run, in place of the one trained here")
    add("--without-rapidocr", action="store_true", help="judge our own reader alone")


def run(arguments: argparse.Namespace) -> int:
    """Train what is missing, judge every picture, print the tables."""
    labelled = read_labelled(arguments.data)
    model = open_model(arguments.model or model_of(arguments))
    readers: dict[str, Reader] = {"own": own_reader(model)}
    if not arguments.without_rapidocr:
        readers["rapidocr"] = rapidocr_crop()
        readers["rapidocr, whole picture"] = rapidocr_whole()
    judged = [judge(one, model, readers) for one in labelled]
    print_tables(judged, list(readers))
    return 0


def read_labelled(data: Path) -> list[Labelled]:
    """Read the pictures with their prices. Raises InputError."""
    path = data / "labels.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=each_once)
        boxes: dict[int, list[dict[str, object]]] = {}
        for one in raw["annotations"]:
            boxes.setdefault(one["image_id"], []).append(one)
        return [_labelled(data, image, boxes[image["id"]]) for image in raw["images"]]
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        said = f"{type(error).__name__}: {error}"[:90]
        raise InputError(f"{path}: is not as this bench reads it ({said}); see --help") from None


def _labelled(data: Path, image: dict[str, str], boxes: list[dict[str, object]]) -> Labelled:
    main = next(one for one in boxes if not one.get("ignore"))
    others = tuple(_box(one) for one in boxes if one.get("ignore"))
    path = data / "images" / image["file_name"]
    variant, text = str(main.get("variant", "")), str(main["text"])
    return Labelled(path, str(image.get("source_file", "")), variant, text, _box(main), others)


def _box(one: dict[str, object]) -> Box:
    sides = one["bbox"]
    assert isinstance(sides, list)
    x, y, width, height = map(float, sides)
    return Box(x, y, x + width, y + height)


def open_model(path: Path) -> Model:
    """Open a model file, or the network of a run's folder as it was last kept."""
    if not path.is_dir():
        return Localizer(path)
    kept = checkpoint.load(path)
    return RunDetector(as_network(kept.network()), kept.config.two_look_plan)


def model_of(arguments: argparse.Namespace) -> Path:
    """Return the model, trained before or now. Raises InputError when that fails."""
    folder = arguments.out / "prices"
    model: Path = folder / "prices.onnx"
    if model.is_file():
        return model
    run = folder / "run"
    if (run / "checkpoint.pt").is_file():
        more = ["--resume"]
    else:
        marks = [word for part in CUT_OUTS for word in cut_outs(part, folder, arguments.font)]
        ground = ["--backgrounds", str(arguments.backgrounds)] if arguments.backgrounds else []
        settings = [f"--set={key}={value:g}" for key, value in SETTINGS.items()]
        more = ["--recipe", "label", *marks, *ground, *settings]
    _stampgate("train", *more, "--minutes", f"{arguments.minutes:g}", "--out", str(run))
    _stampgate("export", str(run), "--out", str(model))
    return model


def cut_outs(part: str, folder: Path, fonts: Sequence[Path]) -> list[str]:
    """Draw the cut-outs of a part, unless they are there; return the words of the training."""
    cuts = folder / part
    if not has_insides(cuts):
        named = [word for path in fonts for word in ("--font", str(path))]
        more = "--count", str(CUT_OUTS[part]), "--out", str(cuts)
        _stampgate("labels", "--part", part, "--counts", "both", *more, *named)
    return [word for name in COUNTED["both"] for word in ("--mark", f"{name}={cuts}")]


def _stampgate(*words: str) -> None:
    run_program([sys.executable, "-m", "export", *words], f"stampgate {words[0]}", "see above")


def judge(one: Labelled, locator: Model, readers: dict[str, Reader]) -> Judged:
    """Locate the price in a picture and let every reader read it."""
    frame = read_picture(one.path)
    begun = time.perf_counter()
    place = locate(locator, frame, one.others)
    locating = 1000 * (time.perf_counter() - begun)
    read, took = dict[str, str](), dict[str, float]()
    for name, reader in readers.items():
        begun = time.perf_counter()
        read[name] = reader(frame, place)
        took[name] = 1000 * (time.perf_counter() - begun) + locating * ("whole" not in name)
    return Judged(one, place.iou(one.box) if place else 0.0, read, took)


def print_tables(judged: Sequence[Judged], readers: Sequence[str]) -> None:
    """Print what was found and read, by variant and by source file, then what went wrong."""
    if not judged:
        raise UsageError("--data: holds no picture; name another folder")
    print(f"{'':34}{'pictures':>9}{'place':>7}" + "".join(f"{name:>25}" for name in readers))
    rows: list[tuple[str, Callable[[Judged], bool]]] = [("all", lambda _: True)]
    for key in ("variant", "source"):
        names = sorted({str(getattr(one.of, key)) for one in judged})
        rows += [(name, _is(key, name)) for name in names]
    for name, chosen in rows:
        part = [one for one in judged if chosen(one)]
        place = sum(one.iou >= FOUND_IOU for one in part)
        right = [sum(one.read[reader] == one.of.text for one in part) for reader in readers]
        print(f"{name:34}{len(part):>9}{place:>7}" + "".join(f"{number:>25}" for number in right))
    medians = [statistics.median(one.took_ms[reader] for one in judged) for reader in readers]
    print(f"{'ms a picture, median':50}" + "".join(f"{median:>25.0f}" for median in medians))
    for one in judged:
        wrong = [f"{name} {one.read[name] or '-'}" for name in readers]
        if one.iou < FOUND_IOU or any(one.read[name] != one.of.text for name in readers):
            print(f"{one.of.path.name}: {one.of.text}, IoU {one.iou:.2f}; {'; '.join(wrong)}")


def _is(key: str, name: str) -> Callable[[Judged], bool]:
    return lambda one: bool(getattr(one.of, key) == name)
