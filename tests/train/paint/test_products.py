"""Painted product pictures are repeatable, of the size asked for, and varied."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.paths import ROOT
from train.paint.panels import paint_panel, scheme
from train.paint.products import paint_product

SAMPLES = ROOT / "edge" / "default" / "samples"


def test_the_same_seed_paints_the_same_picture() -> None:
    """Pictures agree pixel for pixel, whatever was painted in between and whatever is cached."""
    first = [paint_product(np.random.default_rng(seed), 160, 120).tobytes() for seed in range(10)]
    paint_product(np.random.default_rng(77), 320, 320)
    again = [
        paint_product(np.random.default_rng(seed), 160, 120).tobytes()
        for seed in reversed(range(10))
    ]
    assert again[::-1] == first


@pytest.mark.parametrize("size", [(512, 512), (348, 260), (96, 200), (64, 64), (32, 40)])
def test_the_picture_has_the_size_asked_for(size: tuple[int, int]) -> None:
    """Any size from a thumbnail to a camera frame is painted as RGB of that size."""
    for seed in range(12):
        picture = paint_product(np.random.default_rng(seed), *size)
        assert (picture.mode, picture.size) == ("RGB", size)


def test_pictures_are_varied() -> None:
    """Thirty seeds give thirty pictures whose mean colours are spread, none of them empty."""
    pictures = [
        np.asarray(paint_product(np.random.default_rng(seed), 128, 128)) for seed in range(30)
    ]
    means = np.array([p.reshape(-1, 3).mean(axis=0) for p in pictures])
    assert len({p.tobytes() for p in pictures}) == 30
    assert means.std(axis=0).min() > 15
    assert min(float(p.std()) for p in pictures) > 8


def test_pictures_are_full_of_small_contrasts() -> None:
    """On average at least one pixel in thirty differs by 40 levels from its neighbour."""
    shares = []
    for seed in range(30):
        picture = paint_product(np.random.default_rng(seed), 256, 256)
        grey = np.asarray(picture.convert("L"), np.int16)
        shares.append(float((np.abs(np.diff(grey, axis=1)) > 40).mean()))
    assert np.mean(shares) > 1 / 30


def test_a_panel_has_its_size_and_shows_its_ground_colour() -> None:
    """A face is RGB of the size asked for; panels of one scheme share colours, not prints."""
    rng = np.random.default_rng(3)
    colours = scheme(rng)
    faces = [paint_panel(rng, 120, 80, colours) for _ in range(4)]
    assert [(face.mode, face.size) for face in faces] == [("RGB", (120, 80))] * 4
    assert len({face.tobytes() for face in faces}) == 4


def test_the_sample_frames_and_their_labels_agree() -> None:
    """Every labelled frame is there, as large as said and light.

    The frames named "-stamped" are those with boxes.
    """
    told = json.loads((SAMPLES.parent / "labels.json").read_text(encoding="utf-8"))
    frames = {image["file_name"]: image for image in told["images"]}
    boxed = {image["file_name"] for image in told["images"] if _boxes(told, image["id"])}
    assert set(frames) == {path.name for path in SAMPLES.glob("*.jpg")}
    assert boxed == {name for name in frames if name.endswith("-stamped.jpg")}
    for name, image in frames.items():
        assert (SAMPLES / name).stat().st_size <= 150_000
        with Image.open(SAMPLES / name) as picture:
            assert picture.size == (image["width"], image["height"]) == (1280, 960)


def test_each_labelled_box_lies_in_its_frame_and_shows_violet_ink() -> None:
    """Boxes are inside the frame and 90 pixels wide or more; a fifth of their pixels is violet."""
    told = json.loads((SAMPLES.parent / "labels.json").read_text(encoding="utf-8"))
    for image in told["images"]:
        with Image.open(SAMPLES / image["file_name"]) as picture:
            pixels = np.asarray(picture.convert("RGB"), np.float64)
        for left, top, width, height in _boxes(told, image["id"]):
            assert width >= 90
            assert 0 <= left < left + width <= 1280
            assert 0 <= top < top + height <= 960
            inside = pixels[int(top) : int(top + height), int(left) : int(left + width)]
            ink = (inside[..., 2] > inside[..., 1] + 25) & (inside[..., 0] > inside[..., 1])
            assert ink.mean() > 0.2, image["file_name"]


def _boxes(told: dict[str, list[dict[str, object]]], image: object) -> list[list[float]]:
    """Return the boxes of one image of a COCO file."""
    own = [annotation for annotation in told["annotations"] if annotation["image_id"] == image]
    return [list(annotation["bbox"]) for annotation in own]  # type: ignore[call-overload]
