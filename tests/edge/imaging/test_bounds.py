"""Bounds that need no reference, and those beside one: which picture fails by which."""

import dataclasses

import numpy as np
import pytest

from edge.imaging.bounds import figures_of, judge_comparisons, judge_figures
from edge.imaging.watch import Comparison
from edge.sections.imaging import ImagingSettings
from tests.edge.imaging.scenes import Frame, label_scene
from tests.edge.imaging.test_figures import gaussian, line, noisy

SETTINGS = ImagingSettings()
SCENE = label_scene(1, 400, 300)


def failed(frames: list[Frame], settings: ImagingSettings = SETTINGS) -> dict[str, str]:
    """Return the bounds that are not kept, in words by their names."""
    judged = judge_figures(figures_of(frames), settings)
    return {one.name: one.words for one in judged if not one.kept}


def still(frame: Frame, number: int = 3) -> list[Frame]:
    """Return pictures of one scene that differ by their noise."""
    return [noisy(frame, 3, seed) for seed in range(number)]


def shaken(frame: Frame, by: int) -> list[Frame]:
    """Return pictures of one scene, each *by* pixels from the one before."""
    cut = [frame[:, 40 + by * (step % 2) :][:, :320] for step in range(4)]
    return [noisy(one, 3, seed) for seed, one in enumerate(cut)]


@pytest.mark.parametrize(
    ("frames", "name", "cure"),
    [
        (still(gaussian(SCENE, 4)), "focus", "focus the lens"),
        (still(line(SCENE, 24, 1)), "focus", "motion"),
        (still((SCENE * 0.1).astype(np.uint8)), "brightness", "dark; more light"),
        (still((SCENE * 4.0 + 90).clip(0, 255).astype(np.uint8)), "brightness", "overexposed"),
        (shaken(SCENE, 8), "shake", "mount the camera firmly"),
        ([np.full((300, 400, 3), 128, np.uint8)] * 2, "focus", "focus the lens"),
    ],
)
def test_a_bad_picture_fails_by_its_figure_and_next_step(
    frames: list[Frame], name: str, cure: str
) -> None:
    """Measured, bound, and what to do, in one line."""
    found = failed(frames)
    assert cure in found[name]
    assert "(at " in found[name]
    assert "\n" not in found[name]


@pytest.mark.parametrize("seed", range(4))
def test_a_good_picture_fails_by_none(seed: int) -> None:
    """Nor one that is a little soft, dim or bright, nor pictures of different products."""
    scene = label_scene(seed)
    for frame in (scene, gaussian(scene, 1), (scene * 0.5).astype(np.uint8)):
        assert failed(still(frame)) == {}
    assert failed([label_scene(seed + product) for product in range(4)]) == {}


def test_each_bound_can_be_switched_off() -> None:
    """By its setting."""
    off = dataclasses.replace(
        SETTINGS,
        soft_below=0.0,
        dark_below=0.0,
        bright_above=255.0,
        white_above=1.0,
        shake_above_px=0.0,
    )
    assert failed(still(gaussian(SCENE, 8)), off) == {}
    assert failed(still((SCENE * 0.02).astype(np.uint8)), off) == {}
    assert failed(shaken(SCENE, 30), off) == {}


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (Comparison(moved_px=20), "reference place"),
        (Comparison(known=0.1), "reference place"),
        (Comparison(light=0.4), "reference light"),
        (Comparison(focus=0.6), "reference focus"),
    ],
)
def test_pictures_beside_the_reference_fail_as_the_service_would(
    found: Comparison, name: str
) -> None:
    """Three pictures are judged as if the line went on so."""
    judged = list(judge_comparisons([found] * 3, SETTINGS))
    assert [one.name for one in judged if not one.kept] == [name]
    assert all(one.kept for one in judge_comparisons([Comparison()] * 3, SETTINGS))
