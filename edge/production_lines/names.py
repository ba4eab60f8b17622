"""The settings file of one production line of several on a box, found by the line's name."""

import re
from pathlib import Path

from edge.config import sample
from edge.errors import UsageError
from edge.settings import shown

LINES_FOLDER = Path("/etc/stampgate/lines")
"""Folder of the settings of a box with several lines, a file ``NAME.toml`` each."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,39}")
"""A line's name: also that of its units, ``stampgate-edge@NAME``, and of its folders."""
FOLDERS = (
    "/var/log/stampgate",
    "/var/lib/stampgate",
    "/var/lib/stampgate-gate",
    "/var/lib/stampgate-releases",
    "/var/lib/stampgate-review",
    "/run/stampgate",
)
"""Folders in which each line has one of its own."""


def settings_of_line(name: str, folder: Path = LINES_FOLDER) -> Path:
    """Return the settings file of a line. Raises UsageError for a name that is none."""
    _check_name(name)
    path = folder / f"{name}.toml"
    if not path.exists():
        others = ", ".join(lines_of_box(folder)) or "none"
        raise UsageError(
            f"there is no line {name} here, as {path} is missing; the lines are: {others}"
        )
    return path


def lines_of_box(folder: Path = LINES_FOLDER) -> list[str]:
    """Return the names of the lines that a box has settings for, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml") if NAME.fullmatch(path.stem))


def sample_of_line(name: str) -> str:
    """Return a commented settings file of a line, with paths and a name of its own.

    Raises UsageError for a name that is none.
    """
    _check_name(name)
    folders = "|".join(map(re.escape, sorted(FOLDERS, reverse=True)))
    begin = rf'^(\w+ = "(?:{folders}))([/"])'
    text = re.sub(begin, rf"\1/{name}\2", sample(), flags=re.MULTILINE)
    return text.replace('\nname = ""\n', f'\nname = "{name}"\n')


def _check_name(name: str) -> None:
    """Raise UsageError for a name that is none."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--line must be letters, figures and _, 40 at most, not {shown(name)}; name a line"
        )
