"""Photographs are searched for the mark before training, and those that bear it are left out."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from edge.errors import InputError
from tests.painting import save_mark
from train.commands.marks_shown import LISTED, print_search, write_search
from train.config import RunConfig, SynthSettings
from train.marks import search as module
from train.marks.bearing_sheet import SHEET
from train.marks.mark import load_mark
from train.marks.search import (
    MarkSearch,
    Searcher,
    is_flat_print,
    search_photographs,
    threads_here,
)
from train.paint import inputs as reading
from train.paint.input_fingerprint import Fingerprint
from train.paint.inputs import Inputs, read_inputs

SIDES = (260, 200)
"""Width and height of the photographs drawn here, in pixels."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search them as they are: enlarging them takes a second and finds the same."""
    monkeypatch.setattr(module, "SIDE", max(SIDES))


def drawn_mark(seed: int = 4, frame: tuple[int, int, int] = (20, 40, 120)) -> Image.Image:
    """A badge full of detail: discs and strokes drawn at random, the same each time."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGBA", (140, 110), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, 139, 109), 18, (250, 245, 235, 255), frame, 6)
    for _ in range(40):
        x, y, size = (int(v) for v in rng.integers((10, 10, 4), (118, 88, 16)))
        colour = tuple(int(v) for v in rng.integers(0, 160, 3))
        draw.ellipse((x, y, x + size, y + size), fill=colour)
        draw.line((x, y, *(int(v) for v in rng.integers(12, 96, 2))), fill=colour, width=2)
    return image


def photograph(seed: int, stuck_on: Image.Image | None = None) -> Image.Image:
    """A product full of print, with something stuck on it, turned by 14 degrees, at (90, 50)."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", SIDES, tuple(int(v) for v in rng.integers(120, 230, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, size = (int(v) for v in rng.integers((0, 0, 4), (250, 190, 30)))
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        draw.rectangle((x, y, x + size, y + size // 2), fill=colour)
    if stuck_on:
        small = stuck_on.resize((98, 77), Image.Resampling.LANCZOS).rotate(14, expand=True)
        image.paste(small, (90, 50), small)
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mark, ``seal.png``, and four photographs in ``photographs``, of which two bear it."""
    drawn_mark().save(tmp_path / "seal.png")
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for number, name in enumerate(("bread", "cheese", "milk", "tea")):
        stuck_on = drawn_mark() if name in ("cheese", "tea") else None
        photograph(number, stuck_on).save(photographs / f"{name}.png")
    return tmp_path


def config_of(folder: Path, mark: str = "seal", keep: bool = False) -> RunConfig:
    """A run's configuration on that folder."""
    settings = SynthSettings(keep_bearing=keep)
    marks = ((mark, str(folder / f"{mark}.png")),)
    return RunConfig(marks, str(folder / "photographs"), synth=settings)


def names(paths: tuple[Path, ...] | None) -> set[str]:
    """The names of photographs without their endings."""
    return {path.stem for path in paths or ()}


def test_photographs_that_bear_the_mark_are_found_where_it_is(folder: Path) -> None:
    """Turned and at less than its size; the photographs without it are not among them."""
    paths = sorted((folder / "photographs").iterdir())
    found = search_photographs([load_mark(folder / "seal.png", "seal")], paths, quiet=True)
    assert [(one.path.stem, one.label) for one in found.bearing] == [
        ("cheese", "seal"),
        ("tea", "seal"),
    ]
    assert (found.searched, found.skipped) == (4, ())
    for one in found.bearing:
        middle = (one.box.x0 + one.box.x1) / 2 * SIDES[0], (one.box.y0 + one.box.y1) / 2 * SIDES[1]
        assert middle == pytest.approx((147, 99), abs=5)


@pytest.mark.parametrize(
    "other", [ImageOps.mirror(drawn_mark()), drawn_mark(seed=9)], ids=["mirrored", "look-alike"]
)
def test_what_is_only_like_the_mark_is_not_taken_for_it(tmp_path: Path, other: Image.Image) -> None:
    """Its mirror image, or its frame with another inside."""
    drawn_mark().save(tmp_path / "seal.png")
    photograph(1, other).save(tmp_path / "photograph.png")
    searcher = Searcher([load_mark(tmp_path / "seal.png", "seal")])
    assert searcher.search(tmp_path / "photograph.png") is None


def test_features_that_agree_are_not_enough_where_the_place_looks_otherwise(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The correlation with the mark decides too."""
    searcher = Searcher([load_mark(folder / "seal.png", "seal")])
    bearing = folder / "photographs/tea.png"
    assert searcher.search(bearing) is not None
    monkeypatch.setattr(module, "ALIKE", 0.999)
    assert searcher.search(bearing) is None


@pytest.mark.parametrize(
    ("corners", "could_be"),
    [
        ([(0, 0), (80, 0), (80, 60), (0, 60)], True),
        ([(10, 0), (80, 12), (70, 70), (0, 56)], True),
        ([(0, 0), (8, 0), (8, 6), (0, 6)], False),
        ([(0, 0), (80, 60), (80, 0), (0, 60)], False),
        ([(0, 0), (80, 0), (20, 15), (0, 60)], False),
        ([(0, 0), (300, 0), (300, 30), (0, 30)], False),
        ([(0, 0), (200, 0), (110, 60), (90, 60)], False),
    ],
    ids=["upright", "turned", "tiny", "crossed", "dented", "stretched", "tilted too far"],
)
def test_a_place_must_be_one_of_a_flat_print(
    corners: list[tuple[int, int]], could_be: bool
) -> None:
    """Corners of a mark of 80 x 60 pixels."""
    assert is_flat_print(np.array(corners, np.float64), (80, 60)) is could_be


def test_a_search_says_how_long_it_takes_and_shares_the_cores(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, after a few photographs; processes of torchrun on one machine divide its cores."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: range(6))
    assert threads_here() == 6
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert threads_here() == 2
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "9")
    assert threads_here() == 1
    monkeypatch.setattr(module, "TIMED", 1)
    told = list[float]()
    paths = sorted((folder / "photographs").iterdir())
    marks = [load_mark(folder / "seal.png", "seal")]
    found = search_photographs(marks, paths, quiet=True, told=told.append)
    (left,) = told
    assert left > 0
    assert found.seconds > 0


def test_a_mark_of_few_details_is_not_searched_for_and_costs_nothing(tmp_path: Path) -> None:
    """No photograph is opened: there is none."""
    mark = load_mark(save_mark(tmp_path, "disc"), "disc")
    found = search_photographs([mark], [tmp_path / "none.jpg"], quiet=True)
    assert found == MarkSearch((), 0, ("disc",))


def test_a_photograph_that_cannot_be_read_is_left_to_those_who_say_so(folder: Path) -> None:
    """The painters name it and draw another."""
    damaged = folder / "photographs/tea.png"
    damaged.write_bytes(damaged.read_bytes()[:900])
    assert Searcher([load_mark(folder / "seal.png", "seal")]).search(damaged) is None


def test_they_are_left_out_of_training_unless_told(folder: Path) -> None:
    """Neither trained on nor held out; without a search all are there."""
    inputs = read_inputs(config_of(folder), search=True)
    assert names(inputs.training) | names(inputs.held_out) == {"bread", "milk"}
    kept = read_inputs(config_of(folder, keep=True), search=True)
    assert names(kept.training) | names(kept.held_out) == {"bread", "cheese", "milk", "tea"}
    assert kept.search is not None
    assert names(tuple(one.path for one in kept.search.bearing)) == {"cheese", "tea"}
    assert kept.fingerprint().bearing == ()


def test_a_run_goes_on_with_its_split_and_without_another_search(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was left out is known by its contents: another, or one that is gone, is refused."""
    begun = read_inputs(config_of(folder), search=True)
    kept = Fingerprint.from_json(begun.fingerprint().to_json())
    assert [name for name, _ in kept.bearing] == ["cheese.png", "tea.png"]
    monkeypatch.delattr(reading, "search_photographs")
    resumed = read_inputs(config_of(folder), kept)
    assert (resumed.training, resumed.held_out) == (begun.training, begun.held_out)
    (folder / "photographs/tea.png").unlink()
    with pytest.raises(InputError, match=r"tea\.png is gone"):
        read_inputs(config_of(folder), kept)


def test_the_fingerprint_of_a_run_without_any_is_that_of_earlier_releases(folder: Path) -> None:
    """Its digest is what photographs.json of a run was written with."""
    text = read_inputs(config_of(folder)).fingerprint().to_json()
    assert "bearing" not in text
    assert Fingerprint.from_json(text).bearing == ()


def test_photographs_that_all_bear_the_mark_are_refused(folder: Path) -> None:
    """There is nothing to train on; the line says what to do."""
    for name in ("bread", "milk"):
        (folder / f"photographs/{name}.png").unlink()
    with pytest.raises(InputError, match=r"every photograph \(2\); .*keep_bearing=true"):
        read_inputs(config_of(folder), search=True)


def test_they_are_listed_and_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, what becomes of them, and a sheet."""
    inputs = read_inputs(config_of(folder), search=True)
    print_search(inputs)
    write_search(inputs, folder)
    assert capsys.readouterr().out.splitlines() == [
        "backgrounds: cheese.png bears seal",
        "backgrounds: tea.png bears seal",
        "backgrounds: 2 of 4 bear the mark: they are left out; --set keep_bearing=true keeps them",
        f"photographs that bear the mark, and where: {folder / SHEET}",
    ]
    with Image.open(folder / SHEET) as sheet:
        assert sheet.width > 2 * sheet.height / 2


def test_the_list_is_bounded_and_kept_ones_are_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 22 photographs 20 are named."""
    inputs = read_inputs(config_of(folder, keep=True), search=True)
    assert inputs.search
    many = dataclasses.replace(inputs.search, bearing=inputs.search.bearing * 11, searched=40)
    print_search(dataclasses.replace(inputs, search=many))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == LISTED + 2
    assert lines[-2:] == [
        "backgrounds: and 2 more that bear a mark",
        "backgrounds: 22 of 40 bear the mark: they are kept, as keep_bearing says",
    ]


def test_a_mark_that_cannot_be_searched_for_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, in one line; nothing is left out, and no sheet is written."""
    save_mark(folder, "disc")
    inputs: Inputs = read_inputs(config_of(folder, "disc"), search=True)
    print_search(inputs)
    write_search(inputs, folder)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("backgrounds: not searched for disc: too few details to go by")
    assert len(names(inputs.training) | names(inputs.held_out)) == 4
    assert not (folder / SHEET).exists()
