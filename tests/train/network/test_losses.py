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


def test_every_mark_has_one_centre_and_a_weight_of_one() -> None:
    """A large mark must not count for more than a small one."""
    boxes = [Box(10, 10, 30, 26), Box(60, 50, 180, 140), Box(200, 200, 212, 212)]
    target = encode([(0, box) for box in boxes], [], 1, 32, 32)
    assert (target.heat == 1.0).sum() == 3
    assert target.weight.sum() == pytest.approx(3.0, abs=1e-4)
    assert (target.sides[:, target.weight > 0] > 0).all()


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
