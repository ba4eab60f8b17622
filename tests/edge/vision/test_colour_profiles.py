import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from edge.vision.colour_profiles import to_srgb
from edge.vision.picture_files import read_picture
from tests.icc_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    Matrix,
    grey_profile,
    ink_profile,
    matrix_profile,
)

PAINT = (200, 90, 60)


def srgb_of(colour: tuple[int, int, int], primaries: Matrix, gamma: float) -> NDArray[np.float64]:
    """What a colour of that space is in sRGB, by its definition (IEC 61966-2-1), 0..255."""
    xyz = (np.array(colour) / 255) ** gamma @ np.array(primaries)
    linear = np.clip(xyz @ np.linalg.inv(np.array(SRGB)), 0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(255 * curve, np.float64)


@pytest.mark.parametrize(
    ("primaries", "gamma"), [(DISPLAY_P3, 2.2), (ADOBE_RGB, 2.19921875)], ids=["P3", "Adobe RGB"]
)
@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
def test_a_profile_is_honoured_in_every_kind_of_file(
    tmp_path: Path, primaries: Matrix, gamma: float, ending: str
) -> None:
    """A phone's and a camera's."""
    path = tmp_path / f"one.{ending}"
    profile = matrix_profile(primaries, gamma)
    image = Image.new("RGB", (64, 64), PAINT)
    image.save(path, icc_profile=profile, quality=100)
    wanted = srgb_of(PAINT, primaries, gamma)
    assert np.abs(wanted - PAINT).max() > 6, "the test could not see a profile that is ignored"
    assert np.abs(read_picture(path)[32, 32] - wanted).max() < 4


def test_inks_are_shown_as_their_profile_says(tmp_path: Path) -> None:
    """Here what the file calls cyan is red."""
    path = tmp_path / "print.jpg"
    red = ink_profile((136, 208, 195))
    Image.new("CMYK", (64, 64), (255, 0, 0, 0)).save(path, icc_profile=red, quality=100)
    assert np.abs(read_picture(path)[32, 32].astype(int) - (255, 0, 0)).max() < 16
    Image.new("CMYK", (64, 64), (255, 0, 0, 0)).save(path, quality=100)
    assert np.abs(read_picture(path)[32, 32].astype(int) - (0, 255, 255)).max() < 16


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_has_its_own_curve(tmp_path: Path, mode: str) -> None:
    """Half the light is 188 of sRGB's 255."""
    path = tmp_path / "grey.png"
    grey = Image.new("L", (8, 8), 128)
    if mode == "LA":
        grey.putalpha(255)
    grey.save(path, icc_profile=grey_profile(1.0))
    assert read_picture(path)[4, 4].tolist() == [188, 188, 188]


def test_what_is_transparent_is_white_whatever_the_profile(tmp_path: Path) -> None:
    """Also beside colours of a palette."""
    path = tmp_path / "mark.png"
    image = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    image.paste((*PAINT, 255), (10, 10, 50, 50))
    profile = matrix_profile(ADOBE_RGB, 2.19921875)
    for one in (image, image.quantize(4)):
        one.save(path, icc_profile=profile)
        wanted = srgb_of(PAINT, ADOBE_RGB, 2.19921875)
        assert np.abs(read_picture(path)[30, 30] - wanted).max() < 3
        assert read_picture(path)[2, 2].tolist() == [255, 255, 255]


def test_a_profile_of_srgb_changes_nothing() -> None:
    """Not by a single level: the picture itself comes back."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (9, 9, 3), np.uint8))
    assert to_srgb(image, srgb) is image
    assert to_srgb(image, None) is image


@pytest.mark.parametrize(
    "profile", [b"none", grey_profile(1.0), ink_profile((136, 208, 195))[:300]], ids=repr
)
def test_a_profile_that_is_none_or_another_mode_s_is_passed_over(profile: bytes) -> None:
    """The numbers are then taken as they are, as a viewer does."""
    image = Image.new("RGB", (4, 4), PAINT)
    assert to_srgb(image, profile) is image


WITHOUT_LITTLECMS = """
import sys
sys.modules["PIL._imagingcms"] = None
from pathlib import Path
from edge.vision.picture_files import read_picture
print(read_picture(Path(sys.argv[1]))[4, 4].tolist())
"""


def test_a_box_without_littlecms_reads_pictures_all_the_same(tmp_path: Path) -> None:
    """Their numbers as they are."""
    path = tmp_path / "one.png"
    Image.new("RGB", (8, 8), PAINT).save(path, icc_profile=matrix_profile(ADOBE_RGB, 2.2))
    command = [sys.executable, "-c", WITHOUT_LITTLECMS, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{list(PAINT)}\n"


def test_a_picture_without_a_profile_costs_the_eye_nothing(tmp_path: Path) -> None:
    """The module of profiles is not even loaded."""
    path = tmp_path / "one.png"
    Image.new("RGB", (8, 8), PAINT).save(path)
    code = f"{WITHOUT_LITTLECMS}\nassert 'PIL.ImageCms' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
