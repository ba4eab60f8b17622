"""Speed of an item's whole way with a region of a quarter of the frame, beside the whole frame.

Run from the project's root: ``python -m bench.edge.region``. Both ways go through one station, one
item each in turn, so that whatever else the machine does hits both alike; so do a look with and one
without near misses. Nothing else should run meanwhile.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.command import answer
from bench.edge.figures import Figure, table
from bench.edge.overhead import WARM_UP, MemoryCamera, station
from edge.clock import Stop
from edge.config import Config
from edge.deciding.region import Region
from edge.deciding.rules import Rules
from edge.process.memory import keep_frame_memory
from edge.sections.camera import CameraSettings
from edge.sections.model import ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.vision.localizer import Localizer
from edge.vision.picture_files import list_pictures, read_picture
from edge.vision.preprocess import Frame, prepare

SAMPLES = Path("edge/default/samples")
SIZES = ((1280, 960), (2592, 1944))
"""Pixels of the frames: a USB camera's, and those of a Raspberry Pi camera module."""


def quarter(width: int, height: int) -> Region:
    """Return the middle quarter of a frame."""
    left, top, right, bottom = width / 4, height / 4, width * 3 / 4, height * 3 / 4
    return Region(((left, top), (right, top), (right, bottom), (left, bottom)))


def in_turn(ways: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Time each of *ways* once a round, in milliseconds; a few rounds before do not count.

    It is the processor's time: others on the machine lengthen that less than the clock's.
    """
    times_ms: list[list[float]] = [[] for _ in ways]
    for number in range(-WARM_UP, rounds):
        for way, taken in zip(ways, times_ms, strict=True):
            began_ns = time.process_time_ns()
            way()
            if number >= 0:
                taken.append((time.process_time_ns() - began_ns) / 1e6)
    return times_ms


def ratio(name: str, one: Sequence[float], other: Sequence[float]) -> Figure:
    """Return the median of *one* over that of *other*, both in milliseconds."""
    a, b = statistics.median(one), statistics.median(other)
    return Figure(name, a / b, "times", None, f"{a:.2f} ms / {b:.2f} ms, {len(one)} each")


def whole_way(config: Config, frames: Sequence[Frame], rounds: int) -> list[Figure]:
    """Measure an item's whole way with the region over that without, and near misses alone."""
    height, width = frames[0].shape[:2]
    localizer, stop = Localizer.of(config), Stop()
    with station(config, MemoryCamera(frames), localizer) as box:
        keep_frame_memory()
        plain = box.inspector.rules
        region = dataclasses.replace(plain, region=quarter(width, height))

        def item(rules: Rules) -> None:
            box.inspector.rules = rules
            box.pass_item(box.clock.now_ns(), stop)

        without, within = in_turn([lambda: item(plain), lambda: item(region)], rounds)
    stop.close()
    least, frame = localizer.contract.threshold, frames[0]
    near, bare = in_turn(
        [lambda: localizer.find(frame, least, near=True), lambda: localizer.find(frame)], rounds
    )
    size = f"{width} x {height}"
    return [
        ratio(f"whole way, a quarter / the whole of {size}", within, without),
        ratio(f"look with near misses / without, {size}", near, bare),
    ]


def measure(rounds: int) -> int:
    """Measure and print; the exit status."""
    figures = list[Figure]()
    for width, height in SIZES:
        frames = [prepare(read_picture(path), width, height)[0] for path in list_pictures(SAMPLES)]
        with tempfile.TemporaryDirectory() as folder:
            config = Config(
                camera=CameraSettings(allow_repeats=True),
                model=ModelSettings(),
                journal=JournalSettings(file="journal.jsonl", mark="", status=""),
                evidence=EvidenceSettings(folder=""),
                folder=Path(folder),
            )
            figures += whole_way(config, frames, rounds)
    print(table(figures))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; a problem of the user's is one line on stderr and an exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.edge.region", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=40, metavar="N", help="default %(default)s")
    arguments = parser.parse_args(argv)
    return answer("bench-edge", lambda: measure(max(1, arguments.rounds)))


if __name__ == "__main__":
    sys.exit(main())
