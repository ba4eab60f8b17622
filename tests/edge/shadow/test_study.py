"""A study in shadow counts what it may count, and says what it may not."""

from pathlib import Path

import pytest

from edge.config import load_config
from edge.rates.anytime import anytime_bound, anytime_size
from edge.rates.bounds import upper_bound
from edge.rates.plan import Plan
from edge.shadow.observed import read_shadow
from edge.shadow.report import missing_words, report_lines, report_object
from edge.shadow.statements import Statements, read_statements, say_truths
from edge.shadow.study import Figures, Share, chance_as_uneven, figures_of, is_shown, standings
from tests.edge.shadow.days import box, good_days, study_of, write_items

PLAN = Plan.parse("fa<5% fr<20% @95%")
ALL_KINDS = [
    ("pass", "good"),
    ("pass", "bad"),
    ("reject", "good"),
    ("fault", "good"),
    ("reject", "bad"),
    ("fault", "bad"),
    ("pass", ""),
    ("reject", "unclear"),
    ("pass", "good"),
]


def figures(path: Path) -> Figures:
    """The figures of the study that the box is in."""
    config = load_config(path)
    return figures_of(read_shadow(config), read_statements(config), study_of(path))


def test_each_item_counts_once_by_its_truth_and_what_the_box_would_have_done(
    tmp_path: Path,
) -> None:
    """A FAULT throws off as a REJECT does; item 9 passes, and would have been thrown too."""
    path = box(tmp_path)
    write_items(path, ALL_KINDS, withheld=[9])
    found = figures(path)
    assert (found.errors, found.items) == ({"fa": 1, "fr": 3}, {"fa": 3, "fr": 4})
    assert (found.without_truth, found.unclear, found.other_studies) == (2, 1, 0)


def test_what_people_say_stands_above_the_photo_eye(tmp_path: Path) -> None:
    """The last word counts, and that it corrects the photo-eye is told."""
    path = box(tmp_path)
    config = write_items(path, ALL_KINDS)
    say_truths(config, {2: "good", 7: "bad"}, "Ada", "shift.csv", corrects=1)
    found = figures(path)
    assert (found.errors, found.items) == ({"fa": 1, "fr": 2}, {"fa": 3, "fr": 5})
    assert (found.corrected, found.without_truth) == (1, 1)
    assert "1 items are other than the photo-eye told, by people" in report_lines(found, PLAN)


@pytest.mark.parametrize(
    "change",
    [
        "[decision]\nmin_score = 0.7\n",
        '[decision]\nrequired = ["dot"]\n',
        "[camera]\nrotate = 90\n",
        "[camera]\nexposure_us = 500.0\n",
    ],
)
def test_other_rules_or_another_picture_are_another_study(tmp_path: Path, change: str) -> None:
    """Nothing that was shown before counts, and how much that is stands there."""
    path = box(tmp_path)
    write_items(path, good_days(10, 10))
    assert sum(figures(path).items.values()) == 20
    found = figures(box(tmp_path, more=change))
    assert (sum(found.items.values()), found.other_studies) == (0, 20)


def test_another_model_and_another_plan_are_another_study(tmp_path: Path) -> None:
    """The plan is said before; what does not decide changes nothing."""
    first = study_of(box(tmp_path))
    assert study_of(box(tmp_path, plan="fa<4% @95%")) != first
    assert study_of(box(tmp_path, mode="run", more="[gate]\npulse_ms = 70.0\n")) == first
    (tmp_path / "model.onnx").unlink()
    from tests.tiny_model import two_classes, write_tiny_model  # noqa: PLC0415

    write_tiny_model(tmp_path / "model.onnx", two_classes(threshold=0.75))
    assert study_of(box(tmp_path)) != first


def test_items_that_the_box_threw_in_run_do_not_count(tmp_path: Path) -> None:
    """What is thrown nobody sees again: its truth would be censored."""
    path = box(tmp_path)
    write_items(path, good_days(5, 5), mode="run")
    found = figures(path)
    assert (found.items, found.other_studies) == ({"fa": 0, "fr": 0}, 0)


def test_the_plan_is_shown_by_the_bound_of_any_look_and_not_one_item_sooner(
    tmp_path: Path,
) -> None:
    """So many items without an error for each claim; both bounds and what is missing are told."""
    bad, good = anytime_size(0.05, 0, 0.95), anytime_size(0.2, 0, 0.95)
    path = box(tmp_path)
    config = write_items(path, good_days(good, bad - 1))
    found = figures_of(read_shadow(config), Statements(), study_of(path))
    assert not is_shown(found, PLAN)
    assert missing_words(found, PLAN) == (
        "false accepts below 5 % needs at least 1 more items without the stamp, without another "
        "error"
    )
    accepts, rejects = standings(found, PLAN)
    assert accepts.exact == upper_bound(0, bad - 1, 0.95) < 0.05
    assert accepts.anytime == anytime_bound(0, bad - 1, 0.95, 0.05) > 0.05
    assert (accepts.missing, accepts.missing_exact, rejects.missing) == (1, 0, 0)
    config = write_items(path, good_days(0, 1))
    found = figures_of(read_shadow(config), Statements(), study_of(path))
    assert is_shown(found, PLAN)
    assert report_lines(found, PLAN)[-1] == "the plan is shown: fa<5% fr<20% @95%"
    assert report_object(found, PLAN)["claims"]["fa"]["missing"] == 0


def test_a_truth_that_depends_on_the_verdict_shows_nothing(tmp_path: Path) -> None:
    """Whoever looks at rejected items alone finds no false accept, however many there are."""
    path = box(tmp_path)
    items = [*good_days(0, 100), *[("pass", "")] * 400, *[("pass", "good")] * 30]
    config = write_items(path, items)
    found = figures_of(read_shadow(config), Statements(), study_of(path))
    assert all(standing.is_shown for standing in standings(found, PLAN))
    assert found.is_censored
    assert not is_shown(found, PLAN)
    said = next(line for line in report_lines(found, PLAN) if "verification bias" in line)
    assert said.startswith(
        "the truth was said of 100 of 100 of the rejected items and of 30 of 430"
    )
    assert missing_words(found, PLAN) == "the truth depends on the verdict"


def test_a_truth_drawn_before_the_verdict_is_not_censored(tmp_path: Path) -> None:
    """Every third item, whatever the box said of it."""
    path = box(tmp_path)
    verdicts = ["pass"] * 9 + ["reject"]
    items = [
        (verdicts[n % 10], ("good" if n % 10 < 9 else "bad") if n % 3 == 0 else "")
        for n in range(600)
    ]
    config = write_items(path, items)
    found = figures_of(read_shadow(config), Statements(), study_of(path))
    assert (found.of_passes, found.of_rejects) == (Share(180, 540), Share(20, 60))
    assert not found.is_censored


def test_the_chance_of_uneven_shares_is_fisher_s() -> None:
    """Against scipy's hypergeometric distribution."""
    from scipy.stats import hypergeom  # noqa: PLC0415

    for one, other in ((Share(3, 10), Share(9, 12)), (Share(40, 400), Share(60, 300))):
        tail = hypergeom(one.items + other.items, one.known + other.known, one.items)
        wanted = 2 * min(tail.cdf(one.known), tail.sf(one.known - 1))
        assert chance_as_uneven(one, other) == pytest.approx(wanted, rel=1e-6)


def test_a_journal_that_is_not_whole_shows_nothing(tmp_path: Path) -> None:
    """It is told what is amiss."""
    found = Figures(amiss="records were taken away")
    assert not is_shown(found, PLAN)
    assert "the journal is not whole" in missing_words(found, PLAN)


def test_without_a_plan_it_says_how_one_is_agreed(tmp_path: Path) -> None:
    """The exact bounds are there all the same."""
    path = box(tmp_path, plan="")
    write_items(path, good_days(30, 2))
    lines = report_lines(figures(path), None)
    assert any(line.startswith("false rejects: 0 of 30 items with the stamp") for line in lines)
    assert "no plan is agreed" in lines[-1]
