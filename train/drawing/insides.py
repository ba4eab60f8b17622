"""Insides of a frame: motifs, words, plates, dates and codes, arranged in a room."""

from collections.abc import Callable
from dataclasses import dataclass

from train.drawing import words as says
from train.drawing.canvas import Canvas, Colour
from train.drawing.codes import matrix_cells
from train.drawing.lettering import Face
from train.drawing.parts import Hand, Room, bar, draw_cells, draw_motif, write
from train.drawing.random_choice import pick


@dataclass(frozen=True)
class Print:
    """Colours of the inside of a frame, and its typefaces: one loud, one quiet."""

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
    for maker, top, foot in zip(makers, edges, edges[1:], strict=False):
        face, ink = (p.loud, p.second) if foot - top > 0.35 else (p.quiet, p.ink)
        write(canvas, maker(hand.words), face, room.part(top + 0.02, foot - 0.02), ink)


def _motif_over_word(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    motif_room, word_room = room.part(0.0, 0.62), room.part(0.7, 1)
    if hand.chance(0.3):
        motif_room, word_room = room.part(0.36, 1.0), room.part(0, 0.3)
    draw_motif(canvas, hand, motif_room, p.second)
    write(canvas, says.short(hand.words), p.loud, word_room, p.ink)


def _plate(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    """Draw a plate across the whole seal with a word on it, something above and below."""
    wide = Room(room.x, room.y, canvas.half[0], room.h).part(0.32, 0.68)
    if hand.chance(0.6):
        bar(canvas, Room(wide.x, wide.y, wide.w, wide.h + 3), p.ground)
    bar(canvas, wide, p.ink)
    on_plate = wide.part(0.14, 0.86).columns(0.07, 0.93)
    write(canvas, says.short(hand.words), p.loud, on_plate, p.ground)
    draw_motif(canvas, hand, room.part(-0.02, 0.27), p.second)
    if hand.chance(0.5):
        below = room.part(0.77, 0.93).columns(0.15, 0.85)
        write(canvas, says.figure(hand.words), p.quiet, below, p.ink)
    else:
        draw_motif(canvas, hand, room.part(0.73, 1.02), p.second)


def _monogram(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    write(canvas, says.monogram(hand.words), p.loud, room.part(0.08, 0.92), p.second)


def _dated(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    """Draw a date between two lines, as on office stamps."""
    for edge in (0.33, 0.66):
        bar(canvas, Room(room.x, room.y + room.h * (2 * edge - 1), room.w * 1.2, 1.2), p.ink)
    write(canvas, says.short(hand.words), p.quiet, room.part(0.04, 0.27), p.ink)
    write(canvas, says.figure(hand.words), p.loud, room.part(0.39, 0.61), p.second)
    write(canvas, says.short(hand.words), p.quiet, room.part(0.72, 0.95), p.ink)


def _matrix(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    draw_cells(canvas, matrix_cells(hand.style, hand.words), room.part(0, 0.76), p.ink)
    write(canvas, says.figure(hand.words), p.quiet, room.part(0.82, 1), p.ink)


def _beside(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    """Draw a motif on the left, two lines on the right."""
    draw_motif(canvas, hand, room.columns(0, 0.36), p.second)
    right = room.columns(0.42, 1)
    write(canvas, says.short(hand.words), p.loud, right.part(0.1, 0.55), p.ink)
    write(canvas, says.short(hand.words), p.quiet, right.part(0.64, 0.88), p.ink)


INSIDES: tuple[Inside, ...] = (
    _motif_alone, _one_word, _three_lines, _three_lines, _motif_over_word, _motif_over_word, _plate,
    _plate, _monogram, _dated, _matrix, _beside,
)  # fmt: skip


def draw_inside(canvas: Canvas, hand: Hand, room: Room, p: Print) -> None:
    """Draw one of the insides, chosen by the style."""
    pick(INSIDES, hand.style)(canvas, hand, room, p)
