"""Parity check: the ONNX file must answer as the torch network does, by the box's own code."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.decision import Box, Finding
from edge.errors import ModelError
from edge.vision.localizer import Localizer
from edge.vision.preprocess import zoom
from edge.vision.two_looks import Network, decode
from train.network.checkpoint import Checkpoint
from train.network.held_out import read_held_out
from train.network.model import as_network

MAX_SCORE_GAP = 1e-3
"""Greatest difference of a score, anywhere on the heat map."""
MAX_BOX_GAP = 0.25
"""Greatest difference of a corner of a found box, in network pixels."""
COMPARED_FROM = 0.1
"""Boxes from this score on are compared."""


@dataclass(frozen=True)
class Parity:
    """The greatest differences between the two, over *pictures* and *boxes*.

    *score_gap*: in 0..1; *box_gap*: in network pixels.
    """

    pictures: int
    boxes: int
    score_gap: float
    box_gap: float


def check_parity(kept: Checkpoint, localizer: Localizer, run: Path) -> Parity:
    """Compare both on the run's validation pictures, and on a second look at the middle of each.

    *kept*: the torch network; *localizer*: the ONNX file's; *run*: the run's folder. Raises
    ModelError when they differ too much.
    """
    plan = kept.config.two_look_plan
    wholes = read_held_out(run)
    batches = [whole[None] for whole in wholes]
    if plan.second_side:
        batches.append(
            np.stack([_middle(whole, plan.second_side, plan.second_px) for whole in wholes])
        )
    network = as_network(kept.network())
    parts = [_compare(network, localizer, plan.classes, pictures) for pictures in batches]
    score_gap, box_gap = max(part.score_gap for part in parts), max(part.box_gap for part in parts)
    if not (score_gap <= MAX_SCORE_GAP and box_gap <= MAX_BOX_GAP):
        raise ModelError(
            f"parity: the ONNX file must answer as torch does, to {MAX_SCORE_GAP} in score and "
            f"{MAX_BOX_GAP} pixels in a box, not {score_gap:.2g} and {box_gap:.2g}; "
            "nothing was written: report this with the run's config"
        )
    return Parity(sum(p.pictures for p in parts), sum(p.boxes for p in parts), score_gap, box_gap)


def _middle(whole: NDArray[np.uint8], side: int, mark_px: int) -> NDArray[np.uint8]:
    height, width = whole.shape[:2]
    return zoom(whole, Box(0.4 * width, 0.4 * height, 0.6 * width, 0.6 * height), side, mark_px)[0]


def _compare(
    network: Network, localizer: Localizer, classes: tuple[str, ...], pictures: NDArray[np.uint8]
) -> Parity:
    """Compare both outputs for a batch of pictures of one size, (n, height, width, 3) uint8 RGB."""
    expected, actual = network(pictures), localizer.infer(pictures)
    pairs = [
        (finding, found)
        for i in range(len(pictures))
        for finding, found in _boxes(
            (expected[0][i], expected[1][i]), (actual[0][i], actual[1][i]), classes
        )
    ]
    gaps = [
        abs(a - b) if found else np.inf
        for finding, found in pairs
        for a, b in zip(finding.box.corners(), (found or finding).box.corners(), strict=True)
    ]
    score_gap = float(np.abs(expected[0] - actual[0]).max())
    return Parity(len(pictures), len(pairs), score_gap, max(gaps, default=0.0))


def _boxes(
    expected: tuple[NDArray[np.float32], NDArray[np.float32]],
    actual: tuple[NDArray[np.float32], NDArray[np.float32]],
    classes: tuple[str, ...],
) -> list[tuple[Finding, Finding | None]]:
    """Pair each box in the output *expected* with the one in *actual* that overlaps it most.

    They are of one class. None where *actual* has no box of that class.
    """
    # Decoded from half the score on, so that a tie between neighbours is no difference.
    others = decode(*actual, classes, COMPARED_FROM / 2)

    def nearest(finding: Finding) -> Finding | None:
        same = (other for other in others if other.label == finding.label)
        return max(same, key=lambda other: finding.box.iou(other.box), default=None)

    return [(finding, nearest(finding)) for finding in decode(*expected, classes, COMPARED_FROM)]
