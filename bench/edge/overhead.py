"""Cost of an item's whole way beside the network alone, both in one run and in turn."""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType, TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bench.layouts import Entries
from edge.camera import Camera, Capture
from edge.camera.checks import FrameChecks
from edge.clock import MonotonicClock, Stop
from edge.config import Config
from edge.errors import InputError
from edge.process.memory import keep_frame_memory
from edge.process.notify import Notifier
from edge.record.evidence import Evidence
from edge.record.health import Health
from edge.record.journal import Journal
from edge.service import make_gate
from edge.sight.inspector import Inspector
from edge.station import Station, rules_for
from edge.trigger import make_trigger
from edge.vision import two_looks
from edge.vision.answers import Floats
from edge.vision.contract import HEAT_NAME, INPUT_NAME, SIDES_NAME
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame

MOST = 1.5
"""Most that the whole way may cost, in times of the network alone."""
WARM_UP = 2
"""Rounds that do not count."""


class MemoryCamera:
    """A camera that gives pictures out of memory, each as a copy.

    So does the camera of a Pi or a Jetson, which sends no JPEG.

    *frames*: (height, width, 3) uint8, RGB, one after the other, round and round.

    Synchronization: one thread.
    """

    ended = False

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames, self._shown = frames, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to close."""

    def wait(self, until_ns: int, stop: Stop) -> bool:  # noqa: ARG002 - never waits
        """Say that the next picture is there."""
        return True

    def capture(self, after_ns: int) -> Capture:
        """Copy the next picture; it is as old as the question."""
        picture = self._frames[self._shown % len(self._frames)].copy()
        self._shown += 1
        return Capture(picture, after_ns, self._shown, f"picture {self._shown}")

    facts: Mapping[str, float] = MappingProxyType({})
    trouble = ""

    def check(self) -> None:
        """Nothing to prove."""


def looks_at(localizer: Localizer, frame: Frame) -> list[NDArray[np.uint8]]:
    """Return the arrays that the network is shown for one frame, second looks included."""
    shown: list[NDArray[np.uint8]] = []

    def answer(pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        shown.append(pictures)
        return localizer.infer(pictures)

    two_looks.find(answer, frame, localizer.contract.two_look_plan, localizer.contract.threshold)
    return shown


@contextmanager
def station(config: Config, camera: Camera, localizer: Localizer) -> Iterator[Station]:
    """Open a station as ``edge.service.serve`` puts it together, on the gate of *config*."""
    clock, kept = MonotonicClock(), config.evidence.folder
    with (
        Notifier() as notifier,
        Evidence(config.path(kept) if kept else None, config.evidence) as evidence,
        Journal(config.path(config.journal.file), clock, settings=config.journal) as journal,
        make_gate(config, clock) as gate,
        camera,
    ):
        status = config.path(config.journal.status)
        yield Station(
            trigger=make_trigger(config.trigger, camera, clock, gate),
            camera=camera,
            checks=FrameChecks(config.camera),
            inspector=Inspector(localizer, rules_for(config, localizer)),
            gate=gate,
            evidence=evidence,
            journal=journal,
            health=Health(journal, evidence, config.journal, clock, status),
            notifier=notifier,
            clock=clock,
        )


def overhead(
    config: Config, frames: Sequence[Frame], camera: Camera, rounds: int, entries: Entries
) -> tuple[float, float, float]:
    """Measure an item's whole way, and the network alone on the same arrays, in milliseconds.

    Returns both medians, and the network's passes a frame.

    One of each in turn, for each frame, so that whatever else the machine does hits both alike.
    *frames*: those that *camera* gives, in its order; *entries*: of a layout. Raises InputError
    when one of them cannot be judged.
    """
    localizer = Localizer.of(config, entries)
    looks = [looks_at(localizer, frame) for frame in frames]
    whole: list[float] = []
    alone: list[float] = []
    stop = Stop()
    with station(config, camera, localizer) as box:
        keep_frame_memory()
        for number in range(-WARM_UP * len(frames), rounds * len(frames)):
            began_ns = time.perf_counter_ns()
            for pictures in looks[number % len(frames)]:
                localizer.session.run([HEAT_NAME, SIDES_NAME], {INPUT_NAME: pictures})
            between_ns = time.perf_counter_ns()
            box.pass_item(box.clock.now_ns(), stop)
            if number >= 0:
                whole.append((time.perf_counter_ns() - between_ns) / 1e6)
                alone.append((between_ns - began_ns) / 1e6)
    stop.close()
    if box.counters.faults:
        raise InputError(
            f"{box.counters}: the pictures must all be judged, or nothing was measured; name others"
        )
    shown = statistics.fmean(sum(len(pictures) for pictures in look) for look in looks)
    return statistics.median(whole), statistics.median(alone), shown
