"""Measure how well marks are cut out of phone pictures: intersection over union with the truth.

    python -m bench.phone_marks                 # all stamps, grounds and lights, a table
    python -m bench.phone_marks --every 9       # a ninth of them, of all stamps and grounds
    python -m bench.phone_marks --seed 1001     # in other places, inks and light

The pictures are drawn (``tests/phone_pictures.py``): six stamps on paper, cardboard and metal under
six kinds of light, seen at up to 20 degrees each way, in five inks and white, every fifth faded to
half. The print of each cut-out is registered on the stamp as it was drawn (a homography, by
enhanced correlation: Evangelidis and Psarakis, 2008), as nobody can know at what angle an open
word was seen; what was straightened is not undone.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.command import answer
from edge.errors import InputError
from tests.phone_pictures import GROUNDS, INKS, LIGHTS, STAMPS, PhonePicture, take
from train.marks.cut_out import NO_GROUND
from train.marks.mark import load_mark

GOOD = 0.9
"""Least intersection over union of a cut-out that is good."""
SIDE, RIM = 480, 24
"""Longer side at which prints are compared, and the empty rim around them, in pixels."""


@dataclass(frozen=True)
class Measured:
    """One picture: its name, the intersection over union, and what the program says is in doubt."""

    name: str
    iou: float
    said: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the cut-out is good, or the program says that it may not be."""
        return self.iou >= GOOD or bool(self.said)


def pictures(every: int = 1, seed: int = 0) -> Iterator[PhonePicture]:
    """Yield the pictures, always the same ones: every stamp, ground and light, or one in *every*.

    Which ones is drawn, as the stamps come round every six. *seed*: of other inks, places, light.
    """
    inks, number = list(INKS), seed
    count = len(GROUNDS) * len(LIGHTS) * len(STAMPS)
    drawn = np.random.default_rng(0).permutation(count)[: -(-count // every)]
    chosen = {seed + 1 + int(place) for place in drawn}
    for ground in GROUNDS:
        for light in LIGHTS:
            for stamp in STAMPS:
                number += 1
                if number not in chosen:
                    continue
                white = ground != "paper" and number % 4 == 3
                ink = "white" if white else inks[number % len(inks)]
                density = 0.5 if number % 5 == 0 else 1.0
                yield take(f"{stamp} {ground} {light}", number, ink, density)


def measure(picture: PhonePicture, folder: Path) -> Measured:
    """Save a picture as a phone would, read it as a mark, and compare."""
    path = folder / "picture.png"
    Image.fromarray(picture.pixels).save(path)
    try:
        mark = load_mark(path, "mark")
    except InputError as error:
        return Measured(picture.name, 0.0, (str(error),))
    alpha = np.asarray(mark.image.getchannel("A"))
    return Measured(picture.name, registered_iou(alpha, picture.truth), mark.doubts)


def registered_iou(alpha: NDArray[np.uint8], truth: NDArray[np.bool_]) -> float:
    """Return the intersection over union of a print with its truth, registered on it.

    *alpha*: (height, width), 0..255, cropped; *truth*: the same print, cropped, of any size.
    """
    height, width = truth.shape
    scale = SIDE / max(width, height)
    size = max(2, round(width * scale)), max(2, round(height * scale))
    still, moved = (
        _framed(np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), np.float32))
        for one in (truth.astype(np.float32), alpha.astype(np.float32) / 255)
    )
    warp = np.eye(3, dtype=np.float32)
    for blur, ends in ((6.0, 120), (2.0, 120), (0.0, 80)):
        warp = _registered(still, moved, warp, blur, ends)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(moved, warp, still.shape[::-1], flags=flags) > 0.5
    wanted = still > 0.5
    return float((seen & wanted).sum() / max(1, (seen | wanted).sum()))


def _framed(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.pad(plane, RIM)


def _registered(
    still: NDArray[np.float32],
    moved: NDArray[np.float32],
    warp: NDArray[np.float32],
    blur: float,
    steps: int,
) -> NDArray[np.float32]:
    if blur:
        still, moved = (
            np.asarray(cv2.GaussianBlur(one, (0, 0), blur), np.float32) for one in (still, moved)
        )
    ends = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, steps, 1e-5)
    mask = np.full(still.shape, 255, np.uint8)
    try:
        _, found = cv2.findTransformECC(
            still, moved, warp.copy(), cv2.MOTION_HOMOGRAPHY, ends, mask, 3
        )
    except cv2.error:  # it does not converge: the print is another
        return warp
    return np.asarray(found, np.float32)


def summary(measured: Sequence[Measured]) -> list[str]:
    """Return the table: a line for each ground and each light, then the whole."""
    lines = []
    for word in (*STAMPS, *GROUNDS, *LIGHTS):
        part = [one for one in measured if word in one.name.split()]
        if part:
            lines.append(_line(word, part))
    return [*lines, _line("all", measured)]


def _line(word: str, part: Sequence[Measured]) -> str:
    good = sum(one.iou >= GOOD for one in part)
    refused = sum(any(NO_GROUND in said for said in one.said) for one in part)
    silent = sum(not one.right for one in part)
    median = float(np.median([one.iou for one in part]))
    return (
        f"{word:10} IoU {GOOD:g} and more: {good} of {len(part)}; median {median:.3f}; no ground "
        f"found, and said: {refused}; below and nothing said: {silent}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print each picture and the table; return 1 when one was wrong without a word."""
    parser = argparse.ArgumentParser(prog="python -m bench.phone_marks", description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth picture")
    parser.add_argument("--seed", type=int, default=0, help="of other inks, places and light")
    arguments = parser.parse_args(argv)

    def work() -> int:
        measured = []
        with tempfile.TemporaryDirectory(prefix="stampgate-phone-") as folder:
            for picture in pictures(max(1, arguments.every), arguments.seed):
                one = measure(picture, Path(folder))
                print(f"{one.iou:.3f} {one.name}{'; ' * bool(one.said)}{'; '.join(one.said)}")
                measured.append(one)
        print("\n".join(summary(measured)))
        return int(not all(one.right for one in measured))

    return answer("phone_marks", work)


if __name__ == "__main__":
    sys.exit(main())
