"""``[trigger]``: what says that an item is there."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class TriggerSettings:
    """The trigger, which tells that an item is in front of the camera."""

    kind: str = setting(
        "every-frame",
        "every-frame: each new picture is an item; interval: one item each interval_ms; photo-eye: "
        "a line of the gate",
        choices=("every-frame", "interval", "photo-eye"),
    )
    interval_ms: float = setting(
        500.0, "Time between items of an interval trigger", at_least=1, at_most=3_600_000
    )
    debounce_ms: float = setting(
        5.0,
        "How long the photo-eye must be steady before it counts; the delay runs from then",
        at_least=0,
        at_most=1000,
    )
    spacing_ms: float = setting(
        0.0,
        "photo-eye: items that follow one another faster cannot be told apart, and all are "
        "rejected; 0 allows any",
        at_least=0,
        at_most=10_000,
        live=True,
    )
    blocked_ms: float = setting(
        0.0,
        "photo-eye: the longest that one item covers it; longer is several that touch, and all are "
        "rejected; twice is a jam; 0 takes half of [gate] reject_delay_ms",
        at_least=0,
        at_most=60_000,
        live=True,
    )
    blocked_counts: int = setting(
        0,
        "The same in encoder counts, where the reject delay is in counts; 0 takes half of that",
        at_least=0,
        at_most=10**7,
        live=True,
    )
    off_delay_ms: float = setting(
        0.0,
        "photo-eye: clear for less than this, it still sees the item before (one with holes, or "
        "transparent)",
        at_least=0,
        at_most=10_000,
        live=True,
    )
    off_delay_counts: int = setting(
        0,
        "The same in encoder counts, where the reject delay is in counts; above 0 they stand in "
        "for off_delay_ms",
        at_least=0,
        at_most=10**7,
        live=True,
    )
    latest_ms: float = setting(
        100.0,
        "Longest that an item may wait for the eye, once the gate saw it; later it has moved on "
        "and is a FAULT",
        above=0,
        at_most=10_000,
    )
