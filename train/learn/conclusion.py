"""The end of a run: the trial of the network, its threshold, its assessment, and their sheets."""

import dataclasses
from collections.abc import Sequence

import torch

from edge.annotate import save_png
from train.assess.assessment import Assessment, assess
from train.assess.choice import choose
from train.assess.scores import Trial
from train.assess.sheets import CURVE, UNSTAMPED, curve, unstamped_sheet
from train.assess.trial import run_trial
from train.learn.distributed import cores_here
from train.learn.hit_sheet import hit_sheet
from train.learn.run_folder import HITS, SHEET_PICTURES
from train.learn.saving import Saver
from train.learn.trainer import Trainer
from train.learn.validation_set import find_marks
from train.network.model import DenseLocalizer
from train.paint.inputs import Inputs
from train.paint.synth import Picture

SHOWN_SCORE = 0.3
"""Least score of what is drawn while the run has no threshold yet."""


def conclude(
    trainer: Trainer,
    inputs: Inputs,
    validation_set: Sequence[Picture],
    saver: Saver,
    with_threshold: bool,
) -> tuple[float | None, Assessment | None]:
    """Save, try the network on all cores, set its threshold, and draw what it finds.

    The leader alone does so; the others wait. Returns the threshold, None when none is asked for,
    and in the leader the assessment. Raises InputError when a photograph cannot be read.
    """
    assessment: Assessment | None = None
    if trainer.group.is_leader:
        assessment = assess_run(trainer, inputs, validation_set, saver, with_threshold)
    threshold = trainer.group.broadcast(assessment.chosen.threshold if assessment else 0.0)
    return threshold if with_threshold else None, assessment


def assess_run(
    trainer: Trainer,
    inputs: Inputs,
    validation_set: Sequence[Picture],
    saver: Saver,
    with_threshold: bool,
) -> Assessment | None:
    """Do what :func:`conclude` says, in the leader. Raises InputError."""
    kept = trainer.checkpoint(inputs.config, None)
    saver.save(kept)
    torch.set_num_threads(inputs.config.fit.threads or cores_here())
    net, assessment = kept.network(), None
    if with_threshold:
        trial = run_trial(net, inputs)
        choice = choose(trial, inputs.config.fit)
        assessment = assess(trial, choice, painted=inputs.held_out is None)
        threshold, told = choice.threshold, assessment.to_json()
        saver.save(dataclasses.replace(kept, threshold=threshold, assessment=told))
        draw_assessment(trial, assessment, saver)
    draw_hits(net, inputs, validation_set, saver, assessment)
    return assessment


def draw_assessment(trial: Trial, assessment: Assessment, saver: Saver) -> None:
    """Write the curve of the trade, and the photographs that look most like the mark."""
    with saver.missing_if_unwritten(CURVE):
        save_png(curve(trial, assessment), saver.out / CURVE)
    if not assessment.painted:
        sheet = unstamped_sheet(trial)
        with saver.missing_if_unwritten(UNSTAMPED):
            save_png(sheet, saver.out / UNSTAMPED)


def draw_hits(
    net: DenseLocalizer,
    inputs: Inputs,
    validation_set: Sequence[Picture],
    saver: Saver,
    assessment: Assessment | None,
) -> None:
    """Write what the network finds in the validation set, from the threshold on."""
    least = assessment.chosen.threshold if assessment else SHOWN_SCORE
    shown = validation_set[:SHEET_PICTURES]
    found = find_marks(net, shown, inputs.config.two_look_plan, least)
    with saver.missing_if_unwritten(HITS):
        save_png(hit_sheet(shown, found, inputs.config.classes), saver.out / HITS)
