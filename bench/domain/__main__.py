"""``python -m bench.domain``: write the third domain as folders that ``evaluate`` reads.

Each mark gets a folder laid out like the test sets: ``mark.png``, ``images/`` with ``labels.json``
(COCO) and ``negatives/``; every other photograph bears the mark. The same command as for any other
set trains and judges.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.command import answer
from bench.domain.marks import MARKS, Mark, as_png
from bench.domain.printing import photographed, print_mark, shrunk
from edge.decision import Box
from edge.errors import InputError
from edge.files import write_atomic
from edge.printing import json_text
from edge.vision.picture_files import read_picture
from edge.vision.picture_folders import find_pictures

LONGEST = 1000
"""Longer side of the photographs as they are written, in pixels; larger ones are shrunk."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.domain", description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="folder of products")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, must be new")
    parser.add_argument("--marks", nargs="+", choices=sorted(MARKS), default=list(MARKS))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    return answer("domain", lambda: write(asked.photographs, asked.out, asked.marks, asked.seed))


def write(photographs: Path, out: Path, marks: Sequence[str], seed: int) -> int:
    """Write a folder for each of the *marks*. Raises InputError."""
    if out.exists():
        raise InputError(f"--out {out}: is there already; name a new folder")
    paths = find_pictures(photographs).pictures
    if len(paths) < 2:
        raise InputError(
            f"--photographs {photographs}: holds {len(paths)} pictures, must be at least 2; name "
            "a folder of photographs of products"
        )
    for name in marks:
        mark = MARKS[name]()
        folder = out / name
        for part in ("images", "negatives"):
            (folder / part).mkdir(parents=True)
        write_atomic(folder / "mark.png", as_png(mark))
        stamped = _write_pictures(folder, paths, mark, seed + list(MARKS).index(name))
        write_atomic(folder / "labels.json", json_text(_coco(name, stamped)).encode())
        without = len(paths) - len(stamped)
        print(f"{folder}: {len(stamped)} photographs with the mark, {without} without")
    return 0


Stamped = tuple[str, tuple[int, int], Box]
"""File name, width and height, and the mark's box."""


def _write_pictures(folder: Path, paths: Sequence[Path], mark: Mark, seed: int) -> list[Stamped]:
    stamped = list[Stamped]()
    for number, path in enumerate(paths):
        rng = np.random.default_rng((seed, number))
        photo = shrunk(read_picture(path), LONGEST)
        name = f"{number:04d}.jpg"
        if number % 2:
            printed = print_mark(rng, photo, mark)
            write_atomic(folder / "images" / name, photographed(rng, printed.frame))
            stamped.append((name, (photo.shape[1], photo.shape[0]), printed.box))
        else:
            write_atomic(folder / "negatives" / name, photographed(rng, photo))
    return stamped


def _coco(name: str, stamped: Sequence[Stamped]) -> dict[str, object]:
    images = [
        {"id": i, "file_name": file, "width": wide, "height": tall}
        for i, (file, (wide, tall), _) in enumerate(stamped, start=1)
    ]
    boxes = [
        {
            "id": i,
            "image_id": i,
            "category_id": 1,
            "bbox": [box.x0, box.y0, box.width, box.height],
            "area": box.area,
            "iscrowd": 0,
        }
        for i, (_, _, box) in enumerate(stamped, start=1)
    ]
    return {
        "images": images,
        "annotations": boxes,
        "categories": [{"id": 1, "name": name}],
    }


if __name__ == "__main__":
    sys.exit(main())
