"""Pictures are opened in one place, so that what is refused there is refused everywhere."""

import ast
from pathlib import Path

import pytest

from tests.house.sources import CODE, relative
from tests.paths import ROOT

PLACE = ROOT / "edge" / "vision" / "picture_files.py"
OWN = ROOT / "train" / "paint" / "optics.py"
"""Reads back, in memory, the JPEG that it has just made itself: imdecode."""
PRODUCT = [path for path in CODE if relative(path).split("/")[0] in ("edge", "train", "export")]
BENCHES = [path for path in CODE if relative(path).split("/")[0] == "bench"]
OPENERS = {
    "Image.open", "Image.init", "PIL.Image.open", "ImageFile.Parser", "ImageOps.open", "cv2.imread",
    "cv2.imdecode", "cv2.imreadmulti", "cv2.VideoCapture", "io.read_image", "io.decode_image",
    "simplejpeg.decode_jpeg", "plt.imread", "imageio.imread",
}  # fmt: skip


def opened(path: Path) -> set[str]:
    """Return which functions that open or decode pictures a file calls or takes."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            found |= {".".join(ast.unparse(node).split(".")[-2:])} & OPENERS
        elif isinstance(node, ast.ImportFrom):
            found |= {
                f"{(node.module or '').split('.')[-1]}.{n.name}" for n in node.names
            } & OPENERS
    return found


@pytest.mark.parametrize("path", PRODUCT, ids=relative)
def test_the_product_opens_pictures_by_its_one_decoder(path: Path) -> None:
    """Which formats, how long a file, how many pixels: it is said once."""
    allowed = {
        PLACE: {"Image.open"},
        ROOT / "edge" / "vision" / "jpeg.py": {"simplejpeg.decode_jpeg"},
        OWN: {"cv2.imdecode"},
    }
    assert opened(path) <= allowed.get(path, set())


def test_the_benches_open_what_users_give_by_it_too() -> None:
    """One may use Pillow directly: to time it, on packaged pictures."""
    assert {relative(path) for path in BENCHES if opened(path)} <= {"bench/jpeg_damage.py"}


def test_the_one_decoder_names_the_formats() -> None:
    """Without `formats` Pillow tries all that it knows, one of which starts Ghostscript."""
    calls = [
        node
        for node in ast.walk(ast.parse(PLACE.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open"
    ]
    assert [[keyword.arg for keyword in call.keywords] for call in calls] == [["formats"]]
