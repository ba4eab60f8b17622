"""The state of a run that trains, and one step of it."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from edge.errors import InputError
from train.config import FitSettings, RunConfig
from train.learn.dataset import Batch
from train.learn.distributed import ProcessGroup, cores_here
from train.learn.early_stopping import EarlyStopping
from train.learn.initial_weights import empty_network, initial_network
from train.learn.precision import Precision, choose_precision
from train.learn.replicas import Replicas
from train.network.checkpoint import Checkpoint
from train.network.losses import heat_loss, sides_loss
from train.network.model import DenseLocalizer

EMA_WARM_UP = 10
"""The decay of the moving average at step n is at most (1 + n) / (EMA_WARM_UP + n)."""

Losses = tuple[float, float, float]
"""The whole loss, the heat's part (focal loss) and the sides' part (GIoU loss)."""


@dataclass
class Trainer:
    """Everything that changes while a run trains.

    *net*: the network that learns; *averaged*: the exponential moving average of its weights, which
    is what a run exports; *step*, *seconds*: how far the run has come.
    """

    net: DenseLocalizer
    optimizer: torch.optim.Optimizer
    averaged: AveragedModel
    replicas: Replicas
    precision: Precision
    early_stopping: EarlyStopping
    group: ProcessGroup = field(default_factory=ProcessGroup)
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def fresh(cls, config: RunConfig, group: ProcessGroup | None = None) -> "Trainer":
        """Start from the weights that *config* asks for.

        Raises UsageError or InputError when they cannot be had.
        """
        group = group or ProcessGroup()
        net = initial_network(config) if group.is_leader else empty_network(config)
        return cls._around(net, config, group)

    @classmethod
    def resumed(cls, kept: Checkpoint, group: ProcessGroup | None = None) -> "Trainer":
        """Go on from a checkpoint."""
        group = group or ProcessGroup()
        fit, net = kept.config.fit, empty_network(kept.config)
        net.load_state_dict(kept.weights)
        trainer = cls._around(net, kept.config, group, kept.step)
        trainer.optimizer.load_state_dict(kept.optimizer)
        if kept.scaler:  # empty when the run so far was not in float16
            trainer.precision.scaler.load_state_dict(kept.scaler)
        trainer.averaged_network.load_state_dict(kept.averaged)
        stopping = EarlyStopping.resumed(fit.patience, kept.best_loss, kept.since_best)
        return replace(trainer, early_stopping=stopping, step=kept.step, seconds=kept.seconds)

    @classmethod
    def _around(
        cls, net: DenseLocalizer, config: RunConfig, group: ProcessGroup, step: int = 0
    ) -> "Trainer":
        fit = config.fit
        precision = choose_precision(fit.precision, group.device)
        net.to(group.device)
        group.broadcast_weights(net, step)
        for parameter in net.parameters():
            if parameter.ndim == 4:  # the layout convolutions are fastest in, on processors too
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(_decay_groups(net, fit.weight_decay), lr=fit.learning_rate)
        averaged = moving_average_of(net, fit.ema, step)
        replicas = Replicas(net, parts_of(fit, group), group)
        stopping = EarlyStopping(fit.patience)
        return cls(net, optimizer, averaged, replicas, precision, stopping, group)

    @property
    def averaged_network(self) -> DenseLocalizer:
        """The network with the averaged weights, in eval mode."""
        return cast(DenseLocalizer, self.averaged.module)

    def checkpoint(self, config: RunConfig, threshold: float | None) -> Checkpoint:
        """Return the state now."""
        return Checkpoint(
            config,
            self.averaged_network.state_dict(),
            self.net.state_dict(),
            self.optimizer.state_dict(),
            self.step,
            self.seconds,
            threshold,
            self.precision.scaler.state_dict(),
            self.early_stopping.best,
            self.early_stopping.since_best,
        )


def moving_average_of(net: DenseLocalizer, decay: float, step: int = 0) -> AveragedModel:
    """Return an exponential moving average of *net* (Polyak averaging) after *step* updates.

    Batch norm's statistics are averaged too; its counters, whole numbers, are copied. With few
    updates made, the decay is less than *decay*, so that the first weights are soon forgotten.
    """

    def move(averaged: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        done = int(count) - 1
        kept = min(decay, (1 + done) / (EMA_WARM_UP + done))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(averaged, current, 1 - kept)
        else:
            torch._foreach_copy_(averaged, current)

    average = AveragedModel(net, multi_avg_fn=cast(Callable[..., None], move), use_buffers=True)
    # torch takes the first update, when its count is 0, for a copy; ours is an average already.
    average.n_averaged.fill_(step + 1)
    average.module.eval()
    return average


def parts_of(fit: FitSettings, group: ProcessGroup) -> int:
    """Return into how many parts a process splits its batch: one a core, a single one on a GPU."""
    return 1 if group.device.type == "cuda" else fit.threads or cores_here()


def _decay_groups(net: nn.Module, decay: float) -> list[dict[str, object]]:
    """Return AdamW's parameter groups: weight decay for weights, none for biases and batch norm."""
    matrices = [p for p in net.parameters() if p.ndim > 1]
    vectors = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


def learning_rate(config: RunConfig, share: float) -> float:
    """Return the learning rate at *share* of the run: linear warm-up, then cosine decay.

    It ends at a hundredth of ``learning_rate``.
    """
    warmup = config.fit.warmup_share
    if share < warmup:
        return config.fit.learning_rate * (0.02 + 0.98 * share / warmup)
    fall = (min(share, 1.0) - warmup) / (1.0 - warmup)
    return config.fit.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))


def frozen_stages(fit: FitSettings, share: float) -> int:
    """Return how many of the backbone's first stages do not learn at *share* of the run."""
    return fit.freeze_stages if share < fit.unfreeze_share else 0


def train_step(trainer: Trainer, config: RunConfig, batch: Batch, share: float) -> Losses:
    """Take one step with the learning rate due at *share* of the run.

    Raises InputError when the loss is not a number any more.
    """
    trainer.replicas.freeze(frozen_stages(config.fit, share))
    return take_step(trainer, config.fit, batch, learning_rate(config, share))


def take_step(trainer: Trainer, fit: FitSettings, batch: Batch, rate: float) -> Losses:
    """Take one step: forward, backward, gradient clipping, optimiser, moving average.

    *rate*: the learning rate. Raises InputError when the loss is not a number any more.
    """
    for parameters in trainer.optimizer.param_groups:
        parameters["lr"] = rate
    measure = functools.partial(loss_of, fit.sides_weight, trainer.precision)
    loss, heat, box = trainer.replicas.backward(batch.to(trainer.group.device), measure)
    if not math.isfinite(loss):
        raise InputError(
            f"training: the loss at step {trainer.step} is not a number; "
            "lower learning_rate and try again"
        )
    scaler = trainer.precision.scaler
    scaler.unscale_(trainer.optimizer)
    nn.utils.clip_grad_norm_(trainer.net.parameters(), fit.clip_norm)
    scaler.step(trainer.optimizer)
    scaler.update()
    trainer.averaged.update_parameters(trainer.net)
    trainer.step += 1
    return loss, heat, box


def loss_of(
    sides_weight: float, precision: Precision, net: nn.Module, batch: Batch
) -> tuple[Tensor, Tensor]:
    """Return the loss of *net*, scaled for float16, and :data:`Losses` unscaled, (3,)."""
    with precision.autocast():
        logits, sides = net(batch.pictures)
    losses = losses_of(sides_weight, logits.float(), sides.float(), batch)
    return precision.scaler.scale(losses[0]), torch.stack(losses)


def losses_of(
    sides_weight: float, logits: Tensor, sides: Tensor, batch: Batch
) -> tuple[Tensor, Tensor, Tensor]:
    """Return :data:`Losses` of a network's output for *batch*, as tensors."""
    heat = heat_loss(logits, batch.heat, batch.care)
    box = sides_loss(sides, batch.sides, batch.weight)
    return heat + sides_weight * box, heat, box
