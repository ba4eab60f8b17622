"""Plates: plain ground below a mark without a ground of its own, with other print around it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edge.vision.preprocess import Frame
from train.config import SynthSettings
from train.drawing.lettering import typeface
from train.marks.making import making_of
from train.marks.mark import outline_of
from train.paint.cutouts import Cutout
from train.paint.placing import Pose, bounds, corners_of, homography, project
from train.paint.plates import CONTRAST, draw_plate, grey
from train.paint.synth import plate_share

PHOTO: Frame = np.full((200, 200, 3), 128, np.uint8)


def word(colour: str = "white") -> Cutout:
    """Return a word as a cut-out."""
    image = Image.new("RGBA", (240, 80))
    ImageDraw.Draw(image).text((120, 40), "sparky", colour, typeface(64), anchor="mm")
    image = image.crop(image.getbbox())
    return Cutout(image, outline_of(image), 0, making=making_of(image))


@pytest.mark.parametrize("seed", range(12))
def test_the_marks_place_on_a_plate_stays_free(seed: int) -> None:
    """Nothing is printed or drawn there, so that the mark can be read."""
    plate = draw_plate(np.random.default_rng(seed), word(), PHOTO)
    x0, y0, x1, y1 = (round(corner) for corner in plate.free.corners())
    place = np.asarray(plate.cutout.image)[y0:y1, x0:x1, :3]
    assert place.size
    assert (place == place[0, 0]).all()


def test_a_plate_fits_only_print_that_can_be_read_on_it() -> None:
    """Its colour differs from the print's by so many grey levels, light or dark."""
    mark = word()
    for seed in range(30):
        plate = draw_plate(np.random.default_rng(seed), mark, PHOTO)
        for ink in ((255, 255, 255), (0, 0, 0)):
            assert plate.fits(mark, ink) == (abs(grey(plate.colour) - grey(ink)) >= CONTRAST)


def test_the_free_place_lies_below_the_mark_in_perspective() -> None:
    """The corners of the place are mapped to where the mark's corners are."""
    mark = word()
    plate = draw_plate(np.random.default_rng(3), mark, PHOTO)
    corners = np.array([(10, 20), (200, 40), (190, 110), (15, 90)], np.float64)
    matrix = homography(corners_of(mark.width, mark.height), corners)
    pose = plate.below(mark, Pose(matrix, bounds(corners)))
    x0, y0, x1, y1 = plate.free.corners()
    place = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    assert project(pose.matrix, place) == pytest.approx(corners, abs=0.01)


def test_a_mark_with_a_ground_of_its_own_needs_no_plate_so_often() -> None:
    """A word gets one as often as set, a sticker a fifth as often."""
    settings = SynthSettings(plate_share=0.5)
    image = Image.new("RGBA", (60, 40), "#207040")
    sticker = Cutout(image, outline_of(image), 0, making=making_of(image))
    assert plate_share(settings, word()) == 0.5
    assert plate_share(settings, sticker) == pytest.approx(0.1)
