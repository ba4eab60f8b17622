"""Three stamps, of which either of two lets an item pass and the third forbids it.

The marks are those of ``bench.domain``, printed by its code, which the painter of training pictures
knows nothing of, on photographs of products whose kinds the model never met. --data: a folder of
photographs without a mark, such as ``shared/data/backgrounds``; a part of its products trains.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from bench.command import run as run_program
from bench.domain.marks import MARKS, as_png
from bench.domain.printing import photographed, print_mark, shrunk
from edge.deciding.rules import rules_of
from edge.decision import Box
from edge.files import make_folder, write_atomic
from edge.printing import print_line
from edge.sections.decision import DecisionSettings
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from train.labels.ground_truth import FOUND_IOU
from train.photographs import list_photographs, split_by_product

PASSING = {"tested": "round", "retested": "shield"}
FORBIDDING = {"held": "warning"}
STAMPS = {**PASSING, **FORBIDDING}
"""Each class with its mark of :mod:`bench.domain.marks`."""
SHOWN: tuple[tuple[str, ...], ...] = (
    (), ("tested",), ("retested",), ("held",), ("tested", "retested"), ("tested", "held"),
    ("retested", "held"),
)  # fmt: skip
"""What the items show, in turn."""
NOTHING = "none"
HELD_OUT = 0.4
"""Share of the products that judges; the others train."""
LONGEST = 1000
"""Longer side of the items' pictures, in pixels; larger photographs are shrunk."""
LEAST_RIGHT = 0.99
TRIES = 20
SEED = 7


@dataclass(frozen=True)
class Item:
    """A picture of an item, and the stamps that it truly shows, each with its box."""

    frame: Frame
    stamps: tuple[tuple[str, Box], ...]

    @property
    def good(self) -> bool:
        """Whether it may pass: one of those that pass, and none that forbids."""
        shown = {name for name, _ in self.stamps}
        return bool(shown & set(PASSING)) and not shown & set(FORBIDDING)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("--items", type=int, default=350, metavar="N", help="default: %(default)s")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M", help="of training")


def run(given: argparse.Namespace) -> int:
    """Train unless the model is there, judge, print; 1 when fewer than 99 of 100 are right."""
    paths = list_photographs(given.data)
    training, held_out = split_by_product(paths, given.data, HELD_OUT)
    folder = given.out / "stamps"
    model = trained(training, folder, given.minutes)
    settings = DecisionSettings(any_of=tuple(PASSING), forbidden=tuple(FORBIDDING))
    localizer = Localizer(model)
    rules = rules_of(settings, localizer.contract.classes, localizer.contract.threshold)
    found, decided, wrong = judge(
        Inspector(localizer, rules), held_out, given.items, folder / "items"
    )
    print_table(found, decided, wrong, localizer.contract.threshold)
    return 0 if decided["right"] >= LEAST_RIGHT * given.items else 1


def trained(training: Sequence[Path], folder: Path, minutes: float) -> Path:
    """Return the exported model in *folder*, trained on links to *training* unless it is there."""
    model, photographs = folder / "stamps.onnx", folder / "photographs"
    if model.exists():
        print_line(f"{model}: is there; remove it, and it is trained again")
        return model
    make_folder(photographs)
    for path in training:
        if not (link := photographs / path.name).exists():
            link.symlink_to(path.absolute())
    words = []
    for name, mark in STAMPS.items():
        write_atomic(folder / f"{name}.png", as_png(MARKS[mark]()))
        words += ["--mark", f"{name}={folder / f'{name}.png'}"]
    out = folder / "run"
    more = "--minutes", f"{minutes:g}", "--backgrounds", str(photographs), "--out", str(out)
    _stampgate("train", *words, *more, *(["--resume"] if (out / "checkpoint.pt").exists() else []))
    _stampgate("export", str(out), "--out", str(model), "--anyway")
    return model


def items(held_out: Sequence[Path], number: int, folder: Path) -> Iterator[Item]:
    """Yield made-up items: photographs with the stamps of :data:`SHOWN` printed on them, in turn.

    Stamps of one item do not touch. The pictures are written into *folder*, to be looked at.
    """
    make_folder(folder)
    for index in range(number):
        rng = np.random.default_rng((SEED, index))
        photo = shrunk(read_picture(held_out[index % len(held_out)]), LONGEST)
        shown, stamps = photo, list[tuple[str, Box]]()
        for name in SHOWN[index % len(SHOWN)]:
            for _ in range(TRIES):
                printed = print_mark(rng, shown, MARKS[STAMPS[name]]())
                room = _with_label(printed.box)
                if not any(room.intersection(box) for _, box in stamps):
                    shown = printed.frame
                    stamps.append((name, printed.box))
                    break
        path = folder / f"{index:04d}.jpg"
        write_atomic(path, photographed(rng, shown))
        yield Item(read_picture(path), tuple(stamps))


def judge(
    inspector: Inspector, held_out: Sequence[Path], number: int, folder: Path
) -> tuple[Counter[tuple[str, str]], Counter[str], list[str]]:
    """Judge items; return the confusion matrix, how items were decided, and the wrong ones."""
    found, decided, wrong = Counter[tuple[str, str]](), Counter[str](), list[str]()
    made = tqdm(items(held_out, number, folder), total=number, unit="item", disable=None)
    for index, item in enumerate(made):
        verdict = inspector.inspect(item.frame)
        taken = set[int]()
        for name, box in item.stamps:
            near = [
                (place, one.label)
                for place, one in enumerate(verdict.findings)
                if one.box.iou(box) >= FOUND_IOU and place not in taken
            ]
            taken |= {place for place, _ in near}
            found[name, near[0][1] if near else NOTHING] += 1
        for place, one in enumerate(verdict.findings):
            if place not in taken:
                found[NOTHING, one.label] += 1
        passed = verdict.kind == "pass"
        outcome = "right" if passed == item.good else "accepted" if passed else "rejected"
        decided[outcome] += 1
        if outcome != "right":
            shown = ", ".join(name for name, _ in item.stamps) or NOTHING
            wrong.append(f"item {index}, which shows {shown}: {verdict.kind}: {verdict.reason}")
    return found, decided, wrong


def print_table(
    found: Counter[tuple[str, str]], decided: Counter[str], wrong: Sequence[str], threshold: float
) -> None:
    """Print the confusion matrix, what was decided, and each wrong decision."""
    columns = (*STAMPS, NOTHING)
    print_line(f"threshold {threshold:.3f}")
    print_line(f"{'shown / found as':18}" + "".join(f"{name:>10}" for name in columns))
    for row in columns:
        cells = "".join(
            f"{found[row, name] if (row, name) != (NOTHING, NOTHING) else '-':>10}"
            for name in columns
        )
        print_line(f"{row:18}{cells}")
    for line in wrong:
        print_line(line)
    total = decided.total()
    print_line(
        f"decided right: {decided['right']} of {total}; false accepts {decided['accepted']}, false "
        f"rejects {decided['rejected']}"
    )


def _stampgate(*words: str) -> None:
    run_program([sys.executable, "-m", "export", *words], f"stampgate {words[0]}", "see above")


def _with_label(box: Box) -> Box:
    """Return the room that a stamp takes with the label that may lie below it, turned."""
    more = 0.3 * max(box.width, box.height)
    return Box(box.x0 - more, box.y0 - more, box.x1 + more, box.y1 + more)
