"""The reject line has no edge in a day in shadow; a short one, the whole is a command."""

import pytest

from tests.belt.shadow_day import DISTURBANCES, day

ITEMS = 1000


@pytest.mark.parametrize(
    ("by_counts", "ready_beats"), [(False, False), (True, False), (False, True)]
)
def test_the_reject_line_has_no_edge_in_shadow(by_counts: bool, ready_beats: bool) -> None:
    """`python -m tests.belt.shadow_day` runs 30,000 items; the same day in run moves it."""
    ran = day("shadow", ITEMS, 14, by_counts=by_counts, ready_beats=ready_beats)
    assert ran.edges == []
    assert (ran.withheld > 30, ran.thrown) == (True, 0)
    assert ran.happened["items"] == ITEMS
    assert ran.happened["gates"] > 1
    assert ran.happened["fault shown"] > 0
    assert len(set(ran.happened) & set(DISTURBANCES)) > 7
    assert ran.fates["taken"] + ran.fates["left"] + ran.fates["unclear"] > 0.9 * ITEMS


def test_the_same_day_in_run_moves_it() -> None:
    """Without this the other could pass by doing nothing."""
    ran = day("run", 200, 14, by_counts=False, ready_beats=False)
    assert len(ran.edges) > 10
    assert ran.thrown > 0
