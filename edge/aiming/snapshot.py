"""One picture as the camera gives it, without loss, with everything known of it beside it."""

import dataclasses
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from edge import __version__
from edge.aiming.view import doubt, failing, figures_object, judged, measured, model_object
from edge.camera import Camera, Capture
from edge.camera.checks import FrameChecks
from edge.camera.turning import turned_capture
from edge.clock import Clock, Stop
from edge.config import Config
from edge.deciding.rules import region_of, rules_of
from edge.errors import AnswerError, CameraError, FrameError, InputError, UsageError
from edge.files import make_folder, write_atomic
from edge.printing import json_text
from edge.record.times import Now
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame

WAIT_NS = 10_000_000_000
"""Longest wait for a picture, nanoseconds; a replayed folder may be slow."""
SUFFIX = ".png"


def take(config: Config, camera: Camera, clock: Clock) -> tuple[Capture, Frame | None, str]:
    """Take two pictures, so that the shake shows; return the last, the one before, and its trouble.

    The frame before is None where there is only one picture. Raises CameraError when none comes.
    """
    checks, stop = FrameChecks(config.camera), Stop()
    taken: list[Capture] = []
    trouble = ""
    try:
        while len(taken) < 2 and not camera.ended:
            if not camera.wait(clock.now_ns() + WAIT_NS, stop):
                break
            after_ns = clock.now_ns()
            taken.append(turned_capture(camera.capture(after_ns), config.camera))
            trouble = doubt(checks, taken[-1], after_ns)
    finally:
        stop.close()
    if not taken:
        raise CameraError(
            "camera timeout: a picture must come within 10 s; check its connection and [camera]"
        )
    return taken[-1], taken[0].picture if len(taken) > 1 else None, trouble


def describe(
    config: Config,
    localizer: Localizer | None,
    capture: Capture,
    before: Frame | None,
    trouble: str,
    now: Now,
) -> dict[str, Any]:
    """Return the metadata of a picture: settings, time with its zone, figures, model, findings."""
    frame = capture.picture
    height, width = frame.shape[:2]
    figures = measured(frame, region_of(config.decision), before)
    about = {
        "stampgate": __version__,
        "time": local_time(now).isoformat(timespec="milliseconds"),
        "clock_synced": now.synced,
        "picture": capture.name,
        "width": width,
        "height": height,
        "trouble": trouble,
        "figures": figures and figures_object(figures),
        "failing": {one.name: one.words for one in failing(figures, config.imaging)},
        "settings_sha256": config.checksum(),
        "camera": dataclasses.asdict(config.camera),
        "decision": dataclasses.asdict(config.decision),
    }
    return about | _judged(config, localizer, frame)


def targets(out: Path, when: datetime) -> tuple[Path, Path]:
    """Return where picture and metadata go: *out* itself, or a new name in the folder *out*.

    Raises UsageError for a file that is no PNG by its name; InputError where there is one already.
    """
    if out.suffix and not out.is_dir():
        if out.suffix.lower() != SUFFIX:
            raise UsageError(
                f"{out}: must end with {SUFFIX}, for the picture is kept without loss, or be a "
                "folder; name another"
            )
        pair = out, out.with_suffix(".json")
        if taken := [path for path in pair if path.exists() or path.is_symlink()]:
            raise InputError(f"{taken[0]}: is there already and stays; name another")
        return pair
    make_folder(out)
    stem = f"snapshot-{when:%Y-%m-%dT%H-%M-%S%z}"
    for number in range(1, 1000):
        name = stem if number == 1 else f"{stem}-{number}"
        pair = out / f"{name}{SUFFIX}", out / f"{name}.json"
        if not any(path.exists() or path.is_symlink() for path in pair):
            return pair
    raise InputError(f"{out}: holds a thousand snapshots of this second; name another folder")


def local_time(now: Now) -> datetime:
    """Return the wall-clock time with the box's time zone; nothing is decided by it."""
    return datetime.fromtimestamp(now.wall_ns / 1e9, UTC).astimezone()


def save(frame: Frame, about: dict[str, Any], picture: Path, metadata: Path) -> None:
    """Write metadata and picture, (height, width, 3) uint8 RGB, as PNG; each is whole or missing.

    Raises InputError; then neither is left.
    """
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG")
    write_atomic(metadata, f"{json_text(about)}\n".encode())
    try:
        write_atomic(picture, buffer.getvalue())
    except InputError:
        metadata.unlink(missing_ok=True)
        raise


def _judged(config: Config, localizer: Localizer | None, frame: Frame) -> dict[str, Any]:
    if localizer is None:
        return {"model": None}
    contract = localizer.contract
    rules = rules_of(config.decision, contract.classes, contract.threshold)
    model = model_object(localizer, config, rules)
    about: dict[str, Any] = {"model": {"file": config.model_file().name, **model}}
    try:
        found = Inspector(localizer, rules).look(frame)
        verdict, marks = judged(found, rules, contract, frame)
    except (FrameError, AnswerError) as error:
        return about | {"verdict": "fault", "reason": str(error)}
    return about | {
        "verdict": verdict.kind,
        "reason": verdict.reason,
        "code": verdict.code,
        "marks": [mark.as_object() for mark in marks],
    }
