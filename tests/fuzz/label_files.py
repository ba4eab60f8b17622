"""Made-up label files: whole ones of which a part is exchanged, and anything at all."""

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from PIL import Image

from edge.errors import InputError
from train.labels.reading import read_ground_truth, read_real

WIDTH, HEIGHT = 64, 48
NAMES = ("a.png", "b.png", "sub/a.png")
"""The pictures that there are; one name is there twice."""

numbers = st.one_of(
    st.sampled_from((0, 1, 7, 0.5, -1, 10**400, 1e308, 5e-324, float("nan"), float("inf"), True)),
    st.integers(-100, 100),
    st.floats(0, 64),
)
words = st.one_of(
    st.sampled_from(
        ("", "stamp", "a", "a.png", "../a.png", "/a", "sub\\a.png", "C:\\a.png", "a\0")
    ),
    st.text(max_size=12),
)
values = st.recursive(
    st.one_of(st.none(), numbers, words),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(words, inner, max_size=4)),
    max_leaves=8,
)


def read_folder(files: dict[str, bytes], labels: str) -> None:
    """Read a folder of labels for training and for evaluation; both must say the same of it.

    What both take must lie inside its picture.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for picture in NAMES:
            (folder / "images" / picture).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (WIDTH, HEIGHT)).save(folder / "images" / picture)
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        judged = taught = None
        with contextlib.suppress(InputError):
            judged, _ = read_ground_truth(folder / labels, folder / "images", ("stamp", "seal"))
        with contextlib.suppress(InputError):
            taught = read_real(folder / labels, folder / "images", ("stamp", "seal"))
        assert (taught is None) == (judged is None)
        if taught is None:
            return
        assert len({one.path for one in taught}) == len(taught)
        for one in taught:
            for box in one.boxes:
                x0, y0, x1, y1 = box.box.corners()
                assert 0 <= x0 < x1 <= WIDTH
                assert 0 <= y0 < y1 <= HEIGHT


def changed(whole: Any, draw: st.DrawFn) -> Any:
    """Return a copy of JSON in which some parts are others, or are missing."""
    copied = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(0, 3))):
        at = copied
        while True:
            if not isinstance(at, dict | list) or not at:
                break
            key: Any = draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
            if isinstance(at[key], dict | list) and draw(st.booleans()):
                at = at[key]
                continue
            if draw(st.integers(0, 3)):
                at[key] = draw(values)
            else:
                del at[key]
            break
    return copied
