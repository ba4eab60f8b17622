"""Compare speeds in one run: one call of each in turn.

So whatever else the machine does hits all alike. What counts is the processor time of the calling
thread: all that is measured runs on one thread, and waiting for other programs is no part of it.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

WARM_UP = 5
Times = Mapping[str, Sequence[float]]
"""Milliseconds of each call, round by round."""


@dataclass(frozen=True)
class Ratio:
    """How long one call takes in times of another: median over the rounds, and quartiles."""

    median: float
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.lower:.3f} to {self.upper:.3f})"


def interleaved(calls: Mapping[str, Callable[[int], object]], rounds: int) -> Times:
    """Time each call in each of *rounds* rounds, after a few that do not count.

    Each call is given the number of the round, so that all see the same picture in the same round.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for number in tqdm(range(-WARM_UP, rounds), "latency", unit="round", mininterval=1.0):
        for name, call in calls.items():
            started = time.thread_time_ns()
            call(number)
            if number >= 0:
                spent[name].append((time.thread_time_ns() - started) / 1e6)
    return spent


def medians(times: Times) -> dict[str, float]:
    """Median milliseconds of each call."""
    return {name: statistics.median(spent) for name, spent in times.items()}


def ratio(times: Times, name: str, other: str) -> Ratio:
    """Return the ratio of two calls, taken within each round.

    >>> ratio({"ours": [2.0, 3.0, 9.0], "peer": [4.0, 6.0, 6.0]}, "ours", "peer")
    Ratio(median=0.5, lower=0.5, upper=1.0)
    """
    ratios = [a / b for a, b in zip(times[name], times[other], strict=True)]
    if len(ratios) == 1:
        return Ratio(*ratios * 3)
    lower, median, upper = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(median, lower, upper)
