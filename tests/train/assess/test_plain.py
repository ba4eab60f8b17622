"""Marks pasted plainly: clear, inside the range trained for, and each class by itself."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from train.assess.plain import CLEAR, GROUNDS, ground_for, plain_count, plain_pictures, sizes_for
from train.config import RunConfig
from train.marks.mark import Mark, load_marks


def _mark(folder: Path, name: str, colour: tuple[int, int, int], size: tuple[int, int]) -> Path:
    """A frame with a bar in it, on transparent ground."""
    image = Image.new("RGBA", size)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=(*colour, 255), width=4)
    draw.rectangle((size[0] // 4, 8, size[0] // 2, size[1] - 9), fill=(*colour, 255))
    image.save(folder / f"{name}.png")
    return folder / f"{name}.png"


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    """A dark seal of two variants, a white thin word, and a grey mark."""
    (tmp_path / "seals").mkdir()
    _mark(tmp_path / "seals", "a", (20, 20, 120), (90, 80))
    _mark(tmp_path / "seals", "b", (120, 10, 10), (80, 90))
    word = _mark(tmp_path, "word", (250, 250, 250), (300, 28))
    grey = _mark(tmp_path, "grey", (128, 128, 128), (80, 80))
    named = (("seal", str(tmp_path / "seals")), ("word", str(word)), ("grey", str(grey)))
    return RunConfig(named, "")


def marks_of(config: RunConfig) -> tuple[Mark, ...]:
    """The marks of a run."""
    return load_marks(config.marks)


def test_each_class_is_pasted_on_both_grounds_at_three_sizes(config: RunConfig) -> None:
    """And of a class of several pictures each comes."""
    pictures = list(plain_pictures(marks_of(config), config))
    assert [one.label for one in pictures] == ["seal"] * 6 + ["word"] * 6 + ["grey"] * 6
    assert [one.ground for one in pictures[:6]] == ["plain", "textured"] * 3
    assert len({round(one.size, 4) for one in pictures[:6]}) >= 3
    shapes = {one.box.width > one.box.height for one in pictures[:6]}
    assert shapes == {True, False}


def test_marks_stand_out_lie_inside_and_are_as_large_as_training_shows_them(
    config: RunConfig,
) -> None:
    """A white word on a dark ground, a dark seal on a light one; the thin word is legible."""
    synth, side = config.synth, config.fit.size
    for one in plain_pictures(marks_of(config), config):
        height, width = one.frame.shape[:2]
        assert (width, height) == (side, side * 3 // 4)
        assert 0 <= one.box.x0 < one.box.x1 <= width
        assert 0 <= one.box.y0 < one.box.y1 <= height
        assert min(one.box.width, one.box.height) >= 1.7 * synth.smallest_px
        assert synth.size_min <= one.size <= synth.size_max
        inside = one.frame[int(one.box.y0) : int(one.box.y1), int(one.box.x0) : int(one.box.x1)]
        grey = inside.mean(-1)
        assert grey.max() - grey.min() > 70
    sealed, word, _ = (list(plain_pictures(marks_of(config), config))[6 * n] for n in range(3))
    assert sealed.frame[0, 0].mean() > 200
    assert word.frame[0, 0].mean() < 140


def test_a_ground_is_clear_of_the_dark_and_of_the_light_parts(config: RunConfig) -> None:
    """Where none is, the best is taken."""
    both = np.zeros((10, 20, 4), np.uint8)
    both[..., 3] = 255
    both[:, 10:, :3] = 255
    assert ground_for(Image.fromarray(both)) == GROUNDS[1]
    grey = next(mark for mark in marks_of(config) if mark.label == "grey")
    assert abs(np.mean(ground_for(grey.image)) - 128) > 0.9 * CLEAR


def test_many_classes_cost_no_more_than_a_few_and_each_still_has_one() -> None:
    """About a hundred pictures, however many classes there are."""
    assert [plain_count(classes) for classes in (1, 16, 24, 96, 1000)] == [6, 6, 4, 1, 1]


def test_sizes_stay_inside_a_narrow_range(config: RunConfig) -> None:
    """A run that is told its marks' size is not tried at others."""
    narrow = dataclasses.replace(config.synth, size_min=0.2, size_max=0.25)
    seal = marks_of(config)[0]
    for size in sizes_for(seal, dataclasses.replace(config, synth=narrow)):
        assert 0.2 <= size <= 0.25
