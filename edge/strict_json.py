"""JSON read strictly: each key once, bounded text and nesting, and numbers that are numbers.

What comes from outside is read by no laxer rule than it is written by: of two equal keys
:mod:`json` would take the last where another reader takes the first, ``NaN`` would pass for a
number, and an integer of a million digits would take a minute.
"""

import json
import math
from collections import Counter
from typing import Any, NoReturn

MOST_DIGITS = 40
"""Most characters of one number; a double needs at most 24."""


class RepeatedKeyError(ValueError):
    """A key that stands twice in one object: nobody can tell which of its values counts."""


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its keys and values: an ``object_pairs_hook`` of :func:`json.loads`.

    Raises RepeatedKeyError.

    >>> each_once([("a", 1), ("b", 2)])
    {'a': 1, 'b': 2}
    """
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise RepeatedKeyError(f"the key {twice[:40]!r} stands twice in one object")
    return made


def read_object(text: str, most: int) -> dict[str, Any]:
    """Parse *text*, of at most *most* characters, which must be one JSON object.

    Raises ValueError with what is wrong in words.
    """
    if len(text) > most:
        raise ValueError(f"it has {len(text)} characters, must be at most {most}")
    try:
        value = json.loads(
            text,
            object_pairs_hook=each_once,
            parse_int=_integer,
            parse_float=_real,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError(f"it is no object but a {type(value).__name__}")
    return value


def _integer(digits: str) -> int:
    return int(_bounded(digits))


def _real(digits: str) -> float:
    value = float(_bounded(digits))
    if not math.isfinite(value):
        raise ValueError(f"{digits} is too large a number")
    return value


def _bounded(digits: str) -> str:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return digits


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
