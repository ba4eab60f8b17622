"""Find the sheet, label or plate that bears a print, where the picture shows the table as well."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.vision.preprocess import Frame
from train.marks.cutting import COARSE_PX, FAR_CONTRAST, Mask, Print, far_contrast, find_print
from train.marks.ground import Contrast, contrast_of, shrunk
from train.marks.straighten import Points, flattened, rectangle_of

SEARCH_PX = 420
"""Longer side at which a sheet is looked for, in pixels."""
SHARE = 0.06, 0.93
"""Least and greatest share of the picture that a sheet takes."""
INSET = 0.025
"""Rim of a sheet that is left out, as a share of its shorter side: its edge and shadow."""
ON_SHEET = 0.75
"""Least purity of a print on a sheet, which is known to be plain."""
LABEL = 0.8
"""Share of a sheet's width and height from which its print fills it: then it is a label."""


class Sheet(NamedTuple):
    """A sheet seen from above, without its rim, and the print on it.

    *is_label*: its print fills it, so that it is a sticker with a ground of its own.
    """

    pixels: Frame
    whole: Frame
    is_label: bool


def find_sheet(rgb: Frame) -> Sheet | None:
    """Find a rectangle with a print on it that stands out from what it lies on.

    None where there is none: the ground fills the frame, or the rectangle is itself the print.
    """
    small = shrunk(rgb, SEARCH_PX)
    contrasts = [contrast_of(small, light) for light in (True, False)]
    calm = np.logical_and.reduce([one.strength < one.threshold for one in contrasts])
    for contrast in contrasts:
        corners = _rectangle_in(contrast, calm)
        if corners is None:
            continue
        whole = flattened(rgb, corners * (rgb.shape[1] / small.shape[1]))
        rim = max(1, round(INSET * min(whole.shape[:2])))
        inner = np.ascontiguousarray(whole[rim:-rim, rim:-rim])
        found = (
            find_print(shrunk(inner, COARSE_PX), ON_SHEET) if min(inner.shape[:2]) > 16 else None
        )
        if found and not _is_knocked_out(found, inner, contrast):
            return Sheet(inner, whole, _fills(found))
    return None


def _rectangle_in(contrast: Contrast, calm: Mask) -> Points | None:
    """Return the corners of the greatest part that differs from the ground, if a rectangle."""
    mask = (contrast.strength > contrast.threshold).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea, default=None)
    if largest is None:
        return None
    area, hull = cv2.contourArea(largest), cv2.convexHull(largest)
    share = area / mask.size
    if not SHARE[0] <= share <= SHARE[1] or area < 0.9 * cv2.contourArea(hull):
        return None
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, [largest], -1, 1, cv2.FILLED)
    inside = filled > 0
    if far_contrast(contrast, inside, calm) < FAR_CONTRAST:
        return None  # the inside of a frame that is printed
    return rectangle_of(np.asarray(hull[:, 0], np.float32))


def _is_knocked_out(found: Print, inner: Frame, outside: Contrast) -> bool:
    """Return whether a dark rectangle is itself the print, with light letters left out of it.

    They are as light as the ground outside it.
    """
    picture = shrunk(inner, COARSE_PX)[found.mask].astype(np.float32)
    edge = np.concatenate([outside.ground[0], outside.ground[-1]])
    edge = np.concatenate([edge, outside.ground[:, 0], outside.ground[:, -1]])
    near = np.abs(np.median(picture, axis=0) - np.median(edge, axis=0)).max() < 40
    return bool(near and found.contrast.light and not outside.light)


def _fills(found: Print) -> bool:
    left, top, right, bottom = found.box
    height, width = found.mask.shape
    return bool(right - left > LABEL * width and bottom - top > LABEL * height)


def as_label(sheet: Sheet) -> NDArray[np.uint8]:
    """Return a label whole: (height, width, 4) uint8, RGBA, opaque."""
    opaque = np.full(sheet.whole.shape[:2], 255, np.uint8)
    return np.dstack([sheet.whole, opaque])
