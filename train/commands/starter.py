"""``stampgate starter``: make the shipped initial weights again."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import InputError, UsageError
from edge.files import write_atomic
from edge.printing import print_line
from train.commands import needing
from train.commands.configuration import add_backgrounds, add_set, add_setting, config_of
from train.commands.train import resumable, resumed_inputs, run_lock
from train.config import RunConfig

if TYPE_CHECKING:
    from train.folder_lock import FolderLock
    from train.learn.fit import FitResult
    from train.learn.starter import Starter

MARKS, SEED, MINUTES = 200, 0, 40.0
"""Numbers that the shipped file was made with."""
OWN = ("weights=none", "batch=16", "lookalikes_max=1", "size_min=0.06")
"""Settings in which the starter's training differs from any other.

It starts from nothing. A larger batch shows more of the many classes in one step. Each mark's
siblings are its look-alikes already, so one more in a picture is enough. And hundreds of small
prints cannot be told apart: what nobody can read must not be learnt by heart.
"""
DRAWN = "drawn.txt"
"""Written into the folder of marks when all of them are there."""
PACKED = "starter.pt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Draw marks by program, train one network to find and to tell apart all of them, and pack "
        "its weights for other runs to start from. Ctrl-C while it trains leaves a run that "
        "--resume goes on with; the same command goes on when it ended before that. With --out and "
        "--pack alone, a finished run is packed."
    )
    add = parser.add_argument
    add(
        "--out",
        required=True,
        type=Path,
        metavar="RUN",
        help="folder of the run; the marks are drawn into RUN/marks",
    )
    add_backgrounds(parser)
    add("--marks", type=int, metavar="N", help=f"marks to draw, a class each (default {MARKS})")
    add_setting(parser, "seed", "S", SEED)
    add_setting(parser, "minutes", "M", MINUTES)
    add_set(parser, ", ".join(OWN))
    add(
        "--resume",
        action="store_true",
        help="go on with the run in --out, to its end or to new --minutes",
    )
    add("--pack", type=Path, metavar="OUT.pt", help=f"file to write (default RUN/{PACKED})")
    parser.set_defaults(mark=None, lookalike=None)


def run(arguments: argparse.Namespace) -> int:
    """Train a starter and pack it, or pack a finished run. Raises StampgateError."""
    with needing("train"):
        from train.learn.starter import pack_starter  # noqa: PLC0415
    out = arguments.pack or arguments.out / PACKED
    if arguments.pack and not out.parent.is_dir():
        raise InputError(
            f"--pack {out}: no such folder as {out.parent}; make it, or name another place"
        )
    if not packs_only(arguments):
        try:
            with run_lock(arguments.out, "stampgate starter") as lock:
                outcome = trained(arguments, lock)
        except KeyboardInterrupt:  # training itself notices Ctrl-C; this was before
            print_line("stopped before the training began; the same command goes on")
            return 130
        if outcome.interrupted:
            print_line(
                f"stopped at step {outcome.step}; go on with 'stampgate starter --resume --out "
                f"{arguments.out}'"
            )
            return 130
    print_packed(pack_starter(arguments.out, out), out)
    return 0


def packs_only(arguments: argparse.Namespace) -> bool:
    """Tell whether there is a run and no option says how to train."""
    from train.network import checkpoint  # noqa: PLC0415

    said = (arguments.backgrounds, arguments.marks, arguments.seed, arguments.minutes)
    training = arguments.resume or arguments.set or any(value is not None for value in said)
    return not training and (arguments.out / checkpoint.NAME).exists()


def trained(arguments: argparse.Namespace, lock: "FolderLock | None" = None) -> "FitResult":
    """Train from the start, on marks drawn now or before, or go on with a run.

    *lock*: of the run's folder. Raises UsageError or InputError.
    """
    with needing("train"):
        from train.learn.fit import fit  # noqa: PLC0415
        from train.paint.inputs import read_inputs  # noqa: PLC0415
    kept = resumable(arguments)
    if kept and arguments.marks not in (None, len(kept.config.marks)):
        raise UsageError(
            "--resume: marks cannot change within a run; leave it out, or start a new run"
        )
    if kept:
        kept = dataclasses.replace(kept, config=with_marks_of(arguments.out, kept.config))
        inputs = resumed_inputs(arguments, kept)
    else:
        inputs = read_inputs(config_of(with_own_settings(arguments)))
    print_line(
        f"{len(inputs.marks)} marks, a class each: {Path(inputs.config.marks[0][1]).parent}",
        flush=True,
    )
    kept = dataclasses.replace(kept, config=inputs.config) if kept else None
    return fit(inputs, arguments.out, kept, with_threshold=False, lock=lock)


def with_marks_of(run: Path, config: RunConfig) -> RunConfig:
    """Return a run's configuration with the marks in its folder, which may have been moved."""
    there = [(name, run.absolute() / "marks" / Path(path).name) for name, path in config.marks]
    if not all(path.is_file() for _, path in there):
        return config
    return dataclasses.replace(config, marks=tuple((name, str(path)) for name, path in there))


def with_own_settings(arguments: argparse.Namespace) -> argparse.Namespace:
    """Return the arguments of a new run: its marks, and its own settings below what was given."""
    seed = SEED if arguments.seed is None else arguments.seed
    paths = marks_in(
        arguments.out / "marks", MARKS if arguments.marks is None else arguments.marks, seed
    )
    settled = {
        "mark": [f"{path.stem}={path}" for path in paths],
        "seed": seed,
        "minutes": MINUTES if arguments.minutes is None else arguments.minutes,
        "set": [*OWN, *arguments.set],
    }
    return argparse.Namespace(**{**vars(arguments), **settled})


def marks_in(folder: Path, count: int, seed: int) -> tuple[Path, ...]:
    """Return the files of the marks, drawn unless they are there.

    Raises UsageError or InputError.
    """
    from train.drawing.gallery import write_marks  # noqa: PLC0415

    if count < 1:
        raise UsageError(f"--marks must be at least 1, not {count}; say how many to draw")
    note, wanted = folder / DRAWN, f"{count} marks of seed {seed}"
    there = note.read_text(encoding="utf-8").strip() if note.exists() else wanted
    if there != wanted:
        raise UsageError(
            f"{folder}: holds {there}, must be {wanted}; say the same again, or name another --out"
        )
    paths = tuple(sorted(folder.glob("*.png")))
    if note.exists() and len(paths) == count:
        return paths
    print_line(f"drawing {wanted}", flush=True)
    paths = write_marks(folder, count, seed)
    write_atomic(note, f"{wanted}\n".encode())
    return paths


def print_packed(starter: "Starter", out: Path) -> None:
    """Print what was packed and what to do with it."""
    recipe = starter.recipe
    print_line(
        f"{out}: {out.stat().st_size / 1e6:.2f} MB, "
        f"{starter.network} after {recipe['steps']} steps, {recipe['pictures']} pictures "
        f"of {len(recipe['marks'])} marks, {recipe['minutes']:g} minutes"
    )
    print_line(
        "next: put it in the place of train/learn/starter.pt, and runs with weights = starter "
        "begin from it"
    )
