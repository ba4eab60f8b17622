"""``stampgate-edge report``: what happened in a shift, on one page or as a table."""

import argparse
from datetime import date, timedelta
from pathlib import Path

from edge.commands import add_journal, config_of, journal_of
from edge.commands.log import read_zone
from edge.config import Config
from edge.errors import InputError, UsageError
from edge.files import make_folder
from edge.printing import print_line
from edge.process.running_hours import Hours, hours_of
from edge.record.schema import VERDICTS
from edge.record.times import present
from edge.reports.shift import Shift, last_begun, shift_on
from edge.reports.shift_figures import ShiftFigures, gather
from edge.reports.written import SUFFIXES, due, keep_newest, write_report
from edge.reports.zone import Zone

MOST_PICTURES = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Write what happened in a shift: counts and rates with a p-chart, reasons, the items that "
        "did not pass with their pictures, challenge tests, changes of settings and model, alarms, "
        "gaps, and whether the journal's chain is whole. Exit status 0; 1 where the chain is "
        "broken, and the report says where."
    )
    add_journal(parser)
    add = parser.add_argument
    add(
        "--shift",
        type=_hours,
        metavar="HH:MM-HH:MM",
        help="from one time of day to another, also over midnight (default: the last of [reports] "
        "shifts that has ended)",
    )
    add(
        "--day",
        type=_day,
        metavar="DAY",
        help="the day on which it begins: today, yesterday or 2026-01-31 (default: the last one "
        "that has begun)",
    )
    add("--zone", type=read_zone, metavar="NAME", default=Zone(), help="time zone of the shift")
    _add_outputs(parser)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    """Describe what is written, and where."""
    add = parser.add_argument
    add("--out", type=_target, metavar="FILE", help="the report: a name that ends in .html or .csv")
    add(
        "--evidence",
        type=Path,
        metavar="DIR",
        help="folder of the pictures (default: that of the settings)",
    )
    add(
        "--pictures",
        type=_number,
        default=MOST_PICTURES,
        metavar="N",
        help="most items that are listed with their pictures, the nearest to the threshold first "
        "(default: %(default)s)",
    )
    add(
        "--due",
        action="store_true",
        help="write into [reports] folder what is missing of the shifts that have ended in the "
        "last two days, for a timer",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write one report, or those that are due. Raises StampgateError."""
    if arguments.due:
        return _write_due(arguments)
    config = None if arguments.journal is not None else config_of(arguments)
    shift = _shift(arguments, config)
    path = arguments.out or Path(f"{shift.file_stem}.html")
    return _write(arguments, config, shift, path)


def _write(arguments: argparse.Namespace, config: Config | None, shift: Shift, path: Path) -> int:
    """Write one report and say so in one line."""
    figures = gather(
        journal_of(arguments),
        shift,
        arguments.zone,
        config.alarms if config is not None else None,
        arguments.pictures,
    )
    write_report(figures, path, _evidence(arguments, config))
    print_line(f"{path}: {_words(figures)}")
    return int(figures.chain.broken > 0)


def _write_due(arguments: argparse.Namespace) -> int:
    """Write the reports that are due. Raises UsageError where no settings are named."""
    given = (arguments.journal, arguments.shift, arguments.day, arguments.out)
    if any(value is not None for value in given):
        raise UsageError("--due goes by [reports] of the settings alone; name no other journal, "
                         "shift, day or file beside it")  # fmt: skip
    config = config_of(arguments)
    shifts = [hours_of(text) for text in config.reports.shifts]
    if not shifts:
        return 0
    folder, broken = config.path(config.reports.folder), 0
    make_folder(folder)
    try:
        for shift, path in due(folder, shifts, arguments.zone, present().wall_ns):
            broken |= _write(arguments, config, shift, path)
        keep_newest(folder, config.reports.keep)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be looked through ({error.strerror}); see [reports] folder"
        ) from None
    return broken


def _shift(arguments: argparse.Namespace, config: Config | None) -> Shift:
    """Return the shift that is asked for. Raises UsageError."""
    now_ns, zone, day = present().wall_ns, arguments.zone, arguments.day
    given: Hours | None = arguments.shift
    if given is None:
        given = _last_agreed(config, zone, now_ns)
    if day is None:
        return last_begun(given, zone, now_ns)
    if isinstance(day, int):
        today = zone.local(now_ns)
        day = (today.date() if today is not None else date(1970, 1, 2)) - timedelta(days=day)
    try:
        shift = shift_on(day, given, zone)
    except OverflowError:
        raise UsageError(f"--day {day} is of no calendar; name another") from None
    if shift.begin_ns > now_ns:
        raise UsageError(f"the shift {shift.name} has not begun; name an earlier --day")
    return shift


def _last_agreed(config: Config | None, zone: Zone, now_ns: int) -> Hours:
    """Return the shift of the settings that has ended last. Raises UsageError without any."""
    shifts = [hours_of(text) for text in config.reports.shifts] if config is not None else []
    if not shifts:
        raise UsageError("name the shift: --shift 06:00-14:00, or [reports] shifts in the settings")
    ended = [last_begun(hours, zone, now_ns) for hours in shifts]
    return max(ended, key=lambda shift: (shift.end_ns <= now_ns, shift.end_ns)).hours


def _evidence(arguments: argparse.Namespace, config: Config | None) -> Path | None:
    """Return the folder of the pictures; None where none is known."""
    if arguments.evidence is not None:
        folder = Path(arguments.evidence)
        if not folder.is_dir():
            raise InputError(
                f"{folder}: must be the folder of the pictures; name another with --evidence"
            )
        return folder
    if config is None or not config.evidence.folder:
        return None
    return config.path(config.evidence.folder)


def _words(figures: ShiftFigures) -> str:
    """Return in words what a report says."""
    counts = figures.counts
    said = ", ".join(f"{counts.verdicts[verdict]} {verdict}" for verdict in VERDICTS)
    runs = ", still running" if figures.still_runs else ""
    return f"shift {figures.shift.name}{runs}: {counts.items} items, {said}; {figures.chain.words}"


def _hours(text: str) -> Hours:
    """Read a shift."""
    try:
        return hours_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'must be two times of day such as 06:00-14:00 or 22:00-06:00, not "{text}"'
        ) from None


def _day(text: str) -> date | int:
    """Read a day: so many days ago, or a date."""
    if text in ("today", "yesterday"):
        return int(text == "yesterday")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be today, yesterday or a day such as 2026-01-31, not {text!r}"
        ) from None


def _target(text: str) -> Path:
    """Read the name of a report."""
    path = Path(text)
    if path.suffix not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"must end in .html or .csv, not {text!r}")
    return path


def _number(text: str) -> int:
    """Read a number of pictures."""
    if not text.isascii() or not text.isdigit() or int(text) > 5000:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 5000, not {text!r}")
    return int(text)
