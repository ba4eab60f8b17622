"""``[decision]``: when an item passes."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class DecisionSettings:
    """When an item passes."""

    required: tuple[str, ...] = setting(
        (),
        "Class names that must all be found; an empty list asks for every class of the model that "
        "is not forbidden, or for no more than any_of",
        live=True,
    )
    any_of: tuple[str, ...] = setting(
        (),
        "Class names of which at least one must be found; empty for no such rule",
        live=True,
    )
    forbidden: tuple[str, ...] = setting(
        (),
        "Class names that reject an item wherever they are found, whatever else it shows",
        live=True,
    )
    count: tuple[str, ...] = setting(
        (),
        'How many marks one picture must show: 1, "2", "at least 1", "at most 3" or "1 to 3" for '
        'each required class, or ["class = 2"] for one of them; empty for at least 1',
        form="counts",
        live=True,
    )
    min_score: float = setting(
        0.0,
        "Least score of a mark that counts; 0 takes the model's own threshold, below which it "
        "cannot be",
        at_least=0,
        at_most=1,
        live=True,
    )
    no_call_from: float = setting(
        0.0,
        "No-call band: from this score up to the one that counts nobody can tell, and an item "
        "whose verdict hangs on it is rejected as not sure; 0 for no band",
        at_least=0,
        at_most=1,
        live=True,
    )
    region: tuple[tuple[float, float], ...] = setting(
        (),
        "Corners [x, y] of the part of the picture that is looked at, in camera pixels after "
        "[camera] rotate and flip; nothing outside it counts; empty for all of it",
        form="points",
        at_least=0,
        at_most=8192,
        live=True,
    )
    mark_least_px: float = setting(
        0.0,
        "Least length of a mark's shorter side, in camera pixels; a smaller one does not count; 0 "
        "for any",
        at_least=0,
        at_most=8192,
        live=True,
    )
    mark_greatest_px: float = setting(
        0.0,
        "Greatest length of a mark's longer side, in camera pixels; a larger one does not count; 0 "
        "for any",
        at_least=0,
        at_most=8192,
        live=True,
    )
    mark_angle_deg: float = setting(
        0.0,
        "Greatest angle of a mark; needs a model that gives it, which none of this release does, "
        "so that anything but 0 is refused",
        at_least=0,
        at_most=180,
        live=True,
    )
    place: tuple[float, float, float, float] = setting(
        (0.0, 0.0, 0.0, 0.0),
        "Left, top, right and bottom of where a mark's centre must be, in camera pixels, on an "
        "item at its trigger; all 0 for anywhere",
        at_least=0,
        at_most=8192,
        live=True,
    )
    place_px_per_ms: tuple[float, float] = setting(
        (0.0, 0.0),
        "How many pixels an item moves in the picture in a millisecond, to the right and down: the "
        "place goes with it until the picture begins",
        at_least=-1000,
        at_most=1000,
        live=True,
    )
    burst: int = setting(
        1,
        "Pictures taken of each item, one after the other; any of them in doubt is a FAULT",
        at_least=1,
        at_most=5,
        live=True,
    )
    burst_needed: int = setting(
        0,
        "How many of an item's pictures must pass; 0 for all of them",
        at_least=0,
        at_most=5,
        live=True,
    )
    idle_look_s: float = setting(
        10.0,
        "photo-eye: how often the box looks for marks while no item is there, with any camera but "
        "replay; 0 for never",
        at_least=0,
        at_most=3600,
        live=True,
    )
    fixed_marks: str = setting(
        "not-counted",
        "Whether a mark counts where one is seen while no item is there; it is trouble either way",
        choices=("not-counted", "counted"),
        live=True,
    )
