"""Training pictures painted one by one, as they would be without twins."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import get_worker_info

from train.config import FitSettings
from train.learn.dataset import Batch, PaintedBatches, collate, plan_batch
from train.paint.synth import Kit, Picture, paint


class SingleBatches(PaintedBatches):
    """The batches of training, but every picture has a background of its own.

    Otherwise as :class:`train.learn.dataset.PaintedBatches`.

    For one process without labelled photographs, as this comparison trains.
    """

    def __iter__(self) -> Iterator[Batch]:
        """Batches of this worker, in order."""
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        kit, number = self.make_kit(), self.first + worker
        while True:
            yield collate(paint_singles(kit, self.fit, number), self.classes)
            number += workers


def paint_singles(kit: Kit, fit: FitSettings, number: int) -> list[Picture]:
    """The pictures of batch *number*, each from a seed of its own, some of them without a mark."""
    side, count = plan_batch(fit, number)
    return [
        paint(np.random.default_rng((fit.seed, number, index)), kit, side) for index in range(count)
    ]
