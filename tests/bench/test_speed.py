import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bench.layouts import layouts
from bench.speed.__main__ import contract_for, main, variants_table
from bench.speed.posed import LIKELY, Posed, marks_in
from bench.speed.variants import (
    OURS,
    VARIANTS,
    coarse_stem,
    lean,
    network,
    separable,
    small_kernels,
)
from edge.vision.model_file import read_model
from tests.paths import ROOT
from tests.tiny_model import CONTRACT, paint, write_tiny_model
from train.network.model import DenseLocalizer


def parts_of(net: DenseLocalizer, kind: str) -> int:
    """The number of parts of that kind."""
    return sum(type(part).__name__ == kind for part in net.modules())


@pytest.mark.parametrize("name", list(VARIANTS))
def test_a_variant_answers_in_the_shape_of_ours(name: str) -> None:
    """Whatever is replaced, there is a score and a box for each cell of 8 x 8 pixels."""
    net = VARIANTS[name]().eval()
    with torch.no_grad():
        heat, sides = net(torch.zeros(1, 64, 96, 3, dtype=torch.uint8))
    assert (heat.shape, sides.shape) == ((1, 1, 8, 12), (1, 4, 8, 12))


def test_variants_replace_what_their_names_say() -> None:
    """Every hard-swish, squeeze-and-excite, large kernel and dense convolution of the head."""
    ours, changed = network(), lean(network())
    for kind in ("Hardswish", "SqueezeExcitation"):
        assert parts_of(ours, kind) > 0
        assert parts_of(changed, kind) == 0
    kernels = {
        m.kernel_size for m in small_kernels(network()).modules() if isinstance(m, nn.Conv2d)
    }
    assert (5, 5) not in kernels
    assert all(m.groups > 1 or m.kernel_size == (1, 1) for m in convolutions(separable(network())))
    (first, *_) = (m for m in coarse_stem(network()).modules() if isinstance(m, nn.Conv2d))
    assert (first.stride, first.kernel_size) == ((4, 4), (6, 6))
    assert next(iter(VARIANTS)) == OURS


def convolutions(net: DenseLocalizer) -> list[nn.Conv2d]:
    """Those of the head and behind the pyramid's sums."""
    parts = (net.tower, net.smooth8, net.smooth16)
    return [m for part in parts for m in part.modules() if isinstance(m, nn.Conv2d)]


@pytest.mark.parametrize("entries", layouts().values(), ids=list(layouts()))
def test_a_posed_localizer_looks_twice_whatever_its_weights_answer(
    entries: dict[str, str], tmp_path: Path
) -> None:
    """On a grey picture there is nothing to find; both likely marks get a second look."""
    contract = dataclasses.replace(
        CONTRACT, input_width=416, input_height=416, second_side=112, second_px=88
    )
    model = write_tiny_model(tmp_path / "m.onnx", contract)
    posed = Posed.unproven(model, read_model(model).content, contract, entries)
    found = posed.find(paint({}, 640, 480))
    assert len(found) == LIKELY
    assert np.count_nonzero(marks_in((2, 1, 14, 14))) == 2


def test_the_contract_is_that_of_a_training_with_defaults() -> None:
    """Two looks, and the size asked for."""
    contract = contract_for(416)
    assert (contract.input_width, contract.input_height) == (416, 416)
    assert contract.second_side > 0


def test_the_table_shows_the_middle_of_the_repeats_and_their_spread() -> None:
    """Three runs: ratios of 0.5, 0.4 and 0.6."""
    runs = [{"x86": {"graph_ms": {OURS: [ours], "YOLO26n": [10.0]}}} for ours in (5.0, 4.0, 6.0)]
    row = variants_table(runs, [OURS], ["YOLO26n"])
    assert " ".join(row.split()) == f"x86 {OURS} 5.00 ms 0.500 of YOLO26n (0.400 to 0.600)"


@pytest.mark.parametrize("wrong", [["--size", "400"], ["--rounds", "0"], ["--repeats", "0"]])
def test_bad_input_is_one_line(
    wrong: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is made before."""
    monkeypatch.chdir(ROOT)
    assert main([*wrong, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "change them" in error
    assert not (tmp_path / "out").exists()
