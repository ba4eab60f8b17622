import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.vision.assessed import Assessed
from edge.vision.contract import VERSION, Contract, is_class_name
from tests.tiny_model import CONTRACT

LATER = ("version", "assessed", "second_offset", "mark_px")
"""The fields that a file may lack: the first has a message of its own, the others came later."""

sides = st.integers(1, 40).map(lambda n: 32 * n)
names = st.lists(
    st.text(min_size=1, max_size=20).filter(is_class_name), min_size=1, max_size=5, unique=True
).map(tuple)
contracts = st.builds(
    Contract,
    version=st.just(VERSION),
    input_width=sides,
    input_height=sides,
    resize=st.just("letterbox"),
    colour=st.just("rgb"),
    strides=st.just((8,)),
    classes=names,
    threshold=st.floats(0, 1, exclude_min=True, exclude_max=True),
    second_side=st.just(96),
    second_px=st.integers(1, 96),
    second_from=st.floats(0, 1, exclude_max=True),
    second_weight=st.floats(0, 100),
    second_offset=st.integers(0, 4),
    mark_px=st.sampled_from([(), (18.7, 249.6), (5.0, 5.0)]),
    run_digest=st.text(alphabet="0123456789abcdef", min_size=64, max_size=64),
)


@given(contracts)
def test_what_is_written_is_read_back(contract: Contract) -> None:
    """Class names in any script, thresholds to the last bit."""
    assert Contract.from_json(contract.to_json()) == contract


def changed(**values: Any) -> str:
    """The text of a good contract with some values replaced."""
    return json.dumps({**json.loads(CONTRACT.to_json()), **values})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "contract: must be a JSON text"),
        ("[1]", "contract: must be a JSON text with one object, each key once, not '[1]'"),
        (changed(version=1), "version must be 2, not 1; export the model"),
        (changed(version=True), "version must be 2, not True"),
        (changed(anchors=[1]), "field 'anchors' is unknown to version 2"),
        (changed(threshold="high"), "field threshold has the wrong type: 'high'"),
        (changed(threshold=1.5), "threshold must be between 0 and 1"),
        (changed(input_width=100), "input_width and input_height must be multiples of 32"),
        (changed(classes=[]), "classes must be 1 to 1024 different names"),
        (changed(classes=["a", "a"]), "classes must be 1 to 1024 different names"),
        (changed(classes=[1]), "field classes has the wrong type"),
        (changed(resize="stretch"), "resize must be letterbox"),
        (changed(colour="bgr"), "colour must be rgb"),
        (changed(strides=[16]), "strides must be"),
        (changed(second_side=100), "second_side must be 0, or a multiple of 16, at least 32"),
        (changed(second_side=16), "second_side must be 0, or a multiple of 16, at least 32"),
        (
            changed(second_side=96, second_px=97),
            "second_px must be at least 1 and at most second_side",
        ),
        (changed(second_px=0), "second_px must be at least 1 and at most second_side"),
        (changed(second_from=1.0), "second_from must be at least 0 and below 1"),
        (changed(second_weight=-1.0), "second_weight must be at least 0"),
        (changed()[:-1] + ', "threshold": 1e-9}', "the key 'threshold' stands twice"),
        (changed(threshold=0.0), "threshold must be between 0 and 1"),
        (changed(threshold=1), "threshold must be between 0 and 1"),
        (changed(threshold=float("nan")), "NaN is no number"),
        (changed(second_weight=float("inf")), "Infinity is no number"),
        (changed().replace("2.0", "1e999"), "1e999 is too large a number"),
        (changed(second_weight=1e6), "second_weight must be at least 0 and at most 1000"),
        (changed(input_width=32 * 10**6), "at least 32 and at most 4096"),
        (changed().replace('"input_width": 64', f'"input_width": {"6" * 5000}'), "5000 digits"),
        (changed(second_side=16 * 10**6), "at least 32 and at most 4096"),
        (changed(second_px=10**9), "second_px must be at least 1"),
        (changed(run_digest="0" * 63 + "g"), "run_digest must be 64 hexadecimal digits"),
        ("[" * 60_000, "nested too deep"),
        (changed(strides=[[8]]), "field strides has the wrong type"),
        (changed(classes=["L" * 70_000]), "must be at most 65536"),
        (changed(classes=["L" * 65]), "letters that can be seen"),
        (changed(classes=[""]), "letters that can be seen"),
        (changed(classes=[" dot"]), "letters that can be seen"),
        (changed(classes=["dot\npass   fake.jpg"]), "letters that can be seen"),
        (changed(classes=["\x1b[2J"]), "letters that can be seen"),
        (changed(classes=["\u202edot"]), "letters that can be seen"),
        (changed(classes=["a\ud800b"]), "letters that can be seen"),
        (changed(classes=["a\0b"]), "letters that can be seen"),
    ],
)
def test_a_contract_that_cannot_be_honoured_is_refused(text: str, message: str) -> None:
    """Each in one line that names the field."""
    with pytest.raises(ModelError) as caught:
        Contract.from_json(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "field",
    [f.name for f in dataclasses.fields(Contract) if f.name not in LATER],
)
def test_a_missing_field_is_named(field: str) -> None:
    """There are no defaults: the box must not guess what a model wants."""
    raw = json.loads(CONTRACT.to_json())
    del raw[field]
    with pytest.raises(ModelError, match=f"field {field} is missing"):
        Contract.from_json(json.dumps(raw))


def test_a_file_of_an_earlier_release_has_the_mark_in_the_middle() -> None:
    """Its answers stay what its golden pictures say."""
    raw = json.loads(CONTRACT.to_json())
    del raw["second_offset"]
    assert Contract.from_json(json.dumps(raw)).two_look_plan.second_offset == 0
    raw["second_offset"] = 5
    with pytest.raises(ModelError, match="second_offset must be at least 0 and at most 4"):
        Contract.from_json(json.dumps(raw))


def test_the_sizes_of_marks_are_two_rising_numbers_or_none() -> None:
    """A file of an earlier release has none."""
    raw = json.loads(CONTRACT.to_json())
    del raw["mark_px"]
    assert Contract.from_json(json.dumps(raw)).mark_px == ()
    for wrong in ([18.7], [0.0, 20.0], [30.0, 20.0], [1.0, 2.0, 3.0], [5.0, 1e9]):
        with pytest.raises(ModelError, match="mark_px must be empty, or two rising numbers"):
            Contract.from_json(changed(mark_px=wrong))


ASSESSED = Assessed(False, True, (31, 100), (0, 652), (1, 100))


def test_what_the_assessment_found_comes_back_and_files_without_it_are_as_before() -> None:
    """An older file's text is written again letter for letter."""
    told = dataclasses.replace(CONTRACT, assessed=ASSESSED)
    assert Contract.from_json(told.to_json()) == told
    assert "assessed" not in CONTRACT.to_json()
    assert Contract.from_json(CONTRACT.to_json()).to_json() == CONTRACT.to_json()


def test_only_a_model_that_is_not_ready_is_trouble() -> None:
    """The line says what it finds and what to do; of no photographs nothing is known."""
    assert "finds 31 of 100 painted marks): train it longer" in ASSESSED.trouble
    ready = dataclasses.replace(ASSESSED, ready=True, photographs=(0, 0))
    assert ready.trouble == ""
    assert "an unknown number of photographs" in ready.words


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ready": 1}, "wrong type"),
        ({"anyway": None}, "wrong type"),
        ({"marks": [1.5, 2]}, "wrong type"),
        ({"marks": [True, 2]}, "wrong type"),
        ({"marks": [1]}, "wrong type"),
        ({"photographs": [2, 1]}, "so many of so many"),
        ({"photographs": [-1, 1]}, "so many of so many"),
        ({"lookalikes": [0, 10**9]}, "so many of so many"),
        ({"more": 1}, "must have the fields"),
    ],
)
def test_a_summary_that_cannot_be_true_is_refused(changed: dict[str, Any], message: str) -> None:
    """Each in one line: nobody can fill a box's memory by it, or say more than was counted."""
    raw = json.loads(CONTRACT.to_json())
    raw["assessed"] = ASSESSED.as_object() | changed
    with pytest.raises(ModelError, match=message):
        Contract.from_json(json.dumps(raw))
    raw["assessed"] = [1]
    with pytest.raises(ModelError, match="must have the fields"):
        Contract.from_json(json.dumps(raw))
