"""The validation set: whole frames painted from photographs that no training picture shows."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from edge.decision import Finding
from edge.vision.contract import TwoLookPlan
from edge.vision.two_looks import find
from train.learn.dataset import Batch, collate
from train.learn.trainer import Losses, losses_of
from train.network.model import DenseLocalizer, as_network
from train.paint.inputs import Inputs
from train.paint.real_photographs import real_frame
from train.paint.synth import Picture, paint

PICTURES, CHUNK = 48, 8
"""Pictures in the set, and how many of them the network is given at once."""


def paint_validation_set(inputs: Inputs, count: int = PICTURES) -> list[Picture]:
    """Return *count* whole frames, always the same for the same inputs.

    Held-out real photographs first, at most half of the set, then painted ones. Raises InputError
    when a photograph cannot be read.
    """
    kit, size = inputs.kit(held_out=True), inputs.config.fit.size
    real = [real_frame(labelled, size, kit.settings) for labelled in kit.real[: count // 2]]
    return real + [
        paint(np.random.default_rng((3, index)), kit, size) for index in range(count - len(real))
    ]


def validation_losses(
    net: DenseLocalizer, pictures: Sequence[Picture], sides_weight: float, threads: int
) -> Losses:
    """Return the mean losses of *net*, which must be in eval mode, on the validation set.

    *sides_weight*: weight of the box loss; *threads*: cores to use.
    """
    classes, device = net.heat.out_channels, next(net.parameters()).device

    @torch.no_grad()
    def losses(chunk: Sequence[Picture]) -> tuple[float, ...]:
        batch: Batch = collate(list(chunk), classes).to(device)
        logits, sides = net(batch.pictures)
        return tuple(loss.item() for loss in losses_of(sides_weight, logits, sides, batch))

    chunks = (pictures[i : i + CHUNK] for i in range(0, len(pictures), CHUNK))
    with ThreadPoolExecutor(threads, "validation") as pool:
        parts = list(pool.map(losses, chunks))
    loss, heat, box = (sum(column) / len(parts) for column in zip(*parts, strict=True))
    return loss, heat, box


def find_marks(
    net: DenseLocalizer, pictures: Sequence[Picture], plan: TwoLookPlan, least: float
) -> list[tuple[Finding, ...]]:
    """Return the findings in each picture with a score of at least *least*, in network pixels.

    They are made by the box's own code, both looks included.
    """
    network = as_network(net)
    return [find(network, picture.pixels, plan, least) for picture in pictures]
