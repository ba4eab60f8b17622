"""Count the operators of a model as onnxruntime optimises it, in each layout.

``python -m bench.census MODEL.onnx``, or ``make census``. The packaged model's counts must be those
of expected.json: where a fusion is lost, an operator stands there by itself that was inside another
before. ``--emulated`` asks onnxruntime's aarch64 wheel, too, which must give what the Arm-like
layout of this machine gives; ``--accept`` writes down what is found.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.census.counting import Census, census, count, differences, table
from bench.census.emulated import KIT, emulated_census, make_kit
from bench.command import answer
from bench.layouts import layouts, that_counts
from edge.errors import InputError
from edge.files import write_atomic

MODEL = Path("edge/default/model.onnx")
EXPECTED = Path(__file__).with_name("expected.json")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.census",
        description=(__doc__ or "").split("\n\n")[0],
        epilog="Exit 1: the packaged model's operators, or the aarch64 wheel's, are others.",
    )
    add = parser.add_argument
    add("model", type=Path, nargs="?", default=MODEL, help="default %(default)s", metavar="MODEL")
    add("--json", action="store_true", help="print the counts of each layout as JSON")
    add("--emulated", action="store_true", help="also as the aarch64 wheel optimises it")
    add("--kit", type=Path, default=KIT, metavar="DIR", help="the emulator's (default %(default)s)")
    add("--accept", action="store_true", help=f"write {EXPECTED.name} anew")
    return parser


def measure(arguments: argparse.Namespace) -> int:
    """Count, print and compare; the exit status. Raises InputError or ModelError."""
    try:
        columns = {"as exported": count(arguments.model.read_bytes())}
    except (OSError, ValueError) as error:
        raise InputError(f"{arguments.model}: cannot be read ({error}); name another") from None
    columns |= {name: census(arguments.model, entries) for name, entries in layouts().items()}
    if arguments.json:
        del columns["as exported"]
        print(json.dumps(columns))
        return 0
    arm = columns[that_counts(layouts())]
    amiss: list[str] = []
    if arguments.emulated:
        make_kit(arguments.kit)
        emulated = emulated_census(arguments.model, arguments.kit)
        columns |= {f"{name} wheel": found for name, found in emulated.items()}
        amiss += [
            f"the {name} wheel: {line}, as this machine's Arm-like layout has"
            for name, found in emulated.items()
            for line in differences(arm, found)
        ]
    print(table(columns))
    amiss += compare(arguments, arm)
    print("\n".join(amiss) or "the operators are those expected")
    return int(bool(amiss))


def compare(arguments: argparse.Namespace, found: Census) -> list[str]:
    """Compare the packaged model with what was written down, or write it down.

    Returns a line for each difference, none for another model.
    """
    if arguments.model != MODEL:
        return []
    if arguments.accept:
        text = json.dumps(dict(sorted(found.items())), indent=1)
        write_atomic(EXPECTED, f"{text}\n".encode())
        return []
    return [f"{MODEL}: {line}" for line in differences(expected(), found)]


def expected() -> Mapping[str, int]:
    """Return the operators that the packaged model must have on an Arm board."""
    counts: dict[str, int] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return counts


def main(argv: Sequence[str] | None = None) -> int:
    """Count; a problem of the user's is one line on stderr and an exit status."""
    arguments = parser().parse_args(argv)
    return answer("census", lambda: measure(arguments))


if __name__ == "__main__":
    sys.exit(main())
