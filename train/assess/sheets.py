"""Pictures of an assessment: the trade as a curve, and what looks most like the mark."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge.annotate import contact_sheet
from edge.printing import printable
from edge.vision.legend import SUBJECTS, caption_lines, draw_outline
from edge.vision.picture_files import read_picture
from train.assess.assessment import Assessment
from train.assess.breakdown import Bin, weaknesses
from train.assess.counts import shares_reaching
from train.assess.scores import Scored, Trial
from train.photographs import refused_for

CURVE, UNSTAMPED = "assessment.png", "unstamped.png"
"""Files of a run's folder."""
SHOWN = 9
"""Photographs on the sheet."""
WIDTH, HEIGHT, MARGIN = 900, 520, 70
MARKS, LOOKALIKES, PHOTOGRAPHS = SUBJECTS["stamped"], SUBJECTS["look-alike"], SUBJECTS["unstamped"]
"""Of curves, as on every page: what bears the mark, what is like it, what does not bear it."""
LETTERS = 16


def curve(trial: Trial, assessment: Assessment) -> Image.Image:
    """Draw the share that reaches each threshold: marks found, look-alikes, photographs passed."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(LETTERS)
    _axes(draw, font)
    photographs = [one.score for one in trial.photographs]
    kind = "painted frames" if assessment.painted else "your photographs"
    for scores, colour in (
        (trial.marks, MARKS),
        (trial.lookalikes, LOOKALIKES),
        (photographs, PHOTOGRAPHS),
    ):
        draw.line(_steps(scores), fill=colour, width=3)
    at = _x(assessment.chosen.threshold)
    draw.line([(at, MARGIN), (at, HEIGHT - MARGIN)], fill="black", width=2)
    draw.text(
        (at + 6, MARGIN - LETTERS - 6),
        f"threshold {assessment.chosen.threshold:.3f}",
        fill="black",
        font=font,
    )
    row = assessment.chosen
    for line, (told, colour) in enumerate(
        (
            (f"marks found: {row.marks}, nominal ones {row.nominal}", MARKS),
            (f"pictures of look-alikes passed: {row.lookalikes}", LOOKALIKES),
            (f"{kind} passed: {row.photographs}", PHOTOGRAPHS),
        )
    ):
        draw.text((MARGIN + 10, 8 + line * (LETTERS + 4)), told, fill=colour, font=font)
    return image


BAR, PARTS = 115, 3
"""Length of a bar for all marks, in pixels, and columns of the breakdown."""
LINE = LETTERS + 6


def breakdown(assessment: Assessment) -> Image.Image:
    """Draw the marks found by how they are shown, a bar for each part, the weak ones marked."""
    font, small = ImageFont.load_default(LETTERS), ImageFont.load_default(LETTERS - 3)
    groups: dict[str, list[Bin]] = {}
    for one in assessment.bins:
        groups.setdefault(one.condition, []).append(one)
    columns = [list(groups.items())[start::PARTS] for start in range(PARTS)]
    lines = max(sum(len(bins) + 2 for _, bins in column) for column in columns)
    image = Image.new("RGB", (WIDTH, (lines + 2) * LINE), "white")
    draw = ImageDraw.Draw(image)
    told = "Where it breaks: marks found, by how they are shown (red: much fewer than of all)"
    draw.text((MARGIN // 3, 4), told, fill="black", font=font)
    weak = weaknesses(assessment.bins, assessment.chosen.marks)
    for number, column in enumerate(columns):
        x, y = MARGIN // 3 + number * (WIDTH // PARTS), 2 * LINE
        for name, bins in column:
            draw.text((x, y), name, fill="black", font=font)
            for one in bins:
                y += LINE
                colour = PHOTOGRAPHS if one in weak else MARKS
                draw.rectangle((x, y + 2, x + BAR, y + LINE - 3), fill="#ececec")
                if one.found.hits:
                    wide = x + round(BAR * one.found.share)
                    draw.rectangle((x, y + 2, wide, y + LINE - 3), fill=colour)
                words = PHOTOGRAPHS if one in weak else "black"
                draw.text((x + BAR + 6, y + 3), _told(one), fill=words, font=small)
            y += 2 * LINE
    return image


def _told(one: Bin) -> str:
    """Return a part's words, short enough for its place, with its count."""
    part = one.part.removesuffix(" of the picture").removesuffix(" or worn")
    found = f"{one.found.hits}/{one.found.of}" if one.found.of else "-"
    return caption_lines(f"{found} {part}", 190)[0]


def sheet(trial: Trial, assessment: Assessment) -> Image.Image:
    """Draw the trade as a curve, and below it where the network breaks."""
    above = curve(trial, assessment)
    if not assessment.bins:
        return above
    below = breakdown(assessment)
    whole = Image.new("RGB", (WIDTH, above.height + below.height), "white")
    whole.paste(above, (0, 0))
    whole.paste(below, (0, above.height))
    return whole


def _axes(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
    """Draw a grid of tenths, the threshold from left to right, the share from bottom to top."""
    for tenth in range(11):
        share = tenth / 10
        draw.line([(_x(share), _y(0)), (_x(share), _y(1))], fill="#e4e4e4")
        draw.line([(_x(0), _y(share)), (_x(1), _y(share))], fill="#e4e4e4")
        draw.text((_x(share) - 10, _y(0) + 6), f"{share:.1f}", fill="#505050", font=font)
        draw.text((_x(0) - 50, _y(share) - 9), f"{100 * share:.0f} %", fill="#505050", font=font)
    draw.text((WIDTH // 2 - 40, HEIGHT - LETTERS - 12), "threshold", fill="#505050", font=font)


def _steps(scores: Sequence[float]) -> list[tuple[float, float]]:
    """Return the share of *scores* that reach each threshold, as points of a line."""
    thresholds = np.linspace(0.0, 1.0, 401)
    shares = shares_reaching(scores, thresholds)
    return [(_x(float(t)), _y(float(s))) for t, s in zip(thresholds, shares, strict=True)]


def _x(threshold: float) -> float:
    return MARGIN + threshold * (WIDTH - 2 * MARGIN)


def _y(share: float) -> float:
    return HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)


def unstamped_sheet(trial: Trial, threshold: float) -> Image.Image:
    """Lay out the photographs that look most like the mark, with the place and its score.

    What lies below *threshold* is dashed, in the colours of :mod:`edge.vision.legend`.

    Raises InputError when one cannot be read.
    """
    likest = sorted(trial.photographs, key=lambda one: -one.score)[:SHOWN]
    return contact_sheet([_drawn(one, threshold) for one in likest])


def _drawn(one: Scored, threshold: float) -> Image.Image:
    """Draw a photograph with its best finding and, in a strip below, its score and name."""
    with refused_for("bring a whole one"):
        frame = read_picture(Path(one.path))
    height, width = frame.shape[:2]
    letters = max(12, width // 22)
    image = Image.new("RGB", (width, height + 2 * letters), "white")
    image.paste(Image.fromarray(frame), (0, 0))
    draw = ImageDraw.Draw(image)
    if one.box:
        draw_outline(draw, one.box, "false", max(2, width // 150), one.score < threshold)
    told = f"{one.score:.2f}  {printable(Path(one.path).name)}"
    draw.text((4, height + letters // 3), told, fill="black", font=ImageFont.load_default(letters))
    return image
