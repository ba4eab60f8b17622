"""Bar codes and matrix codes: they look like codes and hold no data."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.drawing.random_choice import pick

BAR, GAP = 20, 245
"""Grey levels of a printed bar and of the paper between two."""


def bars(widths: Sequence[int], left: float, module: float) -> Iterator[tuple[float, float]]:
    """Yield (left, width) of every bar of a bar code that begins at *left*.

    *widths*: of bars and gaps in turn, in modules, the narrowest unit; *module*: its length.

    >>> list(bars([1, 2, 3], 10.0, 0.5))
    [(10.0, 0.5), (11.5, 1.5)]
    """
    for place, width in enumerate(widths):
        if place % 2 == 0:
            yield left, module * width
        left += module * width


def bar_strip(widths: NDArray[np.int64]) -> Image.Image:
    """Return a bar code as a grey picture (L) one pixel high and one pixel a module."""
    levels = np.where(np.arange(len(widths)) % 2, GAP, BAR)
    return Image.fromarray(np.repeat(levels, widths)[None].astype(np.uint8))


def matrix_cells(style: np.random.Generator, data: np.random.Generator) -> NDArray[np.bool_]:
    """Return the cells, (n, n), of a DataMatrix (solid and dotted sides) or a QR code (three eyes).

    *style* decides size and kind, *data* the cells.
    """
    n, qr = pick((10, 12, 14, 16, 18, 21), style), style.random() < 0.5
    cells = data.random((n, n)) < 0.5
    if not qr or n < 18:
        cells[:, 0] = cells[-1] = True
        cells[0], cells[:, -1] = np.arange(n) % 2 == 0, np.arange(n) % 2 == n % 2
        return cells
    eye = np.pad(np.pad(np.ones((3, 3), bool), 1), 1, constant_values=True)
    for rows, columns in (("head", "head"), ("head", "tail"), ("tail", "head")):
        at = {"head": slice(0, 8), "tail": slice(n - 8, n)}
        inner = {"head": slice(0, 7), "tail": slice(n - 7, n)}
        cells[at[rows], at[columns]] = False
        cells[inner[rows], inner[columns]] = eye
    return cells
