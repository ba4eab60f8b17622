"""Render a self-contained HTML page from a template: no script, no other file, readable on paper.

A page is a template of ``templates/`` that extends ``base.html``. What is put into it is escaped:
HTML by Jinja2, and what cannot be seen by :func:`edge.printing.printable`, so that a file's name
can forge neither an element nor a line.
"""

import base64
import functools
import io
import re
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup, escape
from PIL import Image

from edge import __version__
from edge.errors import FrameError
from edge.files import write_atomic
from edge.printing import printable
from edge.rates.bounds import UNMEASURED
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame

PICTURE_PX, PICTURE_QUALITY = 320, 70
"""Longest side, in pixels, and JPEG quality of a picture on a page: about 15 kB."""
_PER_CENT = re.compile(r"(?<=[0-9]) %")


def render(template: str, **values: Any) -> str:
    """Return the page of *template*, a file of ``templates/``, with *values* for its names.

    A name that is missing raises jinja2.UndefinedError: a page with holes helps nobody.
    """
    return _environment().get_template(template).render(version=__version__, **values)


def write_page(path: Path, page: str) -> None:
    """Write a page atomically. Raises InputError."""
    write_atomic(path, page.encode("utf-8", "replace"))


def percent(share: float | None, digits: int = 2) -> str:
    """Return a share, 0..1, in per cent; a share of nothing is not measured.

    >>> percent(0.0099), percent(1.0), percent(None)
    ('0.99 %', '100 %', 'not measured')
    """
    if share is None or np.isnan(share):
        return UNMEASURED
    shown = f"{100 * share:.{digits}f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{shown} %"


def picture_uri(frame: Frame | Image.Image, side: int = PICTURE_PX) -> str:
    """Return a picture as a data URI, a JPEG at most *side* pixels long; upright RGB."""
    image = Image.fromarray(frame) if isinstance(frame, np.ndarray) else frame.convert("RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=PICTURE_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def file_uri(path: Path, side: int = PICTURE_PX) -> str:
    """Return the picture file *path* as :func:`picture_uri`, empty when it cannot be read."""
    try:
        return picture_uri(read_picture(path), side)
    except FrameError:
        return ""


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("train.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    return environment


def _seen(value: Any) -> Any:
    """Return a text with what cannot be seen escaped; markup of ours stays.

    A number is not parted from its per cent sign, or the unit would begin a line.
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return Markup(_PER_CENT.sub("&nbsp;%", str(escape(printable(value)))))  # noqa: S704
    return value
