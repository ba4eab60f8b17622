import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.decision import Box
from tests.painting import make_kit, make_marks, mark_image
from train.config import SynthSettings
from train.marks import load_mark
from train.synth import Kit, corners_of, homography, paint, project, superimpose, warp

PLAIN = SynthSettings(
    negative_share=0.0,
    marks_max=1,
    lookalike_share=0.0,
    ink_share=0.0,
    opacity_min=1.0,
    occlusion_share=0.0,
    colour_jitter=0.0,
    size_min=0.2,
    size_max=0.5,
)


class Grey:
    """A background of one colour."""

    def choose(self, rng: np.random.Generator) -> Image.Image:
        """Always the same picture."""
        del rng
        return Image.new("RGB", (300, 300), (128, 128, 128))


@pytest.mark.parametrize("window", [160, 192])
def test_a_picture_is_a_function_of_its_seed(window: int) -> None:
    """Resuming and sharing out among workers rest on this."""
    kits = [make_kit(SynthSettings(), "disc", "star") for _ in range(2)]
    for seed in range(5):
        first, second = (paint(np.random.default_rng(seed), kit, window) for kit in kits)
        assert first.pixels.shape == (window, window, 3)
        assert np.array_equal(first.pixels, second.pixels)
        assert (first.marks, first.ignored) == (second.marks, second.ignored)


@pytest.mark.parametrize("seed", range(8))
def test_the_box_is_where_the_ink_is(seed: int) -> None:
    """Pasted on plain grey, what changed is the mark: its extent must agree with the label within a pixel."""
    kit = Kit(make_marks("square"), Grey(), PLAIN, 192)
    canvas = Image.new("RGB", (192, 192), (128, 128, 128))
    canvas, (spot,) = superimpose(np.random.default_rng(seed), kit, canvas, kit.mark(np.random.default_rng(0)), 1.0, [])
    changed = np.abs(np.asarray(canvas, np.int16) - 128).max(-1) > 45
    ys, xs = np.nonzero(changed)
    assert spot.box.corners() == pytest.approx((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), abs=1.3)


@pytest.mark.parametrize("seed", range(6))
def test_boxes_of_whole_pictures_stay_inside_the_frame(seed: int) -> None:
    """Also of marks that the frame cuts."""
    picture = paint(np.random.default_rng(seed), make_kit(SynthSettings(), "disc", "star"), 192)
    for box in [box for _, box in picture.marks] + list(picture.ignored):
        assert box.clipped(192, 192) == box
        assert box.area > 0


def test_look_alikes_carry_no_label() -> None:
    """A picture of nothing but look-alikes says that there is nothing."""
    settings = dataclasses.replace(SynthSettings(), negative_share=0.9, lookalike_share=1.0)
    kit = make_kit(settings, "disc")
    pictures = [paint(np.random.default_rng(seed), kit, 160) for seed in range(30)]
    without = [picture for picture in pictures if not picture.marks and not picture.ignored]
    plain = make_kit(dataclasses.replace(settings, lookalike_share=0.0), "disc")
    assert len(without) >= 20
    assert any(
        not np.array_equal(paint(np.random.default_rng(seed), plain, 160).pixels, pictures[seed].pixels)
        for seed in range(5)
    )


def test_what_the_user_calls_a_look_alike_is_used_as_one(tmp_path: Path) -> None:
    """Half of the look-alikes are those brought along."""
    kit = make_kit(SynthSettings(), "disc")
    mark_image("star", 50).save(tmp_path / "other.png")
    kit.given_lookalikes = (load_mark(tmp_path / "other.png", "other"),)
    drawn = [kit.lookalike(np.random.default_rng(seed)) for seed in range(60)]
    assert 15 < sum(cutout.image is kit.given_lookalikes[0].image for cutout in drawn) < 45
    assert all(cutout.kind is None for cutout in drawn)


def test_small_marks_are_ignored_and_large_ones_count() -> None:
    """Nobody could tell what a mark of six pixels is."""
    tiny = dataclasses.replace(PLAIN, size_min=0.03, size_max=0.032)
    picture = paint(np.random.default_rng(1), Kit(make_marks("disc"), Grey(), tiny, 192), 192)
    assert (len(picture.marks), len(picture.ignored)) == (0, 1)
    picture = paint(np.random.default_rng(1), Kit(make_marks("disc"), Grey(), PLAIN, 192), 192)
    assert (len(picture.marks), len(picture.ignored)) == (1, 0)


def test_a_hidden_mark_shows_less_of_itself() -> None:
    """What covers a mark lowers the share that can be seen, and never raises it."""
    always = dataclasses.replace(PLAIN, occlusion_share=1.0)
    kit = Kit(make_marks("disc"), Grey(), always, 192)
    seen = []
    for seed in range(20):
        canvas = Image.new("RGB", (192, 192), (128, 128, 128))
        _, spots = superimpose(np.random.default_rng(seed), kit, canvas, kit.mark(np.random.default_rng(0)), 1.0, [])
        seen.append(spots[0].visible)
    assert all(0.0 <= share <= 1.0 for share in seen)
    assert min(seen) < 0.8


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=4, max_size=4),
    st.floats(40, 300),
    st.floats(40, 300),
)
def test_a_homography_maps_its_corners(shifts: list[tuple[float, float]], width: float, height: float) -> None:
    """Four points go where they were sent."""
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    target = source * 0.7 + 30 + np.array(shifts) * 0.3
    assert project(homography(source, target), source) == pytest.approx(target, abs=1e-6)


def test_warping_keeps_the_colours_of_the_edge_clean() -> None:
    """No dark seam from transparent pixels: the mark's edge has the mark's colour."""
    (mark,) = make_marks("disc")
    target = corners_of(mark.image) * 0.37 + 5.3
    layer, _, _ = warp(mark.image, homography(corners_of(mark.image), target), Box(*target.min(0), *target.max(0)))
    pixels = np.asarray(layer).astype(int)
    rim = (pixels[..., 3] > 30) & (pixels[..., 3] < 220)
    assert rim.sum() > 20
    red = (pixels[rim, 0] - pixels[rim, 1]).mean()
    assert red > 140
