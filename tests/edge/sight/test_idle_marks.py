import dataclasses
import threading
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from edge.clock import SimulatedClock
from edge.deciding.region import Region
from edge.deciding.rules import Rules
from edge.decision import Finding
from edge.errors import AnswerError
from edge.sections.decision import DecisionSettings
from edge.sight.idle_marks import IdleMarks
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer, Stopper
from edge.vision.preprocess import Frame
from tests.programs import PATIENCE_S
from tests.tiny_model import paint, write_tiny_model

SECOND = 10**9
DOT, NOTHING = paint({"dot": [(16, 24)]}), paint({})
SETTINGS = DecisionSettings(idle_look_s=10.0)


class Endless:
    """Does not end until it is stopped."""

    rules = Rules.plain({"dot"}, 0.5)

    def __init__(self) -> None:
        self.ended = threading.Event()

    def look(self, frame: Frame, stopper: Stopper) -> tuple[Finding, ...]:
        """Look and look."""
        while not stopper.options.terminate:
            self.ended.wait(0.001)
        self.ended.set()
        raise AnswerError("it was stopped")


def test_an_item_ends_the_look_and_waits_for_none() -> None:
    """The look is begun again in the next idle moment; what it saw tells nothing."""
    endless, clock = Endless(), SimulatedClock()
    idle = IdleMarks(cast(Inspector, endless), clock, SETTINGS)
    due = [idle.is_due]
    idle.begin(NOTHING)
    due.append(idle.is_due)
    assert idle.take() == []
    idle.stop()
    assert endless.ended.wait(PATIENCE_S)
    assert [*due, idle.is_due] == [True, False, True]
    assert idle.take() == []


def test_a_stopped_inference_ends_at_the_next_layer(tmp_path: Path) -> None:
    """By onnxruntime itself."""
    localizer, stopper = Localizer(write_tiny_model(tmp_path / "m.onnx")), Stopper()
    assert localizer.find(DOT, stopper=stopper)
    stopper.stop()
    with pytest.raises(AnswerError, match="terminate flag"):
        localizer.find(DOT, stopper=stopper)


def test_one_look_each_so_many_seconds_and_none_when_switched_off(tmp_path: Path) -> None:
    """That bounds what it costs."""
    localizer, clock = Localizer(write_tiny_model(tmp_path / "m.onnx")), SimulatedClock()
    inspector = Inspector(localizer, Rules.plain({"dot"}, 0.5))
    with IdleMarks(inspector, clock, SETTINGS) as idle:
        due = []
        for _ in range(3):
            due.append(idle.is_due)
            idle.begin(DOT)
            idle.take(PATIENCE_S)
            due.append(idle.is_due)
            clock.sleep_until(clock.now_ns() + 10 * SECOND)
        assert due == [True, False] * 3
        assert [mark.label for mark in idle.marks] == ["dot"]
        assert "a mark is seen while no item is there" in idle.trouble
        idle.adopt(DecisionSettings(idle_look_s=0.0))
        assert (idle.is_due, idle.marks, idle.trouble) == (False, (), "")


@pytest.mark.parametrize("broken", [np.zeros((0, 0, 3), np.uint8), np.zeros((5, 5, 3), np.uint8)])
def test_a_look_that_fails_is_trouble_until_the_next_one(tmp_path: Path, broken: Frame) -> None:
    """Foreseen or not: the service goes on, and an item's own look would be a FAULT."""
    localizer, clock = Localizer(write_tiny_model(tmp_path / "m.onnx")), SimulatedClock()
    square = Region(((0.0, 0.0), (20.0, 0.0), (20.0, 20.0), (0.0, 20.0)))
    rules = dataclasses.replace(Rules.plain({"dot"}, 0.5), region=square if broken.size else None)
    idle, troubles = IdleMarks(Inspector(localizer, rules), clock, SETTINGS), []
    for frame in (broken, NOTHING):
        idle.begin(frame)
        assert idle.take(PATIENCE_S) == []
        troubles.append(idle.trouble.partition(":")[0])
    assert troubles == ["a look without an item failed", ""]
