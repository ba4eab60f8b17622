"""Save the region into ``edge.toml``: one value changes, all else stays as it was written.

Comments and layout are the owner's, so the file is edited as text. An edit counts only when the
file parses to the same tables as before with the new region in them, whatever the text looked like.
"""

import contextlib
import copy
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from edge.config import Config
from edge.deciding.region import Region
from edge.deciding.rules import region_of
from edge.errors import ConfigError, InputError, UsageError
from edge.files import check_ours, read_bounded, write_atomic
from edge.settings import toml_value
from edge.settings_file import MAX_BYTES, parse_toml
from edge.wiring import checked

HEADER = re.compile(r"""[ \t]*\[[ \t]*(?:decision|"decision"|'decision')[ \t]*\]""")
"""The line that begins the section."""
KEY = re.compile(
    r"""[ \t]*(?:(?:decision|"decision"|'decision')[ \t]*\.[ \t]*)?"""
    r"""(?:region|"region"|'region')[ \t]*="""
)
"""The beginning of the line that sets the region."""
MOST_PX = 1e6
"""What a coordinate is below; the settings allow 8192."""
MOST_LINES = 200
"""Most lines that the value before may go over."""

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SettingsText:
    """The bytes of a settings file as they were read, and the settings in them."""

    path: Path
    content: bytes
    config: Config

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def region(self) -> Region | None:
        """The region in it; None for the whole picture."""
        return region_of(self.config.decision)


def read_settings(path: Path) -> SettingsText:
    """Read a settings file and check it as the service does. Raises ConfigError."""
    try:
        content = read_bounded(path, MAX_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); try again with sudo"
        ) from None
    return SettingsText(path, content, checked(content, path))


def with_region(before: SettingsText, corners: Corners) -> SettingsText:
    """Return the settings with another region; ``()`` for the whole picture.

    *corners*: x, y in camera pixels. Raises ConfigError for a region that the service would refuse,
    InputError for a file whose text cannot be edited so.
    """
    wanted = [[_plain(x), _plain(y)] for x, y in corners]
    tables = parse_toml(before.content, str(before.path))
    expected = copy.deepcopy(tables)
    expected.setdefault("decision", {})["region"] = wanted
    for text in _edits(before.content.decode(), toml_value(wanted)):
        content = text.encode()
        if len(content) <= MAX_BYTES and _parsed(content) == expected:
            return SettingsText(before.path, content, checked(content, before.path))
    raise InputError(
        f"{before.path}: [decision] region cannot be put in by this program; write it there: "
        f"region = {toml_value(wanted)}"
    )


def write_settings(settings: SettingsText, before: SettingsText) -> None:
    """Replace the settings file atomically; its owner and mode stay.

    Raises InputError when it is no longer as it was read, or cannot be written.
    """
    path = settings.path
    check_ours(path)
    try:
        found, now = path.stat(), read_bounded(path, MAX_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); nothing was saved") from None
    if now != before.content:
        raise InputError(
            f"{path}: was changed by somebody else meanwhile, and nothing was saved; load the "
            "region again, and draw it once more"
        )
    write_atomic(path, settings.content)
    with contextlib.suppress(OSError):  # exFAT and some shares know neither
        path.chmod(stat.S_IMODE(found.st_mode))
        if os.geteuid() == 0:
            os.chown(path, found.st_uid, found.st_gid)


def corners_of(value: Any) -> Corners:
    """Return a list of points [x, y], as JSON gives it, as corners. Raises UsageError."""
    if not isinstance(value, list) or not all(map(_is_point, value)):
        raise UsageError("region must be a list of corners [x, y] in camera pixels; draw it anew")
    return tuple((float(x), float(y)) for x, y in value)


def _is_point(value: Any) -> bool:
    """Tell whether a value is two numbers; not-a-number is below nothing."""
    if not isinstance(value, list) or [type(n) in (int, float) for n in value] != [True, True]:
        return False
    return all(abs(number) < MOST_PX for number in value)


def _plain(number: float) -> float:
    """Return a whole number as one, and another in hundredths.

    >>> _plain(12.0), _plain(1.239)
    (12, 1.24)
    """
    rounded = round(number, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def _parsed(content: bytes) -> Any:
    with contextlib.suppress(ConfigError):
        return parse_toml(content, "")
    return None


def _edits(text: str, value: str) -> Iterator[str]:
    """Yield the texts that may be the file with the region's *value*, likeliest first.

    The value that is there is replaced; else a line goes below the section's head; else a section
    goes to the end.
    """
    lines = text.splitlines(keepends=True)
    end = "\r\n" if "\r\n" in text else "\n"
    for first, line in enumerate(lines):
        if key := KEY.match(line):
            for last in range(first, min(len(lines), first + MOST_LINES)):
                for new in _replaced(lines[first : last + 1], f"{key[0]} {value}", end):
                    yield "".join([*lines[:first], *new, *lines[last + 1 :]])
    for number, line in enumerate(lines):
        if HEADER.match(line):
            head = line if line.endswith("\n") else line + end
            below = [head, f"region = {value}{end}", *lines[number + 1 :]]
            yield "".join([*lines[:number], *below])
    apart = "" if not text or text.endswith("\n") else end
    yield f"{text}{apart}{end if text else ''}[decision]{end}region = {value}{end}"


def _replaced(old: Sequence[str], setting: str, end: str) -> Iterator[list[str]]:
    """Yield what may stand for the lines *old* of a setting, with the comments among them.

    Those between its lines go above it; that of its last line stays behind it.
    """
    above = [f"{line[line.index('#') :].rstrip()}{end}" for line in old[:-1] if "#" in line]
    before, mark, comment = old[-1].partition("#")
    closing = old[-1][len(old[-1].rstrip("\r\n")) :]
    if mark:
        blanks = "".join(takewhile(str.isspace, reversed(before))) or " "
        yield [*above, f"{setting}{blanks}#{comment}"]
    yield [*above, f"{setting}{closing}"]
