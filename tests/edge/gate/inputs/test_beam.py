from typing import Any

import pytest

from edge.config import Config
from edge.gate.inputs.beam import Beam, longest_blocked
from edge.sections.gate import GateSettings
from edge.sections.trigger import TriggerSettings

MS = 1_000_000


@pytest.mark.parametrize(
    ("trigger", "gate", "longest"),
    [
        ({}, {"reject_delay_ms": 300.0}, 150 * MS),
        ({"blocked_ms": 80.0}, {"reject_delay_ms": 300.0}, 80 * MS),
        ({}, {"reject_delay_counts": 301}, 150),
        ({"blocked_counts": 80}, {"reject_delay_counts": 301}, 80),
        ({}, {"reject_delay_counts": 1}, 1),
    ],
)
def test_the_greatest_length_is_in_the_unit_of_the_reject_delay(
    trigger: dict[str, Any], gate: dict[str, Any], longest: int
) -> None:
    """Half the delay where nobody has set it: what is longer could not be swept in time."""
    config = Config(trigger=TriggerSettings(**trigger), gate=GateSettings(**gate))
    assert longest_blocked(config) == longest


def test_one_item_may_be_as_long_as_the_greatest_length() -> None:
    """The bound belongs to the item; one place more is several, twice the length a jam."""
    beam = Beam(longest=100, off_delay=0)
    assert beam.next_place() is None
    assert beam.cover(1000, 0)
    seen = [(place, beam.grow(place), beam.lengths, beam.jammed) for place in
            (1000, 1100, 1101, 1150, 1200, 1201, 1202, 1301)]  # fmt: skip
    assert seen == [
        (1000, False, 0, False),
        (1100, False, 0, False),
        (1101, True, 1, False),
        (1150, False, 1, False),
        (1200, False, 1, False),
        (1201, True, 2, True),
        (1202, False, 2, True),
        (1301, True, 3, True),
    ]
    beam.uncover(0, 0)
    assert (beam.grow(2000), beam.jammed, beam.lengths) == (False, False, 3)
    assert beam.cover(3000, 0)
    assert beam.lengths == 0


def test_the_next_place_is_the_first_at_which_it_has_grown() -> None:
    """So that a gate without an encoder can wait for it."""
    beam = Beam(longest=100, off_delay=0)
    beam.cover(1000, 0)
    for _ in range(3):
        place = beam.next_place()
        assert place is not None
        assert not beam.grow(place - 1)
        assert beam.grow(place)


def test_a_beam_that_is_clear_for_less_than_the_off_delay_still_sees_the_same_item() -> None:
    """Its length is that from its first edge to its last, holes and all."""
    beam = Beam(longest=100, off_delay=20)
    assert beam.cover(1000, 1000)
    beam.uncover(1040, 1040)
    assert not beam.cover(1059, 1059)
    beam.uncover(1090, 1090)
    assert not beam.grow(1100)
    assert not beam.cover(1109, 1109)
    assert beam.grow(1109)
    beam.uncover(1120, 1120)
    assert beam.cover(1140, 1140)
    assert not beam.grow(1200)


def test_an_off_delay_in_places_is_the_belts_and_no_time() -> None:
    """A belt that stands in a hole goes on with the item; one that runs back there is no other."""
    beam = Beam(longest=100, off_delay=20, off_in_places=True)
    assert beam.cover(1000, 0)
    beam.uncover(1040, 10)
    assert not beam.cover(1059, 10**12)
    beam.uncover(1070, 10**12)
    assert not beam.cover(1068, 10**12)
    beam.uncover(1068, 10**12)
    assert beam.cover(1088, 10**12)


def test_after_lost_edges_what_comes_next_is_an_item() -> None:
    """Whatever the beam was, and however shortly before."""
    beam = Beam(longest=100, off_delay=20)
    beam.cover(1000, 1000)
    beam.grow(1250)
    beam.forget()
    assert (beam.blocked, beam.jammed) == (False, False)
    assert beam.cover(1260, 1260)
    assert beam.lengths == 0
