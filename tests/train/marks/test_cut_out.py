"""Marks in photographs, scans and screenshots: cut out, or said why not."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.errors import InputError
from tests.phone_pictures import STAMPS, frame_stamp, oval_stamp, ring_stamp, solid_stamp
from train.marks.cut_out import CutOut, cut_out_of, doubts_of
from train.marks.cutting import find_prints, inked, missing_share
from train.marks.mark import load_mark

INK = (30, 60, 150)


def page(stamp: Image.Image, size: tuple[int, int], ground: tuple[int, int, int]) -> Image.Image:
    """A stamp in ink, half as wide as the page, on one colour with a little grain."""
    rng = np.random.default_rng(1)
    levels = np.array(ground) + rng.normal(0, 2, (size[1], size[0], 1))
    image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    small = stamp.resize((size[0] // 2, size[0] * stamp.height // stamp.width // 2))
    image.paste(INK, ((size[0] - small.width) // 2, (size[1] - small.height) // 2), small)
    return image


def on_table(
    sheet: Image.Image, corners: list[list[int]], table: tuple[int, int, int]
) -> Image.Image:
    """The sheet on a table of stripes, its corners where they are said to be, in 700 x 520."""
    rng = np.random.default_rng(2)
    stripes = np.array(table) * (1 + 0.12 * rng.standard_normal((520, 1, 1)).clip(-2, 2))
    scene = np.broadcast_to(stripes, (520, 700, 3)).clip(0, 255).astype(np.uint8)
    source = np.array([[0, 0], [sheet.width, 0], list(sheet.size), [0, sheet.height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    seen = cv2.warpPerspective(np.asarray(sheet), matrix, (700, 520), flags=cv2.INTER_AREA)
    where = cv2.warpPerspective(np.ones(sheet.size[::-1], np.uint8), matrix, (700, 520))
    return Image.fromarray(np.where(where[..., None] > 0, seen, scene).astype(np.uint8))


def alpha_of(image: Image.Image) -> NDArray[np.uint8]:
    """The alpha of what is cropped to its print."""
    alpha = image.getchannel("A")
    return np.asarray(alpha.crop(alpha.point(lambda level: 255 * (level > 96)).getbbox()), np.uint8)


def agreement(alpha: NDArray[np.uint8], stamp: Image.Image) -> float:
    """Intersection over union of a cropped print with the stamp as drawn."""
    box = stamp.point(lambda level: 255 * (level > 127)).getbbox()
    truth = np.asarray(stamp.crop(box).resize(alpha.shape[::-1], Image.Resampling.BOX)) > 127
    seen = alpha > 127
    return float((seen & truth).sum() / (seen | truth).sum())


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_scan_of_a_stamp_is_cut_out_down_to_the_white_inside(stamp: str) -> None:
    """Every stamp of the tests, on paper of one colour."""
    drawn = STAMPS[stamp]()
    cut = cut_out_of(np.asarray(page(drawn, (640, 520), (244, 242, 236))))
    assert agreement(alpha_of(cut.image), drawn) > 0.85
    assert not cut.doubts
    red, green, blue = np.asarray(cut.image)[np.asarray(cut.image)[..., 3] > 250][:, :3].mean(0)
    assert blue > 1.5 * max(red, green)


def disc_in(light: NDArray[np.float64], ink: tuple[float, float, float]) -> CutOut:
    """The cut-out of a disc, half as wide as the picture, printed on grey and seen in a light."""
    height, width = light.shape
    y, x = np.mgrid[0:height, 0:width]
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (width / 4) ** 2
    scene = np.where(disc[..., None], np.array(ink), 1.0) * light[..., None]
    seen = np.asarray(cv2.GaussianBlur(scene, (0, 0), 1.0), np.float64)
    grain = np.random.default_rng(3).normal(0, 0.006, (height, width, 1))
    return cut_out_of((255 * (seen + grain)).clip(0, 255).astype(np.uint8))


def filled(cut: CutOut) -> float:
    """The share of a disc's area that a cut-out covers."""
    alpha = alpha_of(cut.image)
    return float((alpha > 127).sum() / (np.pi / 4 * alpha.shape[0] * alpha.shape[1]))


def test_a_faint_wide_print_is_whole_in_light_that_falls_off() -> None:
    """Its light side is as light as the ground at the dark side, which encloses it."""
    light = np.exp(np.linspace(np.log(0.95), np.log(0.4), 480))[None, :] * np.ones((400, 1))
    cut = disc_in(light, (0.72, 0.72, 0.80))
    assert filled(cut) == pytest.approx(1.0, abs=0.05)
    assert not cut.doubts


def test_a_part_of_a_print_that_is_missing_is_seen_and_said() -> None:
    """As beside a shadow's edge, where the print in the light is as light as shaded ground.

    The white inside a ring is the ground's, and no part that is missing.
    """
    stamp = np.asarray(page(solid_stamp(), (480, 400), (200, 200, 204)))
    (whole,) = find_prints(stamp)
    left, top, right, bottom = whole.box
    cut = whole.mask.copy()
    cut[top + 20 : bottom - 20, left + 6 : (3 * left + right) // 4] = False
    lost = dataclasses.replace(whole, mask=cut)
    (ring,) = find_prints(np.asarray(page(ring_stamp(), (480, 400), (200, 200, 204))))
    assert missing_share(whole) == missing_share(ring) == 0.0
    assert missing_share(lost) > 0.1
    said = doubts_of(stamp, whole, lost, inked(lost))
    assert [doubt for doubt in said if "may be missing" in doubt]


def test_a_print_as_white_as_can_be_is_doubted() -> None:
    """Light strokes grow by overexposure."""
    assert any("less light" in d for d in disc_in(np.full((400, 480), 0.6), (1.9,) * 3).doubts)
    assert not disc_in(np.full((400, 480), 0.45), (1.9,) * 3).doubts


def test_a_sheet_on_a_table_is_found_and_straightened() -> None:
    """Seen at an angle, the frame on it becomes a rectangle again."""
    sheet = page(frame_stamp(), (800, 560), (240, 240, 238))
    corners = [[120, 70], [600, 95], [620, 450], [90, 430]]
    cut = cut_out_of(np.asarray(on_table(sheet, corners, (110, 70, 40))))
    assert "cut from the sheet that it is on" in cut.treatment
    assert agreement(alpha_of(cut.image), frame_stamp()) > 0.75


def test_a_frame_that_is_printed_is_no_sheet() -> None:
    """The paper inside it is the paper outside it."""
    cut = cut_out_of(np.asarray(page(frame_stamp(), (640, 480), (250, 250, 250))))
    assert "sheet" not in cut.treatment
    assert alpha_of(cut.image).shape[1] == pytest.approx(320, abs=4)


def test_a_ring_seen_at_an_angle_is_round_again_but_an_oval_stays_oval() -> None:
    """An outline that is nearly a circle was one; an oval is a design."""
    for stamp, squeezed in ((ring_stamp(), 0.9), (oval_stamp(), 1.0)):
        whole = page(stamp, (640, 600), (245, 245, 245))
        seen = whole.resize((640, round(600 * squeezed)), Image.Resampling.LANCZOS)
        cut = cut_out_of(np.asarray(seen))
        height, width = alpha_of(cut.image).shape
        assert width / height == pytest.approx(stamp.width / stamp.height, rel=0.03)
        assert ("a circle seen at an angle" in cut.treatment) == (squeezed < 1)


def test_a_badge_with_a_ground_of_its_own_keeps_what_it_encloses() -> None:
    """Lighter and darker than the cardboard that it is stuck on."""
    board = np.full((480, 560, 3), (176, 140, 100), np.uint8)
    image = Image.fromarray(board)
    draw = ImageDraw.Draw(image)
    draw.ellipse((150, 100, 409, 359), fill=(250, 250, 250))
    draw.ellipse((168, 118, 391, 341), outline=(200, 20, 30), width=14)
    draw.rectangle((220, 210, 340, 250), fill=(200, 20, 30))
    cut = cut_out_of(np.asarray(image))
    alpha = alpha_of(cut.image)
    assert cut.made == "sticker"
    assert alpha.shape[0] == pytest.approx(260, abs=6)
    assert alpha[130, 40] > 250
    assert alpha[4, 4] == 0


def test_a_screenshot_is_taken_without_the_borders_of_its_window() -> None:
    """A title bar and the edge of a page touch the border of the picture."""
    image = page(oval_stamp(), (800, 600), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 799, 30), fill=(50, 54, 60))
    draw.rectangle((0, 580, 799, 599), fill=(230, 230, 230))
    cut = cut_out_of(np.asarray(image))
    assert agreement(alpha_of(cut.image), oval_stamp()) > 0.85


def test_a_stamp_that_is_cropped_to_its_frame_is_cut_out() -> None:
    """Its ink covers the border of the picture all round."""
    image = Image.new("RGB", (640, 300), (252, 252, 252))
    image.paste((20, 20, 20), (0, 0), frame_stamp())
    cut = cut_out_of(np.asarray(image))
    assert agreement(alpha_of(cut.image), frame_stamp()) > 0.85


def test_what_cannot_be_cut_out_is_said_with_what_to_photograph() -> None:
    """Goods on a shelf, noise: the whole rectangle is the mark, and a line says so."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.integers(0, 255, (300, 400, 3)).astype(np.uint8), (0, 0), 6)
    noise = cv2.normalize(noise, noise.copy(), 0, 255, cv2.NORM_MINMAX)
    cut = cut_out_of(np.asarray(noise, np.uint8))
    assert cut.image.size == (400, 300)
    (doubt,) = cut.doubts
    assert "the whole rectangle is taken as the mark" in doubt
    assert "photograph the stamp on plain white paper" in doubt


def test_a_small_print_and_one_at_the_edge_are_doubted() -> None:
    """Each with what to do about it."""
    image = page(ring_stamp(), (600, 500), (245, 245, 245))
    cut = cut_out_of(np.asarray(image.crop((250, 0, 600, 500))))
    assert any("touches the edge" in doubt for doubt in cut.doubts)
    cut = cut_out_of(np.asarray(image.resize((96, 80), Image.Resampling.BOX)))
    assert any("photograph it from closer" in doubt for doubt in cut.doubts)


def test_a_large_picture_is_shrunk_and_one_lying_on_its_side_is_turned(tmp_path: Path) -> None:
    """A phone's JPEG of 12 million pixels, stored lying (EXIF 6), under another ending."""
    upright = page(frame_stamp(), (3000, 4000), (240, 238, 230))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.rotate(90, expand=True).save(tmp_path / "m.heic", "JPEG", exif=exif.tobytes())
    mark = load_mark(tmp_path / "m.heic", "m")
    assert mark.native_size == (3000, 4000)
    assert mark.image.width == 320
    assert mark.image.height == pytest.approx(150, abs=3)
    assert agreement(np.asarray(mark.image.getchannel("A")), frame_stamp()) > 0.8


def test_blank_paper_is_refused(tmp_path: Path) -> None:
    """Grain and uneven light are no print."""
    page(Image.new("L", (64, 64)), (400, 300), (225, 222, 214)).save(tmp_path / "m.png")
    with pytest.raises(InputError, match="nothing but its background"):
        load_mark(tmp_path / "m.png", "m")
