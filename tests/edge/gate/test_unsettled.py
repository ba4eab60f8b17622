from hypothesis import given
from hypothesis import strategies as st

from edge.gate.unsettled import KEPT, Unsettled, UnsettledItem


@given(st.lists(st.sampled_from(["tell", "miss", "leave", "next", "settle"]), max_size=80))
def test_every_item_is_owed_until_it_is_settled(deeds: list[str]) -> None:
    """In any order of events, entered = settled + unsettled, and no tag is told twice at once."""
    unsettled, entered, settled = Unsettled(), 0, 0
    told: list[int] = []
    for deed in deeds:
        if deed in ("tell", "miss"):
            entered += 1
            item = UnsettledItem(entered, entered, "" if deed == "tell" else "nobody was there")
            told += [entered] if deed == "tell" else []
            (unsettled.report if deed == "tell" else unsettled.add_missed)(item)
        elif deed == "leave":
            assert sorted(unsettled.take_back("lost", {})) == sorted(told)
            told.clear()
        elif deed == "next" and (missed := unsettled.next_missed(10**6)) is not None:
            assert missed.why
            assert missed.tag not in told
            unsettled.report(missed)
            told.append(missed.tag)
        elif deed == "settle" and told:
            unsettled.settle(told.pop(0))
            settled += 1
        assert unsettled.reported + unsettled.waiting == entered - settled


def test_beyond_the_bound_only_the_number_and_the_last_moment_are_kept() -> None:
    """The memory does not grow with a weekend of items."""
    unsettled = Unsettled()
    for tag in range(1, 10 * KEPT):
        unsettled.add_missed(UnsettledItem(tag, tag, "nobody was there"))
    assert len(unsettled._waiting) == KEPT
    assert unsettled.waiting == 10 * KEPT - 1
    for _ in range(KEPT):
        unsettled.next_missed(0)
    last = unsettled.next_missed(77_777)
    assert last is not None
    assert (last.tag, last.t_ns) == (77_777, 10 * KEPT - 1)


def test_what_comes_back_from_an_eye_comes_first() -> None:
    """With the reason that fits it: its own, one apart, or that of all."""
    unsettled = Unsettled()
    unsettled.add_missed(UnsettledItem(1, 1, "nobody was there"))
    first = unsettled.next_missed(9)
    assert first is not None
    for item in (first, UnsettledItem(2, 2), UnsettledItem(3, 3)):
        unsettled.report(item)
    unsettled.add_missed(UnsettledItem(4, 4, "its edge was lost"))
    assert unsettled.take_back("lost", {3: "passed"}) == [1, 2, 3]
    back = [unsettled.next_missed(9) for _ in range(4)]
    assert [(o.tag, o.why) for o in back if o] == [
        (1, "nobody was there"),
        (2, "lost"),
        (3, "passed"),
        (4, "its edge was lost"),
    ]
