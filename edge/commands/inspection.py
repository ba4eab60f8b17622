"""``stampgate-edge inspect``: judge picture files exactly as the service would, one line each."""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.annotate import annotate, save_png
from edge.decision import Finding, Verdict, decide, fault, required_classes
from edge.errors import FrameError, InputError
from edge.files import make_folder
from edge.vision.localizer import Localizer
from edge.vision.picture_files import list_pictures, read_picture
from edge.vision.preprocess import Frame


@dataclass(frozen=True)
class Inspected:
    """What became of one picture file; *ms*: from decoded picture to verdict; *frame*: None when it
    was no picture.
    """

    path: Path
    verdict: Verdict
    ms: float
    frame: Frame | None

    def as_object(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        return {
            "image": shown(self.path),
            "verdict": self.verdict.kind,
            "reason": self.verdict.reason,
            "findings": [finding.as_object() for finding in self.verdict.findings],
            "ms": round(self.ms, 2),
        }

    def as_line(self) -> str:
        """The line that people read."""
        boxes = [f"{f.label} {f.score:.2f} at {box_text(f)}" for f in self.verdict.findings]
        return f"{self.verdict.kind:<6} {shown(self.path)}: " + "; ".join(
            [self.verdict.reason, *boxes]
        )


def inspect(
    model: Path,
    images: Sequence[Path],
    *,
    as_json: bool = False,
    min_score: float | None = None,
    require: tuple[str, ...] = (),
    annotate_to: Path | None = None,
) -> int:
    """Judge *images* (files, or folders of files) with *model*, print a line each, and return the
    exit status.

    *min_score*: 0..1, in place of the model's threshold; *require*: class names, all of the model's
    when empty. Raises ModelError, UsageError or InputError; a file that is no picture is a fault
    line and makes the status 1.
    """
    localizer = Localizer(model, threads=os.cpu_count() or 1)
    required = required_classes(require, localizer.contract.classes)
    paths = _expand(images)
    copies = None if annotate_to is None else Copies(annotate_to, paths)
    faults = 0
    for path in paths:
        inspected = inspect_one(localizer, path, required, min_score)
        faults += inspected.verdict.kind == "fault"
        print(json.dumps(inspected.as_object()) if as_json else inspected.as_line(), flush=True)
        if copies is not None:
            copies.write(inspected)
    return 1 if faults else 0


def inspect_one(
    localizer: Localizer, path: Path, required: frozenset[str], min_score: float | None = None
) -> Inspected:
    """Judge one file; whatever goes wrong makes it a fault, never a pass."""
    frame, begin_ns = None, time.monotonic_ns()
    try:
        frame = read_picture(path)
        begin_ns = time.monotonic_ns()
        verdict = decide(localizer.find(frame, min_score), required)
    except FrameError as error:
        verdict = fault(str(error).removeprefix(f"{path}: "))  # the line names the file already
    except Exception as error:  # noqa: BLE001 - what nobody foresaw is a fault of this picture; the others go on
        verdict = fault(f"not foreseen: {type(error).__name__}: {error}")
    return Inspected(path, verdict, (time.monotonic_ns() - begin_ns) / 1e6, frame)


def box_text(finding: Finding) -> str:
    """The box in whole tenths of a pixel, e.g. ``[10.0 20.0 50.5 60.0]``."""
    return "[" + " ".join(f"{corner:.1f}" for corner in finding.box.corners()) + "]"


def shown(path: Path) -> str:
    """A path that can be printed whatever bytes its name holds, on one line."""
    return "".join(
        c if c.isprintable() else "?" for c in os.fsencode(path).decode("utf-8", "replace")
    )


class Copies:
    """Writes annotated copies into a folder under names of their own, never over a picture that is
    being inspected.
    """

    def __init__(self, folder: Path, sources: Iterable[Path]) -> None:
        make_folder(folder)
        self._folder = folder
        self._taken = {source.resolve() for source in sources}

    def write(self, inspected: Inspected) -> Path | None:
        """Write one copy and return its path; None when there is no picture to draw on."""
        if inspected.frame is None:
            return None
        target = self._free(inspected.path)
        save_png(annotate(inspected.frame, inspected.verdict, inspected.path.name), target)
        return target

    def _free(self, source: Path) -> Path:
        number = 1
        while True:
            suffix = "" if number == 1 else f"-{number}"
            target = self._folder / f"{source.stem}{suffix}.annotated.png"
            if target.resolve() not in self._taken:
                self._taken.add(target.resolve())
                return target
            number += 1


def _expand(images: Sequence[Path]) -> list[Path]:
    paths: list[Path] = []
    for image in images:
        inside = list_pictures(image) if image.is_dir() else (image,)
        if not inside:
            raise InputError(f"{image}: holds no file; name a folder of pictures")
        paths.extend(inside)
    return paths
