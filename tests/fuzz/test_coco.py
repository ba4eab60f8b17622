"""COCO labels are read or refused, in training and in evaluation alike."""

import json

from hypothesis import strategies as st

from tests.fuzz.fuzzing import Fuzzer
from tests.fuzz.label_files import HEIGHT, WIDTH, changed, read_folder, values

WHOLE = {
    "images": [
        {"id": 1, "file_name": "b.png", "width": WIDTH, "height": HEIGHT},
        {"id": 2, "file_name": "sub/a.png"},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [3, 4, 20, 10], "area": 200},
        {
            "id": 2,
            "image_id": 2,
            "category_id": 2,
            "bbox": [3, 4, 20, 10],
            "iscrowd": 0,
            "segmentation": [[3, 4, 23, 4, 23, 14, 3, 14]],
        },
        {
            "id": 3,
            "image_id": 2,
            "category_id": 2,
            "iscrowd": 1,
            "segmentation": {"size": [HEIGHT, WIDTH], "counts": [100, 40, HEIGHT * WIDTH - 140]},
        },
    ],
    "categories": [
        {"id": 0, "name": "stamps", "supercategory": "none"},
        {"id": 1, "name": "stamp", "supercategory": "stamps"},
        {"id": 2, "name": "seal", "supercategory": "stamps"},
    ],
}


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Return the file: a whole one that was changed, any JSON, or any bytes."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=200))
    content = draw(values) if kind == 1 else changed(WHOLE, draw)
    encoding = draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "latin-1")))
    return json.dumps(content, ensure_ascii=draw(st.booleans())).encode(encoding, "replace")


def read(content: bytes) -> None:
    """Read it for training and for evaluation."""
    read_folder({"labels.json": content}, "labels.json")


FUZZER = Fuzzer("coco", files(), read)


def test_coco_is_read_or_refused() -> None:
    """Whatever stands in the file."""
    FUZZER.short()


def test_the_whole_file_is_read() -> None:
    """So that the fuzzer changes one that is right."""
    read(json.dumps(WHOLE).encode())
