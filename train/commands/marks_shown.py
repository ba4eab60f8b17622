"""Show what was understood of the marks, before a command does anything else with them."""

from collections import Counter
from pathlib import Path

from edge.errors import InputError
from edge.printing import print_error, print_line
from train.config import RunConfig
from train.marks.mark import Mark
from train.marks.mark_sheet import SHEET, described, write_mark_sheet
from train.paint.inputs import Inputs, marks_with_files

FEW = 3
"""Pictures of one class that are described each; of more, only what is in doubt."""


def print_marks(config: RunConfig, marks: tuple[Mark, ...]) -> None:
    """Print what was understood of each mark, and what is in doubt."""
    many = {label for label, count in Counter(m.label for m in marks).items() if count > FEW}
    for label in sorted(many):
        ways = Counter(mark.treatment for mark in marks if mark.label == label)
        said = "; ".join(f"{count} times {way}" for way, count in ways.items())
        print_line(f"mark {label}: {sum(ways.values())} pictures; {said}")
    for mark, path in marks_with_files(config, marks):
        lines = described(mark)
        for line in lines[2:] if mark.label in many else lines:
            print_line(f"mark {mark.label}: {path}: {line}")


def write_sheet(inputs: Inputs, folder: Path) -> None:
    """Write the sheet of the marks into a run's folder, and say where.

    A disk that is full does not end a run, so it is only said.
    """
    try:
        write_mark_sheet(inputs.marks_with_files(), folder / SHEET)
    except InputError as error:
        print_error("stampgate", error)
        return
    print_line(f"what was understood of the mark: {folder / SHEET}")
