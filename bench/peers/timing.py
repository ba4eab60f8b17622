"""Compare speeds in one run: one call of each in turn.

So whatever else the machine does hits all alike.
"""

import statistics
import time
from collections.abc import Callable, Mapping

from tqdm import tqdm

WARM_UP = 5


def interleaved(calls: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each call over *rounds* rounds, after a few that do not count.

    Each call is given the number of the round, so that all see the same picture in the same round.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for number in tqdm(range(-WARM_UP, rounds), "latency", unit="round", mininterval=1.0):
        for name, call in calls.items():
            started = time.perf_counter_ns()
            call(number)
            if number >= 0:
                spent[name].append((time.perf_counter_ns() - started) / 1e6)
    return {name: statistics.median(times) for name, times in spent.items()}
