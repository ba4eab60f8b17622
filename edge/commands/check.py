"""``stampgate-edge check``: self-test of the box, one line a check, for the technician there."""

import argparse
import socket
from collections.abc import Iterator
from pathlib import Path

from edge.clock import MonotonicClock
from edge.commands import add_config, config_of
from edge.config import Config
from edge.errors import ConfigError, InputError
from edge.printing import print_line
from edge.record.journal_lock import is_written
from edge.selftest import CheckResult, box, run_check, sight, wires

FRAMES = 10
VERDICTS = ("pass", "reject")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Test the box: camera, model, GPIO lines, disk, clock, watchdogs, power. One line a thing: "
        "ok, WARN or FAIL, what, the figure, the next step. Exit status 1 when anything FAILs, "
        "else 0. While the service runs it has the camera and the lines, and they are left alone: "
        "stop the line and the service to test them too. Run it as the eye's user too "
        "(sudo -u stampgate), or what that user may not do stays unseen; the lines are the gate's."
    )
    add_config(parser)
    parser.add_argument(
        "--frames", type=_count, default=FRAMES, metavar="N", help="pictures to take (default: 10)"
    )
    parser.add_argument(
        "--picture",
        type=_known,
        action="append",
        default=[],
        metavar="FILE=VERDICT",
        help="a picture and what must become of it, e.g. good.jpg=pass; may be repeated",
    )
    parser.add_argument(
        "--loop-back",
        type=_wire,
        action="append",
        default=[],
        metavar="OUT=IN",
        help="a wire from an output to an input, e.g. reject=trigger: the output moves twice, the "
        "input must follow; names of [lines], or of the chip; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run every check, print each result, and return 1 when one FAILs. Raises UsageError."""
    failed = 0
    for result in results(arguments):
        print_line(result, flush=True)
        failed += result.state == "FAIL"
    print_line(f"{failed} to put right" if failed else "nothing to put right")
    return int(failed > 0)


def results(arguments: argparse.Namespace) -> Iterator[CheckResult]:
    """Run the checks and yield their results: first what an item passes, then the box itself."""
    try:
        config = config_of(arguments)
    except ConfigError as error:
        yield CheckResult("FAIL", "settings", str(error))
        return
    yield CheckResult("ok", "settings", f"{arguments.config}: checksum {config.checksum()[:16]}")
    clock = MonotonicClock()
    if config.camera.driver != "replay" and is_written(config.path(config.journal.file)):
        yield CheckResult(
            "WARN",
            "camera",
            "not tried: the service has it; stop the line and stampgate-edge.service first",
        )
    else:
        yield from run_check("camera", sight.camera(config, clock, arguments.frames))
    yield from run_check("model", sight.model(config, clock, dict(arguments.picture)))
    yield from run_check("mode", wires.mode(config))
    yield from run_check("timing", wires.timing(config))
    yield from run_check("lines", wires.lines(config))
    yield from run_check("lines released", wires.released(config))
    for wire in arguments.loop_back:
        yield from run_check("loop-back", loop_back(config, wire))
    yield from run_check("disk", box.disk(config))
    yield from run_check("seal", box.seal(config))
    yield from run_check("clock", box.clock())
    yield from run_check("watchdog", box.watchdog(config))
    yield from run_check("power", box.power())


def loop_back(config: Config, wire: tuple[str, str]) -> Iterator[CheckResult]:
    """Run the loop-back test of *wire*, unless the gate runs, whose lines are never touched."""
    if gate_runs(config):
        yield CheckResult(
            "FAIL",
            "loop-back",
            "not tried: the gate runs and holds the lines; stop the line and "
            "stampgate-gate.service first",
        )
    else:
        yield from wires.loop_back(config, wire)


def gate_runs(config: Config) -> bool:
    """Tell whether a gate listens, by connecting and closing at once.

    Raises InputError when its socket may not be used.
    """
    path = config.path(config.gate.socket)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as caller:
        try:
            caller.connect(str(path))
        except PermissionError:
            raise InputError(
                f"{path}: may not be asked, so nobody knows whether the gate runs; use sudo"
            ) from None
        except OSError:
            return False
    return True


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"must be a number of 1 to 10000, not {text!r}")
    return int(text)


def _known(text: str) -> tuple[Path, str]:
    file, _, verdict = text.rpartition("=")
    if verdict not in VERDICTS or not Path(file).is_file():
        raise argparse.ArgumentTypeError(
            f"must be FILE=pass or FILE=reject, with a file that is there, not {text!r}"
        )
    return Path(file), verdict


def _wire(text: str) -> tuple[str, str]:
    output, _, given = text.partition("=")
    if not output or not given or output == given:
        raise argparse.ArgumentTypeError(f"must be OUT=IN, two lines, not {text!r}")
    return output, given
