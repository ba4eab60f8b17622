"""Search photographs for the mark before training: those that bear it teach that it is none.

Key points of the mark (:mod:`train.marks.features`) propose places; a place is believed when enough
of them agree, when it could be a flat print (convex, not mirrored, large enough, of about the
mark's proportions) and when the photograph, seen through the homography, correlates with the mark.
It is meant to leave hardly one good photograph out and so misses small and blurred marks.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge.decision import Box
from edge.errors import InputError
from edge.vision.preprocess import Frame
from train.marks.features import Place, Sift, on_paper
from train.marks.mark import Mark
from train.photographs import read_photograph

SIDE = 640
"""Longer side at which a photograph is searched, in pixels; smaller ones are enlarged, at most
twice."""
KEY_POINTS = 24
"""Key points that a mark needs to be searched for."""
MARKS_MOST = 24
"""Most pictures of marks that are searched for: the time grows with them."""
AGREE = 9
"""Key points that agree from which a place is believed."""
ALIKE = 0.5
"""Least correlation, -1..1, of the place with the mark."""
SMALLEST = 12.0
"""Shortest side of a place, in pixels of the searched photograph."""
TIMED = 4
"""Photographs of each thread after which the time of a search is told."""
STRETCH = 3.0
"""Times that one side of a place may be stretched against the other, and two opposite sides may
differ: more is no flat print that a camera looks at."""


@dataclass(frozen=True)
class Bearing:
    """A photograph that bears a mark: where, in its own pixels as shares of its sides, 0..1."""

    path: Path
    label: str
    box: Box


@dataclass(frozen=True)
class MarkSearch:
    """What a search came to.

    *bearing*: in the order of the photographs; *searched*: how many photographs were; *skipped*:
    class names of which no picture has enough key points, or which came after
    :data:`MARKS_MOST` pictures; *seconds*: that it took.
    """

    bearing: tuple[Bearing, ...]
    searched: int
    skipped: tuple[str, ...]
    seconds: float = field(default=0.0, compare=False)


class Searcher:
    """Look for marks in photographs. Synchronization: one thread per instance."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        """Look for *marks*."""
        self.sift = Sift(marks)

    def search(self, path: Path) -> Bearing | None:
        """Return the best believed place of a photograph, None when there is none.

        A photograph that cannot be read is left to the painters, which say so.
        """
        try:
            frame = np.asarray(read_photograph(path, SIDE), np.uint8)
        except InputError:
            return None
        believed = [one for one in self.places(frame) if believable(one, frame)]
        if not believed:
            return None
        best = max(believed, key=lambda one: one.agree)
        height, width = frame.shape[:2]
        box = best.box
        shares = Box(box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height)
        return Bearing(path, best.mark.label, shares)

    def places(self, frame: Frame) -> list[Place]:
        """Return the places in *frame*, (height, width, 3) uint8 RGB, that key points propose."""
        return self.sift.places(frame, min(2.0, SIDE / max(frame.shape[:2])), AGREE)


def believable(place: Place, frame: Frame) -> bool:
    """Tell whether a place of *frame*, (height, width, 3) uint8 RGB, bears the mark."""
    return (
        place.agree >= AGREE
        and is_flat_print(corners_of(place), place.mark.image.size)
        and likeness(place, frame) >= ALIKE
    )


def corners_of(place: Place) -> NDArray[np.float64]:
    """Return where the corners of the mark's picture lie: (4, 2), x and y in pixels."""
    width, height = place.mark.image.size
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    return np.asarray(cv2.perspectiveTransform(corners, place.matrix)[0], np.float64)


def is_flat_print(corners: NDArray[np.float64], size: tuple[int, int]) -> bool:
    """Tell whether a flat print of *size* (width, height) could have its corners there.

    *corners*: (4, 2), in order around it.
    """
    if not cv2.isContourConvex(corners.astype(np.float32)):
        return False
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    if sides.min() < SMALLEST:
        return False
    shares = sides / (size[0], size[1], size[0], size[1])
    return bool(shares.max() <= STRETCH * shares.min())


def likeness(place: Place, frame: Frame) -> float:
    """Return the correlation, -1..1, of the mark with *frame* seen through the homography.

    *frame*: (height, width, 3) uint8 RGB. Both are grey; the mark lies as
    :func:`train.marks.features.on_paper` lays it, and counts where that has features.
    """
    paper, opacity = on_paper(place.mark)
    height, width = paper.shape
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(grey, place.matrix, (width, height), flags=flags)
    whole = np.full(grey.shape, 255, np.uint8)
    inside = cv2.warpPerspective(whole, place.matrix, (width, height), flags=flags) > 0
    counts = (opacity > 0) & inside
    if counts.sum() < 0.5 * (opacity > 0).sum():
        return -1.0
    blur = max(1.0, 0.01 * max(width, height))
    a = cv2.GaussianBlur(paper, (0, 0), blur)[counts].astype(np.float64)
    b = cv2.GaussianBlur(seen, (0, 0), blur)[counts].astype(np.float64)
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread else -1.0


def searchable(marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks with enough key points to be searched for, at most so many.

    One whose parts count is a look of very many, of which none need be on a photograph.
    """
    known = Sift([mark for mark in marks if mark.insides is None]).marks
    return [mark for mark, own in known if len(own.points) >= KEY_POINTS][:MARKS_MOST]


def search_photographs(
    marks: Sequence[Mark],
    paths: Sequence[Path],
    quiet: bool = False,
    told: Callable[[float], None] | None = None,
) -> MarkSearch:
    """Search photographs for the marks, on all cores, under a progress bar unless *quiet*.

    Processes of one run that share a machine (``torchrun``) share its cores. *told* hears once,
    as soon as a few are searched, how many seconds it still takes.
    """
    sought = searchable(marks)
    named = dict.fromkeys(mark.label for mark in marks)
    skipped = tuple(label for label in named if label not in {mark.label for mark in sought})
    if not sought:
        return MarkSearch((), 0, skipped)
    local = threading.local()

    def search(path: Path) -> Bearing | None:
        if not hasattr(local, "searcher"):
            local.searcher = Searcher(sought)
        found: Bearing | None = local.searcher.search(path)
        return found

    threads, begun = threads_here(), time.monotonic()
    pool = ThreadPoolExecutor(threads, "search")
    bar = _bar(len(paths), quiet)
    found = []
    try:
        with bar:
            for number, one in enumerate(pool.map(search, paths), 1):
                found += [one] if one else []
                bar.update()
                if told and number == TIMED * threads:
                    told((time.monotonic() - begun) / number * (len(paths) - number))
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C waits for the photographs in hand only
    return MarkSearch(tuple(found), len(paths), skipped, time.monotonic() - begun)


def _bar(photographs: int, quiet: bool) -> "tqdm[NoReturn]":
    form = "{l_bar}{bar}| {n}/{total} photographs [{elapsed}<{remaining}, {rate_fmt}]"
    unit = " photographs"
    return tqdm(
        total=photographs, desc="search", unit=unit, bar_format=form, mininterval=1.0, disable=quiet
    )


def threads_here() -> int:
    """Return the cores for this process: those it may use, shared with the others of its run."""
    return max(1, len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
