"""What the packaged model and the reference of the place say of each degradation, measured once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.shift.place import HAPPENINGS, Place, make_place, seen
from edge.config import DEFAULT_MODEL
from edge.deciding.rules import Rules
from edge.decision import Verdict
from edge.imaging.reference import Reference, compare, with_view
from edge.imaging.watch import Comparison
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer

REFERENCE_FRAMES = 6
"""Pictures of either view that the reference is made from."""


@dataclass(frozen=True)
class Look:
    """One picture: the verdict on it, and how it compares with the reference."""

    verdict: Verdict
    comparison: Comparison


@dataclass(frozen=True)
class Level:
    """What was measured at one level: looks at stamped items and at unstamped ones."""

    level: float
    stamped: Sequence[Look]
    unstamped: Sequence[Look]

    @property
    def recall(self) -> float:
        """Share of the stamped items that pass."""
        return sum(look.verdict.kind == "pass" for look in self.stamped) / len(self.stamped)


@dataclass(frozen=True)
class Measured:
    """The levels of each happening, by its name, and the score from which a mark counts."""

    levels: dict[str, Sequence[Level]]
    least: float


def measure(
    looks: int, said: Callable[[str], None], only: dict[str, tuple[float, ...]] | None = None
) -> Measured:
    """Judge *looks* pictures of each item at each level; *only*: these levels instead of all."""
    localizer = Localizer(DEFAULT_MODEL)
    contract = localizer.contract
    inspector = Inspector(localizer, Rules.plain(set(contract.classes), contract.threshold))
    place, draw = make_place(localizer), np.random.default_rng(1)
    reference = _reference(place, draw)
    levels: dict[str, Sequence[Level]] = {}
    for name, (_, all_levels) in HAPPENINGS.items():
        done = []
        for level in (only or {}).get(name, all_levels):
            done.append(_level(name, level, looks, place, inspector, reference, draw))
            said(f"{name} {level:g}: {done[-1].recall:.0%} of the stamped items pass")
        levels[name] = done
    return Measured(levels, contract.threshold)


def _reference(place: Place, draw: np.random.Generator) -> Reference:
    empty = [place.empty(draw) for _ in range(REFERENCE_FRAMES)]
    pieces = [place.stamped[n % len(place.stamped)] for n in range(REFERENCE_FRAMES)]
    filled = [seen(place.filled(piece, draw), draw) for piece in pieces]
    return with_view(with_view(None, "empty", empty), "filled", filled)


def _level(
    name: str,
    level: float,
    looks: int,
    place: Place,
    inspector: Inspector,
    reference: Reference,
    draw: np.random.Generator,
) -> Level:
    degrade = HAPPENINGS[name][0]
    found = []
    for pieces in (place.stamped, place.unstamped):
        frames = (
            seen(degrade(place.filled(piece, draw), level), draw)
            for piece in pieces
            for _ in range(looks)
        )
        found.append([Look(inspector.inspect(f), compare(reference, f)) for f in frames])
    return Level(level, found[0], found[1])
