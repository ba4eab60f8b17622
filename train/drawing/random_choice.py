"""Random choice from a list: uniform, or by weight."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Thing = TypeVar("Thing")


def pick(things: Sequence[Thing], rng: np.random.Generator) -> Thing:
    """Return one of the things, each equally likely; repeat one to make it likelier."""
    return things[int(rng.integers(len(things)))]


def pick_weighted(table: Sequence[tuple[Thing, float]], rng: np.random.Generator) -> Thing:
    """Return one thing of a table of (thing, weight); the weights need not sum to 1."""
    weights = np.array([weight for _, weight in table])
    return table[int(rng.choice(len(table), p=weights / weights.sum()))][0]
