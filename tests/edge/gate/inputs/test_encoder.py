import pytest

from edge.gate.inputs.encoder import Encoder
from edge.gate.inputs.lost_edges import EdgeWatch
from edge.gate.lines import WireEvent

FORWARD = [("encoder_a", 1), ("encoder_b", 1), ("encoder_a", 0), ("encoder_b", 0)]
BACK = [("encoder_b", 1), ("encoder_a", 1), ("encoder_b", 0), ("encoder_a", 0)]


class Watched:
    """An encoder behind the watch that tells which of its edges are missing, as in the gate."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.watch, self.lost = encoder, EdgeWatch(0, 0), 0

    @property
    def position(self) -> int:
        """Where the belt is."""
        return self.encoder.position

    def feed(self, event: WireEvent) -> None:
        """Take an edge."""
        loss = self.watch.feed(event, self.position)
        self.lost += loss.edges if loss else 0
        self.encoder.feed(event, loss.rises if loss else 0)


def positions(encoder: Encoder | Watched, edges: list[tuple[str, int]]) -> list[int]:
    """Where the belt is after each edge."""
    found = []
    for line, level in edges:
        encoder.feed(WireEvent(line, level, 0))
        found.append(encoder.position)
    return found


def test_two_tracks_tell_forward_from_back() -> None:
    """Two turns forward, three back: one count a turn."""
    encoder = Encoder(two_tracks=True)
    assert positions(encoder, FORWARD * 2) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert positions(encoder, BACK * 3) == [2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, -1]


def test_a_belt_that_shivers_on_the_spot_stays_where_it_is() -> None:
    """A edge back and forth, over and over, at every place of the wheel."""
    for b in (0, 1):
        encoder = Encoder(two_tracks=True, b=b)
        assert positions(encoder, [("encoder_a", 1), ("encoder_a", 0)] * 50)[-1] == 0


def test_one_track_counts_each_rise() -> None:
    """It cannot tell back."""
    assert positions(Encoder(two_tracks=False), [("encoder_a", 1), ("encoder_a", 0)] * 2) == [
        1,
        1,
        2,
        2,
    ]


def test_lost_edges_are_counted_on_as_they_went() -> None:
    """Four edges of one track are two counts; the loss is told."""
    encoder = Watched(Encoder(two_tracks=False))
    encoder.feed(WireEvent("encoder_a", 1, 0, lost=4))
    assert (encoder.position, encoder.lost) == (3, 4)
    back = Watched(Encoder(two_tracks=True))
    positions(back, BACK)
    back.feed(WireEvent("encoder_a", 1, 0, lost=2))
    assert (back.position, back.lost) == (-1, 2)


def without(edges: list[tuple[str, int]], edge: tuple[str, int]) -> list[tuple[str, int]]:
    """The same edges but for each fifth of one kind, which the kernel did not see."""
    found, number = [], 0
    for one in edges:
        number += one == edge
        if one != edge or number % 5:
            found.append(one)
    return found


@pytest.mark.parametrize("level", [0, 1])
def test_an_edge_of_one_track_that_was_never_numbered_shows_in_the_levels(level: int) -> None:
    """Two equal edges running are one lost, and the counts go on as if it had come."""
    encoder = Watched(Encoder(two_tracks=False))
    edges = [("encoder_a", 1), ("encoder_a", 0)] * 100
    positions(encoder, [*without(edges, ("encoder_a", level)), ("encoder_a", 1)])
    assert (encoder.position, encoder.lost) == (101, 20)


@pytest.mark.parametrize("way", [FORWARD, BACK])
@pytest.mark.parametrize("edge", FORWARD)
def test_an_impossible_step_of_two_tracks_is_a_lost_edge(
    way: list[tuple[str, int]], edge: tuple[str, int]
) -> None:
    """Whichever edge is missing, in either direction: it is counted as lost."""
    encoder = Watched(Encoder(two_tracks=True))
    positions(encoder, [*without(way * 100, edge), *way])
    assert encoder.lost == 20


def test_a_belt_that_turns_round_anywhere_loses_nothing() -> None:
    """Each step of a quadrature encoder may be taken back."""
    for turn in range(1, 5):
        encoder, quarters = Watched(Encoder(two_tracks=True)), [*FORWARD, *FORWARD][: turn + 2]
        undo = [(line, 1 - level) for line, level in reversed(quarters)]
        assert positions(encoder, [*quarters, *undo])[-1] == 0
        assert encoder.lost == 0


def test_after_a_loss_elsewhere_the_level_of_b_is_taken_as_it_is_read() -> None:
    """A rise of A with B high is no count."""
    encoder = Watched(Encoder(two_tracks=True))
    positions(encoder, FORWARD)
    encoder.encoder.correct(b=1)
    assert positions(encoder, [("encoder_a", 1)]) == [1]
    assert encoder.lost == 0


def test_the_very_first_edge_of_a_track_may_hide_a_count() -> None:
    """It falls, and the level that was read at the start was low: it has risen meanwhile."""
    encoder = Watched(Encoder(two_tracks=False))
    encoder.watch.correct("encoder_a", 0)
    assert positions(encoder, [("encoder_a", 0), ("encoder_a", 1)]) == [1, 2]
    assert encoder.lost == 1
