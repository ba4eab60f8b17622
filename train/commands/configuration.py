"""Command-line options that make a run's configuration; every command that paints or trains."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from edge.errors import UsageError
from edge.printing import print_line
from edge.settings import help_text, key_text, read_section, shown
from train.config import STARTER_NETWORK, FitSettings, RunConfig, SynthSettings
from train.marks.naming import parse_marks
from train.recipes import DEFAULT, RECIPES, described

SECTIONS: dict[str, type[Any]] = {"synth": SynthSettings, "fit": FitSettings}
Marks = tuple[tuple[str, str], ...]
"""Class name and path of each."""
NAMED = ("backbone", "width", "weights", "size", "seed", "minutes", "steps", "tensorboard")
"""Keys of ``[fit]`` with an option of their own; a command need not have them all."""


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the options for marks, photographs, look-alikes, ``--size``, ``--seed`` and ``--set``."""
    add = parser.add_argument
    add(
        "--mark",
        action="append",
        metavar="[NAME=]PATH",
        help="picture of the stamp, or a folder of pictures of it, and its class; repeatable",
    )
    add_backgrounds(parser)
    add(
        "--recipe",
        choices=tuple(RECIPES),
        help=f"named set of settings for what is looked for (default {DEFAULT})",
    )
    add("--show", nargs=0, action=ShowRecipe, help="print what the recipe sets, and why, and end")
    add(
        "--lookalike",
        action="append",
        metavar="PATH",
        help="what must not be taken for the mark, e.g. another stamp in use; repeatable",
    )
    add_setting(parser, "size", "PX")
    add_setting(parser, "seed", "S")
    add_set(parser)


class ShowRecipe(argparse.Action):
    """``--show``: print the recipe named before it, or all, and end like ``--help``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        _values: object,
        _option: str | None = None,
    ) -> None:
        """Print and end."""
        defaults = {
            name: value
            for settings in (SynthSettings(), FitSettings())
            for name, value in dataclasses.asdict(settings).items()
        }
        asked = getattr(namespace, "recipe", None)
        for name in [asked] if asked else RECIPES:
            for line in described(name, defaults):
                print_line(line)
        parser.exit()


def add_setting(
    parser: "argparse._ActionsContainer",
    key: str,
    metavar: str | None = None,
    default: float | None = None,
) -> None:
    """Add the option ``--KEY`` for a key of ``[fit]``; type, choices and help are the field's own.

    *default*: the command's own, for the help alone; where the option is not given, the parser
    stores None, and the command fills it in.
    """
    field = FitSettings.__dataclass_fields__[key]
    words = help_text(FitSettings, key, default)
    if isinstance(field.default, bool):
        parser.add_argument(f"--{key}", action="store_true", default=None, help=words)
    else:
        kind, choices = type(field.default), field.metadata["choices"]
        parser.add_argument(f"--{key}", type=kind, choices=choices, metavar=metavar, help=words)


def add_backgrounds(parser: argparse.ArgumentParser) -> None:
    """Add ``--backgrounds``, the photographs to paint on."""
    parser.add_argument(
        "--backgrounds",
        metavar="DIR",
        help="photographs to paste on; without it, products are painted",
    )


def add_set(parser: argparse.ArgumentParser, default: str = "") -> None:
    """Add ``--set``; *default*: the keys that the command sets by itself, for the help."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other key of the run's config.toml; repeatable"
        + (f" (default {default})" if default else ""),
    )


def config_of(arguments: argparse.Namespace, kept: RunConfig | None = None) -> RunConfig:
    """Return the configuration asked for, on top of *kept* or the defaults.

    Raises UsageError or ConfigError.
    """
    if not arguments.mark and kept is None:
        raise UsageError(
            "train: --mark is missing; name the picture of the stamp, e.g. --mark stamp.png"
        )
    given = parse_marks(arguments.mark or ())
    marks = tuple((name, whole_path(path)) for name, path in given)
    if kept is not None:
        marks = marks_anew(kept.marks, marks)
    backgrounds = whole_path(arguments.backgrounds or "") or (kept.backgrounds if kept else "")
    lookalikes = tuple(whole_path(path) for path in arguments.lookalike or ()) or (
        kept.lookalikes if kept else ()
    )
    real = real_of(arguments) or (kept.real if kept else ())
    changes = overrides(arguments, recipe_of(arguments, kept))
    sections = {
        name: read_section(
            cls,
            {**(dataclasses.asdict(getattr(kept, name)) if kept else {}), **changes[name]},
            "train:",
        )
        for name, cls in SECTIONS.items()
    }
    if (
        kept is None
        and "weights" not in changes["fit"]
        and sections["fit"].network != STARTER_NETWORK
    ):
        sections["fit"] = dataclasses.replace(sections["fit"], weights="none")
    name = getattr(arguments, "recipe", None) or (kept.recipe if kept else DEFAULT)
    config = RunConfig(marks, backgrounds, lookalikes, real, **sections, recipe=name)
    check(config)
    return config


def marks_anew(kept: Marks, given: Marks) -> Marks:
    """Return the marks of a run, those whose names are *given* in their new places.

    A name that the run does not have is added, for the caller to refuse.

    >>> marks_anew((("a", "/1.png"), ("b", "/2.png")), (("b", "/new/2.png"),))
    (('a', '/1.png'), ('b', '/new/2.png'))
    """
    anew: dict[str, list[str]] = {}
    for name, path in given:
        anew.setdefault(name, []).append(path)
    moved = [(name, anew[name].pop(0) if anew.get(name) else path) for name, path in kept]
    return (*moved, *((name, path) for name, paths in anew.items() for path in paths))


def real_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return labels and folder of the real photographs, or nothing.

    Raises UsageError when only one of them is given.
    """
    labels, images = getattr(arguments, "real", None), getattr(arguments, "real_images", None)
    if bool(labels) != bool(images):
        raise UsageError(
            "--real and --real-images belong together; name the labels and the folder of the "
            "photographs"
        )
    return (whole_path(labels), whole_path(images)) if labels and images else ()


def whole_path(path: str) -> str:
    """Return *path* from the root, so that a run resumes from any folder; empty stays empty."""
    return str(Path(path).absolute()) if path else ""


def recipe_of(arguments: argparse.Namespace, kept: RunConfig | None) -> dict[str, Any]:
    """Return what the recipe sets of a new run; a run that goes on has it already.

    Raises UsageError when it would be another within a run.
    """
    asked = getattr(arguments, "recipe", None)
    if kept is None:
        return RECIPES[asked or DEFAULT].values()
    if asked not in (None, kept.recipe):
        raise UsageError(
            f"--recipe {asked}: this run's is {kept.recipe}, which cannot change; leave "
            "it out, or start a new run"
        )
    return {}


def overrides(
    arguments: argparse.Namespace, recipe: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the keys given on the command line, by section, on top of those of a *recipe*.

    Raises UsageError for a key that no section has.
    """
    given = {key: getattr(arguments, key, None) for key in NAMED}
    changes = dict(recipe or {})
    changes |= {key: value for key, value in given.items() if value is not None}
    if "steps" in changes:
        changes["minutes"] = 0.0
    elif "minutes" in changes:
        changes["steps"] = 0
    for text in arguments.set:
        key, sign, value = text.partition("=")
        if not sign:
            raise UsageError(
                f"--set {shown(text)}: must be KEY=VALUE; the keys are in a run's config.toml"
            )
        changes[key] = _value(value)
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for key, value in changes.items():
        home = [
            name
            for name, cls in SECTIONS.items()
            if key in {f.name for f in dataclasses.fields(cls)}
        ]
        if not home:
            raise UsageError(
                f"--set {key_text(key)}: no such key; the keys are in a run's config.toml"
            )
        sections[home[0]][key] = value
    return sections


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # a plain text, which the field refuses if it wants none
        return text


def check(config: RunConfig) -> None:
    """Check what no single key can. Raises UsageError."""
    if config.fit.size % 32 or config.fit.window % 32:
        raise UsageError(
            f"train: --size {config.fit.size} and window {config.fit.window} must be multiples of "
            "32; change them"
        )
    side, px = config.fit.second_side, config.fit.second_px
    if side and (side % 16 or side < 32 or px > side):
        raise UsageError(
            f"train: second_side {side} must be a multiple of 16, at least 32 and second_px {px}; "
            "correct --set"
        )
    if not config.fit.minutes and not config.fit.steps:
        raise UsageError("train: --minutes or --steps must be above 0; say how long to train")
    for key in ("inks", "stickers"):
        for name in set(getattr(config.synth, key)) - set(config.classes):
            raise UsageError(
                f"train: {key}: {name} is none of the marks, {', '.join(config.classes)}; correct "
                "--set"
            )
    if config.synth.size_min > config.synth.size_max:
        raise UsageError(
            f"train: size_min must be at most size_max, not {config.synth.size_min:g}; correct "
            "--set"
        )
