"""What a record of the journal may hold: readers take nothing that does not fit.

A journal may have been damaged, or written by somebody who means harm. Whatever fits here can be
sorted, added and printed without a further question. Kinds and fields that are not known are taken
as they are: a later release may have written them.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from edge.strict_json import each_once

DEEPEST = 8
"""Objects and lists inside one another; a record of ours has four."""
MOST = 2**63
"""What every whole number of a record is below: nanoseconds and counts in 64 bits."""
VERDICTS = ("pass", "reject", "fault")
TRUTHS = ("good", "bad", "unclear")
JUDGEMENTS = ("good", "bad", "unsure")

Test = Callable[[Any], bool]


def parse_object(line: bytes) -> dict[str, Any] | None:
    """Parse one line of JSON; None when it is no object, or ambiguous.

    Ambiguous is a key that comes twice, of which one reader takes the first and another the last.
    NaN and infinities are no JSON.
    """
    try:
        value = json.loads(line, object_pairs_hook=each_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _is_shallow(value, DEEPEST) else None


def is_record(value: Mapping[str, Any]) -> bool:
    """Tell whether an object has the fields of every record, and those of its kind as they are."""
    if not all(name in value for name in ("sequence", "previous", "kind")):
        return False
    tests = FIELDS | KINDS.get(str(value["kind"]), {})
    needed = NEEDED.get(str(value["kind"]), ())
    return all(name in value for name in needed) and all(
        test(value[name]) for name, test in tests.items() if name in value
    )


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _is_shallow(value: Any, left: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(
        _is_shallow(one, left - 1) for one in inside if isinstance(one, dict | list)
    )


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST


def _number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < MOST and math.isfinite(value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _counts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_whole, value.values()))


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _or_none(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _finding(value: Any) -> bool:
    return isinstance(value, dict) and all(
        test(value[name]) for name, test in FINDING.items() if name in value
    )


def _box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_number, value))


def _findings(value: Any) -> bool:
    return isinstance(value, list) and all(map(_finding, value))


def _frames(value: Any) -> bool:
    return isinstance(value, list) and all(map(_frame, value))


def _frame(value: Any) -> bool:
    return isinstance(value, dict) and all(
        test(value[name]) for name, test in FRAME.items() if name in value
    )


def _statements(value: Any) -> bool:
    """Tell whether these are statements about items: what each truth is said of, as ranges."""
    return isinstance(value, dict) and all(
        truth in TRUTHS and isinstance(ranges, list) and all(map(_range, ranges))
        for truth, ranges in value.items()
    )


def _range(value: Any) -> bool:
    whole = isinstance(value, list) and len(value) == 2 and all(map(_whole, value))
    return whole and 0 < value[0] <= value[1]


def _started(value: Any) -> bool:
    return isinstance(value, dict) and all(
        test(value[name]) for name, test in START.items() if name in value
    )


def _hex(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) <= 18 and int(value, 16) >= 0
    except ValueError:
        return False


FIELDS: dict[str, Test] = {
    "v": lambda value: value == 1 and not isinstance(value, bool),
    "kind": _text,
    "sequence": _whole,
    "previous": _text,
    "boot_id": _text,
    "monotonic_ns": _whole,
    "wall_time": _text,
    "clock_synced": _or_none(_flag),
    "reason": _text,
    "gate_run": _text,
    "service": _text,
    "release": _text,
    "settings": _text,
    "tag": _whole,
    "seal": _text,
}
"""Of every record."""
FINDING: dict[str, Test] = {"label": _text, "score": _number, "box": _box}
FRAME: dict[str, Test] = {
    "picture": _text,
    "verdict": lambda value: value in VERDICTS,
    "code": _text,
    "score": _or_none(_number),
}
"""One picture of an item's burst."""
START: dict[str, Test] = {
    "version": _text,
    "mode": _text,
    "study": _text,
    "settings_sha256": _text,
    "model": _or_none(_object),
}
KINDS: dict[str, dict[str, Test]] = {
    "start": START,
    "item": {
        "sequence": lambda value: _whole(value) and value > 0,
        "verdict": lambda value: value in VERDICTS,
        "code": _text,
        "findings": _findings,
        "near_miss": _or_none(_finding),
        "frames": _frames,
        "gate": _text,
        "picture": _text,
        "evidence": _text,
        "evidence_sha256": _text,
        "evidence_lost": _text,
        "trigger_ns": _whole,
        "ms": _number,
        "mode": _text,
    },
    "settings": {"settings_sha256": _text, "study": _text},
    "truth": {
        "truth": lambda value: value in TRUTHS,
        "item": _or_none(_whole),
        "by": _text,
        "statements": _statements,
    },
    "health": {
        "temperature_c": _or_none(_number),
        "throttled": _or_none(_hex),
        "journal": _or_none(_object),
        "evidence": _or_none(_object),
    },
    "continued": {
        "after": _text,
        "start": _or_none(_started),
        "counted": _or_none(_counts),
    },
    "challenge": {"what": _text, "state": _object, "item": _whole},
    "release": {"what": _text, "by": _text, "action": _whole, "back": _text, **START},
    "gap": {"counted": _counts, "lost_items": _whole, "lost_records": _whole},
    "missing": {"items": _whole, "taken_sha256": _text},
    "incident": {"what": _text, "item": _or_none(_whole)},
    "stop": {"counters": _counts},
    "judgement": {
        "id": _text,
        "item": _whole,
        "judgement": lambda value: value in JUDGEMENTS,
        "by": _text,
        "role": _text,
        "verdict": lambda value: value in VERDICTS,
        "line_sha256": _text,
        "evidence": _text,
        "evidence_sha256": _text,
        "model_sha256": _text,
        "head": _whole,
    },
    "undo": {"id": _text, "undoes": _text, "item": _whole, "by": _text},
    "signed": {"by": _text, "since": _text, "until": _text},
}
"""Of the records of one kind; the last three are the audit log's."""
NEEDED = {
    "item": ("verdict",),
    "stop": ("counters",),
    "gap": ("counted", "lost_items"),
    "missing": ("items",),
    "challenge": ("what", "state"),
    "release": ("what", "release"),
    "judgement": ("id", "item", "judgement", "by"),
    "undo": ("id", "undoes", "item", "by"),
    "signed": ("by", "since", "until"),
}
"""Fields without which a record of that kind says nothing."""
