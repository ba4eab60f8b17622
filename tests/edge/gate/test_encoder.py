from edge.gate.encoder import Encoder
from edge.gate.lines import WireEvent

FORWARD = [("encoder_a", 1), ("encoder_b", 1), ("encoder_a", 0), ("encoder_b", 0)]
BACK = [("encoder_b", 1), ("encoder_a", 1), ("encoder_b", 0), ("encoder_a", 0)]


def positions(encoder: Encoder, edges: list[tuple[str, int]]) -> list[int]:
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
    encoder = Encoder(two_tracks=False)
    encoder.feed(WireEvent("encoder_a", 1, 0, lost=4))
    assert (encoder.position, encoder.lost) == (3, 4)
    back = Encoder(two_tracks=True)
    positions(back, BACK)
    back.feed(WireEvent("encoder_a", 1, 0, lost=2))
    assert (back.position, back.lost) == (-1, 2)
