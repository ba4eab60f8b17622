"""Trial of a trained network: the scores it gives to held-out marks, look-alikes and photographs.

Marks and look-alikes are painted on photographs that no training picture shows, so the trial says
how the network does on pictures like the training's; the user's own unstamped photographs say what
the world without a mark looks like to it. All is found by the box's own code, both looks included.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edge.decision import Box, Finding
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame, letterbox
from edge.vision.two_looks import find
from train.assess.scores import Scored, Trial
from train.config import RunConfig
from train.labels.ground_truth import FOUND_IOU
from train.network.model import DenseLocalizer, as_network
from train.paint.inputs import Inputs
from train.paint.real_photographs import real_frame
from train.paint.recipes import camera, lookalikes
from train.paint.synth import Kit, Picture
from train.photographs import refused_for

MARKS, LOOKALIKES, PHOTOGRAPHS = 200, 400, 400
"""Painted marks at least, painted frames with look-alikes, and photographs at most."""
SEED_OFFSET = 2**32
"""Keeps these pictures' seeds away from those of training."""
LEAST_SCORE = 0.01
"""Findings below are left out; a mark that none of them finds scores 0."""


def run_trial(net: DenseLocalizer, inputs: Inputs) -> Trial:
    """Try *net*, which must be in eval mode. Raises InputError when a photograph cannot be read."""
    config, kit = inputs.config, inputs.kit(held_out=True)
    network = as_network(net)
    paths = chosen_photographs(inputs)
    total = MARKS + LOOKALIKES + (len(paths) or PHOTOGRAPHS)
    with tqdm(total=total, desc="assessment", unit="picture", mininterval=1.0) as bar:

        def findings(frame: Frame) -> tuple[Finding, ...]:
            bar.update()
            return find(network, frame, config.two_look_plan, LEAST_SCORE)

        return Trial(
            _painted_marks(findings, kit, config),
            _real_marks(findings, kit, config),
            _painted_lookalikes(findings, kit, config),
            tuple(_photographs(findings, paths) if paths else _bare_frames(findings, kit, config)),
        )


Findings = Callable[[Frame], tuple[Finding, ...]]
"""Finds the marks in a frame, best score first."""


def chosen_photographs(inputs: Inputs) -> tuple[Path, ...]:
    """Return the photographs of the trial: the held-out ones, then a sample of the others."""
    if inputs.held_out is None or inputs.training is None:
        return ()
    held_out = inputs.held_out[:PHOTOGRAPHS]
    rng = np.random.default_rng((SEED_OFFSET + inputs.config.fit.seed, 0))
    others = rng.permutation(len(inputs.training))[: PHOTOGRAPHS - len(held_out)]
    return (*held_out, *(inputs.training[index] for index in sorted(others)))


def best(found: tuple[Finding, ...]) -> float:
    """Return the best score of a frame, 0 when nothing is found."""
    return max((finding.score for finding in found), default=0.0)


def scored(path: str, found: tuple[Finding, ...]) -> Scored:
    """Return a photograph with its best finding."""
    first = max(found, key=lambda finding: finding.score, default=None)
    return Scored(path, first.score, first.box) if first else Scored(path, 0.0)


def best_on(found: tuple[Finding, ...], label: str, box: Box) -> float:
    """Return the best score of a finding of class *label* that overlaps *box* by IoU 0.5."""
    on_it = (f.score for f in found if f.label == label and f.box.iou(box) >= FOUND_IOU)
    return max(on_it, default=0.0)


def _painted_marks(findings: Findings, kit: Kit, config: RunConfig) -> tuple[float, ...]:
    """Return the scores of :data:`MARKS` held-out painted marks."""
    settings = dataclasses.replace(kit.settings, negative_share=0.0)
    with_marks = dataclasses.replace(kit, settings=settings)
    scores: list[float] = []
    for number in range(2 * MARKS):  # some frames hold none that counts
        if len(scores) >= MARKS:
            break
        picture = camera(_rng(config, 1, number), with_marks, settings, number)
        scores += scores_of(findings, picture, config)
    return tuple(scores[:MARKS])


def scores_of(findings: Findings, picture: Picture, config: RunConfig) -> list[float]:
    """Return the score of each mark of a picture that counts, as it is found in the whole frame."""
    if not picture.marks:
        return []
    height, width = picture.frame.shape[:2]
    fit = letterbox(width, height, config.fit.size, config.fit.size)
    found = findings(picture.frame)
    return [best_on(found, config.classes[kind], fit.to_camera(box)) for kind, box in picture.marks]


def _real_marks(findings: Findings, kit: Kit, config: RunConfig) -> tuple[float, ...]:
    """Return the scores of the marks in the held-out labelled photographs."""
    pictures = (real_frame(labelled, kit.size, kit.settings) for labelled in kit.real)
    return tuple(score for one in pictures for score in scores_of(findings, one, config))


def _painted_lookalikes(findings: Findings, kit: Kit, config: RunConfig) -> tuple[float, ...]:
    """Return the best scores of whole frames with look-alikes and without a mark.

    A run that was trained without look-alikes meets them here too.
    """
    settings = dataclasses.replace(kit.settings, lookalikes_max=max(1, kit.settings.lookalikes_max))
    pictures = (
        lookalikes(_rng(config, 2, number), kit, settings, number) for number in range(LOOKALIKES)
    )
    return tuple(best(findings(picture.frame)) for picture in pictures)


def _photographs(findings: Findings, paths: tuple[Path, ...]) -> Iterator[Scored]:
    """Yield each photograph with its best score."""
    for path in paths:
        with refused_for("bring a whole one"):
            frame = read_picture(path)
        yield scored(str(path), findings(frame))


def _bare_frames(findings: Findings, kit: Kit, config: RunConfig) -> Iterator[Scored]:
    """Yield painted frames without a mark, in which look-alikes come as often as in training."""
    settings = dataclasses.replace(kit.settings, negative_share=0.9)
    bare = dataclasses.replace(kit, settings=settings)
    for number in range(PHOTOGRAPHS):
        picture = camera(_rng(config, 3, number), bare, settings, number)
        if not picture.marks and not picture.ignored:
            yield scored(f"painted frame {number}", findings(picture.frame))


def _rng(config: RunConfig, part: int, number: int) -> np.random.Generator:
    return np.random.default_rng((SEED_OFFSET + config.fit.seed, part, number))
