"""The end of a run: the trial of the network, its threshold, its assessment, and their sheets."""

import dataclasses
import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from edge.annotate import save_png
from edge.vision.picture_files import read_picture
from train.assess.assessment import Assessment, Length, assess
from train.assess.choice import choose
from train.assess.report import REPORT, Facts, run_page
from train.assess.scores import Trial
from train.assess.sheets import CURVE, UNSTAMPED, sheet, unstamped_sheet
from train.assess.trial import FRAMES, chosen_photographs, run_trial, trial_pictures
from train.config import RunConfig
from train.learn.dataset import plan_batch
from train.learn.distributed import cores_here
from train.learn.environment import processor
from train.learn.hit_sheet import hit_sheet
from train.learn.interruption import Interruption, StopRun
from train.learn.progress import TimePlan, duration
from train.learn.run_folder import HITS, SHEET_PICTURES
from train.learn.saving import Saver
from train.learn.trainer import Trainer
from train.learn.training_log import TrainingLog
from train.learn.validation_set import find_marks
from train.network.checkpoint import Checkpoint
from train.network.model import DenseLocalizer, as_network
from train.pages.page import write_page
from train.paint.inputs import Inputs
from train.paint.picture_kinds import camera
from train.paint.synth import Picture

NEAR = 0.5
"""Share of the threshold from which findings are drawn too."""
SHOWN_SCORE = 0.3
"""Least score of what is drawn while the run has no threshold yet."""


@dataclass(frozen=True)
class Watch:
    """What shows a conclusion's progress and may stop it: *interruption*, *plan* and *log*."""

    interruption: Interruption
    plan: TimePlan
    log: TrainingLog


def conclude(
    trainer: Trainer,
    inputs: Inputs,
    validation_set: Sequence[Picture],
    saver: Saver,
    watch: Watch | None,
) -> tuple[float | None, Assessment | None]:
    """Save, try the network on all cores, set its threshold, and draw what it finds.

    The leader alone does so; the others wait. *watch*: None for a run without a threshold. Returns
    the threshold, None when none is asked for or somebody stopped, and in the leader the
    assessment. Raises InputError when a photograph cannot be read.
    """
    assessment: Assessment | None = None
    if trainer.group.is_leader:
        kept = trainer.checkpoint(inputs.config, None)
        if watch is not None:
            watch.log.flush()  # a checkpoint never knows more than the tables
        saver.save(kept)
        if watch is None or watch.interruption.answer != "stop":
            assessment = assess_run(trainer, kept, inputs, validation_set, saver, watch)
    threshold = trainer.group.broadcast(assessment.chosen.threshold if assessment else 0.0)
    return threshold or None, assessment


def assess_run(
    trainer: Trainer,
    kept: Checkpoint,
    inputs: Inputs,
    validation_set: Sequence[Picture],
    saver: Saver,
    watch: Watch | None,
) -> Assessment | None:
    """Do what :func:`conclude` says, in the leader. Raises InputError."""
    net, assessment = kept.network(), None
    with all_cores(inputs.config):
        if watch is not None:
            try:
                trial = run_trial(net, inputs, watched(trainer, inputs, watch))
            except StopRun:
                return None
            assessment = assess_trial(trial, inputs, trainer)
            threshold, told = assessment.chosen.threshold, assessment.to_json()
            saver.save(dataclasses.replace(kept, threshold=threshold, assessment=told))
            draw_assessment(trial, assessment, saver)
            write_report(trial, assessment, inputs, saver, trainer)
        draw_hits(net, inputs, validation_set, saver, assessment)
    return assessment


def assess_trial(trial: Trial, inputs: Inputs, trainer: Trainer) -> Assessment:
    """Return the assessment of a trial at the threshold that it puts."""
    fit = inputs.config.fit
    cycle = [plan_batch(fit, number, trainer.group.world)[1] for number in range(fit.whole_every)]
    length = Length(round(trainer.step * sum(cycle) / len(cycle)), trainer.seconds)
    return assess(trial, choose(trial, fit), inputs.held_out is None, fit, length)


def watched(trainer: Trainer, inputs: Inputs, watch: Watch) -> Callable[[], None]:
    """Return what a trial calls before each picture: it shows progress and may stop the trial."""
    total, done, begun = trial_pictures(inputs), 0, time.monotonic()
    interruption, waited_s = watch.interruption, watch.interruption.waited_s

    def on_picture() -> None:
        nonlocal done
        gone = time.monotonic() - begun - (interruption.waited_s - waited_s)
        left_s = watch.plan.assessment_left_s(done, total, gone)
        left = f"about {duration(left_s)} for threshold and assessment"
        if interruption.poll(lambda: left, training=False) == "stop":
            raise StopRun
        if watch.log.bar is not None:
            watch.log.bar.assessing(trainer, done, max(done, total), gone)
        done += 1

    return on_picture


TIMED, SECOND_LOOKS = 3, 4
"""Pictures that are painted, read or looked at for an estimate, and second looks that a picture
takes, about."""
SHEETS = 2 * SHEET_PICTURES
"""Pictures that drawing the sheets costs about as much as."""


def after_seconds(inputs: Inputs) -> float:
    """Estimate the seconds that follow the training, by painting, reading and looking at a few.

    Raises InputError when a photograph cannot be read.
    """
    config, kit = inputs.config, inputs.kit(held_out=True)
    size, side = config.fit.size, config.two_look_plan.second_side
    network = as_network(DenseLocalizer(config.fit.network, len(config.classes)).eval())
    paths = chosen_photographs(inputs)
    with all_cores(config):
        look_s = seconds_of(lambda _: network(np.zeros((1, size, size, 3), np.uint8)))
        if side:
            crops = np.zeros((SECOND_LOOKS, side, side, 3), np.uint8)
            look_s += seconds_of(lambda _: network(crops))
        paint_s = seconds_of(lambda n: camera(np.random.default_rng(n), kit, kit.settings, n))
        read_s = seconds_of(lambda n: read_picture(paths[n % len(paths)])) if paths else paint_s
    photographs = len(paths) or FRAMES
    painted = trial_pictures(inputs) - photographs
    return painted * (paint_s + look_s) + photographs * (read_s + look_s) + SHEETS * look_s


def seconds_of(work: Callable[[int], object]) -> float:
    """Return the median seconds of *work*, called with a number after one call that warms up."""
    took = []
    for number in range(1 + TIMED):
        begun = time.monotonic()
        work(number)
        took.append(time.monotonic() - begun)
    return statistics.median(took[1:])


@contextmanager
def all_cores(config: RunConfig) -> Iterator[None]:
    """Let the network use all cores while the block lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(config.fit.threads or cores_here())
    try:
        yield
    finally:
        torch.set_num_threads(before)


def draw_assessment(trial: Trial, assessment: Assessment, saver: Saver) -> None:
    """Write the curve of the trade, and the photographs that look most like the mark."""
    with saver.missing_if_unwritten(CURVE):
        save_png(sheet(trial, assessment), saver.out / CURVE)
    if not assessment.painted:
        likest = unstamped_sheet(trial, assessment.chosen.threshold)
        with saver.missing_if_unwritten(UNSTAMPED):
            save_png(likest, saver.out / UNSTAMPED)


def write_report(
    trial: Trial, assessment: Assessment, inputs: Inputs, saver: Saver, trainer: Trainer
) -> None:
    """Write the page of the run. Raises InputError when a photograph cannot be read."""
    page = run_page(trial, assessment, inputs.config, saver.out, facts_of(inputs, trainer))
    with saver.missing_if_unwritten(REPORT):
        write_page(saver.out / REPORT, page)


def facts_of(inputs: Inputs, trainer: Trainer) -> Facts:
    """Return what a run's page says beside its assessment."""
    config, now = inputs.config, dt.datetime.now(dt.UTC)
    training, held_out = inputs.training or (), inputs.held_out or ()
    photographs = f"{len(training)} to train on, {len(held_out)} held out"
    marks = [f"{name}: {path}" for name, path in config.marks]
    values = {
        "marks": "; ".join(marks),
        "photographs without the mark": photographs if training else "none: painted products",
        "real photographs with the mark": f"{len(inputs.real)}, {len(inputs.real_held_out)} more "
        "held out",
        "network": f"{config.fit.network} at {config.fit.size} pixels, from {config.fit.weights}",
        "length": f"{trainer.step} steps, {duration(trainer.seconds)}",
        "machine": processor(),
    }
    return Facts(now.isoformat(" ", "minutes").replace("+00:00", " UTC"), values)


def draw_hits(
    net: DenseLocalizer,
    inputs: Inputs,
    validation_set: Sequence[Picture],
    saver: Saver,
    assessment: Assessment | None,
) -> None:
    """Write what the network finds in the validation set, dashed below the threshold."""
    threshold = assessment.chosen.threshold if assessment else SHOWN_SCORE
    shown, least = validation_set[:SHEET_PICTURES], NEAR * threshold
    found = find_marks(net, shown, inputs.config.two_look_plan, least)
    with saver.missing_if_unwritten(HITS):
        save_png(hit_sheet(shown, found, inputs.config.classes, threshold), saver.out / HITS)
