"""Train a localizer: one function that reads from top to bottom, :func:`fit`."""

import csv
import dataclasses
import functools
import io
import math
import os
import signal
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from edge.errors import InputError
from edge.files import make_folder, write_whole
from train import checkpoint
from train.backgrounds import (
    Backgrounds,
    Mixed,
    PaintedProducts,
    Photographs,
    check_sizes,
    list_photographs,
    split_by_product,
)
from train.checkpoint import Checkpoint
from train.config import FitSettings, RunConfig
from train.dataset import Batch, load_batches
from train.losses import heat_loss, sides_loss
from train.marks import Mark, load_mark, load_marks
from train.model import DenseLocalizer
from train.replicas import Replicas
from train.sheet import contact_sheet
from train.synth import Kit, paint
from train.threshold import choose_threshold

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SAVE_SECONDS = 60.0
"""A checkpoint is written this often."""
SHEET_PICTURES = 24
HELD_OUT, HELD_OUT_PICTURES = "held_out.npz", 16
RISING = 10
"""The average starts fast and slows: its decay at step n is at most (1 + n) / (RISING + n)."""


@dataclass(frozen=True)
class Inputs:
    """What a run trains on: its marks, and the photographs to train on and those held out (None: painted products)."""

    config: RunConfig
    marks: tuple[Mark, ...]
    training: tuple[Path, ...] | None
    held_out: tuple[Path, ...] | None
    lookalikes: tuple[Mark, ...]

    def kit(self, held_out: bool = False) -> Kit:
        """What to paint from; each process makes its own."""
        paths = self.held_out if held_out else self.training
        size = self.config.fit.size
        backgrounds: Backgrounds = PaintedProducts(1 + held_out)
        if paths is not None:
            backgrounds = Mixed(Photographs(paths, 2 * size), backgrounds, self.config.synth.painted_share)
        return Kit(self.marks, backgrounds, self.config.synth, size, self.lookalikes)


def read_inputs(config: RunConfig) -> Inputs:
    """Load the marks and look through the backgrounds. Raises InputError with one clear line."""
    marks = load_marks(config.marks)
    lookalikes = tuple(load_mark(Path(path), "look-alike") for path in config.lookalikes)
    if not config.backgrounds:
        return Inputs(config, marks, None, None, lookalikes)
    folder = Path(config.backgrounds)
    paths = check_sizes(list_photographs(folder), marks, folder)
    training, held_out = split_by_product(paths, folder, config.fit.held_out_share)
    return Inputs(config, marks, tuple(training), tuple(held_out), lookalikes)


@dataclass
class Trainer:
    """The moving parts of a run."""

    net: DenseLocalizer
    optimizer: torch.optim.Optimizer
    averaged: dict[str, Tensor]
    replicas: Replicas
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def fresh(cls, config: RunConfig) -> "Trainer":
        """Start from random (or ImageNet's) weights."""
        fit = config.fit
        net = DenseLocalizer(fit.backbone, len(config.classes), fit.imagenet).to(DEVICE)
        for parameter in net.parameters():
            if parameter.ndim == 4:  # the layout that convolutions are fastest in, on processors too
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(_decay_groups(net, fit.weight_decay), lr=fit.learning_rate)
        averaged = {name: value.detach().clone() for name, value in net.state_dict().items()}
        return cls(net, optimizer, averaged, Replicas(net, parts_of(fit)))

    @classmethod
    def resumed(cls, kept: Checkpoint) -> "Trainer":
        """Go on from a checkpoint."""
        trainer = cls.fresh(kept.config)
        trainer.net.load_state_dict(kept.weights)
        trainer.optimizer.load_state_dict(kept.optimizer)
        averaged = {name: value.to(DEVICE) for name, value in kept.averaged.items()}
        return dataclasses.replace(trainer, averaged=averaged, step=kept.step, seconds=kept.seconds)

    def checkpoint(self, config: RunConfig, threshold: float | None) -> Checkpoint:
        """The state now."""
        weights = self.net.state_dict()
        return Checkpoint(
            config, self.averaged, weights, self.optimizer.state_dict(), self.step, self.seconds, threshold
        )


def parts_of(fit: FitSettings) -> int:
    """Into how many parts a batch is split: one for each core, a single one on a GPU."""
    return 1 if DEVICE.type == "cuda" else fit.threads or len(os.sched_getaffinity(0))


def _decay_groups(net: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weights of convolutions decay; biases and the scales of batch norm do not."""
    matrices = [p for p in net.parameters() if p.ndim > 1]
    vectors = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: *stopped* is True when it was interrupted."""

    checkpoint: Path
    step: int
    threshold: float
    stopped: bool


def fit(inputs: Inputs, out: Path, resume: Checkpoint | None = None) -> Outcome:
    """Train and leave a checkpoint, the loss as CSV, the configuration and a contact sheet in *out*.

    SIGINT or SIGTERM ends the run after the step in hand; the checkpoint is usable all the same.
    """
    config = inputs.config
    torch.manual_seed(config.fit.seed)
    torch.set_num_threads(1)
    prepare_folder(inputs, out)
    trainer = Trainer.resumed(resume) if resume else Trainer.fresh(config)
    batches = load_batches(inputs.kit, config.fit, len(config.classes), trainer.step)
    with stop_requested() as stop, progress(config, trainer) as bar, loss_table(out, trainer.step) as table:
        saved = started = time.monotonic() - trainer.seconds
        while not stop and (share := share_done(config, trainer)) < 1.0:
            batch = next(batches)
            losses = train_step(trainer, config, batch, share)
            trainer.seconds = time.monotonic() - started
            report(bar, table, trainer, losses, len(batch.pictures))
            if time.monotonic() - saved > SAVE_SECONDS:
                checkpoint.save(trainer.checkpoint(config, None), out)
                saved = time.monotonic()
    checkpoint.save(trainer.checkpoint(config, None), out)
    torch.set_num_threads(parts_of(config.fit))
    kept = trainer.checkpoint(config, None)
    threshold = choose_threshold(kept.network(), functools.partial(inputs.kit, True), config)
    path = checkpoint.save(trainer.checkpoint(config, threshold), out)
    return Outcome(path, trainer.step, threshold, bool(stop))


def share_done(config: RunConfig, trainer: Trainer) -> float:
    """How much of the run is behind us, 0..1."""
    if config.fit.steps:
        return trainer.step / config.fit.steps
    return trainer.seconds / (config.fit.minutes * 60)


def learning_rate(config: RunConfig, share: float) -> float:
    """Step size at *share* of the run: a linear rise, then half a cosine down to a hundredth."""
    warmup = config.fit.warmup_share
    if share < warmup:
        return config.fit.learning_rate * (0.02 + 0.98 * share / warmup)
    fall = (min(share, 1.0) - warmup) / (1.0 - warmup)
    return config.fit.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))


def train_step(trainer: Trainer, config: RunConfig, batch: Batch, share: float) -> tuple[float, float, float]:
    """One step of the optimiser; returns the whole loss, the heat's and the sides'. Raises InputError on divergence."""
    for group in trainer.optimizer.param_groups:
        group["lr"] = learning_rate(config, share)
    loss, heat, box = trainer.replicas.backward(batch.to(DEVICE), functools.partial(loss_of, config.fit.sides_weight))
    if not math.isfinite(loss):
        raise InputError(
            f"training: the loss at step {trainer.step} is not a number; lower learning_rate and try again"
        )
    nn.utils.clip_grad_norm_(trainer.net.parameters(), config.fit.clip_norm)
    trainer.optimizer.step()
    average(trainer, config.fit.ema)
    trainer.step += 1
    return loss, heat, box


def loss_of(sides_weight: float, net: nn.Module, batch: Batch) -> tuple[Tensor, tuple[float, ...]]:
    """Loss of *net* on *batch*; the numbers to report are the whole, the heat's part and the sides' part."""
    logits, sides = net(batch.pictures)
    heat = heat_loss(logits, batch.heat, batch.care)
    box = sides_loss(sides, batch.sides, batch.weight)
    loss = heat + sides_weight * box
    return loss, (loss.item(), heat.item(), box.item())


@torch.no_grad()
def average(trainer: Trainer, decay: float) -> None:
    """Move the averaged weights towards the present ones (Polyak averaging; batch norm's statistics too)."""
    decay = min(decay, (1 + trainer.step) / (RISING + trainer.step))
    for name, value in trainer.net.state_dict().items():
        kept = trainer.averaged[name]
        if kept.is_floating_point():
            kept.lerp_(value, 1 - decay)
        else:
            kept.copy_(value)


def prepare_folder(inputs: Inputs, out: Path) -> None:
    """Make the run's folder and write down what it is.

    The configuration, a contact sheet of training pictures, and the held-out pictures that an export is checked on, so
    that it needs nothing but this folder. Raises InputError.
    """
    make_folder(out)
    write_whole(out / "config.toml", inputs.config.to_toml().encode())
    kit, fit = inputs.kit(), inputs.config.fit
    sides = [fit.window] * (SHEET_PICTURES * 3 // 4) + [fit.size] * (SHEET_PICTURES // 4)
    pictures = [paint(np.random.default_rng((fit.seed, 0, i)), kit, side) for i, side in enumerate(sides)]
    contact_sheet(pictures, inputs.config.classes, out / "pictures.png")
    write_held_out(inputs, out)


def write_held_out(inputs: Inputs, out: Path) -> None:
    """Write :data:`HELD_OUT_PICTURES` painted pictures, (n, size, size, 3) uint8, as ``held_out.npz``."""
    kit, size = inputs.kit(held_out=True), inputs.config.fit.size
    pictures = [paint(np.random.default_rng((3, i)), kit, size).pixels for i in range(HELD_OUT_PICTURES)]
    file = io.BytesIO()
    np.savez_compressed(file, pictures=np.stack(pictures))
    write_whole(out / HELD_OUT, file.getvalue())


def read_held_out(run: Path) -> NDArray[np.uint8]:
    """Read what :func:`write_held_out` wrote. Raises InputError."""
    path = run / HELD_OUT
    try:
        with np.load(path, allow_pickle=False) as content:
            return np.asarray(content["pictures"], np.uint8)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, FileNotFoundError) else error
        raise InputError(f"{path}: cannot be read ({reason}); it belongs to the run, bring the whole folder") from None


@contextmanager
def stop_requested() -> Iterator[list[int]]:
    """A list that is empty until SIGINT or SIGTERM comes; a second signal ends the program the usual way."""
    signals: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: FrameType | None) -> None:
        signals.append(number)
        for known, handler in before.items():
            signal.signal(known, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress(config: RunConfig, trainer: Trainer) -> "Iterator[tqdm[NoReturn]]":
    """A bar over steps, or over seconds when the run is limited by time."""
    by_steps = bool(config.fit.steps)
    total, done = (config.fit.steps, trainer.step) if by_steps else (round(config.fit.minutes * 60), trainer.seconds)
    form = "{l_bar}{bar}| {n:.0f}/{total} {unit} [{elapsed}<{remaining}{postfix}]"
    unit = "steps" if by_steps else "s"
    with tqdm(total=total, initial=round(done), unit=unit, desc="train", bar_format=form, mininterval=1.0) as bar:
        yield bar


@contextmanager
def loss_table(out: Path, step: int) -> "Iterator[LossTable]":
    """The run's ``loss.csv``, continued when the run is."""
    path = out / "loss.csv"
    with path.open("a" if step else "w", newline="", encoding="utf-8") as file:
        table = LossTable(csv.writer(file))
        if not step:
            table.writer.writerow(["step", "seconds", "pictures", "loss", "heat", "sides"])
        yield table


class CsvWriter(Protocol):
    """What csv.writer returns, which the standard library does not name."""

    def writerow(self, row: Iterable[object], /) -> object:
        """Write one row."""
        ...


class LossTable:
    """Rows of ``loss.csv`` and the running means that the bar shows."""

    def __init__(self, writer: "CsvWriter") -> None:
        """Write rows to *writer*."""
        self.writer = writer
        self.pictures = 0
        self.first_second: float | None = None
        self.mean = 0.0


def report(
    bar: "tqdm[NoReturn]", table: LossTable, trainer: Trainer, losses: tuple[float, float, float], pictures: int
) -> None:
    """Show and write down one step."""
    if table.first_second is None:
        table.first_second, table.mean = trainer.seconds, losses[0]
    else:
        table.pictures += pictures
    table.mean += 0.02 * (losses[0] - table.mean)
    row = (trainer.step, f"{trainer.seconds:.2f}", pictures, *(f"{loss:.5f}" for loss in losses))
    table.writer.writerow(row)
    rate = table.pictures / max(trainer.seconds - table.first_second, 1e-9)
    bar.set_postfix_str(f"loss {table.mean:.3f}, {rate:.0f} images/s", refresh=False)
    done = trainer.step if bar.unit == "steps" else trainer.seconds
    bar.update(min(done, bar.total or 0) - bar.n)
