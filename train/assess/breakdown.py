"""Recall by how the painted marks are shown: where a network breaks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from train.assess.counts import Count
from train.assess.scores import MarkScore
from train.paint.placing import Conditions

DARK, BRIGHT = -0.35, 0.35
"""Exposures, in stops, below and above which light counts as dark and as bright."""
WHOLE = 0.97
"""Share of a mark that is seen from which it counts as whole."""
FEW = 8
"""Fewest marks of a bin that say something about it."""
NOMINAL_SIZE, NOMINAL_TURN_DEG = 0.08, 30.0
"""Least size and greatest turn of a mark under nominal conditions."""
WEAKER = 0.15
"""How much less than of all marks is found in a bin that is named as a weakness."""


@dataclass(frozen=True)
class Bin:
    """Marks of one kind: the *condition*, which part of its range, and how many were found."""

    condition: str
    part: str
    found: Count


Part = tuple[str, Callable[[Conditions], bool]]
CONDITIONS: dict[str, tuple[Part, ...]] = {
    "size": (
        ("below 8 % of the picture", lambda c: c.size < 0.08),
        ("8 to 15 %", lambda c: 0.08 <= c.size < 0.15),
        ("15 to 30 %", lambda c: 0.15 <= c.size < 0.3),
        ("30 % and more", lambda c: c.size >= 0.3),
    ),
    "angle": (
        ("below 10 degrees", lambda c: c.turn_deg < 10),
        ("10 to 30", lambda c: 10 <= c.turn_deg < 30),
        ("30 to 60", lambda c: 30 <= c.turn_deg < 60),
        ("60 and more", lambda c: c.turn_deg >= 60),
    ),
    "blur": (
        ("sharp", lambda c: c.blur_px < 0.3),
        ("0.3 to 1 pixel", lambda c: 0.3 <= c.blur_px < 1.0),
        ("1 pixel and more", lambda c: c.blur_px >= 1.0),
    ),
    "light": (
        ("dark", lambda c: not c.uneven and c.stops < DARK),
        ("normal", lambda c: not c.uneven and DARK <= c.stops <= BRIGHT),
        ("bright", lambda c: not c.uneven and c.stops > BRIGHT),
        ("shadow or glare", lambda c: c.uneven),
    ),
    "hidden": (
        ("whole", lambda c: c.visible >= WHOLE),
        ("partly hidden, cut or worn", lambda c: c.visible < WHOLE),
    ),
}
"""Parts of the range of each condition; pixels are those of the network's input."""


def is_nominal(shown: Conditions) -> bool:
    """Return whether a mark is shown under nominal conditions, as a camera at a line shows it.

    It is whole, takes :data:`NOMINAL_SIZE` of the picture or more, and is turned by less than
    :data:`NOMINAL_TURN_DEG`; light, ink, blur and ground are as the painter draws them.
    """
    return (
        shown.size >= NOMINAL_SIZE and shown.turn_deg < NOMINAL_TURN_DEG and shown.visible >= WHOLE
    )


def nominal_scores(details: Sequence[MarkScore]) -> tuple[float, ...]:
    """Return the scores of the marks that are shown under nominal conditions."""
    return tuple(mark.score for mark in details if is_nominal(mark.conditions))


def break_down(details: Sequence[MarkScore], threshold: float) -> tuple[Bin, ...]:
    """Count the marks found in each part of each condition, and of each class where several are."""
    return tuple(_bins(details, threshold))


def _bins(details: Sequence[MarkScore], threshold: float) -> Iterator[Bin]:
    def found(marks: Sequence[MarkScore]) -> Count:
        return Count(sum(mark.score >= threshold for mark in marks), len(marks))

    for condition, parts in CONDITIONS.items():
        for name, holds in parts:
            yield Bin(condition, name, found([m for m in details if holds(m.conditions)]))
    labels = sorted({mark.label for mark in details})
    for label in labels if len(labels) > 1 else ():
        yield Bin("class", label, found([mark for mark in details if mark.label == label]))


def weaknesses(bins: Sequence[Bin], whole: Count) -> tuple[Bin, ...]:
    """Return the bins of which much less is found than of all marks, the weakest first."""
    weak = [b for b in bins if b.found.of >= FEW and b.found.share <= whole.share - WEAKER]
    return tuple(sorted(weak, key=lambda one: one.found.share))


def confusion(details: Sequence[MarkScore], threshold: float) -> dict[str, dict[str, int]]:
    """Return for each class as what its marks were found: counts by class, empty for none.

    A mark is found as the class of the best finding on it that reaches the threshold.
    """
    table: dict[str, dict[str, int]] = {}
    for mark in details:
        row = table.setdefault(mark.label, {})
        mistaken = mark.mistaken_score >= threshold and mark.mistaken_score > mark.score
        own = mark.label if mark.score >= threshold else ""
        seen = mark.mistaken_for if mistaken else own
        row[seen] = row.get(seen, 0) + 1
    return table
