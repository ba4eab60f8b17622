"""The box of a COCO segmentation: of polygons, or of a mask in run lengths (RLE)."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from edge.decision import Box

MOST_RUNS = 10_000_000


def box_of_polygon(numbers: Sequence[float]) -> Box:
    """Return the bounding box of points x, y, x, y, ...

    Raises ValueError when they are no three points.

    >>> box_of_polygon([1, 5, 4, 2, 3, 9])
    Box(x0=1.0, y0=2.0, x1=4.0, y1=9.0)
    """
    if len(numbers) < 6 or len(numbers) % 2:
        raise ValueError(f"a polygon must have three points or more, not {len(numbers)} numbers")
    points = [float(number) for number in numbers]
    if not all(math.isfinite(number) for number in points):
        raise ValueError("a polygon must have numbers, not NaN or infinity")
    x, y = points[::2], points[1::2]
    return Box(min(x), min(y), max(x), max(y))


def box_of_segmentation(segmentation: Any) -> Box | None:
    """Return the box of a COCO ``segmentation``; None when it is empty.

    It is a list of polygons, or an object with ``size`` (height, width) and ``counts``: how many
    pixels in turn are outside and inside, column by column. Raises ValueError, TypeError or
    KeyError when it is neither.
    """
    if not segmentation:
        return None
    if isinstance(segmentation, dict):
        return _box_of_runs(segmentation)
    boxes = [box_of_polygon(polygon) for polygon in segmentation if polygon]
    if not boxes:
        return None
    return Box(
        min(box.x0 for box in boxes),
        min(box.y0 for box in boxes),
        max(box.x1 for box in boxes),
        max(box.y1 for box in boxes),
    )


def _box_of_runs(mask: dict[str, Any]) -> Box | None:
    height, width = (int(side) for side in mask["size"])
    counts = mask["counts"]
    if len(counts) > MOST_RUNS:
        raise ValueError(f"a mask must have at most {MOST_RUNS} runs, not {len(counts)}")
    runs = np.array(list(_unpacked(counts)) if isinstance(counts, str) else counts, np.int64)
    ends = np.cumsum(runs)
    if height < 1 or runs.ndim != 1 or (runs < 0).any() or int(ends[-1]) != height * width:
        raise ValueError(f"the runs of a mask must fill {width} x {height} pixels")
    inside = np.flatnonzero(runs[1::2]) * 2 + 1
    if not len(inside):
        return None
    first, last = ends[inside - 1], ends[inside] - 1  # places of the first and last pixel of a run
    spills = first // height != last // height  # a run over a column's end has all rows of it
    top = 0 if spills.any() else int((first % height).min())
    bottom = height - 1 if spills.any() else int((last % height).max())
    return Box(
        float(first.min() // height), float(top), float(last.max() // height + 1), float(bottom + 1)
    )


def _unpacked(text: str) -> Iterator[int]:
    """Yield the runs of COCO's compressed form: six bits a character, later runs as differences.

    Source: the COCO API's ``rleFrString``, described by its code alone. Raises ValueError.
    """
    runs: list[int] = []
    value, shift = 0, 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("the counts of a mask are no run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
        yield runs[-1]
