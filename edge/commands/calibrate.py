"""``stampgate-edge calibrate``: keep a reference of the place, which the service compares with."""

import argparse
import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

from edge.camera.checks import FrameChecks
from edge.camera.drivers import make_camera
from edge.camera.turning import turned_capture
from edge.clock import Clock, MonotonicClock, Stop
from edge.commands import add_config, config_of
from edge.config import Config
from edge.deciding.rules import region_of
from edge.errors import FrameError, InputError, UsageError
from edge.files import make_folder
from edge.imaging.bounds import Judged, figures_of, judge_comparisons, judge_figures
from edge.imaging.figures import Frame
from edge.imaging.reference import Reference, compare, with_view
from edge.imaging.reference_file import load_reference, reference_path, save_reference
from edge.imaging.watch import MOST_SPREAD, run_length
from edge.printing import print_line
from edge.record.configured import configured_record
from edge.record.journal import Journal
from edge.record.journal_lock import is_written
from edge.wiring import check_for_eye

PICTURES, MOST = 10, 50
WAIT_NS = 30 * 10**9
"""Time limit for the next picture, nanoseconds."""
CALIBRATED = "calibrated"
"""Code of the journal's note."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Keep a reference of the place: what the camera sees without an item, and with items of "
        "the kinds that come by. What stays alike in both, guides, frame and ground, is looked for "
        "again by the service: a camera that was knocked, a lamp that died and a lens that fogs "
        "are trouble before they are rejects. Run it twice, --empty first, with the service "
        "stopped; with --filled let items stand or pass before the camera as they do on the line. "
        "Refused where the pictures are soft, dark, overexposed or shaking by [imaging]. The "
        "journal notes the checksum of each new reference."
    )
    add_config(parser)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--empty", action="store_true", help="the place without an item")
    kind.add_argument("--filled", action="store_true", help="the place with items")
    parser.add_argument(
        "--pictures",
        type=_count,
        default=PICTURES,
        metavar="N",
        help=f"pictures to take, 2 to {MOST} (default: {PICTURES})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Calibrate one kind. Raises StampgateError; then the reference is what it was before."""
    config, clock = config_of(arguments), MonotonicClock()
    check_for_eye(config)
    path = reference_path(config)
    if path is None:
        raise UsageError("[imaging] reference is empty, so none is kept; name a file there")
    if is_written(config.path(config.journal.file)):
        raise InputError(
            f"{config.path(config.journal.file)}: the service runs and has the camera; stop the "
            "line and stampgate-edge.service first"
        )
    kind = "empty" if arguments.empty else "filled"
    before = load_reference(path)
    frames = _taken(config, clock, arguments.pictures)
    region = region_of(config.decision)
    _refuse_bad(list(judge_figures(figures_of(frames, region), config.imaging)))
    reference = with_view(before and before[0], kind, frames)
    about = {
        "settings_sha256": config.checksum(),
        "camera": dataclasses.asdict(config.camera),
    }
    make_folder(path.parent)
    with configured_record(config, clock) as (_, journal):
        note = partial(_note, journal, config, reference, kind)
        sha256 = save_reference(path, reference, about, note)
    print_line(f"{path}: the {kind} place from {len(frames)} pictures, sha256 {sha256[:16]}")
    _tell(reference, frames, config)
    return 0


def _taken(config: Config, clock: Clock, number: int) -> list[Frame]:
    """Take pictures, each checked as an item's is. Raises FrameError, CameraError, InputError."""
    frames: list[Frame] = []
    checks, stop = FrameChecks(config.camera), Stop()
    with make_camera(config, clock) as camera:
        while len(frames) < number and not camera.ended:
            if not camera.wait(clock.now_ns() + WAIT_NS, stop):
                break
            after_ns = clock.now_ns()
            try:
                taken = turned_capture(camera.capture(after_ns), config.camera)
                frames.append(checks.examine(taken, after_ns).picture)
            except FrameError as error:
                raise InputError(f"a picture would be a FAULT: {error}") from None
            print_line(f"picture {len(frames)} of {number}", flush=True)
    stop.close()
    if len(frames) < 2 or len({frame.shape for frame in frames}) > 1:
        raise InputError(
            f"{len(frames)} pictures came, must be at least 2 of one size; check the camera and "
            "[camera]"
        )
    return frames


def _refuse_bad(judged: Sequence[Judged]) -> None:
    """Print the figures; raises InputError for a picture that no reference should be made of."""
    for one in judged:
        print_line(f"{one.name:<11} {one.words}")
    bad = [f"{one.name} {one.words}" for one in judged if not one.kept]
    if bad:
        raise InputError(
            f"{'; '.join(bad)}; nothing was kept: mend that first, or change its bound in "
            "[imaging] if this line must be so"
        )


def _note(journal: Journal, config: Config, reference: Reference, kind: str, sha256: str) -> None:
    """Write into the journal which reference counts from now on."""
    view = reference.empty if kind == "empty" else reference.filled
    fields: dict[str, Any] = {
        "reason": f"the camera's reference was calibrated: the {kind} place",
        "code": CALIBRATED,
        "reference_sha256": sha256,
        "pictures": view.pictures if view else 0,
        "patches": len(reference.patches),
        "settings_sha256": config.checksum(),
    }
    journal.append("note", fields)
    journal.flush()


def _tell(reference: Reference, frames: Sequence[Frame], config: Config) -> None:
    """Say what the reference is worth, or what is missing yet."""
    if not reference.patches:
        missing = "filled" if reference.filled is None else "empty"
        print_line(f"next: stampgate-edge calibrate --{missing}; nothing is compared before that")
        return
    side = reference.patches[0].pixels.shape[0]
    print_line(f"surround    {len(reference.patches)} patches of {side} x {side} pixels")
    for one in judge_comparisons([compare(reference, frame) for frame in frames], config.imaging):
        print_line(f"{one.name:<15} {one.words}")
    softer, spread = config.imaging.softer_above, reference.spread
    apart = run_length(softer, max(spread, 0.01))
    print_line(
        f"spread      {spread:.1%} of focus and contrast from picture to picture, must be at most "
        f"{MOST_SPREAD:.0%}; a false alarm of softness in {min(apart, 1e12):.0e} comparisons"
    )


def _count(text: str) -> int:
    if not text.isdigit() or not 2 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"must be a number of 2 to {MOST}, not {text!r}")
    return int(text)
