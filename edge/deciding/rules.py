"""The rules of a production line, read from ``[decision]`` and checked against the model."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from edge.deciding.classes import Classes, classes_of, known
from edge.deciding.count import Count, parse_counts
from edge.deciding.place import Place
from edge.deciding.region import Region
from edge.deciding.score import Scores, scores_of
from edge.deciding.size import Size
from edge.decision import Box
from edge.errors import ConfigError, UsageError
from edge.sections.decision import DecisionSettings


@dataclass(frozen=True)
class Rules:
    """What makes an item pass; without more than *classes* and *scores*, that alone.

    *needed*: how many of an item's *burst* frames must pass; *fixed_count*: whether a mark counts
    where one is seen without an item.
    """

    classes: Classes
    scores: Scores
    counts: Mapping[str, Count] = field(default_factory=dict)
    size: Size = field(default_factory=Size)
    place: Place | None = None
    region: Region | None = None
    burst: int = 1
    needed: int = 1
    fixed_count: bool = False

    @classmethod
    def plain(cls, required: Collection[str], threshold: float) -> "Rules":
        """Return the rule that each of *required* must be found from *threshold* on."""
        return cls(Classes(frozenset(required)), Scores(threshold, threshold))

    @property
    def required(self) -> frozenset[str]:
        """The classes that must all be found."""
        return self.classes.required

    @property
    def forbidden(self) -> frozenset[str]:
        """The classes that must not be found."""
        return self.classes.forbidden


def rules_of(settings: DecisionSettings, classes: Collection[str], threshold: float) -> Rules:
    """Return the rules that the settings ask for of a model with *classes* and *threshold*.

    Raises ConfigError with one line for the first that cannot be.
    """
    try:
        with _key("required"):
            known(settings.required, classes, "required")
        with _key("forbidden"):
            known(settings.forbidden, classes, "forbidden")
        with _key("any_of"):
            known(settings.any_of, classes, "sufficient")
        wanted = classes_of(settings.required, settings.any_of, settings.forbidden, classes)
        with _key("count"):
            counts = parse_counts(settings.count, classes, wanted.required)
            if both := sorted(counts.keys() & wanted.forbidden):
                raise UsageError(f"a counted class must be no forbidden one, not {both[0]!r}")
        scores = scores_of(settings.min_score, settings.no_call_from, threshold)
        return Rules(
            wanted,
            scores,
            counts,
            size_of(settings),
            place_of(settings),
            region_of(settings),
            settings.burst,
            settings.burst_needed or settings.burst,
            settings.fixed_marks == "counted",
        )
    except UsageError as error:
        raise ConfigError(f"[decision] {error}; correct it there") from None


@contextmanager
def _key(name: str) -> Iterator[None]:
    """Put the setting's name before what is wrong with it."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def check_alone(settings: DecisionSettings) -> None:
    """Check what needs no model. Raises UsageError for the first that cannot be."""
    size_of(settings)
    place_of(settings)
    region_of(settings)
    if settings.mark_angle_deg:
        raise UsageError(
            "mark_angle_deg must be 0, as no model of this release gives the angle of a mark, not "
            f"{settings.mark_angle_deg:g}"
        )
    if settings.burst_needed > settings.burst:
        raise UsageError(
            f"burst_needed must be at most burst {settings.burst}, not {settings.burst_needed}"
        )


def size_of(settings: DecisionSettings) -> Size:
    """Return the bounds of a mark's size. Raises UsageError."""
    return Size(settings.mark_least_px, settings.mark_greatest_px)


def place_of(settings: DecisionSettings) -> Place | None:
    """Return the place of a mark on its item, None for anywhere. Raises UsageError."""
    if not any(settings.place):
        if any(settings.place_px_per_ms):
            raise UsageError("place_px_per_ms needs place, the part of the item that moves so")
        return None
    return Place(Box(*settings.place), settings.place_px_per_ms)


def region_of(settings: DecisionSettings) -> Region | None:
    """Return the region, None for the whole picture. Raises UsageError."""
    return Region(settings.region) if settings.region else None
