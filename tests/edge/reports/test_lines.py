from typing import Any

import pytest

from edge.reports.lines import COLUMNS_WIDE, best_score, columns_of, short_lines, wrapped
from edge.reports.zone import Zone

UTC = Zone("UTC")


def record(**fields: Any) -> dict[str, Any]:
    """An item's record, with *fields* put in."""
    return {
        "v": 1,
        "kind": "item",
        "sequence": 1234567,
        "wall_time": "2026-12-01T14:03:07.250+00:00",
        "clock_synced": True,
        "verdict": "reject",
        "reason": "no QC TESTED found",
        "gate": "kept",
        "findings": [],
        "near_miss": {"label": "QC TESTED", "score": 0.4996, "box": [1, 2, 3, 4]},
    } | fields


def test_an_item_takes_one_line_of_80_columns() -> None:
    """Time with its offset, number, verdict, best score, reason."""
    (line,) = short_lines(record(), zone=UTC)
    assert line == " 2026-12-01 14:03:07+00:00 #1234567 REJECT 0.500 no QC TESTED found"
    assert len(line) <= COLUMNS_WIDE


@pytest.mark.parametrize("width", [40, 60, 80, 132])
@pytest.mark.parametrize(
    "reason", ["short", "word " * 60, "x" * 500, "印章 " * 80, "印" * 300, "e\u0301 " * 100]
)
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut_off(reason: str, width: int) -> None:
    """Letters of two columns and combining marks counted as a terminal does."""
    lines = short_lines(record(reason=reason), zone=UTC, width=width)
    room = max(columns_of(line) for line in lines)
    assert room <= max(width, 70)
    assert width < 80 or room <= width
    joined = "".join("".join(lines).split())
    assert joined.endswith("".join(reason.split()))
    assert all(line.startswith(" " * 20) for line in lines[1:])


def test_an_answer_that_was_too_late_is_not_shown_as_a_pass_alone() -> None:
    """The verdict was PASS, and the item was rejected."""
    (line, *more) = short_lines(record(verdict="pass", gate="late"), zone=UTC)
    assert "so it was rejected" in " ".join([line, *(part.strip() for part in more)])


def test_the_best_score_is_that_of_findings_before_near_misses() -> None:
    """Whatever their order; none where nothing was seen."""
    found = [{"label": "a", "score": 0.6}, {"label": "b", "score": 0.9}]
    assert best_score(record(findings=found)) == 0.9
    assert best_score(record()) == 0.4996
    assert best_score(record(near_miss=None)) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "start", "version": "1", "model": {"file": "m.onnx", "sha256": "ab"}}, "m.onnx"),
        ({"kind": "start", "model": None}, "start"),
        ({"kind": "settings", "changed": {"[gate] a": [1, 2]}}, "[gate] a from 1 to 2"),
        ({"kind": "settings", "changed": "odd"}, "settings"),
        ({"kind": "stop", "counters": {"triggers": 3, "late": 0}}, "triggers 3"),
        ({"kind": "incident", "what": "thrown", "item": 5}, "thrown item 5"),
        ({"kind": "later-release", "new": [1]}, "new=[1]"),
    ],
)
def test_other_records_say_what_people_ask_for(fields: dict[str, Any], words: str) -> None:
    """One of a kind that is not known says all its fields."""
    bare = {"v": 1, "sequence": 1, "wall_time": "2026-12-01T14:03:07+00:00", "clock_synced": True}
    assert words in " ".join(short_lines(bare | fields, zone=UTC, width=200))


def test_words_are_parted_only_where_they_are_too_long() -> None:
    """And an empty text is an empty line."""
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("abcdefgh ij", 4) == ["abcd", "efgh", "ij"]
    assert wrapped("", 4) == [""]
