"""The legend: each kind of box looks its own, and what is below the threshold is dashed."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edge.decision import Box
from edge.vision.legend import LEGEND, Meaning, caption_lines, draw_box


def drawn(box: Box, meaning: Meaning, below: bool = False, score: float | None = None) -> int:
    """How many pixels of a white picture are drawn on."""
    image = Image.new("RGB", (120, 100), "white")
    draw_box(ImageDraw.Draw(image), box, meaning, score, below)
    return int((np.asarray(image) != 255).any(-1).sum())


def test_no_two_kinds_of_box_look_alike() -> None:
    """Nor does one look like paper."""
    colours = [np.array(colour) for colour, _ in LEGEND.values()]
    for number, one in enumerate(colours):
        assert abs(one - 255).sum() > 150
        assert all(abs(one - other).sum() > 100 for other in colours[:number])


@pytest.mark.parametrize("meaning", list(LEGEND))
def test_below_the_threshold_is_dashed_and_thin_and_has_its_score(meaning: Meaning) -> None:
    """So that nobody takes it for a finding."""
    box = Box(10, 10, 100, 80)
    whole, dashed = drawn(box, meaning), drawn(box, meaning, below=True)
    assert 0 < dashed < 0.4 * whole
    assert drawn(box, meaning, below=True, score=0.31) > dashed


def test_a_box_inside_out_or_outside_is_drawn() -> None:
    """A badly trained model must not end the drawing."""
    assert drawn(Box(100, 80, 10, 10), "found") == drawn(Box(10, 10, 100, 80), "found")
    assert drawn(Box(-50, -50, 900, 900), "found", below=True) == 0


def test_a_caption_is_whole_whatever_its_length() -> None:
    """Words stay whole where they can; letters that the font lacks are question marks."""
    text = "false accept, score 0.91: " + "x" * 150 + ".png"
    lines = caption_lines(text, 360)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(len(line) <= 58 for line in lines)
    assert caption_lines("検.png", 100) == ["?.png"]
    assert caption_lines("", 10) == [""]
