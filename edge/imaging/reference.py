"""The reference of a camera's place: patches of what stays alike with an item and without one.

A reference is calibrated by pictures of the empty place and of filled ones. Where they all agree is
the surround: guides, frame, ground. The most structured patches of it are kept as they were, and
:func:`compare` looks for them again: where they lie, how bright and how sharp they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.imaging.figures import (
    REDUCED,
    Frame,
    Grey,
    Sharpness,
    Spectrum,
    grey,
    reduced,
    sharpness_of,
    shift_between,
    spectrum,
)
from edge.imaging.watch import CLARITY, LEAST_KNOWN, Comparison

SIDES = (128, 64, 32)
"""Sides of a patch, pixels, the largest first of which a picture holds enough."""
CELLS = 3
"""A picture is divided into as many cells each way, each of which gives one patch at most."""
LEAST_PATCHES = 3
"""Number of patches that tell a shift from a turn, and outvote a wrong one."""
ALIKE = 6.0
"""Grey levels by which a patch may differ at most from picture to picture, noise averaged out."""
STRUCTURED = 0.35
"""Least gradient of a patch in its weakest direction, root mean square, grey levels a pixel.

A straight edge does not tell a shift along it (Shi and Tomasi, "Good features to track", 1994), and
in a smooth patch the blocks of the camera's JPEG are found again, which never move."""
CERTAIN = 0.2
"""Height of the correlation's peak from which a patch counts as found again."""
LEAST_FOUND = 0.8
"""Share of the pictures in which a patch must be found where it was, to be kept."""
CERTAIN_FAR = 0.1
"""The same of the whole reduced picture, in which an item may be another."""
APART_PX = 3.0
"""How far a patch may lie from where the others say, camera pixels, before it is left out."""


@dataclass(frozen=True)
class View:
    """What the camera has seen of one kind of place: empty, or filled.

    *mean*: mean luma in blocks of :data:`REDUCED` pixels, (rows, columns) uint8; *apart*: by how
    many grey levels pictures lay apart there at most, uint8; *pictures*: how many.
    """

    mean: NDArray[np.uint8]
    apart: NDArray[np.uint8]
    pictures: int


@dataclass(frozen=True)
class Patch:
    """A patch of the surround: its left and top in camera pixels, and luma, (side, side) uint8."""

    x: int
    y: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Known:
    """A patch with what is compared of it, worked out once."""

    patch: Patch
    sharpness: Sharpness
    mean: float
    spectrum: Spectrum


@dataclass(frozen=True)
class Reference:
    """The reference of a place for pictures of *width* x *height*.

    *empty*, *filled*: what was seen of either, None before it was; *patches*: of the surround,
    empty until both are there; *spread*: standard deviation of the logarithm of focus or
    contrast, the greater, in the pictures that it was made from.
    """

    width: int
    height: int
    empty: View | None = None
    filled: View | None = None
    patches: tuple[Patch, ...] = ()
    spread: float = 0.0
    _known: list[Known] = field(default_factory=list, compare=False, repr=False)

    @property
    def known(self) -> Sequence[Known]:
        """The patches with what is compared of them."""
        if not self._known:
            self._known.extend(map(_known, self.patches))
        return self._known


def view_of(frames: Sequence[Frame]) -> View:
    """Return what *frames* show, at least one and all of one size."""
    stack = np.stack([reduced(grey(frame), REDUCED) for frame in frames])
    gains = np.array([_gain(picture, stack[0]) for picture in stack], np.float32)
    stack *= gains[:, None, None]
    middle = stack.mean(axis=0)
    apart = np.abs(stack - middle).max(axis=0)
    return View(_levels(middle), _levels(apart), len(frames))


def with_view(before: Reference | None, kind: str, frames: Sequence[Frame]) -> Reference:
    """Return a reference with a new view of the *kind* ``empty`` or ``filled``.

    The other kind stays as it was, if its pictures had the same size. Raises InputError when both
    are there and too little of the place stays alike.
    """
    height, width = frames[0].shape[:2]
    if before is None or (before.width, before.height) != (width, height):
        before = Reference(width, height)
    view = view_of(frames)
    empty = view if kind == "empty" else before.empty
    filled = view if kind == "filled" else before.filled
    if empty is None or filled is None:
        return Reference(width, height, empty, filled)
    patches = _patches(_surround(empty, filled), frames)
    made = Reference(width, height, empty, filled, patches)
    found = [compare(made, frame) for frame in frames]
    logs = np.log([[max(getattr(one, name), 1e-3) for name in CLARITY] for one in found])
    return Reference(width, height, empty, filled, patches, float(logs.std(axis=0).max()))


class Stopped(Exception):  # noqa: N818 - no error
    """A comparison was ended before its end."""


def compare(
    reference: Reference, frame: Frame, stopped: Callable[[], bool] = lambda: False
) -> Comparison:
    """Compare a frame of the reference's size with it.

    *stopped*: asked before each patch; once it says so nothing more is done. Raises InputError for
    a frame of another size, and Stopped.
    """
    height, width = frame.shape[:2]
    if (width, height) != (reference.width, reference.height):
        raise InputError(
            f"the reference is of {reference.width} x {reference.height} pixels, the picture has "
            f"{width} x {height}; run 'stampgate-edge calibrate' anew"
        )
    seen = _Seen(reference, frame, stopped)
    if seen.share < LEAST_KNOWN and (far := _far_shift(reference, frame)) is not None:
        seen = _Seen(reference, frame, stopped, far)
    light = sorted(seen.light)
    second = 1 if len(light) > LEAST_PATCHES else 0
    return Comparison(
        moved_px=seen.moved,
        rotation_deg=seen.turned,
        known=seen.share,
        light=light[second],
        bright=light[-1 - second],
        focus=float(np.median(seen.focus)) if seen.placed else 1.0,
        contrast=float(np.median(seen.contrast)) if seen.placed else 1.0,
    )


class _Seen:
    """The patches as a frame shows them, looked for at their places, or *far* from there.

    *light*, *focus*, *contrast*: their ratios; *moved*, *turned*, *share*: as :func:`_movement`
    says. *placed*: whether it is known where they are, so that sharpness is of the same things.
    Raises Stopped.
    """

    def __init__(
        self,
        reference: Reference,
        frame: Frame,
        stopped: Callable[[], bool],
        far: tuple[int, int] | None = None,
    ) -> None:
        self.light, self.focus, self.contrast = list[float](), list[float](), list[float]()
        found = []
        right, down = far or (0, 0)
        for known in reference.known:
            if stopped():
                raise Stopped
            patch = known.patch
            pixels = _cut(frame, patch, right, down)
            shift = shift_between(known.spectrum, spectrum(pixels))
            x, y = shift.x + right, shift.y + down
            if shift.certain >= CERTAIN:
                half = patch.pixels.shape[0] / 2
                found.append((patch.x + half, patch.y + half, x, y))
                pixels = _cut(frame, patch, round(x), round(y))
            self._compare(known, pixels)
        self.moved, self.turned, agree = _movement(np.array(found).reshape(-1, 4))
        self.share = agree / len(reference.patches)
        self.placed = self.share >= LEAST_KNOWN or far is not None
        if self.share < LEAST_KNOWN and far is not None:
            self.moved = float(np.hypot(right, down))

    def _compare(self, known: Known, pixels: Grey) -> None:
        mean, sharp = float(pixels.mean()), sharpness_of(pixels)
        self.light.append((mean + 1) / (known.mean + 1))
        self.focus.append((sharp.focus + 0.1) / (known.sharpness.focus + 0.1))
        relative = (known.sharpness.contrast + 1e-3) / (known.mean + 1)
        self.contrast.append((sharp.contrast + 1e-3) / (mean + 1) / relative)


def _far_shift(reference: Reference, frame: Frame) -> tuple[int, int] | None:
    """Return how far the whole place lies from where it was, in camera pixels; None if unknown."""
    assert reference.filled is not None
    before, after = reference.filled.mean.astype(np.float32), reduced(grey(frame), REDUCED)
    shift = shift_between(spectrum(before), spectrum(after))
    if shift.certain < CERTAIN_FAR:
        return None
    return round(shift.x * REDUCED), round(shift.y * REDUCED)


def _movement(found: NDArray[np.float64]) -> tuple[float, float, int]:
    """Fit shift and turn to patches: (n, 4) x, y and their shifts, camera pixels.

    Returns the farthest shift of those that agree, degrees clockwise, and how many agree.
    """
    if len(found) < 2:
        return 0.0, 0.0, 0
    kept = found[np.hypot(*(found[:, 2:] - np.median(found[:, 2:], axis=0)).T).argsort()]
    kept = kept[: max(2, (len(kept) + 1) // 2)]  # the half that lies nearest to one another
    fit = _fit(kept)
    agree = found[_apart(fit, found) <= APART_PX]
    if len(agree) >= 2:
        fit = _fit(agree)
        agree = found[_apart(fit, found) <= APART_PX]
    if len(agree) < 2:
        return 0.0, 0.0, len(agree)
    moved = float(np.hypot(agree[:, 2], agree[:, 3]).max())
    return moved, float(np.degrees(fit[2])), len(agree)


def _fit(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shift x, shift y, turn (radians) and growth that fit best by least squares."""
    x, y, dx, dy = found.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate([np.stack([one, zero, -y, x], 1), np.stack([zero, one, x, y], 1)])
    fitted = np.linalg.lstsq(rows, np.concatenate([dx, dy]), rcond=None)[0]
    return np.asarray(fitted, np.float64)


def _apart(fit: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each patch lies from where *fit* puts it, camera pixels."""
    x, y, dx, dy = found.T
    shift_x, shift_y, turn, growth = fit
    beside, below = shift_x - turn * y + growth * x, shift_y + turn * x + growth * y
    return np.asarray(np.hypot(dx - beside, dy - below), np.float64)


def _gain(picture: Grey, like: Grey) -> float:
    """Return the factor that gives a picture the light of another, by the median of the pixels.

    Lamps flicker from picture to picture; an item that covers less than half moves no median.
    """
    return float(np.median((like + 1) / (picture + 1)))


def _surround(empty: View, filled: View) -> NDArray[np.float32]:
    """Return by how many grey levels the pictures lay apart: (rows, columns), reduced."""
    one, other = empty.mean.astype(np.float32), filled.mean.astype(np.float32)
    between = np.abs(one - other * _gain(other, one))
    worst = np.maximum(np.maximum(empty.apart, filled.apart), between)
    return np.asarray(worst, np.float32)


def _patches(apart: NDArray[np.float32], frames: Sequence[Frame]) -> tuple[Patch, ...]:
    """Choose patches of the surround, the most structured of each cell. Raises InputError."""
    luma = grey(frames[len(frames) // 2])  # one picture: a mean would have less noise than they
    for side in SIDES:
        chosen = [_best(cell, side, apart, luma) for cell in np.ndindex(CELLS, CELLS)]
        patches = tuple(patch for patch in chosen if patch and _stays(patch, frames))
        if len(patches) >= LEAST_PATCHES:
            return patches
    raise InputError(
        "too little structure stays alike between the pictures of the empty and the filled place: "
        f"{LEAST_PATCHES} patches with corners or print are needed; let the camera see more of "
        "guides or frame, keep it still, and calibrate both anew"
    )


def _stays(patch: Patch, frames: Sequence[Frame]) -> bool:
    """Tell whether a patch is found again where it was: a slope of light alone is found nowhere."""
    own = spectrum(patch.pixels.astype(np.float32))
    shifts = [shift_between(own, spectrum(_cut(frame, patch))) for frame in frames]
    stays = [shift.certain >= CERTAIN and shift.length <= APART_PX for shift in shifts]
    return sum(stays) >= LEAST_FOUND * len(frames)


def _best(cell: tuple[int, ...], side: int, apart: NDArray[np.float32], luma: Grey) -> Patch | None:
    """Return the most structured patch of a cell that stays alike, None without one."""
    rows, columns = luma.shape
    top, left = (size * index // CELLS for size, index in zip(luma.shape, cell, strict=True))
    best: tuple[float, Patch] | None = None
    for y in range(top, rows * (cell[0] + 1) // CELLS - side + 1, side // 2):
        for x in range(left, columns * (cell[1] + 1) // CELLS - side + 1, side // 2):
            part = apart[y // REDUCED : (y + side) // REDUCED, x // REDUCED : (x + side) // REDUCED]
            if not part.size or float(part.max()) > ALIKE:
                continue
            pixels = luma[y : y + side, x : x + side]
            weakest = sharpness_of(pixels).weakest
            if weakest >= STRUCTURED and (best is None or weakest > best[0]):
                best = weakest, Patch(x, y, _levels(pixels))
    return None if best is None else best[1]


def _known(patch: Patch) -> Known:
    pixels = patch.pixels.astype(np.float32)
    return Known(patch, sharpness_of(pixels), float(pixels.mean()), spectrum(pixels))


def _cut(frame: Frame, patch: Patch, right: int = 0, down: int = 0) -> Grey:
    """Cut the patch's place out of a frame, moved by so many pixels as far as the frame reaches."""
    side, (height, width) = patch.pixels.shape[0], frame.shape[:2]
    x = min(max(patch.x + right, 0), width - side)
    y = min(max(patch.y + down, 0), height - side)
    return grey(frame[y : y + side, x : x + side])


def _levels(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return values.round().clip(0, 255).astype(np.uint8)
