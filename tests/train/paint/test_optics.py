import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.vision.preprocess import Frame
from train.config import SynthSettings
from train.paint.optics import (
    demosaiced,
    lens_and_sensor,
    light,
    motion_kernel,
    noisy,
    through_jpeg,
)

EFFECTS = ("gradient", "shadow", "glare", "blur", "motion", "coarse", "noise", "mosaic", "jpeg")
OFF: dict[str, Any] = {f"{name}_share": 0.0 for name in EFFECTS}
NONE = SynthSettings(light_stops=0.0, white_balance=0.0, gamma=0.0, belt_spread_deg=0.0, **OFF)


def picture() -> Frame:
    """Smooth colours with a sharp white square."""
    y, x = np.mgrid[0:120, 0:160]
    pixels = np.stack([60 + x / 2, 40 + y, 120 + 0 * x], -1).astype(np.uint8)
    pixels[50:70, 60:90] = 230
    return pixels


def spread(pixels: Frame) -> tuple[float, float]:
    """The sharpness of the square's edges: the greatest step along x and along y."""
    grey = pixels.astype(np.int16).mean(-1)
    return float(np.abs(np.diff(grey, axis=1)).max()), float(np.abs(np.diff(grey, axis=0)).max())


def test_perfect_light_and_camera_change_nothing() -> None:
    """So each effect can be tried alone."""
    rng = np.random.default_rng(0)
    frame, softness = lens_and_sensor(rng, NONE, light(rng, NONE, picture())[0])
    assert np.array_equal(frame, picture())
    assert softness == 0.0


def test_a_shadow_only_darkens_and_a_lamp_only_brightens() -> None:
    """And each is seen somewhere."""
    for seed in range(8):
        dark = light(
            np.random.default_rng(seed), dataclasses.replace(NONE, shadow_share=1.0), picture()
        )[0].astype(int)
        assert (dark <= picture() + 1).all()
        bright = light(
            np.random.default_rng(seed), dataclasses.replace(NONE, glare_share=1.0), picture()
        )[0].astype(int)
        assert (bright >= picture().astype(int) - 1).all()
        assert (bright - picture()).max() > 20
        assert (picture() - dark).max() > 20 or (dark == picture()).mean() > 0.9


@pytest.mark.parametrize(("belt_deg", "softer"), [(0.0, 0), (90.0, 1), (-90.0, 1), (180.0, 0)])
def test_the_belt_smears_along_its_own_direction(belt_deg: float, softer: int) -> None:
    """Edges across the belt grow soft, those along it stay sharp."""
    settings = dataclasses.replace(NONE, motion_share=1.0, belt_deg=belt_deg, motion_px=9.0)
    smeared = spread(lens_and_sensor(np.random.default_rng(1), settings, picture())[0])
    sharp = spread(picture())
    assert smeared[softer] < 0.6 * sharp[softer]
    assert smeared[1 - softer] > 0.9 * sharp[1 - softer]


@pytest.mark.parametrize("length", [1.0, 2.5, 7.0, 40.0])
def test_a_smear_moves_light_about_and_loses_none(length: float) -> None:
    """The kernel's sum is 1 and its middle stays, so that boxes stay where they are."""
    for angle in np.linspace(0, math.pi, 7):
        kernel: NDArray[np.float64] = motion_kernel(float(angle), length)
        rows, columns = np.mgrid[0 : len(kernel), 0 : len(kernel)] - (len(kernel) - 1) / 2
        assert kernel.sum() == pytest.approx(1)
        assert (float((kernel * rows).sum()), float((kernel * columns).sum())) == pytest.approx(
            (0, 0), abs=0.3
        )


def test_a_coarse_picture_keeps_its_size_and_loses_detail() -> None:
    """Boxes need not be moved."""
    coarse, softness = lens_and_sensor(
        np.random.default_rng(2), dataclasses.replace(NONE, coarse_share=1.0), picture()
    )
    assert 0.28 < softness < 0.65
    assert coarse.shape == picture().shape
    assert max(spread(coarse)) < max(spread(picture()))


@pytest.mark.parametrize(
    "blurred", [{"blur_share": 1.0, "blur_px": 3.0}, {"motion_share": 1.0, "motion_px": 9.0}]
)
def test_softness_is_the_width_of_a_blurred_edge(blurred: dict[str, float]) -> None:
    """The deviation of what a sharp edge is spread over, in pixels, along the belt's direction."""
    step = np.zeros((41, 80, 3), np.uint8)
    step[:, 40:] = 200
    settings = dataclasses.replace(NONE, belt_deg=0.0, **blurred)  # type: ignore[arg-type]
    frame, softness = lens_and_sensor(np.random.default_rng(5), settings, step)
    weight = np.diff(frame[20, :, 0].astype(float))
    middle = float((weight * np.arange(79)).sum() / weight.sum())
    width = float(np.sqrt((weight * (np.arange(79) - middle) ** 2).sum() / weight.sum()))
    assert softness > 0.8
    assert width == pytest.approx(softness, rel=0.25)


def test_a_sensor_of_one_colour_a_pixel_keeps_the_colours_of_areas() -> None:
    """Red stays red: the order of its filters is the one that is read back."""
    for colour in ((200, 30, 60), (20, 180, 90), (40, 50, 210)):
        flat = np.empty((31, 44, 3), np.uint8)
        flat[:] = colour
        assert demosaiced(flat)[10, 10].tolist() == list(colour)
    assert not np.array_equal(demosaiced(picture()), picture())


def test_jpeg_keeps_the_colours_of_areas() -> None:
    """Red does not come back blue."""
    flat = np.empty((32, 48, 3), np.uint8)
    flat[:] = (200, 60, 40)
    assert through_jpeg(flat, 90)[16, 16].tolist() == pytest.approx([200, 60, 40], abs=4)


@pytest.mark.parametrize("side", [64, 600, 900])
def test_noise_has_the_deviation_asked_for_and_no_bias(side: int) -> None:
    """Also of pictures larger than the stored noise."""
    flat = np.full((side, side, 3), 128, np.uint8)
    noise = noisy(np.random.default_rng(3), flat, 9.0).astype(float) - 128
    assert noise.std() == pytest.approx(9.0, rel=0.1)
    assert noise.mean() == pytest.approx(0.0, abs=0.6)
