"""The window of each reject at the bin, and which edge confirms which item."""

from hypothesis import given
from hypothesis import strategies as st

from edge.gate.inputs.confirmations import Confirmations, Window, window_of
from edge.sections.gate import GateSettings


def test_the_window_is_in_counts_where_counts_are_set() -> None:
    """Else in time."""
    settings = GateSettings(confirm_ms=200.0, confirm_earliest_ms=30.0, confirm_apart_ms=5.0)
    assert window_of(settings) == Window(30_000_000, 200_000_000, apart_ns=5_000_000)
    counts = GateSettings(confirm_counts=9, confirm_earliest_counts=4)
    assert window_of(counts) == Window(4, 9, by_counts=True)


@given(
    st.lists(st.integers(0, 300), max_size=12),
    st.lists(st.integers(0, 400), max_size=20),
    st.integers(0, 20),
    st.integers(1, 40),
)
def test_each_edge_confirms_at_most_one_item_and_each_item_takes_one_edge(
    rejects: list[int], edges: list[int], earliest: int, length: int
) -> None:
    """Rejects and edges at any moments: as many are confirmed as could be, each in its window.

    The count is that of a greedy matching, which is the largest for windows of one length.
    """
    confirmations = Confirmations(Window(earliest, earliest + length))
    moments = sorted([(ms, 0, tag) for tag, ms in enumerate(sorted(rejects), 1)]
                     + [(ms, 1, 0) for ms in edges])  # fmt: skip
    said, missing = [], []
    for ms, is_edge, tag in moments:
        if is_edge:
            said.append(confirmations.confirm(ms, 0))
        else:
            confirmations.expect(tag, ms, 0)
        missing += confirmations.overdue(ms, 0)
    missing += confirmations.overdue(10_000, 0)
    free = sorted(edges)
    matched = 0
    for ms in sorted(rejects):
        taken = [e for e in free if ms + earliest <= e < ms + earliest + length]
        if taken:
            free.remove(taken[0])
            matched += 1
    assert said.count("confirmed") == matched
    assert len(missing) == confirmations.missing == len(rejects) - matched
    assert said.count("unexpected") == confirmations.unexpected == len(edges) - matched
    assert confirmations.next_ns() is None


def test_where_windows_do_not_overlap_an_item_never_confirms_its_neighbour() -> None:
    """Rejects 100 apart, windows of 30 to 130: each edge of the first is out of the second's."""
    for first in range(30, 130):
        for again in range(first, 130):
            confirmations = Confirmations(Window(30, 130))
            confirmations.expect(1, 0, 0)
            assert confirmations.confirm(first, 0) == "confirmed"
            confirmations.expect(2, 100, 0)
            assert confirmations.confirm(max(100, again), 0) == "unexpected"
            assert confirmations.overdue(230, 0) == [2]


def test_edges_that_chatter_are_one_item_as_long_as_they_chatter() -> None:
    """Each is less than 10 after the one before; the one after a pause is another item's."""
    confirmations = Confirmations(Window(0, 100, apart_ns=10))
    confirmations.expect(1, 0, 0)
    confirmations.expect(2, 0, 0)
    said = [confirmations.confirm(ms, 0) for ms in (20, 29, 38, 48)]
    assert said == ["confirmed", "again", "again", "confirmed"]
    assert confirmations.again == 2


def test_what_was_rejected_before_a_reset_may_still_come() -> None:
    """Nobody waits for it, and it is not unexpected."""
    confirmations = Confirmations(Window(10, 100))
    confirmations.expect(1, 0, 0)
    confirmations.clear()
    assert confirmations.overdue(200, 0) == []
    assert [confirmations.confirm(ms, 0) for ms in (99, 100)] == ["swept", "unexpected"]
