"""``[imaging]``: how sharp and how bright a picture must be."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class ImagingSettings:
    """Whether the camera is good: bounds of its picture, and how far it may be from its reference.

    Those of the picture count in 'stampgate-edge check' and 'calibrate', those of the reference in
    the service and in 'check'.
    """

    soft_below: float = setting(
        30.0,
        "A picture with less focus is soft: 100 is a step between two pixels, a blur of 2 pixels "
        "(standard deviation) leaves 25 of it; 0 switches this off",
        at_least=0,
        at_most=1000,
    )
    dark_below: float = setting(
        35.0,
        "A picture with a lower mean level (0 to 255) is dark; 0 switches this off",
        at_least=0,
        at_most=255,
    )
    bright_above: float = setting(
        245.0,
        "A picture with a higher mean level is overexposed; 255 switches this off",
        at_least=0,
        at_most=255,
    )
    white_above: float = setting(
        0.75,
        "A picture of which a greater share is white, level 250 or more, is overexposed, too; 1 "
        "switches this off",
        above=0,
        at_most=1,
    )
    shake_above_px: float = setting(
        3.0,
        "A camera whose pictures lie further apart, in pixels from one to the next, shakes; 0 "
        "switches this off",
        at_least=0,
        at_most=1000,
    )
    reference: str = setting(
        "/var/lib/stampgate/reference.json",
        "File that 'stampgate-edge calibrate' keeps the place's reference in; nothing is compared "
        "where there is none; empty for none",
        form="path",
    )
    compare_s: float = setting(
        5.0,
        "How often the service compares a picture with the reference, between items; 0 for never",
        at_least=0,
        at_most=3600,
        live=True,
    )
    moved_above_px: float = setting(
        10.0,
        "It is trouble when the surround lies further from its place in the reference, in pixels",
        above=0,
        at_most=1000,
        live=True,
    )
    light_above: float = setting(
        1.5,
        "It is trouble when a part of the surround is so many times brighter or darker than in the "
        "reference",
        above=1,
        at_most=100,
        live=True,
    )
    softer_above: float = setting(
        0.25,
        "It is trouble when focus or contrast of the surround has fallen by this share, or by more "
        "than half of it for long",
        at_least=0.05,
        at_most=0.95,
        live=True,
    )
