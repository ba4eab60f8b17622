"""The page of a run, ``report.html``: its assessment, its curves and its worst pictures."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from edge.decision import Box
from edge.printing import printable
from edge.vision.legend import LEGEND, Meaning, Subject, draw_box
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from train.assess.assessment import (
    Assessment,
    bound_line,
    plain_line,
    suspects_line,
    weakness_line,
)
from train.assess.breakdown import confusion, weaknesses
from train.assess.counts import Count, shares_reaching
from train.assess.scores import Scored, Trial, WorstPicture
from train.config import RunConfig
from train.pages.page import picture_uri, render
from train.photographs import refused_for

REPORT = "report.html"
"""File of a run's folder."""
SIDE = 320
"""Longest side of a picture on the page, in pixels."""
SHOWN = 9
"""Photographs that are shown."""
POINTS = 400
"""Most points of a curve."""


@dataclass(frozen=True)
class Facts:
    """What else the page says of a run.

    *date*: of its end; *values*: name and value of each fact, in their order.
    """

    date: str
    values: dict[str, str]


def run_page(
    trial: Trial, assessment: Assessment, config: RunConfig, out: Path, facts: Facts
) -> str:
    """Return the page of the run in *out*, whose tables are written. Raises InputError."""
    row = assessment.chosen
    confused = confusion(trial.details, row.threshold)
    columns = [*config.classes, ""]
    return render(
        "run.html",
        name=", ".join(config.classes),
        date=facts.date,
        tone="good" if assessment.ready else "bad",
        headline="Ready to be tried" if assessment.ready else "Not ready",
        words=_sentence(assessment.words()),
        plainly=plain_line(assessment, row.threshold),
        weakness=_sentence(weakness_line(assessment)),
        bound=_sentence(bound_line(assessment)),
        suspects=_sentence(suspects_line(assessment)),
        steps=list(next_steps(assessment, out)),
        kind="painted frames" if assessment.painted else "photographs",
        rows=_rows(assessment),
        trade=[trade_chart(trial, assessment)],
        bins=_bins(assessment),
        plain=assessment.plain_counts(row.threshold),
        confused=confused,
        columns=columns,
        legend=[(f"rgb{colour}", told) for colour, told in LEGEND.values()],
        worst_marks=[_of_mark(one, row.threshold) for one in trial.worst if one.box],
        worst_lookalikes=[_of_frame(one, row.threshold) for one in trial.worst if not one.box],
        likest=[] if assessment.painted else list(_likest(trial, row.threshold)),
        curves=list(loss_charts(out)),
        facts=facts.values,
        settings=config.to_toml().splitlines(),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def next_steps(assessment: Assessment, out: Path) -> Iterator[dict[str, str]]:
    """Yield what to do next, a sentence each and its command."""
    run, model = printable(out), "stamp.onnx"
    plainly = plain_line(assessment, assessment.chosen.threshold)
    if assessment.ready:
        yield {"told": "Export it.", "command": f"stampgate export {run} --out {model}"}
        yield {
            "told": "Measure it on photographs of stamped and of unstamped items.",
            "command": f"stampgate evaluate {model} --stamped DIR --unstamped DIR",
        }
        return
    if assessment.suspects:
        yield {"told": "Look at the photographs below that may bear the mark.", "command": ""}
    if assessment.more_minutes is not None:
        minutes = f"{assessment.more_minutes:g}"
        yield {
            "told": f"Train longer: {minutes} minutes in all usually do on this machine.",
            "command": f"stampgate train --resume --out {run} --minutes {minutes}",
        }
    look = "Look at what it was shown and what it misses: pictures.png, hits.png"
    yield {"told": f"{look}, and below where it breaks.", "command": ""}
    if not plainly:
        yield {
            "told": "Or export it all the same; the box will show it as trouble.",
            "command": f"stampgate export {run} --out {model} --anyway",
        }


def _rows(assessment: Assessment) -> list[dict[str, Any]]:
    return [
        {
            "threshold": row.threshold,
            "chosen": row == assessment.chosen,
            "marks": str(row.marks),
            "nominal": str(row.nominal),
            "photographs": str(row.photographs),
            "lookalikes": str(row.lookalikes),
        }
        for row in assessment.table
    ]


def _bins(assessment: Assessment) -> list[dict[str, Any]]:
    weak, before = weaknesses(assessment.bins, assessment.chosen.marks), ""
    rows = []
    for one in assessment.bins:
        rows.append(
            {
                "condition": "" if one.condition == before else one.condition,
                "part": one.part,
                "found": str(one.found),
                "share": _share(one.found),
                "weak": one in weak,
            }
        )
        before = one.condition
    return rows


def _share(count: Count) -> str:
    return f"{count.share:.0%}" if count.of else ""


def trade_chart(trial: Trial, assessment: Assessment) -> dict[str, Any]:
    """Return the chart of what reaches each threshold."""
    from train.pages.charts import Line, line_chart  # noqa: PLC0415 - matplotlib takes a second

    thresholds = np.linspace(0.0, 1.0, POINTS + 1)
    kind = "painted frames" if assessment.painted else "your photographs"
    curves: tuple[tuple[str, Sequence[float], Subject], ...] = (
        ("marks found", trial.marks, "stamped"),
        ("look-alikes passed", trial.lookalikes, "look-alike"),
        (f"{kind} passed", [one.score for one in trial.photographs], "unstamped"),
    )
    lines = [
        Line(name, thresholds.tolist(), shares_reaching(scores, thresholds).tolist(), colour)
        for name, scores, colour in curves
        if len(scores)
    ]
    told = "The share that reaches each threshold: marks should stay high, the others fall early."
    limit = (f"threshold {assessment.chosen.threshold:.3f}", assessment.chosen.threshold)
    svg = line_chart(
        told, lines, ("threshold", "share"), x_limit=limit, x_range=(0, 1), y_range=(0, 1)
    )
    return {"name": "The trade", "svg": svg, "told": told}


def loss_charts(out: Path) -> Iterator[dict[str, Any]]:
    """Yield the chart of the run's losses, where its tables can be read."""
    from train.pages.charts import Line, line_chart  # noqa: PLC0415 - as above

    shown: tuple[tuple[str, str, Subject], ...] = (
        ("loss.csv", "training", "other"),
        ("validation.csv", "held-out products", "stamped"),
    )
    lines = []
    for file, name, colour in shown:
        steps, losses = _table(out / file)
        if steps:
            few = file == "validation.csv"
            lines.append(Line(name, steps, losses, colour, marker=few))
    if lines:
        told = "The loss, smoothed: it falls while the network learns, and levels off."
        svg = line_chart(told, lines, ("step", "loss"))
        yield {"name": "Loss", "svg": svg, "told": told}


def _table(path: Path) -> tuple[list[float], list[float]]:
    """Return the steps and losses of a table of the run, in at most :data:`POINTS` means."""
    try:
        with path.open(newline="") as file:
            rows = [(float(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError):
        return [], []
    each = max(1, -(-len(rows) // POINTS))
    parts = [rows[i : i + each] for i in range(0, len(rows), each)]
    steps = [part[-1][0] for part in parts]
    return steps, [sum(loss for _, loss in part) / len(part) for part in parts]


Shown = tuple[Box, Meaning, float | None, bool]
"""A box, what it means, its score, and whether it lies below the threshold."""


def _of_mark(one: WorstPicture, threshold: float) -> dict[str, str]:
    """Return a mark's picture: its box, and the best finding on it."""
    assert one.box is not None
    found = one.score >= threshold
    boxes: list[Shown] = [(one.box, "mark" if found else "missed", None, False)]
    if one.found is not None:
        boxes.insert(0, (one.found, "found", one.score, not found))
    return {"uri": _drawn(one.frame, boxes), "told": f"{one.label}, score {one.score:.2f}"}


def _of_frame(one: WorstPicture, threshold: float) -> dict[str, str]:
    """Return the picture of a frame without a mark: its best finding."""
    passed = one.score >= threshold
    boxes: list[Shown] = [(one.found, "false", one.score, not passed)] if one.found else []
    told = f"{one.label or 'nothing'}, score {one.score:.2f}, {'passes' if passed else 'stays out'}"
    return {"uri": _drawn(one.frame, boxes), "told": told}


def _likest(trial: Trial, threshold: float) -> Iterator[dict[str, str]]:
    """Yield the photographs that look most like the mark. Raises InputError."""
    likest: list[Scored] = sorted(trial.photographs, key=lambda one: -one.score)[:SHOWN]
    for one in likest:
        with refused_for("bring a whole one"):
            frame = read_picture(Path(one.path))
        shown = WorstPicture(frame, Path(one.path).name, one.score, None, one.box)
        yield _of_frame(shown, threshold)


def _drawn(frame: Frame, boxes: Sequence[Shown]) -> str:
    """Return a picture with its boxes as a data URI."""
    image = Image.fromarray(frame)
    scale = min(1.0, SIDE / max(image.size))
    image = image.resize([max(1, round(side * scale)) for side in image.size])
    draw = ImageDraw.Draw(image)
    for box, meaning, score, below in boxes:
        shown = Box(*(corner * scale for corner in box.corners()))
        draw_box(draw, shown, meaning, score, below)
    return picture_uri(image, SIDE)
