"""Find a good step size: let it grow from tiny to huge and see where the loss falls fastest.

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
"""The step sizes that are tried, from the first to the last."""
SMOOTHING = 0.9
"""Share of the past in the smoothed loss."""
BLOWN_UP = 4.0
"""The sweep ends when the smoothed loss is this many times its best: the rest would teach nothing."""
LEAST_STEPS = 20
EDGE = 5
"""Points at either end that no suggestion is taken from: a slope there is made of half the
neighbours."""
SUFFIXES = (".png", ".svg", ".pdf")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sweep:
    """What was tried: *rates*, *losses* and *smoothed* have one number for each step, in order."""

    rates: Floats
    losses: Floats
    smoothed: Floats

    @classmethod
    def of(cls, rates: list[float], losses: list[float]) -> "Sweep":
        """Smooth *losses* (exponential mean, corrected for its start)."""
        mean, smoothed = 0.0, []
        for number, loss in enumerate(losses, 1):
            mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
            smoothed.append(mean / (1 - SMOOTHING**number))
        return cls(np.array(rates), np.array(losses), np.array(smoothed))


def sweep(inputs: Inputs, steps: int, said: Callable[[int, float], bool]) -> Sweep:
    """Train for at most *steps* steps whose size grows evenly on a log scale.

    *said*: told the step and its size after each, ends the sweep when it answers True. Raises
    InputError when it ended before anything could be seen.
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
        except InputError:  # no number any more: that is what the end of a sweep looks like
            break
        rates.append(float(rate))
        losses.append(loss)
        smoothed = Sweep.of(rates, losses).smoothed
        if said(len(rates), float(rate)) or smoothed[-1] > BLOWN_UP * smoothed.min():
            break
    if len(rates) < LEAST_STEPS:
        raise InputError(
            f"lr-find: ended after {len(rates)} steps, too few to see a slope; give it more --steps"
        )
    return Sweep.of(rates, losses)


def suggest(found: Sweep) -> float:
    """The step size at which the smoothed loss falls fastest, against the logarithm of the size.

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
    """See to it before the sweep that the plot can be made. Raises UsageError, or
    ModuleNotFoundError.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--out {path}: must end in {', '.join(SUFFIXES)}; rename it")
    import matplotlib.figure  # noqa: F401, PLC0415 - an extra of its own


def plot(found: Sweep, rate: float, path: Path) -> None:
    """Draw loss against step size with the suggestion *rate*, whole or not at all. Raises
    InputError.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra of its own

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.semilogx(found.rates, found.losses, color="#b9c4d0", linewidth=1, label="each step")
    axes.semilogx(found.rates, found.smoothed, color="#14508c", linewidth=2, label="smoothed")
    axes.axvline(rate, color="#b3261e", linestyle="--", label=f"falls fastest at {rate:.2g}")
    top = float(np.percentile(found.losses, 95))
    axes.set_ylim(0.0, top * 1.2 if math.isfinite(top) and top > 0 else None)
    axes.set_xlabel("step size (learning_rate)")
    axes.set_ylabel("training loss")
    axes.legend()
    file = io.BytesIO()
    figure.savefig(file, format=path.suffix.lower().lstrip("."), dpi=120)
    write_atomic(path, file.getvalue())
