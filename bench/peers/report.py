"""The comparison as a table for people and as JSON."""

import math
from collections.abc import Sequence
from typing import Any

from bench.peers.judging import LEVEL, Result

FIGURES = (
    "boxes",
    "AP50",
    "AP50:95",
    "main@0FA",
    "main@1FA",
    "main@3FA",
    "IoU",
    f"IoU@{LEVEL}FA",
    f"located@{LEVEL}FA",
)
COMPARED = ("AP50", "main@0FA", "main@1FA", "main@3FA", "IoU", f"IoU@{LEVEL}FA")
"""What must be no worse than the peer's; the first five are those that ``stampgate evaluate``
prints."""


def table(results: Sequence[Result]) -> str:
    """All figures, a group after another, a line for each contender."""
    wide = max(len(result.name) for result in results) + 2
    lines = [" " * wide + "".join(f"{name:>13}" for name in FIGURES)]
    for group in results[0].own.groups:
        lines.append(f"{group.name}:")
        for result in results:
            figures = result.figures(group.name)
            lines.append(
                f"{result.name:<{wide}}"
                + "".join(f"{cell(figures.get(name)):>13}" for name in FIGURES)
            )
    return "\n".join(lines)


def cell(value: float | None) -> str:
    """A figure with three digits, a count without; a dash for what could not be measured.

    >>> [cell(v) for v in (0.85, 177, None, float("nan"))]
    ['0.850', '177', '-', '-']
    """
    if value is None or not math.isfinite(value):
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def compare(ours: Result, peer: Result) -> list[dict[str, Any]]:
    """Compare figure by figure, for every group.

    Ours, the peer's, the difference, and whether ours is no worse.
    """
    rows: list[dict[str, Any]] = []
    for group in ours.own.groups:
        mine, its = ours.figures(group.name), peer.figures(group.name)
        for name in COMPARED:
            a, b = mine.get(name, math.nan), its.get(name, math.nan)
            # Who found nothing has no IoU. Where neither has a figure there is nothing to compare.
            holds = a >= b if math.isfinite(b) else True if math.isfinite(a) else None
            rows.append(
                {"group": group.name, "figure": name, "ours": a, "peer": b, "no_worse": holds}
            )
    return rows


def verdict(ours: Result, peer: Result) -> str:
    """In words: what is no worse, and what is worse and by how much."""
    rows = [row for row in compare(ours, peer) if row["no_worse"] is not None]
    worse = [row for row in rows if not row["no_worse"]]
    better = f"{len(rows) - len(worse)} of {len(rows)} figures"
    lines = [f"{ours.name} against {peer.name}: no worse in {better}"]
    lines += [
        f"  worse: {r['group']} {r['figure']} {cell(r['ours'])} against {cell(r['peer'])}"
        for r in worse
    ]
    return "\n".join(lines)


def plain(value: Any) -> Any:
    """For JSON, which has no nan: what could not be measured is null."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
