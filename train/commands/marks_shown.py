"""Show what was understood of the marks, before a command does anything else with them."""

from collections import Counter
from pathlib import Path

from edge.errors import InputError
from edge.printing import print_error, print_line, printable
from train.config import RunConfig
from train.marks.bearing_sheet import SHEET as BEARING
from train.marks.bearing_sheet import write_bearing_sheet
from train.marks.mark import Mark
from train.marks.mark_sheet import SHEET, described, write_mark_sheet
from train.marks.search import MARKS_MOST
from train.paint.input_fingerprint import name_in
from train.paint.inputs import Inputs, marks_with_files

FEW = 3
"""Pictures of one class that are described each; of more, only what is in doubt."""
LISTED = 20
"""Photographs bearing the mark that are named, a line each."""


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


def print_search(inputs: Inputs) -> None:
    """Print which photographs bear the mark, a line each, and what becomes of them."""
    search, folder = inputs.search, Path(inputs.config.backgrounds)
    if search is None:
        return
    if search.skipped:
        print_line(
            f"backgrounds: not searched for {printable(', '.join(search.skipped))}: too few "
            f"details to go by, or more than {MARKS_MOST} pictures of marks; see to it that no "
            "photograph bears it"
        )
    for one in search.bearing[:LISTED]:
        print_line(f"backgrounds: {printable(name_in(folder, one.path))} bears {one.label}")
    count = len(search.bearing)
    if count > LISTED:
        print_line(f"backgrounds: and {count - LISTED} more that bear a mark")
    if count:
        print_line(f"backgrounds: {count} of {search.searched} bear the mark: {_fate(inputs)}")


def _fate(inputs: Inputs) -> str:
    """Return what becomes of the photographs that bear the mark, and how to say otherwise."""
    if inputs.config.synth.keep_bearing:
        return "they are kept, as keep_bearing says"
    return "they are left out; --set keep_bearing=true keeps them"


def write_search(inputs: Inputs, folder: Path) -> None:
    """Write the sheet of the photographs that bear the mark into a run's folder, and say where.

    A disk that is full does not end a run, so it is only said.
    """
    if inputs.search is None or not inputs.search.bearing:
        return
    try:
        write_bearing_sheet(inputs.search.bearing, folder / BEARING)
    except InputError as error:
        print_error("stampgate", error)
        return
    print_line(f"photographs that bear the mark, and where: {folder / BEARING}")
