"""Charts as inline SVG, drawn by matplotlib: one colour has one meaning on every page."""

import io
import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edge.vision.legend import SUBJECTS, Subject

Colour = Subject
COLOURS = SUBJECTS
SIZE = (5.4, 3.1)
"""Inches: drawn at about 390 CSS pixels it is read without zooming."""
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "stampgate",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
_IDS = re.compile(r'(\bid="|url\(#|href="#)')


@dataclass(frozen=True)
class Line:
    """A line of a chart: its name in the legend, its points, and what it is of.

    *marker*: a dot at each point, for what was measured at few of them.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: Colour = "other"
    steps: bool = False
    marker: bool = False
    dashed: bool = False


def line_chart(
    told: str,
    lines: Sequence[Line],
    axes_names: tuple[str, str],
    *,
    x_limit: tuple[str, float] | None = None,
    y_limit: tuple[str, float] | None = None,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
) -> Markup:
    """Draw lines over a common axis; *told*: what is seen, for who cannot see it.

    *axes_names*: of x and y, with their units; *x_limit*, *y_limit*: name and place of a dashed
    line, such as the threshold; *x_range*, *y_range*: ends of the axes, else what the lines need.
    """
    with chart(told, axes_names) as drawn:
        for line in lines:
            drawn.axes.plot(
                line.x,
                line.y,
                color=COLOURS[line.colour],
                label=line.name,
                drawstyle="steps-post" if line.steps else "default",
                linestyle="--" if line.dashed else "-",
                marker="o" if line.marker else "",
                markersize=4,
            )
        _limits(drawn.axes, x_limit, y_limit)
        if x_range:
            drawn.axes.set_xlim(*x_range)
        if y_range:
            drawn.axes.set_ylim(*y_range)
    return drawn.svg


def histogram(
    told: str,
    scores: Sequence[tuple[str, Sequence[float], Colour]],
    axes_names: tuple[str, str],
    *,
    x_limit: tuple[str, float] | None = None,
    bins: int = 40,
) -> Markup:
    """Draw histograms of scores, 0..1, over one another, counts on a logarithmic axis.

    A linear axis would hide the one false accept among a thousand. *scores*: name, values and what
    they are of.
    """
    edges = [number / bins for number in range(bins + 1)]
    with chart(told, axes_names) as drawn:
        for name, values, colour in scores:
            looks = {"color": COLOURS[colour], "alpha": 0.55, "label": f"{name} ({len(values)})"}
            drawn.axes.hist(values, bins=edges, **looks)  # type: ignore[arg-type]
        drawn.axes.set_yscale("symlog", linthresh=1)
        most = drawn.axes.get_ylim()[1]
        ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000) if tick <= most]
        drawn.axes.set_yticks(ticks, [str(tick) for tick in ticks])
        drawn.axes.minorticks_off()
        drawn.axes.set_xlim(0, 1)
        _limits(drawn.axes, x_limit, None)
    return drawn.svg


@dataclass
class Drawing:
    """A chart while it is drawn: its axes, and the SVG once it is done."""

    axes: Axes
    svg: Markup = field(default_factory=Markup)


@contextmanager
def chart(told: str, axes_names: tuple[str, str]) -> Iterator[Drawing]:
    """Give empty axes of the house's style to draw on; the SVG is there when the block ends."""
    with style.context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        axes.set_xlabel(axes_names[0])
        axes.set_ylabel(axes_names[1])
        drawing = Drawing(axes)
        yield drawing
        handles, _ = axes.get_legend_handles_labels()
        if len(handles) > 1:
            figure.legend(loc="outside upper left", ncols=2)
        drawing.svg = inline(figure, told)


def inline(figure: Figure, told: str) -> Markup:
    """Return a figure as an SVG element that takes the width of its place, with *told* as text."""
    file = io.StringIO()
    with style.context(STYLE):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing, transparent=True)
    text = file.getvalue()
    svg = text[text.index("<svg") :]
    number = next(_NUMBERS)
    svg = _IDS.sub(lambda found: f"{found[0]}c{number}-", svg)
    head, _, rest = svg.partition(">")
    head = re.sub(r'\s(?:width|height|version)="[^"]*"', "", head)
    named = f'{head} role="img" aria-label="{escape(told)}">'
    return Markup(f"{named}{rest}")  # noqa: S704 - matplotlib escapes the texts that it draws


_NUMBERS = itertools.count(1)


def _limits(
    axes: Axes, x_limit: tuple[str, float] | None, y_limit: tuple[str, float] | None
) -> None:
    dashed = {"color": COLOURS["limit"], "linestyle": "--", "linewidth": 1.2}
    if x_limit:
        axes.axvline(x_limit[1], label=x_limit[0], **dashed)  # type: ignore[arg-type]
    if y_limit:
        axes.axhline(y_limit[1], label=y_limit[0], **dashed)  # type: ignore[arg-type]
