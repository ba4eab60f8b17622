"""Train a localizer: one function that reads from top to bottom, :func:`fit`."""

import copy
import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from edge.annotate import save_png
from train.config import RunConfig
from train.learn.dataset import load_batches, plan_batch
from train.learn.diary import Diary, open_diary
from train.learn.distributed import cores_here, join_team
from train.learn.early_stopping import share_done
from train.learn.held_out import find_marks, score_held_out
from train.learn.hit_sheet import hits_sheet
from train.learn.run_folder import HITS, SHEET_PICTURES, prepare_folder
from train.learn.threshold import choose_threshold
from train.learn.trainer import Trainer, parts_of, train_step
from train.network import checkpoint
from train.network.checkpoint import Checkpoint
from train.paint.inputs import Inputs
from train.paint.synth import Picture
from train.stopping import stop_requested

SAVE_SECONDS = 60.0
"""A checkpoint is written this often."""
SHOWN_SCORE = 0.3
"""Least score of what is drawn while the run has no threshold yet."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    *threshold*: None when none was asked for; *stopped*: it was interrupted; *plateau*: its loss
    fell no more.
    """

    checkpoint: Path
    step: int
    threshold: float | None
    stopped: bool
    plateau: bool = False


def fit(
    inputs: Inputs, out: Path, resume: Checkpoint | None = None, with_threshold: bool = True
) -> Outcome:
    """Train and leave all of a run in *out*: weights, losses, configuration, environment, sheets of
    pictures.

    SIGINT or SIGTERM ends the run after the step in hand; the checkpoint is usable all the same.
    Under ``torchrun`` every process calls this alike, and the leader alone writes. Without a
    threshold the run cannot be exported.
    """
    config = inputs.config
    torch.manual_seed(config.fit.seed)
    torch.set_num_threads(1)
    with join_team() as team, stop_requested() as signals:
        trainer = Trainer.resumed(resume, team) if resume else Trainer.fresh(config, team)
        held_out = prepare_folder(inputs, out, team, trainer.step)
        team.meet()
        batches = load_batches(
            inputs.kit, config.fit, len(config.classes), trainer.step, team.rank, team.world
        )
        with open_diary(out, config, trainer) as diary:
            saved = started = time.monotonic() - trainer.seconds
            stop, share = False, share_done(config.fit, trainer)
            while not stop and share < 1.0:
                losses = train_step(trainer, config, next(batches), share)
                ask = bool(signals) or trainer.plateau.reached
                stop, trainer.seconds = team.agree(ask, time.monotonic() - started)
                diary.step(trainer, losses, plan_batch(config.fit, trainer.step - 1, team.world)[1])
                before, share = share, share_done(config.fit, trainer)
                if team.leads and looks_between(config, before, share):
                    look(trainer, config, held_out, diary)
                if team.leads and time.monotonic() - saved > SAVE_SECONDS:
                    diary.flush()
                    checkpoint.save(trainer.checkpoint(config, None), out)
                    saved = time.monotonic()
        shown_from = team.told(
            conclude(trainer, inputs, held_out, out, with_threshold) if team.leads else 0.0
        )
    plateau = trainer.plateau.reached
    threshold = shown_from if with_threshold else None
    return Outcome(out / checkpoint.NAME, trainer.step, threshold, stop and not plateau, plateau)


def looks_between(config: RunConfig, before: float, now: float) -> bool:
    """Whether a look at the held-out pictures falls between two shares of the run; the last is at
    its end.
    """
    every = config.fit.validate_share
    return every > 0 and (int(before / every) < int(now / every) or before < 1.0 <= now)


def look(trainer: Trainer, config: RunConfig, held_out: Sequence[Picture], diary: Diary) -> None:
    """Score the averaged network on the held-out pictures and write it down."""
    net = copy.deepcopy(trainer.net)
    net.load_state_dict(trainer.averaged)
    losses = score_held_out(
        net.eval(), held_out, config.fit.sides_weight, parts_of(config.fit, trainer.team)
    )
    trainer.plateau.look(losses[0])
    diary.look(trainer, losses)
    if diary.board:
        shown = held_out[:SHEET_PICTURES]
        found = find_marks(net, shown, config.two_look_plan, SHOWN_SCORE)
        diary.picture("hits and misses", hits_sheet(shown, found, config.classes), trainer.step)


def conclude(
    trainer: Trainer, inputs: Inputs, held_out: Sequence[Picture], out: Path, with_threshold: bool
) -> float:
    """Save, set the threshold on all cores, and draw what the network finds in held-out pictures.

    Returns the score from which findings are drawn: the threshold where there is one.
    """
    config = inputs.config
    kept = trainer.checkpoint(config, None)
    checkpoint.save(kept, out)
    torch.set_num_threads(config.fit.threads or cores_here())
    net = kept.network()
    threshold: float | None = None
    if with_threshold:
        threshold = choose_threshold(net, functools.partial(inputs.kit, True), config)
        checkpoint.save(trainer.checkpoint(config, threshold), out)
    shown, shown_from = held_out[:SHEET_PICTURES], SHOWN_SCORE if threshold is None else threshold
    found = find_marks(net, shown, config.two_look_plan, shown_from)
    save_png(hits_sheet(shown, found, config.classes), out / HITS)
    return shown_from
