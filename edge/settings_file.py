"""Read a settings file: TOML in UTF-8, a regular file of bounded size and depth.

A service reads its settings again while it runs, so whatever lies there must cost it milliseconds
and end as one line: no file makes it wait, take memory or die.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from edge.files import read_bounded

MAX_BYTES = 1 << 16
"""Longest settings file; the sample with all its comments has a sixth of that."""
MAX_DOTS = 100
"""Most dots in a line that is no comment: the time to read a dotted key grows with their square."""
MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
"""Byte-order marks of UTF-16 and UTF-8, which some editors write."""
LONGEST_REASON = 200


def read_toml(path: Path) -> dict[str, Any]:
    """Read the TOML file *path* into its tables. Raises ConfigError with one line."""
    try:
        content = read_bounded(path, MAX_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); "
            "'stampgate-edge config' prints one to begin with"
        ) from None
    return parse_toml(content, str(path))


def parse_toml(content: bytes, where: str) -> dict[str, Any]:
    """Parse the bytes of a settings file; *where*: how messages begin. Raises ConfigError."""
    try:
        return tomllib.loads(_text(content))
    except RecursionError:
        reason = "nested too deeply"
    except ValueError as error:
        reason = _reason(error)
    raise ConfigError(f"{where}: must be TOML in UTF-8 ({reason}); correct it there")


def _text(content: bytes) -> str:
    """Decode and look over what tomllib would take too long for. Raises ValueError."""
    if content.startswith(MARKS[:2]) or b"\0" in content:
        raise ValueError("not UTF-16 nor binary: save it as UTF-8 without a byte-order mark")
    if content.startswith(MARKS[2]):
        raise ValueError("it begins with a byte-order mark: save it as UTF-8 without one")
    text = content.decode("utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MAX_DOTS and not line.lstrip().startswith("#"):
            raise ValueError(f"more than {MAX_DOTS} dots in line {number}")
    return text


def _reason(error: ValueError) -> str:
    """Return one short line; a number too long for Python is described in words of its own."""
    if "integer string conversion" in str(error):
        return "a number has thousands of digits"
    return re.sub(r"\s+", " ", str(error))[:LONGEST_REASON]
