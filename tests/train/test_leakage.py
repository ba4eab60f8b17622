"""Leakage: a photograph that a model has met is known again, whatever was done to its file."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from edge.errors import InputError
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from train import leakage
from train.leakage import HELD_OUT, TRAINED, MetPhotographs, meet, read_met, write_met


def scene(seed: int, side: int = 240) -> Image.Image:
    """A picture that is like no other: soft patches of many sizes."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (9, 9, 3), np.uint8)
    fine = rng.integers(0, 255, (40, 40, 3), np.uint8)
    large, grain = (
        Image.fromarray(a).resize((side, side), Image.Resampling.BICUBIC) for a in (small, fine)
    )
    return Image.blend(large, grain, 0.25)


def saved(path: Path, picture: Image.Image, quality: int = 95, turn: int = 1) -> Path:
    """Write *picture* as a JPEG, with an EXIF orientation."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    picture.save(path, "JPEG", quality=quality, exif=exif)
    return path


@pytest.fixture
def met(tmp_path: Path) -> MetPhotographs:
    """What a model has met: twelve scenes."""
    paths = [saved(tmp_path / f"{n}.jpg", scene(n)) for n in range(12)]
    return meet(
        (TRAINED if n % 2 else HELD_OUT, p.name, hashlib.sha256(p.read_bytes()).hexdigest(), p)
        for n, p in enumerate(paths)
    )


COPIES: dict[str, Callable[[Image.Image], tuple[Image.Image, int, int]]] = {
    "saved again": lambda p: (p, 40, 1),
    "half the size": lambda p: (p.resize((110, 110)), 70, 1),
    "stretched": lambda p: (p.resize((300, 200)), 80, 1),
    "darker": lambda p: (p.point(lambda level: level * 0.75), 90, 1),
    "mirrored": lambda p: (p.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 90, 1),
    "mirrored by EXIF": lambda p: (p, 90, 2),
    "turned by EXIF": lambda p: (p, 90, 6),
    "turned": lambda p: (p.transpose(Image.Transpose.ROTATE_90), 60, 1),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found(kind: str, met: MetPhotographs, tmp_path: Path) -> None:
    """Each of them, and the original is named."""
    for number in (3, 4):
        copy = saved(tmp_path / "copy.jpg", *COPIES[kind](scene(number)))
        found = met.copy_of(read_picture(copy))
        assert found is not None
        assert found.name == f"{number}.jpg"
        assert found.role == (TRAINED if number % 2 else HELD_OUT)


def test_other_pictures_are_no_copies(met: MetPhotographs) -> None:
    """Nor is anything a copy where nothing was met."""
    others: list[Frame] = [np.asarray(scene(n)) for n in range(100, 140)]
    assert [met.copy_of(frame) for frame in others] == [None] * 40
    assert MetPhotographs(()).copy_of(others[0]) is None


def test_the_list_of_a_run_comes_back(met: MetPhotographs, tmp_path: Path) -> None:
    """And it is that of its inputs alone."""
    write_met(met, "inputs", tmp_path)
    assert read_met(tmp_path) == met
    assert read_met(tmp_path, "inputs") == met
    assert read_met(tmp_path, "others") is None
    assert read_met(tmp_path / "nowhere") is None
    (tmp_path / leakage.NAME).write_text('{"photographs": [1]}')
    with pytest.raises(InputError, match="damaged"):
        read_met(tmp_path)


def test_an_exported_file_has_hashes_and_no_names(met: MetPhotographs) -> None:
    """The sums are cut short and still found; a text of another release is none."""
    told = MetPhotographs.from_export(met.export_text())
    assert told is not None
    assert [m.likeness for m in told.photographs if m.role == HELD_OUT] == [
        m.likeness for m in met.photographs if m.role == HELD_OUT
    ]
    assert ".jpg" not in met.export_text()
    assert all(len(m.sha256) == 2 * leakage.SUM_BYTES for m in told.photographs)
    assert all(told.same_file(m.sha256) is not None for m in met.photographs)
    assert told.same_file("0" * 64) is None
    assert told.copy_of(np.asarray(scene(7))) is not None
    for text in (
        "",
        "{}",
        "[]",
        '{"format": 99}',
        '{"format": 1, "left_out": 0, "met": {"a": "?"}}',
    ):
        assert MetPhotographs.from_export(text) is None


def test_what_an_exported_file_has_is_bounded(
    met: MetPhotographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many are left out is said."""
    monkeypatch.setattr(leakage, "MOST_EXPORTED", 5)
    told = MetPhotographs.from_export(met.export_text())
    assert told is not None
    assert len(told.photographs) == 4
    assert told.left_out == 8


def test_what_cannot_be_decoded_is_known_by_its_file(tmp_path: Path) -> None:
    """A mark drawn as SVG, say."""
    (tmp_path / "mark.svg").write_text("<svg/>")
    met = meet([(leakage.MARK, "mark.svg", "ab" * 32, tmp_path / "mark.svg")])
    assert met.photographs[0].likeness == b""
    assert met.same_file("ab" * 32) is met.photographs[0]
    assert met.copy_of(np.asarray(scene(1))) is None
