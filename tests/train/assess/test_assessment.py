"""The assessment: its counts, its words, and when a model is ready."""

import dataclasses
import json

from edge.decision import Box
from train.assess.assessment import (
    Assessment,
    Length,
    Row,
    assess,
    bound_line,
    breakdown_lines,
    plain_line,
    suspects_line,
    table_lines,
    weakness_line,
)
from train.assess.breakdown import FEW, NOMINAL_SIZE, NOMINAL_TURN_DEG, confusion, is_nominal
from train.assess.choice import choose
from train.assess.counts import Count
from train.assess.scores import MarkScore, PlainScore, Scored, Trial
from train.config import FitSettings
from train.paint.placing import Conditions

LENGTH = Length(20_000, 400.0)
"""Of a training of 50 pictures a second."""
GOOD = Trial(
    marks=(0.9,) * 97 + (0.3,) * 3,
    real_marks=(),
    lookalikes=(0.2,) * 99 + (0.95,),
    photographs=tuple(Scored(f"shop/{n}.jpg", 0.1) for n in range(652)),
)


def _assessment(trial: Trial, painted: bool = False) -> Assessment:
    return assess(trial, choose(trial, FitSettings()), painted, FitSettings(), LENGTH)


def test_a_good_model_is_ready_in_plain_words() -> None:
    """With every count that the sentence rests on."""
    told = _assessment(GOOD)
    assert told.ready
    assert told.words() == (
        "finds 97 of 100 painted marks at threshold 0.900, which lets 0 of 652 of your "
        "photographs without it and 1 of 100 pictures of look-alikes through: ready to be tried"
    )


def test_a_model_that_misses_its_marks_is_not_ready() -> None:
    """And the sentence says what to do."""
    bad = dataclasses.replace(GOOD, marks=(0.9,) * 31 + (0.05,) * 69)
    told = _assessment(bad)
    assert not told.ready
    assert "finds 31 of 100 painted marks" in told.words()
    assert "not ready; train longer" in told.words()


def test_a_model_that_takes_look_alikes_or_has_no_good_threshold_is_not_ready() -> None:
    """Each is one reason."""
    alike = dataclasses.replace(GOOD, lookalikes=(0.92,) * 100, marks=(0.9,) * 100)
    assert not _assessment(alike).ready
    sure = Trial((0.99,) * 100, (), (0.1,) * 100, (Scored("a.jpg", 0.99),))
    assert not _assessment(sure).ready


def test_photographs_that_may_bear_the_mark_are_named() -> None:
    """They hold the threshold up, so nothing else helps; best first, and no painted frame."""
    box = Box(1.0, 2.0, 3.0, 4.0)
    stamped = (Scored("shop/x\n.jpg", 0.92, box), Scored("shop/y.jpg", 0.95, box))
    trial = dataclasses.replace(GOOD, photographs=GOOD.photographs + stamped)
    told = _assessment(trial)
    assert not told.ready
    assert [one.path for one in told.suspects] == ["shop/y.jpg", "shop/x\n.jpg"]
    assert "y.jpg (0.95), x\\u000a.jpg (0.92)" in suspects_line(told)
    assert "may bear the mark" in told.words()
    assert suspects_line(_assessment(trial, painted=True)) == ""
    knows_nothing = dataclasses.replace(trial, marks=(0.4,) * 100)
    assert suspects_line(_assessment(knows_nothing)) == ""


def test_the_trade_is_a_table_in_which_the_chosen_threshold_is_marked() -> None:
    """Rising thresholds, falling counts."""
    told = _assessment(GOOD)
    assert [row.threshold for row in told.table] == sorted(row.threshold for row in told.table)
    assert [row.marks.hits for row in told.table] == sorted(
        (row.marks.hits for row in told.table), reverse=True
    )
    (line,) = (line for line in table_lines(told) if line.endswith("<"))
    assert line.split()[0] == f"{told.chosen.threshold:.3f}"


def test_it_comes_back_from_a_checkpoint_as_it_was() -> None:
    """All of it, suspects with their boxes too."""
    near = dataclasses.replace(GOOD, photographs=(Scored("a.jpg", 0.93, Box(1.0, 2.0, 3.0, 4.0)),))
    for told in (_assessment(GOOD), _assessment(near)):
        assert Assessment.from_json(told.to_json()) == told


def test_marks_of_labelled_photographs_are_told_beside_the_painted_ones() -> None:
    """Where there are any."""
    told = _assessment(dataclasses.replace(GOOD, real_marks=(0.95, 0.1)))
    assert "100 of 100 painted marks and 1 of 2 labelled ones" in told.words()


def _shown(size: float = 0.2, turn_deg: float = 0.0, label: str = "seal") -> MarkScore:
    """A mark that is found at 0.9."""
    return MarkScore(label, 0.9, Conditions(size, turn_deg, 0.0, 0.0, False, 1.0))


def _tried(nominal: tuple[int, int], others: tuple[int, int]) -> Assessment:
    """The assessment of a trial that finds so many of so many nominal marks, and of small ones."""
    details = [
        dataclasses.replace(_shown(size), score=0.9 if number < found else 0.05)
        for size, (found, of) in ((0.2, nominal), (0.03, others))
        for number in range(of)
    ]
    marks = tuple(mark.score for mark in details)
    return _assessment(dataclasses.replace(GOOD, marks=marks, details=tuple(details)))


def test_a_model_is_ready_by_the_marks_under_nominal_conditions() -> None:
    """Those that a camera at a line does not show are told, and decide nothing."""
    ready = _tried((49, 50), (10, 50))
    assert ready.ready
    assert "finds 59 of 100 painted marks, 49 of 50 of those under nominal" in ready.words()
    assert all(str(row.nominal) in line for row, line in _rows_and_lines(ready))
    assert not _tried((44, 50), (50, 50)).ready
    assert Assessment.from_json(ready.to_json()) == ready


def test_where_few_marks_are_nominal_all_of_them_decide() -> None:
    """Few of them say nothing, and an assessment of an earlier release kept none."""
    assert not _tried((FEW - 1, FEW - 1), (10, 50)).ready
    assert _tried((0, FEW - 1), (50, 50)).chosen.judged == Count(50, 50 + FEW - 1)
    earlier = json.loads(_tried((49, 50), (10, 50)).to_json())
    for row in (earlier["chosen"], *earlier["table"]):
        del row["nominal"]
    del earlier["scores"]["nominal"]
    assert not Assessment.from_json(json.dumps(earlier)).ready


def test_nominal_is_whole_large_enough_and_upright_enough() -> None:
    """Each alone decides; light, blur and ink do not."""
    shown = Conditions(NOMINAL_SIZE, NOMINAL_TURN_DEG - 0.1, 5.0, -2.0, True, 1.0)
    assert is_nominal(shown)
    assert not is_nominal(dataclasses.replace(shown, size=NOMINAL_SIZE - 0.001))
    assert not is_nominal(dataclasses.replace(shown, turn_deg=NOMINAL_TURN_DEG))
    assert not is_nominal(dataclasses.replace(shown, visible=0.9))


def _rows_and_lines(told: Assessment) -> list[tuple[Row, str]]:
    return list(zip(told.table, table_lines(told)[1:], strict=True))


def test_what_the_photographs_show_is_said_with_its_bound_and_what_is_missing() -> None:
    """Of 652 without an error fewer than 0.46 % follow; 0.2 % needs 1497 (field's table: D3)."""
    said = bound_line(_assessment(GOOD))
    assert "0 of 652 accepted, so fewer than 0.46 % of others like them, at 95 % confidence" in said
    assert said.endswith("to show the 0.2 % asked for, add 845 more")
    enough = tuple(Scored(f"{n}.jpg", 0.1, trained=n >= 60) for n in range(1497))
    said = bound_line(_assessment(dataclasses.replace(GOOD, photographs=enough)))
    assert "add" not in said
    assert "(of those never trained on: 0 of 60, fewer than 4.9 %)" in said
    trained = tuple(dataclasses.replace(one, trained=True) for one in enough)
    said = bound_line(_assessment(dataclasses.replace(GOOD, photographs=trained)))
    assert "never trained on: not measured" in said
    assert bound_line(_assessment(GOOD, painted=True)) == ""


def test_where_the_model_breaks_is_told_by_how_marks_are_shown() -> None:
    """Small ones are missed here, and those of a second class; rare ones say nothing."""
    small = dataclasses.replace(_shown(size=0.05), score=0.1)
    details = (*[_shown()] * 60, *[small] * 20, dataclasses.replace(small, label="word"))
    marks = tuple(one.score for one in details)
    told = _assessment(dataclasses.replace(GOOD, marks=marks, details=details))
    assert weakness_line(told) == "it breaks first at: size below 8 % of the picture (0 of 21)"
    (line,) = (line for line in breakdown_lines(told) if line.endswith("weak"))
    assert line.split() == [
        "size",
        "below",
        "8",
        "%",
        "of",
        "the",
        "picture",
        "0",
        "of",
        "21",
        "<",
        "weak",
    ]
    counts = {(one.condition, one.part): one.found for one in told.bins}
    assert counts["class", "word"] == Count(0, 1)
    assert sum(count.of for (name, _), count in counts.items() if name == "angle") == 81
    assert Assessment.from_json(told.to_json()) == told
    assert weakness_line(_assessment(GOOD)) == ""
    assert breakdown_lines(_assessment(dataclasses.replace(GOOD, details=())))[1].endswith(
        "not measured"
    )


def test_a_mark_that_is_not_found_pasted_plainly_makes_the_model_not_ready() -> None:
    """Each class by itself, from half of its pictures on."""
    scores = [("seal", 0.95)] * 6 + [("word", 0.95)] * 2 + [("word", 0.2)] * 4
    plain = tuple(PlainScore(label, "plain", 0.3, score) for label, score in scores)
    told = _assessment(dataclasses.replace(GOOD, plain=plain))
    assert not told.ready
    assert plain_line(told, 0.9) == (
        "does not find its own mark pasted plainly, upright and sharp (word 2 of 6)"
    )
    assert plain_line(told, 0.1) == ""
    assert _assessment(dataclasses.replace(GOOD, plain=plain[:6])).ready


def test_how_much_longer_to_train_is_told_from_the_speed_of_this_machine() -> None:
    """30,000 pictures usually do, a long training has 90,000, and after that time rarely helps."""
    assert Length(20_000, 400.0).more_minutes == 10.0
    assert Length(29_000, 600.0).more_minutes == 32.0
    assert Length(90_000, 1800.0).more_minutes is None
    assert Length(0, 0.0).more_minutes is None
    bad = dataclasses.replace(GOOD, marks=(0.05,) * 100)
    fit = FitSettings()
    short = assess(bad, choose(bad, fit), False, fit, Length(20_000, 400.0))
    assert "train longer (10 minutes in all usually do on this machine)" in short.words()
    long = assess(bad, choose(bad, fit), False, fit, Length(90_000, 1800.0))
    assert "longer training rarely helps now" in long.words()


def test_another_threshold_is_counted_from_the_scores() -> None:
    """Those of an earlier release kept only the table."""
    told = _assessment(GOOD)
    row = told.at(0.25)
    assert row is not None
    assert (row.marks, row.lookalikes) == (Count(100, 100), Count(1, 100))
    assert told.at(told.chosen.threshold) == told.chosen
    assert dataclasses.replace(told, scores=None).at(0.25) is None


def test_an_assessment_of_an_earlier_release_is_read() -> None:
    """It had neither bounds nor bins, and nothing is made up for it."""
    raw = json.loads(_assessment(GOOD).to_json())
    for name in ("unseen", "rate", "confidence", "bins", "plain", "more_minutes", "scores"):
        del raw[name]
    old = Assessment.from_json(json.dumps(raw))
    assert old.ready
    assert (bound_line(old), breakdown_lines(old), weakness_line(old)) == ("", [], "")
    assert plain_line(old, 0.5) == ""


def test_a_mark_is_confused_with_the_class_that_is_surer_on_it() -> None:
    """By class, with those that nothing was found on."""
    other = dataclasses.replace(_shown(), score=0.5, mistaken_for="word", mistaken_score=0.8)
    details = (_shown(), other, dataclasses.replace(other, mistaken_score=0.1))
    assert confusion(details, 0.4) == {"seal": {"seal": 2, "word": 1}}
    assert confusion(details, 0.6) == {"seal": {"seal": 1, "word": 1, "": 1}}
