from pathlib import Path

import numpy as np
import pytest

from edge.decision import Box, Finding
from edge.vision.legend import Meaning, colour_of
from tests.quick_run import config_in
from train.learn.hit_sheet import hit_sheet
from train.learn.trainer import Trainer
from train.learn.validation_set import find_marks, paint_validation_set, validation_losses
from train.paint.inputs import read_inputs
from train.paint.synth import Picture


def test_held_out_pictures_are_the_same_at_every_look(tmp_path: Path) -> None:
    """Otherwise a better loss could be an easier picture."""
    inputs = read_inputs(config_in(tmp_path))
    first, second = paint_validation_set(inputs, 2), paint_validation_set(inputs, 2)
    assert all(
        (a.pixels == b.pixels).all() and a.marks == b.marks
        for a, b in zip(first, second, strict=True)
    )


def test_the_score_does_not_depend_on_the_number_of_cores(tmp_path: Path) -> None:
    """Parts are of one size whatever works on them, and learning or not is left as it was."""
    config = config_in(tmp_path)
    pictures = paint_validation_set(read_inputs(config), 10)
    net = Trainer.fresh(config).net.eval()
    scores = [validation_losses(net, pictures, 3.0, threads) for threads in (1, 3)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)
    assert scores[0][0] == pytest.approx(scores[0][1] + 3.0 * scores[0][2], rel=1e-5)
    assert all(
        finding.score >= 0.001
        for found in find_marks(net, pictures, config.two_look_plan, 0.001)
        for finding in found
    )


def test_the_sheet_tells_hits_misses_and_false_alarms_by_colour() -> None:
    """One mark is found, one missed; one finding is false, one is on an ignored mark."""
    boxes = [Box(10.0 + 70 * i, 20.0, 60.0 + 70 * i, 70.0) for i in range(4)]
    grey = np.full((256, 320, 3), 128, np.uint8)
    picture = Picture(grey, ((0, boxes[0]), (0, boxes[1])), (boxes[2],), grey)
    found = [
        Finding("disc", 0.9, boxes[0]),
        Finding("disc", 0.8, boxes[2]),
        Finding("disc", 0.7, boxes[3]),
    ]
    sheet = np.asarray(hit_sheet([picture], [found], ("disc",))).astype(int)
    order: tuple[Meaning, ...] = ("mark", "missed", "ignored", "false")
    places = {name: np.argwhere(abs(sheet - colour_of(name)).sum(2) < 60) for name in order}
    middles = {name: place[:, 1].mean() for name, place in places.items()}
    assert sorted(middles, key=lambda name: middles[name]) == list(order)
