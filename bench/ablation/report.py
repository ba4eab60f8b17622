"""The figures as tables in Markdown and as a plot."""

import io
import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.ablation.trials import Record
from bench.ablation.variants import DEFAULT
from edge.files import write_atomic

FIGURES = {
    "AP50": "AP50",
    "AP50:95": "AP50:95",
    "recall@0": "found, 0 false accepts",
    "recall@1": "1",
    "recall@3": "3",
    "IoU": "median IoU",
    "lookalikes": "look-alikes taken",
    "pictures": "pictures seen",
}
"""The columns: name of the figure and its heading."""
DRAWN = {"AP50": "AP50", "recall@0": "found, 0 false accepts", "recall@3": "found, 3 false accepts"}
"""The figures that are drawn against the training time."""
MEAN = "mean of all marks"

Label = Callable[[Record], str]


def cell(name: str, value: float | None, base: float | None = None) -> str:
    """A figure as the table shows it, with its difference to the default's where there is one.

    >>> cell("AP50", 0.7123, 0.75), cell("lookalikes", 0.015)
    ('0.712 (-0.038)', '1.5 %')
    >>> cell("pictures", 7210.0), cell("IoU", None)
    ('7210', '-')
    """
    if value is None:
        return "-"
    if name == "pictures":
        return f"{value:.0f}"
    if name == "lookalikes":
        return f"{value:.1%}".replace("%", " %")
    return f"{value:.3f}" if base is None else f"{value:.3f} ({value - base:+.3f})"


def table(records: Sequence[Record], head: str, label: Label, compared: bool = True) -> str:
    """One table: a row for each record; *compared*: with differences to the default's figures."""
    default = (
        next((r.figures for r in records if r.variant == DEFAULT and not r.failed), {})
        if compared
        else {}
    )
    lines = [f"| {head} | {' | '.join(FIGURES.values())} |", "|---" * (len(FIGURES) + 1) + "|"]
    for record in records:
        base = {} if record.variant == DEFAULT else default
        cells = [cell(name, record.figures.get(name), base.get(name)) for name in FIGURES]
        lines.append(f"| {label(record)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def means(records: Sequence[Record]) -> list[Record]:
    """Return the mean over the subjects of each variant and length.

    Of those that all subjects have, in the order first met.
    """
    subjects = {record.subject for record in records}
    groups: dict[tuple[str, float], list[Record]] = {}
    for record in records:
        if not record.failed:
            groups.setdefault((record.variant, record.minutes), []).append(record)
    whole = [group for group in groups.values() if len(group) == len(subjects)]
    return [
        Record(MEAN, g[0].variant, g[0].sentence, g[0].minutes, _mean(g), g[0].code) for g in whole
    ]


def _mean(group: Sequence[Record]) -> dict[str, float | None]:
    columns = {name: [record.figures.get(name) for record in group] for name in group[0].figures}
    return {name: _mean_of(values) for name, values in columns.items()}


def _mean_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if len(known) == len(values) else None


def by_variant(record: Record) -> str:
    """Return the name of a row in the table of variants."""
    name = f"**{record.variant}**" if record.variant == DEFAULT else record.variant
    return f"{name}: {record.sentence}" + (f" ({record.failed})" if record.failed else "")


def by_minutes(record: Record) -> str:
    """Return the name of a row in the table of the curve."""
    return f"{record.minutes:g} min, {record.variant}" + (
        f" ({record.failed})" if record.failed else ""
    )


def as_markdown(records: Sequence[Record], about: str, curve: bool = False) -> str:
    """Return all tables as markdown.

    The mean over the subjects where there are several, then each subject's, then *about*.
    """
    subjects = list(dict.fromkeys(record.subject for record in records))
    parts = [(MEAN, means(records))] if len(subjects) > 1 else []
    parts += [
        (subject, [record for record in records if record.subject == subject])
        for subject in subjects
    ]
    head, label = ("training", by_minutes) if curve else ("variant", by_variant)
    texts = [f"### {name}\n\n{table(rows, head, label, not curve)}" for name, rows in parts if rows]
    codes = len({record.code for record in records if record.code})
    mixed = (
        f"Trained with {codes} states of the program: do not compare rows.\n" if codes > 1 else ""
    )
    return "\n\n".join([*texts, about + mixed])


def plot(records: Sequence[Record], path: Path) -> None:
    """Draw the figures against the training time as PNG.

    A line for each variant's mean, a dot for each mark.

    Raises InputError.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra of its own

    figure = Figure(figsize=(4.2 * len(DRAWN), 4.2), layout="constrained")
    variants = list(dict.fromkeys(record.variant for record in records))
    for axes, (name, title) in zip(figure.subplots(1, len(DRAWN)), DRAWN.items(), strict=True):
        for number, variant in enumerate(variants):
            line = _points(means([r for r in records if r.variant == variant]), name)
            dots = _points([r for r in records if r.variant == variant], name)
            axes.plot(*line, color=f"C{number}", marker="o", label=variant)
            axes.scatter(*dots, color=f"C{number}", s=12, alpha=0.5)
        axes.set(title=title, xlabel="minutes of training", ylim=(0.0, 1.0), xscale="log")
        ticks = sorted({record.minutes for record in records})
        axes.set_xticks(ticks, [f"{minutes:g}" for minutes in ticks])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    axes.legend()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120)
    write_atomic(path, file.getvalue())


def _points(records: Sequence[Record], name: str) -> tuple[list[float], list[float]]:
    """Minutes and figures, in the order of the minutes."""
    pairs = sorted(
        (record.minutes, record.figures.get(name)) for record in records if not record.failed
    )
    known = [
        (minutes, value) for minutes, value in pairs if value is not None and math.isfinite(value)
    ]
    return [minutes for minutes, _ in known], [value for _, value in known]
