"""What the encoder tells of the belt's motion: places seen before, and a standstill."""

from hypothesis import given
from hypothesis import strategies as st

from edge.gate.inputs.motion import SeenPlaces, Standstill


def test_what_a_belt_that_ran_back_brings_again_was_seen_before() -> None:
    """Its end while the belt runs back, its front within three counts while it runs on."""
    seen = SeenPlaces()
    seen.move_to(100)
    assert not seen.again(30)
    seen.enter()
    seen.move_to(130)
    seen.move_to(110)
    assert seen.again(30)  # backwards: its end
    seen.move_to(90)
    for position, again in ((96, False), (97, True), (103, True), (104, False), (128, False)):
        seen.move_to(position)
        assert seen.again(30) == again
    seen.move_to(130)
    assert not seen.again(30)


def test_after_hands_or_lost_edges_nothing_was_seen_before() -> None:
    """Places mean nothing any more."""
    seen = SeenPlaces()
    seen.enter()
    seen.move_to(10)
    seen.move_to(-5)
    seen.forget()
    seen.move_to(0)
    assert not seen.again(30)


@given(st.lists(st.integers(-40, 50), max_size=40))
def test_no_item_that_was_never_at_the_photo_eye_is_taken_for_one_seen_before(
    steps: list[int],
) -> None:
    """Items lie 20 counts apart; the belt moves as it likes; each is entered once, and no less."""
    seen, position, entered, furthest = SeenPlaces(), 0, 0, 0
    for step in steps:
        for _ in range(abs(step)):
            position += 1 if step > 0 else -1
            seen.move_to(position)
            front = position % 20 == 0 and step > 0
            if front and position > furthest:
                assert not seen.again(5)
                entered += 1
                seen.enter()
            furthest = max(furthest, position)
    assert entered == furthest // 20


def test_a_belt_stands_still_when_no_count_comes() -> None:
    """From the limit on; a limit of 0 is never reached."""
    standstill = Standstill(1000, 0)
    assert [standstill.stands(moment) for moment in (999, 1000)] == [False, True]
    assert [standstill.count(moment) for moment in (999, 1998, 2998)] == [False, False, True]
    assert standstill.next_ns() == 3998
    assert not Standstill(0, 0).count(10**12)
    assert Standstill(0, 0).next_ns() is None


def test_no_item_is_new_and_seen_before_for_an_encoder_that_counts_the_wrong_way() -> None:
    """Its tracks are exchanged, or one is broken: every item is a new one."""
    seen = SeenPlaces()
    for position in range(0, -400, -1):
        seen.move_to(position)
        if position % 40 == 0:
            assert not seen.again(30)
            seen.enter()
    shivering = SeenPlaces()
    for position in (1, 0, 1, 0):
        shivering.move_to(position)
        assert not shivering.again(30)
        shivering.enter()
