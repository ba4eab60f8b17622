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
from typing import Any, TypeVar

from edge.errors import ConfigError

T = TypeVar("T")


def setting(
    default: Any,
    sentence: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] | None = None,
    live: bool = False,
) -> Any:
    """Declare one field of a settings dataclass.

    *default*: its value when nothing is said, a scalar, a tuple of scalars of one type, or ``()``
    for a list of any number of texts; *sentence*: what it is, with the unit; *above*, *at_least*,
    *at_most*: bounds for a number (for each member of a tuple); *choices*: the words allowed;
    *live*: whether a service that runs can take a change.
    """
    bounds = {"above": above, "at_least": at_least, "at_most": at_most, "choices": choices}
    return dataclasses.field(
        default=default, metadata={"sentence": sentence, "live": live, **bounds}
    )


def bound_text(field: "dataclasses.Field[Any]") -> str:
    """Return a field's bounds in words, e.g. ``above 0 and at most 1``; empty when it has none."""
    meta = field.metadata
    if meta.get("choices"):
        return "one of " + ", ".join(meta["choices"])
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
        math.isfinite(value)
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
    if not _matches(value, field.default):
        raise ConfigError(
            f"{where} must be {_kind(field.default)}, not {json.dumps(value, default=str)}; "
            "correct it there"
        )
    members = value if isinstance(field.default, tuple) else (value,)
    if not all(_within(field, member) for member in members):
        raise ConfigError(
            f"{where} must be {bound_text(field)}, not {json.dumps(value)}; correct it there"
        )
    if field.default == ():
        return tuple(value)
    if isinstance(field.default, tuple):
        return tuple(type(d)(v) for v, d in zip(value, field.default, strict=True))
    return float(value) if isinstance(field.default, float) else value


def read_section(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """Build the settings dataclass *cls* from a parsed table.

    A key that it does not have is a typo, and refused. *where*: how messages begin, e.g.
    ``edge.toml: [gate]``. Raises ConfigError.
    """
    fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, cls))}
    for key in table:
        if key not in fields:
            raise ConfigError(f"{where} has no key {key!r}; its keys are {', '.join(fields)}")
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
