import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.errors import InputError
from edge.vision.picture_files import read_picture
from tests.icc_profiles import DISPLAY_P3, matrix_profile
from tests.painting import mark_image
from train.config import SynthSettings
from train.crawl.cleaning import clean
from train.labels.ground_truth import Labelled
from train.marks.mark import load_mark
from train.paint.backgrounds import Photographs
from train.paint.real_photographs import real_frame
from train.photographs import read_photograph, upright_size

WIDTH, HEIGHT = 320, 240
KINDS = ("grey16", "palette", "clear palette", "clear colours", "clear grey", "phone", "lying png")


def save(kind: str, folder: Path) -> Path:
    """Save a picture, a bright square left of the middle on a darker ramp, as one kind of file."""
    grey = np.tile(np.linspace(20, 180, WIDTH), (HEIGHT, 1)).astype(np.uint8)
    grey[80:160, 40:120] = 240
    rgb = Image.fromarray(np.dstack([grey, grey // 2, 255 - grey]))
    alpha = Image.fromarray(np.where(grey > 90, 255, 0).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = folder / f"{kind.replace(' ', '_')}.{'jpg' if kind == 'phone' else 'png'}"
    if kind == "grey16":
        Image.fromarray(grey.astype(np.uint16) * 257).save(path)
    elif kind == "palette":
        rgb.quantize(64).save(path)
    elif kind == "clear palette":
        rgb.quantize(64).save(path, transparency=3)
    elif kind.startswith("clear"):
        picture = rgb.convert("RGBA" if kind == "clear colours" else "LA")
        picture.putalpha(alpha)
        picture.save(path)
    else:
        rgb.save(path, exif=exif)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_file_is_the_same_picture_wherever_it_is_read(tmp_path: Path, kind: str) -> None:
    """By the box and for evaluation, as a background, as a labelled photograph, by the crawler."""
    path = save(kind, tmp_path)
    seen = read_picture(path)
    size = (seen.shape[1], seen.shape[0])
    assert np.array_equal(np.asarray(read_photograph(path, 1000)), seen)
    assert np.array_equal(Photographs([path], 1000).pixels(np.random.default_rng(0)), seen)
    assert upright_size(path) == size
    labelled = real_frame(Labelled(path, upright_size(path), ()), 512, SynthSettings())
    assert np.array_equal(labelled.frame, seen)
    cleaned = np.asarray(Image.open(io.BytesIO(clean(path.read_bytes()).jpeg)), np.int16)
    assert np.abs(cleaned - seen).mean() < 3


@pytest.mark.parametrize("kind", ["grey16", "palette", "lying"])
def test_a_mark_is_the_same_mark_in_any_file(tmp_path: Path, kind: str) -> None:
    """On plain paper, in 16-bit grey, with a palette, or stored on its side."""
    paper = Image.new("RGB", (140, 120), "white")
    star = mark_image("star")
    paper.paste(star, (20, 10), star)
    plain = paper.convert("L") if kind == "grey16" else paper.quantize(64)
    exif = Image.Exif()
    exif[0x0112] = 8
    if kind == "grey16":
        Image.fromarray(np.asarray(plain, np.uint16) * 257).save(tmp_path / "file.png")
    elif kind == "palette":
        plain.save(tmp_path / "file.png")
    else:
        plain.transpose(Image.Transpose.ROTATE_270).save(tmp_path / "file.png", exif=exif)
    plain.convert("RGB").save(tmp_path / "plain.png")
    mark, expected = (load_mark(tmp_path / name, "star") for name in ("file.png", "plain.png"))
    assert mark.native_size == (140, 120)
    assert mark.image.tobytes() == expected.image.tobytes()


def test_what_is_wrong_with_a_file_is_said_alike(tmp_path: Path) -> None:
    """One line that begins with the file, whichever way it is read."""
    path = tmp_path / "a.png"
    for content in (b"", b"text", save("palette", tmp_path).read_bytes()[:300]):
        path.write_bytes(content)
        said = set[str]()
        for read in (lambda: read_photograph(path, 100), lambda: load_mark(path, "m")):
            with pytest.raises(InputError) as caught:
                read()
            said.add(str(caught.value).rpartition(";")[0])
        assert len(said) == 1
        assert said.pop().startswith(f"{path}: must be a whole picture file, not a")


def test_a_large_jpeg_is_read_small_and_quickly(tmp_path: Path) -> None:
    """It is decoded at a fraction of its size, and no longer than was asked for."""
    Image.new("RGB", (1600, 800), (10, 200, 10)).save(tmp_path / "a.jpg")
    assert read_photograph(tmp_path / "a.jpg", 300).size == (300, 150)


def test_a_photograph_in_display_p3_is_read_as_it_looks(tmp_path: Path) -> None:
    """As a phone writes it: red there is more red than sRGB's, so grey mixed into it is less."""
    profile = matrix_profile(DISPLAY_P3, 2.2)
    Image.new("RGB", (64, 64), (200, 90, 60)).save(tmp_path / "a.jpg", icc_profile=profile)
    shown = np.array(read_photograph(tmp_path / "a.jpg", 64).getpixel((32, 32)))
    assert np.abs(shown - (217, 80, 45)).max() < 5
