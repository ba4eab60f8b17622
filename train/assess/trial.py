"""Trial of a trained network: the scores it gives to held-out marks, look-alikes and photographs.

Marks and look-alikes are painted on photographs that no training picture shows, so the trial says
how the network does on pictures like the training's; the user's own unstamped photographs say what
the world without a mark looks like to it. All is found by the box's own code, both looks included.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edge.decision import Box, Finding
from edge.rates.bounds import sample_size
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame, letterbox
from edge.vision.two_looks import find
from train.assess.plain import plain_count, plain_pictures
from train.assess.scores import MarkScore, PlainScore, Scored, Trial, WorstPicture
from train.config import RunConfig
from train.labels.ground_truth import FOUND_IOU
from train.network.model import DenseLocalizer, as_network
from train.paint.inputs import Inputs
from train.paint.picture_kinds import camera, lookalikes
from train.paint.placing import Conditions
from train.paint.real_photographs import real_frame
from train.paint.synth import Kit, Picture
from train.photographs import refused_for

MARKS, LOOKALIKES, FRAMES, PHOTOGRAPHS = 200, 400, 400, 1500
"""Painted marks, painted frames with look-alikes, painted frames where there are no photographs,
and photographs at most."""
MARKS_A_PICTURE = 2
"""Marks that count on a painted picture with any, about."""
WORST = 9
"""Pictures that are kept of the worst marks, and of the worst frames without one."""
SEED_OFFSET = 2**32
"""Keeps these pictures' seeds away from those of training."""
LEAST_SCORE = 0.01
"""Findings below are left out; a mark that none of them finds scores 0."""


Findings = Callable[[Frame], tuple[Finding, ...]]
"""Finds the marks in a frame, best score first."""


class Worst:
    """The worst pictures of a trial: few are kept, so that memory is bounded."""

    def __init__(self) -> None:
        self._marks = list[WorstPicture]()
        self._others = list[WorstPicture]()

    def mark(self, picture: WorstPicture) -> None:
        """Take a picture with a mark, of which those with the least scores are kept."""
        self._marks = sorted([*self._marks, picture], key=lambda one: one.score)[:WORST]

    def other(self, frame: Frame, one: Scored) -> None:
        """Take a painted frame without a mark, of which those with the greatest scores are kept."""
        picture = WorstPicture(frame, one.label, one.score, None, one.box)
        self._others = sorted([*self._others, picture], key=lambda one: -one.score)[:WORST]

    def pictures(self) -> tuple[WorstPicture, ...]:
        """Return them, marks first."""
        return (*self._marks, *self._others)


def run_trial(
    net: DenseLocalizer, inputs: Inputs, on_picture: Callable[[], None] = lambda: None
) -> Trial:
    """Try *net*, which must be in eval mode. Raises InputError when a photograph cannot be read.

    *on_picture*: called before each picture; what it raises ends the trial.
    """
    config, kit = inputs.config, inputs.kit(held_out=True)
    network, worst = as_network(net), Worst()

    def findings(frame: Frame) -> tuple[Finding, ...]:
        on_picture()
        return find(network, frame, config.two_look_plan, LEAST_SCORE)

    plain = tuple(_plain_marks(findings, inputs))
    marks = _painted_marks(findings, kit, config, worst)
    real = _real_marks(findings, kit, config)
    alike = _painted_lookalikes(findings, kit, config, worst)
    paths = chosen_photographs(inputs)
    others = _photographs(findings, paths, inputs) if paths else _bare_frames(findings, kit, config)
    return Trial(
        tuple(mark.score for mark in marks),
        real,
        tuple(one.score for one in alike),
        tuple(others),
        marks,
        plain,
        tuple(one.label for one in alike),
        worst.pictures(),
    )


def trial_pictures(inputs: Inputs) -> int:
    """Return about how many pictures a trial looks at."""
    classes = len(inputs.config.classes)
    photographs = len(chosen_photographs(inputs)) or FRAMES
    painted = MARKS // MARKS_A_PICTURE + LOOKALIKES
    return painted + photographs + classes * plain_count(classes)


def chosen_photographs(inputs: Inputs) -> tuple[Path, ...]:
    """Return the photographs of the trial: the held-out ones, then a sample of the others.

    No more than it takes to show the rate of false accepts that the run asks for.
    """
    if inputs.held_out is None or inputs.training is None:
        return ()
    fit = inputs.config.fit
    most = min(PHOTOGRAPHS, sample_size(fit.false_accept_rate, 0, fit.confidence))
    held_out = inputs.held_out[:most]
    rng = np.random.default_rng((SEED_OFFSET + fit.seed, 0))
    others = rng.permutation(len(inputs.training))[: most - len(held_out)]
    return (*held_out, *(inputs.training[index] for index in sorted(others)))


def scored(path: str, found: tuple[Finding, ...], trained: bool = False) -> Scored:
    """Return a photograph with its best finding."""
    first = max(found, key=lambda finding: finding.score, default=None)
    if first is None:
        return Scored(path, 0.0, trained=trained)
    return Scored(path, first.score, first.box, first.label, trained)


def on_box(found: tuple[Finding, ...], box: Box) -> list[Finding]:
    """Return the findings of any class that overlap *box* by IoU 0.5, the best first."""
    overlapping = [finding for finding in found if finding.box.iou(box) >= FOUND_IOU]
    return sorted(overlapping, key=lambda finding: -finding.score)


def best_on(found: tuple[Finding, ...], label: str, box: Box) -> float:
    """Return the best score of a finding of class *label* that overlaps *box* by IoU 0.5."""
    return next((f.score for f in on_box(found, box) if f.label == label), 0.0)


def _plain_marks(findings: Findings, inputs: Inputs) -> Iterator[PlainScore]:
    """Yield the scores of the marks pasted plainly."""
    for one in plain_pictures(inputs.marks, inputs.config):
        score = best_on(findings(one.frame), one.label, one.box)
        yield PlainScore(one.label, one.ground, one.size, score)


def _painted_marks(
    findings: Findings, kit: Kit, config: RunConfig, worst: Worst
) -> tuple[MarkScore, ...]:
    """Return the scores of :data:`MARKS` held-out painted marks."""
    settings = dataclasses.replace(kit.settings, negative_share=0.0)
    with_marks = dataclasses.replace(kit, settings=settings)
    marks: list[MarkScore] = []
    for number in range(2 * MARKS):  # some frames hold none that counts
        if len(marks) >= MARKS:
            break
        picture = camera(_rng(config, 1, number), with_marks, settings, number)
        for mark, box, found in scores_of(findings, picture, config):
            marks.append(mark)
            worst.mark(WorstPicture(picture.frame, mark.label, mark.score, box, found))
    return tuple(marks[:MARKS])


NOT_PAINTED = Conditions(0.0, 0.0, 0.0, 0.0, False, 1.0)
"""Of a mark in a labelled photograph, of which nobody drew how it is shown."""


def scores_of(
    findings: Findings, picture: Picture, config: RunConfig
) -> list[tuple[MarkScore, Box, Box | None]]:
    """Return the score of each mark of a picture that counts, as it is found in the whole frame.

    With it come the mark's box and that of the best finding on it, in pixels of the frame.
    """
    if not picture.marks:
        return []
    height, width = picture.frame.shape[:2]
    fit = letterbox(width, height, config.fit.size, config.fit.size)
    found = findings(picture.frame)
    shown = picture.conditions or (NOT_PAINTED,) * len(picture.marks)
    scores = []
    for (kind, network_box), conditions in zip(picture.marks, shown, strict=True):
        label, box = config.classes[kind], fit.to_camera(network_box)
        on_it = on_box(found, box)
        other = next((f for f in on_it if f.label != label), None)
        mistaken = (other.label, other.score) if other else ("", 0.0)
        mark = MarkScore(label, best_on(found, label, box), conditions, *mistaken)
        scores.append((mark, box, on_it[0].box if on_it else None))
    return scores


def _real_marks(findings: Findings, kit: Kit, config: RunConfig) -> tuple[float, ...]:
    """Return the scores of the marks in the held-out labelled photographs."""
    pictures = (real_frame(labelled, kit.size, kit.settings) for labelled in kit.real)
    return tuple(mark.score for one in pictures for mark, _, _ in scores_of(findings, one, config))


def _painted_lookalikes(
    findings: Findings, kit: Kit, config: RunConfig, worst: Worst
) -> tuple[Scored, ...]:
    """Return the best findings in whole frames with look-alikes and without a mark.

    A run that was trained without look-alikes meets them here too.
    """
    settings = dataclasses.replace(kit.settings, lookalikes_max=max(1, kit.settings.lookalikes_max))
    tried = []
    for number in range(LOOKALIKES):
        picture = lookalikes(_rng(config, 2, number), kit, settings, number)
        tried.append(scored(f"look-alikes {number}", findings(picture.frame)))
        worst.other(picture.frame, tried[-1])
    return tuple(tried)


def _photographs(findings: Findings, paths: tuple[Path, ...], inputs: Inputs) -> Iterator[Scored]:
    """Yield each photograph with its best score."""
    held_out = set(inputs.held_out or ())
    for path in paths:
        with refused_for("bring a whole one"):
            frame = read_picture(path)
        yield scored(str(path), findings(frame), trained=path not in held_out)


def _bare_frames(findings: Findings, kit: Kit, config: RunConfig) -> Iterator[Scored]:
    """Yield painted frames without a mark, in which look-alikes come as often as in training."""
    settings = dataclasses.replace(kit.settings, negative_share=0.9)
    bare = dataclasses.replace(kit, settings=settings)
    for number in range(FRAMES):
        picture = camera(_rng(config, 3, number), bare, settings, number)
        if not picture.marks and not picture.ignored:
            yield scored(f"painted frame {number}", findings(picture.frame))


def _rng(config: RunConfig, part: int, number: int) -> np.random.Generator:
    return np.random.default_rng((SEED_OFFSET + config.fit.seed, part, number))
