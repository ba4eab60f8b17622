import math

import onnx
import pytest

from export.precision import choosing
from export.precision.choosing import Expected, choose
from export.precision.gate import Judged, Pair
from export.precision.int8 import Layer, within

LAYERS = [
    Layer("a", "a.weight", 10.0, 0.12),
    Layer("b", "b.weight", 100.0, 0.01),
    Layer("c", "c.weight", 1.0, 0.03),
]


def test_layers_that_save_most_for_their_damage_come_first() -> None:
    """Damages add up by their squares; one that does not fit leaves room for the next."""
    assert [layer.node for layer in within(LAYERS, math.inf)] == ["b", "c", "a"]
    assert [layer.node for layer in within(LAYERS, 0.04)] == ["b", "c"]
    assert [layer.node for layer in within(LAYERS, 0.02)] == ["b"]
    assert within(LAYERS, 0.005) == []


def pair(exact: float, other: float) -> Pair:
    """A picture with these scores, judged at 0.5."""

    def judged(score: float) -> Judged:
        return Judged("pass" if score >= 0.5 else "reject", score, (None,))

    return Pair("stamped", judged(exact), judged(other))


def test_crossings_are_counted_at_every_threshold_near_the_model_s() -> None:
    """One that moves up by a tenth of the window, one down by a twentieth; far away none counts."""
    pairs = [pair(0.42, 0.44), pair(0.55, 0.54), pair(0.9, 0.7), pair(0.1, 0.3)]
    found = Expected.of(pairs, 0.5, 40)
    assert (found.gained, found.lost, found.passes) == pytest.approx((1.0, 0.5, 20.0))
    assert not found.is_good


def test_what_moves_nothing_is_good() -> None:
    """However many pictures."""
    assert Expected.of([pair(0.42, 0.42), pair(0.9, 0.9)], 0.5, 2000).is_good


def chosen_of(good_at: int) -> tuple[list[int], list[str], choosing.Choice | None]:
    """Choose where so many layers or fewer are good: sizes tried, lines told, the choice."""
    tried, told = list[int](), list[str]()

    def make(layers: object) -> onnx.ModelProto:
        tried.append(len(list(layers)))  # type: ignore[call-overload]
        return onnx.ModelProto()

    def expect(_model: onnx.ModelProto) -> Expected:
        return Expected(0.0 if tried[-1] <= good_at else 5.0, 0.0, 100.0)

    return tried, told, choose(LAYERS, make, expect, told.append)


def test_the_fastest_choice_that_is_good_is_taken() -> None:
    """No smaller one is made, and none twice."""
    tried, told, choice = chosen_of(2)
    assert tried == [3, 2]
    assert len(told) == 2
    assert choice is not None
    assert [layer.node for layer in choice.layers] == ["b", "c"]


def test_where_none_is_good_the_most_careful_one_goes_to_the_gate() -> None:
    """The gate says what it is worth."""
    tried, _, choice = chosen_of(0)
    assert tried == [3, 2, 1]
    assert choice is not None
    assert [layer.node for layer in choice.layers] == ["b"]


def test_where_no_layer_can_be_quantized_there_is_no_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each suffers more than any budget allows."""
    monkeypatch.setattr(choosing, "BUDGETS", (0.005,))
    assert choose(LAYERS, lambda _: onnx.ModelProto(), lambda _: Expected(0, 0, 0), print) is None
