import dataclasses
import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge.decision
from edge.decision import Box, Finding, Verdict, decide, fault

SEAL = Finding("seal", 0.9, Box(10, 20, 30, 50))
LABEL = Finding("label", 0.7, Box(0, 0, 5, 5))

coordinates = st.floats(-1e4, 1e4, allow_nan=False)
boxes = st.builds(Box, coordinates, coordinates, coordinates, coordinates)


def test_the_examples_in_the_docstrings_are_true() -> None:
    """They are the first thing a reader tries."""
    assert doctest.testmod(edge.decision).failed == 0


@pytest.mark.parametrize(
    "finding",
    [
        *(dataclasses.replace(SEAL, score=s) for s in (math.nan, math.inf, -math.inf, 1.01, -0.1)),
        dataclasses.replace(SEAL, box=Box(30, 20, 10, 50)),
        dataclasses.replace(SEAL, box=Box(10, 20, 10, 50)),
        dataclasses.replace(SEAL, box=Box(10, 20, math.nan, 50)),
        dataclasses.replace(SEAL, box=Box(10, 20, math.inf, 50)),
    ],
)
def test_a_finding_that_cannot_be_is_a_fault_whatever_else_is_found(finding: Finding) -> None:
    """Whoever found it: such a score would compare, or not be written down."""
    for required in ({"seal"}, {"label"}):
        verdict = decide([LABEL, finding], required)
        assert (verdict.kind, verdict.findings) == ("fault", ())
        assert verdict.reason.startswith("a finding that is none")


def test_an_item_passes_only_with_every_required_class() -> None:
    """One of two is not enough; more than asked for does no harm."""
    both = {"seal", "label"}
    assert decide([SEAL, LABEL], both) == Verdict(
        "pass", "label, seal found", (SEAL, LABEL), "found"
    )
    assert decide([SEAL], both) == Verdict("reject", "no label found", (SEAL,), "missing")
    assert decide([], both) == Verdict("reject", "no label, no seal found", (), "missing")
    assert decide([LABEL, SEAL], {"seal"}) == Verdict("pass", "seal found", (SEAL, LABEL), "found")


def test_an_empty_rule_rejects() -> None:
    """A mistake in the settings must never let everything pass."""
    assert decide([SEAL], set()).kind == "reject"


def test_a_fault_is_not_a_pass() -> None:
    """The gate cancels for a pass only."""
    assert fault("lens covered") == Verdict("fault", "lens covered", (), "not-judged")


def test_a_finding_is_written_with_its_box_as_four_corners() -> None:
    """Scores to 1/10,000 and corners to 1/100 pixel: enough to compare, short enough to read."""
    finding = Finding("seal", 0.123456, Box(1.0, 2.345678, 3.0, 4.0))
    assert finding.as_object() == {"label": "seal", "score": 0.1235, "box": [1.0, 2.35, 3.0, 4.0]}


@given(boxes, boxes)
def test_iou_is_symmetric_and_between_zero_and_one(one: Box, other: Box) -> None:
    """Whatever the corners, even swapped ones."""
    assert one.iou(other) == pytest.approx(other.iou(one))
    assert 0.0 <= one.iou(other) <= 1.0 + 1e-9


@given(boxes)
def test_a_clipped_box_lies_inside_the_picture(box: Box) -> None:
    """Boxes in the journal never leave the camera's frame."""
    inside = box.clipped(640, 480)
    assert 0 <= inside.x0 <= 640
    assert 0 <= inside.x1 <= 640
    assert 0 <= inside.y0 <= 480
    assert 0 <= inside.y1 <= 480
