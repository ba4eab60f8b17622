import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from bench.census.counting import census
from bench.layouts import layouts
from edge.vision.localizer import Localizer
from export.precision.calibration import ranges, shown_to_network
from export.precision.float16 import halved
from export.precision.int8 import Damage, layers, measured, quantized
from tests.export.precision.small_graph import SMALL, opened, rough, small_graph
from tests.tiny_model import CONTRACT, paint, write_tiny_model

BATCHES = [rough(number, count) for number, count in ((1, 1), (2, 2), (3, 1))]


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    """The float graph, which no test changes."""
    return small_graph()


def test_the_first_convolution_and_the_answer_s_stay_in_float(model: onnx.ModelProto) -> None:
    """Three of six may be quantized; a depthwise one counts as many multiplications."""
    found = layers(model, SMALL)
    names = ["depthwise.weight", "pointwise.weight", "last.weight"]
    assert [layer.weight for layer in found] == names
    costs = [24 * 24 * 72 * 16, 24 * 24 * 64, 12 * 12 * 576]
    assert [layer.cost * 1e6 for layer in found] == pytest.approx(costs)


def test_ranges_are_those_of_all_batches_together(model: onnx.ModelProto) -> None:
    """What goes into the first convolution is the picture less the mean, to the last digit."""
    found = ranges(model, BATCHES)
    pictures = np.concatenate([batch.ravel() for batch in BATCHES]).astype(np.float32) - 120
    assert found["x"] == (pictures.min(), pictures.max())
    assert found["depthwise.Relu"][0] == 0
    assert set(found) >= {"first", "depthwise", "pointwise", "last", "heat_logits", "log_sides"}


def weights(model: onnx.ModelProto) -> Mapping[str, np.ndarray]:
    """The constants of a graph by name."""
    return {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}


def test_weights_are_signed_symmetric_and_scaled_by_channel(model: onnx.ModelProto) -> None:
    """Activations unsigned, by tensor; picture in, heat and sides out are as before."""
    made = quantized(model, ranges(model, BATCHES), layers(model, SMALL))
    found = weights(made)
    for name in ("depthwise", "pointwise", "last"):
        assert found[f"{name}.weight_quantized"].dtype == np.int8
        assert not found[f"{name}.weight_zero_point"].any()
        assert found[f"{name}.weight_scale"].shape == (8,)
    assert found["depthwise.Relu_zero_point"].dtype == np.uint8
    for name in ("first", "heat_logits", "log_sides"):
        assert found[f"{name}.weight"].dtype == np.float32
    assert [v.type.tensor_type.elem_type for v in made.graph.input] == [TensorProto.UINT8]
    assert [v.type.tensor_type.elem_type for v in made.graph.output] == [TensorProto.FLOAT] * 2


def test_quantizing_twice_gives_the_same_bytes_and_leaves_the_float_graph_alone(
    model: onnx.ModelProto,
) -> None:
    """An export is repeatable."""
    before, known = model.SerializeToString(), ranges(model, BATCHES)
    onnx.checker.check_model(quantized(model, known, layers(model, SMALL)))
    once, again = (
        quantized(model, known, layers(model, SMALL)).SerializeToString(deterministic=True)
        for _ in range(2)
    )
    assert once == again
    assert model.SerializeToString() == before


@pytest.mark.parametrize("layout", list(layouts()))
def test_every_quantized_layer_runs_in_8_bits_in_each_layout(
    model: onnx.ModelProto, layout: str, tmp_path: Path
) -> None:
    """A layer whose fusion is lost would stand there as Conv between DequantizeLinear."""
    path = tmp_path / "m.onnx"
    for count in (1, 3):
        chosen = layers(model, SMALL)[:count]
        onnx.save(quantized(model, ranges(model, BATCHES), chosen), path)
        found = census(path, layouts()[layout])
        assert found["QLinearConv"] == count
        floats = sum(n for name, n in found.items() if "Conv" in name and "QLinear" not in name)
        assert floats == 6 - count
        if count == 3:
            assert not found["Relu"]


def test_answers_stay_near_and_damage_tells_how_near(model: onnx.ModelProto) -> None:
    """Each layer by itself does less than all together; the float graph does none."""
    known, damage = ranges(model, BATCHES), Damage(SMALL, opened(model), BATCHES)
    assert damage.of(model) == 0
    told: list[None] = []
    found = list(measured(model, known, layers(model, SMALL), damage, lambda: told.append(None)))
    together = damage.of(quantized(model, known, found))
    assert len(told) == 3
    assert all(0 < layer.damage < together for layer in found)
    assert together < 0.2


def test_a_model_that_finds_nothing_likely_cannot_be_measured(model: onnx.ModelProto) -> None:
    """There would be no cell to compare."""
    grey = np.full((1, 96, 96, 3), 120, np.uint8)
    dull = onnx.ModelProto.FromString(model.SerializeToString())
    bias = next(c for c in dull.graph.initializer if c.name == "heat_logits.bias")
    bias.CopyFrom(numpy_helper.from_array(np.array([-9.0], np.float32), bias.name))
    with pytest.raises(ValueError, match="likely"):
        Damage(SMALL, opened(dull), [grey])


def test_calibration_is_shown_what_the_box_shows_the_network(tmp_path: Path) -> None:
    """First looks prepared, second looks zoomed, as many at once as there are likely marks."""
    contract = dataclasses.replace(CONTRACT, second_side=32, second_px=24)
    path = write_tiny_model(tmp_path / "m.onnx", contract)
    marked = paint({"dot": [(16, 24), (40, 24)]}, 128, 64, 8)
    batches = shown_to_network(Localizer(path), [marked, paint({})])
    assert [batch.shape for batch in batches] == [(1, 64, 64, 3), (2, 32, 32, 3), (1, 64, 64, 3)]
    assert (batches[0][0, :16] == 114).all()


def test_half_precision_keeps_picture_and_answer(model: onnx.ModelProto) -> None:
    """Weights in 16 bits but the first convolution's; answers to a thousandth."""
    before = model.SerializeToString()
    made = halved(model)
    onnx.checker.check_model(made)
    assert model.SerializeToString() == before
    found = weights(made)
    assert found["last.weight"].dtype == np.float16
    assert found["first.weight"].dtype == np.float32
    pictures = rough(5, 2)
    pairs = zip(opened(model).infer(pictures), opened(made).infer(pictures), strict=True)
    for exact, other in pairs:
        assert other.dtype == np.float32
        assert 0 < np.abs(exact - other).max() < 5e-3
