"""Figures with their bounds, as a table and as JSON."""

import dataclasses
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edge.files import write_atomic


@dataclass(frozen=True)
class Figure:
    """Something measured or counted; *bound*: the most that it may be, None for no bound."""

    name: str
    value: float
    unit: str = ""
    bound: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        """True when the figure is within its bound."""
        return self.bound is None or self.value <= self.bound


def table(figures: Sequence[Figure]) -> str:
    """One line for each figure: name, figure, bound, ok or over, note.

    >>> memory = Figure("RSS of the gate", 17.26, "MB", 20)
    >>> print(table([memory, Figure("items lost", 1, "", 0, "item 7")]))
                     figure  at most
    RSS of the gate   17.26       20  ok    MB
    items lost            1        0  OVER  item 7
    """
    wide = max(len(figure.name) for figure in figures)
    rows = [f"{'':<{wide}} {'figure':>7}  {'at most':>7}"]
    for figure in figures:
        bound = "" if figure.bound is None else f"{figure.bound:g}"
        said = "" if figure.bound is None else "ok" if figure.holds else "OVER"
        note = "; ".join(filter(None, (figure.unit, figure.note)))
        row = f"{figure.name:<{wide}} {shown(figure.value):>7}  {bound:>7}  {said:<4}  {note}"
        rows.append(row.rstrip())
    return "\n".join(rows)


def shown(value: float) -> str:
    """A figure with four digits, a count with all.

    >>> shown(200_000), shown(1.23456), shown(115.04)
    ('200000', '1.235', '115')
    """
    return str(int(value)) if value == int(value) else f"{value:.4g}"


def verdict(figures: Sequence[Figure]) -> str:
    """In words, whether all bounds hold, and which do not."""
    bounded = [figure for figure in figures if figure.bound is not None]
    over = [figure.name for figure in bounded if not figure.holds]
    return f"OVER: {', '.join(over)}" if over else f"all {len(bounded)} bounds hold"


def write_json(
    path: Path, figures: Sequence[Figure], command: str, more: Mapping[str, Any]
) -> None:
    """Write figures, the *command* that measures them again, the machine, and *more*, as JSON.

    Raises InputError.
    """
    machine = {
        "machine": platform.machine(),
        "system": platform.release(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "onnxruntime", "Pillow")},
    }
    told = [dataclasses.asdict(figure) | {"holds": figure.holds} for figure in figures]
    content = {"command": command, "machine": machine, "figures": told, **more}
    write_atomic(path, (json.dumps(content, indent=1) + "\n").encode())
