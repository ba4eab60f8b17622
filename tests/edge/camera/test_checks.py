import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.camera import Capture
from edge.camera.checks import (
    DRIFT_WINDOW,
    STUCK,
    FrameChecks,
    brightest,
    edge_strength,
    luma,
    sample,
    white_share,
)
from edge.commands.demo import SAMPLES
from edge.errors import CameraError, FrameError
from edge.sections.camera import CameraSettings
from edge.vision.picture_files import list_pictures, read_picture

Frame = NDArray[np.uint8]
WIDTH, HEIGHT = 320, 240
RNG = np.random.default_rng(11)


def noisy(scene: NDArray[np.float64], sigma: float = 1.0) -> Frame:
    """Return a sensor's frame of a scene, with *sigma* grey levels of noise in each pixel."""
    return (scene + RNG.normal(0, sigma, scene.shape)).round().clip(0, 255).astype(np.uint8)


def flat(level: float, slope: float = 0.0) -> NDArray[np.float64]:
    """A grey field that is *slope* levels brighter at the right than at the left."""
    ramp = level + slope * np.linspace(-0.5, 0.5, WIDTH)
    return np.broadcast_to(ramp[None, :, None], (HEIGHT, WIDTH, 3)).astype(np.float64)


def product(level: float = 120.0) -> NDArray[np.float64]:
    """A plain grey product on a darker belt, with one small mark on it."""
    scene = flat(level * 0.6).copy()
    scene[30:210, 50:270] = level
    scene[100:132, 150:182] = level * 0.7
    return scene


def said(
    checks: FrameChecks, picture: Frame, sequence: int, t_ns: int = 0, after_ns: int = 0
) -> str:
    """The fault's name, before the colon; empty when the picture passes."""
    capture = Capture(picture, t_ns, sequence, f"picture {sequence}")
    try:
        passed = checks.examine(capture, after_ns)
    except FrameError as error:
        return (
            str(error).split(":")[0]
            if error.picture == capture.name
            else f"of another picture: {error}"
        )
    return "" if passed is capture else "another picture"


def judged(picture: Frame, settings: CameraSettings | None = None) -> str:
    """What is said of one picture alone."""
    return said(FrameChecks(settings or CameraSettings()), picture, 1)


def test_a_picture_of_a_plain_product_passes() -> None:
    """At all brightnesses that a camera would be set to, with the noise of low and of high gain."""
    for level in (60, 120, 230):
        for sigma in (0.5, 5.0):
            assert judged(noisy(product(level), sigma)) == ""


def test_the_sample_photographs_pass_by_far() -> None:
    """Their strongest edges are eight times the limit, and they are neither black nor white."""
    for path in list_pictures(SAMPLES):
        picture = luma(sample(read_picture(path)))
        assert edge_strength(picture) > 60
        assert brightest(picture) > 100
        assert white_share(picture) < 0.1


def test_black_frame_is_a_fault() -> None:
    """A cap on the lens, the light off, the sensor dead: noise remains, and a hot pixel."""
    for sigma in (0.0, 1.0, 3.0):
        picture = noisy(flat(2.0), sigma)
        picture[77, 78] = 255
        assert judged(picture) == "black picture"


@pytest.mark.parametrize("level", [40.0, 120.0, 220.0])
@pytest.mark.parametrize("slope", [0.0, 40.0, 100.0])
@pytest.mark.parametrize("sigma", [0.0, 2.0, 10.0])
def test_covered_lens_is_a_fault(level: float, slope: float, sigma: float) -> None:
    """A hand, a sticker or fog: a slow gradient, and the noise of a camera at high gain."""
    assert judged(noisy(flat(level, min(slope, level)), sigma)) == "covered lens"


def test_a_lens_covered_by_something_near_is_a_fault() -> None:
    """A sample photograph so far out of focus that nothing is left of its print."""
    photograph = Image.fromarray(read_picture(list_pictures(SAMPLES)[0])).resize((WIDTH, HEIGHT))
    blurred = np.asarray(photograph.filter(ImageFilter.GaussianBlur(45)), np.float64)
    assert judged(noisy(blurred, 4.0)) == "covered lens"


def test_overexposed_frame_is_a_fault() -> None:
    """Nearly all white: print cannot be seen any more. A white background alone is no fault."""
    scene = np.full((HEIGHT, WIDTH, 3), 255.0)
    scene[100:132, 150:182] = 90
    assert judged(noisy(scene)) == "overexposed picture"
    scene[50:200, 100:250] = 90
    assert judged(noisy(scene)) == ""


def test_frozen_frame_is_a_fault() -> None:
    """The same picture twice, to the last grey level, though count and time stamp are new."""
    checks = FrameChecks(CameraSettings())
    picture = noisy(product())
    assert [said(checks, picture, number, t_ns=number) for number in (1, 2)] == [
        "",
        "frozen picture",
    ]
    assert said(checks, noisy(product()), 3) == ""
    assert said(checks, picture, 4) == ""


@pytest.mark.parametrize("quality", [50, 75, 90])
@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_a_still_scene_is_not_frozen(quality: int, sigma: float) -> None:
    """The sensor's noise tells two pictures apart, also behind a camera's JPEG."""
    checks = FrameChecks(CameraSettings())
    for number in range(1, 5):
        buffer = io.BytesIO()
        Image.fromarray(noisy(product(), sigma)).save(buffer, "JPEG", quality=quality)
        assert said(checks, np.asarray(Image.open(buffer), np.uint8), number) == ""


def test_repeats_can_be_allowed_for_drawings() -> None:
    """Replayed folders may show the same file twice."""
    checks = FrameChecks(CameraSettings(allow_repeats=True))
    picture = noisy(product())
    assert [said(checks, picture, number) for number in (1, 2, 3, 4)] == ["", "", "", ""]


def test_a_picture_from_before_the_trigger_is_a_fault() -> None:
    """One nanosecond is enough; at the trigger itself it is fresh."""
    checks = FrameChecks(CameraSettings())
    assert said(checks, noisy(product()), 1, t_ns=99, after_ns=100) == "old picture"
    assert said(checks, noisy(product()), 2, t_ns=100, after_ns=100) == ""


@pytest.mark.parametrize(
    ("latest_ns", "next_ns", "late"),
    [
        (None, None, False),
        (None, 101, False),
        (None, 100, True),
        (150, 151, False),
        (150, 120, True),
    ],
)
def test_a_picture_that_may_have_begun_after_the_next_trigger_is_a_fault(
    latest_ns: int | None, next_ns: int | None, late: bool
) -> None:
    """At the latest reading of its time stamp."""
    capture = Capture(noisy(product()), 100, 1, "picture 1", latest_ns)
    checks = FrameChecks(CameraSettings())
    if not late:
        assert checks.before_next(capture, next_ns) is capture
        return
    with pytest.raises(FrameError, match=r"^late picture: the next item came by") as caught:
        checks.before_next(capture, next_ns)
    assert caught.value.picture == "picture 1"


@pytest.mark.parametrize(
    ("driver", "limit", "after", "shown"),
    [
        ("v4l2", 2.0, 40.0, True),
        ("v4l2", 2.0, 240.0, True),
        ("v4l2", 2.0, 90.0, False),
        ("v4l2", 0.0, 40.0, False),
        ("replay", 2.0, 40.0, False),
    ],
)
def test_brightness_that_drifts_is_trouble(
    driver: str, limit: float, after: float, shown: bool
) -> None:
    """A lamp that fades, an exposure that a camera changes and does not tell; no single picture."""
    checks = FrameChecks(CameraSettings(driver=driver, drift_above=limit, overexposed_above=1.0))
    number = 0
    for level, count in ((110.0, DRIFT_WINDOW), (30.0, 3), (after, 2 * DRIFT_WINDOW)):
        for _ in range(count):
            number += 1
            said(checks, noisy(product(level)), number)
        if level != after:
            assert checks.trouble == ""
    assert checks.trouble.startswith("the pictures' brightness has drifted: it was ") == shown
    assert bool(checks.trouble) == shown


def test_a_count_that_stands_still_or_goes_back_is_a_fault() -> None:
    """Whatever the time stamp says."""
    checks = FrameChecks(CameraSettings())
    heard = [
        said(checks, noisy(product()), number, t_ns=10 * turn)
        for turn, number in enumerate((5, 5, 6, 4, 7))
    ]
    assert heard == ["", "old picture", "", "old picture", ""]


def test_a_camera_that_stays_stuck_ends_the_process() -> None:
    """A fault for each of the first items, then a lost camera: a new process may free it."""
    checks = FrameChecks(CameraSettings())
    picture = noisy(product())
    assert said(checks, picture, 1) == ""
    for number in range(2, STUCK + 1):
        assert said(checks, picture, number) == "frozen picture"
    with pytest.raises(
        CameraError, match=r"^frozen picture: .*, 3 times running; the service starts again"
    ) as caught:
        checks.examine(Capture(picture, 0, 99, "picture"), 0)
    assert not isinstance(caught.value, FrameError)


def test_each_check_can_be_switched_off() -> None:
    """For replayed drawings, which have neither noise nor light."""
    off = CameraSettings(
        allow_repeats=True, black_below=0.0, covered_below=0.0, overexposed_above=1.0
    )
    checks = FrameChecks(off)
    for number, level in enumerate((0, 0, 128, 255), start=1):
        assert said(checks, np.full((HEIGHT, WIDTH, 3), level, np.uint8), number) == ""


@settings(max_examples=80, deadline=None)
@given(height=st.integers(1, 600), width=st.integers(1, 900), level=st.integers(0, 255))
def test_any_size_of_flat_picture_is_judged_the_same(height: int, width: int, level: int) -> None:
    """Black, then covered, then overexposed, by its level alone; no size makes it fail."""
    expected = (
        "black picture" if level < 16 else "overexposed picture" if level >= 250 else "covered lens"
    )
    assert judged(np.full((height, width, 3), level, np.uint8)) == expected


@given(st.integers(0, 255), st.integers(0, 255), st.integers(1, 60))
def test_the_brightest_hundredth_is_found(low: int, high: int, tall: int) -> None:
    """One pixel in fifty is bright: the picture counts as that bright."""
    picture = np.full((tall * 10, 10), min(low, high), np.uint8)
    picture[::5, 0] = max(low, high)
    assert brightest(picture) == max(low, high)
