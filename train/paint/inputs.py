"""The inputs of a run: its marks, its photographs, and which of them are held out."""

from dataclasses import dataclass
from pathlib import Path

from train.config import RunConfig
from train.labels.reading import Labelled, read_real
from train.paint.backgrounds import Backgrounds, Mixed, PaintedProducts, Photographs, check_sizes
from train.paint.marks import Mark, load_mark, load_marks
from train.paint.real_photographs import split_real
from train.paint.synth import Kit
from train.photographs import list_photographs, split_by_product


@dataclass(frozen=True)
class Inputs:
    """The inputs of a run.

    *training*, *held_out*: photographs to train on and to validate on, None for painted products;
    *real*, *real_held_out*: labelled photographs of real marks, split alike.
    """

    config: RunConfig
    marks: tuple[Mark, ...]
    training: tuple[Path, ...] | None
    held_out: tuple[Path, ...] | None
    lookalikes: tuple[Mark, ...]
    real: tuple[Labelled, ...] = ()
    real_held_out: tuple[Labelled, ...] = ()

    def kit(self, held_out: bool = False) -> Kit:
        """Make the kit to paint from; each process makes its own."""
        paths = self.held_out if held_out else self.training
        size = self.config.fit.size
        backgrounds: Backgrounds = PaintedProducts(1 + held_out)
        if paths is not None:
            backgrounds = Mixed(
                Photographs(paths, 2 * size), backgrounds, self.config.synth.painted_share
            )
        real = self.real_held_out if held_out else self.real
        return Kit(self.marks, backgrounds, self.config.synth, size, self.lookalikes, real)


def read_inputs(config: RunConfig) -> Inputs:
    """Load the marks and check the photographs. Raises InputError."""
    marks = load_marks(config.marks)
    lookalikes = tuple(load_mark(Path(path), "look-alike") for path in config.lookalikes)
    real: tuple[tuple[Labelled, ...], tuple[Labelled, ...]] = (), ()
    if config.real:
        labels, images = map(Path, config.real)
        real = split_real(
            read_real(labels, images, config.classes), images, config.fit.held_out_share
        )
    if not config.backgrounds:
        return Inputs(config, marks, None, None, lookalikes, *real)
    folder = Path(config.backgrounds)
    paths = check_sizes(list_photographs(folder), marks, folder)
    training, held_out = split_by_product(paths, folder, config.fit.held_out_share)
    return Inputs(config, marks, tuple(training), tuple(held_out), lookalikes, *real)
