"""Figures of a picture: what they say must follow the picture and not the scene."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.deciding.region import Region
from edge.imaging.figures import DARK, exposure, focus, measure, shake, sharpness_of
from tests.edge.imaging.scenes import Frame, label_scene

BLURS = (0, 1, 2, 4, 8)


def gaussian(frame: Frame, sigma: float) -> Frame:
    """Blur a frame by a Gaussian of that standard deviation, pixels."""
    return np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(sigma)))


def line(frame: Frame, length: int, axis: int) -> Frame:
    """Blur a frame by motion of *length* pixels along an axis."""
    moved = [np.roll(frame.astype(np.float64), -step, axis) for step in range(length)]
    return (sum(moved) / length).round().astype(np.uint8)  # type: ignore[union-attr]


def noisy(frame: Frame, levels: float, seed: int = 0) -> Frame:
    """Add white noise of that standard deviation."""
    noise = np.random.default_rng(seed).normal(0, levels, frame.shape)
    return (frame + noise).round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("levels", [0, 6])
def test_focus_falls_with_every_blur_and_four_pixels_halve_it(seed: int, levels: float) -> None:
    """With noise added after the lens, as a sensor adds it, too."""
    frame = label_scene(seed)
    found = [focus(noisy(gaussian(frame, blur), levels)) for blur in BLURS]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)
    assert found[3] < found[0] / 2


@pytest.mark.parametrize("axis", [0, 1])
def test_focus_falls_with_motion_along_either_axis(axis: int) -> None:
    """A picture that is sharp across the motion is soft all the same."""
    frame = label_scene(1)
    found = [focus(line(frame, length, axis)) for length in (1, 2, 4, 8, 16)]
    assert found == sorted(found, reverse=True)
    assert found[3] < found[0] / 2


def test_motion_along_stripes_is_seen_by_what_crosses_them() -> None:
    """Edges along the motion stay sharp, and the softest direction counts."""
    sharp = measure(line(label_scene(2), 12, 1)).sharpness
    assert sharp.focus < sharp.best / 2


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0), (0.5, 100), (0.8, 40)])
def test_focus_is_the_same_in_other_light(gain: float, offset: float) -> None:
    """Less light and less contrast are no softness."""
    frame = label_scene(3)
    other = (frame * gain + offset).round().clip(0, 255).astype(np.uint8)
    assert focus(other) == pytest.approx(focus(frame), rel=0.06)


def test_noise_is_not_sharpness() -> None:
    """A soft picture of high gain stays soft; a grey one of noise alone shows nothing sharp."""
    soft = gaussian(label_scene(0), 4)
    assert focus(noisy(soft, 12)) == pytest.approx(focus(soft), rel=0.35)
    assert focus(noisy(np.full((240, 320, 3), 128, np.uint8), 12)) == 0
    assert measure(noisy(soft, 12)).sharpness.noise == pytest.approx(12 * 0.61, rel=0.2)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
def test_focus_of_a_step_is_that_of_its_blur(sigma: float) -> None:
    """The scale is absolute: 100 for a step between two pixels, less by its variance."""
    step = np.zeros((256, 256), np.float32)
    step[:, 128:] += 120
    step[128:] += 80
    blurred = np.asarray(
        Image.fromarray(np.stack([step] * 3, 2).astype(np.uint8)).filter(
            ImageFilter.GaussianBlur(sigma)
        )
    )
    assert focus(blurred) == pytest.approx(100 * 1.33 / (1.33 + sigma**2), rel=0.15)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_nothing_has_no_focus(level: int) -> None:
    """It is not undefined, and no exception."""
    figures = measure(np.full((64, 80, 3), level, np.uint8))
    assert figures.focus == 0
    assert figures.exposure.mean == level
    assert (figures.exposure.dark, figures.exposure.bright) == (level <= DARK, level == 255)


def test_histogram_has_all_pixels_in_their_bins() -> None:
    """Thirty-two bins of eight levels."""
    frame = np.zeros((40, 40, 3), np.uint8)
    frame[:10] = 255
    found = exposure(frame).histogram
    assert len(found) == 32
    assert (found[0], found[31], sum(found)) == (0.75, 0.25, 1.0)


@pytest.mark.parametrize("moved", [(3, -5), (0, 0), (-17, 8)])
def test_shake_is_the_shift_in_camera_pixels(moved: tuple[int, int]) -> None:
    """The same scene, cut out elsewhere: x right, y down."""
    frame, (x, y) = label_scene(5, 400, 360), moved
    before, after = (frame[40 + b : 280 + b, 40 + a : 340 + a] for a, b in ((0, 0), (-x, -y)))
    found = shake(noisy(before, 4), noisy(after, 4, seed=1))
    assert [found.x, found.y] == pytest.approx([x, y], abs=0.2)
    assert found.certain > 0.3


def test_shake_of_large_pictures_is_in_their_own_pixels() -> None:
    """They are reduced before they are registered."""
    frame = label_scene(6, 1300, 400)
    found = shake(frame[:, :1200], frame[:, 12:1212])
    assert [found.x, found.y] == pytest.approx([-12, 0], abs=0.5)


def test_two_scenes_are_not_certain_of_a_shift() -> None:
    """Another product is not a camera that was knocked."""
    assert shake(label_scene(0), label_scene(1)).certain < 0.2


def test_area_is_measured_alone() -> None:
    """By a box or by a polygon, cut to the frame."""
    frame = label_scene(7, 320, 240)
    frame[:, 160:] = 255
    box = measure(frame, (160.0, 0.0, 400.0, 240.0))
    polygon = measure(frame, Region(((160, 0), (320, 0), (320, 200))))
    assert box.focus == polygon.focus == 0
    assert box.exposure.bright == 1
    assert focus(frame, (0, 0, 150, 240)) > 0


@pytest.mark.parametrize("area", [(0, 0, 10, 100), (900, 0, 1000, 100)])
def test_area_that_is_too_small_is_refused(area: tuple[float, float, float, float]) -> None:
    """It would be measured as sharp or soft by chance."""
    with pytest.raises(ValueError, match="at least 32 x 32 pixels"):
        measure(label_scene(0), area)


def test_frames_of_two_sizes_are_refused() -> None:
    """They cannot be registered."""
    with pytest.raises(ValueError, match="of one size"):
        shake(label_scene(0, 100, 100), label_scene(0, 100, 120))


def test_figures_as_records_hold_them() -> None:
    """Rounded, by plain names; shake only where there was a picture before."""
    frame = label_scene(0)
    assert "shake_px" not in measure(frame).as_object()
    assert measure(frame, before=frame).as_object()["shake_px"] == 0


def test_texture_all_over_has_a_focus() -> None:
    """Corrugated board has no flat part, and is not noise all the same."""
    grain: NDArray[np.float64] = np.random.default_rng(4).normal(128, 40, (200, 200))
    frame = np.stack([grain.clip(0, 255).astype(np.uint8)] * 3, 2)
    found = [sharpness_of(gaussian(frame, blur)[:, :, 0].astype(np.float32)) for blur in BLURS[1:]]
    focuses = [sharp.focus for sharp in found]
    assert focuses == sorted(focuses, reverse=True)
