"""Held-out painted pictures: the same few at every look, painted from photographs that no training
picture shows.
"""

import io
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edge.decision import Finding
from edge.errors import InputError
from edge.files import write_atomic
from edge.vision.contract import TwoLookPlan
from edge.vision.two_looks import find
from train.learn.dataset import Batch, collate
from train.learn.trainer import Losses, losses_of
from train.network.model import DenseLocalizer, answers_of
from train.paint.inputs import Inputs
from train.paint.real_photographs import real_frame
from train.paint.synth import Picture, paint

NAME, KEPT = "held_out.npz", 16
"""The first pictures are kept in the run's folder under that name, for an export to be checked on."""
PICTURES, CHUNK = 48, 8
"""How many pictures a look is at, and how many the network sees at once."""


def paint_held_out(inputs: Inputs, count: int = PICTURES) -> list[Picture]:
    """Whole frames, always the same for the same inputs: real photographs first, where there are
    any, then painted.
    """
    kit, size = inputs.kit(held_out=True), inputs.config.fit.size
    real = [real_frame(labelled, size, kit.settings) for labelled in kit.real[: count // 2]]
    return real + [
        paint(np.random.default_rng((3, index)), kit, size) for index in range(count - len(real))
    ]


def write_pictures(pictures: Sequence[Picture], out: Path) -> None:
    """Write the pixels of the first :data:`KEPT` pictures, (n, size, size, 3) uint8, as
    ``held_out.npz``.
    """
    file = io.BytesIO()
    np.savez_compressed(file, pictures=np.stack([picture.pixels for picture in pictures[:KEPT]]))
    write_atomic(out / NAME, file.getvalue())


def write_held_out(inputs: Inputs, out: Path) -> None:
    """Paint what an export is checked on and write it."""
    write_pictures(paint_held_out(inputs, KEPT), out)


def read_held_out(run: Path) -> NDArray[np.uint8]:
    """Read what :func:`write_pictures` wrote. Raises InputError."""
    path = run / NAME
    try:
        with np.load(path, allow_pickle=False) as content:
            return np.asarray(content["pictures"], np.uint8)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, FileNotFoundError) else error
        raise InputError(
            f"{path}: cannot be read ({reason}); it belongs to the run, bring the whole folder"
        ) from None


def score_held_out(
    net: DenseLocalizer, pictures: Sequence[Picture], sides_weight: float, threads: int
) -> Losses:
    """Losses of *net*, which must be ready to answer, on the held-out pictures; *threads*: cores to
    use.
    """
    classes, device = net.heat.out_channels, next(net.parameters()).device

    @torch.no_grad()
    def score(chunk: Sequence[Picture]) -> tuple[float, ...]:
        batch: Batch = collate(list(chunk), classes).to(device)
        logits, sides = net(batch.pictures)
        return tuple(loss.item() for loss in losses_of(sides_weight, logits, sides, batch))

    with ThreadPoolExecutor(threads, "held-out") as pool:
        parts = list(
            pool.map(score, (pictures[i : i + CHUNK] for i in range(0, len(pictures), CHUNK)))
        )
    loss, heat, box = (sum(column) / len(parts) for column in zip(*parts, strict=True))
    return loss, heat, box


def find_marks(
    net: DenseLocalizer, pictures: Sequence[Picture], plan: TwoLookPlan, least: float
) -> list[tuple[Finding, ...]]:
    """What *net* finds in each picture with a score of at least *least*, as the box would, in
    network pixels.
    """
    network = answers_of(net)
    return [find(network, picture.pixels, plan, least) for picture in pictures]
