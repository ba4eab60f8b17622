"""Write the ground truth of a painted data set as COCO JSON, the write-up's CSV and YOLO text."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.decision import Box
from edge.files import write_atomic
from edge.printing import json_text

COCO, CSV, YOLO, YOLO_SET = "labels.json", "labels.csv", "labels", "data.yaml"


@dataclass(frozen=True)
class Shown:
    """The ground truth of one picture of a data set.

    *name*: its file's name; *marks*: class index and box of those that count; *ignored*: boxes of
    those too small, hidden or cut to count, and of look-alikes that nobody could tell from a mark.
    Boxes in pixels of the picture, corners, half-open.
    """

    name: str
    marks: tuple[tuple[int, Box], ...]
    ignored: tuple[Box, ...]


def hundredths(pixels: float) -> float:
    """Round a place, length or area to a hundredth of a pixel, finer than anybody can label.

    >>> hundredths(12.3456)
    12.35
    """
    return round(float(pixels), 2)


def coco(shown: Iterable[Shown], classes: Sequence[str], size: int, info: dict[str, Any]) -> str:
    """Return COCO JSON for square pictures of *size* pixels.

    A box that does not count has ``ignore`` and ``iscrowd`` set, once for each class: a finding
    there is neither a true nor a false positive.
    """
    images, annotations = [], list[dict[str, Any]]()
    for number, picture in enumerate(shown, start=1):
        images.append({"id": number, "file_name": picture.name, "width": size, "height": size})
        boxes = [(kind, box, False) for kind, box in picture.marks]
        boxes += [
            (kind, box, True)
            for box in picture.ignored
            if hundredths(box.width) and hundredths(box.height)  # less is no box for any reader
            for kind in range(len(classes))
        ]
        for kind, box, ignore in boxes:
            corner = [
                hundredths(box.x0),
                hundredths(box.y0),
                hundredths(box.width),
                hundredths(box.height),
            ]
            place = {
                "id": len(annotations) + 1,
                "image_id": number,
                "category_id": kind + 1,
                "bbox": corner,
            }
            annotations.append(
                {**place, "area": hundredths(box.area), "iscrowd": int(ignore), "ignore": ignore}
            )
    categories = [{"id": index, "name": name} for index, name in enumerate(classes, start=1)]
    return json.dumps(
        {"info": info, "images": images, "annotations": annotations, "categories": categories}
    )


def csv_rows(shown: Iterable[Shown]) -> str:
    """Return the write-up's rows, ``name,flag,x0 y0 x1 y1``, without a heading.

    One row for each box that counts, with flag 1; ``name,0,0 0 0 0`` for a picture without a mark.
    A picture all of whose marks are ignored is left out: it is neither. The class is not said, as
    in the write-up, which has one.
    """
    rows = []
    for picture in shown:
        for _, box in picture.marks:
            corners = " ".join(f"{hundredths(corner):g}" for corner in box.corners())
            rows.append(f"{picture.name},1,{corners}")
        if not picture.marks and not picture.ignored:
            rows.append(f"{picture.name},0,0 0 0 0")
    return "".join(row + "\n" for row in rows)


def yolo_text(marks: Iterable[tuple[int, Box]], width: int, height: int) -> str:
    r"""Return YOLO's lines for one picture: class index, centre x and y, width, height, as shares.

    *marks*: class index and box in pixels of the picture, which is *width* x *height*. YOLO knows
    no ignored boxes: they are left out, and count as background in training.

    >>> yolo_text([(1, Box(20, 10, 60, 30))], 200, 100)
    '1 0.200000 0.200000 0.200000 0.200000\n'
    """
    return "".join(
        f"{kind} {(box.x0 + box.x1) / 2 / width:.6f} {(box.y0 + box.y1) / 2 / height:.6f} "
        f"{box.width / width:.6f} {box.height / height:.6f}\n"
        for kind, box in marks
    )


def yolo_set(classes: Sequence[str]) -> str:
    """Return the ``data.yaml`` of YOLO programs: paths from its own folder, and the class names."""
    names = "".join(f"  {index}: {json_text(name)}\n" for index, name in enumerate(classes))
    return (
        "# Written by 'stampgate synth'. To judge on pictures that were not trained on, "
        "paint a second set with\n# --held-out and name its images folder at val.\n"
        f"train: images\nval: images\nnames:\n{names}"
    )


def write_labels(
    folder: Path, shown: Sequence[Shown], classes: Sequence[str], size: int, info: dict[str, Any]
) -> None:
    """Write all three into *folder*, each file atomically. Raises InputError."""
    for picture in shown:
        path = folder / YOLO / f"{Path(picture.name).stem}.txt"
        text = yolo_text(picture.marks, size, size)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomic(path, text.encode())
    write_atomic(folder / YOLO_SET, yolo_set(classes).encode())
    write_atomic(folder / CSV, csv_rows(shown).encode())
    write_atomic(folder / COCO, coco(shown, classes, size, info).encode())
