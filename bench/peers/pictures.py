"""Write painted pictures as a YOLO data set: whole frames by the painter of our own training.

Each is painted by itself: our training shows twins, mostly windows.
"""

import json
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from edge.errors import InputError
from edge.files import make_folder, write_atomic
from edge.vision.preprocess import Frame
from train.labels.writing import yolo_text
from train.paint.inputs import Inputs
from train.paint.synth import Kit, Picture, paint
from train.stopping import end_with_parent

SEED = 2**34
"""Keeps these pictures' seeds away from those of our training and of its threshold."""
TRIES = 1000


def write_set(inputs: Inputs, window: int, count: int, out: Path) -> Path:
    """Paint pictures 0 to *count* - 1, *window* pixels wide and high, into *out*.

    Returns its ``data.yaml``.

    What is there already is kept. Raises InputError, also when *out* holds pictures of another
    kind.
    """
    for folder in (out, out / "images", out / "labels"):
        make_folder(folder)
    check_source(inputs, window, out / "painted-from.json")
    missing = [number for number in range(count) if not label_path(out, number).exists()]
    cores = len(os.sched_getaffinity(0))
    # Not forked: OpenCV's threads do not survive a fork, and the child would wait for them for
    # ever.
    pool = ProcessPoolExecutor(
        cores, multiprocessing.get_context("forkserver"), _start, (inputs, window, out)
    )
    try:
        done = pool.map(_write, missing, chunksize=8)
        for _ in tqdm(
            done, "paint", count, initial=count - len(missing), unit="picture", mininterval=1.0
        ):
            pass
    except BrokenProcessPool:
        raise InputError(
            "paint: a painting process was killed, perhaps for want of memory; try again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
    return write_index(out, count, inputs.config.classes)


def check_source(inputs: Inputs, window: int, path: Path) -> None:
    """Note what the pictures are painted from, or compare it with the note. Raises InputError."""
    config = inputs.config
    marks = [[mark.label, sha256(mark.image.tobytes()).hexdigest()] for mark in inputs.marks]
    source = {
        "window": window,
        "size": config.fit.size,
        "marks": marks,
        "backgrounds": len(inputs.training or ()),
    }
    if not path.exists():
        write_atomic(path, json.dumps(source).encode())
    elif json.loads(path.read_text(encoding="utf-8")) != source:
        raise InputError(
            f"{path.parent}: holds pictures of another mark, size or background; remove it, or "
            "name another --out"
        )


def write_index(out: Path, count: int, classes: tuple[str, ...]) -> Path:
    """List the first *count* pictures for Ultralytics' validation.

    It wants a few though it never validates.
    """
    names = [f"./images/{number:06}.bmp\n" for number in range(count)]
    write_atomic(out / "train.txt", "".join(names).encode())
    write_atomic(out / "val.txt", "".join(names[:2]).encode())
    path = out / "data.yaml"
    # JSON is YAML, and needs no further library.
    content = {
        "path": str(out.absolute()),
        "train": "train.txt",
        "val": "val.txt",
        "names": list(classes),
    }
    write_atomic(path, json.dumps(content).encode())
    return path


def label_path(out: Path, number: int) -> Path:
    """Return the path of the labels of picture *number*, which are written after it."""
    return out / "labels" / f"{number:06}.txt"


def paint_clear(kit: Kit, window: int, number: int) -> Picture:
    """Paint picture *number*, and again while it shows a mark too small or hidden to count.

    Our training leaves such marks out of the loss. YOLO's labels cannot say that, and would call
    them background.
    """
    rng = np.random.default_rng((SEED, number))
    for _ in range(TRIES):
        picture = paint(rng, kit, window)
        if not picture.ignored:
            return picture
    raise InputError(
        f"paint: {TRIES} pictures in a row show a mark too small to count; bring another mark"
    )


def write_picture(out: Path, number: int, picture: Picture) -> None:
    """Write one picture, bit for bit, then its labels.

    A run that is cut short leaves no labels without a picture.
    """
    _replace(out / "images" / f"{number:06}.bmp", picture.pixels)
    temporary = label_path(out, number).with_suffix(".new")
    height, width = picture.pixels.shape[:2]
    temporary.write_text(yolo_text(picture.marks, width, height), encoding="utf-8")
    temporary.replace(label_path(out, number))


def _replace(path: Path, pixels: Frame) -> None:
    temporary = path.with_suffix(".new")
    Image.fromarray(pixels).save(temporary, format="BMP")
    temporary.replace(path)


class _Painter:
    """The state of a painting process."""

    kit: Kit
    window: int
    out: Path


def _start(inputs: Inputs, window: int, out: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command answers Ctrl-C and ends its painters
    end_with_parent()
    cv2.setNumThreads(1)
    _Painter.kit, _Painter.window, _Painter.out = inputs.kit(), window, out


def _write(number: int) -> None:
    try:
        write_picture(_Painter.out, number, paint_clear(_Painter.kit, _Painter.window, number))
    except OSError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{_Painter.out}: cannot be written ({error.strerror}); make room and try again"
        ) from None
