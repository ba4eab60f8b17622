"""Camera and model: pictures that are fresh and show something, and known pictures judged as they
should be.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import edge
from edge.camera import Camera, Capture, make_camera
from edge.camera.checks import FrameChecks, brightest, edge_strength, luma, sample, white_share
from edge.clock import Clock, Stop
from edge.config import DEFAULT_MODEL, DEFAULT_NAME, CameraSettings, Config
from edge.decision import required_classes
from edge.errors import FrameError, ModelError
from edge.selftest import CheckResult
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame

SAMPLES = {"01-milk-stamped.jpg": "pass", "02-milk-unstamped.jpg": "reject"}
"""Packaged pictures that the packaged model must judge so."""
WAIT_NS = 10 * 10**9
"""How long to wait for a picture that is to come; a replayed folder may be slow."""
SLOW = 0.8
"""The share of the pictures asked for that a camera must give."""
TIMED_FRAMES = 5
"""How many frames are timed."""
CHILD_S = 120.0
"""How long a process of its own may take to load the runtime and judge the known pictures."""


@dataclass
class Pictures:
    """What the camera gave: the last picture, when and under which number each came, and what was
    wrong.
    """

    last: Capture | None = None
    moments: list[tuple[int, int]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """How many pictures a second the camera takes by its own count; 0 when that cannot be told."""
        (begin_ns, first), (end_ns, last) = self.moments[0], self.moments[-1]
        return (last - first) * 1e9 / (end_ns - begin_ns) if end_ns > begin_ns else 0.0


def camera(config: Config, clock: Clock, number: int) -> Iterator[CheckResult]:
    """Open the camera and take *number* pictures, each after a trigger of its own. Raises
    CameraError, ConfigError.
    """
    settings, began_ns = config.camera, clock.now_ns()
    with make_camera(config, clock) as opened:
        opened_ms = (clock.now_ns() - began_ns) / 1e6
        yield CheckResult("ok", "camera", f"{settings.driver}: opened in {opened_ms:.0f} ms")
        pictures = _take(opened, FrameChecks(settings), clock, number)
    if settings.driver in ("v4l2", "picamera") and not (settings.exposure_us and settings.gain):
        yield CheckResult(
            "WARN", "exposure", "automatic: pictures will drift; fix [camera] exposure_us and gain"
        )
    yield _fresh(settings, pictures)
    if pictures.last is not None:
        yield _light(settings, pictures.last.picture)


def _take(opened: Camera, checks: FrameChecks, clock: Clock, number: int) -> Pictures:
    pictures, stop = Pictures(), Stop()
    for _ in range(number):
        if opened.ended or not opened.wait(clock.now_ns() + WAIT_NS, stop):
            break
        after_ns = clock.now_ns()
        try:
            pictures.last = opened.capture(after_ns)
            pictures.moments.append((pictures.last.t_ns, pictures.last.sequence))
            checks.examine(pictures.last, after_ns)
        except FrameError as error:
            pictures.troubles.append(str(error))
    stop.close()
    return pictures


def _fresh(settings: CameraSettings, pictures: Pictures) -> CheckResult:
    what = "pictures"
    if pictures.troubles:
        return CheckResult(
            "FAIL", what, f"{len(pictures.troubles)} would be a FAULT: {pictures.troubles[0]}"
        )
    if pictures.last is None:
        return CheckResult("FAIL", what, "none came; check the camera's connection and [camera]")
    height, width, _ = pictures.last.picture.shape
    said = f"{len(pictures.moments)} fresh ones of {width} x {height}, {pictures.rate:.1f} a second"
    wanted = settings.frames_per_second
    if settings.driver != "replay" and len(pictures.moments) > 1 and pictures.rate < SLOW * wanted:
        return CheckResult(
            "WARN",
            what,
            f"{said}, must be about {wanted:g}; more light, or another port or pixel_format",
        )
    return CheckResult("ok", what, said)


def _light(settings: CameraSettings, picture: Frame) -> CheckResult:
    """The figures behind the checks of :mod:`edge.camera.checks`, so that somebody sees how near a
    limit is.
    """
    grey = luma(sample(picture))
    said = (
        f"brightest {brightest(grey)} (at least {settings.black_below:g}), white {white_share(grey):.0%} (at most "
        f"{settings.overexposed_above:.0%}), edges {edge_strength(grey):.0f} (at least {settings.covered_below:g})"
    )
    return CheckResult("ok", "light", said)


def model(config: Config, clock: Clock, known: Mapping[Path, str]) -> Iterator[CheckResult]:
    """Load the model, let it judge *known* pictures, and time it. Raises ModelError, UsageError,
    FrameError.

    It looks at first in a process of its own: a runtime that does not fit the processor dies by a
    signal, and takes only that process along.
    """
    if not known and config.model.file == DEFAULT_NAME:
        known = {
            DEFAULT_MODEL.parent / "samples" / name: verdict for name, verdict in SAMPLES.items()
        }
    yield _verdicts(config, known)
    localizer = Localizer(config.model_file(), config.model.threads)
    contract = localizer.contract
    required_classes(config.decision.required, contract.classes)
    yield CheckResult(
        "ok",
        "model",
        f"{config.model_file().name}: finds {', '.join(contract.classes)} from {contract.threshold:.2f} on, "
        f"{contract.input_width} x {contract.input_height}",
    )
    size = (config.camera.height, config.camera.width, 3)
    frame = read_picture(next(iter(known))) if known else np.full(size, 128, np.uint8)
    yield _latency(config, localizer, clock, frame)


def _verdicts(config: Config, known: Mapping[Path, str]) -> CheckResult:
    what = "verdicts"
    if not known:
        return CheckResult(
            "WARN",
            what,
            "no known picture to judge; name one of each kind: --picture good.jpg=pass",
        )
    wrong = []
    for (picture, wanted), line in zip(known.items(), _inspected(config, known), strict=True):
        if line["verdict"] != wanted:
            wrong.append(
                f"{picture.name} must be {wanted}, not {line['verdict']} ({line['reason']})"
            )
    if wrong:
        return CheckResult(
            "FAIL", what, f"{'; '.join(wrong)}; check [model] file and [decision] required"
        )
    return CheckResult(
        "ok", what, f"{len(known)} of {len(known)} known pictures judged as they should be"
    )


def _inspected(config: Config, pictures: Iterable[Path]) -> list[dict[str, str]]:
    """What ``stampgate-edge inspect`` says of each picture, run as a process. Raises ModelError
    when it dies.
    """
    required = [word for name in config.decision.required for word in ("--require", name)]
    asked = ["inspect", str(config.model_file()), *map(str, pictures), "--json", *required]
    command = [sys.executable, "-P", "-m", "edge", *asked]
    environment = {**os.environ, "PYTHONPATH": str(Path(edge.__file__).parents[1])}
    how: dict[str, Any] = {
        "capture_output": True,
        "text": True,
        "timeout": CHILD_S,
        "env": environment,
    }
    try:
        done = subprocess.run(command, check=False, **how)  # noqa: S603 - this very program
    except subprocess.TimeoutExpired:
        raise ModelError(
            f"{config.model_file()}: no answer within {CHILD_S:g} s; what else does this box do?"
        ) from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise ModelError(
            f"onnxruntime was ended by {name} on this processor; install another version of it"
        )
    if done.returncode not in (0, 1):
        raise ModelError(done.stderr.strip().removeprefix("stampgate-edge: "))
    return [json.loads(line) for line in done.stdout.splitlines()]


def _latency(config: Config, localizer: Localizer, clock: Clock, frame: Frame) -> CheckResult:
    times_ms = []
    for _ in range(TIMED_FRAMES):
        began_ns = clock.now_ns()
        localizer.find(frame)
        times_ms.append((clock.now_ns() - began_ns) / 1e6)
    said = f"a frame takes {statistics.median(times_ms):.1f} ms, the slowest of {TIMED_FRAMES} {max(times_ms):.1f} ms"
    delay_ms = config.gate.reject_delay_ms
    if not config.gate.reject_delay_counts and max(times_ms) >= delay_ms:
        return CheckResult(
            "FAIL",
            "latency",
            f"{said}, must be below [gate] reject_delay_ms {delay_ms:g}: all would be late",
        )
    return CheckResult("ok", "latency", said)
