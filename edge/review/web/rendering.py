"""How pages are written: templates, whose every value is escaped, and times in words.

What a template puts out is made printable first (:mod:`edge.printing`), then escaped for HTML, so
neither a class named ``<script>`` nor one with a bidirectional control can do anything.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from edge.printing import printable

HERE = Path(__file__).parent
STATIC = {
    "icon.svg": "image/svg+xml",
    "review.css": "text/css; charset=utf-8",
    "review.js": "text/javascript; charset=utf-8",
    "queue.js": "text/javascript; charset=utf-8",
}
"""The files of the pages, and their media types."""
FOR_EVER = "private, max-age=31536000, immutable"
"""``Cache-Control`` of a file that is asked for by its sum."""


def html(name: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Return the page of the template *name*."""
    return HTMLResponse(_environment().get_template(name).render(values), status)


def static_sum(name: str) -> str:
    """Return the beginning of a file's SHA-256, in hex, which its address bears."""
    return hashlib.sha256(static_file(name)).hexdigest()[:12]


@cache
def static_file(name: str) -> bytes:
    """Return the content of one of :data:`STATIC`."""
    return (HERE / "static" / name).read_bytes()


def local_time(ms: int | None) -> str:
    """Return a moment by this box's clock, with its offset from UTC; *ms*: since 1970, UTC."""
    if ms is None:
        return "time not known"
    moment = datetime.fromtimestamp(ms / 1000).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S ") + _offset(moment)


def clock_time(ms: int | None) -> str:
    """Return the time of day of a moment, by this box's clock."""
    if ms is None:
        return "--:--:--"
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%H:%M:%S")


def weekday(ms: int) -> str:
    """Return the day of the week of a moment, by this box's clock, in three letters.

    >>> weekday(43_200_000)
    'Thu'
    """
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return names[datetime.fromtimestamp(ms / 1000).astimezone().weekday()]


def percent(share: float | None, digits: int = 2) -> str:
    """Return a share in per cent.

    >>> percent(0.01234), percent(None)
    ('1.23 %', '-')
    """
    return "-" if share is None else f"{share * 100:.{digits}f} %"


def count(number: float) -> str:
    """Return a whole number with its thousands apart.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{number:,}"


def score(value: float | None) -> str:
    """Return a score, 0..1, or a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def _offset(moment: datetime) -> str:
    text = moment.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def _shown(value: Any) -> Any:
    """Make a value of a template printable; what is HTML of ours already stays."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "local_time": local_time,
        "clock_time": clock_time,
        "percent": percent,
        "count": count,
        "score": score,
    }
    environment.globals["static"] = lambda name: f"/static/{name}?v={static_sum(name)}"
    return environment
