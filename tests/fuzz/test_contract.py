"""The contract's reader: whatever the text, a contract that can be honoured or one refusal."""

import contextlib
import json
import math
from typing import Any

from hypothesis import strategies as st

from edge.errors import ModelError
from edge.vision.contract import MOST_SIDE, Contract, is_class_name
from tests.fuzz.fuzzing import Fuzzer
from tests.tiny_model import CONTRACT, two_classes

FIELDS: dict[str, Any] = json.loads(two_classes().to_json())
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, 1, 10**400, -(10**400), 2**64, 8, 64, 4096])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=80)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
CHANGED = st.dictionaries(
    st.one_of(st.sampled_from(sorted(FIELDS)), st.text(max_size=12)), VALUES, max_size=3
).map(lambda changes: json.dumps({**FIELDS, **changes}))


ODD = ("NaN", "Infinity", "[", "{", '"', "1e999", "\\ud800", ",", "9" * 50)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A good text with some letters cut out and others put in."""
    text = CONTRACT.to_json()
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 6))
        put = draw(st.one_of(st.sampled_from(ODD), st.text(max_size=4)))
        text = text[:at] + put * draw(st.sampled_from([1, 1, 2, 5000])) + text[at + length :]
    return text


def read(text: str) -> None:
    """Read a contract, and hold it to what the box relies on."""
    with contextlib.suppress(ModelError):
        contract = Contract.from_json(text)
        assert 0.0 < contract.threshold < 1.0
        assert 0.0 <= contract.second_from < 1.0
        assert math.isfinite(contract.second_weight)
        assert 32 <= min(contract.input_width, contract.input_height) <= MOST_SIDE
        assert max(contract.input_width, contract.input_height, contract.second_side) <= MOST_SIDE
        assert all(map(is_class_name, contract.classes))
        assert Contract.from_json(contract.to_json()) == contract


FUZZER = Fuzzer("contract", st.one_of(CHANGED, edited(), st.text(), VALUES.map(json.dumps)), read)


def test_a_contract_is_read_or_refused() -> None:
    """What is read can be honoured."""
    FUZZER.short()
