"""Batches of painted pictures; batch number *b* of a run is the same whatever process paints it."""

import atexit
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from edge.errors import InputError, StampgateError
from edge.vision.contract import STRIDE
from train.config import FitSettings
from train.learn.distributed import cores_here
from train.network.losses import encode
from train.paint.real_photographs import real_picture
from train.paint.synth import Kit, Picture, paint_twins
from train.stopping import end_with_parent


@dataclass(frozen=True)
class Batch:
    """Pictures and their targets.

    *pictures*: (n, side, side, 3) uint8 RGB; *heat*: (n, classes, rows, columns); *care*, *weight*:
    (n, rows, columns); *sides*: (n, 4, rows, columns); all but the first float32. The meaning of
    each target is in :class:`train.network.losses.Target`.
    """

    pictures: Tensor
    heat: Tensor
    care: Tensor
    sides: Tensor
    weight: Tensor

    def tensors(self) -> tuple[Tensor, ...]:
        """Return all five, in order."""
        return self.pictures, self.heat, self.care, self.sides, self.weight

    def to(self, device: torch.device) -> "Batch":
        """Return the same on another device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self.tensors()))

    def split(self, parts: int) -> "list[Batch]":
        """Return at most *parts* about equal parts, each of at least two pictures."""
        parts = max(1, min(parts, len(self.pictures) // 2))
        pieces = zip(*(tensor.tensor_split(parts) for tensor in self.tensors()), strict=True)
        return [Batch(*piece) for piece in pieces]


def plan_batch(fit: FitSettings, number: int, world: int = 1) -> tuple[int, int]:
    """Return the side in pixels and the number of pictures of batch *number*.

    Whole frames come in smaller batches. *world*: how many processes train together; the batch is
    that of all of them.
    """
    count = fit.batch * world
    if fit.window >= fit.size:
        return fit.size, count
    if number % fit.whole_every == fit.whole_every - 1:
        return fit.size, max(2 * world, round(count * (fit.window / fit.size) ** 2))
    return fit.window, count


def paint_batch(
    kit: Kit, fit: FitSettings, number: int, rank: int = 0, world: int = 1
) -> list[Picture]:
    """Paint the pictures that process *rank* of *world* has of batch *number*.

    They are painted as twins, each pair from a seed of its own; of the last pair of an odd number,
    one is left out. Where there are labelled photographs of real marks, one of them takes the place
    of a painted picture with the chance ``real_share``. Raises InputError.
    """
    side, count = plan_batch(fit, number, world)
    own = [int(index) for index in np.array_split(np.arange(count), world)[rank]]
    chosen = {index: real_or_none((fit.seed, number, index, 1), kit, fit, side) for index in own}
    pairs = {index // 2 for index, real in chosen.items() if real is None}  # no others are painted
    painted = {
        pair: paint_twins(np.random.default_rng((fit.seed, number, pair)), kit, side)
        for pair in sorted(pairs)
    }
    return [real or painted[index // 2][index % 2] for index, real in chosen.items()]


def first_pictures(kit: Kit, fit: FitSettings, count: int) -> list[Picture]:
    """Return at most *count* of the first pictures trained on, in the order of their batches.

    Three quarters are of the first batch of windows, a quarter of the first one of whole frames.
    """
    frames = fit.whole_every - 1
    wanted = {0: count * 3 // 4, frames: count // 4} if frames else {0: count}
    return [p for number, most in wanted.items() for p in paint_batch(kit, fit, number)[:most]]


def real_or_none(seed: tuple[int, ...], kit: Kit, fit: FitSettings, side: int) -> Picture | None:
    """Return a square picture of one of the kit's real photographs, or None to have one painted.

    *side*: in pixels. The chance of a real one is ``real_share``. Raises InputError when the
    photograph cannot be read.
    """
    if not kit.real:
        return None
    rng = np.random.default_rng(seed)
    if rng.random() >= fit.real_share:
        return None
    labelled = kit.real[int(rng.integers(len(kit.real)))]
    return real_picture(rng, labelled, side, fit.size, kit.settings)


def collate(pictures: list[Picture], classes: int) -> Batch:
    """Stack painted pictures of one size with their targets."""
    side = pictures[0].pixels.shape[0]
    targets = [
        encode(p.marks, p.ignored, classes, side // STRIDE, side // STRIDE) for p in pictures
    ]
    return Batch(
        torch.from_numpy(np.stack([p.pixels for p in pictures])),
        torch.from_numpy(np.stack([t.heat for t in targets])),
        torch.from_numpy(np.stack([t.care for t in targets])),
        torch.from_numpy(np.stack([t.sides for t in targets])),
        torch.from_numpy(np.stack([t.weight for t in targets])),
    )


Sent = tuple[NDArray[Any], ...] | StampgateError
"""What a painter sends: the arrays of a batch in the order of its fields, or why there are none."""


class PaintedBatches(IterableDataset[Sent]):
    """Endless batches from number *first* on, dealt to the DataLoader's workers in turn.

    They are arrays, which go through a pipe: tensors would go through ``/dev/shm``, which has 64 MB
    in a container and is then full, and the painter dies of it.
    """

    def __init__(
        self,
        make_kit: Callable[[], Kit],
        fit: FitSettings,
        classes: int,
        first: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """Paint with a kit that each worker makes for itself: processes share nothing."""
        self.make_kit, self.fit, self.classes, self.first = make_kit, fit, classes, first
        self.rank, self.world = rank, world

    def __iter__(self) -> Iterator[Sent]:
        """Yield the batches of this worker, in order; an error is the last thing it yields."""
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        try:
            kit, number = self.make_kit(), self.first + worker
            while True:
                batch = collate(self.paint(kit, number), self.classes)
                yield tuple(tensor.numpy() for tensor in batch.tensors())
                number += workers
        except StampgateError as error:  # raised in a worker, it would come with its traceback
            yield error

    def paint(self, kit: Kit, number: int) -> list[Picture]:
        """Paint this process's pictures of batch *number*. Raises InputError."""
        return paint_batch(kit, self.fit, number, self.rank, self.world)


def _init_worker(_worker: int) -> None:
    """Run a painting process on one thread, at low priority, and deaf to SIGINT and SIGTERM.

    The trainer alone answers Ctrl-C and torchrun's SIGTERM, and ends its workers; if it is killed,
    they end by themselves.
    """
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.nice(10)  # a step waits for its slowest replica: a painter must not push one aside


def _kill_workers() -> None:
    """Kill painting processes that an error has left, before Python waits for them.

    It would end them, its daemons, by SIGTERM, which they do not heed, and wait for ever. Other
    children of this process are not ours to kill.
    """
    for process in multiprocessing.active_children():
        if process.daemon:
            process.kill()


@contextlib.contextmanager
def _painters_deaf() -> Iterator[None]:
    """Let the processes that start in the block inherit SIGINT and SIGTERM blocked.

    A painter that is only starting does not ignore them yet, and Ctrl-C, which goes to all, would
    end it and the training with it.
    """
    # It unblocks both when it starts (CPython 3.11), so it must have started before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def load_batches(
    make_kit: Callable[[], Kit],
    fit: FitSettings,
    classes: int,
    first: int,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Batch]:
    """Return batches painted in *fit.workers* processes, a few ahead, in order of their numbers.

    At most one process a core; with no workers they are painted here. *rank*, *world*: which share
    of each batch is this process's, of how many that train together. Drawing one raises InputError
    when a photograph cannot be read, or a painting process is gone.
    """
    dataset = PaintedBatches(make_kit, fit, classes, first, rank, world)
    workers = min(fit.workers, cores_here())
    if not workers:
        return _received(iter(DataLoader(dataset, batch_size=None, collate_fn=_as_sent)))
    atexit.register(_kill_workers)
    # Not forked: OpenCV's and OpenMP's threads do not survive a fork, and the child would wait for
    # them for ever.
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4,
        collate_fn=_as_sent,
        worker_init_fn=_init_worker,
        multiprocessing_context="forkserver",
    )
    with _painters_deaf():
        return _received(iter(loader))


def _as_sent(sent: Any) -> Any:
    """Keep PyTorch from making tensors of it in the painter."""
    return sent


def _received(painted: Iterator[Sent]) -> Iterator[Batch]:
    """Make batches of what the painters send. Raises InputError."""
    while True:
        try:
            sent = next(painted)
        except RuntimeError as error:  # PyTorch has no class of its own for it
            if "DataLoader worker" not in str(error):
                raise
            raise InputError(
                "train: a painting process ended suddenly, perhaps for want of memory; "
                "go on with --resume, with fewer of them (--set workers=1)"
            ) from None
        if isinstance(sent, StampgateError):
            raise sent
        yield Batch(*(torch.from_numpy(array) for array in sent))
