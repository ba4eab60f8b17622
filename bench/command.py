"""Common parts of the benches: exit status of a command, and running another program."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from edge.errors import InputError, StampgateError


def answer(name: str, work: Callable[[], int], stopped: str = "stopped") -> int:
    """Do a command's *work* and return its exit status.

    A problem of the user's is one line on stderr, with *name* before it, and the status that
    belongs to it; Ctrl-C is the line *stopped* and 130.
    """
    try:
        return work()
    except StampgateError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{name}: {stopped}", file=sys.stderr)
        return 130


def run(command: list[str], what: str, advice: str) -> None:
    """Run a program whose output the user sees.

    Raises InputError with one line when it cannot be started or fails.

    When this program is stopped, that one is stopped too, and waited for.
    """
    try:
        process = subprocess.Popen(command)  # noqa: S603 - our own command, no shell
    except OSError as error:
        raise InputError(f"{command[0]}: cannot be started ({error.strerror}); {advice}") from None
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if status:
        raise InputError(f"{what}: '{Path(command[0]).name}' ended with status {status}; {advice}")
