"""Whether a camera's pictures are good by bounds that need no reference, and beside one."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edge.imaging.figures import Area, Figures, Frame, measure
from edge.imaging.watch import KEPT, LIGHT, MOVED, SOFT, CameraWatch, Comparison, Limits
from edge.sections.imaging import ImagingSettings

SAME_SCENE = 0.3
"""Certainty of a shift from which two pictures are of one scene, and may be said to shake."""
DIRECTED = 2.0
"""Ratio of the sharpest direction's focus to the softest's from which blur has a direction."""
NOTES = 2 * KEPT
"""Comparisons that the watch is fed, so that few pictures are judged as the service would."""
NAMES: Final = {SOFT: "reference focus", LIGHT: "reference light", MOVED: "reference place"}


@dataclass(frozen=True)
class Judged:
    """One bound: its *name*, whether it is *kept*, and figure, bound and next step in words."""

    name: str
    kept: bool
    words: str


def figures_of(frames: Sequence[Frame], area: Area = None) -> list[Figures]:
    """Measure frames in their order, each with its shift from the one before."""
    before: list[Frame | None] = [None, *frames[:-1]]
    return [measure(frame, area, last) for frame, last in zip(frames, before, strict=True)]


def limits_of(settings: ImagingSettings) -> Limits:
    """Return from which comparisons on a camera is in trouble."""
    return Limits(settings.moved_above_px, settings.light_above, settings.softer_above)


def judge_figures(figures: Sequence[Figures], settings: ImagingSettings) -> Iterator[Judged]:
    """Judge the figures of one place by the settings' bounds: by the median of the pictures."""
    yield _focus(figures, settings.soft_below)
    yield _light(figures, settings)
    yield _shake(figures, settings.shake_above_px)


def judge_comparisons(found: Sequence[Comparison], settings: ImagingSettings) -> Iterator[Judged]:
    """Judge pictures beside the reference as the service would, were they to go on so."""
    watch = CameraWatch(limits_of(settings))
    for index in range(max(NOTES, len(found))):
        watch.note(found[index % len(found)])
    shown = {trouble.code: trouble.words for trouble in watch.troubles}
    middle = {
        name: statistics.median(getattr(one, name) for one in found)
        for name in ("focus", "contrast", "light", "bright", "moved_px", "rotation_deg")
    }
    fine = {
        SOFT: f"focus {middle['focus']:.0%}, contrast {middle['contrast']:.0%} of the reference's",
        LIGHT: f"{middle['light']:.0%} to {middle['bright']:.0%} of the reference's",
        MOVED: f"{middle['moved_px']:.1f} pixels, {middle['rotation_deg']:.1f} degrees from it",
    }
    for code, name in NAMES.items():
        yield Judged(name, code not in shown, shown.get(code, fine[code]))


def _focus(figures: Sequence[Figures], least: float) -> Judged:
    focus = statistics.median(one.focus for one in figures)
    best = statistics.median(one.sharpness.best for one in figures)
    text = f"{focus:.0f} (at least {least:g})"
    if focus >= least:
        return Judged("focus", True, text)
    cause = "focus the lens, clean it and its window"
    if best >= least and best > DIRECTED * focus:
        cause = (
            f"across it is {best:.0f}, so it may be motion: shorter [camera] exposure_us, a firm "
            "mount"
        )
    return Judged("focus", False, f"{text}: soft; {cause}")


def _light(figures: Sequence[Figures], settings: ImagingSettings) -> Judged:
    mean = statistics.median(one.exposure.mean for one in figures)
    white = statistics.median(one.exposure.bright for one in figures)
    dark = statistics.median(one.exposure.dark for one in figures)
    text = (
        f"mean {mean:.0f} (at least {settings.dark_below:g}, at most {settings.bright_above:g}), "
        f"white {white:.0%} (at most {settings.white_above:.0%}), black {dark:.0%}"
    )
    if mean < settings.dark_below:
        return Judged("brightness", False, f"{text}: dark; more light, or [camera] exposure_us")
    if mean > settings.bright_above or white > settings.white_above:
        return Judged(
            "brightness", False, f"{text}: overexposed; less [camera] exposure_us or gain"
        )
    return Judged("brightness", True, text)


def _shake(figures: Sequence[Figures], most: float) -> Judged:
    """Judge shifts between pictures of one scene; those of different items say nothing."""
    shifts = [one.shake for one in figures if one.shake is not None]
    same = [shift.length for shift in shifts if shift.certain >= SAME_SCENE]
    if len(same) * 2 <= len(shifts) or not same:
        return Judged("shake", True, "not known: the pictures are of different scenes")
    middle = statistics.median(same)
    text = f"{middle:.1f} pixels from one picture to the next (at most {most:g})"
    if not most or middle <= most:
        return Judged("shake", True, text)
    return Judged("shake", False, f"{text}: shaking; stop the belt, and mount the camera firmly")
