import numpy as np
import pytest
from PIL import Image

from edge.annotate import COLOURS, SHEET_CELL, annotate, contact_sheet, recorded_verdict
from edge.decision import Box, Finding, Kind, Verdict
from edge.vision.legend import LEGEND, colour_of

GREY = np.full((120, 160, 3), 128, np.uint8)


@pytest.mark.parametrize("kind", ["pass", "reject", "fault"])
def test_the_verdict_stands_in_its_colour_below_the_picture(kind: Kind) -> None:
    """Nothing of the picture is hidden, and its pixels keep their coordinates."""
    seen = np.asarray(annotate(GREY, Verdict(kind, "no seal found")))
    assert seen.shape == (144, 160, 3)
    assert (seen[:120] == GREY).all()
    red, green, blue = (int(COLOURS[kind][i : i + 2], 16) for i in (1, 3, 5))
    assert tuple(seen[143, 159]) == (red, green, blue)
    assert (seen[120:] == 255).all(axis=2).any()


def test_every_box_is_drawn_even_one_turned_inside_out() -> None:
    """A badly trained model must not end the inspection."""
    upright = Verdict("pass", "x", (Finding("x", 0.5, Box(40, 50, 90, 100)),))
    turned = Verdict("pass", "x", (Finding("x", 0.5, Box(90, 100, 40, 50)),))
    for verdict in (upright, turned):
        seen = np.asarray(annotate(GREY, verdict))
        assert tuple(seen[100, 60]) == colour_of("found")
        assert tuple(seen[90, 60]) == (128, 128, 128)


@pytest.mark.parametrize("kind", ["pass", "reject", "fault"])
def test_a_box_has_the_colour_of_what_it_is_whatever_the_verdict(kind: Kind) -> None:
    """A mark that counts was green in one picture and red in another, as a missed one is."""
    found = Finding("x", 0.9, Box(40, 50, 90, 100))
    seen = np.asarray(annotate(GREY, Verdict(kind, "of a test", (found,))))[:120]
    colours = {tuple(map(int, pixel)) for pixel in seen.reshape(-1, 3)}
    assert colour_of("found") in colours
    assert not colours & {colour_of(other) for other in LEGEND if other != "found"}
    assert tuple(int(COLOURS[kind][i : i + 2], 16) for i in (1, 3, 5)) not in colours


def test_the_near_miss_is_dashed_and_grey() -> None:
    """Beside what was found; and one of any size is drawn in no time."""
    near = Finding("x", 0.4, Box(20, 20, 140, 100))
    seen = np.asarray(annotate(GREY, Verdict("reject", "no x found", near=near)))
    side = (seen[20, 20:140] == colour_of("ignored")).all(axis=1)
    assert 40 <= side.sum() <= 80
    assert (seen[10, :] == 128).all()
    endless = Finding("x", 0.4, Box(-1e12, -1e12, 1e12, 1e12))
    assert annotate(GREY, Verdict("reject", "no x found", near=endless)).size == (160, 144)


def test_a_record_is_drawn_as_its_verdict_was() -> None:
    """One of an older release has neither code nor near miss."""
    old = {"verdict": "reject", "reason": "no x found", "findings": []}
    assert recorded_verdict(old) == Verdict("reject", "no x found")
    near = Finding("x", 0.4, Box(20, 20, 140, 100))
    new = old | {"code": "missing", "near_miss": near.as_object()}
    assert recorded_verdict(new) == Verdict("reject", "no x found", (), "missing", near)


def test_any_words_and_any_size_can_be_drawn() -> None:
    """A one-pixel picture, a box outside it, a label in letters that the built-in font lacks."""
    verdict = Verdict("pass", "検査済 found", (Finding("検査済", 1.0, Box(-5, -5, 900, 900)),))
    assert annotate(np.zeros((1, 1, 3), np.uint8), verdict, "名.png").size == (1, 25)


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (3, 3, 1), (4, 3, 2)])
def test_the_sheet_has_a_cell_for_each_picture(count: int, columns: int, rows: int) -> None:
    """Each is made to fit, whatever its shape."""
    pictures = [Image.new("RGB", (1000, 10 + 400 * i), "red") for i in range(count)]
    sheet = contact_sheet(pictures)
    assert sheet.size == (columns * (SHEET_CELL[0] + 8) + 8, rows * (SHEET_CELL[1] + 8) + 8)
    middles = [
        sheet.getpixel(
            (8 + i % 3 * (SHEET_CELL[0] + 8) + SHEET_CELL[0] // 2, 8 + i // 3 * 308 + 150)
        )
        for i in range(count)
    ]
    assert middles == [(255, 0, 0)] * count


def test_a_long_caption_is_whole_in_as_many_lines_as_it_takes() -> None:
    """It was cut off at the picture's edge; a short one stays one line."""
    short = annotate(GREY, Verdict("reject", "no seal found"))
    long = annotate(GREY, Verdict("reject", "no seal found, " * 6), "a-name.jpg")
    assert long.height > short.height + 24
    assert (np.asarray(long)[:120] == GREY).all()
    strip = np.asarray(long)[120:, -4:]
    assert not (strip == 255).all(axis=2).any()  # no letter runs into the edge
