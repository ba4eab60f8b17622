"""The settings of a run on the desktop: --set, and the configuration that a checkpoint holds."""

import argparse
import dataclasses
import json

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from edge.errors import StampgateError
from tests.fuzz.fuzzing import Fuzzer
from train.commands.configuration import NAMED, config_of
from train.config import FitSettings, RunConfig, SynthSettings

CONFIG = RunConfig((("ok", "/marks/seal.png"),), "/photographs")
KEYS = [field.name for kind in (SynthSettings, FitSettings) for field in dataclasses.fields(kind)]
ODD = ("1" + "0" * 308, "1" + "0" * 4400, "[" * 9000, "NaN", "-Infinity", "1e999", "null", "{}")


def values() -> SearchStrategy[str]:
    """What may stand behind the equals sign of --set."""
    plain = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
        max_leaves=5,
    )
    return st.one_of(st.sampled_from(ODD), plain.map(json.dumps), st.text(max_size=9))


def texts() -> SearchStrategy[tuple[str, str]]:
    """--set KEY=VALUE, or a checkpoint's configuration with a part of it exchanged."""
    whole = json.loads(CONFIG.to_json())
    paths = [(key,) for key in whole] + [("fit", key) for key in whole["fit"]]

    def exchanged(given: tuple[tuple[str, ...], str]) -> str:
        raw = json.loads(CONFIG.to_json())
        place = raw
        for key in given[0][:-1]:
            place = place[key]
        place[given[0][-1]] = "@"
        return json.dumps(raw).replace('"@"', given[1], 1)

    key = st.one_of(st.sampled_from(KEYS), st.text(max_size=4))
    return st.one_of(
        st.tuples(st.just("set"), st.tuples(key, values()).map("=".join)),
        st.tuples(st.just("json"), st.tuples(st.sampled_from(paths), values()).map(exchanged)),
        st.tuples(st.just("json"), values()),
    )


def one_line(error: StampgateError) -> None:
    """What is said is one line, and can be seen."""
    assert str(error).isprintable(), str(error)


def read(given: tuple[str, str]) -> None:
    """Read it as the commands do."""
    kind, text = given
    try:
        if kind == "json":
            RunConfig.from_json(text)
        else:
            names = dict.fromkeys((*NAMED, "backgrounds", "lookalike"))
            config_of(argparse.Namespace(mark=["seal.png"], set=[text], **names))
    except StampgateError as error:
        one_line(error)


FUZZER = Fuzzer("run settings", texts(), read)


def test_the_settings_of_a_run_are_read_or_refused_in_one_line() -> None:
    """On the command line and in a checkpoint of another hand."""
    FUZZER.short()
