"""The ground of a print: what a photograph would show if the print were not there.

Light falls unevenly: it fades to a side, has a lamp's spot, a vignette, the edge of a shadow. What
tells ground from print is not its brightness but that a print is narrow, or is enclosed by ground.
So the ground is the greater of two estimates, in each colour channel: a morphological closing,
wider than a stroke, which leaves the edge of a shadow where it is; and the reconstruction by
erosion from the picture's border, which fills what is dark and enclosed, however wide (Vincent,
"Morphological grayscale reconstruction in image analysis", 1993). For a light print both work on
the negative. The filling comes up to the darkest ground around only, so a light that falls off over
the whole picture is divided out before: a quadratic surface, fitted to the border in logarithms.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.vision.preprocess import Frame

Plane = NDArray[np.float32]
"""(height, width) or (height, width, 3)."""

STROKE = 0.09
"""Width of the closing, as a share of the picture's longer side."""
ESTIMATE_PX = 420
"""Longer side at which the ground is estimated, in pixels: it is smooth."""
FILL_PX, STEPS = 256, 8
"""Longer side at which enclosed parts are filled, in pixels; steps between two looks at whether it
has come to its end."""
SPREAD_PX = 160
"""Longer side at which the ground is carried across what is print, in pixels."""
SIGMA_PX = 4.0
"""Deviation of a Gaussian, in pixels, above which it is taken of a smaller picture."""
LEAST_LEVEL = 8.0
"""Grey level below which a ground is not told from black."""
GAINS = 2
"""Times that the estimate is brought to the mean of what is ground, as a closing alone is as light
as the lightest grain."""
SLOPE_PX, SLOPE_BORDER, SLOPE_FITS = 160, 0.08, 6
"""Longer side at which the fall-off of light is fitted, in pixels; depth of the border that it is
fitted to, as a share of that; rounds of the fit."""
SLOPE_SHARE, SLOPE_LEFT = 0.9, 0.4
"""Least share of the border that agrees with the fit; most of its deviation that may be left."""
CALM = 0.6
"""Share of the threshold below which a pixel is surely ground."""
LEAST_CONTRAST = 0.06
"""Least contrast of a print with its ground, as a share of the ground's level."""


@dataclass(frozen=True)
class Contrast:
    """How far each pixel of a picture is from its ground, in the direction of a print.

    *planes*: (height, width, 3) float32, red, green, blue: of a dark print the share of the
    ground's level that is missing; of a light one, the share of its level that is more;
    *ground*: (height, width, 3) float32, 0..255; *threshold*: from where a pixel is print.
    """

    planes: Plane
    ground: Plane
    light: bool
    threshold: float

    @cached_property
    def strength(self) -> Plane:
        """The greatest of the three channels, (height, width), at least 0."""
        return np.asarray(greatest(self.planes).clip(0.0, 1.0), np.float32)


def shrunk(rgb: Frame, side: int) -> Frame:
    """Return a picture with a longer side of at most *side* pixels."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def contrast_of(rgb: Frame, light: bool) -> Contrast:
    """Return the contrast of a picture with its ground, for a dark print or a *light* one.

    *rgb*: (height, width, 3) uint8; light falls on it as it may.
    """
    levels = np.maximum(rgb.astype(np.float32), LEAST_LEVEL)
    slope = slope_of(rgb)
    even = rgb if slope is None else np.asarray((levels / slope).clip(0, 255), np.uint8)
    estimate = 255.0 - _estimate(255 - even) if light else _estimate(even)
    if slope is not None:
        estimate = np.asarray(estimate * slope, np.float32)
    ground = np.maximum(estimate, LEAST_LEVEL)
    for _ in range(GAINS):
        strength = greatest(_planes(levels, ground, light))
        calm = strength < CALM * split_at(strength)
        ground = ground * _gain(np.asarray(levels / ground, np.float32), calm)
    ground = _bridged(levels, ground, light)
    planes = _planes(levels, ground, light)
    threshold = split_at(greatest(planes))
    return Contrast(planes, np.asarray(ground, np.float32), light, threshold)


def slope_of(rgb: Frame) -> Plane | None:
    """Return how the light falls off over a whole picture: (height, width, 3), at least 1 / 4.

    None where its border is not explained by that, for there is a shadow's edge, a table or print.
    It is iteratively reweighted least squares with Tukey's biweight. What is divided by it stays
    within 0..255, as far as the border goes.
    """
    height, width = rgb.shape[:2]
    small = shrunk(rgb, SLOPE_PX)
    logs = np.log(np.maximum(small.astype(np.float64), LEAST_LEVEL)).reshape(-1, 3)
    terms = _quadratic(*small.shape[:2])
    deep = max(2, round(SLOPE_BORDER * max(small.shape)))
    border = np.ones(small.shape[:2], np.bool_)
    border[deep:-deep, deep:-deep] = False
    edge, seen = terms[border.ravel()], logs[border.ravel()]
    weights, fitted = np.ones(len(edge)), np.zeros((terms.shape[1], 3))
    for _ in range(SLOPE_FITS):
        root = np.sqrt(weights)[:, None]
        fitted = np.linalg.lstsq(edge * root, seen * root, rcond=None)[0]
        away = np.abs(seen - edge @ fitted).max(axis=1)
        usual = max(1.5 * float(np.median(away)), 0.01)
        weights = (1 - (away / (4.7 * usual)).clip(0, 1) ** 2) ** 2
    explained = edge @ fitted
    off = np.median(np.abs(seen - explained)), np.median(np.abs(seen - np.median(seen, axis=0)))
    if (weights > 0).mean() < SLOPE_SHARE or off[0] > SLOPE_LEFT * off[1]:
        return None
    surface = _quadratic(height, width) @ fitted
    surface = np.exp(surface - explained.max(axis=0)).reshape(height, width, 3)
    return np.asarray(surface.clip(0.25, 1.0) * _headroom(rgb, surface), np.float32)


def _headroom(rgb: Frame, surface: NDArray[np.float64]) -> float:
    """Return by how much a surface must be raised so that what it divides stays below 256."""
    return max(1.0, float(np.quantile(rgb / surface.clip(0.25, 1.0), 0.999)) / 255)


def _quadratic(height: int, width: int) -> NDArray[np.float64]:
    """Return the terms of a quadratic surface at each pixel: (height * width, 6)."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].reshape(2, -1)
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=1)


def _bridged(levels: Plane, ground: Plane, light: bool) -> Plane:
    """Carry the ground across what is print from around it, where that is farther from the print.

    Below a wide print the estimate is only a bound: the darkest ground that it is joined to.
    """
    strength = greatest(_planes(levels, ground, light))
    threshold = split_at(strength)
    wide = max(3, round(max(strength.shape) / 150)) | 1
    printed = cv2.dilate((strength > threshold).astype(np.uint8), np.ones((wide, wide), np.uint8))
    if printed.all() or not printed.any():
        return ground
    across = spread(ground, printed == 0)
    farther = np.minimum(ground, across) if light else np.maximum(ground, across)
    core = cv2.GaussianBlur(printed.astype(np.float32), (0, 0), wide / 2)[..., None]
    return np.asarray(ground * (1 - core) + farther * core, np.float32)


def spread(values: Plane, where: NDArray[np.bool_]) -> Plane:
    """Return *values* where they are known, and elsewhere the mean of those near, from far in.

    *values*: (height, width, 3) float32; *where*: (height, width), where they are known.
    """
    height, width = where.shape
    scale = min(1.0, SPREAD_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    planes = np.dstack([values * where[..., None], where]).astype(np.float32)
    small = np.asarray(cv2.resize(planes, size, interpolation=cv2.INTER_AREA), np.float32)
    known = small[..., 3] > 0.5
    if not known.any():
        return values
    whole = np.asarray(small[..., :3] / np.maximum(small[..., 3:], 1e-3), np.float32)
    result = np.broadcast_to(whole[known].mean(axis=0), whole.shape).astype(np.float32)
    for part in (2, 4, 8, 16, 32, 64):
        mean, share = mean_around(whole, known, max(known.shape) / part)
        result = np.where(share[..., None] > 0.05, mean, result)
    return np.asarray(
        cv2.resize(result, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _planes(levels: Plane, ground: Plane, light: bool) -> Plane:
    return np.asarray(1.0 - (ground / levels if light else levels / ground), np.float32)


def split_at(values: NDArray[Any]) -> float:
    """Return where values of 0..1 fall into two groups best (Otsu, 1979).

    At least :data:`LEAST_CONTRAST`.
    """
    counts, edges = np.histogram(np.clip(values, 0.0, 1.0), 256, (0.0, 1.0))
    middles, share = (edges[1:] + edges[:-1]) / 2, counts / counts.sum()
    below, mean = np.cumsum(share), np.cumsum(share * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean[-1] * below - mean) ** 2 / (below * (1.0 - below))
    return max(LEAST_CONTRAST, float(middles[np.nan_to_num(between).argmax()]))


def mean_around(values: Plane, where: NDArray[np.bool_], sigma: float) -> tuple[Plane, Plane]:
    """Return the Gaussian mean of *values* over *where*, and the share of it that is there.

    It is normalised convolution (Knutsson and Westin, 1993). *values*: (height, width, channels).
    """
    height, width = where.shape
    scale = min(1.0, SIGMA_PX / sigma)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    planes = np.dstack([values * where[..., None], where]).astype(np.float32)
    if scale < 1:  # it is smooth: some hundred times less work
        planes = np.asarray(cv2.resize(planes, size, interpolation=cv2.INTER_AREA), np.float32)
    planes = np.asarray(cv2.GaussianBlur(planes, (0, 0), sigma * scale), np.float32)
    if scale < 1:
        planes = np.asarray(
            cv2.resize(planes, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
        )
    share = planes[..., -1]
    mean = planes[..., :-1] / np.maximum(share, 1e-4)[..., None]
    return np.asarray(mean, np.float32), share


def greatest(planes: Plane) -> Plane:
    """Return the greatest of three channels: (height, width)."""
    return np.maximum(np.maximum(planes[..., 0], planes[..., 1]), planes[..., 2])


def _gain(ratio: Plane, calm: NDArray[np.bool_]) -> Plane:
    """Return the mean of level by ground around each pixel, over what is surely ground."""
    if not calm.any():
        return np.ones_like(ratio)
    gain, share = mean_around(ratio, calm, max(ratio.shape) / 25)
    far = np.median(ratio[calm], axis=0).astype(np.float32)
    return np.asarray(np.where(share[..., None] > 0.02, gain, far), np.float32)


def _estimate(rgb: Frame) -> Plane:
    """Return the greater of closing and filling, a little smoothed; for a dark print."""
    height, width = rgb.shape[:2]
    source = shrunk(rgb, ESTIMATE_PX)
    side = max(source.shape)
    soft = cv2.medianBlur(cv2.GaussianBlur(source, (0, 0), max(side / 500, 0.3)), 3)
    wide = max(3, round(STROKE * side)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
    closed = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    small = shrunk(np.asarray(soft, np.uint8), FILL_PX)
    planes = [_filled(np.ascontiguousarray(small[..., channel])) for channel in range(3)]
    filled = cv2.resize(np.dstack(planes), soft.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    whole = cv2.GaussianBlur(
        np.maximum(closed, filled).astype(np.float32), (0, 0), max(side / 300, 0.3)
    )
    return np.asarray(
        cv2.resize(whole, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _filled(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Raise what is enclosed to the lowest level over which it is joined to the border."""
    marker: NDArray[Any] = np.full_like(plane, 255)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        marker[edge] = plane[edge]
    kernel = np.ones((3, 3), np.uint8)
    while True:
        before = marker
        for _ in range(STEPS):
            marker = np.maximum(cv2.erode(marker, kernel), plane)
        if np.array_equal(before, marker):
            return np.asarray(marker, np.uint8)
