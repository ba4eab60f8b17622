"""The moving parts of a run and one step of them."""

import functools
import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from edge.errors import InputError
from train.config import FitSettings, RunConfig
from train.learn.dataset import Batch
from train.learn.distributed import Team, cores_here
from train.learn.early_stopping import Plateau
from train.learn.initial_weights import empty_network, initial_network
from train.learn.precision import Precision, choose_precision
from train.learn.replicas import Replicas
from train.network.checkpoint import Checkpoint
from train.network.losses import heat_loss, sides_loss
from train.network.model import DenseLocalizer

RISING = 10
"""The average starts fast and slows: its decay at step n is at most (1 + n) / (RISING + n)."""

Losses = tuple[float, float, float]
"""The whole loss, the heat's part and the sides' part."""


@dataclass
class Trainer:
    """What changes while a run trains; *step* and *seconds* say how far it came."""

    net: DenseLocalizer
    optimizer: torch.optim.Optimizer
    averaged: dict[str, Tensor]
    replicas: Replicas
    precision: Precision
    plateau: Plateau
    team: Team = field(default_factory=Team)
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def fresh(cls, config: RunConfig, team: Team | None = None) -> "Trainer":
        """Start from the weights that *config* asks for. Raises UsageError or InputError when they
        cannot be had.
        """
        team = team or Team()
        return cls._around(
            initial_network(config) if team.leads else empty_network(config), config, team
        )

    @classmethod
    def resumed(cls, kept: Checkpoint, team: Team | None = None) -> "Trainer":
        """Go on from a checkpoint."""
        team = team or Team()
        net = empty_network(kept.config)
        net.load_state_dict(kept.weights)
        trainer = cls._around(net, kept.config, team, kept.step)
        trainer.optimizer.load_state_dict(kept.optimizer)
        if kept.scaler:  # empty when the run so far was not in float16
            trainer.precision.scaler.load_state_dict(kept.scaler)
        averaged = {name: value.to(team.device) for name, value in kept.averaged.items()}
        plateau = Plateau.resumed(kept.config.fit.patience, kept.best_loss, kept.looks_since)
        return replace(
            trainer, averaged=averaged, plateau=plateau, step=kept.step, seconds=kept.seconds
        )

    @classmethod
    def _around(
        cls, net: DenseLocalizer, config: RunConfig, team: Team, step: int = 0
    ) -> "Trainer":
        fit = config.fit
        precision = choose_precision(fit.precision, team.device)
        net.to(team.device)
        team.begin_alike(net, step)
        for parameter in net.parameters():
            if (
                parameter.ndim == 4
            ):  # the layout that convolutions are fastest in, on processors too
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(_decay_groups(net, fit.weight_decay), lr=fit.learning_rate)
        averaged = {name: value.detach().clone() for name, value in net.state_dict().items()}
        replicas = Replicas(net, parts_of(fit, team), team)
        return cls(net, optimizer, averaged, replicas, precision, Plateau(fit.patience), team)

    def checkpoint(self, config: RunConfig, threshold: float | None) -> Checkpoint:
        """The state now."""
        return Checkpoint(
            config,
            self.averaged,
            self.net.state_dict(),
            self.optimizer.state_dict(),
            self.step,
            self.seconds,
            threshold,
            self.precision.scaler.state_dict(),
            self.plateau.best,
            self.plateau.since,
        )


def parts_of(fit: FitSettings, team: Team) -> int:
    """Into how many parts a process splits its batch: one for each of its cores, a single one on a
    GPU.
    """
    return 1 if team.device.type == "cuda" else fit.threads or cores_here()


def _decay_groups(net: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weights of convolutions decay; biases and the scales of batch norm do not."""
    matrices = [p for p in net.parameters() if p.ndim > 1]
    vectors = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


def learning_rate(config: RunConfig, share: float) -> float:
    """Step size at *share* of the run: a linear rise, then half a cosine down to a hundredth."""
    warmup = config.fit.warmup_share
    if share < warmup:
        return config.fit.learning_rate * (0.02 + 0.98 * share / warmup)
    fall = (min(share, 1.0) - warmup) / (1.0 - warmup)
    return config.fit.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))


def frozen_stages(fit: FitSettings, share: float) -> int:
    """How many of the backbone's first stages do not learn at *share* of the run."""
    return fit.freeze_stages if share < fit.unfreeze_share else 0


def train_step(trainer: Trainer, config: RunConfig, batch: Batch, share: float) -> Losses:
    """One step at *share* of the run, as the schedule wants it. Raises InputError on divergence."""
    trainer.replicas.freeze(frozen_stages(config.fit, share))
    return take_step(trainer, config.fit, batch, learning_rate(config, share))


def take_step(trainer: Trainer, fit: FitSettings, batch: Batch, rate: float) -> Losses:
    """One step of the optimiser of size *rate*. Raises InputError when the loss is no number any
    more.
    """
    for group in trainer.optimizer.param_groups:
        group["lr"] = rate
    measure = functools.partial(loss_of, fit.sides_weight, trainer.precision)
    loss, heat, box = trainer.replicas.backward(batch.to(trainer.team.device), measure)
    if not math.isfinite(loss):
        raise InputError(
            f"training: the loss at step {trainer.step} is not a number; lower learning_rate and try again"
        )
    scaler = trainer.precision.scaler
    scaler.unscale_(trainer.optimizer)
    nn.utils.clip_grad_norm_(trainer.net.parameters(), fit.clip_norm)
    scaler.step(trainer.optimizer)
    scaler.update()
    average(trainer, fit.ema)
    trainer.step += 1
    return loss, heat, box


def loss_of(
    sides_weight: float, precision: Precision, net: nn.Module, batch: Batch
) -> tuple[Tensor, Tensor]:
    """Loss of *net* on *batch*, scaled up where the precision needs it, and :data:`Losses`
    unscaled, (3,).
    """
    with precision.autocast():
        logits, sides = net(batch.pictures)
    losses = losses_of(sides_weight, logits.float(), sides.float(), batch)
    return precision.scaler.scale(losses[0]), torch.stack(losses)


def losses_of(
    sides_weight: float, logits: Tensor, sides: Tensor, batch: Batch
) -> tuple[Tensor, Tensor, Tensor]:
    """The whole loss of a network's answer to *batch*, the heat's part and the sides' part."""
    heat = heat_loss(logits, batch.heat, batch.care)
    box = sides_loss(sides, batch.sides, batch.weight)
    return heat + sides_weight * box, heat, box


@torch.no_grad()
def average(trainer: Trainer, decay: float) -> None:
    """Move the averaged weights towards the present ones (Polyak averaging; batch norm's statistics
    too).
    """
    decay = min(decay, (1 + trainer.step) / (RISING + trainer.step))
    for name, value in trainer.net.state_dict().items():
        kept = trainer.averaged[name]
        if kept.is_floating_point():
            kept.lerp_(value, 1 - decay)
        else:
            kept.copy_(value)
