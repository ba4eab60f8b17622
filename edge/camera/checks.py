"""Checks of freshness, exposure and sharp edges on every frame: :meth:`FrameChecks.examine`.

A camera library's "success" proves nothing: unplugged cameras have returned the last picture for
ever. So every picture must be from after its trigger, counted on, another than the one before, and
neither black nor covered nor overexposed.

All checks run on a sample of about 320 x 240 of the picture's pixels, taken without smoothing so
that the sensor's noise is in it: two pictures of the same still scene differ by their noise alone,
the same picture twice does not.
"""

import statistics
from collections import deque

import numpy as np
from numpy.typing import NDArray

from edge.camera import Capture
from edge.errors import CameraError, FrameError
from edge.sections.camera import CameraSettings
from edge.vision.preprocess import Frame

SAMPLE_ROWS = 240
"""About how many rows are sampled; columns in the same steps."""
BLOCK = 8
"""Side of a block, in sampled pixels, whose mean is compared with its neighbours'.

Noise averages out, print stays."""
EDGES = 8
"""The eighth strongest edge between blocks counts as the edge strength: a hot pixel makes fewer."""
BRIGHTEST = 0.01
"""The share of the pixels that must reach a level before the picture counts as that bright."""
WHITE = 250
"""Level from which a pixel holds no more print."""
DRIFT_WINDOW = 25
"""Number of pictures whose median brightness is compared with that of as many first ones."""
STUCK = 3
"""Number of stuck pictures in a row that ends the process: a new process may free the camera."""

Luma = NDArray[np.uint8]
"""Brightness of the sampled pixels: (rows, columns) uint8."""


class FrameChecks:
    """Checks frame after frame against the one before and the settings' limits.

    Synchronization: one thread.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self.settings = settings
        """Their limits; may be replaced between two pictures."""
        self._sequence = 0
        self._last: Frame = np.zeros((0, 0, 3), np.uint8)
        self._stuck = 0
        self._first: list[float] = []
        self._recent: deque[float] = deque(maxlen=DRIFT_WINDOW)

    def examine(self, capture: Capture, after_ns: int) -> Capture:
        """Return *capture* if it was taken at *after_ns*, monotonic, or later, and can be judged.

        Raises FrameError, whose text begins with the fault's name: *old picture*, *frozen picture*,
        *black picture*, *covered lens* or *overexposed picture*; CameraError when it is old or
        frozen :data:`STUCK` times running.
        """
        stuck = self._freshness(capture, after_ns)
        self._stuck = self._stuck + 1 if stuck else 0
        if self._stuck >= STUCK:
            raise CameraError(f"{stuck}, {STUCK} times running; the service starts again")
        trouble = stuck or self._exposure()
        if trouble:
            raise FrameError(trouble, picture=capture.name)
        return capture

    def before_next(self, capture: Capture, next_ns: int | None) -> Capture:
        """Return *capture* if it began before the next item came by; None when none has come.

        Raises FrameError: the picture may show the next item.
        """
        if next_ns is not None and (after_ns := capture.begun_ns - next_ns) >= 0:
            raise FrameError(
                f"late picture: the next item came by {after_ns / 1e6:.0f} ms before "
                "it began; trigger more slowly, or more [camera] frames_per_second",
                picture=capture.name,
            )
        return capture

    @property
    def trouble(self) -> str:
        """Trouble with the pictures' brightness, in words; empty when it is as it was."""
        limit = self.settings.drift_above
        if not limit or self.settings.driver == "replay" or len(self._recent) < DRIFT_WINDOW:
            return ""
        before, now = (max(1.0, statistics.median(of)) for of in (self._first, self._recent))
        if 1 / limit <= now / before <= limit:
            return ""
        return (
            f"the pictures' brightness has drifted: it was {before:.0f} and is {now:.0f}; check "
            "lamp, lens and [camera] exposure_us, and restart the eye after a change of products"
        )

    def _note_brightness(self, level: float) -> None:
        if len(self._first) < DRIFT_WINDOW:
            self._first.append(level)
        else:
            self._recent.append(level)

    def _freshness(self, capture: Capture, after_ns: int) -> str:
        """Return why the picture is not a new one, "" when it is; keep it to compare the next."""
        before, self._last = self._last, sample(capture.picture)
        counted = capture.sequence > self._sequence
        self._sequence = max(capture.sequence, self._sequence)
        if capture.t_ns < after_ns or not counted:
            return "old picture: it must be from after the trigger; check the camera's connection"
        if not self.settings.allow_repeats and is_frozen(self._last, before):
            return (
                "frozen picture: it must not equal the one before to the last grey level; "
                "check the camera"
            )
        return ""

    def _exposure(self) -> str:
        """Return why nothing can be seen on the picture; empty when it can be judged."""
        settings, picture = self.settings, luma(self._last)
        self._note_brightness(float(picture.mean()))
        if (level := brightest(picture)) < settings.black_below:
            limit = f"at least {settings.black_below:g}"
            return _named("black picture", "its brightest parts", limit, f"{level}")
        if (share := white_share(picture)) > settings.overexposed_above:
            limit = f"at most {settings.overexposed_above:.0%} white"
            return _named("overexposed picture", "it", limit, f"{share:.0%}")
        if (edge := edge_strength(picture)) < settings.covered_below:
            limit = f"at least {settings.covered_below:g} grey levels"
            return _named("covered lens", "edges", limit, f"{edge:.1f}")
        return ""


def sample(frame: Frame) -> Frame:
    """Take every n-th pixel of every n-th row, unsmoothed: about 320 x 240 of a frame."""
    step = max(1, frame.shape[0] // SAMPLE_ROWS)
    return frame[::step, ::step].copy()


def luma(pixels: Frame) -> Luma:
    """Return the luma of (rows, columns, 3) RGB, (red + 2 green + blue) / 4: (rows, columns) uint8.

    >>> luma(np.array([[[10, 20, 30]]], np.uint8))
    array([[20]], dtype=uint8)
    """
    wide = pixels.astype(np.uint16)
    return ((wide[:, :, 0] + 2 * wide[:, :, 1] + wide[:, :, 2]) >> 2).astype(np.uint8)


def is_frozen(pixels: Frame, before: Frame) -> bool:
    """Tell whether two samples are equal to the last grey level, noise included."""
    return np.array_equal(pixels, before)


def brightest(picture: Luma) -> int:
    """Return the level, 0..255, that the brightest hundredth of the pixels reaches."""
    counts = np.bincount(picture.ravel(), minlength=256)
    return int(np.searchsorted(np.cumsum(counts), picture.size * (1 - BRIGHTEST), side="right"))


def white_share(picture: Luma) -> float:
    """Return the share, 0..1, of the pixels that are white."""
    return float(np.count_nonzero(picture >= WHITE) / picture.size)


def edge_strength(picture: Luma) -> float:
    """Return by how many grey levels neighbouring blocks differ at the picture's strongest edges.

    A cap, a hand or fog before the lens leaves slow gradients and noise, and neither makes
    neighbouring blocks differ.
    """
    rows, columns = (size // BLOCK for size in picture.shape)
    whole = picture[: rows * BLOCK, : columns * BLOCK]
    bands = whole.reshape(rows, BLOCK, columns * BLOCK).sum(axis=1, dtype=np.uint16)
    blocks = bands.reshape(rows, columns, BLOCK).sum(axis=2) / BLOCK**2
    edges = np.concatenate([np.abs(np.diff(blocks, axis=axis)).ravel() for axis in (0, 1)])
    return float(np.sort(edges)[-EDGES:][0]) if edges.size else 0.0


def _named(fault: str, what: str, must: str, found: str) -> str:
    cure = "check the light, the lens and [camera] exposure_us"
    return f"{fault}: {what} must be {must}, not {found}; {cure}"
