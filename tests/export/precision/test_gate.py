from collections.abc import Sequence
from pathlib import Path

import pytest

from edge.decision import Box, Finding, Kind
from edge.vision.localizer import Localizer
from edge.vision.model_file import read_model
from export.precision.gate import ALL, GateResult, Judged, Pair, Row, compare, judge
from tests.tiny_model import CONTRACT, paint, two_classes, write_tiny_model
from train.assess.frozen_pictures import FrozenPicture

BOX = Box(0, 0, 10, 10)


def judged(decision: Kind, score: float, box: Box = BOX) -> Judged:
    """An answer with one finding."""
    return Judged(decision, score, (Finding("dot", score, box),))


GOOD, BAD = judged("pass", 0.8), judged("reject", 0.3)


def result(pairs: Sequence[tuple[Judged, Judged]]) -> GateResult:
    """What the gate finds on these, all of one kind."""
    return GateResult.of([Pair("stamped", a, b) for a, b in pairs], CONTRACT, 0.5)


ALIKE = [(GOOD, GOOD)] * 1000 + [(BAD, BAD)] * 1000


def test_a_file_that_decides_alike_passes() -> None:
    """As many lost passes as are allowed among them: 5 of 1000."""
    assert result(ALIKE).failures == []
    assert result([(GOOD, BAD)] * 5 + ALIKE[5:]).failures == []


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ([(BAD, GOOD)], "1 rejected pictures pass, must be 0"),
        ([(Judged("fault", 0.0, (None,)), GOOD)], "1 rejected pictures pass, must be 0"),
        ([(GOOD, BAD)] * 6, "6 of 1000 passes are lost, must be 5 or less"),
        ([(GOOD, Judged("fault", 0.0, (None,)))] * 6, "6 of 1000 passes are lost"),
        ([(GOOD, judged("pass", 0.8, Box(0, 0, 10, 8)))] * 600, "median IoU of the boxes 0.800"),
    ],
)
def test_what_decides_otherwise_is_refused(first: list[tuple[Judged, Judged]], said: str) -> None:
    """One pass of what float rejects is enough; a fault is no pass, whoever gives it."""
    rejects = sum(one.decision != "pass" for one, _ in first)
    rest = [(GOOD, GOOD)] * (1000 - len(first) + rejects) + [(BAD, BAD)] * (1000 - rejects)
    (failure,) = result([*first, *rest]).failures
    assert failure.startswith(said)


def test_a_gate_that_proves_nothing_is_refused() -> None:
    """Too few pictures, or none that passes."""
    assert result(ALIKE[1:]).failures == ["1999 pictures, must be at least 2000"]
    assert result([(BAD, BAD)] * 2000).failures == [
        "the float model lets no picture pass, so nothing can be compared"
    ]


def test_the_table_counts_each_kind_and_all() -> None:
    """By kind in their order, then all; the file keeps the same."""
    pairs = [Pair("stamped", GOOD, BAD), Pair("stamped", GOOD, GOOD), Pair("unstamped", BAD, GOOD)]
    found = GateResult.of(pairs, CONTRACT, 0.5)
    assert found.rows == (
        Row("stamped", 2, 2, 1, 0),
        Row("unstamped", 1, 0, 0, 1),
        Row(ALL, 3, 2, 1, 1),
    )
    assert found.as_object()["pictures"] == {
        "stamped": [2, 2, 1, 0],
        "unstamped": [1, 0, 0, 1],
        "all": [3, 2, 1, 1],
    }
    text = "\n".join(found.lines())
    assert "unstamped         1       0     0       1" in text
    assert "1 of 1 (true rate" in text


def test_both_are_judged_by_the_box_s_localizer_at_the_model_s_threshold(tmp_path: Path) -> None:
    """A mark, a part of one below the threshold, and none; every class must be there."""
    contract = two_classes(0.5)
    content = read_model(write_tiny_model(tmp_path / "m.onnx", contract)).content
    localizer = Localizer.unproven(Path("m"), content, contract)
    both = {"dot": [(16, 24)], "square": [(40, 24)]}
    whole, one, none = paint(both), paint({"dot": [(16, 24)]}), paint({})
    part = whole.copy()
    part[27:] = paint({})[0, 0]
    decisions = [judge(localizer, frame).decision for frame in (whole, part, one, none)]
    assert decisions == ["pass", "reject", "reject", "reject"]
    scores = [judge(localizer, frame).score for frame in (whole, part, one)]
    assert scores == pytest.approx([1.0, 3 / 8, 0.0], abs=1e-3)


def test_both_see_the_same_pictures_in_turn(tmp_path: Path) -> None:
    """Progress is told before each; the same model differs in nothing."""
    content = read_model(write_tiny_model(tmp_path / "m.onnx", CONTRACT)).content
    localizer = Localizer.unproven(Path("m"), content, CONTRACT)
    pictures = [
        FrozenPicture("stamped", paint({"dot": [(16, 24)]})),
        FrozenPicture("unstamped", paint({})),
    ]
    told: list[None] = []
    pairs, share = compare(localizer, localizer, pictures, lambda: told.append(None))
    assert len(told) == 2
    assert [(p.kind, p.gained, p.lost) for p in pairs] == [
        ("stamped", False, False),
        ("unstamped", False, False),
    ]
    assert pairs[0].ious(CONTRACT.threshold) == [1.0]
    assert share > 0
