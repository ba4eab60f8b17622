import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.gate import messages as link
from edge.gate.messages import (
    GREATEST,
    LONGEST,
    Answer,
    Beat,
    Beaten,
    FromEye,
    FromGate,
    Hello,
    ItemSeen,
    Missed,
    decode,
    encode,
)
from edge.printing import printable

TEXTS, NUMBERS = st.text(max_size=60).map(printable), st.integers(0, GREATEST)
NAMES = st.from_regex("[a-z][a-z_]{0,39}", fullmatch=True)
MESSAGES = st.one_of(
    st.builds(Hello, NUMBERS, TEXTS),
    st.builds(Answer, NUMBERS, st.booleans()),
    st.builds(Missed, NUMBERS, NUMBERS, TEXTS),
    st.builds(Beat, TEXTS),
    st.builds(Beaten, st.dictionaries(NAMES, NUMBERS, max_size=5), TEXTS),
)


@given(MESSAGES)
def test_what_is_said_is_heard(message: FromEye | FromGate) -> None:
    """Any number, any text, any counters."""
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes) -> None:
    """ValueError with a text, whatever the bytes."""
    with pytest.raises(ValueError, match="a message must"):
        decode(noise)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]", "must say one of"),
        ("7", "must say one of"),
        ('{"say": "shout"}', "must say one of hello, expect, answer"),
        ('{"tag": 1, "cancel": true}', "must say one of"),
        ('{"say": "answer", "tag": 1}', "answer must hold"),
        ('{"say": "answer", "tag": 1, "cancel": true, "why": ""}', "answer must hold"),
        ('{"say": "answer", "tag": 1, "cancel": 1}', "answer must hold"),
        ('{"say": "answer", "tag": true, "cancel": true}', "answer must hold"),
        ('{"say": "answer", "tag": 1.0, "cancel": true}', "answer must hold"),
        ('{"say": "answer", "tag": NaN, "cancel": true}', "answer must hold"),
        ('{"say": "answer", "tag": "1", "cancel": true}', "answer must hold"),
        ('{"say": "beaten", "counters": {"a": 0.5}, "trouble": ""}', "beaten must hold"),
        ("[" * 5000, "must be JSON"),
        (
            '{"say": "answer", "tag": ' + "9" * 5000 + ', "cancel": true}',
            "must hold numbers of 0 to",
        ),
        (" " * (LONGEST + 1), "at most 8192 bytes"),
    ],
)
def test_a_message_is_exactly_right_or_refused(text: str, complaint: str) -> None:
    """A word, its keys and no other, each of its type: what is nearly a pass is none."""
    with pytest.raises(ValueError, match=complaint):
        decode(text.encode())


def test_a_long_text_is_cut_so_that_every_message_fits() -> None:
    """A trouble may be anything; four bytes a character at worst, escaped to twelve."""
    message = encode(
        Beaten(dict.fromkeys(("triggers", "thrown", "missed"), 10**12), "\U0001f4a9" * 5000)
    )
    assert len(message) < LONGEST
    assert isinstance(decode(message), Beaten)


def test_a_message_on_the_wire_is_plain_json() -> None:
    """Any program can read along."""
    assert json.loads(encode(ItemSeen(7, 12))) == {"say": "seen", "tag": 7, "t_ns": 12}
    assert link.VERSION == 4
