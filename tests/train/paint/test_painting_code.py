import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import InputError
from tests.painting import save_mark
from tests.paths import ROOT
from train.config import FitSettings, RunConfig
from train.paint import painting_code
from train.paint.inputs import read_inputs
from train.paint.painted_set import Job, write_dataset
from train.paint.painting_code import MODULES, painting_digest

ENTRIES = ("train.paint.inputs", "train.paint.painted_set", "train.paint.picture_kinds")
"""The functions that make a kit, paint a picture with it and write it to a file are in these."""
SHAPES_NOTHING = {
    "edge.annotate": "the sheet of the marks",
    "edge.clock": "names the boot in a lock",
    "edge.errors": "messages",
    "edge.files": "how files are written, not what is in them",
    "edge.printing": "messages",
    "edge.record.status": "names the process in a lock",
    "edge.settings": "reads the settings, whose values are in the key",
    "edge.strict_json": "what the contract is read by",
    "edge.vision.assessed": "what the contract carries of an assessment",
    "edge.vision.legend": "the preview",
    "edge.vision.contract": "what the settings import for the model",
    "train.config": "the settings, whose values are in the key",
    "train.folder_lock": "keeps a second writer out",
    **dict.fromkeys(
        (
            *("train.labels.coco", "train.labels.documents", "train.labels.ground_truth"),
            *("train.labels.masks", "train.labels.picture_index", "train.labels.reading"),
            *("train.labels.voc", "train.labels.yolo"),
        ),
        "reads labels of real photographs",
    ),
    "train.labels.writing": "labels are written anew for all pictures at each resume",
    "train.marks.mark_sheet": "the sheet of the marks",
    "train.paint.input_fingerprint": "compares inputs, which are in the key",
    "train.file_sums": "sums of the inputs, which are in the key",
    "train.leakage": "hashes of pictures, for a proof",
    "train.marks.bearing_sheet": "a sheet beside the pictures",
    "train.marks.features": "chooses the backgrounds, whose contents are in the key",
    "train.marks.search": "chooses the backgrounds, whose contents are in the key",
    "train.paint.painting_code": "the key itself",
    "train.paint.picture_sheet": "the preview",
    "train.paint.real_photographs": "no kind of picture shows real photographs",
    "train.stopping": "when painting ends",
}
"""Imports of the painting modules that shape neither a picture nor a box, and why."""


def file_of(module: str, root: Path = ROOT) -> Path:
    """The file of a module."""
    return root.joinpath(*module.split(".")).with_suffix(".py")


def imports_of(module: str) -> Iterator[str]:
    """The modules of ours that a module imports, in its functions too."""
    for node in ast.walk(ast.parse(file_of(module).read_text())):
        found = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in found if file_of(name).is_file())


def reached(*entries: str) -> set[str]:
    """All modules of ours that *entries* import, directly or by others."""
    known, todo = set[str](), list(entries)
    while todo:
        module = todo.pop()
        if module not in known:
            known.add(module)
            todo += imports_of(module)
    return known


def copy_of_the_packages(folder: Path) -> Path:
    """The packages' code, to be changed."""
    for package in ("edge", "train"):
        code = shutil.ignore_patterns("*.pt", "*.jpg", "*.onnx", "__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=code)
    return folder


def change(path: Path, old: str, new: str) -> None:
    """Replace a piece of code, which must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_list_is_what_the_painting_functions_import() -> None:
    """No module that shapes a picture is missing, and none is there that nothing of them uses."""
    assert not set(MODULES) & set(SHAPES_NOTHING)
    assert set(MODULES) | set(SHAPES_NOTHING) == reached(*ENTRIES)
    assert list(MODULES) == sorted(MODULES)


def test_what_does_not_paint_is_not_in_the_list() -> None:
    """Of the desktop's rooms only those that paint, draw and read photographs."""
    rooms = (
        *("train.paint.", "train.marks.", "train.drawing.", "train.photographs", "train.copies"),
        *("edge.vision.", "edge.decision"),
    )
    assert [module for module in MODULES if not module.startswith(rooms)] == []


@pytest.mark.parametrize(
    ("module", "counts"),
    [
        ("train.crawl.collection", False),
        ("train.commands.synth", False),
        ("train.learn.trainer", False),
        ("train.config", False),
        ("edge.station", False),
        ("edge.vision.picture_files", True),
        ("edge.vision.preprocess", True),
        ("edge.decision", True),
        ("train.paint.optics", True),
        ("train.paint.products", True),
        ("train.drawing.lettering", True),
        ("train.photographs", True),
    ],
)
def test_the_digest_changes_with_what_paints_and_with_nothing_else(
    tmp_path: Path, module: str, counts: bool
) -> None:
    """A comment anywhere is enough, and a whole program may change beside it."""
    root = copy_of_the_packages(tmp_path)
    path = file_of(module, root)
    path.write_text(path.read_text() + "# another line\n")
    assert (painting_digest(root) != painting_digest()) is counts


def test_a_changed_crawler_resumes_a_data_set_and_a_changed_letterbox_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grey beside a picture is in every picture that is not square."""
    root, out = copy_of_the_packages(tmp_path / "packages"), tmp_path / "set"
    monkeypatch.setattr(painting_code, "ROOT", root)
    marks = (("disc", str(save_mark(tmp_path, "disc"))),)
    job = Job(read_inputs(RunConfig(marks, "", fit=FitSettings(size=96, window=96))))

    def paint(count: int) -> int:
        painting_digest.cache_clear()
        return write_dataset(job, out, count, workers=0).kept

    try:
        paint(1)
        crawler = file_of("train.crawl.collection", root)
        crawler.write_text(crawler.read_text() + "# another line\n")
        assert paint(2) == 1
        change(file_of("edge.vision.preprocess", root), "FILL = 114", "FILL = 0")
        with pytest.raises(InputError, match="was begun with another program; ask for the same"):
            paint(3)
    finally:
        painting_digest.cache_clear()
