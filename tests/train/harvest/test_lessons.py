"""What one judged item teaches: boxes, ignored places, or work for a person."""

from typing import Any

import pytest

from edge.decision import Box
from train.harvest.lessons import Basis, HarvestedBox, lesson_of

PLACE = [10.0, 20.0, 60.0, 80.0]
SEAL = Basis(("seal",), frozenset({"seal"}), 0.5)
TWO = Basis(("seal", "lot"), frozenset({"seal", "lot"}), 0.5)
LOT_BESIDE = Basis(("seal", "lot"), frozenset({"seal"}), 0.5)


def mark(label: str, score: float) -> dict[str, Any]:
    """Return a finding as a record has it."""
    return {"label": label, "score": score, "box": PLACE}


def record(
    verdict: str, *findings: dict[str, Any], near: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return what a record of an item says of it."""
    return {"verdict": verdict, "findings": list(findings), "near_miss": near}


def test_a_good_item_gets_the_box_that_was_found_or_nearly_found() -> None:
    """A good item gets the box that was found or nearly found."""
    right = (HarvestedBox("seal", Box(*PLACE)),)
    assert lesson_of(record("pass", mark("seal", 0.9)), SEAL, good=True).boxes == right
    near = record("reject", near=mark("seal", 0.3))
    assert lesson_of(near, SEAL, good=True).boxes == right


@pytest.mark.parametrize("near", [None, mark("seal", 0.05)])
def test_a_good_item_without_a_box_must_be_labelled_by_hand(near: dict[str, Any] | None) -> None:
    """A good item without a box must be labelled by hand."""
    lesson = lesson_of(record("reject", near=near), SEAL, good=True)
    assert (lesson.kind, lesson.boxes) == ("to label", ())
    assert "seal" in lesson.why


def test_a_good_item_needs_a_box_of_each_required_class() -> None:
    """A good item needs a box of each required class."""
    found = mark("seal", 0.9)
    assert lesson_of(record("reject", found), TWO, good=True).kind == "to label"
    both = lesson_of(record("reject", found, near=mark("lot", 0.4)), TWO, good=True)
    assert [box.label for box in both.boxes] == ["seal", "lot"]


def test_what_a_bad_item_passed_by_is_no_mark() -> None:
    """What a bad item passed by is no mark."""
    lesson = lesson_of(record("pass", mark("seal", 0.6)), SEAL, good=False)
    assert (lesson.kind, lesson.boxes) == ("unstamped", ())
    several = lesson_of(record("pass", mark("seal", 0.6), mark("lot", 0.7)), TWO, good=False)
    assert several.kind == "to label"


def test_a_mark_rejected_by_another_rule_is_ignored_in_a_bad_item() -> None:
    """A mark rejected by another rule is ignored in a bad item."""
    small = lesson_of(record("reject", mark("seal", 0.9)), SEAL, good=False)
    assert small.boxes == (HarvestedBox("seal", Box(*PLACE), ignored=True),)
    assert lesson_of(record("reject"), SEAL, good=False).boxes == ()


@pytest.mark.parametrize("good", [True, False])
def test_a_class_that_was_not_asked_for_is_ignored(good: bool) -> None:
    """A class that was not asked for is ignored."""
    found = record("pass", mark("seal", 0.9), mark("lot", 0.8))
    boxes = lesson_of(found, LOT_BESIDE, good=good).boxes
    assert HarvestedBox("lot", Box(*PLACE), ignored=True) in boxes


def test_a_class_that_the_model_does_not_have_is_left_out() -> None:
    """A class that the model does not have is left out."""
    assert lesson_of(record("pass", mark("crown", 0.9)), SEAL, good=True).kind == "to label"


def test_one_of_several_is_enough_where_the_rule_says_so() -> None:
    """A good item needs a box of one of them; all of them were judged."""
    either = Basis(("seal", "lot"), frozenset(), 0.5, frozenset({"seal", "lot"}))
    assert lesson_of(record("pass", mark("lot", 0.9)), either, good=True).kind == "stamped"
    assert lesson_of(record("reject"), either, good=True).kind == "to label"
    near = lesson_of(record("reject", near=mark("lot", 0.3)), either, good=True)
    assert near.boxes == (HarvestedBox("lot", Box(*PLACE)),)
    assert lesson_of(record("pass", mark("lot", 0.9)), either, good=False).boxes == ()
