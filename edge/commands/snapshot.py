"""``stampgate-edge snapshot``: save what the camera sees, without loss, with its metadata."""

import argparse
from pathlib import Path

from edge.aiming.opening import check_camera_free, open_model
from edge.aiming.snapshot import describe, local_time, save, take, targets
from edge.camera.drivers import make_camera
from edge.clock import MonotonicClock
from edge.commands import add_config, config_of
from edge.printing import print_line
from edge.record.times import present


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Take a picture with the camera and save it without loss (PNG), turned as [camera] says, "
        "and beside it a JSON file of the same name with time, settings, figures, model and marks. "
        "Refused while the service runs: it keeps its own pictures, as evidence."
    )
    add_config(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="FILE|DIR",
        help="a new .png file, or a folder, for a name with date and time (default: this folder)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Save one picture. Raises StampgateError."""
    config = config_of(arguments)
    check_camera_free(config, "snapshot")
    picture, metadata = targets(arguments.out, local_time(present()))
    clock, localizer = MonotonicClock(), open_model(config, "snapshot")
    with make_camera(config, clock) as camera:
        capture, before, trouble = take(config, camera, clock)
    about = describe(config, localizer, capture, before, trouble, present())
    save(capture.picture, about, picture, metadata)
    height, width = capture.picture.shape[:2]
    print_line(f"{picture}: {width} x {height}; what is known of it is in {metadata.name}")
    if trouble:
        print_line(f"the service would judge nothing on it: {trouble}")
    return 0
