import dataclasses

from edge.gate.inputs.lost_edges import EdgeWatch, Loss
from edge.gate.lines import WireEvent

BEGIN = 100


def rise(line: str, lost: int = 0, overflow: int = 0) -> WireEvent:
    """A rise of an input."""
    return WireEvent(line, 1, 0, lost, overflow)


def fall(line: str, lost: int = 0, overflow: int = 0) -> WireEvent:
    """A fall of an input."""
    return WireEvent(line, 0, 0, lost, overflow)


def loss(since: int, edges: int, rises: int, *, shared: bool = False, known: bool = False) -> Loss:
    """A loss; a place of these tests is reached a thousand nanoseconds later a place."""
    return Loss(edges, rises, since, since * 1000, shared, known)


def fed(watch: EdgeWatch, *events: tuple[WireEvent, int]) -> list[Loss | None]:
    """What each event, at its place, tells of losses."""
    return [
        watch.feed(dataclasses.replace(event, t_ns=place * 1000), place) for event, place in events
    ]


def test_levels_that_alternate_lose_nothing() -> None:
    """On every line, whatever the first edge is; the reset button gives rises only."""
    events = [
        *[(rise("trigger"), 110), (fall("bin_full"), 120), (fall("trigger"), 130)],
        *[(rise("bin_full"), 140), (rise("reset"), 150), (rise("reset"), 160)],
    ]
    assert fed(EdgeWatch(BEGIN, BEGIN * 1000), *events) == [None] * 6


def test_equal_edges_are_a_loss_on_their_line_since_its_edge_before() -> None:
    """Two falls hide a rise, two rises a fall; other lines have lost nothing."""
    watch = EdgeWatch(BEGIN, BEGIN * 1000)
    told = fed(
        watch,
        *[(fall("trigger"), 110), (rise("confirm"), 120), (fall("trigger"), 130)],
        *[(rise("trigger"), 140), (rise("trigger"), 150), (fall("confirm"), 160)],
    )
    assert told == [
        *[None, None, loss(110, 1, 1)],
        *[None, loss(140, 1, 0), None],
    ]


def test_a_number_left_out_is_a_loss_on_every_line() -> None:
    """The kernel drops the oldest of all: the photo-eye may have lost edges with the encoder.

    Its own number tells how many, and is no second loss; the one after that is.
    """
    watch = EdgeWatch(BEGIN, BEGIN * 1000)
    told = fed(
        watch,
        *[(rise("trigger"), 110), (rise("encoder_a"), 120)],
        *[(fall("encoder_a", lost=200), 130), (rise("encoder_a"), 140)],
        *[(fall("trigger", lost=2), 150), (rise("trigger", lost=2), 160)],
    )
    assert told == [
        *[None, None, loss(120, 200, 100, shared=True), None],
        loss(110, 2, 1, known=True),
        loss(150, 2, 1, shared=True),
    ]


def test_an_overflow_is_a_loss_since_the_last_edge_of_any_line() -> None:
    """The driver tells by the numbers over all lines, before any line has missed its own."""
    watch = EdgeWatch(BEGIN, BEGIN * 1000)
    told = fed(
        watch,
        *[(rise("trigger"), 110), (rise("encoder_a"), 120), (rise("bin_full", overflow=5), 170)],
        *[(rise("trigger", lost=1), 180), (fall("encoder_a", lost=4), 190)],
        *[(fall("trigger", overflow=7), 200)],
    )
    assert told == [
        *[None, None, loss(120, 0, 0, shared=True)],
        loss(110, 1, 0, known=True),
        loss(120, 4, 2, known=True),
        loss(190, 0, 0, shared=True),
    ]


def test_after_a_shared_loss_numbers_and_levels_must_still_add_up() -> None:
    """An item whose two edges were dropped, and one whose rise was never numbered besides."""
    for lost, told in ((2, loss(110, 2, 1, known=True)), (1, loss(110, 2, 1, known=True))):
        watch = EdgeWatch(BEGIN, BEGIN * 1000)
        events = [(fall("trigger"), 110), (rise("bin_full", overflow=5), 120)]
        assert fed(watch, *events, (rise("trigger", lost=lost), 130))[-1] == told


def test_a_level_that_was_read_counts_as_that_of_the_last_edge() -> None:
    """The rise after it is none too many."""
    watch = EdgeWatch(BEGIN, BEGIN * 1000)
    fed(watch, (rise("trigger"), 110))
    watch.correct("trigger", 0)
    assert fed(watch, (rise("trigger"), 120)) == [None]
