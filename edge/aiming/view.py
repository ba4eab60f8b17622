"""What is told of one picture while the camera is aimed: figures, marks, and what they decide."""

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

from edge.camera import Capture
from edge.camera.checks import FrameChecks
from edge.config import Config
from edge.deciding.judging import Scene, judge
from edge.deciding.region import Region
from edge.deciding.rules import Rules
from edge.decision import Finding, Verdict
from edge.errors import CameraError
from edge.imaging.bounds import SAME_SCENE, Judged, judge_figures
from edge.imaging.figures import Figures, measure
from edge.sections.imaging import ImagingSettings
from edge.vision.contract import Contract
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame, letterbox
from edge.wiring import unsigned_trouble

MOST_SIDE = 1280
"""Longest side of the picture that is shown, pixels; figures and marks are of the whole one."""
JPEG_QUALITY = 75
UNSTATED = "not stated"
"""What is said of a proof, or of the sizes trained on, where the model's file is without."""


@dataclass(frozen=True)
class Mark:
    """A mark, and how large the network sees it.

    *counts*: whether its score is one that counts; *camera_px*, *network_px*: its longer side in
    the camera's picture, and in the network's input of the first look; *size*: "too small" or "too
    large" beside the marks that the model was trained and assessed on, else empty.
    """

    finding: Finding
    counts: bool
    camera_px: float
    network_px: float
    size: str = ""

    def as_object(self) -> dict[str, Any]:
        """Return the mark as page and metadata hold it."""
        return {
            **self.finding.as_object(),
            "counts": self.counts,
            "camera_px": round(self.camera_px, 1),
            "network_px": round(self.network_px, 1),
            "size": self.size,
        }


@dataclass(frozen=True)
class View:
    """One picture, what was measured on it, and what the service would make of it.

    *number*: counts from 1; *figures*: None for a picture too small to measure; *best*: the best
    focus so far; *verdict*: None without a model, or where it failed; *trouble*: what is wrong with
    the picture or the camera, empty when nothing is; *failing*: bounds of ``check`` that it does
    not keep; *jpeg*: the picture for a person, reduced.
    """

    number: int
    name: str
    width: int
    height: int
    jpeg: bytes
    figures: Figures | None
    best: float
    verdict: Verdict | None = None
    marks: tuple[Mark, ...] = ()
    trouble: str = ""
    failing: tuple[Judged, ...] = ()

    def as_object(self) -> dict[str, Any]:
        """Return all but the picture, for the page."""
        return {
            "number": self.number,
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "trouble": self.trouble,
            "failing": {one.name: one.words for one in self.failing},
            "best": round(self.best, 2),
            "figures": self.figures and figures_object(self.figures),
            "verdict": self.verdict and {"kind": self.verdict.kind, "reason": self.verdict.reason},
            "marks": [mark.as_object() for mark in self.marks],
        }

    def as_line(self) -> str:
        """Return all but the picture, as one line for a terminal."""
        parts = [] if self.figures is None else [*_figure_words(self.figures, self.best)]
        if self.verdict is not None:
            parts.append(f"{self.verdict.kind.upper()}: {self.verdict.reason}")
        parts += [_mark_words(mark) for mark in self.marks]
        parts += [f"check FAILS: {one.name} {one.words}" for one in self.failing]
        return " | ".join([*parts, self.trouble] if self.trouble else parts)


def short_line(view: View) -> str:
    """Return figures, verdict and scores in some eighty columns, for a small terminal."""
    parts = []
    if (figures := view.figures) is not None:
        light, shake = figures.exposure, figures.shake
        moved = "-" if shake is None or shake.certain < SAME_SCENE else f"{shake.length:.1f}"
        parts.append(f"focus {figures.focus:.0f}/{view.best:.0f}")
        parts.append(f"light {light.mean:.0f} dark {light.dark:.0%} white {light.bright:.0%}")
        parts.append(f"shake {moved}")
    if view.verdict is not None:
        parts.append(view.verdict.kind.upper())
    marks = sorted(view.marks, key=lambda mark: not mark.counts)
    parts += [f"FAIL {one.name}" for one in view.failing]
    parts += [f"{'' if m.counts else 'near '}{m.finding.score:.2f}" for m in marks]
    return " | ".join(parts) or view.trouble


def _figure_words(figures: Figures, best: float) -> tuple[str, ...]:
    light = figures.exposure
    shake = "" if figures.shake is None else f"shake {figures.shake.length:.1f} px"
    if figures.shake is not None and figures.shake.certain < SAME_SCENE:
        shake = "shake: another scene"
    share = f" ({figures.focus / best:.0%})" if best > 0 else ""
    return (
        f"focus {figures.focus:.0f}, best {best:.0f}{share}",
        f"light {light.mean:.0f}, dark {light.dark:.1%}, white {light.bright:.1%}",
        *filter(None, (shake,)),
    )


def _mark_words(mark: Mark) -> str:
    near = "" if mark.counts else "near miss "
    found = mark.finding
    size = f" ({mark.size})" if mark.size else ""
    return f"{near}{found.label} {found.score:.2f}, {mark.network_px:.0f} network px{size}"


def figures_object(figures: Figures) -> dict[str, Any]:
    """Return the figures with the histogram, for page and metadata.

    The shake is None between pictures of two scenes, and missing without a picture before.
    """
    fields: dict[str, Any] = figures.as_object()
    fields["histogram"] = [round(share, 5) for share in figures.exposure.histogram]
    if figures.shake is not None:
        comparable = figures.shake.certain >= SAME_SCENE
        fields["shake_px"] = fields["shake_px"] if comparable else None
    return fields


def measured(frame: Frame, region: Region | None, before: Frame | None) -> Figures | None:
    """Measure a frame in the region, or all of it where the region is too small or beyond it.

    *before*: the frame before, for the shake; left out where its size is another. None for a frame
    too small to measure.
    """
    if before is not None and before.shape != frame.shape:
        before = None
    height, width = frame.shape[:2]
    areas = [None] if region is None or region.beyond(width, height) else [region, None]
    for area in areas:
        try:
            return measure(frame, area, before)
        except ValueError:
            continue
    return None


def failing(figures: Figures | None, settings: ImagingSettings) -> tuple[Judged, ...]:
    """Return the bounds of ``check`` that one picture does not keep."""
    found = () if figures is None else judge_figures([figures], settings)
    return tuple(one for one in found if not one.kept)


def judged(
    found: tuple[Finding, ...], rules: Rules, contract: Contract, frame: Frame
) -> tuple[Verdict, tuple[Mark, ...]]:
    """Return what the rules make of a frame's findings, and how large the network saw each."""
    height, width = frame.shape[:2]
    verdict = judge(found, rules, Scene(size=(width, height)))
    left, top, right, bottom = (
        (0, 0, width, height) if rules.region is None else rules.region.bounds
    )
    fit = letterbox(right - left, bottom - top, contract.input_width, contract.input_height)
    marks = []
    for finding in found:
        side = max(finding.box.width, finding.box.height)
        counts, seen = finding.score >= rules.scores.least, side * fit.scale_x
        marks.append(Mark(finding, counts, side, seen, size_beside(seen, contract.mark_px)))
    return verdict, tuple(marks)


def size_beside(network_px: float, mark_px: tuple[float, ...]) -> str:
    """Return whether a mark is too small or too large beside those the model was trained on.

    *mark_px*: the contract's; empty when it says nothing of them, and then the answer is, too.

    >>> [size_beside(px, (19.0, 250.0)) for px in (18.0, 20.0, 251.0)], size_beside(18.0, ())
    (['too small', '', 'too large'], '')
    """
    least, greatest = mark_px or (0.0, float("inf"))
    return "too small" if network_px < least else "too large" if network_px > greatest else ""


def doubt(checks: FrameChecks, capture: Capture, after_ns: int) -> str:
    """Return why the service would judge nothing on this picture; empty when it would."""
    try:
        checks.examine(capture, after_ns)
    except CameraError as error:
        return str(error)
    return ""


def shown_jpeg(frame: Frame) -> bytes:
    """Encode a frame, (height, width, 3) uint8 RGB, reduced to :data:`MOST_SIDE`, as JPEG."""
    picture = Image.fromarray(frame)
    picture.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def model_object(localizer: Localizer, config: Config, rules: Rules) -> dict[str, Any]:
    """Return what a person must know of the model beside its marks."""
    contract = localizer.contract
    return {
        "sha256": localizer.sha256,
        "classes": list(contract.classes),
        "min_score": rules.scores.least,
        "input": [contract.input_width, contract.input_height],
        "second_px": contract.second_px if contract.second_side else 0,
        "proof": localizer.proof or UNSTATED,
        "unsigned": unsigned_trouble(config),
        "mark_px": list(contract.mark_px),
        "sizes": sizes_words(contract),
    }


def sizes_words(contract: Contract) -> str:
    """Return for which sizes of marks the model was trained and assessed, in words."""
    if not contract.mark_px:
        return UNSTATED
    least, greatest = contract.mark_px
    return f"{least:.0f} to {greatest:.0f}"
