"""The charts and pictures of a proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image, ImageDraw
from scipy.stats import norm

from edge.decision import Box
from edge.errors import FrameError
from edge.vision.legend import Meaning, draw_outline, upright
from edge.vision.picture_files import read_picture
from train.file_sums import file_sum
from train.marks.mark import mark_files
from train.pages.charts import COLOURS, Line, chart, histogram, line_chart
from train.pages.page import PICTURE_PX, file_uri, percent, picture_uri
from train.paint.input_fingerprint import Fingerprint
from train.proof.bounds import det_points
from train.proof.items import LOOKALIKE, STAMPED, UNSTAMPED
from train.proof.model_card import Run
from train.proof.results import FrameResult, Item, Results, finds
from train.proof.study import Evidence
from train.proof.sweeps import Swept

MARK_PX = 160
MOST_SHOWN = 60
"""Most pictures shown of each kind of error, the worst first."""
DET_TICKS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
Drawn = tuple[Box, Meaning, bool]
"""A box, what it means, and whether it lies below the threshold."""
BINS = 10
"""Bins of the calibration."""
FINDINGS = 3
"""Most findings drawn on a picture with the stamp; without it the best one is what matters."""


@dataclass(frozen=True)
class Figure:
    """A chart with its heading and what it shows, in words."""

    name: str
    svg: Markup
    told: str


def score_charts(results: Results, threshold: float) -> list[Figure]:
    """Return the histogram of scores, the DET curve and the calibration, as far as there are."""
    unstamped, stamped, alike = (_scores(results, r) for r in (UNSTAMPED, STAMPED, LOOKALIKE))
    limit = (f"threshold {threshold:.3f}", threshold)
    sets = (("without", unstamped), ("with", stamped), ("look-alikes", alike))
    told = "; ".join(f"{len(scores)} {name}" for name, scores in sets if scores)
    drawn = histogram(
        f"Histogram of the items' scores, {told}",
        [
            ("without the stamp", unstamped, "unstamped"),
            ("with the stamp", stamped, "stamped"),
            *([("look-alikes", alike, "look-alike")] if alike else []),  # type: ignore[list-item]
        ],
        ("score of the item", "items"),
        x_limit=limit,
    )
    figures = [
        Figure(
            "Histogram",
            drawn,
            "The score of each item, that of its worst frame. What lies right of the threshold "
            "passes. The axis of counts is logarithmic, so that a single item can be seen.",
        )
    ]
    if unstamped and stamped:
        figures += [_det(unstamped, stamped, threshold), _calibration(unstamped, stamped)]
    return figures


def _scores(results: Results, role: str) -> list[float]:
    return [item.score for item in results.of(role)]


def _det(unstamped: Sequence[float], stamped: Sequence[float], threshold: float) -> Figure:
    """Draw the trade of both errors, each axis on the scale of normal deviates."""
    thresholds, accepts, rejects = det_points(unstamped, stamped)
    least = 0.5 / max(len(unstamped), len(stamped))

    def place(shares: Sequence[float]) -> list[float]:
        return [float(norm.ppf(min(max(share, least), 1 - least))) for share in shares]

    at = int(np.searchsorted(thresholds, threshold))
    x, y = place(accepts), place(rejects)
    ticks = [tick for tick in DET_TICKS if tick >= least]
    names = ("false accepts", "false rejects")
    with chart("False rejects against false accepts at every threshold", names) as drawn:
        drawn.axes.plot(x, y, color=COLOURS["other"], label="every threshold")
        drawn.axes.plot(x[at], y[at], "o", color=COLOURS["limit"], label=f"at {threshold:.3f}")
        places = [float(norm.ppf(tick)) for tick in ticks]
        labels = [percent(tick, 1) for tick in ticks]
        drawn.axes.set_xticks(places, labels, rotation=60, fontsize=8)
        drawn.axes.set_yticks(places, labels, fontsize=8)
    return Figure(
        "DET curve",
        drawn.svg,
        "What another threshold would trade (detection error trade-off, both axes as normal "
        "deviates). Shares below half an item are drawn at half an item. The threshold was frozen "
        "before; one chosen on this curve would have to be proven on other pictures.",
    )


def _calibration(unstamped: Sequence[float], stamped: Sequence[float]) -> Figure:
    """Draw the share of items that bear the stamp, for each tenth of the score."""
    centres, shares, counts = calibration(unstamped, stamped)
    drawn = line_chart(
        "Share of items with the stamp against their score",
        [
            Line("items with the stamp", centres, shares, "stamped", marker=True),
            Line("if scores were probabilities", [0, 1], [0, 1], "limit", dashed=True),
        ],
        ("score", "share with the stamp"),
        x_range=(0, 1),
        y_range=(-0.03, 1.03),
    )
    told = ", ".join(f"{count}" for count in counts)
    return Figure(
        "Calibration",
        drawn,
        f"Of the items of each tenth of the score, how many bear the stamp (items: {told}). It "
        "holds for this mixture of items with and without; a score is no probability.",
    )


def calibration(
    unstamped: Sequence[float], stamped: Sequence[float]
) -> tuple[list[float], list[float], list[int]]:
    """Return the mean score, the share with the stamp and the items of each tenth that has any."""
    scores = np.array([*unstamped, *stamped])
    marked = np.array([False] * len(unstamped) + [True] * len(stamped))
    tenth = np.minimum((scores * BINS).astype(int), BINS - 1)
    centres, shares, counts = list[float](), list[float](), list[int]()
    for number in range(BINS):
        inside = tenth == number
        if inside.any():
            centres.append(float(scores[inside].mean()))
            shares.append(float(marked[inside].mean()))
            counts.append(int(inside.sum()))
    return centres, shares, counts


def sweep_charts(swept: Sequence[Swept], recall: float) -> list[Figure]:
    """Return a chart for each axis along which pictures were worsened.

    *recall*: what the claim asks for, 0..1.
    """
    return [_sweep(one, recall) for one in swept]


def _sweep(one: Swept, recall: float) -> Figure:
    lines = []
    if one.stamped:
        shares = [passed / one.stamped for passed in one.passed]
        lines.append(Line("with: pass", one.levels, shares, "stamped", marker=True))
    if one.unstamped:
        shares = [accepted / one.unstamped for accepted in one.accepted]
        lines.append(Line("without: pass", one.levels, shares, "unstamped", marker=True))
    drawn = line_chart(
        f"Share of pictures that pass against {one.name}",
        lines,
        (f"{one.name} ({one.unit})", "share that passes"),
        y_limit=("claim", recall) if one.stamped else None,
        y_range=(-0.04, 1.04),
    )
    return Figure(one.name, drawn, sweep_words(one, recall))


def sweep_words(one: Swept, recall: float) -> str:
    """Return where an axis leaves the claim, in words."""
    parts = []
    if one.stamped:
        below = one.falls_below(recall)
        if below is None:
            parts.append(f"{percent(recall)} of {one.stamped} or more pass throughout")
        elif below == one.levels[0]:
            half = one.falls_below(one.passed[0] / one.stamped / 2)
            more = "" if half is None else f", half of those no more from {half:g} on"
            passed = f"{one.passed[0]} of {one.stamped}"
            parts.append(f"{passed} pass as they are{more if one.passed[0] else ''}")
        else:
            parts.append(f"from {below:g} on fewer than {percent(recall)} of {one.stamped} pass")
    if one.unstamped:
        worst = max(one.accepted)
        parts.append(f"without the stamp at most {worst} of {one.unstamped} pass at any level")
    return "; ".join(parts)


@dataclass(frozen=True)
class Shown:
    """A picture of the page: its data URI, empty when it cannot be read, and what it is."""

    uri: str
    name: str
    told: str


@dataclass(frozen=True)
class Gallery:
    """Pictures of one kind of error, the worst first, and how many are left out."""

    title: str
    pictures: tuple[Shown, ...]
    left_out: int


def galleries(evidence: Evidence) -> list[Gallery]:
    """Return the pictures of every error, false accepts first."""
    results = evidence.results
    kinds = (
        ("False accepts: no stamp, and it passes", results.of(UNSTAMPED), -1),
        ("False rejects: stamped, and it is thrown off", results.of(STAMPED), 1),
        ("Look-alikes that pass", results.of(LOOKALIKE), -1),
    )
    found = []
    for title, items, order in kinds:
        wrong = sorted((item for item in items if item.wrong), key=lambda i: order * i.score)
        shown = tuple(_shown(item, evidence) for item in wrong[:MOST_SHOWN])
        if wrong:
            found.append(Gallery(title, shown, len(wrong) - len(shown)))
    return found


def nearest(evidence: Evidence) -> Gallery:
    """Return the unstamped pictures that were rejected and look most like the stamp."""
    items = [item for item in evidence.results.of(UNSTAMPED) if not item.wrong]
    likest = sorted((i for i in items if i.score > 0), key=lambda i: -i.score)[:8]
    pictures = tuple(_shown(item, evidence) for item in likest)
    return Gallery("Nearest to a false accept, rightly rejected", pictures, 0)


def _shown(item: Item, evidence: Evidence) -> Shown:
    """Draw the worst frame of an item with what was found and what should have been."""
    sign = -1 if item.role == STAMPED else 1
    frame = max(item.frames, key=lambda one: sign * one.score)
    threshold = evidence.threshold
    key = frame.answer.picture.key
    told = f"score {frame.score:.3f}, threshold {threshold:.3f}"
    if frame.answer.state == "fault":
        told = f"no answer that can be: {frame.answer.why}"
    elif frame.score == 0:
        told = "nothing found"
    return Shown(
        _drawn(evidence, key, boxes_of(item, frame, threshold)), frame.answer.picture.name, told
    )


def boxes_of(item: Item, frame: FrameResult, threshold: float) -> list[Drawn]:
    """Return the boxes of a frame, what each means, and whether it lies below the threshold.

    A stamped picture without labels does not say where its mark is: what was found there is taken
    for it. A box of the truth comes last, for it lies over the finding that hits it.
    """
    findings, truth = frame.answer.findings, frame.truth.boxes
    boxes = list[Drawn]()
    for finding in findings[: FINDINGS if item.role == STAMPED else 1]:
        on_mark = not truth or any(finds(finding, box) for box in truth)
        right: Meaning = "found" if item.role == STAMPED and on_mark else "false"
        boxes.append((finding.box, right, finding.score < threshold))
    counted = [finding for finding in findings if finding.score >= threshold]
    for box in truth:
        hit = any(finds(finding, box) for finding in counted)
        boxes.append((box.box, "mark" if hit else "missed", False))
    return boxes


def _drawn(evidence: Evidence, key: str, boxes: Sequence[Drawn]) -> str:
    """Return a picture with boxes as a data URI; empty when it cannot be read any more."""
    try:
        image = Image.fromarray(read_picture(evidence.paths[key]))
    except FrameError:
        return ""
    scale = min(1.0, 2 * PICTURE_PX / max(image.size))
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    draw = ImageDraw.Draw(image)
    width = max(2, max(image.size) // 110)
    for box, meaning, below in boxes:
        x0, y0, x1, y1 = (side * scale for side in upright(box))
        place = Box(x0 - width, y0 - width, x1 + width, y1 + width)
        draw_outline(draw, place, meaning, max(1, width // 2) if below else width, below)
    return picture_uri(image)


def mark_pictures(run: Run | None) -> list[Shown]:
    """Return the pictures that the marks were learnt from, where they are still what they were."""
    if run is None or not run.kept.inputs:
        return []
    known = {total: name for name, _, total in Fingerprint.from_json(run.kept.inputs).marks}
    places = [Path(path) for _, path in run.kept.config.marks if Path(path).exists()]
    files = [file for place in places for file in mark_files(place)]
    named = [(file, known.get(file_sum(file), "")) for file in files]
    return [
        Shown(uri, name, file.name)
        for file, name in named
        if name and (uri := file_uri(file, MARK_PX))
    ]
