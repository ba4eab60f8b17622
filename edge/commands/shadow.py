"""``stampgate-edge shadow``: what the box has shown in shadow, the truth about items, overrides."""

import argparse
import json
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

from edge.commands import add_config, config_of
from edge.config import Config
from edge.errors import UsageError
from edge.printing import print_line
from edge.record.journal_file import journal_lines, parse_record
from edge.record.times import Times
from edge.record.verify import reading
from edge.reports.points import ANY, Point, read_point
from edge.shadow.clearance import note_clearance
from edge.shadow.identity import study_name
from edge.shadow.observed import Shadow, Wanted, read_shadow
from edge.shadow.report import missing_words, report_lines, report_object
from edge.shadow.statements import Statements, read_statements, say_override, say_truths
from edge.shadow.study import figures_of, is_shown
from edge.shadow.truth_file import describe, read_truths
from edge.vision.model_file import read_model
from edge.wiring import is_shadow, plan_of

NOT_YET = 3
"""Exit status where the plan is not shown yet."""
LONGEST_TEXT = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Say what the box has shown in shadow: error rates of all items whose truth is known, "
        "their exact bounds, and what is missing to the agreed plan. Exit status 0 when the plan "
        "is shown or none is agreed, 3 when it is not shown yet."
    )
    _add_report(parser)
    actions = parser.add_subparsers(metavar="ACTION", title="actions")
    truth = actions.add_parser("truth", help="take from a CSV file which items were good or bad")
    truth.description = (
        'Take the truth about items from a CSV file. Its first line is "sequence,truth" or '
        '"time,truth"; truth is good (bears the mark) or bad. All of it is taken, or nothing.'
    )
    truth.add_argument("file", type=Path, metavar="FILE.csv")
    _add_by(truth, "says so")
    truth.add_argument(
        "--within",
        type=_seconds,
        default=0.5,
        metavar="S",
        help="how far a time may be from that of the one item, in seconds (default 0.5)",
    )
    truth.add_argument(
        "--correct", action="store_true", help="it may say otherwise than was said before"
    )
    _add_common(truth, _take_truth)
    override = actions.add_parser("override", help="let the box run below its plan")
    override.description = (
        "Let the box run although the agreed plan is not shown. Who said so and why stands in the "
        "journal for good. It counts for this model, these rules and this plan."
    )
    _add_by(override, "takes it upon him or her")
    override.add_argument("--reason", required=True, type=_text, metavar="TEXT", help="why")
    _add_common(override, _override)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for. Raises StampgateError."""
    action: Any = getattr(arguments, "action", _report)
    return int(action(arguments))


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--since",
        type=read_point,
        metavar="WHEN",
        default=ANY,
        help="show the items from then on, too: an item's number, 8h, or 2026-01-31T14:00",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_config(parser)


def _add_common(parser: argparse.ArgumentParser, action: Any) -> None:
    parser.set_defaults(action=action)
    parser.add_argument(
        "--config",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="EDGE.TOML",
        help="settings file",
    )
    parser.add_argument(
        "--line",
        default=argparse.SUPPRESS,
        metavar="NAME",
        help="a line of several on this box",
    )


def _add_by(parser: argparse.ArgumentParser, does: str) -> None:
    parser.add_argument("--by", required=True, type=_text, metavar="NAME", help=f"who {does}")


def _report(arguments: argparse.Namespace) -> int:
    """Print the figures of the study."""
    config = config_of(arguments)
    plan, study, said = plan_of(config), _study(config), read_statements(config)
    shadow = _observed(config, _wanted(config, arguments.since))
    figures = figures_of(shadow, said, study)
    if arguments.json:
        found = {"study": study, "mode": config.service.mode, **report_object(figures, plan)}
        if arguments.since != ANY:
            found["since"] = report_object(figures_of(shadow, said, study, shadow.chosen), None)
        print_line(json.dumps(found))
    else:
        if arguments.since != ANY:
            since = report_lines(figures_of(shadow, said, study, shadow.chosen), None)
            for line in since[:-1]:
                print_line(f"since then: {line}")
        print_line(f"study {study}, mode {config.service.mode}")
        for line in [*report_lines(figures, plan), *_overridden(said, study)]:
            print_line(line)
    if plan is None:
        return 0
    if not is_shown(figures, plan):
        return NOT_YET
    note_clearance(config, study, plan, shadow, said)
    return 0


def _take_truth(arguments: argparse.Namespace) -> int:
    """Take a file of truths."""
    config = config_of(arguments)
    shadow, said = _observed(config, None), read_statements(config)
    found = read_truths(
        arguments.file, shadow, said, within_s=arguments.within, correct=arguments.correct
    )
    if found.new:
        corrects = len(found.corrects)
        say_truths(config, found.new, arguments.by, arguments.file.name, corrects=corrects)
    studies = Counter(shadow.items[item].study for item in found.new)
    for line in describe(found, studies, _study(config)):
        print_line(line)
    return 0


def _override(arguments: argparse.Namespace) -> int:
    """Write an override down."""
    config = config_of(arguments)
    plan, study = plan_of(config), _study(config)
    if plan is None:
        raise UsageError("there is nothing to override: no plan is agreed in [shadow] plan")
    said = read_statements(config)
    figures = figures_of(_observed(config, None, empty=True), said, study)
    if is_shown(figures, plan):
        print_line("nothing is overridden: the plan is shown")
        return 0
    lines = report_lines(figures, plan)
    say_override(config, study, arguments.by, arguments.reason, lines)
    print_line(f"overridden by {arguments.by}: {missing_words(figures, plan)}")
    if is_shadow(config):
        print_line('next: [service] mode = "run", and restart both services')
    return 0


def _overridden(said: Statements, study: str) -> list[str]:
    override = said.overrides.get(study)
    if override is None:
        return []
    return [f"overridden by {override.get('by')}: {override.get('reason')}"]


def _observed(config: Config, wanted: Wanted | None, *, empty: bool = False) -> Shadow:
    """Read the journal; *empty*: where there is none, nothing was judged. Raises InputError."""
    path = config.path(config.journal.file)
    if empty and not path.exists():
        return Shadow()
    return read_shadow(config, wanted)


def _study(config: Config) -> str:
    return study_name(config, read_model(config.model_file(), config.model.sha256).decision_digest)


def _wanted(config: Config, since: Point) -> Wanted | None:
    """Return what tells whether a record may be from *since* on; None where nobody asks."""
    if since == ANY:
        return None
    path, since = config.path(config.journal.file), since.resolved()
    with reading(path):
        lines = (parse_record(line.rstrip(b"\n")) for _, _, line in journal_lines(path))
        times = Times(chain.from_iterable([record] for record in lines if record is not None))
    return lambda record: since.may_be_after(record, times)


def _text(text: str) -> str:
    """Read a name or a reason: one line that says something."""
    words = " ".join(text.split())
    if not words or len(words) > LONGEST_TEXT or not words.isprintable():
        raise argparse.ArgumentTypeError(f"must be one line of 1 to {LONGEST_TEXT} characters")
    return words


def _seconds(text: str) -> float:
    """Read a number of seconds."""
    if not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"must be seconds, such as 0.5, not {text!r}")
    return float(text)
