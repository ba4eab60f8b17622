import dataclasses

import pytest

from edge.vision.contract import TwoLookPlan
from train.config import FitSettings, RunConfig, SynthSettings

RUN = RunConfig((("seal", "seal.png"),), "")


def test_a_run_looks_twice_by_default() -> None:
    """As decision 0005 has it."""
    assert RUN.two_look_plan == TwoLookPlan(("seal",), 416, 416, 112, 88, 0.2, 2.0, 4)


@pytest.mark.parametrize(
    ("size", "size_min", "size_max", "side", "px"),
    [(160, 0.22, 0.38, 112, 49), (800, 0.2, 0.6, 256, 200), (416, 0.05, 0.05, 112, 17)],
)
def test_a_second_look_shows_marks_no_larger_or_smaller_than_training_did(
    size: int, size_min: float, size_max: float, side: int, px: int
) -> None:
    """Only within what it was shown does the network place a mark well."""
    synth = SynthSettings(size_min=size_min, size_max=size_max)
    plan = dataclasses.replace(RUN, synth=synth, fit=FitSettings(size=size)).two_look_plan
    assert (plan.second_side, plan.second_px) == (side, px)


def test_a_run_that_looks_once_stays_so() -> None:
    """No size makes a second look out of none."""
    assert (
        dataclasses.replace(RUN, fit=FitSettings(size=800, second_side=0)).two_look_plan.second_side
        == 0
    )
