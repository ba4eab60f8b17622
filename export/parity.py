"""Compare the ONNX file with the torch network on pictures, through the box's own code, before it may be used."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from edge.errors import ModelError
from edge.localizer import Localizer, decode
from train.checkpoint import Checkpoint
from train.held_out import read_held_out

MAX_SCORE_GAP = 1e-3
"""Greatest difference of a score, anywhere on the heat map."""
MAX_BOX_GAP = 0.25
"""Greatest difference of a corner of a found box, in network pixels."""
LOOK_FROM = 0.1
"""Boxes from this score on are compared."""


@dataclass(frozen=True)
class Parity:
    """How far apart the two are: *score_gap* in 0..1, *box_gap* in network pixels, over *pictures* and *boxes*."""

    pictures: int
    boxes: int
    score_gap: float
    box_gap: float


@torch.no_grad()
def check_parity(kept: Checkpoint, path: Path, run: Path) -> Parity:
    """Run both on the run's held-out photographs with marks on them. Raises ModelError when they differ too much."""
    net, localizer, pictures = kept.network(), Localizer(path), read_held_out(run)
    classes, boxes, score_gap, box_gap = kept.config.classes, 0, 0.0, 0.0
    for pixels in pictures:
        logits, sides = net(torch.from_numpy(pixels[None]))
        torch_heat, torch_sides = torch.sigmoid(logits[0]).numpy(), sides[0].numpy()
        heat, box_sides = localizer.raw(pixels)
        score_gap = max(score_gap, float(np.abs(torch_heat - heat).max()))
        for finding in decode(torch_heat, torch_sides, classes, LOOK_FROM):
            # The same cell is read on both sides, so that a tie between neighbours is no difference.
            other = max(
                (f for f in decode(heat, box_sides, classes, LOOK_FROM / 2) if f.label == finding.label),
                key=lambda f: f.box.iou(finding.box),
                default=None,
            )
            gaps = (
                [abs(a - b) for a, b in zip(finding.box.corners(), other.box.corners(), strict=True)]
                if other
                else [np.inf]
            )
            boxes, box_gap = boxes + 1, max(box_gap, *gaps)
    if not (score_gap <= MAX_SCORE_GAP and box_gap <= MAX_BOX_GAP):
        raise ModelError(
            f"parity: the ONNX file must answer as torch does, to {MAX_SCORE_GAP} in score and {MAX_BOX_GAP} pixels "
            f"in a box, not {score_gap:.2g} and {box_gap:.2g}; nothing was written: report this with the run's config"
        )
    return Parity(len(pictures), boxes, score_gap, box_gap)
