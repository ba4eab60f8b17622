"""Checks of camera and model: fresh frames that show something, and known pictures judged right."""

import json
import os
import signal
import statistics
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import edge
from edge.camera import Camera, Capture
from edge.camera.checks import FrameChecks, brightest, edge_strength, luma, sample, white_share
from edge.camera.drivers import make_camera
from edge.camera.turning import turned_capture
from edge.clock import Clock, Stop
from edge.config import DEFAULT_MODEL, Config
from edge.deciding.rules import region_of, rules_of
from edge.errors import FrameError, ModelError
from edge.imaging.bounds import figures_of, judge_comparisons, judge_figures
from edge.imaging.reference import Reference, compare
from edge.imaging.reference_file import load_reference, reference_path
from edge.sections.camera import CameraSettings
from edge.sections.model import DEFAULT_NAME
from edge.selftest import CheckResult
from edge.vision.contract import Contract
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from edge.vision.proof_summary import UNPROVEN
from edge.wiring import unsigned_trouble

SAMPLES = {"01-milk-stamped.jpg": "pass", "02-milk-unstamped.jpg": "reject"}
"""Packaged pictures that the packaged model must judge so."""
WAIT_NS = 10 * 10**9
"""Time limit for the next picture, nanoseconds; a replayed folder may be slow."""
SLOW = 0.8
"""Least share of the rate asked for that a camera must reach."""
MEASURED = 6
"""Number of pictures whose focus, exposure and shake are measured."""
TIMED_FRAMES = 5
"""Number of frames that are timed."""
CHILD_S = 120.0
"""Time limit for the child process that loads the runtime and judges known pictures, seconds."""


@dataclass
class Pictures:
    """Pictures that the camera gave: the last one, each one's moment and number, and troubles."""

    last: Capture | None = None
    moments: list[tuple[int, int]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    latest_ns: int = 0
    """How long after its trigger a picture began, at the latest."""
    unsure_ns: int = 0
    """How far the readings of a picture's beginning lie apart."""
    per_second: float = 0.0
    """The rate that the camera has measured; 0 when it has not."""
    frames: deque[Frame] = field(default_factory=lambda: deque(maxlen=MEASURED))
    """The last frames, whose figures are measured."""

    @property
    def rate(self) -> float:
        """Frames per second by the camera's own count; 0 when there are too few to tell."""
        (begin_ns, first), (end_ns, last) = self.moments[0], self.moments[-1]
        return (last - first) * 1e9 / (end_ns - begin_ns) if end_ns > begin_ns else 0.0


def camera(config: Config, clock: Clock, number: int) -> Iterator[CheckResult]:
    """Open the camera and take *number* pictures, each after a trigger of its own.

    Raises CameraError, ConfigError.
    """
    settings, began_ns = config.camera, clock.now_ns()
    with make_camera(config, clock) as opened:
        opened_ms = (clock.now_ns() - began_ns) / 1e6
        yield CheckResult("ok", "camera", f"{settings.driver}: opened in {opened_ms:.0f} ms")
        pictures = _take(opened, FrameChecks(settings), clock, number)
        pictures.per_second = opened.facts.get("per_second", 0.0)
        yield from _exposure(settings, opened)
        if opened.trouble:
            yield CheckResult("WARN", "camera", opened.trouble)
    yield _fresh(settings, pictures)
    if settings.driver != "replay" and pictures.rate:
        yield _in_view(settings, pictures)
    if pictures.last is not None:
        yield _light(settings, pictures.last.picture)
        yield from _region(config, pictures.last.picture)
        yield from _imaging(config, list(pictures.frames))


def _imaging(config: Config, frames: list[Frame]) -> Iterator[CheckResult]:
    """Check focus, exposure and shake by the settings' bounds, and the place by its reference.

    Raises InputError when the reference cannot be read or is of another size.
    """
    region = region_of(config.decision)
    height, width = frames[-1].shape[:2]
    area = None if region is None or region.beyond(width, height) else region
    frames = [frame for frame in frames if frame.shape == frames[-1].shape]
    try:
        judged = [*judge_figures(figures_of(frames, area), config.imaging)]
    except ValueError as error:
        yield CheckResult("WARN", "focus", f"not measured: the picture {error}")
        return
    path = reference_path(config)
    loaded = path and load_reference(path)
    if loaded and loaded[0].patches:
        judged += judge_comparisons([compare(loaded[0], one) for one in frames], config.imaging)
    for one in judged:
        yield CheckResult("ok" if one.kept else "FAIL", one.name, one.words)
    if not (loaded and loaded[0].patches):
        yield CheckResult("WARN", "reference", _lacking(loaded[0] if loaded else None))


def _lacking(reference: Reference | None) -> str:
    """Return what the place's reference lacks, and the next step."""
    without = "a knocked camera is not noticed without it"
    if reference is None or (reference.empty is None) == (reference.filled is None):
        return f"none is kept; run 'stampgate-edge calibrate'; {without}"
    other, has = ("filled", "empty") if reference.filled is None else ("empty", "filled")
    cure = f"run 'stampgate-edge calibrate --{other}'"
    return f"it has the {has} place alone; {cure}; {without}"


def _region(config: Config, picture: Frame) -> Iterator[CheckResult]:
    """Check that the picture holds the region, where there is one: else every item is a FAULT."""
    region = region_of(config.decision)
    if region is None:
        return
    height, width = picture.shape[:2]
    left, top, right, bottom = region.bounds
    text = f"{right - left} x {bottom - top} at {left} {top} of {width} x {height}"
    if beyond := region.beyond(width, height):
        yield CheckResult("FAIL", "region", f"{beyond}: correct [decision] region")
    else:
        yield CheckResult("ok", "region", text)


def _take(opened: Camera, checks: FrameChecks, clock: Clock, number: int) -> Pictures:
    pictures, stop = Pictures(), Stop()
    for _ in range(number):
        if opened.ended or not opened.wait(clock.now_ns() + WAIT_NS, stop):
            break
        after_ns = clock.now_ns()
        try:
            pictures.last = turned_capture(opened.capture(after_ns), checks.settings)
            _note_moment(pictures, pictures.last, after_ns)
            pictures.frames.append(pictures.last.picture)
            checks.examine(pictures.last, after_ns)
        except FrameError as error:
            pictures.troubles.append(str(error))
    stop.close()
    return pictures


def _note_moment(pictures: Pictures, taken: Capture, after_ns: int) -> None:
    pictures.moments.append((taken.t_ns, taken.sequence))
    pictures.latest_ns = max(pictures.latest_ns, taken.begun_ns - after_ns)
    pictures.unsure_ns = max(pictures.unsure_ns, taken.begun_ns - taken.t_ns)


def _exposure(settings: CameraSettings, opened: Camera) -> Iterator[CheckResult]:
    """Check that exposure and gain are fixed, and that a USB camera's pictures answer to them."""
    if settings.driver not in ("v4l2", "picamera"):
        return
    if not (settings.exposure_us and settings.gain):
        yield CheckResult(
            "WARN", "exposure", "automatic: pictures will drift; fix [camera] exposure_us and gain"
        )
    if settings.driver == "v4l2" and settings.exposure_us:
        from edge.camera.v4l2 import V4l2Camera  # noqa: PLC0415 - only the box with one loads it

        assert isinstance(opened, V4l2Camera)
        if opened.responds("exposure_time_absolute"):
            yield CheckResult("ok", "exposure", "fixed, and the picture answers to a change of it")
        else:
            yield CheckResult(
                "WARN",
                "exposure",
                "the picture does not answer to a change of it: the camera may not keep it; put "
                "something well lit before it and try again, or use another camera",
            )


def _in_view(settings: CameraSettings, pictures: Pictures) -> CheckResult:
    """Say how long an item must stay in view after its trigger, to be on its picture."""
    needed_ms = 1000 / (pictures.per_second or pictures.rate) + pictures.unsure_ns / 1e6
    text = (
        f"an item must stay in view for {needed_ms:.0f} ms after its trigger (a picture began "
        f"{pictures.latest_ns / 1e6:.0f} ms after)"
    )
    if not settings.in_view_ms:
        cure = "set [camera] in_view_ms to how long yours do"
        return CheckResult("ok", "in view", f"{text}; {cure}")
    if settings.in_view_ms < needed_ms:
        cure = "more [camera] frames_per_second, or less lag_ms if it is less"
        short = f"{text}, not {settings.in_view_ms:g}: items will be a FAULT; {cure}"
        return CheckResult("WARN", "in view", short)
    return CheckResult("ok", "in view", f"{text}, and does for {settings.in_view_ms:g}")


def _fresh(settings: CameraSettings, pictures: Pictures) -> CheckResult:
    what = "pictures"
    if pictures.troubles:
        faults = f"{len(pictures.troubles)} would be a FAULT: {pictures.troubles[0]}"
        return CheckResult("FAIL", what, faults)
    if pictures.last is None:
        return CheckResult("FAIL", what, "none came; check the camera's connection and [camera]")
    height, width, _ = pictures.last.picture.shape
    text = f"{len(pictures.moments)} fresh ones of {width} x {height}, {pictures.rate:.1f} a second"
    wanted = settings.frames_per_second
    if settings.driver != "replay" and len(pictures.moments) > 1 and pictures.rate < SLOW * wanted:
        cure = "more light, or another port or pixel_format"
        return CheckResult("WARN", what, f"{text}, must be about {wanted:g}; {cure}")
    return CheckResult("ok", what, text)


def _light(settings: CameraSettings, picture: Frame) -> CheckResult:
    """Report the figures behind :mod:`edge.camera.checks`, to show how near a limit they are."""
    grey = luma(sample(picture))
    figures = (
        f"brightest {brightest(grey)} (at least {settings.black_below:g})",
        f"white {white_share(grey):.0%} (at most {settings.overexposed_above:.0%})",
        f"edges {edge_strength(grey):.0f} (at least {settings.covered_below:g})",
    )
    return CheckResult("ok", "light", ", ".join(figures))


def model(config: Config, clock: Clock, known: Mapping[Path, str]) -> Iterator[CheckResult]:
    """Judge *known* pictures by the model, load it, and time it.

    The pictures are judged in a child process: a runtime that does not fit the processor dies by a
    signal, and takes only that process along. Raises ModelError, UsageError, FrameError.
    """
    if not known and config.model.file == DEFAULT_NAME and not config.model.bundle:
        samples = DEFAULT_MODEL.parent / "samples"
        known = {samples / name: verdict for name, verdict in SAMPLES.items()}
    yield _verdicts(config, known)
    localizer = Localizer.of(config)
    contract = localizer.contract
    rules = rules_of(config.decision, contract.classes, contract.threshold)
    finds = f"finds {', '.join(contract.classes)} from {rules.scores.least:.2f} on"
    size_text = f"{contract.input_width} x {contract.input_height}"
    yield CheckResult("ok", "model", f"{config.model_file().name}: {finds}, {size_text}")
    yield from _release(config)
    yield from _assessed(contract)
    yield CheckResult("ok", "proof", _proof(config, localizer))
    size = (config.camera.height, config.camera.width, 3)
    frame = read_picture(next(iter(known))) if known else np.full(size, 128, np.uint8)
    yield _latency(config, localizer, clock, frame)


def _proof(config: Config, localizer: Localizer) -> str:
    """Return what was proven about the model, and whether the settings go beyond it."""
    if not localizer.proof:
        return UNPROVEN
    least = config.decision.min_score
    higher = f"; [decision] min_score {least:g} rejects more than that"
    return localizer.proof + (higher if least > localizer.contract.threshold else "")


def _release(config: Config) -> Iterator[CheckResult]:
    """Say which release the model is, or that it is in no bundle where it should be."""
    if config.model.bundle:
        release = config.release()
        yield CheckResult("ok", "release", f"{release.id}, signed by {release.signer}")
    elif trouble := unsigned_trouble(config):
        yield CheckResult("WARN", "release", trouble)


def _assessed(contract: Contract) -> Iterator[CheckResult]:
    """Report what the model's assessment found, where its file has one."""
    assessed = contract.assessed
    if assessed is None:
        return
    if assessed.trouble:
        yield CheckResult("WARN", "assessment", assessed.trouble)
    else:
        yield CheckResult("ok", "assessment", f"{assessed.words}: ready to be tried")


def _verdicts(config: Config, known: Mapping[Path, str]) -> CheckResult:
    what = "verdicts"
    if not known:
        text = "no known picture to judge; name one of each kind: --picture good.jpg=pass"
        return CheckResult("WARN", what, text)
    judged = zip(known.items(), _inspected(config, known), strict=True)
    wrong = [
        f"{picture.name} must be {wanted}, not {line['verdict']} ({line['reason']})"
        for (picture, wanted), line in judged
        if line["verdict"] != wanted
    ]
    if wrong:
        cure = "check [model] file and [decision] required"
        return CheckResult("FAIL", what, f"{'; '.join(wrong)}; {cure}")
    text = f"{len(known)} of {len(known)} known pictures judged as they should be"
    return CheckResult("ok", what, text)


def _inspected(config: Config, pictures: Iterable[Path]) -> list[dict[str, str]]:
    """Return the lines of ``stampgate-edge inspect --json`` for *pictures*, in their order.

    Raises ModelError when that process fails or dies.
    """
    rule = [word for name in config.decision.required for word in ("--require", name)]
    rule += [word for name in config.decision.any_of for word in ("--any-of", name)]
    rule += [word for name in config.decision.forbidden for word in ("--forbid", name)]
    asked = ["inspect", str(config.model_file()), *map(str, pictures), "--json", *rule]
    command = [sys.executable, "-P", "-m", "edge", *asked]
    environment = {**os.environ, "PYTHONPATH": str(Path(edge.__file__).parents[1])}
    how: dict[str, Any] = {"capture_output": True, "text": True, "timeout": CHILD_S}
    try:
        done = subprocess.run(command, check=False, env=environment, **how)  # noqa: S603
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
    text = f"a frame takes {statistics.median(times_ms):.1f} ms"
    text += f", the slowest of {TIMED_FRAMES} {max(times_ms):.1f} ms"
    delay_ms = config.gate.reject_delay_ms
    if not config.gate.reject_delay_counts and max(times_ms) >= delay_ms:
        limit = f"[gate] reject_delay_ms {delay_ms:g}"
        return CheckResult("FAIL", "latency", f"{text}, must be below {limit}: all would be late")
    return CheckResult("ok", "latency", text)
