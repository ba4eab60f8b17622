"""The command line of both programs: parse the arguments, run one command, return an exit status.

``stampgate-edge`` (:mod:`edge.__main__`) and the desktop's ``stampgate`` (:mod:`export.__main__`)
are each a :class:`Program`: a name, a description and a table of commands. A command is one module
with two functions::

    add_arguments(parser)         describe the command and its options
    run(arguments) -> int         do it and return the exit status

A new command is a new module and a line in its program's table. Only the module of the command that
was asked for is imported, so ``stampgate-edge gate`` never loads what ``inspect`` needs.
"""

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from edge import __version__
from edge.errors import StampgateError
from edge.printing import print_line, print_traceback, printable, show_all_text

READER_LEFT = 141
"""Exit status when the reader of our output (``head``, ``less``) is gone: 128 + SIGPIPE."""
INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT."""
DISK_ERRORS = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EFBIG)
)
"""Failures of a disk that a user can mend; any other OSError is a fault of ours, with traceback."""


class Command(NamedTuple):
    """One command of a program."""

    module: str
    """Name of the module, imported only when the command is asked for."""
    sentence: str
    """Its purpose, in the list of commands."""


@dataclass(frozen=True)
class Program:
    """A program: the name its messages begin with, its purpose, and its commands by name."""

    name: str
    description: str
    commands: Mapping[str, Command]
    usage: str = ""
    """How it is called, in the usage line; empty for its name."""


def main(program: Program, argv: Sequence[str] | None = None) -> int:
    """Run *program* with the arguments *argv* (``sys.argv`` for None) and return its exit status.

    A problem that the user can act on is one line on stderr, without a traceback. Raises SystemExit
    when argparse refuses the arguments or has printed the help.
    """
    show_all_text()
    sys.excepthook = print_traceback
    asked = sys.argv[1:] if argv is None else argv
    try:
        arguments = make_parser(program, asked).parse_args(asked)
        status: int = arguments.command(arguments)
        sys.stdout.flush()
    except StampgateError as error:
        return _failed(program, str(error), error.exit_code)
    except BrokenPipeError:
        # Python flushes stdout once more at exit: give it a sink.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        place, why = error.filename or "disk", error.strerror
        return _failed(program, f"{place}: {why}; make room or permission there and try again", 1)
    return status


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint, which repeats what was given, is one line."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def make_parser(program: Program, asked: Sequence[str]) -> argparse.ArgumentParser:
    """Make the parser of *program*; of its commands only the one *asked* for has its options."""
    parser = _Parser(prog=program.usage or program.name, description=program.description)
    parser.add_argument("--version", action="version", version=f"{program.name} {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command in program.commands.items():
        of_command = commands.add_parser(name, help=command.sentence)
        if name in asked:
            module = importlib.import_module(command.module)
            module.add_arguments(of_command)
            of_command.set_defaults(command=module.run)
    return parser


def _failed(program: Program, message: str, status: int) -> int:
    print_line(f"{program.name}: {message}", file=sys.stderr)
    return status
