"""Phone pictures of stamps, cut out and compared with the truth: a few of the bench's."""

from pathlib import Path

import numpy as np
import pytest

from bench.phone_marks import GOOD, measure, registered_iou, summary
from tests.phone_pictures import take


@pytest.mark.parametrize(
    ("name", "ink", "density"),
    [
        ("ring paper shadow", "blue", 1.0),
        ("solid paper lamp", "red", 1.0),
        ("frame cardboard vignette", "black", 1.0),
        ("oval cardboard side", "white", 1.0),
        ("symbol metal cast", "violet", 1.0),
        ("word paper cast", "green", 0.5),
    ],
)
def test_a_stamp_is_cut_out_of_its_phone_picture(
    name: str, ink: str, density: float, tmp_path: Path
) -> None:
    """Whatever the light, the ground and the angle, nine tenths of its print are its print."""
    measured = measure(take(name, 7, ink, density, (640, 540)), tmp_path)
    assert measured.iou >= GOOD, measured


def test_the_comparison_tells_a_print_from_another() -> None:
    """The same print, tilted, is good; one with a part missing, or filled, is not."""
    truth = np.zeros((200, 300), np.bool_)
    truth[:20] = truth[-20:] = truth[:, :20] = truth[:, -20:] = truth[80:120, 60:240] = True
    whole = (truth * 255).astype(np.uint8)
    assert registered_iou(whole, truth) > 0.97
    part = whole.copy()
    part[80:120, 60:240] = 0
    assert registered_iou(part, truth) < GOOD
    assert registered_iou(np.full_like(whole, 255), truth) < GOOD


def test_the_table_counts_what_is_wrong_without_a_word(tmp_path: Path) -> None:
    """A stamp in the colour of its ground is refused or doubted, never taken silently."""
    picture = take("word cardboard even", 3, "blue", 0.04, (480, 400))
    measured = measure(picture, tmp_path)
    assert measured.iou < GOOD
    assert measured.said
    assert summary([measured])[-1].endswith("below and nothing said: 0")
