"""The designs: how outlines, motifs and lettering make a seal, a badge, a label, a code or a sign.

Each is drawn by a :class:`Hand`. What its *style* decides (frame, colours, typefaces, arrangement)
must not depend on what its *words* and *motifs* decide, so that two hands of one style draw
siblings.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.drawing import words as says
from train.drawing.canvas import Canvas, Colour, Points
from train.drawing.colours import (
    BLACK,
    PAPERS,
    Palette,
    bare_ink,
    hue,
    readable_on,
    seen_on,
    some_palette,
)
from train.drawing.lettering import (
    Face,
    hand_face,
    letters,
    line_of,
    print_face,
    rounded_off,
    some_face,
)
from train.drawing.motifs import motif
from train.drawing.outlines import any_outline, circle, polygon, rectangle, tag, wavy


@dataclass(frozen=True)
class Hand:
    """What draws a mark: three sources of chance."""

    style: np.random.Generator
    words: np.random.Generator
    motifs: np.random.Generator

    def chance(self, share: float) -> bool:
        """Whether the style does something that *share* of all styles do."""
        return bool(self.style.random() < share)


@dataclass(frozen=True)
class Room:
    """Where something is to be drawn: its middle and half its width and height, in units."""

    x: float
    y: float
    w: float
    h: float

    def part(self, top: float, bottom: float) -> "Room":
        """The rows from *top* to *bottom*, 0..1."""
        return Room(self.x, self.y + self.h * (top + bottom - 1), self.w, self.h * (bottom - top))

    def columns(self, left: float, right: float) -> "Room":
        """The columns from *left* to *right*, 0..1."""
        return Room(self.x + self.w * (left + right - 1), self.y, self.w * (right - left), self.h)


# --- parts ------------------------------------------------------------------------------------------------------


def write(canvas: Canvas, text: str, face: Face, room: Room, colour: Colour | None) -> None:
    """Write one line as large as the room allows; a long one is narrowed by up to two fifths first."""
    tile = line_of(text, face, canvas.px(1.5 * room.h))
    across, down = canvas.px(2 * room.w) / tile.width, canvas.px(2 * room.h) / tile.height
    grow_x = min(across, down * 1.25)
    grow_y = min(down, grow_x / 0.6)
    size = max(1, round(tile.width * grow_x)), max(1, round(tile.height * grow_y))
    canvas.place(tile.resize(size, Image.Resampling.BILINEAR), (room.x, room.y), colour)


def write_round(
    canvas: Canvas,
    text: str,
    face: Face,
    radius: float,
    height: float,
    below: bool,
    colour: Colour | None,
) -> None:
    """Write round the canvas's middle, above it or below, so that it reads from left to right.

    *radius*: to the middle of the capitals; a line that would run further than 150 degrees is
    narrowed.
    """
    tiles = letters(text.upper(), face, canvas.px(height))
    gap = canvas.px(height * (0.1 + face.spacing))
    natural = sum(tile.width + gap for tile in tiles) - gap
    squeeze = min(1.0, math.radians(150) * radius * canvas.scale / max(1, natural))
    way = -1 if below else 1
    along = -natural * squeeze / 2
    for tile in tiles:
        wide = tile.width * squeeze
        angle = (along + wide / 2) / (radius * canvas.scale)
        narrow = tile.resize((max(1, round(wide)), tile.height), Image.Resampling.BILINEAR)
        # A capital's middle lies at 0.65 of its height in a tile 1.5 high: the tile's own middle is
        # a tenth lower.
        out = radius - way * 0.1 * height
        at = out * math.sin(angle), -way * out * math.cos(angle)
        canvas.place(narrow, at, colour, way * math.degrees(angle))
        along += wide + gap * squeeze


def draw_motif(canvas: Canvas, hand: Hand, room: Room, colour: Colour | None) -> None:
    """Draw a motif in the middle of a room."""
    canvas.place(motif(hand.motifs, canvas.px(2 * min(room.w, room.h))), (room.x, room.y), colour)


def draw_cells(canvas: Canvas, cells: NDArray[np.bool_], room: Room, colour: Colour | None) -> None:
    """Draw a grid of square cells, (rows, columns) of truth values, as large as the room allows."""
    rows, columns = cells.shape
    cell = max(1, min(canvas.px(2 * room.w) // columns, canvas.px(2 * room.h) // rows))
    tile = Image.fromarray(np.where(cells, 255, 0).astype(np.uint8))
    canvas.place(
        tile.resize((columns * cell, rows * cell), Image.Resampling.NEAREST),
        (room.x, room.y),
        colour,
    )


def bar(canvas: Canvas, room: Room, colour: Colour | None) -> None:
    """Fill a room."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * [room.w, room.h] + [room.x, room.y]
    canvas.polygon(corners, colour)


# --- what stands inside a frame ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Print:
    """What the inside of a frame is printed with: colours, and a loud and a quiet typeface."""

    ground: Colour | None
    ink: Colour | None
    second: Colour | None
    loud: Face
    quiet: Face


Inside = Callable[[Canvas, Hand, Room, Print], None]


def _motif_alone(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    draw_motif(canvas, hand, room, p.second)


def _one_word(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    write(canvas, says.short(hand.words), p.loud, room.part(0.2, 0.8), p.ink)


def _three_lines(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    big = int(hand.style.integers(3))
    edges = [(0.0, 0.25, 0.5, 0.95), (0.05, 0.3, 0.72, 0.95), (0.05, 0.45, 0.72, 0.95)][
        2 - big if big != 1 else 1
    ]
    makers = (says.short, says.short, says.figure)
    for row in range(3):
        part = room.part(edges[row] + 0.02, edges[row + 1] - 0.02)
        loud = edges[row + 1] - edges[row] > 0.35
        write(
            canvas,
            makers[row](hand.words),
            p.loud if loud else p.quiet,
            part,
            p.second if loud else p.ink,
        )


def _motif_over_word(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    upside_down = hand.chance(0.3)
    draw_motif(
        canvas, hand, room.part(0.36, 1.0) if upside_down else room.part(0.0, 0.62), p.second
    )
    write(
        canvas,
        says.short(hand.words),
        p.loud,
        room.part(0, 0.3) if upside_down else room.part(0.7, 1),
        p.ink,
    )


def _plate(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    """A plate across the whole seal with a word on it, something above and below."""
    wide = Room(room.x, room.y, canvas.half[0], room.h).part(0.32, 0.68)
    if hand.chance(0.6):
        bar(canvas, Room(wide.x, wide.y, wide.w, wide.h + 3), p.ground)
    bar(canvas, wide, p.ink)
    write(
        canvas, says.short(hand.words), p.loud, wide.part(0.14, 0.86).columns(0.07, 0.93), p.ground
    )
    draw_motif(canvas, hand, room.part(-0.02, 0.27), p.second)
    if hand.chance(0.5):
        write(
            canvas,
            says.figure(hand.words),
            p.quiet,
            room.part(0.77, 0.93).columns(0.15, 0.85),
            p.ink,
        )
    else:
        draw_motif(canvas, hand, room.part(0.73, 1.02), p.second)


def _monogram(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    write(canvas, says.monogram(hand.words), p.loud, room.part(0.08, 0.92), p.second)


def _dated(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    """Date between two lines, as in the stamps of offices."""
    for edge in (0.33, 0.66):
        bar(canvas, Room(room.x, room.y + room.h * (2 * edge - 1), room.w * 1.2, 1.2), p.ink)
    write(canvas, says.short(hand.words), p.quiet, room.part(0.04, 0.27), p.ink)
    write(canvas, says.figure(hand.words), p.loud, room.part(0.39, 0.61), p.second)
    write(canvas, says.short(hand.words), p.quiet, room.part(0.72, 0.95), p.ink)


def _matrix(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    draw_cells(canvas, matrix_cells(hand), room.part(0, 0.76), p.ink)
    write(canvas, says.figure(hand.words), p.quiet, room.part(0.82, 1), p.ink)


def _beside(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    """A motif on the left, two lines on the right."""
    draw_motif(canvas, hand, room.columns(0, 0.36), p.second)
    right = room.columns(0.42, 1)
    write(canvas, says.short(hand.words), p.loud, right.part(0.1, 0.55), p.ink)
    write(canvas, says.short(hand.words), p.quiet, right.part(0.64, 0.88), p.ink)


INSIDES: tuple[Inside, ...] = (
    _motif_alone, _one_word, _three_lines, _three_lines, _motif_over_word, _motif_over_word, _plate, _plate,
    _monogram, _dated, _matrix, _beside,
)  # fmt: skip


def matrix_cells(hand: Hand) -> NDArray[np.bool_]:
    """Cells in the manner of DataMatrix (a solid corner, a dotted one) or QR (three eyes)."""
    n, qr = int(hand.style.choice([10, 12, 14, 16, 18, 21])), hand.chance(0.5)
    cells = hand.words.random((n, n)) < 0.5
    if not qr or n < 18:
        cells[:, 0] = cells[-1] = True
        cells[0], cells[:, -1] = np.arange(n) % 2 == 0, np.arange(n) % 2 == n % 2
        return cells
    eye = np.pad(np.pad(np.ones((3, 3), bool), 1), 1, constant_values=True)
    for rows, columns in (("head", "head"), ("head", "tail"), ("tail", "head")):
        at = {"head": slice(0, 8), "tail": slice(n - 8, n)}
        inner = {"head": slice(0, 7), "tail": slice(n - 7, n)}
        cells[at[rows], at[columns]] = False
        cells[inner[rows], inner[columns]] = eye
    return cells


# --- seals ------------------------------------------------------------------------------------------------------


def round_seal(hand: Hand) -> Image.Image:
    """A round seal with words along its rim."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas()
    outline = (circle, circle, circle, wavy, wavy, polygon)[int(style.integers(6))](style)
    band = float(style.uniform(17, 28))
    solid = hand.chance(0.45)
    inner = 92 - band - float(style.uniform(2, 5))
    if len(outline) < 9:  # flat sides come nearer to the middle than the corners
        inner *= math.cos(math.pi / len(outline))
    ink, ground = _band(canvas, outline, colours, solid, inner, style)
    face, height = some_face(style), band * float(style.uniform(0.42, 0.6))
    radius = inner + band * 0.5
    write_round(
        canvas, says.phrase(hand.words), face, radius, height, False, ground if solid else ink
    )
    if hand.chance(0.75):
        write_round(
            canvas, says.phrase(hand.words), face, radius, height, True, ground if solid else ink
        )
    _dividers(canvas, hand, radius, band * 0.22, ground if solid else colours.second)
    second = ink if ground is None else seen_on(ground, colours.second, ink)
    _inside(
        canvas,
        hand,
        Room(0, 0, inner * 0.68, inner * 0.68),
        Print(ground, ink, second, *_faces(style)),
    )
    return canvas.finished()


def _band(
    canvas: Canvas,
    outline: Points,
    colours: Palette,
    solid: bool,
    inner: float,
    style: np.random.Generator,
) -> tuple[Colour, Colour | None]:
    """Draw the rim: a solid band, or two rings. Returns the colours of print and ground."""
    ink, ground = colours.ink, colours.paper
    canvas.polygon(outline * 100, ink)
    if not solid:
        canvas.polygon(outline * (100 - float(style.uniform(2, 7))), ground)
        canvas.oval((0, 0), (inner, inner), ink)
    elif style.random() < 0.4:
        canvas.polygon(outline * 96, ground)
        canvas.polygon(outline * 93, ink)
    width = float(style.uniform(1.2, 5)) if not solid else float(style.choice([0, 3]))
    canvas.oval((0, 0), (inner - width, inner - width), ground)
    if style.random() < 0.3:
        canvas.oval((0, 0), (inner - width - 4, inner - width - 4), ink)
        canvas.oval((0, 0), (inner - width - 6, inner - width - 6), ground)
    return ink, ground


def _dividers(
    canvas: Canvas, hand: Hand, radius: float, size: float, colour: Colour | None
) -> None:
    """A dot, a star or another small thing between the words above and below."""
    kind = int(hand.style.integers(4))
    for x in (-radius, radius):
        if kind == 0:
            canvas.oval((x, 0), (size * 0.7, size * 0.7), colour)
        elif kind == 1:
            bar(canvas, Room(x, 0, size, size * 0.3), colour)
        elif kind == 2:
            angles = np.radians(np.arange(10) * 36 - 90)
            reach = np.where(np.arange(10) % 2 == 0, size * 1.2, size * 0.5)
            canvas.polygon(
                np.stack([x + reach * np.cos(angles), reach * np.sin(angles)], 1), colour
            )


def _faces(style: np.random.Generator) -> tuple[Face, Face]:
    return some_face(style), some_face(style)


def _inside(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    INSIDES[int(hand.style.integers(len(INSIDES)))](canvas, hand, room, p)


def framed(hand: Hand) -> Image.Image:
    """Any outline, filled or as lines, with print inside."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas(float(style.choice([1, 1, 1.25, 1.6, 2.0, 0.8])))
    outline, half = any_outline(style), np.array(canvas.half)
    ink: Colour | None = colours.ink
    ground, second = colours.paper, colours.second
    canvas.polygon(outline * half, colours.ink)
    if hand.chance(0.55):
        canvas.polygon(outline * (half - float(style.uniform(2, 9))), ground)
        if hand.chance(0.4):
            canvas.polygon(outline * (half - 12), colours.second)
            canvas.polygon(outline * (half - float(style.uniform(14, 17))), ground)
        second = seen_on(ground, colours.second, colours.ink) if ground else colours.ink
    else:
        ink, ground = ground, colours.ink
        second = readable_on(colours.ink, colours)
        if hand.chance(0.5):
            canvas.polygon(outline * (half - 5), ink)
            canvas.polygon(outline * (half - float(style.uniform(6.5, 9))), ground)
    fill = _fill_of(outline)
    room = Room(0, _lift(outline) * half[1], half[0] * fill, half[1] * fill)
    _inside(canvas, hand, room, Print(ground, ink, second, *_faces(style)))
    return canvas.finished()


def _fill_of(outline: Points) -> float:
    """How large a room an outline has inside, 0..1: nearly its whole for a rectangle, less for a
    star.
    """
    reach = np.hypot(*outline.T)
    return float(np.clip(0.78 * np.quantile(reach, 0.15) / math.sqrt(2) * 1.15, 0.3, 0.8))


def _lift(outline: Points) -> float:
    """How far the middle of an outline's area lies below the canvas's, in shares of its half
    height.
    """
    x, y = outline.T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    return float(np.clip(((y + np.roll(y, -1)) * cross).sum() / (3 * cross.sum()), -0.4, 0.4))


# --- logos and words --------------------------------------------------------------------------------------------


def wordmark(hand: Hand) -> Image.Image:
    """A firm's name in its own lettering, at times with a line, a motif or a ground."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas(float(style.choice([1.6, 2.2, 3.0, 3.6])))
    w, h = canvas.half
    ink = bare_ink(colours)
    if hand.chance(0.45):
        shape = (rectangle, rectangle, tag)[int(style.integers(3))](style)
        canvas.polygon(shape * canvas.half, colours.paper or colours.second)
        ink = readable_on(colours.paper or colours.second, colours)
    room, face = Room(0, 0, w * 0.86, h * 0.72), some_face(style)
    kind = int(style.integers(4))
    if kind == 0:
        draw_motif(canvas, hand, room.columns(0, 0.28), colours.third if colours.paper else ink)
        room = room.columns(0.32, 1)
    elif kind == 1:
        wave = np.linspace(-1, 1, 30)
        bend = h * float(style.uniform(-0.15, 0.15)) * (1 - wave**2)
        canvas.line(np.stack([wave * room.w * 0.9, room.h * 0.85 + bend], 1), h * 0.1, ink)
        room = room.part(0, 0.78)
    elif kind == 2:
        write(canvas, says.phrase(hand.words), some_face(style), room.part(0.78, 1), ink)
        room = room.part(0, 0.7)
    write(
        canvas,
        says.firm(hand.words) if hand.chance(0.6) else says.short(hand.words),
        face,
        room,
        ink,
    )
    return canvas.finished()


def sign(hand: Hand) -> Image.Image:
    """A motif alone, large, with or without a plain ground; at times two or three side by side."""
    style, colours = hand.style, some_palette(hand.style)
    count = int(style.choice([1, 1, 1, 2, 3]))
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
    """Motifs of two or three colours over one another."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas()
    if hand.chance(0.4):
        canvas.polygon(rectangle(style) * 100, colours.paper)
    for colour in (colours.second, colours.ink, colours.third)[: int(style.integers(2, 4))]:
        x, y, reach = style.uniform(-30, 30), style.uniform(-30, 30), style.uniform(35, 65)
        draw_motif(canvas, hand, Room(float(x), float(y), float(reach), float(reach)), colour)
    canvas.oval(
        (float(style.uniform(-50, 50)), float(style.uniform(-50, 50))), (12, 12), colours.second
    )
    return canvas.finished()


def monogram(hand: Hand) -> Image.Image:
    """Letters in a frame, one typeface for each."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas()
    outline = any_outline(style)
    canvas.polygon(outline * 100, colours.ink)
    if hand.chance(0.6):
        canvas.polygon(outline * float(style.uniform(75, 95)), colours.paper)
        ink = colours.ink
    else:
        ink = readable_on(colours.ink, colours)
    fill = 95 * _fill_of(outline)
    write(
        canvas,
        says.monogram(hand.words),
        some_face(style),
        Room(0, _lift(outline) * 100, fill, fill * 0.8),
        ink,
    )
    return canvas.finished()


def character(hand: Hand) -> Image.Image:
    """The head of a cartoon figure, in colours."""
    style, chance = hand.style, hand.motifs
    skin, dark, bright = hue(style, 0.6, 1.0), hue(style, 0.05, 0.35), hue(style, 0.5, 1.0)
    canvas = Canvas()
    _ears(canvas, int(chance.integers(5)), skin, dark, bright)
    wide, high = float(style.uniform(52, 78)), float(style.uniform(52, 68))
    canvas.oval((0, 20), (wide + 4, high + 4), dark)
    canvas.oval((0, 20), (wide, high), skin)
    _features(canvas, chance, dark, bright)
    if chance.random() < 0.4:  # a hat or a forelock
        brim = np.array(
            [(-60, -35), (60, -35), (45, -45), (30, -95), (-30, -95), (-45, -45)], np.float64
        )
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
    look = rng.uniform(-0.4, 0.4)
    for s in (-1, 1):
        if size > 10:
            canvas.oval((s * apart, y), (size + 2, size * 1.2 + 2), dark)
            canvas.oval((s * apart, y), (size, size * 1.2), (255, 255, 255))
        canvas.oval((s * apart + look * size, y), (size * 0.55, size * 0.6), dark)
    canvas.oval(
        (0, y + 26),
        (rng.uniform(6, 20), rng.uniform(5, 14)),
        bright if rng.random() < 0.5 else dark,
    )
    bend, wide = rng.uniform(-10, 18), rng.uniform(15, 38)
    mouth = rounded_off(np.array([(-wide, y + 46), (0, y + 46 + bend), (wide, y + 46)]), 3)
    canvas.line(mouth, 4, dark)
    if rng.random() < 0.35:  # whiskers, or glasses
        for s in (-1, 1):
            for slope in (-8, 0, 8):
                canvas.line(np.array([(s * 24, y + 30), (s * 72, y + 30 + slope)]), 2.5, dark)


# --- codes, prints, handwriting ---------------------------------------------------------------------------------


def code_label(hand: Hand) -> Image.Image:
    """A matrix code or a bar code, alone or on a label with figures and words."""
    style = hand.style
    bars, colour = hand.chance(0.4), BLACK if hand.chance(0.7) else hue(style, 0.1, 0.4)
    canvas = Canvas(
        float(style.choice([1.5, 2.0])) if bars else float(style.choice([0.8, 1.0, 1.0, 1.7]))
    )
    w, h = canvas.half
    if hand.chance(0.75):
        canvas.polygon(rectangle(style) * canvas.half, PAPERS[int(style.integers(len(PAPERS)))])
    room, face = Room(0, 0, w * 0.86, h * 0.86), print_face(style)
    if bars:
        _bar_code(canvas, hand, room.part(0, 0.72), colour)
        write(canvas, says.figure(hand.words), face, room.part(0.78, 1), colour)
    elif w > h:
        draw_cells(canvas, matrix_cells(hand), room.columns(0, 0.5), colour)
        for row in range(3):
            line = room.columns(0.55, 1).part(0.05 + row * 0.32, 0.27 + row * 0.32)
            write(
                canvas,
                says.figure(hand.words) if row else says.short(hand.words),
                face,
                line,
                colour,
            )
    else:
        draw_cells(canvas, matrix_cells(hand), room.part(0, 1 if w == h else 0.78), colour)
        if w < h:
            write(canvas, says.figure(hand.words), face, room.part(0.84, 1), colour)
    return canvas.finished()


def _bar_code(canvas: Canvas, hand: Hand, room: Room, colour: Colour) -> None:
    widths = hand.words.choice([1, 1, 1, 2, 2, 3, 4], 2 * int(hand.style.integers(12, 30)) + 1)
    x, unit = room.x - room.w, 2 * room.w / float(widths.sum())
    for i, width in enumerate(widths.tolist()):
        if i % 2 == 0:
            bar(canvas, Room(x + unit * width / 2, room.y, unit * width / 2, room.h), colour)
        x += unit * width


def printed_lines(hand: Hand) -> Image.Image:
    """What the printer on a line writes: one to four lines of dates and lots, no frame."""
    style = hand.style
    lines, face = int(style.integers(1, 5)), print_face(style)
    canvas = Canvas(float(style.uniform(2.2, 3.4)) * 1.6 / lines**0.8)
    ink = bare_ink(some_palette(style)) if hand.chance(0.3) else BLACK
    room = Room(0, 0, *(0.97 * side for side in canvas.half))
    if hand.chance(0.25):
        canvas.polygon(rectangle(style) * canvas.half, PAPERS[int(style.integers(len(PAPERS)))])
        ink = BLACK
    for row in range(lines):
        text = (
            says.figure(hand.words) if row or hand.chance(0.5) else says.short(hand.words).upper()
        )
        write(canvas, text, face, room.part((row + 0.06) / lines, (row + 0.94) / lines), ink)
    return canvas.finished()


def handwritten(hand: Hand) -> Image.Image:
    """Initials, a word or a flourish by hand, at times ringed or underlined."""
    style = hand.style
    canvas = Canvas(float(style.choice([1.0, 1.4, 2.0])))
    ink, (w, h) = bare_ink(some_palette(style)), canvas.half
    kind, thick = int(style.integers(3)), float(style.uniform(2.5, 6))
    if kind == 0:
        ring = np.linspace(0, 6.9, 40)
        reach = 0.93 + 0.05 * np.sin(ring * float(style.uniform(0.6, 1.4)))
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
    """A signature that nobody can read: loops that wander to the right."""
    s = np.linspace(0, 1, 160)
    loops = hand.words.uniform(3, 7)
    x = -0.75 + 1.5 * s + 0.14 * np.sin(2 * np.pi * loops * s)
    heights = np.interp(s, np.linspace(0, 1, 8), hand.words.uniform(0.1, 0.65, 8))
    canvas.line(np.stack([x, heights * np.cos(2 * np.pi * loops * s)], 1) * canvas.half, thick, ink)


# --- badges -----------------------------------------------------------------------------------------------------


def ribbon(hand: Hand) -> Image.Image:
    """A disc or a shield with a ribbon across it."""
    style, colours = hand.style, some_palette(hand.style)
    canvas = Canvas()
    ground = colours.paper or colours.third
    canvas.polygon(any_outline(style) * float(style.uniform(75, 90)) - [0, 8], colours.ink)
    ink = readable_on(colours.ink, colours)
    if hand.chance(0.6):
        canvas.oval((0, -8), (62, 62), ground)
        ink = readable_on(ground, colours)
    draw_motif(canvas, hand, Room(0, -32, 26, 26), ink)
    y, high, dip = (
        float(style.uniform(15, 35)),
        float(style.uniform(14, 22)),
        float(style.uniform(6, 14)),
    )
    band = hue(style, 0.3, 0.8) if colours.second == colours.ink else colours.second
    shade: Colour = (band[0] // 2, band[1] // 2, band[2] // 2)
    for s in (-1, 1):
        tail = [
            (s * 60, y - high + dip),
            (s * 100, y - high + dip),
            (s * 86, y + dip),
            (s * 100, y + high + dip),
        ]
        canvas.polygon(np.array([*tail, (s * 60, y + high + dip)], np.float64), shade)
    bar(canvas, Room(0, y, 80, high), band)
    write(
        canvas,
        says.short(hand.words),
        some_face(style),
        Room(0, y, 72, high * 0.68),
        readable_on(band, colours),
    )
    return canvas.finished()


def split_badge(hand: Hand) -> Image.Image:
    """A label in two fields of different colour: a motif in one, words in the other."""
    style, colours = hand.style, some_palette(hand.style)
    across = hand.chance(0.6)
    canvas = Canvas(float(style.uniform(1.5, 2.6)) if across else float(style.uniform(0.7, 1.0)))
    whole = Room(0, 0, *canvas.half)
    other = hue(style, 0.3, 0.9) if colours.second == colours.ink else colours.second
    share = float(style.uniform(0.3, 0.5))
    first, rest = (
        (whole.columns(0, share), whole.columns(share, 1))
        if across
        else (whole.part(0, 0.6), whole.part(0.6, 1))
    )
    bar(canvas, first, colours.ink)
    bar(canvas, rest, other)
    draw_motif(
        canvas,
        hand,
        Room(first.x, first.y, first.w * 0.8, first.h * 0.8),
        readable_on(colours.ink, colours),
    )
    ink, (loud, quiet) = readable_on(other, colours), _faces(style)
    room = rest.columns(0.08, 0.92)
    write(canvas, says.short(hand.words), loud, room.part(0.12, 0.6), ink)
    write(canvas, says.short(hand.words), quiet, room.part(0.68, 0.9), ink)
    return canvas.finished()


def table(hand: Hand) -> Image.Image:
    """A form that is stamped or stuck on: a head and rows of words and figures between lines."""
    style, colours = hand.style, some_palette(hand.style)
    rows = int(style.integers(2, 5))
    canvas = Canvas(float(style.uniform(1.0, 2.0)))
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
    shares = np.array([share for _, share in DESIGNS])
    design, _ = DESIGNS[int(hand.style.choice(len(DESIGNS), p=shares / shares.sum()))]
    return design(hand)
