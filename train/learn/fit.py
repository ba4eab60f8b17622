"""Train a localizer: one function that reads from top to bottom, :func:`fit`."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from train.assess.assessment import Assessment
from train.config import FitSettings, RunConfig
from train.folder_lock import FolderLock
from train.learn.conclusion import SHOWN_SCORE, Watch, after_seconds, conclude
from train.learn.dataset import Batch, load_batches, plan_batch
from train.learn.distributed import join_process_group
from train.learn.hit_sheet import hit_sheet
from train.learn.interruption import Interruption, interruptible
from train.learn.progress import TimePlan, share_done
from train.learn.run_folder import SHEET_PICTURES, prepare_folder
from train.learn.saving import Saver, say, screen
from train.learn.trainer import Trainer, parts_of, train_step
from train.learn.training_log import TrainingLog, open_training_log
from train.learn.validation_set import find_marks, validation_losses
from train.network.checkpoint import Checkpoint
from train.paint.input_fingerprint import Fingerprint, check_unchanged
from train.paint.inputs import Inputs
from train.paint.synth import Picture

SAVE_SECONDS = 60.0
"""A checkpoint is written this often."""


@dataclass(frozen=True)
class FitResult:
    """How a run ended.

    *checkpoint*: its file; *step*: steps taken; *interrupted*: by a signal; *early_stopped*: by
    early stopping; *threshold*: least score that counts, None when none was asked for;
    *assessment*: of the network, in the leader alone; *left*: what a run that was interrupted has
    not done yet, in words.
    """

    checkpoint: Path
    step: int
    interrupted: bool
    early_stopped: bool
    threshold: float | None
    assessment: Assessment | None
    left: str = ""

    @classmethod
    def of(
        cls,
        path: Path,
        trainer: Trainer,
        stopped: bool,
        concluded: tuple[float | None, Assessment | None],
        plan: TimePlan,
    ) -> "FitResult":
        """Return the result of a run whose checkpoint is *path*; *stopped*: by a signal."""
        early = trainer.early_stopping.should_stop
        return cls(path, trainer.step, stopped, early, *concluded, plan.words(trainer))


def fit(
    inputs: Inputs,
    out: Path,
    resume: Checkpoint | None = None,
    with_threshold: bool = True,
    lock: FolderLock | None = None,
) -> FitResult:
    """Train a network and leave the whole run in the folder *out*.

    That is: weights, losses, configuration, environment, sheets of pictures. SIGINT asks once in a
    terminal; it or SIGTERM ends the run after the step in hand. Under ``torchrun`` every process
    calls this alike, and the leader alone writes. Without a threshold the run cannot be exported.
    *lock*: of the folder. Raises InputError, also about what the disk did not take, or UsageError.
    """
    config = inputs.config
    saver = Saver(out, run_fingerprint(inputs, resume), lock)
    torch.manual_seed(config.fit.seed)
    torch.set_num_threads(1)
    with screen(), join_process_group() as group, interruptible(group.world == 1) as interruption:
        group.check_same(saver.inputs.digest(), "marks or photographs")
        trainer = Trainer.resumed(resume, group) if resume else Trainer.fresh(config, group)
        validation_set = prepare_folder(inputs, out, group, trainer.step)
        plan = plan_time(inputs, trainer, with_threshold)
        group.barrier()
        batches = batches_from(inputs, trainer)
        with open_training_log(out, config, trainer, saver, plan) as log:
            started = time.monotonic() - trainer.seconds
            stop, share = False, share_done(config.fit, trainer)
            while not stop and share < 1.0:
                losses = train_step(trainer, config, next(batches), share)
                ask = asked_to_stop(interruption, plan, trainer)
                gone = time.monotonic() - started - interruption.waited_s
                stop, trainer.seconds = group.synchronize(ask, gone)
                interruption.note(stop and not trainer.early_stopping.should_stop)
                log.add_step(trainer, losses, pictures_of(config.fit, trainer))
                before, share = share, share_done(config.fit, trainer)
                if group.is_leader and validation_due(config, before, share):
                    validate(trainer, config, validation_set, log)
                if group.is_leader and saver.is_due(SAVE_SECONDS):
                    log.flush()
                    saver.save(trainer.checkpoint(config, None))
            watch = Watch(interruption, plan, log) if with_threshold else None
            concluded = conclude(trainer, inputs, validation_set, saver, watch)
    saver.check_all_written(trainer.step)
    return FitResult.of(saver.path, trainer, interruption.answer != "go on", concluded, plan)


def asked_to_stop(interruption: Interruption, plan: TimePlan, trainer: Trainer) -> bool:
    """Return whether somebody, or early stopping, asks this process to train no more."""
    answer = interruption.poll(lambda: plan.words(trainer), training=True)
    return answer != "go on" or trainer.early_stopping.should_stop


def plan_time(inputs: Inputs, trainer: Trainer, with_threshold: bool) -> TimePlan:
    """Estimate how long the run takes, in the leader, and say so. Raises InputError."""
    fit = inputs.config.fit
    after = with_threshold and trainer.group.is_leader
    searched_s = inputs.search.seconds if inputs.search else 0.0
    plan = TimePlan(fit, after_seconds(inputs) if after else 0.0, before_s=searched_s)
    if after:
        say(f"still to come: {plan.words(trainer)}")
    return plan


def pictures_of(fit: FitSettings, trainer: Trainer) -> int:
    """Return how many pictures the last step was shown, over all processes."""
    return plan_batch(fit, trainer.step - 1, trainer.group.world)[1]


def batches_from(inputs: Inputs, trainer: Trainer) -> Iterator[Batch]:
    """Return this process's share of the batches from the next step on."""
    fit, group, classes = inputs.config.fit, trainer.group, len(inputs.config.classes)
    return load_batches(inputs.kit, fit, classes, trainer.step, group.rank, group.world)


def run_fingerprint(inputs: Inputs, resume: Checkpoint | None) -> Fingerprint:
    """Return the fingerprint of the inputs, which must be what the run began with.

    Raises InputError that names what is another.
    """
    fingerprint = inputs.fingerprint()
    if resume and resume.inputs:
        kept = Fingerprint.from_json(resume.inputs)
        if fingerprint != kept:
            check_unchanged(kept, fingerprint, inputs.config)
        return kept
    return fingerprint


def validation_due(config: RunConfig, before: float, now: float) -> bool:
    """Return whether a validation falls between two shares of the run; the last is at its end."""
    every = config.fit.validate_share
    return every > 0 and (int(before / every) < int(now / every) or before < 1.0 <= now)


def validate(
    trainer: Trainer, config: RunConfig, validation_set: Sequence[Picture], log: TrainingLog
) -> None:
    """Measure the averaged network on the validation set, log it, and update early stopping."""
    net = trainer.averaged_network
    threads, begun = parts_of(config.fit, trainer.group), time.monotonic()
    losses = validation_losses(net, validation_set, config.fit.sides_weight, threads)
    trainer.early_stopping.update(losses[0])
    log.add_validation(trainer, losses)
    if log.tensorboard:
        shown = validation_set[:SHEET_PICTURES]
        found = find_marks(net, shown, config.two_look_plan, SHOWN_SCORE)
        log.add_sheet("hits and misses", hit_sheet(shown, found, config.classes), trainer.step)
    log.note_validation(time.monotonic() - begun)
