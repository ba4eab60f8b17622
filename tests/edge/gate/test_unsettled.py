from hypothesis import given
from hypothesis import strategies as st

from edge.gate.unsettled import KEPT, Owed, Owing


@given(st.lists(st.sampled_from(["tell", "miss", "leave", "next", "settle"]), max_size=80))
def test_every_item_is_owed_until_it_is_settled(deeds: list[str]) -> None:
    """In any order of events, entered = settled + owed, and no tag is told twice at once."""
    owed, entered, settled = Owed(), 0, 0
    told: list[int] = []
    for deed in deeds:
        if deed in ("tell", "miss"):
            entered += 1
            owing = Owing(entered, entered, "" if deed == "tell" else "nobody was there")
            told += [entered] if deed == "tell" else []
            (owed.tell if deed == "tell" else owed.miss)(owing)
        elif deed == "leave":
            assert sorted(owed.eye_left("lost", {})) == sorted(told)
            told.clear()
        elif deed == "next" and (owing_next := owed.next_missed(10**6)) is not None:
            assert owing_next.why
            assert owing_next.tag not in told
            owed.tell(owing_next)
            told.append(owing_next.tag)
        elif deed == "settle" and told:
            owed.settle(told.pop(0))
            settled += 1
        assert owed.told + owed.waiting == entered - settled


def test_beyond_the_bound_only_the_number_and_the_last_moment_are_kept() -> None:
    """The memory does not grow with a weekend of items."""
    owed = Owed()
    for tag in range(1, 10 * KEPT):
        owed.miss(Owing(tag, tag, "nobody was there"))
    assert len(owed._waiting) == KEPT
    assert owed.waiting == 10 * KEPT - 1
    for _ in range(KEPT):
        owed.next_missed(0)
    last = owed.next_missed(77_777)
    assert last is not None
    assert (last.tag, last.t_ns) == (77_777, 10 * KEPT - 1)


def test_what_comes_back_from_an_eye_comes_first() -> None:
    """With the reason that fits it: its own, one apart, or that of all."""
    owed = Owed()
    owed.miss(Owing(1, 1, "nobody was there"))
    first = owed.next_missed(9)
    assert first is not None
    for owing in (first, Owing(2, 2), Owing(3, 3)):
        owed.tell(owing)
    owed.miss(Owing(4, 4, "its edge was lost"))
    assert owed.eye_left("lost", {3: "passed"}) == [1, 2, 3]
    back = [owed.next_missed(9) for _ in range(4)]
    assert [(o.tag, o.why) for o in back if o] == [
        (1, "nobody was there"),
        (2, "lost"),
        (3, "passed"),
        (4, "its edge was lost"),
    ]
