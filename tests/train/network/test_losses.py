import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edge.decision import Box
from edge.vision.two_looks import decode
from train.network.losses import encode, heat_loss, sides_loss

side = st.floats(12, 90)


@given(st.floats(0, 150), st.floats(0, 150), side, side)
def test_what_is_encoded_is_decoded(x: float, y: float, width: float, height: float) -> None:
    """The box's reader understands the target that the network is taught."""
    box = Box(x, y, x + width, y + height)
    target = encode([(1, box)], [], 2, 32, 32)
    (finding,) = decode(target.heat, target.sides, ("a", "b"), 0.999)
    assert finding.label == "b"
    assert finding.box.corners() == pytest.approx(box.corners(), abs=0.01)


def test_every_mark_has_a_centre_of_weight_one_and_a_box_of_weight_one() -> None:
    """A large mark, or one between cells, must not count for more than another."""
    boxes = [Box(10, 10, 30, 26), Box(60, 50, 180, 140), Box(200, 200, 212, 212)]
    target = encode([(0, box) for box in boxes], [], 1, 32, 32)
    assert target.care[target.heat[0] == 1.0].sum() == pytest.approx(3.0)
    assert target.weight.sum() == pytest.approx(3.0, abs=1e-4)
    assert (target.sides[:, target.weight > 0] > 0).all()


@pytest.mark.parametrize(
    ("x", "y", "cells"),
    [
        (84, 84, [(10, 10)]),  # in the middle of a cell
        (80, 84, [(10, 9), (10, 10)]),  # on the border of two
        (80, 80, [(9, 9), (9, 10), (10, 9), (10, 10)]),  # where four meet
        (82, 85, [(10, 9), (10, 10)]),  # a quarter of a cell from a border
        (83, 84, [(10, 10)]),
        (0, 300, [(31, 0)]),  # cut by the frame: the nearest there is
    ],
)
def test_the_cells_that_see_a_centre_alike_are_all_right(
    x: float, y: float, cells: list[tuple[int, int]]
) -> None:
    """To call one of them right and its neighbour wrong teaches both to doubt."""
    target = encode([(0, Box(x - 30, y - 20, x + 30, y + 20))], [], 1, 32, 32)
    assert [tuple(cell) for cell in np.argwhere(target.heat[0] == 1.0)] == cells
    assert all(target.care[cell] == pytest.approx(1 / len(cells)) for cell in cells)


def test_a_mark_between_cells_costs_what_one_in_a_cell_costs() -> None:
    """At the same logits everywhere near it."""
    losses = []
    for x in (80.0, 82.0, 84.0):
        target = encode([(0, Box(x - 4, x - 4, x + 4, x + 4))], [], 1, 32, 32)
        heat, care = torch.from_numpy(target.heat[None]), torch.from_numpy(target.care[None])
        logits = torch.full_like(heat, -30.0)
        logits[0, 0, 9:12, 9:12][heat[0, 0, 9:12, 9:12] == 1.0] = 0.5
        losses.append(heat_loss(logits, heat, care).item())
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_an_ignored_mark_neither_rewards_nor_punishes() -> None:
    """The loss is the same for any output there."""
    target = encode([(0, Box(160, 160, 200, 200))], [Box(16, 16, 64, 64)], 1, 32, 32)
    heat, care = torch.from_numpy(target.heat[None]), torch.from_numpy(target.care[None])
    quiet = torch.full_like(heat, -6.0)
    loud = quiet.clone()
    loud[0, 0, 3:7, 3:7] = 6.0
    assert heat_loss(quiet, heat, care).item() == pytest.approx(heat_loss(loud, heat, care).item())
    loud[0, 0, 10, 10] = 6.0
    assert heat_loss(loud, heat, care).item() > heat_loss(quiet, heat, care).item() + 1


def test_the_right_answer_costs_nothing() -> None:
    """Heat 1 at the centre and 0 elsewhere, and the very box."""
    target = encode([(0, Box(40, 40, 52, 52))], [], 1, 16, 16)
    heat, care = torch.from_numpy(target.heat[None]), torch.from_numpy(target.care[None])
    assert heat_loss((heat - 0.5) * 60, heat, care).item() < 1e-6
    sides, weight = torch.from_numpy(target.sides[None]), torch.from_numpy(target.weight[None])
    assert sides_loss(sides, sides, weight).item() == pytest.approx(0.0, abs=1e-6)


def test_the_box_loss_is_one_minus_giou() -> None:
    """By hand: 2 x 2 inside 4 x 4 of the same centre has IoU 1/4, and the hull is the union."""
    wanted, predicted = torch.full((1, 4, 1, 1), 2.0), torch.full((1, 4, 1, 1), 1.0)
    assert sides_loss(predicted, wanted, torch.ones(1, 1, 1)).item() == pytest.approx(0.75)


def test_a_batch_without_marks_trains_the_heat_alone() -> None:
    """No mark, no box loss, and still a gradient path."""
    predicted = torch.ones(1, 4, 2, 2, requires_grad=True)
    loss = sides_loss(predicted, torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0.0
    assert predicted.grad is not None
    assert not predicted.grad.any()


def test_the_smaller_of_two_marks_keeps_its_cells() -> None:
    """A small mark on a large one has few cells to learn from."""
    small, large = Box(96, 96, 112, 112), Box(0, 0, 200, 200)
    target = encode([(0, small), (0, large)], [], 1, 32, 32)
    column = row = 13
    assert np.allclose(
        target.sides[:, row, column], np.array([108 - 96, 108 - 96, 112 - 108, 112 - 108]) / 8
    )
