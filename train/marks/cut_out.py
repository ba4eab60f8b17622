"""Make the cut-out of a mark from a picture without transparency; say how, and what is in doubt.

A phone's photograph, a scan, a screenshot: the sheet is found where it lies on something else, the
print is cut out of its ground, and what was seen at an angle is straightened. Where there is no
plain ground the whole rectangle is the mark, as a picture of a label is; the user is told either
way, and what to photograph instead.
"""

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.vision.preprocess import Frame
from train.marks.cutting import (
    COARSE_PX,
    PLAIN,
    Print,
    both_of,
    burnt_share,
    crop_around,
    find_prints,
    has_print,
    hull_of,
    inked,
    is_plain,
    levelled,
    missing_share,
    outline_filled,
)
from train.marks.ground import shrunk
from train.marks.making import making_of
from train.marks.paper_sheet import ON_SHEET, as_label, find_sheet
from train.marks.straighten import straighten

Made = Literal["", "ink", "sticker"]
"""How the user says that a mark is made; empty where that is guessed."""
FAINT, UNCLEAR = 0.15, 0.9
"""Contrast with the ground, and purity, below which a cut-out is doubted."""
BURNT = 0.25
"""Share of a light print that is overexposed, from which it is doubted."""
MISSING = 0.03
"""Share of the print's area that may be missing, from which it is doubted."""
OF_STICKER = 0.7
"""Least purity of the other print of a sticker, lighter and darker than its ground: it may have
several colours."""
SMALL_PX = 60
"""Longer side of a print in its picture, in pixels, below which it is doubted."""
SOFT = 0.6
"""Share of half-covered pixels, of those that are covered, above which a print is blurred."""
AGAIN = "photograph the stamp on plain white paper, with free paper all around, in even light"
NO_GROUND = "no plain ground lies around the mark: the whole rectangle is taken as the mark"


@dataclass(frozen=True)
class CutOut:
    """A mark with its transparency.

    *image*: RGBA; fully transparent where the picture shows nothing but ground; *treatment*: what
    was done, in words; *doubts*: what may be wrong with it, each with its next step; *made*: what
    it was taken for, empty where its making is guessed from the image.
    """

    image: Image.Image
    treatment: str
    doubts: tuple[str, ...] = ()
    made: Made = ""


def cut_out_of(rgb: Frame, made: Made = "") -> CutOut:
    """Cut the mark out of a picture of it. *rgb*: (height, width, 3) uint8, as large as it is."""
    sheet = find_sheet(rgb)
    if sheet and (made == "sticker" or (not made and sheet.is_label)):
        return CutOut(
            Image.fromarray(as_label(sheet)),
            "it is a label with a ground of its own, cut along its edges and straightened",
            made="sticker",
        )
    steps = ["cut from the sheet that it is on"] if sheet else []
    picture = sheet.pixels if sheet else rgb
    plain = ON_SHEET if sheet else PLAIN
    prints = find_prints(shrunk(picture, COARSE_PX), plain=min(plain, OF_STICKER))
    pure = [one for one in prints if is_plain(one, plain)]
    coarse = max(pure, key=lambda one: one.far, default=None)
    if coarse is None:
        return _without_ground(picture)
    if made != "ink" and both_of(prints) is not None:
        crop = crop_around(picture, *prints)
        both = find_prints(crop, plain=0.8 * OF_STICKER)
        if (outline := both_of(both)) is not None:
            return _sticker(picture, coarse, both[0], outline, steps)
    fine = find_prints(crop_around(picture, coarse), (coarse.contrast.light,), plain)
    if not fine:
        return _without_ground(picture)
    return _finished(picture, coarse, fine[0], made, steps)


def _without_ground(picture: Frame) -> CutOut:
    """Return what becomes of a picture without a print on plain ground."""
    height, width = picture.shape[:2]
    if not has_print(shrunk(picture, COARSE_PX)):
        return CutOut(Image.new("RGBA", (width, height)), "it shows nothing but plain ground")
    opaque = np.full((height, width), 255, np.uint8)
    whole = Image.fromarray(np.dstack([picture, opaque]))
    return CutOut(whole, NO_GROUND, (f"{NO_GROUND}; if it is not, {AGAIN}",))


def _finished(picture: Frame, coarse: Print, fine: Print, made: Made, steps: list[str]) -> CutOut:
    """Return the print alone, or with what it encloses, where it is a sticker."""
    rgba = inked(fine)
    guess = making_of(Image.fromarray(rgba))
    if made == "sticker" or (not made and guess.own_ground and not guess.one_colour):
        outline = outline_filled(rgba[..., 3] > 127)
        whole = hull_of(fine.mask)
        apart = outline.sum() < 0.6 * whole.sum()  # as letters are
        return _sticker(picture, coarse, fine, whole if apart else outline, steps)
    steps = ["its ground was made transparent, inside too, and its light evened out", *steps]
    if not made and not guess.own_ground and not fine.contrast.light:
        made = "ink"
    return _straightened(
        CutOut(
            Image.fromarray(rgba), "; ".join(steps), doubts_of(picture, coarse, fine, rgba), made
        )
    )


def _sticker(
    picture: Frame, coarse: Print, fine: Print, outline: NDArray[np.bool_], steps: list[str]
) -> CutOut:
    """Return a sticker: its outline filled with what is seen inside it, its light evened out."""
    soft = cv2.GaussianBlur(outline.astype(np.float32), (0, 0), 0.8)
    alpha = (255 * (2 * soft - 0.5).clip(0, 1)).astype(np.uint8)
    rgba = np.dstack([levelled(fine.contrast, outline), alpha])
    steps = ["the ground around it was made transparent, what it encloses was kept", *steps]
    doubts = doubts_of(picture, coarse, fine, rgba)
    return _straightened(CutOut(Image.fromarray(rgba), "; ".join(steps), doubts, "sticker"))


def _straightened(cut: CutOut) -> CutOut:
    turned = straighten(np.asarray(cut.image))
    if turned is None:
        return cut
    said = f"{cut.treatment}; taken for {turned.shape} seen at an angle, and straightened"
    return replace(cut, image=Image.fromarray(turned.rgba), treatment=said)


def doubts_of(
    picture: Frame, coarse: Print, fine: Print, rgba: NDArray[np.uint8]
) -> tuple[str, ...]:
    """Return what may be wrong with a cut-out, each with its next step.

    *picture*: whole; *coarse*, *fine*: its print, and that around which it was cut out as *rgba*.
    """
    doubts = []
    if coarse.far < FAINT or min(coarse.purity, fine.purity) < UNCLEAR:
        doubts.append(
            f"the print is faint or its ground restless: if the cut-out is not clean, {AGAIN}"
        )
    height, width = coarse.mask.shape
    left, top, right, bottom = coarse.box
    if left <= 1 or top <= 1 or right >= width - 1 or bottom >= height - 1:
        doubts.append(
            "the print touches the edge of the picture: if a part of it is missing, photograph it "
            "with free ground all around"
        )
    longer = max(right - left, bottom - top) * picture.shape[1] / width
    if longer < SMALL_PX:
        doubts.append(
            f"the print is only {longer:.0f} pixels long in its picture; photograph it from closer"
        )
    alpha = rgba[..., 3]
    soft = ((alpha > 40) & (alpha < 200)).sum() / max(1, (alpha > 127).sum())
    if soft > SOFT and longer >= SMALL_PX:
        doubts.append("the print is blurred; hold the camera still, farther away, and in focus")
    doubts += _doubts_inside(fine)
    if coarse.others:
        doubts.append(
            f"{coarse.others} other parts of the picture were left out; if one belongs to the "
            "mark, crop the picture to the mark"
        )
    return tuple(doubts)


def _doubts_inside(fine: Print) -> list[str]:
    """Return what may be wrong with the print itself: overexposed, or not all of it there."""
    doubts = []
    if fine.contrast.light and (burnt := burnt_share(fine)) > BURNT:
        doubts.append(
            f"{burnt:.0%} of the print is as white as the camera can show, so its strokes may look "
            "wider than they are; photograph it with less light"
        )
    if missing_share(fine) > MISSING:
        doubts.append(
            "a part of the print may be missing: inside it is more that differs from the ground as "
            f"the print does; if it is, {AGAIN}"
        )
    return doubts
