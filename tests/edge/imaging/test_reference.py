"""A picture beside its reference: what has changed of the place, and not of the item."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from edge.errors import InputError
from edge.imaging.reference import CELLS, Reference, compare, with_view
from edge.vision.picture_files import open_image
from tests.edge.imaging.scenes import Frame, label_scene

WIDTH, HEIGHT = 480, 360


def place(item: int | None, seed: int, shift: tuple[int, int] = (0, 0)) -> Frame:
    """Paint the place, cut out of a larger scene, with an item in its middle; sensor's noise."""
    left, top = 40 + shift[0], 40 + shift[1]
    frame = label_scene(11, WIDTH + 80, HEIGHT + 80)[top : top + HEIGHT, left : left + WIDTH].copy()
    if item is not None:
        x = 160 + 12 * (item % 3)
        frame[110:250, x : x + 150] = label_scene(100 + item, 150, 140)
    noise = np.random.default_rng(seed).normal(0, 2, frame.shape)
    return (frame + noise).round().clip(0, 255).astype(np.uint8)


def made() -> Reference:
    """Calibrate on five pictures of the empty place and five filled ones."""
    half = with_view(None, "empty", [place(None, seed) for seed in range(5)])
    return with_view(half, "filled", [place(seed, seed + 50) for seed in range(5)])


REFERENCE = made()


def test_patches_are_of_the_surround_alone() -> None:
    """Where items come by, nothing is kept; the rest gives several patches."""
    assert 3 <= len(REFERENCE.patches) <= CELLS**2
    side = REFERENCE.patches[0].pixels.shape[0]
    for patch in REFERENCE.patches:
        beside = patch.x + side <= 164 or patch.x >= 328
        assert beside or patch.y + side <= 114 or patch.y >= 246
    assert REFERENCE.spread < 0.05


@pytest.mark.parametrize("item", [None, 7, 8])
def test_an_item_that_was_never_seen_changes_nothing(item: int | None) -> None:
    """All figures are of the surround."""
    found = compare(REFERENCE, place(item, 900))
    assert found.known == 1
    assert found.moved_px < 0.5
    assert found.light == pytest.approx(1, abs=0.02)
    assert min(found.focus, found.contrast) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("shift", [(6, 0), (-4, 9), (12, -12)])
def test_a_camera_that_was_knocked_has_moved_by_that(shift: tuple[int, int]) -> None:
    """In camera pixels."""
    found = compare(REFERENCE, place(3, 901, shift))
    assert found.moved_px == pytest.approx(np.hypot(*shift), abs=1)
    assert min(found.focus, found.contrast, found.light) > 0.9
    assert found.known > 0.5


def test_the_blocks_of_motion_jpeg_do_not_hold_a_knocked_camera() -> None:
    """They never move, and what is smooth is found again by them alone."""

    def coded(frame: Frame) -> Frame:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=50)
        file.seek(0)
        with open_image(file) as image:
            return np.asarray(image.convert("RGB"))

    half = with_view(None, "empty", [coded(place(None, seed)) for seed in range(3)])
    reference = with_view(half, "filled", [coded(place(seed, seed + 9)) for seed in range(3)])
    found = compare(reference, coded(place(2, 70, (13, 6))))
    assert found.moved_px == pytest.approx(np.hypot(13, 6), abs=1)
    assert found.known > 0.5


def test_a_straight_edge_alone_makes_no_patch() -> None:
    """It is found again anywhere along itself."""
    rail = np.full((240, 320, 3), 90.0)
    rail[:, 150:] = 190

    def taken(seed: int) -> Frame:
        noise = np.random.default_rng(seed).normal(0, 2, rail.shape)
        return (rail + noise).round().clip(0, 255).astype(np.uint8)

    half = with_view(None, "empty", [taken(seed) for seed in range(3)])
    with pytest.raises(InputError, match="too little structure stays alike"):
        with_view(half, "filled", [taken(seed + 3) for seed in range(3)])


@pytest.mark.parametrize("degrees", [-2.0, 1.5])
def test_a_turned_camera_is_told_by_its_angle(degrees: float) -> None:
    """The picture turns clockwise when the camera turns the other way."""
    turned = Image.fromarray(place(2, 902)).rotate(-degrees, Image.Resampling.BICUBIC)
    found = compare(REFERENCE, np.asarray(turned))
    assert found.rotation_deg == pytest.approx(degrees, abs=0.3)


@pytest.mark.parametrize("shift", [(70, 0), (-90, 40)])
def test_a_camera_that_was_knocked_far_has_moved_and_is_not_soft(shift: tuple[int, int]) -> None:
    """Beyond the patches' reach the whole picture is registered first."""
    large = label_scene(12, 760, 560)

    def aside(right: int, down: int, item: int | None, seed: int) -> Frame:
        frame = large[100 + down : 460 + down, 140 + right : 620 + right].copy()
        if item is not None:
            frame[110:250, 160:310] = label_scene(100 + item, 150, 140)
        noise = np.random.default_rng(seed).normal(0, 2, frame.shape)
        return (frame + noise).round().clip(0, 255).astype(np.uint8)

    half = with_view(None, "empty", [aside(0, 0, None, seed) for seed in range(3)])
    reference = with_view(half, "filled", [aside(0, 0, seed, seed + 9) for seed in range(3)])
    found = compare(reference, aside(*shift, None, 77))
    assert found.moved_px == pytest.approx(np.hypot(*shift), abs=2)
    assert found.known > 0.25  # the others lie beyond the picture
    assert min(found.focus, found.contrast) > 0.8


def test_a_very_soft_picture_is_soft_and_has_not_moved() -> None:
    """Its patches are not found again, and its place is, by the whole picture."""
    picture = Image.fromarray(place(1, 905)).filter(ImageFilter.GaussianBlur(8))
    found = compare(REFERENCE, np.asarray(picture))
    assert found.moved_px < 10
    assert found.focus < 0.2


def test_a_camera_that_looks_elsewhere_finds_nothing_again() -> None:
    """Further than the patches reach."""
    assert compare(REFERENCE, label_scene(77, WIDTH, HEIGHT)).known < 0.5


def test_a_lamp_of_one_side_is_seen_beside_the_others() -> None:
    """The whole picture's mean has changed little."""
    frame = place(1, 903).astype(np.float64)
    frame[:, : WIDTH // 3] *= 0.4
    found = compare(REFERENCE, frame.astype(np.uint8))
    assert found.light < 0.6
    assert found.bright == pytest.approx(1, abs=0.05)


def test_blur_and_fog_lower_clarity_and_light_does_not() -> None:
    """Fog is a veil of light: contrast falls, and edges stay as sharp as they were."""
    picture = Image.fromarray(place(1, 904))
    soft = compare(REFERENCE, np.asarray(picture.filter(ImageFilter.GaussianBlur(1.5))))
    assert soft.focus < 0.6
    fog = np.asarray(Image.blend(picture, Image.new("RGB", picture.size, (200, 200, 200)), 0.4))
    veiled = compare(REFERENCE, fog)
    assert veiled.contrast < 0.6
    assert veiled.focus > 0.85
    dim = compare(REFERENCE, np.asarray(ImageEnhance.Brightness(picture).enhance(0.6)))
    assert dim.light == pytest.approx(0.6, abs=0.02)
    assert min(dim.focus, dim.contrast) == pytest.approx(1, abs=0.06)


def test_a_place_without_a_surround_is_refused_in_words() -> None:
    """Each picture another scene: nothing stays alike."""
    half = with_view(None, "empty", [label_scene(seed, 200, 160) for seed in range(3)])
    with pytest.raises(InputError, match="too little structure stays alike"):
        with_view(half, "filled", [label_scene(seed + 9, 200, 160) for seed in range(3)])


def test_light_that_flickers_makes_the_same_surround() -> None:
    """Lamps differ by some percent from picture to picture; bright parts by more than noise."""

    def lit(frame: Frame, gain: float) -> Frame:
        return (frame * gain).round().clip(0, 255).astype(np.uint8)

    gains = (1.0, 0.93, 1.06, 0.96)
    half = with_view(None, "empty", [lit(place(None, n), g) for n, g in enumerate(gains)])
    frames = [lit(place(n % 3, n + 50), 0.9 * g) for n, g in enumerate(gains)]
    assert len(with_view(half, "filled", frames).patches) >= len(REFERENCE.patches) - 1


def test_what_is_alike_by_its_light_alone_is_no_surround() -> None:
    """A slope of light on smooth walls is the same in all pictures, and is found again nowhere."""
    slope = np.linspace(30, 220, 320)[None, :, None] * np.ones((240, 1, 3))

    def taken(seed: int) -> Frame:
        noise = np.random.default_rng(seed).normal(0, 3, slope.shape)
        return (slope + noise).round().clip(0, 255).astype(np.uint8)

    half = with_view(None, "empty", [taken(seed) for seed in range(4)])
    with pytest.raises(InputError, match="too little structure stays alike"):
        with_view(half, "filled", [taken(seed + 4) for seed in range(4)])


def test_one_kind_alone_is_kept_and_has_no_patches_yet() -> None:
    """Nobody knows yet what an item covers; other pixels begin anew."""
    half = with_view(None, "empty", [place(None, 1)])
    assert (half.patches, half.filled) == ((), None)
    other = with_view(half, "filled", [place(1, 2)[:200]])
    assert other.empty is None


def test_a_picture_of_another_size_is_refused() -> None:
    """Its patches would lie anywhere."""
    with pytest.raises(InputError, match="run 'stampgate-edge calibrate' anew"):
        compare(REFERENCE, label_scene(0, 200, 100))
