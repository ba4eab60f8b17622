"""The gate's file of debts: any bytes are debts that fit into messages, or nothing."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from edge.gate.debts import parse_debts
from edge.gate.messages import Missed, decode, encode
from tests.fuzz.fuzzing import Fuzzer

WORDS = (
    "debts", "run", "boot_id", "owed", "t_ns", "why", "seen_as", "passed", "settled", "incident",
    "what", "tag", "recorded", "beyond",
)  # fmt: skip


def any_value() -> SearchStrategy[Any]:
    """What a line may hold, and what it may not."""
    return st.one_of(
        st.integers(-2, 2**64),
        st.sampled_from(["1-2", "12-34", "", "a\nb", "\u202e", "x" * 500]),
        st.text(st.characters(codec="utf-8"), max_size=9),
        st.none(),
        st.floats(),
        st.lists(st.integers(), max_size=2),
        st.just({}),
    )


def any_file() -> SearchStrategy[bytes]:
    """Lines of a file of debts with anything in them, or bytes."""
    entries = st.dictionaries(st.sampled_from(WORDS), any_value(), max_size=7)
    lines = st.one_of(entries.map(lambda entry: json.dumps(entry).encode()), st.binary(max_size=20))
    return st.lists(lines, max_size=9).map(b"\n".join)


def parse(content: bytes) -> None:
    """Whatever is owed can be said to the eye as it is."""
    owed = parse_debts(content)
    for item in owed.items.values():
        told = Missed(item.tag, item.t_ns, item.why, item.run, item.seen_as)
        assert decode(encode(told)) == told
    for incident in owed.incidents.values():
        assert decode(encode(incident)) == incident
    assert owed.beyond >= 0


FUZZER = Fuzzer("the gate's debts", any_file(), parse)


def test_debts_of_any_content_are_read_or_passed_over() -> None:
    """No bytes crash the next gate."""
    FUZZER.short()
