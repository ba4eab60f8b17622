"""``stampgate-edge inspect``: judge picture files exactly as the service would, one line each."""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from edge.annotate import annotate, save_jpeg
from edge.commands import add_settings_file
from edge.config import DEFAULT_MODEL
from edge.deciding.classes import classes_of
from edge.deciding.fixed_marks import describe_standing, standing_marks
from edge.deciding.rules import Rules, rules_of
from edge.deciding.score import Scores
from edge.decision import Finding, Verdict, fault
from edge.errors import FrameError, InputError, ModelError, UsageError
from edge.files import make_folder
from edge.printing import print_error, print_line
from edge.sections.model import DEFAULT_NAME
from edge.sight.inspector import Inspector
from edge.vision.contract import Contract
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.picture_folders import PictureFolder, find_pictures
from edge.vision.preprocess import Frame
from edge.wiring import load_checked

FEW = 3
"""Fewest pictures of which it is told that a mark stands at one place in all of them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Judge picture files, one line each. Boxes are corners x0, y0, x1, y1 in the picture's own "
        "pixels, x right, y down, as the picture is seen (EXIF orientation applied). A file that "
        "is no picture is a fault; the others go on and the exit status is 1. Of a folder its "
        "sub-folders are read too; what holds no picture there is left out and counted. A reject "
        "is an answer, not an error: the exit status stays 0. A mark that stands at one place in "
        "all pictures is told at the end: it may be on a rail or the lens."
    )
    add = parser.add_argument
    model = f"model file, or '{DEFAULT_NAME}' for the packaged one"
    add("model", metavar="MODEL.onnx", help=model)
    pictures = "pictures, or folders of them"
    add("images", nargs="+", type=Path, metavar="IMAGE|DIR", help=pictures)
    add("--json", action="store_true", help="a JSON object a line; of folders totals last")
    add(
        "--min-score",
        type=_score,
        metavar="S",
        help="use S (0..1) in place of the model's own threshold, for what is listed and for the "
        "verdict alike",
    )
    _add_classes(parser)
    add_settings_file(
        parser,
        "judge by all rules of its [decision]; the pictures are taken as they are, not turned",
        required=False,
    )
    add("--annotate", type=Path, metavar="DIR", help="write copies with the boxes drawn to DIR")


def _add_classes(parser: argparse.ArgumentParser) -> None:
    add = partial(parser.add_argument, action="append", default=[], metavar="NAME")
    add(
        "--require",
        help="a class that must be found to pass; may be repeated; default: every class of the "
        "model",
    )
    add(
        "--any-of",
        help="a class of which, with the others named so, one is enough; may be repeated",
    )
    add("--forbid", help="a class that must not be found to pass; may be repeated")


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0.0 <= score <= 1.0:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, not {text!r}")
    return score


def run(arguments: argparse.Namespace) -> int:
    """Judge the pictures that the command line names. Raises StampgateError."""
    wish = Wish(
        arguments.min_score,
        tuple(arguments.require),
        tuple(arguments.any_of),
        tuple(arguments.forbid),
        arguments.config,
    )
    return inspect(
        DEFAULT_MODEL if arguments.model == DEFAULT_NAME else Path(arguments.model),
        arguments.images,
        wish,
        as_json=arguments.json,
        annotate_to=arguments.annotate,
    )


@dataclass(frozen=True)
class Wish:
    """The rules that the command line asks for.

    *min_score*: 0..1, in place of the model's threshold; *require*, *any_of*, *forbid*: class
    names, all of the model's required when there are none; *config*: a settings file whose rules
    count instead.
    """

    min_score: float | None = None
    require: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    config: Path | None = None

    def rules(self, contract: Contract) -> Rules:
        """Return the rules for a model. Raises UsageError or ConfigError."""
        if self.config is not None:
            if self.min_score is not None or self.require or self.any_of or self.forbid:
                raise UsageError(
                    "--config must stand without --min-score, --require, --any-of and --forbid; "
                    "write them into its [decision], or leave it out"
                )
            decision = load_checked(self.config).decision
            return rules_of(decision, contract.classes, contract.threshold)
        classes = classes_of(self.require, self.any_of, self.forbid, contract.classes)
        least = contract.threshold if self.min_score is None else self.min_score
        return Rules(classes, Scores(least, least))


@dataclass(frozen=True)
class Inspected:
    """The verdict on one picture file.

    *ms*: from decoded picture to verdict; *frame*: None when the file was no picture.
    """

    path: Path
    verdict: Verdict
    ms: float
    frame: Frame | None

    def as_object(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "image": str(self.path),
            "verdict": self.verdict.kind,
            "reason": self.verdict.reason,
            "code": self.verdict.code,
            "findings": [finding.as_object() for finding in self.verdict.findings],
            "near_miss": self.verdict.near and self.verdict.near.as_object(),
            "ms": round(self.ms, 2),
        }

    def as_line(self) -> str:
        """Return the line that people read."""
        verdict = self.verdict
        marks = [f"{f.label} {f.score:.2f} at {box_text(f)}" for f in verdict.findings]
        if (f := verdict.near) is not None:
            marks.append(f"near miss {f.label} {f.score:.2f} at {box_text(f)}")
        return f"{verdict.kind:<6} {self.path}: " + "; ".join([verdict.reason, *marks])


def inspect(
    model: Path,
    images: Sequence[Path],
    wish: Wish | None = None,
    *,
    as_json: bool = False,
    annotate_to: Path | None = None,
) -> int:
    """Judge *images* (files, or folders of them) with *model* by the rules of *wish*; a line each.

    Returns the exit status; a file that is no picture is a fault line and makes it 1. Raises
    ModelError, UsageError, ConfigError or InputError.
    """
    localizer = Localizer(model, threads=os.cpu_count() or 1)
    inspector = Inspector(localizer, (wish or Wish()).rules(localizer.contract))
    paths, folders = _expand(images)
    copies = None if annotate_to is None else Copies(annotate_to, paths)
    found, kinds = list[tuple[Finding, ...]](), Counter[str]()
    for path in paths:
        inspected = inspect_one(inspector, path)
        kinds[inspected.verdict.kind] += 1
        print_line(
            json.dumps(inspected.as_object()) if as_json else inspected.as_line(), flush=True
        )
        if inspected.verdict.kind != "fault":
            found.append(inspected.verdict.findings)
        if copies is not None:
            copies.write(inspected)
    if folders:
        print_line(json.dumps({"totals": counted(kinds)}) if as_json else totals(kinds))
    _tell_standing_marks(found, sys.stderr if as_json else sys.stdout)
    for folder in folders:
        if said := folder.describe_left_out():
            print_error("stampgate-edge", said)
    return 1 if kinds["fault"] or any(folder.unread for folder in folders) else 0


def totals(kinds: Mapping[str, int]) -> str:
    """Return how many pictures got which verdict, as one line.

    >>> totals({"pass": 2, "reject": 1})
    'total  3 pictures: 2 pass, 1 reject, 0 fault'
    """
    counts = counted(kinds)
    told = ", ".join(f"{number} {kind}" for kind, number in counts.items() if kind != "pictures")
    return f"total  {counts['pictures']} pictures: {told}"


def counted(kinds: Mapping[str, int]) -> dict[str, int]:
    """Return how many pictures there were, and how many got which verdict, as ``--json`` has them.

    >>> counted({"pass": 2, "reject": 1})
    {'pictures': 3, 'pass': 2, 'reject': 1, 'fault': 0}
    """
    verdicts = {kind: kinds.get(kind, 0) for kind in ("pass", "reject", "fault")}
    return {"pictures": sum(verdicts.values()), **verdicts}


def _tell_standing_marks(found: Sequence[tuple[Finding, ...]], to: TextIO) -> None:
    """Say in a last line which marks stand at one place in all of some pictures."""
    if len(found) >= FEW and (marks := standing_marks(found)):
        print_line(f"note   {describe_standing(marks, f'all {len(found)} pictures')}", file=to)


def inspect_one(inspector: Inspector, path: Path) -> Inspected:
    """Judge one file; whatever goes wrong makes it a fault, never a pass."""
    frame, begin_ns = None, time.monotonic_ns()
    try:
        frame = read_picture(path)
        begin_ns = time.monotonic_ns()
        verdict = inspector.inspect(frame)
    except FrameError as error:
        verdict = fault(str(error).removeprefix(f"{path}: "))  # the line names the file already
    except ModelError as error:
        verdict = fault(str(error))
    except Exception as error:  # noqa: BLE001 - not foreseen: this picture's fault, the others go on
        verdict = fault(f"not foreseen: {type(error).__name__}: {error}")
    return Inspected(path, verdict, (time.monotonic_ns() - begin_ns) / 1e6, frame)


def box_text(finding: Finding) -> str:
    """Return the box, corners in tenths of a pixel, e.g. ``[10.0 20.0 50.5 60.0]``."""
    return "[" + " ".join(f"{corner:.1f}" for corner in finding.box.corners()) + "]"


class Copies:
    """Writer of annotated copies, under names that never replace a picture being inspected."""

    def __init__(self, folder: Path, sources: Iterable[Path]) -> None:
        make_folder(folder)
        self._folder = folder
        self._taken = {source.resolve() for source in sources}

    def write(self, inspected: Inspected) -> Path | None:
        """Write one copy and return its path; None when there is no picture to draw on."""
        if inspected.frame is None:
            return None
        target = self._free(inspected.path)
        save_jpeg(annotate(inspected.frame, inspected.verdict, inspected.path.name), target)
        return target

    def _free(self, source: Path) -> Path:
        number = 1
        while True:
            suffix = "" if number == 1 else f"-{number}"
            target = self._folder / f"{source.stem}{suffix}.annotated.jpg"
            if target.resolve() not in self._taken:
                self._taken.add(target.resolve())
                return target
            number += 1


def _expand(images: Sequence[Path]) -> tuple[list[Path], list[PictureFolder]]:
    """Return the pictures, and the folders that were among *images*. Raises InputError."""
    paths, folders = list[Path](), list[PictureFolder]()
    for image in images:
        if not image.is_dir():
            paths.append(image)
            continue
        folders.append(find_pictures(image))
        if not folders[-1].pictures:
            said = folders[-1].describe_left_out() or f"{image}: holds no file"
            raise InputError(f"{said}; name a folder of pictures")
        paths.extend(folders[-1].pictures)
    return paths, folders
