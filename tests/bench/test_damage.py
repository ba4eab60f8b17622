"""A short sweep of damaged model files: every one is refused."""

import collections
from pathlib import Path

import pytest

from bench.damage import damages, every_bit
from edge.errors import ModelError
from edge.vision.model_file import examine
from export.sealing import seal
from tests.tiny_model import CONTRACT, build, golden_pictures, sealed


def test_no_damaged_model_runs() -> None:
    """Random bytes, zeroed sectors, every bit of contract and sum, cut and longer files.

    A bit of the model's text, such as its threshold, is as good as one of its weights.
    """
    whole, tried = sealed(CONTRACT), collections.Counter[str]()
    examine(Path("whole.onnx"), whole)
    for damage in damages(whole, 200, 40, 20, seed=1):
        tried[damage.kind] += 1
        assert damage.content != whole, damage.where
        with pytest.raises(ModelError, match=r"^m\.onnx: "):
            examine(Path("m.onnx"), damage.content)
    assert tried["random byte"] == 200
    assert tried["zeroed sector"] == 40
    assert tried["bit of stampgate.contract"] > 8 * len(CONTRACT.to_json())
    assert tried["bit of stampgate.sum"] > 8 * 64


def test_the_bits_of_a_text_are_those_of_the_text_alone() -> None:
    """An exported model's document string names the contract, far before it."""
    model = build(CONTRACT)
    model.doc_string = "see stampgate.contract"
    whole = seal(model, CONTRACT, golden_pictures(CONTRACT))
    bits = sum(1 for _ in every_bit(whole, "stampgate.contract"))
    assert 8 * len(CONTRACT.to_json()) < bits < 8 * (len(CONTRACT.to_json()) + 40)
