import math
import tomllib
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.settings import (
    comment,
    help_text,
    read_section,
    sample_section,
    setting,
    toml_value,
)


@dataclass(frozen=True)
class Sample:
    """One field of each kind."""

    speed: float = setting(1.5, "Belt speed in m/s", above=0, at_most=10)
    count: int = setting(3, "How many", at_least=1)
    on: bool = setting(True, "Whether")
    off: bool = setting(False, "Whether 5 % suffice")
    mode: str = setting("a", "Which", choices=("a", "b"))
    pair: tuple[int, int] = setting((1, 2), "Two", at_least=0)
    names: tuple[str, ...] = setting((), "Any number of names")


def test_the_sample_is_the_defaults() -> None:
    """Reading the printed sample gives the same settings."""
    table = tomllib.loads(sample_section("sample", Sample))["sample"]
    assert read_section(Sample, table, "x") == Sample()
    assert set(table) == {"speed", "count", "on", "off", "mode", "pair", "names"}


def test_values_take_the_type_of_their_default() -> None:
    """A whole number will do for a float, a list is a tuple."""
    read = read_section(Sample, {"speed": 2, "pair": [3, 4], "names": ["x", "y"]}, "x")
    assert (read.speed, read.pair, read.names) == (2.0, (3, 4), ("x", "y"))
    assert isinstance(read.speed, float)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"speed": 0}, "f: [s] speed must be above 0 and at most 10, not 0; correct it there"),
        (
            {"speed": float("nan")},
            "f: [s] speed must be above 0 and at most 10, not NaN; correct it there",
        ),
        ({"speed": "1"}, 'f: [s] speed must be a number, not "1"; correct it there'),
        ({"count": 1.5}, "f: [s] count must be a whole number, not 1.5; correct it there"),
        ({"count": True}, "f: [s] count must be a whole number, not true; correct it there"),
        ({"on": 1}, "f: [s] on must be true or false, not 1; correct it there"),
        ({"mode": "c"}, 'f: [s] mode must be one of a, b, not "c"; correct it there'),
        (
            {"pair": [1]},
            "f: [s] pair must be a list of 2, each a whole number, not [1]; correct it there",
        ),
        ({"pair": [1, -1]}, "f: [s] pair must be at least 0, not [1, -1]; correct it there"),
        ({"names": "x"}, 'f: [s] names must be a list of texts, not "x"; correct it there'),
        ({"names": [1]}, "f: [s] names must be a list of texts, not [1]; correct it there"),
        (
            {"sped": 1},
            "f: [s] has no key 'sped'; its keys are speed, count, on, off, mode, pair, names",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_bounds(table: dict[str, Any], message: str) -> None:
    """The message is the whole line a technician needs."""
    with pytest.raises(ConfigError) as caught:
        read_section(Sample, table, "f: [s]")
    assert str(caught.value) == message


@given(
    st.one_of(
        st.booleans(),
        st.integers(-(2**62), 2**62),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        st.text(st.characters(max_codepoint=0xA0)),
    )
)
@example('DEL \x7f, NUL \0, tab \t, line end \r\n, quote " and backslash \\')
@example(math.inf)
@example(-math.inf)
@example(("rig\x7f.png", "b"))
def test_any_value_survives_toml(value: object) -> None:
    """Every character that Unicode has, control characters among them; big and tiny numbers."""
    wanted = list(value) if isinstance(value, tuple) else value
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": wanted}


def test_a_text_that_no_toml_can_hold_is_refused() -> None:
    """A file's name that is not UTF-8 would make a file that nobody can write, let alone read."""
    with pytest.raises(ConfigError, match=r"'rig\\udcff\.png': must be UTF-8 .*; rename it"):
        toml_value("rig\udcff.png")


def test_comments_of_a_sample_are_wrapped_at_100_columns() -> None:
    """A technician reads them in a terminal; no word is lost."""
    words = " ".join(f"word{n}" for n in range(40))
    lines = comment(words)
    assert len(lines) > 1
    assert max(map(len, lines)) <= 100
    assert " ".join(line.removeprefix("# ") for line in lines) == words


def test_the_help_of_an_option_is_the_sentence_of_its_field() -> None:
    """With the field's default, or the command's own; a switch that is off needs none."""
    assert help_text(Sample, "speed") == "Belt speed in m/s (default 1.5)"
    assert help_text(Sample, "speed", 2.0) == "Belt speed in m/s (default 2)"
    assert help_text(Sample, "off") == "Whether 5 %% suffice"
