"""What a run says about itself: the progress bar, ``loss.csv``, ``validation.csv`` and
TensorBoard's curves.
"""

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
    """A table in the run's folder; a row is on its way to the disk when :meth:`flush` returns."""

    def __init__(self, file: TextIO) -> None:
        """Write rows to *file*."""
        self._file, self._writer = file, csv.writer(file)

    def row(self, trainer: Trainer, *cells: object, losses: Losses) -> None:
        """Write where the run is, *cells* and the losses."""
        numbers = (f"{loss:.5f}" for loss in losses)
        self._writer.writerow((trainer.step, f"{trainer.seconds:.2f}", *cells, *numbers))

    def flush(self) -> None:
        """Hand the rows to the operating system."""
        self._file.flush()


class Diary:
    """Notes each step and each look at the held-out pictures. Synchronization: one writer."""

    def __init__(
        self,
        bar: "tqdm[NoReturn] | None" = None,
        losses: Table | None = None,
        validation: Table | None = None,
        board: "SummaryWriter | None" = None,
    ) -> None:
        """Write to what is given; all of it is missing where the process does not lead."""
        self.bar, self.losses, self.validation, self.board = bar, losses, validation, board
        self._pictures = 0
        self._first_second: float | None = None
        self._mean = 0.0

    def step(self, trainer: Trainer, losses: Losses, pictures: int) -> None:
        """Show and write down one step; *pictures*: how many it was made from."""
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
        if self.board:
            self._scalars("train", trainer.step, losses)
            self.board.add_scalar(
                "learning rate", trainer.optimizer.param_groups[0]["lr"], trainer.step
            )
            self.board.add_scalar("images per second", rate, trainer.step)

    def look(self, trainer: Trainer, losses: Losses) -> None:
        """Write down one look at the held-out pictures."""
        if self.validation:
            self.validation.row(trainer, losses=losses)
        if self.board:
            self._scalars("held out", trainer.step, losses)

    def picture(self, name: str, image: Image.Image, step: int) -> None:
        """Show TensorBoard a sheet of pictures."""
        if self.board:
            self.board.add_image(name, np.asarray(image.convert("RGB")), step, dataformats="HWC")

    def flush(self) -> None:
        """Write down what is still in memory, so that a checkpoint never knows more than the
        tables.
        """
        for table in (self.losses, self.validation):
            if table:
                table.flush()

    def _scalars(self, group: str, step: int, losses: Losses) -> None:
        assert self.board is not None
        for name, loss in zip(PARTS, losses, strict=True):
            self.board.add_scalar(f"{group}/{name}", loss, step)


@contextmanager
def open_diary(out: Path, config: RunConfig, trainer: Trainer) -> Iterator[Diary]:
    """The run's diary, continued when the run is; only the leader of a team writes one. Raises
    UsageError.
    """
    with ExitStack() as opened:
        if not trainer.team.leads:
            yield Diary()
            return
        bar = opened.enter_context(_progress(config, trainer))
        losses = opened.enter_context(_table(out / "loss.csv", LOSS_COLUMNS, trainer.step))
        validation = None
        if config.fit.validate_share:
            validation = opened.enter_context(
                _table(out / "validation.csv", VALIDATION_COLUMNS, trainer.step)
            )
        board = None
        if config.fit.tensorboard:
            again = trainer.step + 1 if trainer.step else None
            board = opened.enter_context(
                summary_writer()(str(out / "tensorboard"), purge_step=again)
            )
        diary = Diary(bar, losses, validation, board)
        with Image.open(out / SHEET) as sheet:
            diary.picture("training pictures", sheet, trainer.step)
        yield diary


def summary_writer() -> "type[SummaryWriter]":
    """TensorBoard's writer of event files. Raises UsageError when it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an extra of its own
    except ImportError:
        raise UsageError(
            "tensorboard is not installed; this needs stampgate[tensorboard]: in a checkout, "
            "pip install '.[tensorboard]', or leave tensorboard out"
        ) from None
    return SummaryWriter


@contextmanager
def _progress(config: RunConfig, trainer: Trainer) -> "Iterator[tqdm[NoReturn]]":
    """A bar over steps, or over seconds when the run is limited by time."""
    by_steps = bool(config.fit.steps)
    total, done = (
        (config.fit.steps, trainer.step)
        if by_steps
        else (round(config.fit.minutes * 60), trainer.seconds)
    )
    form = "{l_bar}{bar}| {n:.0f}/{total} {unit} [{elapsed}<{remaining}{postfix}]"
    unit = "steps" if by_steps else "s"
    with tqdm(
        total=total, initial=round(done), unit=unit, desc="train", bar_format=form, mininterval=1.0
    ) as bar:
        yield bar


@contextmanager
def _table(path: Path, columns: tuple[str, ...], step: int) -> Iterator[Table]:
    """A table in the run's folder, continued after *step* when the run is."""
    kept = [",".join(columns), *_rows_until(path, step)] if step else [",".join(columns)]
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"{line}\r\n" for line in kept)
        yield Table(file)


def _rows_until(path: Path, step: int) -> list[str]:
    """Rows of an earlier table up to *step*: those behind it were written after the checkpoint and
    will come again.
    """
    lines = (
        path.read_text(encoding="utf-8", errors="replace").splitlines()[1:] if path.exists() else []
    )
    numbered = ((line, line.partition(",")[0]) for line in lines)
    return [line for line, number in numbered if number.isdecimal() and int(number) <= step]
