"""Learning-rate range test: raise the learning rate step by step and see where the loss falls.

Source: Smith, *Cyclical Learning Rates for Training Neural Networks* (2017), section 3.3.
"""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edge.errors import InputError, UsageError
from edge.files import write_atomic
from train.learn.dataset import load_batches
from train.learn.trainer import Trainer, take_step
from train.paint.inputs import Inputs

LOWEST, HIGHEST = 1e-5, 1.0
"""The learning rates that are tried, from the first to the last."""
SMOOTHING = 0.9
"""Share of the past in the smoothed loss."""
BLOWN_UP = 4.0
"""The sweep ends when the smoothed loss is this many times its best: the rest tells nothing."""
LEAST_STEPS = 20
EDGE = 5
"""Points at either end that no suggestion is taken from: half the neighbours of a slope there are
missing."""
SUFFIXES = (".png", ".svg", ".pdf")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sweep:
    """The learning rate, loss and smoothed loss of each step, in order."""

    rates: Floats
    losses: Floats
    smoothed: Floats

    @classmethod
    def of(cls, rates: list[float], losses: list[float]) -> "Sweep":
        """Smooth *losses* (exponential moving average with bias correction)."""
        mean, smoothed = 0.0, []
        for number, loss in enumerate(losses, 1):
            mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
            smoothed.append(mean / (1 - SMOOTHING**number))
        return cls(np.array(rates), np.array(losses), np.array(smoothed))


def sweep(inputs: Inputs, steps: int, after_step: Callable[[int, float], bool]) -> Sweep:
    """Train for at most *steps* steps while the learning rate rises evenly on a log scale.

    *after_step*: called with the number and the learning rate of each step, ends the sweep by
    returning True. Raises InputError when it ended before anything could be seen.
    """
    config = inputs.config
    torch.manual_seed(config.fit.seed)
    torch.set_num_threads(1)
    trainer = Trainer.fresh(config)
    batches = load_batches(inputs.kit, config.fit, len(config.classes), 0)
    rates: list[float] = []
    losses: list[float] = []
    for rate in np.geomspace(LOWEST, HIGHEST, steps):
        try:
            loss = take_step(trainer, config.fit, next(batches), float(rate))[0]
        except InputError:  # not a number any more: so a sweep ends
            break
        rates.append(float(rate))
        losses.append(loss)
        smoothed = Sweep.of(rates, losses).smoothed
        if after_step(len(rates), float(rate)) or smoothed[-1] > BLOWN_UP * smoothed.min():
            break
    if len(rates) < LEAST_STEPS:
        raise InputError(
            f"lr-find: ended after {len(rates)} steps, too few to see a slope; give it more --steps"
        )
    return Sweep.of(rates, losses)


def suggest(found: Sweep) -> float:
    """Return the learning rate at which the smoothed loss falls fastest, on its log scale.

    >>> rates = np.geomspace(1e-5, 1, 101)
    >>> losses = 1 / (1 + (rates / 1e-3))
    >>> round(suggest(Sweep(rates, losses, losses)), 4)
    0.001
    """
    worst = int(np.argmin(found.smoothed)) + 1  # behind the least loss it only rises
    last = max(EDGE + 2, min(worst, len(found.rates) - EDGE))
    slopes = np.gradient(found.smoothed, np.log(found.rates))[EDGE:last]
    return float(found.rates[EDGE + int(np.argmin(slopes))])


def check_plot(path: Path) -> None:
    """Check, before the sweep, that the plot can be made.

    Raises UsageError for another file type, ModuleNotFoundError without matplotlib.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--out {path}: must end in {', '.join(SUFFIXES)}; rename it")
    import matplotlib.figure  # noqa: F401, PLC0415 - an extra of its own


def plot(found: Sweep, rate: float, path: Path) -> None:
    """Write a plot of the loss over the learning rate, atomically; *rate*: the suggestion.

    Raises InputError.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra of its own

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.semilogx(found.rates, found.losses, color="#b9c4d0", linewidth=1, label="each step")
    axes.semilogx(found.rates, found.smoothed, color="#14508c", linewidth=2, label="smoothed")
    axes.axvline(rate, color="#b3261e", linestyle="--", label=f"falls fastest at {rate:.2g}")
    top = float(np.percentile(found.losses, 95))
    axes.set_ylim(0.0, top * 1.2 if math.isfinite(top) and top > 0 else None)
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss")
    axes.legend()
    file = io.BytesIO()
    figure.savefig(file, format=path.suffix.lower().lstrip("."), dpi=120)
    write_atomic(path, file.getvalue())
