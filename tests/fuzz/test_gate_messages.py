"""The messages between eye and gate, in both directions: whatever the bytes, read or refused."""

import json
from dataclasses import fields
from typing import Any, get_args

from hypothesis import strategies as st

from edge.gate.messages import (
    GREATEST,
    LONGEST,
    TEXT_KEPT,
    VERSION,
    Answered,
    Beaten,
    FromEye,
    FromGate,
    Hello,
    Incident,
    decode,
    encode,
)
from edge.printing import printable
from tests.fuzz.fuzzing import Fuzzer

KINDS = (*get_args(FromEye), *get_args(FromGate))
WORDS = ["seen", *(kind.__name__.lower() for kind in KINDS)]
KEYS = sorted({field.name for kind in KINDS for field in fields(kind)} | {"say", "else"})
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([-1, 0, 1, VERSION, GREATEST, GREATEST + 1, 2**64, 10**20, -(10**4000)]),
    st.floats(),
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=30),  # lone surrogates among them
    st.sampled_from(["", "\n", "\0", "\x1b[2J", "\u202e", "x" * 401, "photo-eye"]),
)
SCALARS = st.one_of(NUMBERS, TEXTS, st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=70)
    ),
    max_leaves=8,
)
PAIRS = st.lists(
    st.tuples(st.sampled_from(KEYS), st.one_of(SCALARS, VALUES)), max_size=6
)  # a key may come twice


def written(word: Any, pairs: list[tuple[str, Any]]) -> bytes:
    """Write a message as JSON, whatever is wrong with it."""
    written = [f"{json.dumps(key)}: {json_of(value)}" for key, value in [("say", word), *pairs]]
    return ("{" + ", ".join(written) + "}").encode()


def json_of(value: Any) -> str:
    """JSON with numbers of any length, which json.dumps refuses to write."""
    if isinstance(value, int) and abs(value) > GREATEST * 4:
        return "-1" + "0" * (value.bit_length() // 3)
    return (
        json.dumps(value) if not isinstance(value, dict | list) else json.dumps(value, default=str)
    )


def right(draw: st.DrawFn) -> bytes:
    """A message that is right."""
    return encode(draw(MESSAGES))


NAMES = st.from_regex("[a-z][a-z_]{0,39}", fullmatch=True)
MESSAGES: st.SearchStrategy[FromEye | FromGate] = st.one_of(
    st.builds(Hello, st.integers(0, GREATEST), TEXTS),
    st.builds(Answered, st.integers(0, GREATEST), TEXTS),
    st.builds(Incident, *[st.integers(0, GREATEST), TEXTS, *[st.integers(0, 9)] * 2, TEXTS]),
    st.builds(Beaten, st.dictionaries(NAMES, st.integers(0, GREATEST), max_size=9), TEXTS),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A right message, of which some bytes are others, missing, or there twice."""
    message = bytearray(right(draw))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(message) - 1))
        message[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
        if not message:
            break
    return bytes(message)


DATAGRAMS = st.one_of(
    st.builds(written, st.one_of(st.sampled_from(WORDS), VALUES), PAIRS),
    damaged(),
    st.builds(
        bytes.__mul__,
        st.sampled_from([b"[", b'{"say":', b"9", b" ", b"\xff"]),
        st.integers(0, LONGEST),
    ),
    st.binary(max_size=60),
)


def read(datagram: bytes) -> None:
    """Read it; what is taken has every bound, and comes out again as it is."""
    message: FromEye | FromGate | None = None
    refusal = ""
    try:
        message = decode(datagram)
    except ValueError as error:
        refusal = str(error)
    assert printable(refusal) == refusal
    assert len(refusal) < 2000
    if message is None:
        assert refusal
        return
    for value in vars(message).values():
        if isinstance(value, str):
            assert len(value) <= TEXT_KEPT
            assert printable(value) == value
        elif isinstance(value, dict):
            assert all(type(n) is int and 0 <= n <= GREATEST for n in value.values())
        else:
            assert type(value) is bool or 0 <= value <= GREATEST
    again = encode(message)
    assert decode(again) == message


FUZZER = Fuzzer("gate messages", DATAGRAMS, read)


def test_a_message_is_read_or_refused() -> None:
    """Whatever is wrong with it, and the refusal is one printable line."""
    FUZZER.short()


def test_what_is_said_is_always_taken() -> None:
    """What our own code encodes is never refused at the other end, whatever texts are in it."""
    Fuzzer("", MESSAGES, lambda message: decode(encode(message))).short()
