from edge.deciding.fixed_marks import (
    CLEAR_LOOKS,
    IDLE_LOOKS,
    FixedMarks,
    StandingMarks,
    standing_marks,
)
from edge.decision import Box, Finding


def mark(x: float, label: str = "seal") -> Finding:
    """A mark of 20 x 20 pixels."""
    return Finding(label, 0.9, Box(x, 10, x + 20, 30))


def test_a_mark_is_fixed_after_so_many_looks_and_free_after_so_many() -> None:
    """One that is not there in a look between begins anew: an item that stood there is none."""
    fixed = FixedMarks()
    looks = [
        [mark(10)],
        [],
        *[[mark(10), mark(99 + 40 * n)] for n in range(IDLE_LOOKS)],
        [],
        [mark(11)],
    ]
    looks += [[]] * CLEAR_LOOKS
    changes = [[begun for _, begun in fixed.note_idle(look)] for look in looks]
    assert changes == [[], [], [], [], [True], [], [], [], [False]]
    assert fixed.marks == ()


def test_the_trouble_says_where_it_is_and_whether_it_counts() -> None:
    """And what to do; none while there is none."""
    fixed = FixedMarks()
    assert fixed.describe(counted=False) == ""
    for _ in range(IDLE_LOOKS):
        fixed.note_idle([mark(10)])
    assert fixed.describe(counted=False).startswith(
        "a mark is seen while no item is there: seal at [10 10 30 30]; it does not count there: "
    )
    assert "it still counts there" in fixed.describe(counted=True)
    fixed.forget()
    assert fixed.marks == ()


def test_a_mark_on_item_after_item_is_told_while_it_stays() -> None:
    """One item without it ends that; another class at the same place is another mark."""
    standing, told = StandingMarks(running=3), []
    for found in ([mark(10)], [mark(10.2)], [mark(10, "label")], *[[mark(10)]] * 4, []):
        standing.note_item(found)
        told.append(bool(standing.words))
    assert told == [False] * 5 + [True, True, False]


def test_a_mark_in_all_pictures_must_stand_exactly() -> None:
    """A mark that moves by a fifth of its size is on its item."""
    assert standing_marks([[mark(10), mark(70)], [mark(11)], [mark(10)]]) == (mark(10),)
    assert standing_marks([[mark(10)], [mark(15)]]) == ()
    assert standing_marks([[mark(10)], []]) == ()
