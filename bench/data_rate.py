"""Measure the pictures a second of training as it is, and of the network alone.

Run from the project's root: ``python -m bench.data_rate``. Both are measured in one run and in
turn: *as it is*, with painters and network sharing the cores, as ``stampgate train`` works; and
*the network alone*, on the first batches of the same run kept in memory and repeated, while the
painters are halted. Their ratio says how busy the painters keep the network. Nothing is written.

Before that the painters paint for a while with nobody training: they keep the products that they
have painted and the photographs that they have read, so the first two or three minutes of a run
cost them twice what all later ones do.
"""

import argparse
import contextlib
import itertools
import multiprocessing
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from tqdm import tqdm

from bench.command import answer
from edge.errors import UsageError
from train.commands.configuration import add_inputs, config_of
from train.config import FitSettings
from train.learn.dataset import Batch, load_batches
from train.learn.distributed import cores_here
from train.learn.trainer import Trainer, train_step
from train.paint.inputs import Inputs, read_inputs

MARK = "artwork/qc-tested.png"
AHEAD = 5
"""Batches that each painter may have ready or in hand, as ``load_batches`` lets it: they are used
up before the clock starts, as they were painted while nobody asked."""
WARM_UP_S = 45.0
"""Then each of two painters has nearly all of its 150 products and of a few hundred photographs."""
SHARE = 0.5
"""All steps are taken as if at this share of a run; the speed does not depend on it."""
WANTED = 0.9
"""Least ratio that is asked for on 2 cores."""


@dataclass(frozen=True)
class Lap:
    """One stretch of training: *seconds* in all, of which *waited* for batches."""

    pictures: int
    seconds: float
    waited: float

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.pictures / self.seconds


Laps = tuple[Lap, Lap]
"""A round: training as it is, and the network alone."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.data_rate", description=(__doc__ or "").split("\n\n")[0]
    )
    add_inputs(parser)
    add = parser.add_argument
    add(
        "--seconds",
        type=float,
        default=60.0,
        metavar="S",
        help="time that counts (default %(default)g)",
    )
    add(
        "--warm-up",
        type=float,
        default=WARM_UP_S,
        metavar="S",
        help="time that the painters have to themselves first (default %(default)g)",
    )
    add(
        "--rounds",
        type=int,
        default=5,
        metavar="N",
        help="rounds that it is shared out to (default %(default)s)",
    )
    return parser


def lap(
    batches: Iterator[Batch], step: Callable[[Batch], object], group: int, seconds: float
) -> Lap:
    """Train for *seconds* or a little longer.

    Always on a whole number of groups of *group* batches.

    So every lap has the same mixture of windows and whole frames.
    """
    begun, waited, pictures = time.monotonic(), 0.0, 0
    while True:
        for _ in range(group):
            asked = time.monotonic()
            batch = next(batches)
            waited += time.monotonic() - asked
            step(batch)
            pictures += len(batch.pictures)
        spent = time.monotonic() - begun
        if spent >= seconds:
            return Lap(pictures, spent, waited)


@contextlib.contextmanager
def halted(processes: Sequence[int]) -> Iterator[None]:
    """Stop the processes of these ids while the block runs (SIGSTOP, SIGCONT).

    They go on where they were.
    """
    try:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def group_of(fit: FitSettings) -> int:
    """Batches after which the mixture of windows and whole frames repeats."""
    return fit.whole_every if fit.window < fit.size else 1


def measure(inputs: Inputs, seconds: float, rounds: int, warm_up: float = 0.0) -> list[Laps]:
    """Train as it is and the network alone, in turn, *seconds* in all.

    Which comes first changes from round to round.

    *warm_up*: seconds for which the painters paint before that.

    Raises InputError, or UsageError when the configuration asks for what is not there.
    """
    config = inputs.config
    torch.manual_seed(config.fit.seed)
    torch.set_num_threads(1)  # each replica of the network has a core, as in a run
    trainer = Trainer.fresh(config)
    batches = load_batches(inputs.kit, config.fit, len(config.classes), 0)
    step = partial(_step, trainer, inputs)
    group = group_of(config.fit)
    painters = [process.pid for process in multiprocessing.active_children() if process.pid]
    until = time.monotonic() + warm_up
    while time.monotonic() < until:
        next(batches)
    kept: list[Batch] = []
    groups = -(-AHEAD * max(1, len(painters)) // group)
    for _ in tqdm(range(groups * group), "warming up", unit="batch"):
        batch = next(batches)
        step(batch)
        kept.append(Batch(*(tensor.clone() for tensor in batch.tensors())))
    again, each, laps = itertools.cycle(kept), seconds / (2 * rounds), list[Laps]()
    for number in tqdm(range(rounds), "measuring", unit="round"):
        first = lap(batches, step, group, each) if number % 2 == 0 else None
        with halted(painters):
            alone = lap(again, step, group, each)
        laps.append((first or lap(batches, step, group, each), alone))
    return laps


def _step(trainer: Trainer, inputs: Inputs, batch: Batch) -> None:
    train_step(trainer, inputs.config, batch, SHARE)


def report(laps: Sequence[Laps], fit: FitSettings, command: str) -> str:
    """The medians over the rounds as a small table, with the command that measures again."""
    ratios = [whole.rate / alone.rate for whole, alone in laps]
    ratio, waited = (
        statistics.median(ratios),
        statistics.median(whole.waited / whole.seconds for whole, _ in laps),
    )
    rates = [statistics.median(part.rate for part in parts) for parts in zip(*laps, strict=True)]
    said = "reached" if ratio >= WANTED else "not reached"
    cores = cores_here()
    painted = f"{cores} cores, {min(fit.workers, cores)} painters"
    sides = f"windows of {fit.window} px and whole frames of {fit.size} px"
    shown = f"{fit.network}, batch {fit.batch}, {sides}"
    waiting = f"{waited:.0%} of the time spent waiting for pictures"
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
    return "\n".join(
        (
            f"{'':<22}pictures/s",
            f"{'training as it is':<22}{rates[0]:>10.1f}   {waiting}",
            f"{'the network alone':<22}{rates[1]:>10.1f}",
            f"{'ratio':<22}{ratio:>10.3f}   {spread}; at least {WANTED:g}: {said}",
            f"medians of {len(laps)} rounds in turn; {painted}; {shown}",
            f"again: {command}",
        )
    )


def measure_all(arguments: argparse.Namespace, command: str) -> int:
    """Check, measure and print what *command* asks for. Raises UsageError or InputError."""
    if arguments.seconds <= 0 or arguments.rounds < 1 or arguments.warm_up < 0:
        raise UsageError(
            "--seconds must be above 0, --rounds at least 1 and --warm-up at least 0; change them"
        )
    arguments.mark = arguments.mark or [MARK]
    inputs = read_inputs(config_of(arguments))
    laps = measure(inputs, arguments.seconds, arguments.rounds, arguments.warm_up)
    print(report(laps, inputs.config.fit, command))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; a problem of the user's is one line on stderr and an exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser().parse_args(given)
    return answer(
        "data_rate", lambda: measure_all(arguments, " ".join(["python -m bench.data_rate", *given]))
    )


if __name__ == "__main__":
    sys.exit(main())
