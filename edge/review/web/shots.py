"""An item's picture as a page shows it: its size, the boxes over it, and where to look closer."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.review.evidence import Overlay, overlay, picture_of
from edge.review.index import Shown
from edge.review.store import ReviewStore
from edge.vision.jpeg import read_header

CLOSE = 2.5
"""Side of the cut-out, as a multiple of the box's longer side."""
LEAST_PX = 48.0
"""Shortest side of a cut-out, camera pixels."""


@dataclass(frozen=True)
class Shot:
    """A picture to show: its state in words, its size and boxes in camera pixels.

    *close*: left, top, width, height of the cut-out round the best box; empty where there is none.
    """

    item: int
    state: str
    words: str
    width: int
    height: int
    boxes: tuple[Overlay, ...]
    close: tuple[float, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether there is a picture to show."""
        return self.width > 0


def shot_of(store: ReviewStore, shown: Shown) -> Shot:
    """Read the picture of an item, and check it against the item's record."""
    item, record = shown.row.item, shown.record
    if record is None:
        return Shot(item, "none", "there is no record of it", 0, 0, ())
    picture, boxes = picture_of(record, store.pictures), overlay(record)
    if picture.content is None:
        return Shot(item, picture.state, picture.words, 0, 0, boxes)
    try:
        header = read_header(picture.content)
    except ValueError as error:
        return Shot(item, "damaged", f"the picture's file is damaged: {error}", 0, 0, boxes)
    width, height = header.width, header.height
    close = _close(boxes, width, height)
    return Shot(item, picture.state, picture.words, width, height, boxes, close)


def _close(boxes: Sequence[Overlay], width: int, height: int) -> tuple[float, ...]:
    """Return the cut-out round the box with the highest score; empty without any."""
    best = max(boxes, key=lambda box: box.score, default=None)
    if best is None:
        return ()
    side = max(LEAST_PX, CLOSE * max(abs(best.x1 - best.x0), abs(best.y1 - best.y0)))
    side = min(side, float(max(width, height)))
    x, y = (best.x0 + best.x1) / 2 - side / 2, (best.y0 + best.y1) / 2 - side / 2
    return (round(x, 1), round(y, 1), round(side, 1), round(side, 1))
