"""``stampgate-edge challenge``: the challenge test, the list of its quarantine, and signing."""

import argparse
import csv
import getpass
import sys
import termios

from edge.challenge.control import OCCASIONS
from edge.challenge.guide import guide
from edge.challenge.link import Caller
from edge.challenge.quarantine import COLUMNS, Quarantine, read_quarantine
from edge.commands import add_config, config_of
from edge.config import Config
from edge.errors import InputError, UsageError
from edge.printing import csv_cell, print_error, print_line

ACTIONS = ("run", "quarantine", "sign")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Run known test items through the running line: bad, bad, bad, then bad, good, bad, good, "
        "then the alarm. Exit status 0 when the test was passed, else 1; one that is abandoned has "
        "failed. 'quarantine' lists every item since the last passed test as CSV; 'sign' releases "
        "them and lets the production line run again."
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=ACTIONS,
        default="run",
        metavar="ACTION",
        help="run (the default), quarantine or sign",
    )
    add_config(parser)
    parser.add_argument(
        "--at", choices=OCCASIONS, default="scheduled", help="run: the occasion (%(default)s)"
    )
    parser.add_argument(
        "--by", default="", metavar="NAME", help="who runs the test, or signs; run: the user's name"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="sign: why")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; return 1 for a test that failed. Raises UsageError, InputError."""
    config = config_of(arguments)
    if arguments.action == "quarantine":
        return _print_quarantine(config)
    if not config.challenge.socket:
        raise UsageError("[challenge] socket is empty; name one, and start the service again")
    if arguments.action == "sign":
        return _sign(config, arguments.by, arguments.reason)
    by = arguments.by or _user()
    with Caller(config.path(config.challenge.socket)) as service:
        passed = guide(service, arguments.at, by, _ask, lambda text: print_line(text, flush=True))
    return 0 if passed else 1


def _sign(config: Config, by: str, reason: str) -> int:
    if not by.strip() or not reason.strip():
        raise UsageError("a signature needs a name and a reason: sign --by NAME --reason TEXT")
    with Caller(config.path(config.challenge.socket)) as service:
        before = service.ask("state")
        view = service.ask("sign", by=by, reason=reason)
    if view["why"]:
        raise InputError(f"not signed: {view['why']}")
    print_line(f"signed: items from {before['first_in_doubt']} on are out of quarantine")
    print_line(f"READY still rests: {view['hold']}" if view["hold"] else "READY may beat again")
    return 0


def _print_quarantine(config: Config) -> int:
    """Print the list as CSV, and what it is on standard error."""
    path = config.path(config.journal.file)
    try:
        found = read_quarantine(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{path}: cannot be read ({why}); try again with sudo") from None
    write = csv.writer(sys.stdout).writerow
    write(COLUMNS)
    for row in found.rows:
        write([csv_cell(row.get(name)) for name in COLUMNS])
    sys.stdout.flush()
    print_error("stampgate-edge", _summary(found))
    return 0


def _summary(found: Quarantine) -> str:
    if not found.rows:
        return "no item came since the last passed challenge test"
    items = f"{len(found.rows)} items, {found.first} to {found.last}"
    if found.why:
        return f"{items}, are in quarantine: {found.why}"
    return f"{items}, came since the last passed challenge test; none is in quarantine"


def _ask(text: str) -> str:
    """Show a question and return what is typed after that. Raises EOFError.

    What was typed before, on a terminal, is no answer to it: the alarm was not up yet.
    """
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    print_line(text, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
