"""The log of a run: progress bar, ``loss.csv``, ``validation.csv`` and TensorBoard's curves."""

import contextlib
import csv
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edge.errors import UsageError
from edge.files import append_synced, open_ours, write_atomic
from edge.vision.picture_files import open_picture
from train.config import RunConfig
from train.learn.progress import RunBar, TimePlan, run_bar
from train.learn.saving import Saver, say
from train.learn.trainer import Losses, Trainer

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

PARTS = ("loss", "heat", "sides")
LOSS_COLUMNS = ("step", "seconds", "pictures", *PARTS)
VALIDATION_COLUMNS = ("step", "seconds", *PARTS)
ROWS_AT_ONCE = 100
"""Rows of a table that are written together."""
SHEET = "pictures.png"
"""The sheet of training pictures that a run's folder holds."""


class Table:
    """A CSV file of the run; rows wait in memory while the disk cannot be written.

    *waiting*: how many do; *last_step*: the step of the last one on the disk.
    """

    def __init__(self, path: Path, lines: Sequence[str], step: int) -> None:
        """Begin the file with *lines*, up to a *step* of the run. Raises InputError."""
        content = "".join(f"{line}\r\n" for line in lines).encode()
        write_atomic(path, content)
        self.name, self._size, self._waiting = path.name, len(content), io.StringIO(newline="")
        self._writer, self.waiting = csv.writer(self._waiting), 0
        self._step = self.last_step = step
        self._descriptor = open_ours(path, os.O_WRONLY | os.O_APPEND)

    def row(self, trainer: Trainer, *cells: object, losses: Losses) -> None:
        """Write step and seconds of the run, *cells* and the losses."""
        numbers = (f"{loss:.5f}" for loss in losses)
        self._writer.writerow((trainer.step, f"{trainer.seconds:.2f}", *cells, *numbers))
        self.waiting, self._step = self.waiting + 1, trainer.step
        if self.waiting % ROWS_AT_ONCE == 0:
            self.flush()

    def flush(self) -> None:
        """Append the rows that wait; they wait on when it cannot be done."""
        with contextlib.suppress(OSError):
            content = self._waiting.getvalue().encode()
            self._size = append_synced(self._descriptor, content, self._size)
            self._waiting.seek(0)
            self._waiting.truncate()
            self.waiting, self.last_step = 0, self._step

    def close(self) -> None:
        """Append the rows that wait, and close the file."""
        self.flush()
        os.close(self._descriptor)


class TrainingLog:
    """Logs each step and each validation. Synchronization: one writer."""

    def __init__(
        self,
        bar: RunBar | None = None,
        losses: Table | None = None,
        validations: Table | None = None,
        tensorboard: "SummaryWriter | None" = None,
        plan: TimePlan | None = None,
    ) -> None:
        """Write to what is given; nothing is, where the process is not the leader."""
        self._plan = plan
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
        if self._plan is not None:
            self._plan.note_step(trainer.seconds)
        if self.bar is not None:
            self.bar.training(trainer, f"loss {self._mean:.3f}, {rate:.0f} images/s")
        values = _curves("train", losses) | {
            "learning rate": trainer.optimizer.param_groups[0]["lr"],
            "images per second": rate,
        }
        self._draw(lambda board: _add_scalars(board, values, trainer.step))

    def add_validation(self, trainer: Trainer, losses: Losses) -> None:
        """Log the losses of one validation."""
        if self.validations:
            self.validations.row(trainer, losses=losses)
        values = _curves("validation", losses)
        self._draw(lambda board: _add_scalars(board, values, trainer.step))

    def note_validation(self, seconds: float) -> None:
        """Note that a validation took so many *seconds*."""
        if self._plan is not None:
            self._plan.note_validation(seconds)

    def add_sheet(self, name: str, image: Image.Image, step: int) -> None:
        """Show TensorBoard a sheet of pictures."""
        pixels = np.asarray(image.convert("RGB"))
        self._draw(lambda board: board.add_image(name, pixels, step, dataformats="HWC"))

    def flush(self) -> None:
        """Flush the tables, so that a checkpoint never knows more than they do."""
        for table in (self.losses, self.validations):
            if table:
                table.flush()

    def _draw(self, add: "Callable[[SummaryWriter], None]") -> None:
        """Add to TensorBoard's curves, which end when its file cannot be written any more."""
        if self.tensorboard:
            try:
                add(self.tensorboard)
            except OSError as error:
                say(f"TensorBoard's curves end here ({error.strerror or error}); training goes on")
                self.tensorboard = None


def _curves(group: str, losses: Losses) -> dict[str, float]:
    return {f"{group}/{name}": loss for name, loss in zip(PARTS, losses, strict=True)}


def _add_scalars(board: "SummaryWriter", values: Mapping[str, float], step: int) -> None:
    for name, value in values.items():
        board.add_scalar(name, value, step)


@contextmanager
def open_training_log(
    out: Path, config: RunConfig, trainer: Trainer, saver: Saver, plan: TimePlan
) -> Iterator[TrainingLog]:
    """Open the run's log, continued when the run is; only the leader of a group writes one.

    *saver*: is told at the end what could not be written; *plan*: learns how long steps take.
    Raises InputError, or UsageError when TensorBoard is asked for and not installed.
    """
    with ExitStack() as opened:
        if not trainer.group.is_leader:
            yield TrainingLog()
            return
        losses = opened.enter_context(_table(out / "loss.csv", LOSS_COLUMNS, trainer.step, saver))
        validations = None
        if config.fit.validate_share:
            path = out / "validation.csv"
            table = _table(path, VALIDATION_COLUMNS, trainer.step, saver)
            validations = opened.enter_context(table)
        tensorboard = None
        if config.fit.tensorboard:
            again = trainer.step + 1 if trainer.step else None
            tensorboard = summary_writer()(str(out / "tensorboard"), purge_step=again)
            opened.enter_context(saver.missing_if_unwritten("tensorboard"))
            opened.callback(tensorboard.close)
        bar = opened.enter_context(run_bar(plan, trainer))
        log = TrainingLog(bar, losses, validations, tensorboard, plan)
        with open_picture(out / SHEET) as sheet:
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
def _table(path: Path, columns: tuple[str, ...], step: int, saver: Saver) -> Iterator[Table]:
    """Open a table in the run's folder, continued after *step* when the run is.

    *saver*: is told of rows that could not be written. Raises InputError.
    """
    lines = [",".join(columns), *(_rows_until(path, step) if step else ())]
    table = Table(path, lines, step)
    try:
        yield table
    finally:
        table.close()
        if table.waiting:
            saver.missing.append(f"{path.name} lacks the rows after step {table.last_step}")


def _rows_until(path: Path, step: int) -> list[str]:
    """Return the rows of an earlier table up to *step*.

    Later ones were written after the checkpoint, and will come again.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    numbered = ((line, line.partition(",")[0]) for line in lines)
    return [line for line, number in numbered if number.isdecimal() and int(number) <= step]
