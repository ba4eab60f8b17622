"""Robustness: what the model still finds when the painter's own optics make pictures worse.

Each axis worsens the same pictures step by step, one thing at a time. With the stamp it is counted
how many still pass, without it how many are accepted: a blur that hides the stamp is a nuisance,
one that makes something look like it is an escape.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from edge.decision import decide
from edge.errors import AnswerError, FrameError
from edge.files import read_bounded, write_atomic
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from train.paint.optics import defocused, motion_kernel, noisy, through_jpeg
from train.proof.results import FrameResult

NAME = "sweeps.json"
MOST_BYTES = 1 << 20
SEED = 11
PICTURES = 20
"""Pictures of each kind that are worsened, spread evenly over the study."""


@dataclass(frozen=True)
class Axis:
    """One way to worsen a picture: its levels from good to bad, the first changing nothing."""

    name: str
    unit: str
    levels: tuple[float, ...]
    worsen: Callable[[Frame, float], Frame]


@dataclass(frozen=True)
class Swept:
    """What came of one axis: how many of the pictures pass at each level.

    *passed*: with the stamp, of *stamped*; *accepted*: without it, of *unstamped*.
    """

    name: str
    unit: str
    levels: tuple[float, ...]
    passed: tuple[int, ...]
    stamped: int
    accepted: tuple[int, ...]
    unstamped: int

    def falls_below(self, recall: float) -> float | None:
        """Return the first level at which fewer than *recall* of the pictures pass, or None."""
        if not self.stamped:
            return None
        below = (
            level
            for level, passed in zip(self.levels, self.passed, strict=True)
            if passed / self.stamped < recall
        )
        return next(below, None)


def brighter(frame: Frame, stops: float) -> Frame:
    """Change the exposure by so many stops, as :func:`train.paint.optics.exposed` does."""
    return np.asarray(cv2.transform(frame, np.diag([2.0**stops] * 3)), np.uint8)


def blurred_by_motion(frame: Frame, length: float) -> Frame:
    """Blur along the picture's rows, as a belt does."""
    return np.asarray(cv2.filter2D(frame, -1, motion_kernel(0.0, length)), np.uint8)


def smaller(frame: Frame, times: float) -> Frame:
    """Shrink a frame: the mark has so many times fewer pixels."""
    height, width = frame.shape[:2]
    size = max(1, round(width / times)), max(1, round(height / times))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def turned(frame: Frame, degrees: float) -> Frame:
    """Turn a frame about its middle, made as large as it must be; corners repeat its border."""
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, tall = round(height * sin + width * cos), round(height * cos + width * sin)
    matrix[:, 2] += (wide - width) / 2, (tall - height) / 2
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(frame, matrix, (wide, tall), borderMode=border), np.uint8)


def _with_noise(frame: Frame, deviation: float) -> Frame:
    return noisy(np.random.default_rng(SEED), frame, deviation)


AXES = (
    Axis("blur", "radius, pixels", (0, 0.5, 1, 2, 3, 5), defocused),
    Axis("motion", "length, pixels", (0, 3, 6, 10, 16), blurred_by_motion),
    Axis("too dark", "stops less light", (0, 1, 2, 3, 4), lambda f, by: brighter(f, -by)),
    Axis("too bright", "stops more light", (0, 0.5, 1, 1.5, 2), brighter),
    Axis("noise", "grey levels", (0, 5, 10, 20, 40), _with_noise),
    Axis(
        "JPEG",
        "100 - quality",
        (0, 40, 60, 75, 85, 92),
        lambda f, by: through_jpeg(f, 100 - int(by)),
    ),
    Axis("smaller", "times", (1, 1.33, 2, 3, 4), smaller),
    Axis("angle", "degrees", (0, 5, 10, 20, 45, 90), turned),
)


def sweep(
    localizer: Localizer,
    stamped: Sequence[FrameResult],
    unstamped: Sequence[FrameResult],
    paths: dict[str, Path],
    folder: Path,
) -> tuple[Swept, ...]:
    """Worsen pictures along every axis, and count what passes; kept in *folder* axis by axis.

    *stamped*, *unstamped*: those to take; *paths*: their files by key.
    """
    kept = _read(folder / NAME, len(stamped), len(unstamped))
    total = (len(stamped) + len(unstamped)) * sum(len(axis.levels) for axis in AXES)
    with tqdm(total=total, desc="robustness", unit="picture", mininterval=1.0) as bar:
        for axis in AXES:
            if axis.name not in kept:
                kept[axis.name] = _along(axis, localizer, (stamped, unstamped), paths, bar.update)
                _write(folder / NAME, kept)
    return tuple(kept[axis.name] for axis in AXES)


def spread(frames: Sequence[FrameResult], most: int) -> list[FrameResult]:
    """Return at most *most* of the frames, spread evenly, always the same."""
    if len(frames) <= most:
        return list(frames)
    return [frames[int(number * len(frames) / most)] for number in range(most)]


def _along(
    axis: Axis,
    localizer: Localizer,
    both: tuple[Sequence[FrameResult], Sequence[FrameResult]],
    paths: dict[str, Path],
    step: Callable[[int], Any],
) -> Swept:
    counts: list[list[int]] = [[0] * len(axis.levels), [0] * len(axis.levels)]
    for count, frames in zip(counts, both, strict=True):
        for one in frames:
            frame = _readable(paths[one.answer.picture.key])
            for number, level in enumerate(axis.levels):
                if frame is not None:
                    worse = axis.worsen(frame, level) if level != axis.levels[0] else frame
                    count[number] += _passes(localizer, worse, one)
                step(1)
    passed, accepted = counts
    return Swept(
        axis.name,
        axis.unit,
        axis.levels,
        tuple(passed),
        len(both[0]),
        tuple(accepted),
        len(both[1]),
    )


def _readable(path: Path) -> Frame | None:
    try:
        return read_picture(path)
    except FrameError:
        return None


def _passes(localizer: Localizer, frame: Frame, one: FrameResult) -> bool:
    """Tell whether the box would let a frame pass; without the mark, whether it finds any."""
    try:
        found = localizer.find(frame)
    except AnswerError:
        return False
    required = one.truth.required
    return decide(found, required).kind == "pass" if required else bool(found)


def _read(path: Path, stamped: int, unstamped: int) -> dict[str, Swept]:
    """Read the axes that are done, of as many pictures; none when there are none or others."""
    try:
        raw = json.loads(read_bounded(path, MOST_BYTES))
        found = [Swept(**{k: _tuple(v) for k, v in one.items()}) for one in raw]
    except (OSError, ValueError, TypeError):
        return {}
    levels = {axis.name: tuple(axis.levels) for axis in AXES}
    return {
        one.name: one
        for one in found
        if (one.stamped, one.unstamped) == (stamped, unstamped)
        and levels.get(one.name) == one.levels
    }


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _write(path: Path, kept: dict[str, Swept]) -> None:
    write_atomic(path, json.dumps([vars(one) for one in kept.values()]).encode())
