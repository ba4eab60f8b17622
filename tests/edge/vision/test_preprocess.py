import doctest
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

import edge.vision.preprocess
from edge.decision import Box
from edge.vision.contract import STRIDE
from edge.vision.preprocess import FILL, STRIP_ROWS, as_frame, letterbox, prepare, zoom

pictures = st.integers(1, 700)
inputs = st.integers(1, 10).map(lambda n: 32 * n)
parts = st.floats(0, 1, allow_nan=False)


def test_the_examples_in_the_docstrings_are_true() -> None:
    """They are the first thing a reader tries."""
    assert doctest.testmod(edge.vision.preprocess).failed == 0


@given(pictures, pictures, inputs, inputs, parts, parts, parts, parts)
def test_a_box_survives_the_way_to_the_network_and_back(
    width: int,
    height: int,
    in_width: int,
    in_height: int,
    left: float,
    top: float,
    right: float,
    bottom: float,
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


@given(pictures, pictures, st.integers(1, 300), st.integers(1, 300), st.integers(0, 9))
def test_strips_show_the_network_what_pillow_makes_of_the_whole_picture(
    width: int, height: int, in_width: int, in_height: int, seed: int
) -> None:
    """Not one grey level apart, shrunk or grown: models trained on the one see the other."""
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    with patch.object(edge.vision.preprocess, "SMALL_BYTES", 0):
        out, fit = prepare(frame, in_width, in_height)
    size = (round(width * fit.scale_x), round(height * fit.scale_y))
    whole = np.full((in_height, in_width, 3), FILL, np.uint8)
    left, top = int(fit.left), int(fit.top)
    resized = Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR)
    whole[top : top + size[1], left : left + size[0]] = np.asarray(resized)
    assert np.array_equal(out, whole)
    assert np.array_equal(prepare(frame, in_width, in_height)[0], whole)


@given(
    st.integers(1, 3 * STRIP_ROWS),
    st.integers(1, 40),
    st.sampled_from([0, edge.vision.preprocess.SMALL_BYTES]),
)
def test_a_picture_of_pillows_arrives_whole_and_may_be_drawn_on(
    height: int, width: int, small: int
) -> None:
    """Into a new array, and into a part of one that is there; Pillow's own bytes are read-only."""
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    picture, around = Image.fromarray(pixels), np.zeros((height + 2, width + 2, 3), np.uint8)
    with patch.object(edge.vision.preprocess, "SMALL_BYTES", small):
        as_frame(picture, around[1:-1, 1:-1])
        alone = as_frame(picture)
    assert np.array_equal(alone, pixels)
    assert np.array_equal(around, np.pad(pixels, ((1, 1), (1, 1), (0, 0))))
    assert alone.flags.writeable


def test_a_picture_of_the_input_size_is_not_touched() -> None:
    """No resampling where none is needed."""
    picture = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    out, _ = prepare(picture, 96, 64)
    assert (out == picture).all()


@given(
    st.integers(8, 400),
    st.integers(8, 400),
    parts,
    parts,
    st.floats(0.01, 1.0),
    st.floats(0.01, 1.0),
    st.sampled_from([(96, 80), (64, 24), (128, 128)]),
)
def test_a_zoomed_box_survives_the_way_there_and_back_and_lies_in_the_middle(
    width: int, height: int, x: float, y: float, wide: float, high: float, plan: tuple[int, int]
) -> None:
    """Its longer side has the wanted length, to a pixel where the frame's edge is rounded."""
    side, mark_px = plan
    box = Box(x * width, y * height, x * width + wide * width, y * height + high * height).clipped(
        width, height
    )
    assume(max(box.width, box.height) >= 4)
    out, fit = zoom(np.zeros((height, width, 3), np.uint8), box, side, mark_px)
    assert out.shape == (side, side, 3)
    there = fit.to_network(box)
    assert fit.to_camera(there).corners() == pytest.approx(box.corners(), abs=1e-3)
    assert max(there.width, there.height) == pytest.approx(mark_px, rel=0.2, abs=2)
    assert ((there.x0 + there.x1) / 2, (there.y0 + there.y1) / 2) == pytest.approx(
        (side / 2, side / 2), abs=side / 10
    )


def test_zoom_shows_the_frames_own_pixels_and_grey_beyond_its_edge() -> None:
    """A white square in a black frame's corner, enlarged twice: a quarter lies beyond the frame."""
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[:20, :20] = 255
    out, fit = zoom(frame, Box(0, 0, 20, 20), 96, 40)
    assert (out[:28] == FILL).all()
    assert (out[:, :28] == FILL).all()
    assert (out[30:66, 30:66] == 255).all()
    assert (out[70:, 70:] == 0).all()
    assert fit.to_network(Box(0, 0, 20, 20)).corners() == pytest.approx((28, 28, 68, 68))


@pytest.mark.parametrize("side", [96, 112])
def test_zoom_puts_the_middle_of_a_box_into_the_middle_of_a_cell(side: int) -> None:
    """By half a cell's offset; without one it lies where four cells meet."""
    frame = np.zeros((300, 300, 3), np.uint8)
    box = Box(130, 140, 170, 160)
    _, fit = zoom(frame, box, side, 80, STRIDE // 2)
    there = fit.to_network(box)
    middle = ((there.x0 + there.x1) / 2, (there.y0 + there.y1) / 2)
    assert middle == pytest.approx((side / 2 + 4, side / 2 + 4), abs=0.5)
    assert all(place % STRIDE == pytest.approx(STRIDE / 2, abs=0.5) for place in middle)


@pytest.mark.parametrize(
    "box", [Box(5, 5, 5, 5), Box(0, 0, 0, 0), Box(9, 0, 10, 0), Box(10, 10, 10, 10)]
)
def test_zoom_at_a_box_without_area_still_shows_something(box: Box) -> None:
    """A box that the frame's edge has cut to nothing must not stop the box at the line."""
    out, fit = zoom(np.full((10, 10, 3), 7, np.uint8), box, 96, 80)
    assert out.shape == (96, 96, 3)
    assert (out == 7).any()
    assert np.isfinite((fit.scale_x, fit.scale_y, fit.left, fit.top)).all()
