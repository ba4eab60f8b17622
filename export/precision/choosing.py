"""Choose how many layers are quantized: as many as leave the decisions alone, by prediction.

The pictures to choose by are not those of the gate, so that its judgement stays one on pictures
that nothing was fitted to.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onnx import ModelProto

from export.precision.gate import MOST_LOST, Pair
from export.precision.int8 import Layer, within

BUDGETS = (math.inf, 0.08, 0.04, 0.02, 0.01, 0.005)
"""Damage allowed to all quantized layers together, in logits, from the fastest to the most careful.
0.04 of a logit is a hundredth of a score near a half."""
WINDOW = 0.1
"""How far from the threshold on either side crossings are counted."""
MOST_GAINED = 0.2
"""Rejected pictures of the gate that may be expected to pass; with so many, four gates of five are
passed."""


@dataclass(frozen=True)
class Expected:
    """How many decisions of the gate's pictures are expected to change: *gained*, *lost*."""

    gained: float
    lost: float
    passes: float

    @classmethod
    def of(cls, pairs: Sequence[Pair], threshold: float, pictures: int) -> "Expected":
        """Predict for so many *pictures* from the *pairs* of others.

        A pair changes its decision at every threshold between its two scores. Counted over all
        thresholds within :data:`WINDOW` of the model's, few pictures tell what takes many at one.
        """
        low, high = max(0.0, threshold - WINDOW), min(1.0, threshold + WINDOW)

        def crossed(begin: float, end: float) -> float:
            return max(0.0, min(end, high) - max(begin, low)) / (high - low)

        scale = pictures / max(1, len(pairs))
        gained = sum(crossed(pair.exact.score, pair.other.score) for pair in pairs)
        lost = sum(crossed(pair.other.score, pair.exact.score) for pair in pairs)
        passes = sum(pair.exact.decision == "pass" for pair in pairs)
        return cls(scale * gained, scale * lost, scale * passes)

    @property
    def is_good(self) -> bool:
        """Whether the gate is likely to be passed."""
        return self.gained <= MOST_GAINED and self.lost <= MOST_LOST / 2 * self.passes


@dataclass(frozen=True)
class Choice:
    """The graph chosen, its quantized layers, and what is expected of it."""

    model: ModelProto
    layers: tuple[Layer, ...]
    expected: Expected


def choose(
    found: Sequence[Layer],
    make: Callable[[Sequence[Layer]], ModelProto],
    expect: Callable[[ModelProto], Expected],
    tell: Callable[[str], None],
) -> Choice | None:
    """Return the fastest choice that is likely to pass the gate, else the most careful one.

    *make*: quantizes layers; *expect*: predicts for a graph; *tell*: is told of each choice. None
    when no layer can be quantized within any budget.
    """
    choice, before = None, list[Layer]()
    for budget in BUDGETS:
        chosen = within(found, budget)
        if not chosen or chosen == before:
            continue
        before, model = chosen, make(chosen)
        choice = Choice(model, tuple(chosen), expect(model))
        cost = sum(layer.cost for layer in chosen) / sum(layer.cost for layer in found)
        tell(
            f"int8 in {len(chosen)} of {len(found)} layers, {cost:.0%} of their work: expected "
            f"{choice.expected.gained:.2g} rejects to pass, {choice.expected.lost:.2g} passes lost"
        )
        if choice.expected.is_good:
            break
    return choice
