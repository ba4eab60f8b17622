"""The designs: seals, badges, labels, codes and signs from outlines, motifs and lettering.

Each is drawn by a :class:`~train.drawing.parts.Hand`. What its *style* decides (frame, colours,
typefaces, arrangement) must not depend on what its *words* and *motifs* decide, so that two hands
of one style draw siblings.
"""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from train.drawing import words as says
from train.drawing.canvas import Canvas, Colour, Points
from train.drawing.codes import bars, matrix_cells
from train.drawing.colours import (
    BLACK,
    PAPERS,
    Palette,
    any_hue,
    bare_ink,
    readable_on,
    seen_on,
    some_palette,
)
from train.drawing.insides import Print, draw_inside
from train.drawing.lettering import hand_face, print_face, rounded_off, some_face
from train.drawing.outlines import (
    any_outline,
    circle,
    polygon,
    rectangle,
    star_polygon,
    tag,
    wavy,
)
from train.drawing.parts import Hand, Room, bar, draw_cells, draw_motif, write, write_round
from train.drawing.random_choice import pick, pick_weighted

# --- seals ------------------------------------------------------------------------------------


def round_seal(hand: Hand) -> Image.Image:
    """Draw a round seal with words along its rim."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas()
    outline = pick((circle, circle, circle, wavy, wavy, polygon), style)(style)
    band = style.uniform(17, 28)
    solid = hand.chance(0.45)
    inner = 92 - band - style.uniform(2, 5)
    if len(outline) < 9:  # flat sides come nearer to the middle than the corners
        inner *= math.cos(math.pi / len(outline))
    ink, ground = _band(canvas, outline, colours, solid, inner, style)
    face, height = some_face(style), band * style.uniform(0.42, 0.6)
    radius, on_band = inner + band * 0.5, ground if solid else ink
    write_round(canvas, says.phrase(hand.words), face, radius, height, False, on_band)
    if hand.chance(0.75):
        write_round(canvas, says.phrase(hand.words), face, radius, height, True, on_band)
    _dividers(canvas, hand, radius, band * 0.22, ground if solid else colours.second)
    second = ink if ground is None else seen_on(ground, colours.second, ink)
    room, loud, quiet = Room(0, 0, inner * 0.68, inner * 0.68), some_face(style), some_face(style)
    draw_inside(canvas, hand, room, Print(ground, ink, second, loud, quiet))
    return canvas.finished()


def _band(
    canvas: Canvas,
    outline: Points,
    colours: Palette,
    solid: bool,
    inner: float,
    style: np.random.Generator,
) -> tuple[Colour, Colour | None]:
    """Draw the rim, a solid band or two rings; return the colours of print and ground."""
    ink, ground = colours.ink, colours.paper
    canvas.polygon(outline * 100, ink)
    if not solid:
        canvas.polygon(outline * (100 - style.uniform(2, 7)), ground)
        canvas.oval((0, 0), (inner, inner), ink)
    elif style.random() < 0.4:
        canvas.polygon(outline * 96, ground)
        canvas.polygon(outline * 93, ink)
    width = pick((0.0, 3.0), style) if solid else style.uniform(1.2, 5)
    canvas.oval((0, 0), (inner - width, inner - width), ground)
    if style.random() < 0.3:
        canvas.oval((0, 0), (inner - width - 4, inner - width - 4), ink)
        canvas.oval((0, 0), (inner - width - 6, inner - width - 6), ground)
    return ink, ground


def _dividers(
    canvas: Canvas, hand: Hand, radius: float, size: float, colour: Colour | None
) -> None:
    """Draw a dot, a bar, a star or nothing between the words above and below."""
    kind = int(hand.style.integers(4))
    for x in (-radius, radius):
        if kind == 0:
            canvas.oval((x, 0), (size * 0.7, size * 0.7), colour)
        elif kind == 1:
            bar(canvas, Room(x, 0, size, size * 0.3), colour)
        elif kind == 2:
            corners = star_polygon((x, 0.0), size * 1.2, 5, inner=0.5 / 1.2)
            canvas.polygon(np.array(corners), colour)


def framed(hand: Hand) -> Image.Image:
    """Draw any outline, filled or as lines, with print inside."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas(pick((1.0, 1.0, 1.25, 1.6, 2.0, 0.8), style))
    outline, half = any_outline(style), np.array(canvas.half)
    ink: Colour | None = colours.ink
    ground, second = colours.paper, colours.second
    canvas.polygon(outline * half, colours.ink)
    if hand.chance(0.55):
        canvas.polygon(outline * (half - style.uniform(2, 9)), ground)
        if hand.chance(0.4):
            canvas.polygon(outline * (half - 12), colours.second)
            canvas.polygon(outline * (half - style.uniform(14, 17)), ground)
        second = seen_on(ground, colours.second, colours.ink) if ground else colours.ink
    else:
        ink, ground = ground, colours.ink
        second = readable_on(colours.ink, colours)
        if hand.chance(0.5):
            canvas.polygon(outline * (half - 5), ink)
            canvas.polygon(outline * (half - style.uniform(6.5, 9)), ground)
    fill = _fill_of(outline)
    room = Room(0, _lift(outline) * half[1], half[0] * fill, half[1] * fill)
    p = Print(ground, ink, second, some_face(style), some_face(style))
    draw_inside(canvas, hand, room, p)
    return canvas.finished()


def _fill_of(outline: Points) -> float:
    """Return how large a room an outline has inside, 0..1: large in a rectangle, less in a star."""
    reach = np.hypot(*outline.T)
    return float(np.clip(0.78 * np.quantile(reach, 0.15) / math.sqrt(2) * 1.15, 0.3, 0.8))


def _lift(outline: Points) -> float:
    """Return how far an outline's centroid lies below the middle, in shares of the half height."""
    x, y = outline.T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    return float(np.clip(((y + np.roll(y, -1)) * cross).sum() / (3 * cross.sum()), -0.4, 0.4))


# --- logos and words --------------------------------------------------------------------------


def wordmark(hand: Hand) -> Image.Image:
    """Draw a firm's name in its own lettering, at times with a line, a motif or a ground."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas(pick((1.6, 2.2, 3.0, 3.6), style))
    w, h = canvas.half
    ink = bare_ink(colours)
    if hand.chance(0.45):
        ground, shape = colours.paper or colours.second, pick((rectangle, rectangle, tag), style)
        canvas.polygon(shape(style) * canvas.half, ground)
        ink = readable_on(ground, colours)
    room, face = Room(0, 0, w * 0.86, h * 0.72), some_face(style)
    kind = int(style.integers(4))
    if kind == 0:
        draw_motif(canvas, hand, room.columns(0, 0.28), colours.third if colours.paper else ink)
        room = room.columns(0.32, 1)
    elif kind == 1:
        wave = np.linspace(-1, 1, 30)
        bend = h * style.uniform(-0.15, 0.15) * (1 - wave**2)
        canvas.line(np.stack([wave * room.w * 0.9, room.h * 0.85 + bend], 1), h * 0.1, ink)
        room = room.part(0, 0.78)
    elif kind == 2:
        write(canvas, says.phrase(hand.words), some_face(style), room.part(0.78, 1), ink)
        room = room.part(0, 0.7)
    name = says.firm(hand.words) if hand.chance(0.6) else says.short(hand.words)
    write(canvas, name, face, room, ink)
    return canvas.finished()


def sign(hand: Hand) -> Image.Image:
    """Draw a motif alone, large, with or without a plain ground; at times two or three in a row."""
    style, colours = hand.style, some_palette(hand.style)
    count = pick((1, 1, 1, 2, 3), style)
    canvas = Canvas(float(count))
    ink = bare_ink(colours)
    if hand.chance(0.6):
        ground = colours.paper or colours.second
        outline = any_outline(style) if count == 1 else rectangle(style)
        canvas.polygon(outline * canvas.half, ground)
        ink = readable_on(ground, colours)
    room = Room(0, 0, canvas.half[0] * 0.94, canvas.half[1] * (0.62 if count == 1 else 0.8))
    for i in range(count):
        draw_motif(canvas, hand, room.columns(i / count, (i + 1) / count), ink)
    return canvas.finished()


def shapes_logo(hand: Hand) -> Image.Image:
    """Draw motifs of two or three colours over one another."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas()
    if hand.chance(0.4):
        canvas.polygon(rectangle(style) * 100, colours.paper)
    for colour in (colours.second, colours.ink, colours.third)[: int(style.integers(2, 4))]:
        x, y, reach = style.uniform(-30, 30), style.uniform(-30, 30), style.uniform(35, 65)
        draw_motif(canvas, hand, Room(x, y, reach, reach), colour)
    canvas.oval((style.uniform(-50, 50), style.uniform(-50, 50)), (12, 12), colours.second)
    return canvas.finished()


def monogram(hand: Hand) -> Image.Image:
    """Draw letters in a frame."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas()
    outline = any_outline(style)
    canvas.polygon(outline * 100, colours.ink)
    if hand.chance(0.6):
        canvas.polygon(outline * style.uniform(75, 95), colours.paper)
        ink = colours.ink
    else:
        ink = readable_on(colours.ink, colours)
    fill = 95 * _fill_of(outline)
    room = Room(0, _lift(outline) * 100, fill, fill * 0.8)
    write(canvas, says.monogram(hand.words), some_face(style), room, ink)
    return canvas.finished()


def character(hand: Hand) -> Image.Image:
    """Draw the head of a cartoon figure, in colours."""
    style, chance = hand.style, hand.motifs
    skin, dark, bright = (any_hue(style, *v) for v in ((0.6, 1.0), (0.05, 0.35), (0.5, 1.0)))
    canvas = Canvas()
    _ears(canvas, int(chance.integers(5)), skin, dark, bright)
    wide, high = style.uniform(52, 78), style.uniform(52, 68)
    canvas.oval((0, 20), (wide + 4, high + 4), dark)
    canvas.oval((0, 20), (wide, high), skin)
    _features(canvas, chance, dark, bright)
    if chance.random() < 0.4:  # a hat or a forelock
        brim = np.array([(-60, -35), (60, -35), (45, -45), (30, -95), (-30, -95), (-45, -45)])
        canvas.polygon(brim if chance.random() < 0.5 else brim[[0, 1, 3]] * [0.7, 1], bright)
    return canvas.finished()


def _ears(canvas: Canvas, kind: int, skin: Colour, dark: Colour, bright: Colour) -> None:
    for s in (-1, 1):
        for grow, colour in ((1.0, dark), (0.88, skin), (0.5, bright)):
            if kind == 0:
                canvas.oval((s * 62, -45), (32 * grow, 32 * grow), colour)
            elif kind == 1:
                ear = np.array([(s * 70, -10), (s * 74, -92), (s * 12, -42)], np.float64)
                canvas.polygon((ear - ear.mean(0)) * grow + ear.mean(0), colour)
            elif kind == 2:
                canvas.oval((s * 30, -62), (17 * grow, 36 * grow), colour)
            elif kind == 3:
                canvas.oval((s * 80, 25), (18 * grow, 26 * grow), colour)


def _features(canvas: Canvas, rng: np.random.Generator, dark: Colour, bright: Colour) -> None:
    apart, y, size = rng.uniform(18, 32), rng.uniform(-5, 12), rng.uniform(7, 17)
    gaze = rng.uniform(-0.4, 0.4)
    for s in (-1, 1):
        if size > 10:
            canvas.oval((s * apart, y), (size + 2, size * 1.2 + 2), dark)
            canvas.oval((s * apart, y), (size, size * 1.2), (255, 255, 255))
        canvas.oval((s * apart + gaze * size, y), (size * 0.55, size * 0.6), dark)
    nose = rng.uniform(6, 20), rng.uniform(5, 14)
    canvas.oval((0, y + 26), nose, bright if rng.random() < 0.5 else dark)
    bend, wide = rng.uniform(-10, 18), rng.uniform(15, 38)
    mouth = rounded_off(np.array([(-wide, y + 46), (0, y + 46 + bend), (wide, y + 46)]), 3)
    canvas.line(mouth, 4, dark)
    if rng.random() < 0.35:  # whiskers, or glasses
        for s in (-1, 1):
            for slope in (-8, 0, 8):
                canvas.line(np.array([(s * 24, y + 30), (s * 72, y + 30 + slope)]), 2.5, dark)


# --- codes, prints, handwriting ---------------------------------------------------------------


def code_label(hand: Hand) -> Image.Image:
    """Draw a matrix code or a bar code, alone or on a label with figures and words."""
    style = hand.style
    linear, colour = hand.chance(0.4), BLACK if hand.chance(0.7) else any_hue(style, 0.1, 0.4)
    canvas = Canvas(pick((1.5, 2.0) if linear else (0.8, 1.0, 1.0, 1.7), style))
    w, h = canvas.half
    if hand.chance(0.75):
        canvas.polygon(rectangle(style) * canvas.half, pick(PAPERS, style))
    room, face = Room(0, 0, w * 0.86, h * 0.86), print_face(style)
    if linear:
        _bar_code(canvas, hand, room.part(0, 0.72), colour)
        write(canvas, says.figure(hand.words), face, room.part(0.78, 1), colour)
    elif w > h:
        draw_cells(canvas, matrix_cells(style, hand.words), room.columns(0, 0.5), colour)
        for row in range(3):
            line = room.columns(0.55, 1).part(0.05 + row * 0.32, 0.27 + row * 0.32)
            text = says.figure(hand.words) if row else says.short(hand.words)
            write(canvas, text, face, line, colour)
    else:
        draw_cells(
            canvas, matrix_cells(style, hand.words), room.part(0, 1 if w == h else 0.78), colour
        )
        if w < h:
            write(canvas, says.figure(hand.words), face, room.part(0.84, 1), colour)
    return canvas.finished()


def _bar_code(canvas: Canvas, hand: Hand, room: Room, colour: Colour) -> None:
    widths = hand.words.choice([1, 1, 1, 2, 2, 3, 4], 2 * int(hand.style.integers(12, 30)) + 1)
    module = 2 * room.w / float(widths.sum())
    for left, width in bars(widths.tolist(), room.x - room.w, module):
        bar(canvas, Room(left + width / 2, room.y, width / 2, room.h), colour)


def printed_lines(hand: Hand) -> Image.Image:
    """Draw one to four rows of dates and lots without a frame, as an ink-jet printer does."""
    style = hand.style
    rows, face = int(style.integers(1, 5)), print_face(style)
    canvas = Canvas(style.uniform(2.2, 3.4) * 1.6 / rows**0.8)
    ink = bare_ink(some_palette(style)) if hand.chance(0.3) else BLACK
    room = Room(0, 0, *(0.97 * side for side in canvas.half))
    if hand.chance(0.25):
        canvas.polygon(rectangle(style) * canvas.half, pick(PAPERS, style))
        ink = BLACK
    for row in range(rows):
        figure = row or hand.chance(0.5)
        text = says.figure(hand.words) if figure else says.short(hand.words).upper()
        write(canvas, text, face, room.part((row + 0.06) / rows, (row + 0.94) / rows), ink)
    return canvas.finished()


def handwritten(hand: Hand) -> Image.Image:
    """Draw initials, a word or a flourish by hand, at times ringed or underlined."""
    style = hand.style
    canvas = Canvas(pick((1.0, 1.4, 2.0), style))
    ink, (w, h) = bare_ink(some_palette(style)), canvas.half
    kind, thick = int(style.integers(3)), style.uniform(2.5, 6)
    if kind == 0:
        ring = np.linspace(0, 6.9, 40)
        reach = 0.93 + 0.05 * np.sin(ring * style.uniform(0.6, 1.4))
        canvas.line(np.stack([w * reach * np.cos(ring), h * reach * np.sin(ring)], 1), thick, ink)
    elif kind == 1:
        line = np.array([(-0.9, 0.85), (-0.2, 0.75), (0.3, 0.85), (0.9, 0.7)]) * [w, h]
        canvas.line(rounded_off(line, 3), thick, ink)
    face = hand_face(style)
    if hand.chance(0.65):
        text = says.monogram(hand.words) if hand.chance(0.5) else says.short(hand.words)
        write(canvas, text, face, Room(0, 0, w * 0.68, h * 0.52), ink)
    else:
        _flourish(canvas, hand, thick, ink)
    return canvas.finished()


def _flourish(canvas: Canvas, hand: Hand, thick: float, ink: Colour) -> None:
    """Draw a signature that nobody can read: loops that wander to the right."""
    s = np.linspace(0, 1, 160)
    loops = hand.words.uniform(3, 7)
    x = -0.75 + 1.5 * s + 0.14 * np.sin(2 * np.pi * loops * s)
    heights = np.interp(s, np.linspace(0, 1, 8), hand.words.uniform(0.1, 0.65, 8))
    canvas.line(np.stack([x, heights * np.cos(2 * np.pi * loops * s)], 1) * canvas.half, thick, ink)


# --- badges -----------------------------------------------------------------------------------


def ribbon(hand: Hand) -> Image.Image:
    """Draw a disc or a shield with a ribbon across it."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas()
    ground = colours.paper or colours.third
    canvas.polygon(any_outline(style) * style.uniform(75, 90) - [0, 8], colours.ink)
    ink = readable_on(colours.ink, colours)
    if hand.chance(0.6):
        canvas.oval((0, -8), (62, 62), ground)
        ink = readable_on(ground, colours)
    draw_motif(canvas, hand, Room(0, -32, 26, 26), ink)
    y, high, dip = style.uniform(15, 35), style.uniform(14, 22), style.uniform(6, 14)
    band = any_hue(style, 0.3, 0.8) if colours.second == colours.ink else colours.second
    shade: Colour = (band[0] // 2, band[1] // 2, band[2] // 2)
    tail = [(60, -high), (100, -high), (86, 0), (100, high), (60, high)]
    for s in (-1, 1):
        canvas.polygon(np.array([(s * x, y + rise + dip) for x, rise in tail]), shade)
    bar(canvas, Room(0, y, 80, high), band)
    room, text_ink = Room(0, y, 72, high * 0.68), readable_on(band, colours)
    write(canvas, says.short(hand.words), some_face(style), room, text_ink)
    return canvas.finished()


def split_badge(hand: Hand) -> Image.Image:
    """Draw a label in two fields of different colour: a motif in one, words in the other."""
    style, colours = hand.style, some_palette(hand.style)
    across = hand.chance(0.6)
    canvas = Canvas(style.uniform(1.5, 2.6) if across else style.uniform(0.7, 1.0))
    whole = Room(0, 0, *canvas.half)
    other = any_hue(style, 0.3, 0.9) if colours.second == colours.ink else colours.second
    share = style.uniform(0.3, 0.5)
    first, rest = whole.part(0, 0.6), whole.part(0.6, 1)
    if across:
        first, rest = whole.columns(0, share), whole.columns(share, 1)
    bar(canvas, first, colours.ink)
    bar(canvas, rest, other)
    motif_room = Room(first.x, first.y, first.w * 0.8, first.h * 0.8)
    draw_motif(canvas, hand, motif_room, readable_on(colours.ink, colours))
    ink, loud, quiet = readable_on(other, colours), some_face(style), some_face(style)
    room = rest.columns(0.08, 0.92)
    write(canvas, says.short(hand.words), loud, room.part(0.12, 0.6), ink)
    write(canvas, says.short(hand.words), quiet, room.part(0.68, 0.9), ink)
    return canvas.finished()


def table(hand: Hand) -> Image.Image:
    """Draw a form to stamp or stick on: a head and rows of words and figures between lines."""
    style, colours = hand.style, some_palette(hand.style)
    rows = int(style.integers(2, 5))
    canvas = Canvas(style.uniform(1.0, 2.0))
    w, h = canvas.half
    bar(canvas, Room(0, 0, w, h), colours.ink)
    bar(canvas, Room(0, 0, w - 3, h - 3), colours.paper)
    head, face = hand.chance(0.6), some_face(style)
    for row in range(rows):
        room = Room(0, 0, w, h).part(row / rows, (row + 1) / rows)
        if row:
            bar(canvas, Room(0, room.y - room.h, w, 1.2), colours.ink)
        if head and not row:
            bar(canvas, room, colours.ink)
        ink = colours.paper if head and not row else colours.ink
        text = says.short(hand.words) if not row else says.figure(hand.words)
        write(canvas, text, face, Room(0, room.y, w * 0.85, room.h * 0.62), ink)
    return canvas.finished()


Design = Callable[[Hand], Image.Image]
DESIGNS: tuple[tuple[Design, float], ...] = (
    (round_seal, 0.27),
    (framed, 0.25),
    (wordmark, 0.09),
    (sign, 0.07),
    (shapes_logo, 0.04),
    (monogram, 0.05),
    (character, 0.04),
    (code_label, 0.04),
    (printed_lines, 0.03),
    (handwritten, 0.03),
    (ribbon, 0.03),
    (split_badge, 0.04),
    (table, 0.02),
)
"""Each design and its share of all marks."""


def drawn(hand: Hand) -> Image.Image:
    """Draw one mark: RGBA, not yet cropped."""
    return pick_weighted(DESIGNS, hand.style)(hand)
