"""JSON read strictly: each key once, bounded text and nesting, and numbers that are numbers.

What a sealed file says is read by no laxer rule than it is written by: of two equal keys
:mod:`json` would take the last, ``NaN`` would pass for a number, and an integer of a million digits
would take a minute.
"""

import json
import math
from typing import Any, NoReturn

MOST_DIGITS = 40
"""Most characters of one number; a double needs at most 24."""


def read_object(text: str, most: int) -> dict[str, Any]:
    """Parse *text*, of at most *most* characters, which must be one JSON object.

    Raises ValueError with what is wrong in words.
    """
    if len(text) > most:
        raise ValueError(f"it has {len(text)} characters, must be at most {most}")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_once,
            parse_int=_integer,
            parse_float=_real,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError(f"it is no object but a {type(value).__name__}")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it has the key {key[:40]!r} twice")
        found[key] = value
    return found


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
