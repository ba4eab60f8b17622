"""A short sweep of damaged model files: every one is refused."""

import collections
from pathlib import Path

import pytest

from bench.damage import damages
from edge.errors import ModelError
from edge.vision.model_file import examine
from tests.tiny_model import CONTRACT, sealed


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
