"""Settings said once: a frozen dataclass whose fields carry default, bounds and one sentence.

The sample TOML, the checks and the documentation are all made from the same fields, so they cannot
disagree. Used for the box's ``edge.toml`` (:mod:`edge.config`) and for a training run
(:mod:`train.config`).
"""

import dataclasses
import json
import math
import textwrap
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from edge.errors import ConfigError

T = TypeVar("T")

LONGEST_INT_BITS = 63
LONGEST_TEXT = 4000
LONGEST_PATH = 4000
"""Bytes; the kernel takes 4,095 (PATH_MAX), and a temporary name may be put beside the file."""
LONGEST_NAME = 200
"""Bytes of one name in a path; a file system takes 255 (NAME_MAX), with what is put before it."""
CONTROLS = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)))
"""Control characters and line ends, which would break a message or a path."""
SHOWN = 80
"""Most characters of a wrong value that a message shows."""
FEW_KEYS = 8
"""A section with no more keys lists them all, and the one that was meant is seen at once."""


def setting(
    default: Any,
    sentence: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: tuple[str | int, ...] | None = None,
    live: bool = False,
    form: Literal["line", "lines", "path", "points", "counts"] = "line",
) -> Any:
    """Declare one field of a settings dataclass.

    *default*: its value when nothing is said, a scalar, a tuple of scalars of one type, or ``()``
    for a list of any number of texts; *sentence*: what it is, with the unit; *above*, *at_least*,
    *at_most*: bounds for a number (for each member of a tuple); *choices*: the values allowed;
    *live*: whether a service that runs can take a change; *form*: whether a text is one line, may
    be several, or names a file or folder. *form* "points" makes ``()`` a list of points [x, y];
    "counts" also takes a whole number, a text or a table for a list of texts.
    """
    bounds = {"above": above, "at_least": at_least, "at_most": at_most, "choices": choices}
    return dataclasses.field(
        default=default,
        metadata={"sentence": sentence, "live": live, "form": form, **bounds},
    )


def bound_text(field: "dataclasses.Field[Any]") -> str:
    """Return a field's bounds in words, e.g. ``above 0 and at most 1``; empty when it has none."""
    meta = field.metadata
    if meta.get("choices"):
        return "one of " + ", ".join(map(str, meta["choices"]))
    words = [
        f"{name.replace('_', ' ')} {meta[name]:g}"
        for name in ("above", "at_least", "at_most")
        if meta[name] is not None
    ]
    return " and ".join(words)


def _within(field: "dataclasses.Field[Any]", value: Any) -> bool:
    meta = field.metadata
    if meta.get("choices"):
        return value in meta["choices"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    return (
        (isinstance(value, int) or math.isfinite(value))
        and (meta["above"] is None or value > meta["above"])
        and (meta["at_least"] is None or value >= meta["at_least"])
        and (meta["at_most"] is None or value <= meta["at_most"])
    )


def _matches(value: Any, default: Any) -> bool:
    """Tell whether *value* has the type of *default*.

    An integer will do for a float, a bool never for a number.
    """
    if default == ():
        return isinstance(value, list | tuple) and all(isinstance(member, str) for member in value)
    if isinstance(default, tuple):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(default)
            and all(_matches(v, d) for v, d in zip(value, default, strict=True))
        )
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


_TYPE_WORDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}


_FORM_WORDS = {
    "points": "a list of points [x, y]",
    "counts": "a whole number, a text, a list of texts or a table of classes",
}


def _kind(default: Any) -> str:
    if default == ():
        return "a list of texts"
    if isinstance(default, tuple):
        return f"a list of {len(default)}, each {_kind(default[0])}"
    return _TYPE_WORDS[type(default)]


def check_field(where: str, field: "dataclasses.Field[Any]", value: Any) -> Any:
    """Return *value* as the field wants it (an int becomes a float where needed, a list a tuple).

    *where*: how the message begins, e.g. ``edge.toml: [gate] pulse_ms``. Raises ConfigError when
    type or bounds are broken.
    """
    form = field.metadata["form"]
    if form == "points":
        return _points(where, field, value)
    given, value = value, _as_texts(value) if form == "counts" else value
    if not _matches(value, field.default):
        raise _wrong(where, _FORM_WORDS.get(form) or _kind(field.default), given)
    members = value if isinstance(field.default, tuple) else (value,)
    if not all(_within(field, member) for member in members):
        raise _wrong(where, bound_text(field) or "finite", value)
    for member in members:
        if demand := _unmet(field, member):
            raise _wrong(where, demand, value)
    if field.default == ():
        return tuple(value)
    if isinstance(field.default, tuple):
        return tuple(type(d)(v) for v, d in zip(value, field.default, strict=True))
    return float(value) if isinstance(field.default, float) else value


def _points(where: str, field: "dataclasses.Field[Any]", value: Any) -> tuple[Any, ...]:
    """Return a list of points as pairs of floats. Raises ConfigError."""
    listed = isinstance(value, list | tuple)
    if not listed or not all(_matches(point, (0.0, 0.0)) for point in value):
        raise _wrong(where, _FORM_WORDS["points"], value)
    if not all(_within(field, number) for point in value for number in point):
        raise _wrong(where, bound_text(field) or "finite", value)
    return tuple((float(x), float(y)) for x, y in value)


def _is_many(value: Any) -> bool:
    return isinstance(value, list | tuple | Mapping)


def _as_texts(value: Any) -> Any:
    """Return one number or text as a list of it, and a table as its lines ``name = value``.

    >>> _as_texts(2), _as_texts("at least 1"), _as_texts({"seal": 1})
    (['2'], ['at least 1'], ['seal = 1'])
    """
    if isinstance(value, Mapping):
        counts = {name: _as_texts(each) for name, each in value.items() if not _is_many(each)}
        if len(counts) < len(value) or not all(isinstance(each, list) for each in counts.values()):
            return None
        return [f"{name} = {each[0]}" for name, each in counts.items()]
    if isinstance(value, int) and not isinstance(value, bool):
        return [f"{value}"] if value.bit_length() <= LONGEST_INT_BITS else None
    return [value] if isinstance(value, str) else value


def _wrong(where: str, demand: str, value: Any) -> ConfigError:
    return ConfigError(f"{where} must be {demand}, not {shown(value)}; correct it there")


def _unmet(field: "dataclasses.Field[Any]", value: Any) -> str:
    """Return what is demanded of every number or text, where *value* fails it; else empty.

    A whole number has 64 bits, as in TOML; a text is one line; a path can be one of a file.
    """
    if isinstance(value, int) and value.bit_length() > LONGEST_INT_BITS:
        return f"a number of at most {LONGEST_INT_BITS} bits"
    if not isinstance(value, str):
        return ""
    allowed = "\t\n" if field.metadata["form"] == "lines" else ""
    if any(letter in CONTROLS and letter not in allowed for letter in value):
        return "one line without control characters"
    names = (
        value.encode("utf-8", "surrogatepass").split(b"/")
        if field.metadata["form"] == "path"
        else []
    )
    if sum(map(len, names)) + len(names) > LONGEST_PATH or any(
        len(n) > LONGEST_NAME for n in names
    ):
        return f"a path of at most {LONGEST_PATH} bytes, {LONGEST_NAME} for each name in it"
    return "" if len(value) <= LONGEST_TEXT else f"at most {LONGEST_TEXT} characters long"


def shown(value: Any) -> str:
    r"""Return any parsed value as JSON in ASCII for a message, shortened where it is long.

    >>> shown(["a", True, float("nan")]), shown("a" * 100)[-6:]
    ('["a", true, NaN]', 'aaa...')
    """
    try:
        text = json.dumps(value, default=str)
    except (ValueError, RecursionError):  # a number of thousands of digits; nested a thousand deep
        return "one too long to show"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def key_text(name: str) -> str:
    """Return a key or section for a message: as it is, or as :func:`shown` where that is odd."""
    return name if name.isidentifier() and name.isascii() and len(name) < SHOWN else shown(name)


def _nearest(key: str, fields: Mapping[str, Any]) -> str:
    """Return the end of a message that names the key most like *key* among many."""
    if len(fields) <= FEW_KEYS or len(key) > SHOWN:
        return ""
    import difflib  # noqa: PLC0415 - only once somebody has mistyped

    near = difflib.get_close_matches(key, fields, 1)
    return f"; the nearest is {near[0]}" if near else ""


def read_section(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """Build the settings dataclass *cls* from a parsed table.

    A key that it does not have is a typo, and refused. *where*: how messages begin, e.g.
    ``edge.toml: [gate]``. Raises ConfigError.
    """
    fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, cls))}
    for key in table:
        if key not in fields:
            name = repr(key) if key_text(key) == key else shown(key)
            keys = f"{', '.join(fields)}{_nearest(key, fields)}"
            raise ConfigError(f"{where} has no key {name}; its keys are {keys}")
    return cls(
        **{key: check_field(f"{where} {key}", fields[key], value) for key, value in table.items()}
    )


def help_text(settings: type[Any], key: str, default: Any = None) -> str:
    """Return the help of the command-line option that sets *key* of a settings dataclass.

    It is the field's own sentence with the default: *default*, where the command has one of its
    own, or else the field's. A percent sign is doubled, as argparse wants it.
    """
    field = settings.__dataclass_fields__[key]
    shown = field.default if default is None else default
    said = f"{shown:g}" if isinstance(shown, float) else str(shown)
    words: str = field.metadata["sentence"] + ("" if shown is False else f" (default {said})")
    return words.replace("%", "%%")


def toml_value(value: Any) -> str:
    r"""Write a scalar, or a tuple of values, as TOML 1.0.

    A text becomes a basic string. JSON escapes what TOML forbids in one, but for DEL. Raises
    ConfigError for a text that TOML cannot hold: the bytes of a file's name that are not UTF-8,
    which Python keeps as lone surrogates.

    >>> print(toml_value(("a\x7f", 1.5, True)))
    ["a\u007F", 1.5, true]
    """
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ConfigError(f"{value!r}: must be UTF-8 to stand in a TOML file; rename it")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def sample_section(name: str, settings: Any) -> str:
    """Write one commented TOML section with every key.

    *settings*: a settings dataclass, for its defaults, or one made from it, for its values.
    """
    lines = [*comment((settings.__doc__ or "").strip().splitlines()[0]), f"[{name}]"]
    for field in dataclasses.fields(settings):
        bounds = bound_text(field)
        live = " [reload]" if field.metadata["live"] else ""
        lines += comment(field.metadata["sentence"] + (f" ({bounds})" if bounds else "") + live)
        lines.append(f"{field.name} = {toml_value(getattr(settings, field.name))}")
    return "\n".join(lines) + "\n"


def comment(text: str) -> list[str]:
    """Return *text* as the lines of a TOML comment of at most 100 columns."""
    return textwrap.wrap(
        text, 100, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
