"""Cut the region out of a frame, so that nothing outside it is looked at."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.deciding.region import Region
from edge.decision import Box, Finding
from edge.errors import FrameError
from edge.vision.preprocess import FILL, Frame


class RegionView:
    """The view through a region, or of the whole frame where it is None.

    Synchronization: any number of threads: nothing changes once it is made.
    """

    def __init__(self, region: Region | None) -> None:
        self.region = region
        self._outside = None if region is None or region.is_rectangle else _outside(region)

    def cut(self, frame: Frame) -> Frame:
        """Return the part of the frame to look at, (height, width, 3) uint8, RGB.

        It is the rectangle around the region, grey where that reaches beyond a region of another
        form; of a rectangle it is a view of the frame, no copy. Raises FrameError for a frame that
        does not hold the whole region.
        """
        if self.region is None:
            return frame
        height, width = frame.shape[:2]
        if beyond := self.region.beyond(width, height):
            raise FrameError(f"{beyond}; correct [decision] region, or [camera] width and height")
        left, top, right, bottom = self.region.bounds
        part = frame[top:bottom, left:right]
        if self._outside is None:
            return part
        part = part.copy()
        part[self._outside] = FILL
        return part

    def in_camera(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Return what was found in the part, in camera pixels, without what is centred outside."""
        if self.region is None:
            return findings
        left, top, _, _ = self.region.bounds
        moved = (Finding(f.label, f.score, _shifted(f.box, left, top)) for f in findings)
        return tuple(f for f in moved if self._is_inside(f.box))

    def _is_inside(self, box: Box) -> bool:
        assert self.region is not None
        if self._outside is None:
            return True
        return self.region.contains((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)


def _shifted(box: Box, x: float, y: float) -> Box:
    return Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)


def _outside(region: Region) -> NDArray[np.bool_]:
    """Return which pixels of the rectangle around a region lie outside it: (height, width)."""
    from PIL import ImageDraw  # noqa: PLC0415 - it brings fonts, megabytes that few boxes need

    left, top, right, bottom = region.bounds
    inside = Image.new("1", (right - left, bottom - top), 0)
    corners = [(x - left, y - top) for x, y in region.corners]
    ImageDraw.Draw(inside).polygon(corners, fill=1)
    return ~np.asarray(inside, bool)
