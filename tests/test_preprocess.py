import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge.preprocess
from edge.decision import Box
from edge.preprocess import FILL, letterbox, prepare

pictures = st.integers(1, 700)
inputs = st.integers(1, 10).map(lambda n: 32 * n)
parts = st.floats(0, 1, allow_nan=False)


def test_the_examples_in_the_docstrings_are_true() -> None:
    """They are the first thing a reader tries."""
    assert doctest.testmod(edge.preprocess).failed == 0


@given(pictures, pictures, inputs, inputs, parts, parts, parts, parts)
def test_a_box_survives_the_way_to_the_network_and_back(
    width: int, height: int, in_width: int, in_height: int, left: float, top: float, right: float, bottom: float
) -> None:
    """To a thousandth of a pixel, in any picture and any input size."""
    fit = letterbox(width, height, in_width, in_height)
    box = Box(left * width, top * height, right * width, bottom * height)
    assert fit.to_camera(fit.to_network(box)).corners() == pytest.approx(box.corners(), abs=1e-3)


@given(pictures, pictures, inputs, inputs)
def test_the_picture_lies_inside_the_input_and_touches_two_sides(
    width: int, height: int, in_width: int, in_height: int
) -> None:
    """Nothing is cut off, and no room is given away."""
    inside = letterbox(width, height, in_width, in_height).to_network(Box(0, 0, width, height))
    assert inside.x0 >= 0
    assert inside.y0 >= 0
    assert inside.x1 <= in_width + 1e-6
    assert inside.y1 <= in_height + 1e-6
    assert inside.width == pytest.approx(in_width) or inside.height == pytest.approx(in_height)


@given(st.integers(1, 200), st.integers(1, 200))
def test_prepare_fills_the_rest_with_grey(width: int, height: int) -> None:
    """White stays white inside, the bars are the one grey level training saw too."""
    out, fit = prepare(np.full((height, width, 3), 255, np.uint8), 96, 64)
    inner = np.zeros((64, 96), bool)
    box = fit.to_network(Box(0, 0, width, height))
    inner[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] = True
    assert out.shape == (64, 96, 3)
    assert (out[inner] == 255).all()
    assert (out[~inner] == FILL).all()


def test_a_picture_of_the_input_size_is_not_touched() -> None:
    """No resampling where none is needed."""
    picture = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    out, _ = prepare(picture, 96, 64)
    assert (out == picture).all()
