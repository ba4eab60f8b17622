"""The inputs of a run: its marks, its photographs, and which of them are held out."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import InputError, UsageError
from edge.printing import print_error
from train.config import RunConfig
from train.file_sums import file_sums
from train.labels.ground_truth import Labelled
from train.labels.reading import read_real
from train.leakage import HELD_OUT, MARK, TRAINED
from train.marks.lookalikes import kind_names
from train.marks.mark import Mark, load_mark, load_marks, mark_files
from train.marks.search import MarkSearch, search_photographs
from train.paint.backgrounds import Backgrounds, Mixed, PaintedProducts, Photographs, check_sizes
from train.paint.input_fingerprint import (
    Fingerprint,
    check_marks,
    check_photographs,
    check_places,
    fingerprint_of,
    name_in,
)
from train.paint.real_photographs import split_real
from train.paint.synth import LOOKALIKE_POOL, Kit
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
    search: MarkSearch | None = None
    """Of the photographs for the mark, where there was one: what it found is in neither part."""
    kept: Fingerprint | None = None
    """Of a run that goes on: the fingerprint that all this was compared with."""

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

    def marks_with_files(self) -> list[tuple[Mark, Path]]:
        """Return each mark with the file that it was read from."""
        return marks_with_files(self.config, self.marks)

    def fingerprint(self) -> Fingerprint:
        """Return the contents of the inputs and how they are split. Raises InputError."""
        left_out = left_out_paths(self.config, self.search)
        parts = self.training, self.held_out, self.real, self.real_held_out, left_out
        return self.kept or fingerprint_of(self.config, *parts)


def met_files(inputs: Inputs) -> list[tuple[str, str, str, Path]]:
    """Return every picture that a run's model meets: role, name, SHA-256 and path.

    It is what :func:`train.leakage.meet` takes. Raises InputError.
    """
    config, kept = inputs.config, inputs.fingerprint()
    images = Path(config.real[1] if config.real else "")
    files = [file for _, path in config.marks for file in mark_files(Path(path))]
    met = [
        (MARK, name, total, file) for (_, name, total), file in zip(kept.marks, files, strict=True)
    ]
    for role, paths, sums in (
        (TRAINED, inputs.training, kept.training),
        (HELD_OUT, inputs.held_out, kept.held_out),
    ):
        named = zip(sums or (), paths or (), strict=True)
        met += [(role, name, total, path) for (name, total), path in named]
    for role, labelled in ((TRAINED, inputs.real), (HELD_OUT, inputs.real_held_out)):
        totals = file_sums([one.path for one in labelled])
        met += [(role, name_in(images, path), total, path) for path, total in totals.items()]
    return met


def marks_with_files(config: RunConfig, marks: Sequence[Mark]) -> list[tuple[Mark, Path]]:
    """Return each mark with the file that it was read from; a folder of pictures is several."""
    files = [file for _, path in config.marks for file in mark_files(Path(path))]
    return list(zip(marks, files, strict=True))


def read_marks(config: RunConfig) -> tuple[Mark, ...]:
    """Load the marks as the configuration says that they are made. Raises InputError."""
    return load_marks(config.marks, config.synth.inks, config.synth.stickers)


def read_inputs(
    config: RunConfig,
    kept: Fingerprint | None = None,
    show: Callable[[RunConfig, tuple[Mark, ...]], None] | None = None,
    search: bool = False,
    told: Callable[[RunConfig, float], None] | None = None,
) -> Inputs:
    """Load the marks, check the photographs and split them. Raises InputError.

    *show* is told of the marks before anything else is read; *kept*: the fingerprint of a run that
    goes on: what differs from it is refused by name, and its split is taken; *search*: look for the
    marks in the photographs, and leave out those that bear one unless ``keep_bearing`` is set;
    *told* hears once how many seconds that still takes.
    """
    if kept:
        check_places(config)
        check_marks(kept, config)
    marks = read_marks(config)
    if show:
        show(config, marks)
    check_mine(config)
    lookalikes = tuple(load_mark(Path(path), "look-alike") for path in config.lookalikes)
    labelled: tuple[Labelled, ...] = ()
    if config.real:
        say = functools.partial(print_error, "stampgate")
        labelled = read_real(Path(config.real[0]), Path(config.real[1]), config.classes, say)
    folder, paths = Path(config.backgrounds), None
    if config.backgrounds:
        paths = check_sizes(list_photographs(folder), folder)
    if kept:
        check_photographs(kept, fingerprint_of(config, paths, None, labelled), config)
        return _split_as(kept, Inputs(config, marks, None, None, lookalikes), labelled)
    share = config.fit.held_out_share
    real = split_real(labelled, Path(config.real[1]), share) if config.real else ((), ())
    if paths is None:
        return Inputs(config, marks, None, None, lookalikes, *real)
    hear = functools.partial(told, config) if told else None
    searched = search_photographs(marks, paths, show is None, hear) if search else None
    free = _without_bearing(config, paths, searched)
    training, held_out = split_by_product(free, folder, share)
    return Inputs(config, marks, tuple(training), tuple(held_out), lookalikes, *real, searched)


def _without_bearing(
    config: RunConfig, paths: Sequence[Path], search: MarkSearch | None
) -> list[Path]:
    """Return the photographs that are left. Raises InputError when none is."""
    left_out = set(left_out_paths(config, search))
    if len(left_out) == len(paths):
        raise InputError(
            f"--backgrounds {config.backgrounds}: the mark was found in every photograph "
            f"({len(paths)}); bring photographs of products without it, or train on these all the "
            "same with --set keep_bearing=true"
        )
    return [path for path in paths if path not in left_out]


def left_out_paths(config: RunConfig, search: MarkSearch | None) -> list[Path]:
    """Return the photographs that are left out because the mark was found in them."""
    if search is None or config.synth.keep_bearing:
        return []
    return [one.path for one in search.bearing]


def _split_as(kept: Fingerprint, inputs: Inputs, labelled: Sequence[Labelled]) -> Inputs:
    """Return *inputs* with the photographs of the fingerprint, split as it says."""
    config = inputs.config
    folder, images = Path(config.backgrounds), Path(config.real[1] if config.real else "")
    known = {name_in(images, one.path): one for one in labelled}
    if kept.training is not None and kept.held_out is not None:
        training = tuple(folder / name for name, _ in kept.training)
        held_out = tuple(folder / name for name, _ in kept.held_out)
        inputs = dataclasses.replace(inputs, training=training, held_out=held_out)
    return dataclasses.replace(
        inputs,
        real=tuple(known[name] for name, _ in kept.real),
        real_held_out=tuple(known[name] for name, _ in kept.real_held_out),
        kept=kept,
    )


def check_mine(config: RunConfig) -> None:
    """Raise UsageError when ``mine`` names a look-alike that there is not."""
    for word in config.synth.mine:
        if word not in kind_names() and not (word.isdecimal() and int(word) < LOOKALIKE_POOL):
            raise UsageError(
                f"mine: {word!r} must be a number below {LOOKALIKE_POOL} or one of "
                f"{', '.join(kind_names())}; lookalikes.png in the run's folder shows them"
            )
