"""Readers of a located price: our own digits, and RapidOCR's models beside them."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from edge.decision import Box, Finding
from edge.errors import UsageError
from edge.vision.preprocess import Frame


class Model(Protocol):
    """What finds prices and digits."""

    def find(self, frame: Frame, min_score: float) -> tuple[Finding, ...]:
        """Return the findings in a frame, best first, in its own pixels."""
        ...


Reader = Callable[[Frame, Box | None], str]
"""Reads the price in a frame, (height, width, 3) uint8 RGB, at its place, which may be unknown."""

PLACE = "price"
"""The class whose finding points at a price."""
FIRST_FROM, LEAST = 0.03, 0.15
"""Least scores of the finding that points at a price, and of a digit that may be part of it."""
AROUND = 1.5
"""How much is shown around a place at the second look, in heights of its largest digits."""
SAME = 0.5
"""Share of the narrower of two digits from which on they stand at one place."""
SMALLEST, WHOLE, LARGEST = 0.33, 0.72, 1.35
"""Least height of a price's digits, least height of those of its whole part, and greatest height,
as shares of that of the digit pointed at."""
GAP, OFF = 0.4, 0.42
"""Greatest room between two digits of a price, and greatest distance of a digit's middle from the
line's, in heights of the digit pointed at."""
FRACTION = 2
"""Digits of a fraction: a price ends with so many small ones."""
PRICE = re.compile(r"([0-9]{1,4})[.,]?([0-9]{2})")
RAPIDOCR_PAD = 0.05
"""What RapidOCR is shown around a place, as a share of its height."""


def crop(frame: Frame, place: Box, across: float, down: float) -> tuple[Frame, float, float]:
    """Cut a place out with so many pixels around it; with it comes the cut's corner."""
    height, width = frame.shape[:2]
    grown = Box(place.x0 - across, place.y0 - down, place.x1 + across, place.y1 + down)
    box = grown.clipped(width, height)
    x, y = int(box.x0), int(box.y0)
    return np.ascontiguousarray(frame[y : round(box.y1), x : round(box.x1)]), x, y


def locate(model: Model, frame: Frame, others: Sequence[Box] = ()) -> Box | None:
    """Return the likeliest place of a price; one on *others*, which do not count, is left out.

    A cell of the network answers with one box for all classes. Where a price and a digit of it have
    their middles in the same cells, that is the digit's; so the place is the box round the digits.
    """
    found = model.find(frame, FIRST_FROM)
    for pointing in found:
        if pointing.label == PLACE and not any(_holds(other, pointing.box) for other in others):
            digits = [box for box, _ in digits_at(found, pointing.box)]
            return around(digits) if len(digits) > 1 else pointing.box
    return None


def _holds(outer: Box, box: Box) -> bool:
    return outer.intersection(box) > SAME * box.area


def own_reader(model: Model) -> Reader:
    """Return the reader by a model of digits: both looks vote for the digit at each place."""

    def read(frame: Frame, place: Box | None) -> str:
        if place is None:
            return ""
        margin = AROUND * place.height
        cut, x, y = crop(frame, place, margin, margin)
        if not cut.size:
            return ""
        second = [_moved(one, x, y) for one in model.find(cut, LEAST)]
        first = [one for one in model.find(frame, LEAST) if _holds(place, one.box)]
        return price_of([*first, *second], place)

    return read


def _moved(one: Finding, x: float, y: float) -> Finding:
    box = one.box
    return Finding(one.label, one.score, Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y))


def price_of(findings: Iterable[Finding], place: Box) -> str:
    """Return the price that digits spell at a place, "22.90"; empty when they spell none.

    The last two are the fraction, wherever and however small they are printed.
    """
    return spelt("".join(label for _, label in digits_at(findings, place)))


def digits_at(findings: Iterable[Finding], place: Box) -> list[tuple[Box, str]]:
    """Return the digits of the price at a place, from left to right: box and label of each.

    *place*: that of the price or of one of its large digits. Findings at one place vote by their
    scores; a line is followed from the place to both sides as far as the next digit is near.
    """
    tall = place.height
    y = (place.y0 + place.y1) / 2
    possible = [
        one
        for one in findings
        if one.label.isdigit()
        and one.score >= LEAST
        and SMALLEST * tall <= one.box.height <= LARGEST * tall
        and abs((one.box.y0 + one.box.y1) / 2 - y) <= OFF * tall
    ]
    spots = _spots(possible)
    spots.sort(key=lambda spot: spot[0].x0 + spot[0].x1)
    line = [spot for spot in spots if _gap(spot[0], place) <= 0]
    if not line:
        return []
    for spot in spots[spots.index(line[-1]) + 1 :]:
        small = sum(box.height < WHOLE * tall for box, _ in line)
        if _gap(spot[0], line[-1][0]) <= GAP * tall and small < FRACTION:
            line.append(spot)
    for spot in reversed(spots[: spots.index(line[0])]):
        if _gap(spot[0], line[0][0]) <= GAP * tall and spot[0].height >= WHOLE * tall:
            line.insert(0, spot)
    return line


def _spots(findings: Sequence[Finding]) -> list[tuple[Box, str]]:
    """Return each place that shows a digit: its best finding's box, and the label voted for."""
    spots: list[tuple[Box, dict[str, float]]] = []
    for one in sorted(findings, key=lambda finding: -finding.score):
        here = next((votes for box, votes in spots if _overlap(box, one.box) > SAME), None)
        if here is None:
            spots.append((one.box, {one.label: one.score}))
        else:
            here[one.label] = here.get(one.label, 0.0) + one.score
    return [(box, max(votes, key=lambda label: votes[label])) for box, votes in spots]


def _gap(box: Box, other: Box) -> float:
    """Return the room between two boxes, across; below 0 where one is over the other."""
    return max(box.x0, other.x0) - min(box.x1, other.x1)


def around(boxes: Sequence[Box]) -> Box:
    """Return the box round boxes, at least one."""
    x0, y0, x1, y1 = zip(*(box.corners() for box in boxes), strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))


def _overlap(box: Box, other: Box) -> float:
    """Return the part of the narrower of two boxes that both share, across."""
    shared = min(box.x1, other.x1) - max(box.x0, other.x0)
    return shared / max(min(box.width, other.width), 1e-9)


def spelt(text: str) -> str:
    """Return a price as it is written; empty when the text is none.

    >>> spelt("2290"), spelt("22,90"), spelt("Pr 9"), spelt("1234567")
    ('22.90', '22.90', '', '')
    """
    found = PRICE.fullmatch(re.sub(r"[^0-9.,]", "", text))
    return f"{found[1]}.{found[2]}" if found else ""


def rapidocr_crop() -> Reader:
    """Return the reader by RapidOCR's recogniser on the place. Raises UsageError without it."""
    engine = _rapidocr()

    def read(frame: Frame, place: Box | None) -> str:
        if place is None:
            return ""
        pad = RAPIDOCR_PAD * place.height
        cut, _, _ = crop(frame, place, pad, pad)
        if not cut.size:
            return ""
        found, _ = engine(cut[..., ::-1], use_det=False, use_cls=False)
        return spelt(found[0][0]) if found else ""

    return read


def rapidocr_whole() -> Reader:
    """Return the reader by RapidOCR alone: of all lines that spell a price, the tallest."""
    engine = _rapidocr()

    def read(frame: Frame, _place: Box | None) -> str:
        found, _ = engine(frame[..., ::-1])
        prices = [
            (abs(corners[3][1] - corners[0][1]), price)
            for corners, text, _score in found or ()
            if (price := spelt(text))
        ]
        return max(prices)[1] if prices else ""

    return read


def _rapidocr() -> Callable[..., tuple[Any, object]]:
    try:
        from rapidocr_onnxruntime import RapidOCR  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed; pip install --no-deps rapidocr-onnxruntime==1.4.4 "
            "pyclipper shapely, or leave it out with --without-rapidocr"
        ) from None
    engine: Callable[..., tuple[Any, object]] = RapidOCR(
        intra_op_num_threads=1, inter_op_num_threads=1
    )
    return engine
