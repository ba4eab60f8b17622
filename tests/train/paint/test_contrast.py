"""The contrast of a painted mark, measured in the finished picture."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.vision.preprocess import Frame
from train.paint.contrast import Trace, contrast_of, trace_of

GROUND = 90


def scene(change: int, texture: float = 0.0) -> tuple[Frame, Frame]:
    """Return a ground of 120 x 120 pixels, and the same with a striped mark in its middle."""
    rng = np.random.default_rng(0)
    below = np.full((120, 120, 3), GROUND, np.float64) + rng.normal(0, texture, (120, 120, 3))
    after = below.copy()
    for x in range(32, 88, 8):
        after[40:80, x : x + 4] += change
    return as_frame(below), as_frame(after)


def as_frame(pixels: NDArray[Any]) -> Frame:
    """Return pixels as bytes."""
    return pixels.clip(0, 255).astype(np.uint8)


def traced(below: Frame, after: Frame) -> Trace:
    """Return the trace of the middle of a scene."""
    part = slice(30, 92)
    return trace_of(below[part, part], after[part, part], (30, 30))


@pytest.mark.parametrize("change", [60, -60, 12])
@pytest.mark.parametrize("texture", [0.0, 12.0])
def test_untouched_the_contrast_is_what_was_painted(change: int, texture: float) -> None:
    """Lighter or darker, on plain ground or a rough one."""
    below, after = scene(change, texture)
    assert contrast_of(traced(below, after), after) == pytest.approx(abs(change), rel=0.05)


def test_light_dims_it_and_blur_takes_fine_print_away() -> None:
    """Half the light halves it; a blur wider than the strokes leaves next to nothing."""
    below, after = scene(60)
    trace = traced(below, after)
    assert contrast_of(trace, as_frame(after * 0.5)) == pytest.approx(30, rel=0.1)
    blurred = np.asarray(cv2.GaussianBlur(after, (0, 0), 6.0), np.uint8)
    assert contrast_of(trace, blurred) < 20


def test_what_light_clips_cannot_be_seen() -> None:
    """Overexposed, white print on white ground is gone."""
    below, after = scene(60)
    lit = as_frame(after * 4.0)
    assert contrast_of(traced(below, after), lit) < 1


def test_a_mark_like_its_ground_has_none() -> None:
    """White on white changes nothing."""
    below, after = scene(3)
    assert contrast_of(traced(below, after), after) == 0.0


def test_noise_alone_is_no_contrast() -> None:
    """A finished picture that shows other things than the mark has none of it."""
    below, after = scene(60)
    other = as_frame(np.random.default_rng(1).normal(GROUND, 20, after.shape))
    assert contrast_of(traced(below, after), other) < 6
