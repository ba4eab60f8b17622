"""The log of a run: progress bar, ``loss.csv``, ``validation.csv`` and TensorBoard's curves."""

import csv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

import numpy as np
from PIL import Image
from tqdm import tqdm

from edge.errors import UsageError
from train.config import RunConfig
from train.learn.trainer import Losses, Trainer

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

PARTS = ("loss", "heat", "sides")
LOSS_COLUMNS = ("step", "seconds", "pictures", *PARTS)
VALIDATION_COLUMNS = ("step", "seconds", *PARTS)
SHEET = "pictures.png"
"""The sheet of training pictures that a run's folder holds."""


class Table:
    """A CSV file of the run; its rows are the operating system's once :meth:`flush` returns."""

    def __init__(self, file: TextIO) -> None:
        """Write rows to *file*."""
        self._file, self._writer = file, csv.writer(file)

    def row(self, trainer: Trainer, *cells: object, losses: Losses) -> None:
        """Write step and seconds of the run, *cells* and the losses."""
        numbers = (f"{loss:.5f}" for loss in losses)
        self._writer.writerow((trainer.step, f"{trainer.seconds:.2f}", *cells, *numbers))

    def flush(self) -> None:
        """Hand the rows to the operating system."""
        self._file.flush()


class TrainingLog:
    """Logs each step and each validation. Synchronization: one writer."""

    def __init__(
        self,
        bar: "tqdm[NoReturn] | None" = None,
        losses: Table | None = None,
        validations: Table | None = None,
        tensorboard: "SummaryWriter | None" = None,
    ) -> None:
        """Write to what is given; nothing is, where the process is not the leader."""
        self.bar, self.losses, self.validations = bar, losses, validations
        self.tensorboard = tensorboard
        self._pictures = 0
        self._first_second: float | None = None
        self._mean = 0.0

    def add_step(self, trainer: Trainer, losses: Losses, pictures: int) -> None:
        """Log one step; *pictures*: the size of its batch over all processes."""
        if self._first_second is None:
            self._first_second, self._mean = trainer.seconds, losses[0]
        else:
            self._pictures += pictures
        self._mean += 0.02 * (losses[0] - self._mean)
        if self.losses:
            self.losses.row(trainer, pictures, losses=losses)
        rate = self._pictures / max(trainer.seconds - self._first_second, 1e-9)
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {self._mean:.3f}, {rate:.0f} images/s", refresh=False)
            done = trainer.step if self.bar.unit == "steps" else trainer.seconds
            self.bar.update(min(done, self.bar.total or 0) - self.bar.n)
        if self.tensorboard:
            self._add_losses("train", trainer.step, losses)
            learning_rate = trainer.optimizer.param_groups[0]["lr"]
            self.tensorboard.add_scalar("learning rate", learning_rate, trainer.step)
            self.tensorboard.add_scalar("images per second", rate, trainer.step)

    def add_validation(self, trainer: Trainer, losses: Losses) -> None:
        """Log the losses of one validation."""
        if self.validations:
            self.validations.row(trainer, losses=losses)
        if self.tensorboard:
            self._add_losses("validation", trainer.step, losses)

    def add_sheet(self, name: str, image: Image.Image, step: int) -> None:
        """Show TensorBoard a sheet of pictures."""
        if self.tensorboard:
            pixels = np.asarray(image.convert("RGB"))
            self.tensorboard.add_image(name, pixels, step, dataformats="HWC")

    def flush(self) -> None:
        """Flush the tables, so that a checkpoint never knows more than they do."""
        for table in (self.losses, self.validations):
            if table:
                table.flush()

    def _add_losses(self, group: str, step: int, losses: Losses) -> None:
        assert self.tensorboard is not None
        for name, loss in zip(PARTS, losses, strict=True):
            self.tensorboard.add_scalar(f"{group}/{name}", loss, step)


@contextmanager
def open_training_log(out: Path, config: RunConfig, trainer: Trainer) -> Iterator[TrainingLog]:
    """Open the run's log, continued when the run is; only the leader of a group writes one.

    Raises UsageError when TensorBoard is asked for and not installed.
    """
    with ExitStack() as opened:
        if not trainer.group.is_leader:
            yield TrainingLog()
            return
        bar = opened.enter_context(_progress_bar(config, trainer))
        losses = opened.enter_context(_table(out / "loss.csv", LOSS_COLUMNS, trainer.step))
        validations = None
        if config.fit.validate_share:
            path = out / "validation.csv"
            validations = opened.enter_context(_table(path, VALIDATION_COLUMNS, trainer.step))
        tensorboard = None
        if config.fit.tensorboard:
            again = trainer.step + 1 if trainer.step else None
            writer = summary_writer()(str(out / "tensorboard"), purge_step=again)
            tensorboard = opened.enter_context(writer)
        log = TrainingLog(bar, losses, validations, tensorboard)
        with Image.open(out / SHEET) as sheet:
            log.add_sheet("training pictures", sheet, trainer.step)
        yield log


def summary_writer() -> "type[SummaryWriter]":
    """Return TensorBoard's writer of event files. Raises UsageError when it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an extra of its own
    except ImportError:
        raise UsageError(
            "tensorboard is not installed; this needs stampgate[tensorboard]: in a checkout, "
            "pip install '.[tensorboard]', or leave tensorboard out"
        ) from None
    return SummaryWriter


@contextmanager
def _progress_bar(config: RunConfig, trainer: Trainer) -> "Iterator[tqdm[NoReturn]]":
    """Show a bar over steps, or over seconds when the run is limited by time."""
    if config.fit.steps:
        total, done, unit = config.fit.steps, trainer.step, "steps"
    else:
        total, done, unit = round(config.fit.minutes * 60), round(trainer.seconds), "s"
    form = "{l_bar}{bar}| {n:.0f}/{total} {unit} [{elapsed}<{remaining}{postfix}]"
    with tqdm(
        total=total, initial=done, unit=unit, desc="train", bar_format=form, mininterval=1.0
    ) as bar:
        yield bar


@contextmanager
def _table(path: Path, columns: tuple[str, ...], step: int) -> Iterator[Table]:
    """Open a table in the run's folder, continued after *step* when the run is."""
    kept = [",".join(columns), *_rows_until(path, step)] if step else [",".join(columns)]
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"{line}\r\n" for line in kept)
        yield Table(file)


def _rows_until(path: Path, step: int) -> list[str]:
    """Return the rows of an earlier table up to *step*.

    Later ones were written after the checkpoint, and will come again.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    numbered = ((line, line.partition(",")[0]) for line in lines)
    return [line for line, number in numbered if number.isdecimal() and int(number) <= step]
