from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import load_config
from edge.deciding.burst import combine
from edge.deciding.codes import CODES
from edge.deciding.count import MOST, Count, parse_count
from edge.deciding.judging import Scene, judge
from edge.deciding.region import Region
from edge.deciding.rules import Rules, rules_of
from edge.decision import Box, Finding, Verdict, decide
from edge.errors import ConfigError, UsageError
from edge.sections.decision import DecisionSettings
from edge.wiring import load_checked
from tests.paths import ROOT

CLASSES = ("seal", "label", "rejected")
THRESHOLD = 0.5
TURNED = """\
region = [[0, 0], [900, 0], [900, 900]]
[camera]
driver = "v4l2"
width = 640
height = 900
rotate = 90
"""
"""A region that fits into the picture only as the camera sends it."""


def mark(label: str = "seal", score: float = 0.9, x: float = 10, y: float = 10) -> Finding:
    """A mark of 20 x 20 pixels."""
    return Finding(label, score, Box(x, y, x + 20, y + 20))


def rules(folder: Path, text: str) -> Rules:
    """The rules of an edge.toml with *text* as its ``[decision]``, for a model of three classes."""
    (folder / "edge.toml").write_text(f"[decision]\n{text}\n")
    return rules_of(load_checked(folder / "edge.toml").decision, CLASSES, THRESHOLD)


@pytest.mark.parametrize(
    ("text", "found", "kind", "code"),
    [
        ("", [mark(), mark("label"), mark("rejected")], "pass", "found"),
        ("", [mark(), mark("label")], "reject", "missing"),
        ('forbidden = ["rejected"]', [mark(), mark("label")], "pass", "found"),
        ('forbidden = ["rejected"]', [mark(), mark("label"), mark("rejected")],
         "reject", "forbidden"),
        # Forbidden beats every other rule, and no filter takes a forbidden mark away.
        (
            'required = ["seal"]\nforbidden = ["rejected"]\nmark_least_px = 90',
            [mark(), mark("rejected")],
            "reject",
            "forbidden",
        ),
        ('any_of = ["seal", "label"]', [mark("label")], "pass", "found"),
        ('any_of = ["seal", "label"]', [mark("label"), mark("seal")], "pass", "found"),
        ('any_of = ["seal", "label"]', [mark("rejected")], "reject", "missing"),
        ('any_of = ["seal", "label"]', [], "reject", "missing"),
        ('any_of = ["seal", "label"]\nforbidden = ["rejected"]', [mark("label"), mark("rejected")],
         "reject", "forbidden"),
        ('required = ["rejected"]\nany_of = ["seal", "label"]', [mark("label")],
         "reject", "missing"),
        ('required = ["rejected"]\nany_of = ["seal", "label"]', [mark("label"), mark("rejected")],
         "pass", "found"),
        ('any_of = ["seal", "label"]\nmark_least_px = 21', [mark()], "reject", "too-small"),
        ('any_of = ["seal", "label"]\ncount = ["seal = 2"]', [mark("label")], "pass", "found"),
        ('any_of = ["seal", "label"]\ncount = ["seal = 2"]', [mark()], "reject", "count"),
        ('any_of = ["seal", "label"]\nno_call_from = 0.3', [mark(score=0.3)],
         "reject", "unsure"),
        ('any_of = ["seal", "label"]\nno_call_from = 0.3', [mark("label"), mark(score=0.3)],
         "pass", "found"),
        ('required = ["seal"]\ncount = 1', [mark()], "pass", "found"),
        ('required = ["seal"]\ncount = 1', [mark(), mark(x=50)], "reject", "count"),
        ('required = ["seal"]\ncount = "2"', [mark()], "reject", "count"),
        ('required = ["seal"]\ncount = "at least 1"', [mark(), mark(x=50)], "pass", "found"),
        ('required = ["seal"]\ncount = "1 to 2"', [mark(x=30 * n) for n in range(3)],
         "reject", "count"),
        ('required = ["seal"]\ncount = { label = 2 }', [mark(), mark("label")], "reject", "count"),
        ('required = ["seal"]\ncount = { label = "at most 1" }', [mark()], "pass", "found"),
        ('required = ["seal"]\ncount = ["1", "label = 1"]', [mark(), mark("label")],
         "pass", "found"),
        ('required = ["seal"]\n[decision.count]\nseal = 2', [mark(), mark(x=50)], "pass", "found"),
        ('required = ["seal"]\nmin_score = 0.8', [mark(score=0.79)], "reject", "missing"),
        ('required = ["seal"]\nno_call_from = 0.3', [mark(score=0.3)], "reject", "unsure"),
        ('required = ["seal"]\nno_call_from = 0.3', [mark(score=0.29)], "reject", "missing"),
        # A mark that may be a second one: exactly one is not sure either.
        ('required = ["seal"]\ncount = 1\nno_call_from = 0.3', [mark(), mark(x=50, score=0.4)],
         "reject", "unsure"),
        ('required = ["seal"]\nno_call_from = 0.3', [mark(), mark(x=50, score=0.4)],
         "pass", "found"),
        ('required = ["seal"]\nforbidden = ["rejected"]\nno_call_from = 0.3',
         [mark(), mark("rejected", 0.4)], "reject", "unsure"),
        ('required = ["seal"]\nmark_least_px = 21', [mark()], "reject", "too-small"),
        ('required = ["seal"]\nmark_least_px = 20', [mark()], "pass", "found"),
        ('required = ["seal"]\nmark_greatest_px = 19', [mark()], "reject", "too-large"),
        ('required = ["seal"]\nmark_greatest_px = 19\ncount = 1', [mark()], "reject", "too-large"),
        ('required = ["seal"]\nplace = [0, 0, 20, 20]', [mark()], "reject", "out-of-place"),
        ('required = ["seal"]\nplace = [0, 0, 21, 21]', [mark()], "pass", "found"),
        ('required = ["seal"]\nregion = [[10, 0], [60, 0], [60, 60], [10, 60]]', [mark()],
         "reject", "cut-off"),
        ('required = ["seal"]\nregion = [[9, 0], [60, 0], [60, 60], [9, 60]]', [mark()],
         "pass", "found"),
    ],
)  # fmt: skip
def test_each_rule_has_a_verdict_and_a_code_of_its_own(
    tmp_path: Path, text: str, found: list[Finding], kind: str, code: str
) -> None:
    """As it is written in the settings file."""
    verdict = judge(found, rules(tmp_path, text))
    assert (verdict.kind, verdict.code) == (kind, code)
    assert verdict.code in CODES


def test_every_code_is_explained_on_the_page_of_the_operator() -> None:
    """With what to do."""
    page = (ROOT / "docs" / "operating.md").read_text()
    assert [code for code in CODES if f"`{code}`" not in page] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('required = ["sael"]', "required: a required class must be one of the model's"),
        ('forbidden = ["x"]', "forbidden: a forbidden class must be one of the model's"),
        ('any_of = ["x", "seal"]', "any_of: a sufficient class must be one of the model's"),
        ('any_of = ["seal"]', "any_of must name two classes or more; require 'seal' instead"),
        ('any_of = ["seal", "label"]\nrequired = ["seal"]', "neither required nor forbidden"),
        ('any_of = ["seal", "label"]\nforbidden = ["label"]', "neither required nor forbidden"),
        ('count = { x = 1 }', "count: a counted class must be one of the model's"),
        ('forbidden = ["\\u001b[2J"]', "[decision] forbidden must be one line without control"),
        ('forbidden = ["seal", "label", "rejected"]', "forbidden classes must leave one to requi"),
        ('required = ["seal"]\nforbidden = ["seal"]', "must be no required one, not 'seal'"),
        ('forbidden = ["seal"]\ncount = { seal = 1 }', "must be no forbidden one, not 'seal'"),
        ("count = 0", "a number must be between 1 and 16"),
        ("count = -1", 'must be a number, "at least 1"'),
        ('count = "17"', "a number must be between 1 and 16"),
        ('count = "3 to 2"', "a number must be between 1 and 16, the first at most the last"),
        ('count = "some"', 'must be a number, "at least 1"'),
        ("count = 1.5", "count must be a whole number, a text, a list of texts or a table"),
        ("count = true", "count must be a whole number, a text, a list of texts or a table"),
        ("count = { seal = [1] }", "must be a whole number, a text, a list of texts or a table"),
        ("min_score = 0.49", "min_score must be 0 or at least the model's own threshold 0.5"),
        ("min_score = nan", "[decision] min_score must be at least 0 and at most 1, not NaN"),
        ("no_call_from = 0.5", "no_call_from must be below the score 0.5 from which a mark counts"),
        ("region = [[0, 0], [9, 9]]", "region must have 3 to 32 corners, not 2"),
        ("region = [[0, 0], [9, 0], [9, 9], [0, 9]]", "at least 16 pixels wide and high, not 9"),
        ("region = [[0, 0], [40, 40], [40, 0], [0, 40]]", "sides that do not cross"),
        ("region = [[0, 0], [40, 0], [20, 0], [0, 40]]", "sides that do not cross"),
        ("region = [[0, 0], [40, 0], [40, 0], [0, 40]]", "sides that do not cross"),
        ("region = [[0, 0], [40], [0, 40]]", "region must be a list of points [x, y], not"),
        ("region = [0, 0, 40, 40]", "region must be a list of points [x, y], not"),
        ("region = [[-1, 0], [40, 0], [40, 40]]", "region must be at least 0 and at most 8192"),
        ("region = [[0, 0], [inf, 0], [40, 40]]", "region must be at least 0 and at most 8192"),
        ("mark_least_px = 30\nmark_greatest_px = 20", "mark_least_px must be at most mark_gr"),
        ("mark_angle_deg = 5", "no model of this release gives the angle of a mark, not 5"),
        ("place = [9, 9, 9, 20]", "place must be [left, top, right, bottom]"),
        ("place_px_per_ms = [1, 0]", "place_px_per_ms needs place"),
        ("burst_needed = 2", "burst_needed must be at most burst 1, not 2"),
        ("burst = 3", 'burst needs [trigger] kind "photo-eye" or "interval"'),
        ('burst = 3\n[trigger]\nkind = "interval"', "burst needs [camera] in_view_ms"),
        ('burst = 3\n[trigger]\nkind = "interval"\n[camera]\nin_view_ms = 900',
         "burst of 3 takes 1000 ms and more, must be below [camera] in_view_ms 900"),
        ('burst = 3\n[trigger]\nkind = "interval"\n[camera]\nin_view_ms = 2000',
         "burst of 3 takes 1000 ms and more, must be below [gate] reject_delay_ms 500"),
        (TURNED, "region must lie in the picture of 900 x 640"),
        ("fixed_marks = 1", "fixed_marks must be a text, not 1"),
        ("[camera]\nrotate = 45", "[camera] rotate must be one of 0, 90, 180, 270, not 45"),
        ("[camera]\nrotate = false", "[camera] rotate must be a whole number, not false"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    """Before an item is judged by it; systemd does not start the box again (exit 78)."""
    with pytest.raises(ConfigError) as caught:
        rules(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 78


@given(st.lists(st.builds(mark, st.sampled_from(CLASSES), st.floats(THRESHOLD, 1))))
def test_without_settings_the_rules_are_the_plain_rule(found: list[Finding]) -> None:
    """What the box has always done: golden pictures are judged by that alone."""
    verdict, plain = (
        judge(found, rules_of(DecisionSettings(), CLASSES, THRESHOLD)),
        decide(found, CLASSES),
    )
    assert (verdict.kind, verdict.reason, verdict.findings) == (
        plain.kind,
        plain.reason,
        plain.findings,
    )


@given(
    st.lists(st.builds(mark, st.sampled_from(CLASSES), st.floats(0, 1)), max_size=6),
    st.sampled_from(["", "count = 1", 'count = "1 to 2"']),
)
def test_a_no_call_band_never_lets_more_pass(found: list[Finding], count: str) -> None:
    """Whatever is found: in doubt the box rejects."""
    counts = tuple(filter(None, [count.removeprefix("count = ").strip('"')]))
    usual = {"required": ("seal",), "forbidden": ("rejected",), "count": counts}
    without = judge(found, rules_of(DecisionSettings(**usual), CLASSES, THRESHOLD))  # type: ignore[arg-type]
    band: Any = usual | {"no_call_from": 0.2}
    verdict = judge(found, rules_of(DecisionSettings(**band), CLASSES, THRESHOLD))
    assert verdict.kind == "reject" or without.kind == "pass"


def test_the_near_miss_is_of_the_class_that_lacks(tmp_path: Path) -> None:
    """A weak seal tells more than a weaker look-alike of what was found."""
    found = [mark("label"), mark("label", 0.4, 60), mark("seal", 0.1, 90)]
    verdict = judge(found, rules(tmp_path, 'required = ["seal", "label"]'))
    assert (verdict.reason, verdict.near) == ("no seal found", found[2])
    assert verdict.findings == (found[0],)


def test_a_mark_does_not_count_where_one_is_seen_without_an_item(tmp_path: Path) -> None:
    """The stamp on the guide rail; the item's own counts beside it, and a forbidden one too."""
    rail = mark(x=60)
    scene = Scene(fixed=(rail,))
    line = rules(tmp_path, 'required = ["seal"]\nforbidden = ["rejected"]')
    assert judge([mark(x=62)], line, scene).code == "fixed-mark"
    assert judge([mark(x=62), mark()], line, scene).kind == "pass"
    forbidden = Scene(fixed=(mark("rejected", x=60),))
    assert judge([mark(), mark("rejected", x=60)], line, forbidden).code == "forbidden"
    counted = rules(tmp_path, 'required = ["seal"]\nfixed_marks = "counted"')
    assert judge([mark(x=62)], counted, scene).kind == "pass"


def test_a_place_that_moves_is_where_the_item_is_when_its_picture_begins(tmp_path: Path) -> None:
    """At the earliest and at the latest; where nobody knows when that was it is a FAULT."""
    line = rules(tmp_path, 'required = ["seal"]\nplace = [0, 0, 30, 40]\nplace_px_per_ms = [2, 0]')
    told = [judge([mark(x=20 + 30)], line, Scene(moved_ms=ms)).code for ms in ((20, 25), (0, 20))]
    assert told == ["found", "out-of-place"]
    verdict = judge([mark()], line)
    assert (verdict.kind, verdict.reason) == (
        "fault",
        "the place of a mark cannot be judged: nobody knows when the picture began",
    )


def test_a_frame_in_doubt_is_never_outvoted() -> None:
    """A FAULT, a forbidden mark, and one that may be one decide; else so many must pass."""
    good, bad = Verdict("pass", "seal found"), Verdict("reject", "no seal found", (), "missing")
    torn, stop = Verdict("fault", "torn"), Verdict("reject", "rejected found", (), "forbidden")
    weak = Verdict("reject", "not sure", (), "unsure", mark("rejected", 0.4))
    for doubt in (torn, stop, weak):
        assert combine([good, good, doubt], 2, {"rejected"}) == (doubt, 2)
    unsure = Verdict("reject", "not sure", (), "unsure", mark(score=0.4))
    told = [combine(frames, 2)[0].code for frames in ([good, unsure, bad], [bad, bad, unsure])]
    assert told == ["unsure", "missing"]
    assert combine([bad, good, good], 2)[1] == 1


@given(st.integers(1, MOST), st.integers(1, MOST))
def test_a_count_is_read_as_it_is_written(first: int, last: int) -> None:
    """Whatever form it has."""
    counts = [Count(first, first), Count(first, None), Count(0, last)]
    for count in [*counts, *([Count(first, last)] if first < last else [])]:
        assert parse_count(str(count)) == count
    assert parse_count("two") is None


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=3, max_size=5))
def test_a_region_is_a_polygon_or_refused(corners: list[tuple[int, int]]) -> None:
    """No list of corners ends otherwise, and a corner's rectangle is never left."""
    try:
        region = Region(tuple((float(x), float(y)) for x, y in corners))
    except UsageError:
        return
    left, top, right, bottom = region.bounds
    for x in range(left - 3, right + 3, 3):
        for y in range(top - 3, bottom + 3, 3):
            assert not region.contains(x, y) or (left <= x <= right and top <= y <= bottom)


def test_the_sample_in_the_pages_is_read(tmp_path: Path) -> None:
    """The examples of docs/operating.md are settings that the box takes."""
    page = (ROOT / "docs" / "operating.md").read_text()
    examples = page.split("## Rules of the decision")[1].split("\n## ")[0].split("```toml\n")[1:]
    assert len(examples) >= 7
    classes = ("qc-tested", "rejected", "tested-here", "tested-at-supplier")
    for example in examples:
        (tmp_path / "edge.toml").write_text(example.split("```")[0])
        load_config(tmp_path / "edge.toml")
        rules_of(load_checked(tmp_path / "edge.toml").decision, classes, 0.5)
