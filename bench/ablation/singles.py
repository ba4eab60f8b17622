"""Training pictures painted one by one, as they would be without twins."""

import numpy as np

from train.config import FitSettings
from train.learn.dataset import PaintedBatches, plan_batch
from train.paint.synth import Kit, Picture, paint


class SingleBatches(PaintedBatches):
    """The batches of training, but every picture has a background of its own.

    Otherwise as :class:`train.learn.dataset.PaintedBatches`.

    For one process without labelled photographs, as this comparison trains.
    """

    def paint(self, kit: Kit, number: int) -> list[Picture]:
        """Paint the pictures of batch *number*."""
        return paint_singles(kit, self.fit, number)


def paint_singles(kit: Kit, fit: FitSettings, number: int) -> list[Picture]:
    """The pictures of batch *number*, each from a seed of its own, some of them without a mark."""
    side, count = plan_batch(fit, number)
    return [
        paint(np.random.default_rng((fit.seed, number, index)), kit, side) for index in range(count)
    ]
