"""The settings of the box: any bytes are settings, or one line."""

from pathlib import Path

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from edge.config import SECTIONS, config_from, sample
from edge.errors import ConfigError, StampgateError
from edge.reload import changes
from edge.settings_file import parse_toml
from edge.wiring import check_gate, gate_warnings
from tests.fuzz.fuzzing import Fuzzer

WHERE = Path("/tmp/edge.toml")
KEYS = sorted({key for kind in SECTIONS.values() for key in kind.__dataclass_fields__})
ODD = (
    "1" + "0" * 308, "1" + "0" * 4300, "0x" + "f" * 4000, "1e308", "1e309", "inf", "-inf", "nan",
    "true", "0o7", "[" * 900, "{a=" * 400, "[[1]]", "2026-11-30", "12:00:00", "'''x'''", "{}",
    '"\\u0000"', '"\\u202e"', '"\\ud800"', '"a/b"', '"' + "a" * 300 + '"', "[]", '["a", "b"]',
)  # fmt: skip


def any_value() -> SearchStrategy[str]:
    """Anything that can stand behind the equals sign, and more."""
    numbers = st.one_of(st.integers(), st.floats()).map(repr)
    texts = st.text(st.characters(codec="utf-8"), max_size=9).map(lambda text: f'"{text}"')
    return st.one_of(st.sampled_from(ODD), numbers, texts)


def any_line() -> SearchStrategy[str]:
    """A heading, a key with a value, or noise."""
    names = st.one_of(st.sampled_from(KEYS), st.text(max_size=5), st.just("a.b"))
    return st.one_of(
        st.sampled_from(sorted(SECTIONS)).map("[{}]".format),
        st.tuples(names, any_value()).map(" = ".join),
        st.text(max_size=9),
    )


def any_file() -> SearchStrategy[bytes]:
    """Lines of a settings file, the sample with bytes changed, or bytes."""
    lines = st.lists(any_line(), max_size=12).map("\n".join)
    whole = st.tuples(st.sampled_from(sorted(SECTIONS)), st.sampled_from(KEYS), any_value())
    one = whole.map("[{0[0]}]\n{0[1]} = {0[2]}\n".format)
    encodings = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32"])
    texts = st.tuples(st.one_of(lines, one), encodings).map(
        lambda given: given[0].encode(given[1], "replace")
    )
    where = st.integers(0, len(sample()))
    changed = st.tuples(where, st.binary(max_size=4), st.integers(0, 4)).map(
        lambda cut: sample().encode()[: cut[0]] + cut[1] + sample().encode()[cut[0] + cut[2] :]
    )
    return st.one_of(texts, changed, st.binary(max_size=60))


def one_line(error: StampgateError) -> None:
    """What is said is one line, and can be seen."""
    assert str(error).isprintable(), str(error)


def read(content: bytes) -> None:
    """Read a settings file as a service does, and use what it holds."""
    try:
        config = config_from(parse_toml(content, str(WHERE)), WHERE)
        check_gate(config)
    except ConfigError as error:
        one_line(error)
        return
    assert len(config.checksum()) == 64
    assert changes(config, config) == {}
    gate_warnings(config)
    for path in (config.journal.file, config.evidence.folder, config.gate.socket):
        config.path(path).exists()


FUZZER = Fuzzer("settings", any_file(), read)


def test_settings_are_read_or_refused_in_one_line() -> None:
    """Whatever an editor, a script or a broken disk has made of them."""
    FUZZER.short()
