"""Cut a mark out of a photograph, a scan or a screenshot of it: find its print, leave its ground.

The ground is estimated (:mod:`train.marks.ground`) and divided out, which takes uneven light, a
vignette, a shadow's edge and a cast of colour with it. What differs from it is print; how much, is
its alpha. It is done twice: small, to find the print, and once more around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.vision.preprocess import Frame
from train.marks.ground import (
    LEAST_CONTRAST,
    Contrast,
    Plane,
    contrast_of,
    greatest,
    mean_around,
    shrunk,
    spread,
)

COARSE_PX, FINE_PX = 640, 900
"""Longer sides, in pixels, at which the print is found and is cut out."""
MARGIN = 0.18
"""Ground that is kept around the print for cutting it out, as a share of its longer side."""
PLAIN = 0.86
"""Least share of the contrast's variance that two groups explain, of a print on plain ground.
Stamps on paper, cardboard and metal have 0.92 and more, photographs of shelves at most 0.84."""
FAINT_PLAIN, CLEAR = 0.76, 0.03
"""The same where at most so great a share of the border differs from the ground: faint prints."""
PURE = 0.93
"""The same of a print that covers the picture's border, cropped tightly."""
FAR_CONTRAST = 0.1
"""Least contrast of a print with the ground outside it; what is as light as that is no print."""
NEAR = 0.25
"""How far outside the print its ground is looked at, as a share of its longer side."""
JOINED = 0.12
"""Gap across which parts belong to one print, as a share of the longer side of the greatest."""
SPECK = 0.0004
"""Least area of a part, as a share of the square of the picture's longer side."""
DOT, DOT_STRENGTH = 0.00002, 0.62
"""The same of dots and hyphens, and their least strength, as a share of the print's."""
RUNS_OUT = 0.25
"""Share of the picture's border that print may cover."""
FULL = 0.72
"""Share of the usual contrast of ink from which it covers all."""
PURE_INK = 0.75
"""The same from which a pixel shows the colour of the ink alone."""
LIKE_PRINT = 0.6
"""Share of a print's contrast with the ground outside from which what is inside it is like it."""
BURNT_LEVEL = 252.0
"""Level of each channel from which a pixel is overexposed."""
INK_REACH = 0.05
"""Extent over which the contrast of ink is averaged, as a share of the longer side."""

Mask = NDArray[np.bool_]
Corners = tuple[int, int, int, int]
"""Left, top, right, bottom, half-open, in pixels."""


@dataclass(frozen=True)
class Print:
    """The print in a picture.

    *contrast*: of the whole picture; *mask*: (height, width), what is print; *box*: its extent;
    *far*: its contrast with the ground outside it, 0..1; *purity*: how well print and ground fall
    apart, 0..1; *border*, *clutter*: shares of the picture's border that are print, and that differ
    from the ground at all; *others*: parts that were
    left out because they lie far from it.
    """

    contrast: Contrast
    mask: Mask
    box: Corners
    far: float
    purity: float
    border: float
    clutter: float
    others: int


def find_print(rgb: Frame, plain: float = PLAIN) -> Print | None:
    """Find the print in a picture, dark or light; None when there is none on plain ground.

    *rgb*: (height, width, 3) uint8; *plain*: the least purity.
    """
    return max(find_prints(rgb, plain=plain), key=lambda one: one.far, default=None)


def find_prints(
    rgb: Frame, polarities: Sequence[bool] = (False, True), plain: float = PLAIN
) -> tuple[Print, ...]:
    """Find the dark print in a picture, and the light one; mostly there is one of them.

    *polarities*: False for dark print, True for light; *plain*: the least purity. A print differs
    from what lies outside it, which is asked where both are looked for: the inside of a dark ring
    is enclosed too, but as light as the paper outside.
    """
    contrasts = [contrast_of(rgb, light) for light in polarities]
    calm = np.logical_and.reduce([one.strength < one.threshold for one in contrasts])
    found = [one for contrast in contrasts if (one := _print_of(contrast, calm))]
    if len(contrasts) == 1:
        return tuple(one for one in found if one.purity >= min(plain, FAINT_PLAIN))
    return tuple(one for one in found if is_plain(one, plain))


def is_plain(one: Print, plain: float) -> bool:
    """Return whether a print lies on plain ground; one that is cropped tightly must be pure."""
    if one.border > RUNS_OUT:
        least = PURE
    else:  # of goods on a shelf, what is no ground is all over the border
        least = plain if one.clutter > CLEAR else min(plain, FAINT_PLAIN)
    return one.far >= FAR_CONTRAST and one.purity >= least


def both_of(prints: tuple[Print, ...]) -> Mask | None:
    """Return the outline of a sticker that is both lighter and darker than what it lies on.

    None where it is not; all that it encloses belongs to it.
    """
    if len(prints) != 2:
        return None
    union = prints[0].mask | prints[1].mask
    whole = outline_filled(union)
    alone = min(float(one.mask.sum()) for one in prints) / float(union.sum())
    is_one = whole.sum() >= 0.8 * hull_of(union).sum() and union.sum() >= 0.8 * whole.sum()
    return whole if is_one and alone >= 0.05 else None


def outline_filled(mask: Mask) -> Mask:
    """Return a mask with all that it encloses."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    return np.asarray(filled, np.bool_)


def _print_of(contrast: Contrast, calm: Mask) -> Print | None:
    strength = contrast.strength
    mask = strength > contrast.threshold
    if not mask.any():
        return None
    kept, others = _one_group(mask, strength)
    if not kept.any():
        return None
    return Print(
        contrast,
        kept,
        extent_of(kept),
        far_contrast(contrast, kept, calm),
        _purity(strength, mask),
        float(_border_of(kept).mean()),
        float(_border_of(mask).mean()),
        others,
    )


def extent_of(mask: Mask) -> Corners:
    """Return the extent of what is True, at least one pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _border_of(mask: Mask) -> Mask:
    deep = max(2, round(0.015 * max(mask.shape)))
    parts = (mask[:deep], mask[-deep:], mask[:, :deep], mask[:, -deep:])
    return np.concatenate([part.ravel() for part in parts])


def _purity(strength: Plane, mask: Mask) -> float:
    """Return the share of the variance that the two groups explain (Otsu's separability)."""
    share, whole = float(mask.mean()), float(strength.var())
    if not 0 < share < 1 or not whole:
        return 0.0
    apart = float(strength[mask].mean() - strength[~mask].mean())
    return share * (1 - share) * apart**2 / whole


def _one_group(mask: Mask, strength: Plane) -> tuple[Mask, int]:
    """Keep the parts that belong together; return them, and how many others there are.

    It begins with the part of most print and takes in what lies near, so that words of several
    letters stay whole, while the edge of a table or another print far away does not.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA]
    ink = np.bincount(labels.ravel(), weights=strength.ravel(), minlength=count)
    side = max(mask.shape)
    parts = [i for i in range(1, count) if area[i] >= SPECK * side * side]
    if not parts:
        return np.zeros_like(mask), 0
    boxes = {i: _box_of(stats[i]) for i in range(1, count)}
    inner = [i for i in parts if not _runs_along(boxes[i], mask.shape)] or parts
    first = max(inner, key=lambda i: float(ink[i]))
    group, box, rest = {first}, boxes[first], set(inner) - {first}
    while near := {i for i in rest if _gap(boxes[i], box) <= _reach(box, boxes[i])}:
        group |= near
        rest -= near
        for i in near:
            box = _joined(box, boxes[i])
    usual = float(ink[list(group)].sum() / area[list(group)].sum())
    small = {
        i
        for i in set(boxes) - set(parts)
        if area[i] >= DOT * side * side
        and ink[i] >= DOT_STRENGTH * usual * area[i]
        and _gap(boxes[i], box) <= 0.25 * _reach(box)
    }
    return np.isin(labels, list(group | small)), len(rest)


def _box_of(stat: NDArray[np.int32]) -> Corners:
    x, y, width, height = (int(value) for value in stat[:4])
    return x, y, x + width, y + height


def _runs_along(box: Corners, shape: tuple[int, ...]) -> bool:
    """Return whether a part lies along the picture's border for a third of a side, or in a corner.

    A print that is cropped tightly touches the border all round, which is something else.
    """
    height, width = shape
    at = box[0] <= 1, box[1] <= 1, box[2] >= width - 1, box[3] >= height - 1
    return 0 < sum(at) < 4 and (
        (at[0] or at[2]) * (box[3] - box[1]) > height / 3
        or (at[1] or at[3]) * (box[2] - box[0]) > width / 3
        or ((at[0] or at[2]) and (at[1] or at[3]))
    )


def _gap(one: Corners, two: Corners) -> float:
    across = max(one[0] - two[2], two[0] - one[2], 0)
    down = max(one[1] - two[3], two[1] - one[3], 0)
    return float(np.hypot(across, down))


def _reach(*boxes: Corners) -> float:
    return max(4.0, JOINED * max(max(box[2] - box[0], box[3] - box[1]) for box in boxes))


def _joined(one: Corners, two: Corners) -> Corners:
    return min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3])


def hull_of(mask: Mask, grown: int = 0) -> Mask:
    """Return the convex hull of what is True, grown by so many pixels."""
    points = np.argwhere(mask)[:, ::-1].astype(np.int32)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(points), 1)
    wide = np.ones((2 * grown + 1, 2 * grown + 1), np.uint8)
    return np.asarray(cv2.dilate(filled, wide) if grown else filled, np.bool_)


def far_contrast(contrast: Contrast, mask: Mask, calm: Mask) -> float:
    """Return the median contrast of the print with the ground outside its hull, its way.

    It is the lesser of two: with all that is outside, and with what lies close by. *calm*: what is
    no print, dark or light.
    """
    left, top, right, bottom = extent_of(mask)
    near = max(8, round(NEAR * max(right - left, bottom - top)))
    outside = ~hull_of(mask, 2) & calm
    if outside.mean() < 0.005:  # cropped tightly: what covers the border is print
        return float(np.median(contrast.strength[mask])) if _border_of(mask).mean() > 0.5 else 0.0
    close = hull_of(mask, near) & ~hull_of(mask, near // 4) & calm
    places = [outside, close] if close.mean() >= 0.01 else [outside]
    return min(_contrast_with(contrast, mask, place) for place in places)


def _contrast_with(contrast: Contrast, mask: Mask, outside: Mask) -> float:
    levels = _levels(contrast)
    far, seen = spread(levels, outside)[mask], levels[mask]
    planes = 1 - far / seen if contrast.light else 1 - seen / far
    return float(np.median(planes.max(axis=1)))


def _levels(contrast: Contrast) -> Plane:
    """Return the picture's levels again, at least 8: (height, width, 3)."""
    planes = contrast.planes
    levels = contrast.ground / (1 - planes) if contrast.light else contrast.ground * (1 - planes)
    return np.asarray(np.maximum(levels, 8.0), np.float32)


def crop_around(rgb: Frame, *found: Print) -> Frame:
    """Cut prints with some ground around them from the whole picture, at most `FINE_PX` long."""
    height, width = rgb.shape[:2]
    box = found[0].box
    for one in found[1:]:
        box = _joined(box, one.box)
    left, top, right, bottom = (side * width / found[0].mask.shape[1] for side in box)
    margin = MARGIN * max(right - left, bottom - top)
    rows = slice(max(0, int(top - margin)), min(height, int(bottom + margin) + 1))
    columns = slice(max(0, int(left - margin)), min(width, int(right + margin) + 1))
    return shrunk(np.ascontiguousarray(rgb[rows, columns]), FINE_PX)


def inked(found: Print) -> NDArray[np.uint8]:
    """Return the print alone: (height, width, 4) uint8, RGBA, its ground transparent.

    The contrast of ink varies with its density and from one ink to another, so alpha is the
    contrast as a share of what is usual around; the colour is that of the print under even white
    light: of a dark print the light that its ink lets through, of a light one its own.
    """
    contrast, mask = found.contrast, found.mask
    strength = contrast.strength
    if contrast.light:  # by how much it is lighter: half covered is half of it
        strength = np.asarray((strength / (1.001 - strength)).clip(0, 4), np.float32)
    core = mask & (contrast.strength > 1.2 * contrast.threshold)
    if not core.any():
        core = mask
    reach = INK_REACH * max(mask.shape)
    usual, share = mean_around(strength[..., None], core, reach)
    typical = float(np.median(strength[core]))
    usual = np.where(share > 0.002, usual[..., 0], typical)
    low = min(0.5 * contrast.threshold, 0.25 * typical)
    alpha = ((strength - low) / np.maximum(FULL * usual - low, 0.02)).clip(0, 1)
    alpha = alpha * cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    colour = _colours(contrast, core & (strength > PURE_INK * usual))
    return np.dstack([colour, np.round(255 * alpha).astype(np.uint8)]).astype(np.uint8)


def levelled(contrast: Contrast, outline: Mask) -> NDArray[np.uint8]:
    """Return the picture with its light evened out by the ground outside *outline*.

    (height, width, 3) uint8. Neutral light paper becomes white; any other ground keeps its colour.
    """
    outside = ~cv2.dilate(outline.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    if not outside.any():
        return np.asarray(_levels(contrast), np.uint8)
    ground = np.maximum(spread(contrast.ground, outside), 8.0)
    usual = np.median(contrast.ground[outside], axis=0)
    is_paper = usual.min() > 0.72 * usual.max() and usual.max() > 120
    seen = _levels(contrast) * ((np.full(3, 250.0) if is_paper else usual) / ground)
    return np.asarray(seen.clip(0, 255), np.uint8)


def missing_share(found: Print) -> float:
    """Return what inside a print is none and yet differs from the ground outside as the print does.

    As a share of the print's area: where the ground below a wide print was taken for darker than it
    is, as beside the edge of a shadow, a part of the print is lost.
    """
    near = max(3, round(max(found.mask.shape) / 150)) | 1
    grown = cv2.dilate(found.mask.astype(np.uint8), np.ones((near, near), np.uint8)).astype(bool)
    inside = hull_of(found.mask) & ~grown
    if not inside.any():
        return 0.0
    outside = ~hull_of(found.mask, near)
    if not outside.any():
        return 0.0
    levels = _levels(found.contrast)
    far = spread(levels, outside)
    away = greatest(1 - far / levels if found.contrast.light else 1 - levels / far)
    like = inside & (away > LIKE_PRINT * float(np.median(away[found.mask])))
    return float(like.sum() / found.mask.sum())


def burnt_share(found: Print) -> float:
    """Return the share of a print that the camera shows as white as it can, 0..1."""
    return float((_levels(found.contrast)[found.mask].min(axis=1) >= BURNT_LEVEL).mean())


def has_print(rgb: Frame) -> bool:
    """Return whether anything stands out from the ground, be it on plain ground or not."""
    for light in (False, True):
        strength = contrast_of(rgb, light).strength
        if (strength > 2 * LEAST_CONTRAST).mean() > SPECK / 2:
            return True
    return False


def _colours(contrast: Contrast, core: Mask) -> NDArray[np.uint8]:
    """Return the colours of a print under even light: (height, width, 3)."""
    if contrast.light:
        ground = np.median(contrast.ground[core], axis=0)
        seen = _levels(contrast) * (ground / contrast.ground)
    else:
        seen = 255.0 * (1 - contrast.planes)
    inner, share = mean_around(np.asarray(seen, np.float32), core, max(core.shape) / 150)
    outer, _ = mean_around(np.asarray(seen, np.float32), core, max(core.shape) / 30)
    near = np.where(share[..., None] > 0.1, inner, outer)
    return np.asarray(np.where(core[..., None], seen, near).clip(0, 255), np.uint8)
