"""Batches of painted pictures: batch number *b* of a run is always the same, whoever paints it."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from edge.contract import STRIDE
from train.config import FitSettings
from train.losses import encode
from train.synth import Kit, Picture, paint


@dataclass(frozen=True)
class Batch:
    """Pictures and the answers wanted.

    *pictures*: (n, side, side, 3) uint8; *heat*: (n, classes, rows, columns); *care*, *weight*: (n, rows, columns);
    *sides*: (n, 4, rows, columns); all but the first float32. The meaning of each is in :class:`train.losses.Target`.
    """

    pictures: Tensor
    heat: Tensor
    care: Tensor
    sides: Tensor
    weight: Tensor

    def tensors(self) -> tuple[Tensor, ...]:
        """All five, in order."""
        return self.pictures, self.heat, self.care, self.sides, self.weight

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self.tensors()))

    def split(self, parts: int) -> "list[Batch]":
        """About equal parts of at least two pictures, as many as can be had up to *parts*."""
        parts = max(1, min(parts, len(self.pictures) // 2))
        pieces = zip(*(tensor.tensor_split(parts) for tensor in self.tensors()), strict=True)
        return [Batch(*piece) for piece in pieces]


def plan_batch(fit: FitSettings, number: int) -> tuple[int, int]:
    """Side in pixels and number of the pictures of batch *number*; whole frames come in smaller batches."""
    if fit.window >= fit.size or number % fit.whole_every == fit.whole_every - 1:
        return fit.size, max(2, round(fit.batch * (fit.window / fit.size) ** 2)) if fit.window < fit.size else fit.batch
    return fit.window, fit.batch


def paint_batch(kit: Kit, fit: FitSettings, number: int) -> list[Picture]:
    """Paint the pictures of batch *number*, each from a seed of its own."""
    side, count = plan_batch(fit, number)
    return [paint(np.random.default_rng((fit.seed, number, index)), kit, side) for index in range(count)]


def collate(pictures: list[Picture], classes: int) -> Batch:
    """Stack painted pictures of one size with their targets."""
    side = pictures[0].pixels.shape[0]
    targets = [encode(p.marks, p.ignored, classes, side // STRIDE, side // STRIDE) for p in pictures]
    return Batch(
        torch.from_numpy(np.stack([p.pixels for p in pictures])),
        torch.from_numpy(np.stack([t.heat for t in targets])),
        torch.from_numpy(np.stack([t.care for t in targets])),
        torch.from_numpy(np.stack([t.sides for t in targets])),
        torch.from_numpy(np.stack([t.weight for t in targets])),
    )


class PaintedBatches(IterableDataset[Batch]):
    """Endless batches from number *first* on, shared out among the workers in turn."""

    def __init__(self, make_kit: Callable[[], Kit], fit: FitSettings, classes: int, first: int) -> None:
        """Paint with a kit that each worker makes for itself, so that nothing is shared between processes."""
        self.make_kit, self.fit, self.classes, self.first = make_kit, fit, classes, first

    def __iter__(self) -> Iterator[Batch]:
        """Batches of this worker, in order."""
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        kit, number = self.make_kit(), self.first + worker
        while True:
            yield collate(paint_batch(kit, self.fit, number), self.classes)
            number += workers


def _settle(_worker: int) -> None:
    """Keep a painting process to its one core, and let the trainer alone answer Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.nice(5)  # a step waits for the slower of its parts: a painter must not push one of them aside


def load_batches(make_kit: Callable[[], Kit], fit: FitSettings, classes: int, first: int) -> Iterator[Batch]:
    """Paint batches in *fit.workers* processes, at most one a core, a few ahead, in order of their numbers."""
    dataset = PaintedBatches(make_kit, fit, classes, first)
    workers = min(fit.workers, len(os.sched_getaffinity(0)))
    if not workers:
        return iter(DataLoader(dataset, batch_size=None))
    # Not forked: OpenCV's and OpenMP's threads do not survive a fork, and the child would wait for them for ever.
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4,
        worker_init_fn=_settle,
        multiprocessing_context="forkserver",
    )
    return iter(loader)
