"""Train with one ingredient left out at a time, judge each alike, and say what each is worth.

Or draw the curve of figures against training time.

Run from the project's root: ``python -m bench.ablation``. Every training that is finished is kept,
so that a run that was cut short goes on where it stopped. What is judged, and what the figures
cannot say, is in README.md beside this file.
"""

import argparse
import dataclasses
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.ablation.judged import HELD_OUT, SIDE, Subject, paint_judged, split_products, subjects_of
from bench.ablation.report import as_markdown, plot
from bench.ablation.trials import (
    Bench,
    Record,
    Stampgate,
    Trial,
    config_asked,
    kept_record,
    run_stampgate,
    run_trial,
    train_arguments,
)
from bench.ablation.variants import DEFAULT, Variant, plan
from bench.command import answer
from edge.errors import InputError, UsageError
from edge.files import make_folder, write_atomic
from train.commands import needing

MINUTES = 6.0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.ablation", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--out", required=True, type=Path, metavar="DIR", help="folder to work in, or to go on in")
    add(
        "--backgrounds",
        required=True,
        type=Path,
        metavar="DIR",
        help="photographs; a third is kept for judging",
    )
    add(
        "--mark",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="repeatable (default: our own two, qc-tested and drawn, which can be named too)",
    )
    add(
        "--minutes",
        type=float,
        default=MINUTES,
        metavar="M",
        help="length of each training (default %(default)g)",
    )
    add(
        "--steps",
        type=int,
        metavar="N",
        help="count steps, not minutes: then other programs may run meanwhile",
    )
    add(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="these variants, beside the default; see README.md",
    )
    _add_test_sets(parser)
    return parser


def _add_test_sets(parser: argparse.ArgumentParser) -> None:
    """Add lengths and settings of every variant and the sizes of the test sets."""
    add = parser.add_argument
    add(
        "--curve",
        type=_lengths,
        metavar="M,M,...",
        help="train these lengths instead, and draw the curve",
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of every variant; repeatable",
    )
    add(
        "--pictures",
        type=int,
        default=240,
        metavar="N",
        help="painted pictures to judge on (default %(default)s)",
    )
    add(
        "--lookalikes",
        type=int,
        default=240,
        metavar="N",
        help="pictures of look-alikes alone (default %(default)s)",
    )
    add(
        "--workers",
        type=int,
        metavar="N",
        help="processes that paint what is judged (default: cores)",
    )


def _lengths(text: str) -> tuple[float, ...]:
    try:
        lengths = tuple(float(part) for part in text.split(","))
    except ValueError:
        lengths = ()
    if not lengths or min(lengths) <= 0:
        raise argparse.ArgumentTypeError(
            f"must be minutes above 0 with commas between them, not {text!r}"
        )
    return tuple(dict.fromkeys(lengths))


def check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot work before anything is made. Raises UsageError."""
    if not Path("export/__main__.py").is_file():
        raise UsageError(
            "bench.ablation: must be run from the project's root, "
            "where export/ and train/ are; go there"
        )
    if (
        arguments.minutes <= 0
        or min(arguments.pictures, arguments.lookalikes) < 1
        or (arguments.workers or 0) < 0
    ):
        raise UsageError(
            "--minutes, --pictures and --lookalikes must be above 0, "
            "--workers at least 0; change them"
        )
    if arguments.steps is not None and (arguments.steps < 1 or arguments.curve):
        raise UsageError(
            "--steps must be above 0, and --curve counts minutes; leave one of them out"
        )
    if arguments.curve:
        with needing("plot"):
            import matplotlib.figure  # noqa: F401, PLC0415 - hours are lost if it is missed at the end


def variants_asked(arguments: argparse.Namespace, subject: Subject) -> tuple[Variant, ...]:
    """The variants to train; says which are left out. Raises UsageError or ConfigError."""
    default = Trial(subject, Variant(DEFAULT, ""), MINUTES)
    config = config_asked(train_arguments(default, Path(), arguments.set, Path()))
    only = [DEFAULT] if arguments.curve and not arguments.only else arguments.only
    variants, idle = plan(config, only)
    if idle:
        print(f"left out, since they would change nothing here: {', '.join(idle)}")
    return variants


def make_bench(
    arguments: argparse.Namespace, subjects: Sequence[Subject], stampgate: Stampgate
) -> Bench:
    """Split the products and paint what is judged. Raises InputError."""
    products = split_products(arguments.backgrounds, arguments.out)
    workers = len(os.sched_getaffinity(0)) if arguments.workers is None else arguments.workers
    counts = arguments.pictures, arguments.lookalikes
    judged = {
        subject.name: paint_judged(
            subject, products, counts, workers, arguments.out / "judged" / subject.name
        )
        for subject in subjects
    }
    return Bench(arguments.out, products, judged, tuple(arguments.set), stampgate)


def run_all(trials: Sequence[Trial], bench: Bench, arguments: argparse.Namespace) -> list[Record]:
    """Run every trial that is not finished and write the tables after each.

    Raises InputError as :func:`attempt`.
    """
    records: list[Record] = []
    for number, trial in enumerate(trials):
        record = kept_record(trial, bench)
        if record is None:
            left = len(trials) - number
            to_go = (
                f"{left * trial.steps} steps"
                if trial.steps
                else f"{sum(t.minutes for t in trials[number:]):g} minutes"
            )
            title = f"training {number + 1} of {len(trials)}: {trial.subject.name}, {trial.name}"
            print(f"{title}; at most {to_go} of training to go", flush=True)
            record = attempt(trial, bench)
        records.append(record)
        write_report(records, bench, arguments)
    return records


def attempt(trial: Trial, bench: Bench) -> Record:
    """Run one trial; a variant that fails is noted and the others go on.

    Raises InputError when the default fails.
    """
    variant = trial.variant
    try:
        return run_trial(trial, bench)
    except InputError as error:
        if variant.name == DEFAULT:
            raise
        print(f"ablation: {error}", file=sys.stderr)
        return Record(
            trial.subject.name, variant.name, variant.sentence, trial.minutes, {}, "", "failed"
        )


def write_report(records: Sequence[Record], bench: Bench, arguments: argparse.Namespace) -> None:
    """Write what is known so far: JSON, Markdown and, of a curve, the plot. Raises InputError."""
    name = "curve" if arguments.curve else "ablation"
    about = about_text(bench, arguments)
    raw = {"about": about, "records": [dataclasses.asdict(record) for record in records]}
    write_atomic(arguments.out / f"{name}.json", (json.dumps(raw, indent=1) + "\n").encode())
    text = as_markdown(records, about, curve=bool(arguments.curve))
    write_atomic(arguments.out / f"{name}.md", (text + "\n").encode())
    if arguments.curve:
        plot(records, arguments.out / f"{name}.png")


def about_text(bench: Bench, arguments: argparse.Namespace) -> str:
    """Return the conditions of the measurement, as text below the tables."""
    base = f"; every variant with {', '.join(bench.base)}" if bench.base else ""
    minutes = ", ".join(f"{m:g}" for m in arguments.curve or (arguments.minutes,))
    length = f"{arguments.steps} steps" if arguments.steps else f"{minutes} minutes"
    return (
        f"Each row is one training of {length} on {len(os.sched_getaffinity(0))} cores{base}, "
        f"judged on {HELD_OUT:.0%} of the photographs, of products that it did not train on: "
        f"{arguments.pictures} painted frames of {SIDE} pixels with marks of 15 to 60 pixels, "
        f"{len(bench.products.photographs)} bare photographs as negatives, and "
        f"{arguments.lookalikes} painted frames of look-alikes that were not trained on. "
        "Found: share of the marks found (IoU 0.5) when the score must beat all but 0, 1 and 3 of "
        "the negatives. Median IoU and look-alikes taken: at the model's own threshold. In "
        "brackets: the difference to the default. The row of another seed says how much of a "
        "difference is chance.\n"
    )


def compare_all(arguments: argparse.Namespace, stampgate: Stampgate) -> int:
    """Run the comparison: marks, variants, products, pictures to judge on, trainings, tables.

    Returns the exit status: 1 when a row is missing.
    """
    check(arguments)
    make_folder(arguments.out)
    subjects = subjects_of(arguments.mark, arguments.out)
    variants = variants_asked(arguments, subjects[0])
    bench = make_bench(arguments, subjects, stampgate)
    lengths = arguments.curve or (arguments.minutes,)
    trials = [
        Trial(subject, variant, m, arguments.steps or 0)
        for subject in subjects
        for variant in variants
        for m in lengths
    ]
    records = run_all(trials, bench, arguments)
    name = "curve" if arguments.curve else "ablation"
    print((arguments.out / f"{name}.md").read_text(encoding="utf-8"))
    print(
        f"written: {arguments.out / name}.md and "
        f"{name}.json{f' and {name}.png' if arguments.curve else ''}"
    )
    return int(any(record.failed for record in records))


def main(argv: Sequence[str] | None = None, stampgate: Stampgate = run_stampgate) -> int:
    """Run the comparison; a problem of the user's is one line on stderr and an exit status."""
    arguments = parser().parse_args(argv)
    stopped = "stopped; the same command goes on from the last training that was finished"
    return answer("ablation", lambda: compare_all(arguments, stampgate), stopped)


if __name__ == "__main__":
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # whoever stops this stops its trainings too
    sys.exit(main())
