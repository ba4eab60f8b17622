"""Readers of a located price: our own digits, and RapidOCR's models beside them."""

import re
from collections.abc import Callable, Iterable
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

AROUND = 0.2
"""How much of its width and height is shown around a place, on each side."""
LEAST = 0.25
"""Least score of a digit."""
SAME = 0.5
"""Share of the narrower of two digits from which on they stand at one place: the better is kept."""
BELONGS = 0.12
"""How far outside the place a digit's middle may lie, as a share of the place's sides."""
TALLEST = 0.3
"""Least height of a digit, as a share of the tallest: less is other print."""
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


def own_reader(digits: Model) -> Reader:
    """Return the reader by a model of digits."""

    def read(frame: Frame, place: Box | None) -> str:
        if place is None:
            return ""
        cut, x, y = crop(frame, place, AROUND * place.width, AROUND * place.width)
        if not cut.size:
            return ""
        inside = Box(place.x0 - x, place.y0 - y, place.x1 - x, place.y1 - y)
        return price_of(digits.find(cut, LEAST), inside)

    return read


def price_of(findings: Iterable[Finding], place: Box) -> str:
    """Return the price that digits spell at a place, "22.90"; empty when they spell none.

    The last two are the fraction, wherever and however small they are printed.
    """
    across, down = BELONGS * place.width, BELONGS * place.height
    grown = Box(place.x0 - across, place.y0 - down, place.x1 + across, place.y1 + down)
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda one: -one.score):
        box = finding.box
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        inside = grown.x0 <= x <= grown.x1 and grown.y0 <= y <= grown.y1
        if (
            finding.label.isdigit()
            and inside
            and not any(_overlap(box, other.box) > SAME for other in kept)
        ):
            kept.append(finding)
    tallest = max((one.box.height for one in kept), default=0.0)
    shown = [one for one in kept if one.box.height >= TALLEST * tallest]
    text = "".join(one.label for one in sorted(shown, key=lambda one: one.box.x0 + one.box.x1))
    return spelt(text)


def _overlap(box: Box, other: Box) -> float:
    """Return how much of the narrower of two boxes lies beside nothing but the other, across."""
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
