"""What the answers of a study come to, without a picture: counts, words, charts' figures."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from edge.decision import Box, Finding
from edge.rates.plan import Plan
from train.labels.ground_truth import RealBox
from train.proof.determinism import Determinism, Gap, gap
from train.proof.figures import boxes_of, calibration, sweep_words
from train.proof.freeze import Frozen
from train.proof.items import LABELLED, STAMPED, UNSTAMPED
from train.proof.judging import Answer, State
from train.proof.results import (
    NOT_SHOWN,
    SHOWN,
    UNMEASURED,
    Results,
    Truth,
    alike_of,
    results_of,
    shown_percent,
)
from train.proof.sweeps import AXES, Swept, spread

PLAN = Plan.parse("fa<15% fr<15% @95%")


def found(score: float, label: str = "dot") -> Finding:
    """A finding of that score."""
    return Finding(label, score, Box(0, 0, 10, 10))


def answer(
    role: str, item: str, *findings: Finding, state: State = "judged", look: str = ""
) -> Answer:
    """The answer on a picture of an item; its name is the item's with its findings."""
    name = f"{item}-{[f.score for f in findings]}"
    picture = Frozen(role, name, item, "0" * 64)
    return Answer(picture, state, "", findings, 1.0, (10, 10), 9.0, "", look)


def results(answers: Sequence[Answer], classes: Sequence[str] = ("dot",)) -> Results:
    """The results, every stamped picture bearing all classes."""
    required = {STAMPED: frozenset(classes), UNSTAMPED: frozenset[str]()}
    truths = {a.picture.key: Truth(required[a.picture.role]) for a in answers}
    return results_of(PLAN, answers, truths, 0.5)


def test_an_item_is_wrong_as_soon_as_a_frame_is() -> None:
    """And its score is that of the frame that is nearest to an error."""
    got = results(
        [
            answer(UNSTAMPED, "a", found(0.1)),
            answer(UNSTAMPED, "a", found(0.5)),
            answer(UNSTAMPED, "b", found(0.49)),
            answer(STAMPED, "c", found(0.9)),
            answer(STAMPED, "c", found(0.3)),
            answer(STAMPED, "d", found(0.9)),
        ]
    )
    assert {item.name: (item.wrong, item.score) for item in got.items} == {
        "a": (True, 0.5),
        "b": (False, 0.49),
        "c": (True, 0.3),
        "d": (False, 0.9),
    }
    assert (got.rate("fa").errors, got.rate("fa").items) == (1, 2)
    assert (got.rate("fr").errors, got.rate("fr").items) == (1, 2)
    assert got.result == NOT_SHOWN


def test_every_class_must_be_found_and_any_is_an_accept() -> None:
    """As the box decides by default; without the stamp one class is one too many."""
    got = results(
        [
            answer(STAMPED, "both", found(0.9), found(0.8, "square")),
            answer(STAMPED, "one", found(0.9)),
            answer(UNSTAMPED, "none"),
            answer(UNSTAMPED, "square", found(0.7, "square")),
        ],
        ("dot", "square"),
    )
    assert {item.name for item in got.items if item.wrong} == {"one", "square"}
    assert next(item.score for item in got.items if item.name == "both") == 0.8


def test_a_fault_rejects() -> None:
    """It is right without the stamp and an error with it; the box throws both off."""
    got = results([answer(UNSTAMPED, "a", state="fault"), answer(STAMPED, "b", state="fault")])
    assert {item.name: item.wrong for item in got.items} == {"a": False, "b": True}


@pytest.mark.parametrize("state", ["met", "unread", "again"])
def test_what_says_nothing_counts_for_nothing(state: State) -> None:
    """A claim without an item was not measured, and is not shown."""
    got = results(
        [*(answer(UNSTAMPED, f"u{n}") for n in range(30)), answer(STAMPED, "s", state=state)]
    )
    assert [claim.result for claim in got.claims] == [SHOWN, UNMEASURED]
    assert got.result == UNMEASURED
    assert got.rate("fr").share is None
    assert len(got.met) + len(got.unread) + len(got.again) == 1


def test_a_label_says_what_a_picture_bears() -> None:
    """The role of a labelled picture is its label's."""
    answers = [answer(LABELLED, "with", found(0.9)), answer(LABELLED, "without")]
    truths = {a.picture.key: Truth(frozenset({"dot"} if a.findings else ())) for a in answers}
    got = results_of(PLAN, answers, truths, 0.5)
    assert {item.name: item.role for item in got.items} == {"with": STAMPED, "without": UNSTAMPED}


def test_pictures_that_look_like_another_items_are_told() -> None:
    """Frames of one item may look alike; items must not."""
    zero, near, far = "00" * 32, "00" * 31 + "0f", "f0" * 32
    answers = [
        answer(UNSTAMPED, "a", look=zero),
        answer(UNSTAMPED, "a", found(0.1), look=near),
        answer(UNSTAMPED, "b", look=far),
        answer(UNSTAMPED, "c", look=near),
        answer(STAMPED, "d", look=zero),
        answer(UNSTAMPED, "e"),
    ]
    assert alike_of(answers) == (answers[3].picture.key,)
    assert alike_of([]) == ()


def test_look_alike_pictures_are_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as one by one, whatever lies where: 40 of 256 bits are near, 41 are not."""
    rng = np.random.default_rng(4)
    bits = rng.integers(0, 2, (23, 256), dtype=np.uint8)
    for number, (of, flipped) in {9: (2, 40), 13: (1, 41), 17: (16, 40), 22: (0, 3)}.items():
        bits[number] = bits[of]
        bits[number, rng.permutation(256)[:flipped]] ^= 1
    looks = [np.packbits(row).tobytes().hex() for row in bits]
    answers = [answer(UNSTAMPED, str(number), look=look) for number, look in enumerate(looks)]
    wanted = tuple(answers[number].picture.key for number in (9, 17, 22))
    for block in (1, 5, 23, 1024):
        monkeypatch.setattr("train.proof.results.ALIKE_BLOCK", block)
        assert alike_of(answers) == wanted


def test_boxes_of_a_picture_mean_what_the_legend_says() -> None:
    """What is found on a mark is right, elsewhere false; a mark that nothing finds was missed."""
    mark = RealBox("dot", 0, Box(0, 0, 10, 10), ignore=False)
    off = Finding("dot", 0.8, Box(50, 50, 60, 60))

    def boxes(role: str, *findings: Finding, truth: tuple[RealBox, ...] = ()) -> list[object]:
        required = frozenset({"dot"} if role == STAMPED else ())
        answers = [answer(role, "a", *findings)]
        got = results_of(PLAN, answers, {answers[0].picture.key: Truth(required, truth)}, 0.5)
        item = got.items[0]
        return [(meaning, below) for _, meaning, below in boxes_of(item, item.frames[0], 0.5)]

    hit, faint = ("mark", False), ("found", True)
    assert boxes(STAMPED, found(0.9), off, truth=(mark,)) == [
        ("found", False),
        ("false", False),
        hit,
    ]
    assert boxes(STAMPED, found(0.4), truth=(mark,)) == [faint, ("missed", False)]
    assert boxes(STAMPED, found(0.4)) == [faint]
    assert boxes(UNSTAMPED, found(0.9), off) == [("false", False)]
    assert boxes(UNSTAMPED, found(0.4)) == [("false", True)]


@pytest.mark.parametrize("share", [0.009969, 0.0099, 0.123, 0.39056, 0.0999999, 1e-5, 0.5, 1.0])
def test_a_bound_is_rounded_up(share: float) -> None:
    """What is said must hold, and not by much."""
    said = float(shown_percent(share).removesuffix(" %")) / 100
    assert share <= said + 1e-12
    assert said - share < 1.1e-4


def test_determinism_says_by_how_much_not() -> None:
    """The same bits, or the greatest gaps."""
    one = [(found(0.5), found(0.4))]
    other = [(Finding("dot", 0.5 + 2e-7, Box(0, 0, 10, 10.25)), found(0.4))]
    assert gap(one, one).words == "the same bits"
    assert gap(one, other).words == "scores to 2e-07 and boxes to 0.25 pixels"
    assert gap(one, [(found(0.5),)]).others == 1
    assert "not measured" in Determinism(0, Gap(), Gap()).words


def test_a_sweep_says_where_the_claim_ends() -> None:
    """The first level below it; and what is below it from the beginning."""
    levels = (0.0, 1.0, 2.0, 3.0)
    good = Swept("blur", "px", levels, (20, 20, 18, 0), 20, (0, 0, 1, 0), 20)
    assert good.falls_below(0.95) == 2.0
    assert sweep_words(good, 0.95) == (
        "from 2 on fewer than 95 % of 20 pass; without the stamp at most 1 of 20 pass at any level"
    )
    poor = Swept("blur", "px", levels, (10, 9, 4, 0), 20, (), 0)
    assert sweep_words(poor, 0.95) == "10 of 20 pass as they are, half of those no more from 2 on"
    steady = Swept("blur", "px", levels, (20, 20, 20, 20), 20, (), 0)
    assert "throughout" in sweep_words(steady, 0.95)
    assert Swept("blur", "px", levels, (0,) * 4, 0, (0,) * 4, 5).falls_below(0.9) is None


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_each_axis_makes_pictures_worse(axis: object) -> None:
    """Step by step farther from the picture, which keeps its kind; the first level changes none."""
    assert axis in AXES
    rng = np.random.default_rng(5)
    frame = np.kron(rng.integers(60, 200, (12, 12, 3), np.uint8), np.ones((6, 6, 1), np.uint8))
    for one in AXES:
        if one is axis:
            worse = [one.worsen(frame, level) for level in one.levels[1:]]
            assert all(w.dtype == np.uint8 and w.ndim == 3 for w in worse)
            assert all(w.shape != frame.shape or (w != frame).any() for w in worse)
            same = [w for w in worse if w.shape == frame.shape]
            gaps = [float(np.abs(w.astype(int) - frame).mean()) for w in same]
            assert gaps == sorted(gaps)


def test_pictures_to_worsen_are_spread_evenly() -> None:
    """Always the same, and no more than there are."""
    frames = list(range(10))
    assert spread(frames, 5) == [0, 2, 4, 6, 8]  # type: ignore[arg-type, comparison-overlap]
    assert spread(frames, 20) == frames  # type: ignore[arg-type, comparison-overlap]


def test_calibration_counts_each_tenth() -> None:
    """Compared with counting by hand."""
    centres, shares, counts = calibration([0.01, 0.05, 0.55], [0.52, 0.58, 1.0])
    assert counts == [2, 3, 1]
    assert shares == pytest.approx([0, 2 / 3, 1])
    assert centres == pytest.approx([0.03, 0.55, 1.0])
    assert all(math.isfinite(value) for value in centres)
