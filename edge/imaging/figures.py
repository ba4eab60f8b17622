"""Figures of a picture at camera resolution: focus, exposure, contrast, noise and shift.

**Focus** is read off the ratio of two gradient energies, one behind a small and one behind a large
Gaussian, as edge widths are by Zhuo and Sim ("Defocus map estimation from a single image", Pattern
Recognition 44, 2011); energies instead of single edges make it fall with every further blur,
whatever the scene (the small Gaussian weighs high frequencies more). It belongs to the normalised
gradient measures that Pertuz, Puig and Garcia compare ("Analysis of focus measure operators for
shape-from-focus", Pattern Recognition 46, 2013): light and contrast cancel out. Noise is taken off
both energies first, as the picture's flattest parts show it. The two energies are tensors (Bigun
and Granlund 1987), and the softest direction counts, so motion blur along a belt is not hidden by
edges along it.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge.deciding.region import Region

Frame = NDArray[np.uint8]
"""A frame: (height, width, 3) uint8, RGB."""
Grey = NDArray[np.float32]
"""Luma, 0..255: (height, width) float32."""
Area = Region | tuple[float, float, float, float] | None
"""What of a frame is measured: a polygon, a box (x0, y0, x1, y1) in camera pixels, or all."""

BINS = 32
DARK, BRIGHT = 4, 250
"""Levels, 0..255, up to and from which a pixel holds no more print."""
LEAST_SIDE = 32
"""Least width and height that can be measured, pixels."""
FINE, COARSE = 1.33, 26.3
"""Variances of the two Gaussians, pixels squared, with their difference operators."""
REDUCED = 4
"""Pixels of a frame to one of the coarse picture, each way."""
EDGES, FLAT = 0.25, 0.25
"""Shares of the coarse picture: the steepest, which focus is read from, and the flattest, which
show the noise."""
NOISE_KEPT, COARSE_NOISE = 0.0224, 0.0026
"""Share of white noise's variance in a fine difference, and of that in a coarse one."""
LEAST_ENERGY = 1e-3
"""Mean square gradient below which a picture shows nothing, grey levels a pixel squared."""
MEAN_OF_MEDIAN = 1.12
"""Mean energy of white noise in a block of the coarse picture's pixel, in terms of its median."""
MOST_NOISE = 0.9
"""Share of the whole energy that is taken for noise at most."""
ABOVE_NOISE = 10
"""How many times its noise the coarse energy must be to be print."""
LEAST_FLAT = 64
"""Number of pixels of the coarse picture that must not be clipped, to tell the noise."""
ROUND = 0.04
"""Share of the total energy added to each direction: one without edges has no sharpness of its
own."""
BAND = 0.15
"""Standard deviation of the frequencies that registration weighs, cycles a pixel."""
MOST_SHIFT_SIDE = 512
"""Longest side of the pictures that are registered; larger ones are reduced."""


@dataclass(frozen=True)
class Exposure:
    """How bright a picture is.

    *mean*: 0..255; *dark*, *bright*: shares, 0..1, of clipped pixels; *histogram*: shares of the
    pixels in 32 bins of eight levels.
    """

    mean: float
    dark: float
    bright: float
    histogram: tuple[float, ...]


@dataclass(frozen=True)
class Sharpness:
    """How sharp a picture is.

    *focus*: of the softest direction, from 0; 100 is a step between two pixels, thin lines have
    more. *best*: of the sharpest direction. *noise*: standard deviation, grey levels. *contrast*:
    root mean square gradient behind the large Gaussian of the steepest quarter, grey levels a
    pixel; *weakest*: the same in the direction that has least of it, none beside a straight edge.
    """

    focus: float
    best: float
    noise: float
    contrast: float
    weakest: float = 0.0


@dataclass(frozen=True)
class Shift:
    """How far a picture lies from another: camera pixels, x right, y down.

    *certain*: height of the correlation's peak, 0..1; the same still scene has about 0.3 to 1, two
    scenes below 0.1.
    """

    x: float
    y: float
    certain: float

    @property
    def length(self) -> float:
        """Distance in camera pixels."""
        return float(np.hypot(self.x, self.y))


@dataclass(frozen=True)
class Figures:
    """All figures of one picture; *shake* is None without a picture before it."""

    width: int
    height: int
    sharpness: Sharpness
    exposure: Exposure
    shake: Shift | None = None

    @property
    def focus(self) -> float:
        """Focus, from 0; 100 is a step between two pixels, thin lines have more."""
        return self.sharpness.focus

    def as_object(self) -> dict[str, object]:
        """The figures as records hold them."""
        sharp, light = self.sharpness, self.exposure
        fields: dict[str, object] = {
            "focus": round(sharp.focus, 2),
            "contrast": round(sharp.contrast, 3),
            "noise": round(sharp.noise, 2),
            "mean": round(light.mean, 1),
            "dark": round(light.dark, 4),
            "bright": round(light.bright, 4),
        }
        if self.shake is not None:
            fields["shake_px"] = round(self.shake.length, 2)
        return fields


def measure(frame: Frame, area: Area = None, before: Frame | None = None) -> Figures:
    """Measure a frame, (height, width, 3) uint8 RGB, in *area*, and its shift from *before*.

    Raises ValueError for an area or a frame that is too small, or a frame of another size before.
    """
    pixels = grey(frame, area)
    moved = None if before is None else shake(before, frame, area)
    height, width = frame.shape[:2]
    return Figures(width, height, sharpness_of(pixels), exposure_of(pixels), moved)


def focus(frame: Frame, area: Area = None) -> float:
    """Return the focus of a frame, from 0. Raises ValueError as :func:`measure` does."""
    return sharpness_of(grey(frame, area)).focus


def exposure(frame: Frame, area: Area = None) -> Exposure:
    """Return how bright a frame is. Raises ValueError as :func:`measure` does."""
    return exposure_of(grey(frame, area))


def shake(before: Frame, after: Frame, area: Area = None) -> Shift:
    """Return how far *after* lies from *before*, frames of one size.

    Raises ValueError as :func:`measure` does.
    """
    if before.shape != after.shape:
        raise ValueError(f"must be frames of one size, not {before.shape} and {after.shape}")
    return shift_of(grey(before, area), grey(after, area))


def grey(frame: Frame, area: Area = None) -> Grey:
    """Return the luma (red + 2 green + blue) / 4 of the rectangle around *area*.

    Outside a polygon the rectangle's other pixels stay: masking them would paint edges. Raises
    ValueError.
    """
    height, width = frame.shape[:2]
    left, top, right, bottom = _bounds(area, width, height)
    if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
        raise ValueError(
            f"must be at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {right - left} x "
            f"{bottom - top}"
        )
    part = frame[top:bottom, left:right]
    summed = part[:, :, 0].astype(np.uint16)
    summed += part[:, :, 1]
    summed += part[:, :, 1]
    summed += part[:, :, 2]
    return summed.astype(np.float32) / np.float32(4)


def exposure_of(pixels: Grey) -> Exposure:
    """Return how bright luma is."""
    counts = np.bincount(pixels.astype(np.uint8).ravel(), minlength=256) / pixels.size
    bins = counts.reshape(BINS, -1).sum(axis=1)
    dark, bright = counts[: DARK + 1].sum(), counts[BRIGHT:].sum()
    return Exposure(float(pixels.mean()), float(dark), float(bright), tuple(bins.tolist()))


def sharpness_of(pixels: Grey) -> Sharpness:
    """Return how sharp luma is."""
    fine = _smooth(pixels)
    coarse = _smooth(_smooth(fine[::2, ::2])[::2, ::2])
    inner, outer = _binned(_tensor(fine)), _tensor(coarse) / np.float32(REDUCED**2)
    rows, columns = (min(a, b) for a, b in zip(inner.shape[1:], outer.shape[1:], strict=True))
    inner, outer = inner[:, :rows, :columns], outer[:, :rows, :columns]
    slope = outer[0] + outer[1]
    floor = _floor(inner, slope, coarse[:rows, :columns])
    steep = slope >= np.quantile(slope, 1 - EDGES)
    small = _matrix(inner[:, steep], floor)
    large = _matrix(outer[:, steep], floor * COARSE_NOISE)
    least = max(LEAST_ENERGY, ABOVE_NOISE * floor * COARSE_NOISE)
    softest, sharpest = _ratios(small, large) if np.trace(large) > least else (0.0, 0.0)
    noise, total = np.sqrt(floor / NOISE_KEPT), max(0.0, float(np.trace(large)))
    even = ROUND * total / (1 + 2 * ROUND)  # what _matrix has added to each direction
    weakest = max(0.0, float(np.linalg.eigvalsh(large)[0]) - even)
    return Sharpness(
        _focus(softest), _focus(sharpest), float(noise), float(np.sqrt(total)), weakest**0.5
    )


def _floor(fine: NDArray[np.float32], slope: Grey, level: Grey) -> float:
    """Return the energy of noise in each direction: the flattest parts' that are not clipped.

    Not all of the whole, for what is texture all over is not noise.
    """
    held = (level > DARK) & (level < BRIGHT)
    if np.count_nonzero(held) < LEAST_FLAT:
        return 0.0
    quiet = held & (slope <= np.quantile(slope[held], FLAT))
    energy = (fine[0] + fine[1]) / 2
    found = MEAN_OF_MEDIAN * float(np.median(energy[quiet]))
    return min(found, MOST_NOISE * float(energy.mean()))


def _smooth(pixels: Grey) -> Grey:
    """Convolve with the binomial 1 4 6 4 1 each way, a Gaussian of variance 1."""
    return _smooth_rows(_smooth_rows(pixels).T).T


def _smooth_rows(pixels: Grey) -> Grey:
    edge = np.pad(pixels, ((2, 2), (0, 0)), mode="reflect")
    middle = edge[2:-2] * np.float32(6)
    middle += (edge[1:-3] + edge[3:-1]) * np.float32(4)
    middle += edge[:-4]
    middle += edge[4:]
    middle *= np.float32(1 / 16)
    return middle


def _tensor(pixels: Grey) -> NDArray[np.float32]:
    """Return the products xx, yy and xy of the central differences: (3, rows, columns)."""
    x, y = np.zeros_like(pixels), np.zeros_like(pixels)
    x[:, 1:-1] = (pixels[:, 2:] - pixels[:, :-2]) / 2
    y[1:-1] = (pixels[2:] - pixels[:-2]) / 2
    return np.stack((x * x, y * y, x * y))


def _binned(tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average blocks of :data:`REDUCED` pixels each way."""
    rows, columns = (size // REDUCED for size in tensor.shape[1:])
    whole = tensor[:, : rows * REDUCED, : columns * REDUCED]
    blocks = whole.reshape(3, rows, REDUCED, columns, REDUCED)
    return np.asarray(blocks.mean(axis=(2, 4)), dtype=np.float32)


def _matrix(products: NDArray[np.float32], floor: float) -> NDArray[np.float64]:
    """Return the mean tensor without the noise's share, a little of it in every direction."""
    xx, yy, xy = (float(product.mean(dtype=np.float64)) for product in products)
    total = max(xx + yy - 2 * floor, 0.0)
    even = ROUND * total
    return np.array([[max(xx - floor, 0.0) + even, xy], [xy, max(yy - floor, 0.0) + even]])


def _ratios(small: NDArray[np.float64], large: NDArray[np.float64]) -> tuple[float, float]:
    """Return the least and the greatest ratio of two tensors over all directions."""
    softest, sharpest = np.linalg.eigvals(np.linalg.solve(large, small)).real.clip(0).tolist()
    return min(softest, sharpest), max(softest, sharpest)


def _focus(ratio: float) -> float:
    """Return the focus of a ratio of energies, 100 where it is a step's between two pixels.

    A step behind a Gaussian of variance v has energy proportional to 1 / sqrt(v), so that ratio
    squared less 1 is proportional to 1 / (v + FINE).
    """
    return 100 * FINE / (COARSE - FINE) * max(0.0, ratio * ratio - 1)


def shift_of(before: Grey, after: Grey) -> Shift:
    """Return how far one luma lies from another of its size, by phase correlation.

    Kuglin and Hines, "The phase correlation image alignment method", 1975; the peak between pixels
    by a parabola each way. High frequencies, where noise is, count less.
    """
    step = -(-max(before.shape) // MOST_SHIFT_SIDE)
    one, other = (spectrum(reduced(pixels, step)) for pixels in (before, after))
    found = shift_between(one, other)
    return Shift(found.x * step, found.y * step, found.certain)


@dataclass(frozen=True)
class Spectrum:
    """The Fourier transform of luma of *shape*, (height, width), faded to its borders."""

    values: NDArray[np.complex128]
    shape: tuple[int, int]


def spectrum(pixels: Grey) -> Spectrum:
    """Return what :func:`shift_between` compares."""
    height, width = pixels.shape
    return Spectrum(np.fft.rfft2(_windowed(pixels)), (height, width))


def shift_between(one: Spectrum, other: Spectrum) -> Shift:
    """Return how far *other* lies from *one*, of one shape."""
    cross = other.values * np.conj(one.values)
    weight = _band(one.shape)
    size = np.abs(cross)
    floor = float(size.max()) * 1e-6 + 1e-9
    surface = np.fft.irfft2(cross / (size + floor) * weight, s=one.shape)
    surface /= _band_peak(one.shape)
    rows, columns = surface.shape
    row, column = divmod(int(surface.argmax()), columns)
    y = row + _vertex(*(float(surface[(row + d) % rows, column]) for d in (-1, 0, 1)))
    x = column + _vertex(*(float(surface[row, (column + d) % columns]) for d in (-1, 0, 1)))
    y, x = y - rows * (y > rows / 2), x - columns * (x > columns / 2)
    return Shift(x, y, float(np.clip(surface[row, column], 0, 1)))


def reduced(pixels: Grey, step: int) -> Grey:
    """Average blocks of *step* pixels each way."""
    if step == 1:
        return pixels
    rows, columns = (size // step for size in pixels.shape)
    whole = pixels[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return np.asarray(whole.mean(axis=(1, 3)), np.float32)


def _windowed(pixels: Grey) -> NDArray[np.float64]:
    """Take the mean off and fade to the borders, which would else be registered themselves."""
    rows, columns = (np.hanning(size + 2)[1:-1] for size in pixels.shape)
    window: NDArray[np.float64] = np.outer(rows, columns)
    return (pixels - float(pixels.mean(dtype=np.float64))) * window


@lru_cache(maxsize=4)
def _band(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the weight of each frequency, a Gaussian of :data:`BAND` cycles a pixel."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    return np.asarray(np.exp(-(rows**2 + columns**2) / (2 * BAND**2)), dtype=np.float64)


@lru_cache(maxsize=4)
def _band_peak(shape: tuple[int, int]) -> float:
    """Return the peak of two equal pictures' correlation."""
    return float(np.fft.irfft2(_band(shape), s=shape)[0, 0])


def _vertex(left: float, middle: float, right: float) -> float:
    """Return where between -0.5 and 0.5 the parabola through three values is highest."""
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, 0.5 * (left - right) / bend))


def _bounds(area: Area, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the rectangle around *area* in whole pixels, cut to the frame."""
    if area is None:
        return 0, 0, width, height
    x0, y0, x1, y1 = area.bounds if isinstance(area, Region) else area
    return (
        max(0, math.floor(x0)),
        max(0, math.floor(y0)),
        min(width, math.ceil(x1)),
        min(height, math.ceil(y1)),
    )
