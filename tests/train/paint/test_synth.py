import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.errors import ConfigError
from edge.settings import bound_text, read_section
from edge.vision.preprocess import Frame
from tests.painting import make_kit, make_marks, mark_image
from train.config import SynthSettings
from train.marks.mark import Mark, load_mark, outline_of
from train.paint.backgrounds import Backgrounds
from train.paint.placing import (
    Pose,
    bounds,
    corners_of,
    cover,
    homography,
    project,
    random_bend,
    warp,
)
from train.paint.synth import Cutout, Kit, Scene, paint, paint_twins, superimpose

PLAIN = SynthSettings(
    negative_share=0.0,
    marks_max=1,
    lookalike_share=0.0,
    ink_share=0.0,
    opacity_min=1.0,
    occlusion_share=0.0,
    colour_jitter=0.0,
    worn_share=0.0,
    gloss_share=0.0,
    lift_share=0.0,
    cut_share=0.0,
    curve_share=0.0,
    plate_share=0.0,
    turned_share=0.0,
    contrast_min=0.0,
    size_min=0.2,
    size_max=0.5,
)

PERFECT: dict[str, Any] = {
    "camera_share": 0.0,
    "light_stops": 0.0,
    "white_balance": 0.0,
    "gamma": 0.0,
    "gradient_share": 0.0,
    "shadow_share": 0.0,
    "glare_share": 0.0,
    "coarse_share": 0.0,
    "mosaic_share": 0.0,
    "blur_share": 0.0,
    "motion_share": 0.0,
    "noise_share": 0.0,
    "jpeg_share": 0.0,
}
"""A camera that shows what is there."""


ALWAYS = frozenset(
    f"{name}_share"
    for name in (
        *(
            "curve",
            "worn",
            "soft",
            "bleed",
            "speckle",
            "smear",
            "partial",
            "double",
            "gloss",
            "lift",
            "gradient",
        ),
        *("shadow", "glare", "camera", "noise", "mosaic", "jpeg", "occlusion", "cut"),
    )
)


class Grey(Backgrounds):
    """A background of one colour."""

    def pixels(self, rng: np.random.Generator) -> Frame:
        """Always the same picture."""
        del rng
        return np.full((300, 300, 3), 128, np.uint8)


def grey_scene(side: int = 192) -> Scene:
    """A scene of one colour, a canvas pixel for each of the network's."""
    ground = np.full((side, side, 3), 128, np.uint8)
    return Scene(Image.fromarray(ground), 1.0)


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
    """On plain grey, what changed is the mark: its extent is the bounding box, to a pixel."""
    kit = Kit(make_marks("square"), Grey(), PLAIN, 192)
    scene = grey_scene()
    superimpose(np.random.default_rng(seed), kit, scene, kit.mark(np.random.default_rng(0)))
    changed = np.abs(np.asarray(scene.canvas, np.int16) - 128).max(-1) > 45
    ys, xs = np.nonzero(changed)
    assert scene.placed[0].box.corners() == pytest.approx(
        (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), abs=1.3
    )


@pytest.mark.parametrize("seed", range(6))
def test_boxes_of_whole_pictures_stay_inside_the_frame(seed: int) -> None:
    """Also of marks that the frame cuts."""
    picture = paint(np.random.default_rng(seed), make_kit(SynthSettings(), "disc", "star"), 192)
    for box in [box for _, box in picture.marks] + list(picture.ignored):
        assert box.clipped(192, 192) == box
        assert box.area > 0


NO_FAULTS: dict[str, Any] = {
    "bleed_share": 0.0,
    "speckle_share": 0.0,
    "smear_share": 0.0,
    "partial_share": 0.0,
    "double_share": 0.0,
}
"""A stamp that prints as it should."""
EFFECTS: dict[str, dict[str, Any]] = {
    "curve": {"curve_share": 1.0},
    "worn": {"worn_share": 1.0},
    "gloss": {"gloss_share": 1.0},
    "ink": {"ink_share": 1.0},
    "bleed": {"ink_share": 1.0, "bleed_share": 1.0},
    "smear": {"ink_share": 1.0, "smear_share": 1.0},
    "double": {"ink_share": 1.0, "double_share": 1.0},
}


@pytest.mark.parametrize("name", EFFECTS)
def test_the_box_bounds_the_ink_under_each_effect(name: str) -> None:
    """A square of one colour on plain grey: the box is as tight as without the effect."""
    settings = dataclasses.replace(PLAIN, **{**NO_FAULTS, **EFFECTS[name]}, size_min=0.3)
    image = Image.new("RGBA", (80, 80), (10, 20, 120, 255))
    mark = Mark("square", 0, image, outline_of(image), "painted", image.size)
    for seed in range(6):
        scene = grey_scene()
        superimpose(
            np.random.default_rng(seed),
            Kit((mark,), Grey(), settings, 192),
            scene,
            Cutout(image, mark.outline, 0),
        )
        changed = np.abs(np.asarray(scene.canvas, np.int16) - 128).max(-1) > 40
        ys, xs = np.nonzero(changed)
        found = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        # Run or dragged ink thins out beyond the print itself, which is what the box is about; a
        # gleam may bring a corner to the very grey of the ground.
        loose = {"bleed": 2.5, "smear": 6.0, "gloss": 5.0}.get(name, 1.5)
        assert scene.placed[0].box.corners() == pytest.approx(found, abs=loose), (name, seed)


def test_what_was_not_printed_is_not_seen() -> None:
    """A part left out lowers the share that can be seen, never below what the setting allows."""
    settings = dataclasses.replace(PLAIN, **{**NO_FAULTS, "partial_share": 1.0}, ink_share=1.0)
    seen = []
    for seed in range(20):
        scene = grey_scene()
        kit = Kit(make_marks("square"), Grey(), settings, 192)
        superimpose(np.random.default_rng(seed), kit, scene, kit.mark(np.random.default_rng(0)))
        seen.append(scene.placed[0].visible)
    assert max(seen) <= 1.0
    assert 0.45 < min(seen) < 0.85


def test_ink_that_could_not_be_seen_is_a_sticker_instead() -> None:
    """Multiplied on black there would be a label and no mark."""
    settings = dataclasses.replace(PLAIN, ink_share=1.0)
    for level in (0, 40, 90):
        ground = np.full((192, 192, 3), level, np.uint8)
        scene = Scene(Image.fromarray(ground), 1.0)
        kit = Kit(make_marks("star"), Grey(), settings, 192)
        superimpose(np.random.default_rng(level), kit, scene, kit.mark(np.random.default_rng(0)))
        x0, y0, x1, y1 = (int(corner) for corner in scene.placed[0].box.corners())
        assert np.abs(np.asarray(scene.canvas, np.int16) - level)[y0:y1, x0:x1].max() > 30


def test_a_lifted_edge_throws_its_shadow_beside_the_sticker() -> None:
    """The shadow darkens the ground outside the box, and the box stays the sticker's."""
    flat = Kit(make_marks("square"), Grey(), PLAIN, 192)
    lifted = dataclasses.replace(flat, settings=dataclasses.replace(PLAIN, lift_share=1.0))
    darker = 0
    for seed in range(6):
        scenes = grey_scene(), grey_scene()
        for kit, scene in zip((flat, lifted), scenes, strict=True):
            superimpose(np.random.default_rng(seed), kit, scene, kit.mark(np.random.default_rng(0)))
        assert scenes[0].placed == scenes[1].placed
        shade = 128 - np.asarray(scenes[1].canvas, np.int16)
        x0, y0, x1, y1 = (round(corner) for corner in scenes[0].placed[0].box.corners())
        shade[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = 0
        assert shade.min() >= 0
        darker += int(shade.max() > 15)
    assert darker >= 4


def test_pictures_with_every_effect_are_still_functions_of_their_seed() -> None:
    """No effect draws from anywhere but the picture's own generator."""
    shares: dict[str, Any] = {
        field.name: 1.0 for field in dataclasses.fields(SynthSettings) if field.name in ALWAYS
    }
    settings = dataclasses.replace(
        SynthSettings(), **shares, ink_share=0.5, coarse_share=0.5, blur_share=0.5
    )
    kits = [make_kit(settings, "disc", "star") for _ in range(2)]
    for seed in range(6):
        first, second = (paint(np.random.default_rng(seed), kit, 160) for kit in kits)
        assert np.array_equal(first.pixels, second.pixels)
        assert (first.marks, first.ignored) == (second.marks, second.ignored)


def test_a_bottle_bends_and_unbends() -> None:
    """Its two mappings are inverse: a point is seen where it was put."""
    rng = np.random.default_rng(4)
    cutout = Cutout(mark_image("square"), make_marks("square")[0].outline, 0)
    for _ in range(20):
        bend = random_bend(rng, SynthSettings(), cutout)
        points = rng.uniform(0, 96, (50, 2))
        seen = bend.onto(points).astype(np.float32)
        assert np.column_stack(bend.back(seen[:, 0], seen[:, 1])) == pytest.approx(points, abs=0.01)
        assert np.ptp(bend.onto(cutout.outline), axis=0)[0 if bend.upright else 1] < 96


def test_a_class_of_many_pictures_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut-outs are made again when they were dropped, and come out the same."""
    monkeypatch.setattr("train.paint.synth.KEPT", 3)
    kit = make_kit(SynthSettings(), "disc", "star")
    drawn = [kit.lookalike(np.random.default_rng(seed)) for seed in range(12)]
    assert len(kit._kept) <= 3
    again = [kit.lookalike(np.random.default_rng(seed)) for seed in range(12)]
    assert [cutout.image.tobytes() for cutout in drawn] == [
        cutout.image.tobytes() for cutout in again
    ]


def test_twins_are_the_same_picture_with_and_without_marks() -> None:
    """Seen through a perfect camera, they differ where the marks are and nowhere else."""
    still = dataclasses.replace(
        PLAIN, **PERFECT, lookalike_share=1.0, marks_max=2, negative_share=0.5, legible_px=0.0
    )
    for seed in range(6):
        kit = Kit(make_marks("disc", "star"), Grey(), still, 192)
        marked, bare = paint_twins(np.random.default_rng(seed), kit, 192)
        assert not bare.marks
        shared = set(bare.ignored)  # look-alikes, which both show
        assert shared <= set(marked.ignored)
        differ = np.abs(marked.pixels.astype(int) - bare.pixels).max(-1) > 2
        for box in [*(box for _, box in marked.marks), *(set(marked.ignored) - shared)]:
            x0, y0, x1, y1 = (round(corner) for corner in box.corners())
            assert differ[y0:y1, x0:x1].any()
            differ[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = False
        assert not differ.any()


def test_twins_have_a_light_and_a_camera_each() -> None:
    """Else the network could tell them apart by anything that was added to only one of them."""
    kit = make_kit(SynthSettings(), "disc")
    marked, bare = paint_twins(np.random.default_rng(3), kit, 160)
    assert (marked.pixels != bare.pixels).mean() > 0.9
    again = paint_twins(np.random.default_rng(3), make_kit(SynthSettings(), "disc"), 160)
    assert [picture.pixels.tobytes() for picture in again] == [
        marked.pixels.tobytes(),
        bare.pixels.tobytes(),
    ]


def test_look_alikes_carry_no_label() -> None:
    """A picture of nothing but look-alikes says that there is nothing."""
    settings = dataclasses.replace(
        SynthSettings(),
        negative_share=0.9,
        lookalike_share=1.0,
        legible_px=0.0,
        softness_cost=0.0,
    )
    kit = make_kit(settings, "disc")
    pictures = [paint(np.random.default_rng(seed), kit, 160) for seed in range(30)]
    without = [picture for picture in pictures if not picture.marks and not picture.ignored]
    plain = make_kit(dataclasses.replace(settings, lookalike_share=0.0), "disc")
    assert len(without) >= 20
    assert any(
        not np.array_equal(
            paint(np.random.default_rng(seed), plain, 160).pixels, pictures[seed].pixels
        )
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
    """Occlusion lowers the share that can be seen, and never raises it."""
    always = dataclasses.replace(PLAIN, occlusion_share=1.0)
    kit = Kit(make_marks("disc"), Grey(), always, 192)
    seen = []
    for seed in range(20):
        scene = grey_scene()
        superimpose(np.random.default_rng(seed), kit, scene, kit.mark(np.random.default_rng(0)))
        seen.append(scene.placed[0].visible)
    assert all(0.0 <= share <= 1.0 for share in seen)
    assert min(seen) < 0.8


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=4, max_size=4),
    st.floats(40, 300),
    st.floats(40, 300),
)
def test_a_homography_maps_its_corners(
    shifts: list[tuple[float, float]], width: float, height: float
) -> None:
    """Four points go where they were sent, to a thousandth of a pixel."""
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    target = source * 0.7 + 30 + np.array(shifts) * 0.3
    assert project(homography(source, target), source) == pytest.approx(target, abs=1e-3)


def test_warping_keeps_the_colours_of_the_edge_clean() -> None:
    """No dark seam from transparent pixels: the mark's edge has the mark's colour."""
    (mark,) = make_marks("disc")
    target = corners_of(*mark.image.size) * 0.37 + 5.3
    pose = Pose(homography(corners_of(*mark.image.size), target), bounds(target))
    layer = warp(Cutout(mark.image, mark.outline, 0), pose, cover(pose.box, (100, 100)))
    pixels = layer.astype(int)
    rim = (pixels[..., 3] > 30) & (pixels[..., 3] < 220)
    assert rim.sum() > 20
    red = (pixels[rim, 0] - pixels[rim, 1]).mean()
    assert red > 140


def test_every_choice_of_painting_has_a_sentence_and_a_default_within_its_bounds() -> None:
    """The settings written out for reading can be read back as they are."""
    settings = SynthSettings()
    assert read_section(SynthSettings, dataclasses.asdict(settings), "[synth]") == settings
    for field in dataclasses.fields(SynthSettings):
        assert len(field.metadata["sentence"]) > 10
        # What is the mark after all is checked by train.paint.inputs.check_mine; the others name
        # marks, and train.marks.mark.load_marks checks them.
        unbounded = field.name in ("mine", "inks", "stickers") or field.type is bool
        assert bound_text(field) or unbounded, f"{field.name} has no bounds"


@pytest.mark.parametrize(
    ("name", "value"),
    [("curve_deg", 0.0), ("partial_max", 0.95), ("belt_spread_deg", 91.0), ("gloss_share", 1.1)],
)
def test_a_choice_outside_its_bounds_is_refused(name: str, value: float) -> None:
    """With its name and what it must be."""
    with pytest.raises(ConfigError, match=rf"\[synth\] {name} must be "):
        read_section(SynthSettings, {name: value}, "[synth]")


@pytest.mark.parametrize("extreme", ["at_least", "at_most"])
def test_pictures_can_be_painted_at_the_ends_of_every_range(extreme: str) -> None:
    """Nothing divides by a share of nothing, or by a bottle of no size."""
    ends: dict[str, Any] = {
        field.name: int(field.metadata[extreme])
        if isinstance(field.default, int)
        else field.metadata[extreme]
        for field in dataclasses.fields(SynthSettings)
        if field.metadata[extreme] is not None
        and field.name not in {"size_max", "marks_max", "lookalikes_max"}
    }
    kit = make_kit(dataclasses.replace(SynthSettings(), **(ends | {"negative_share": 0.0})), "disc")
    for seed in range(8):
        assert paint(np.random.default_rng(seed), kit, 128).pixels.shape == (128, 128, 3)


def test_a_look_alike_that_could_be_a_mark_is_ignored() -> None:
    """Small and blurred, nobody could tell; sharp, it is as wrong as any."""
    sharp = dataclasses.replace(
        PLAIN,
        **PERFECT,
        negative_share=1.0,
        lookalike_share=1.0,
        lookalikes_max=1,
        size_min=0.28,
        size_max=0.3,
    )
    soft = dataclasses.replace(sharp, blur_share=1.0, blur_px=6.0, softness_cost=5.0)
    for settings, ignored in ((sharp, False), (soft, True)):
        kit = Kit(make_marks("disc"), Grey(), settings, 192)
        pictures = [paint(np.random.default_rng((9, seed)), kit, 192) for seed in range(12)]
        assert [bool(picture.ignored) for picture in pictures].count(ignored) >= 8
        assert not any(picture.marks for picture in pictures)


def test_a_mark_too_soft_to_be_read_does_not_count() -> None:
    """The same mark counts in a sharp picture, and is ignored in one as blurred as it is small."""
    sharp = dataclasses.replace(
        PLAIN, **PERFECT, size_min=0.12, size_max=0.12, marks_max=1, smallest_px=12.0
    )
    soft = dataclasses.replace(sharp, blur_share=1.0, blur_px=6.0, softness_cost=5.0)
    for settings, counts in (
        (sharp, True),
        (soft, False),
        (dataclasses.replace(soft, softness_cost=0.0), True),
    ):
        kit = Kit(make_marks("disc"), Grey(), settings, 192)
        pictures = [paint(np.random.default_rng((8, seed)), kit, 192) for seed in range(8)]
        assert [bool(picture.marks) for picture in pictures].count(counts) >= 6
        assert all(bool(picture.marks) != bool(picture.ignored) for picture in pictures)
