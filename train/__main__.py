"""The ``train`` and ``evaluate`` commands; ``python -m train`` runs them, ``stampgate`` has them beside ``export``."""

import argparse
import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge import __version__
from edge.errors import InputError, StampgateError, UsageError
from edge.files import write_whole
from edge.settings import read_section
from train.config import BACKBONES, FitSettings, RunConfig, SynthSettings
from train.marks import parse_marks

if TYPE_CHECKING:  # torch takes seconds to load, and the box has none: the commands that need it import it themselves
    from train.checkpoint import Checkpoint
    from train.fit import Inputs, Outcome

Command = Callable[[argparse.Namespace], int]
SECTIONS: dict[str, type[Any]] = {"synth": SynthSettings, "fit": FitSettings}


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``train`` and ``evaluate`` to a command line."""
    _add_train(commands.add_parser("train", help="train a localizer from the picture of a stamp"))
    _add_evaluate(commands.add_parser("evaluate", help="measure a model on labelled photographs"))


def _add_train(parser: argparse.ArgumentParser) -> None:
    defaults = FitSettings()
    parser.description = (
        "Superimpose the mark on photographs and train a localizer on them. A mark without transparency is cut out of "
        "its plain paper; where there is none, the whole rectangle is the mark. Ctrl-C leaves a usable checkpoint."
    )
    add = parser.add_argument
    add("--mark", action="append", metavar="[NAME=]PATH", help="picture of the stamp, and its class; repeatable")
    add("--backgrounds", metavar="DIR", help="photographs to paste on; without it, products are painted")
    add(
        "--lookalike",
        action="append",
        metavar="PATH",
        help="what must not be taken for the mark, e.g. another stamp in use; repeatable",
    )
    add("--out", required=True, type=Path, metavar="RUN", help="folder of the run")
    add("--backbone", choices=BACKBONES, help=f"(default {defaults.backbone})")
    add("--imagenet", action="store_true", default=None, help="start from torchvision's weights, which it downloads")
    add("--size", type=int, metavar="PX", help=f"side of the network's input (default {defaults.size})")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, metavar="M", help=f"time to train (default {defaults.minutes:g})")
    length.add_argument("--steps", type=int, metavar="N", help="steps to train, instead of a time")
    add("--seed", type=int, metavar="S", help=f"(default {defaults.seed})")
    add(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other key of the run's config.toml; repeatable",
    )
    add("--resume", action="store_true", help="go on with the run in --out, to its end or to new --minutes or --steps")
    parser.set_defaults(command=run_train)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.description = "Measure a model on labelled photographs, with the box's own code."
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL.onnx")
    add("--coco", required=True, type=Path, metavar="LABELS.json", help="labels in COCO layout")
    add("--images", required=True, type=Path, metavar="DIR", help="the labelled photographs")
    add("--negatives", type=Path, metavar="DIR", help="photographs without any mark")
    add("--json", type=Path, metavar="OUT", help="write the figures there as JSON")
    parser.set_defaults(command=run_evaluate)


@contextlib.contextmanager
def needing(extra: str) -> Iterator[None]:
    """Turn a library that is not installed into one line that names the extra to install. Raises UsageError."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed; this needs stampgate[{extra}]: in a checkout, pip install '.[{extra}]'"
        ) from None


def config_of(arguments: argparse.Namespace, kept: RunConfig | None = None) -> RunConfig:
    """The configuration asked for, on top of *kept* or the defaults. Raises UsageError or ConfigError."""
    if not arguments.mark and kept is None:
        raise UsageError("train: --mark is missing; name the picture of the stamp, e.g. --mark stamp.png")
    given = parse_marks(arguments.mark or ())
    marks = tuple((name, whole_path(path)) for name, path in given) or (kept.marks if kept else ())
    backgrounds = whole_path(arguments.backgrounds or "") or (kept.backgrounds if kept else "")
    lookalikes = tuple(whole_path(path) for path in arguments.lookalike or ()) or (kept.lookalikes if kept else ())
    changes = overrides(arguments)
    sections = {
        name: read_section(
            cls, {**(dataclasses.asdict(getattr(kept, name)) if kept else {}), **changes[name]}, "train:"
        )
        for name, cls in SECTIONS.items()
    }
    config = RunConfig(marks, backgrounds, lookalikes, **sections)
    check(config)
    return config


def whole_path(path: str) -> str:
    """The path from the root, so that a run can be resumed from any folder; nothing stays nothing."""
    return str(Path(path).absolute()) if path else ""


def overrides(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Keys given on the command line, by section. Raises UsageError for a key nobody knows."""
    given = {key: getattr(arguments, key) for key in ("backbone", "imagenet", "size", "seed", "minutes", "steps")}
    changes = {key: value for key, value in given.items() if value is not None}
    if arguments.steps is not None:
        changes["minutes"] = 0.0
    if arguments.minutes is not None:
        changes["steps"] = 0
    for text in arguments.set:
        key, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"--set {text}: must be KEY=VALUE; the keys are in a run's config.toml")
        changes[key] = _value(value)
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for key, value in changes.items():
        home = [name for name, cls in SECTIONS.items() if key in {f.name for f in dataclasses.fields(cls)}]
        if not home:
            raise UsageError(f"--set {key}: no such key; the keys are in a run's config.toml")
        sections[home[0]][key] = value
    return sections


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def check(config: RunConfig) -> None:
    """Check what no single key can. Raises UsageError."""
    if config.fit.size % 32 or config.fit.window % 32:
        raise UsageError(
            f"train: --size {config.fit.size} and window {config.fit.window} must be multiples of 32; change them"
        )
    if not config.fit.minutes and not config.fit.steps:
        raise UsageError("train: --minutes or --steps must be above 0; say how long to train")
    if config.synth.size_min > config.synth.size_max:
        raise UsageError(f"train: size_min must be at most size_max, not {config.synth.size_min:g}; correct --set")


def run_train(arguments: argparse.Namespace) -> int:
    """``stampgate train``."""
    with needing("train"):
        from train.fit import fit, read_inputs  # noqa: PLC0415
    kept = resumable(arguments)
    inputs = read_inputs(config_of(arguments, kept.config if kept else None))
    if kept:
        kept = dataclasses.replace(kept, config=inputs.config)
    announce(inputs)
    outcome = fit(inputs, arguments.out, kept)
    return conclude(outcome, arguments.out)


def resumable(arguments: argparse.Namespace) -> "Checkpoint | None":
    """The checkpoint to go on from. Raises UsageError when there is a run and nobody said what to do with it."""
    from train import checkpoint  # noqa: PLC0415

    if arguments.resume:
        kept = checkpoint.load(arguments.out)
        asked = config_of(arguments, kept.config)
        for name in ("marks", "backgrounds", "lookalikes"):
            if getattr(asked, name) != getattr(kept.config, name):
                raise UsageError(
                    f"--resume: the run in {arguments.out} has other {name}; leave them out, or start a new run"
                )
        for name in ("backbone", "imagenet", "seed"):
            if getattr(asked.fit, name) != getattr(kept.config.fit, name):
                raise UsageError(f"--resume: {name} cannot change within a run; leave it out, or start a new run")
        return kept
    if (arguments.out / checkpoint.NAME).exists():
        raise UsageError(
            f"--out {arguments.out}: holds a run already; add --resume to go on with it, or name another folder"
        )
    return None


def announce(inputs: "Inputs") -> None:
    """Say what will be trained on."""
    for mark, (_, path) in zip(inputs.marks, inputs.config.marks, strict=True):
        print(f"mark {mark.label}: {path}, {mark.image.width} x {mark.image.height} pixels; {mark.treatment}")
    if inputs.training is None or inputs.held_out is None:
        print("backgrounds: products painted by the program (name a folder of photographs with --backgrounds)")
    else:
        print(
            f"backgrounds: {len(inputs.training)} photographs, {len(inputs.held_out)} more held out for the threshold"
        )


def conclude(outcome: "Outcome", run: Path) -> int:
    """Say what came of it and what to do next; 130 when the run was interrupted."""
    print(
        f"step {outcome.step}, threshold {outcome.threshold:.3f}: {outcome.checkpoint}; "
        f"what it was shown: {run / 'pictures.png'}"
    )
    following = f"'stampgate export {run} --out MODEL.onnx'"
    if outcome.stopped:
        print(
            f"stopped early; the checkpoint is usable: {following}, "
            f"or go on with 'stampgate train --resume --out {run}'"
        )
        return 130
    print(f"next: {following}")
    return 0


def run_evaluate(arguments: argparse.Namespace) -> int:
    """``stampgate evaluate``."""
    with needing("train"):
        from train.evaluate import as_json, as_text, evaluate  # noqa: PLC0415
    if arguments.negatives and not arguments.negatives.is_dir():
        raise InputError(
            f"--negatives {arguments.negatives}: no such folder; name a folder of pictures without the mark"
        )
    evaluation = evaluate(arguments.model, arguments.coco, arguments.images, arguments.negatives)
    print(as_text(evaluation))
    if arguments.json:
        write_whole(arguments.json, as_json(evaluation).encode())
    return 0


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Parse and run a command; a problem of the user's is one line on stderr and an exit status."""
    arguments = parser.parse_args(argv)
    command: Command = arguments.command
    try:
        return command(arguments)
    except StampgateError as error:
        print(f"stampgate: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # a disk that filled up in the middle of something small
        print(
            f"stampgate: {error.filename or 'disk'}: {error.strerror or error}; make room and try again",
            file=sys.stderr,
        )
        return 1


def parser_of(prog: str, description: str) -> argparse.ArgumentParser:
    """The bare command line, with ``--version``."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--version", action="version", version=f"stampgate {__version__}")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m train``."""
    parser = parser_of("python -m train", "Train a localizer and measure it.")
    add_commands(parser.add_subparsers(required=True, metavar="COMMAND"))
    return run(parser, argv)


if __name__ == "__main__":
    sys.exit(main())
