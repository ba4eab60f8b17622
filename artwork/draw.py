"""Draw the project's own stamp and the seals it must not be mistaken for.

Run `python artwork/draw.py` from the project's root. Every seal is one list of shapes, and two back
ends read that same list: one writes SVG, the other paints the PNG. So the two files cannot
disagree, and neither needs a font, a browser or a system library: the letters are strokes, laid out
in `GLYPHS` below.

All coordinates are in drawing units: the seal's centre is (0, 0), x right, y down, and everything
lies within -100 … 100. Run again, the script writes the same drawing: the SVG byte for byte, the
PNG pixel for pixel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

HERE = Path(__file__).resolve().parent
PIXELS = 320  # width and height of each PNG; a mark must fit inside the photographs it is pasted on
# painted this many times larger, then averaged down: clean edges without an anti-aliasing painter
OVERSAMPLE = 8

INK = "#3a2a9b"  # violet stamp ink
PAPER = "#f4f1e6"  # the pale print inside solid ink
GREEN = "#1f7a45"
RED = "#b3202c"

Point = tuple[float, float]
Line = list[Point]


@dataclass(frozen=True)
class Stroke:
    """A line of constant width with round ends and round corners."""

    points: Sequence[Point]
    width: float
    colour: str


@dataclass(frozen=True)
class Fill:
    """A filled polygon."""

    points: Sequence[Point]
    colour: str


@dataclass(frozen=True)
class Ring:
    """A circle about the centre; `width` is its line's thickness, `radius` runs to the line's
    middle.
    """

    radius: float
    width: float
    colour: str


Shape = Stroke | Fill | Ring


# --- letters -----------------------------------------------------------------------------------------------


def arc(
    cx: float, cy: float, rx: float, ry: float, start: float, end: float, steps: int = 14
) -> Line:
    """Return points on an ellipse from `start` to `end`, in degrees: 0 is right, 90 is down, 270 is
    up.
    """
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


ROUND = arc(0.32, 0.5, 0.32, 0.5, 0, 360, 32)
ESS = arc(0.27, 0.26, 0.26, 0.26, 325, 90) + arc(0.27, 0.75, 0.28, 0.25, 270, 505)[1:]

# Each letter: its strokes on a box 1 high (y is 0 at the top, 1 at the foot line). Strokes give its
# width.
GLYPHS: dict[str, list[Line]] = {
    "A": [[(0, 1), (0.32, 0), (0.64, 1)], [(0.12, 0.66), (0.52, 0.66)]],
    "B": [
        [(0.26, 0.48), (0, 0.48), (0, 0), (0.26, 0), *arc(0.26, 0.24, 0.24, 0.24, 270, 450)],
        [(0, 0.48), (0, 1), (0.28, 1), *arc(0.28, 0.74, 0.27, 0.26, 90, -90)],
    ],
    "C": [arc(0.32, 0.5, 0.32, 0.5, -48, -312, 24)],
    "D": [[(0, 0), (0.18, 0), *arc(0.18, 0.5, 0.4, 0.5, 270, 450), (0, 1), (0, 0)]],
    "E": [[(0.46, 0), (0, 0), (0, 1), (0.46, 1)], [(0, 0.49), (0.38, 0.49)]],
    "F": [[(0.46, 0), (0, 0), (0, 1)], [(0, 0.5), (0.38, 0.5)]],
    "G": [[*arc(0.32, 0.5, 0.32, 0.5, -48, -350, 24), (0.63, 0.55), (0.38, 0.55)]],
    "H": [[(0, 0), (0, 1)], [(0.56, 0), (0.56, 1)], [(0, 0.49), (0.56, 0.49)]],
    "I": [[(0, 0), (0, 1)]],
    "J": [[(0.42, 0), (0.42, 0.76), *arc(0.21, 0.76, 0.21, 0.24, 0, 160)]],
    "K": [[(0, 0), (0, 1)], [(0.52, 0), (0, 0.58)], [(0.18, 0.4), (0.56, 1)]],
    "L": [[(0, 0), (0, 1), (0.44, 1)]],
    "M": [[(0, 1), (0.04, 0), (0.36, 0.7), (0.68, 0), (0.72, 1)]],
    "N": [[(0, 1), (0, 0), (0.56, 1), (0.56, 0)]],
    "O": [ROUND],
    "P": [[(0, 1), (0, 0), (0.26, 0), *arc(0.26, 0.27, 0.27, 0.27, 270, 450), (0, 0.54)]],
    "Q": [ROUND, [(0.4, 0.7), (0.66, 1.04)]],
    "R": [
        [(0, 1), (0, 0), (0.26, 0), *arc(0.26, 0.26, 0.26, 0.26, 270, 450), (0, 0.52)],
        [(0.27, 0.52), (0.56, 1)],
    ],
    "S": [ESS],
    "T": [[(0, 0), (0.58, 0)], [(0.29, 0), (0.29, 1)]],
    "U": [[(0, 0), (0, 0.7), *arc(0.28, 0.7, 0.28, 0.3, 180, 0), (0.56, 0)]],
    "V": [[(0, 0), (0.32, 1), (0.64, 0)]],
    "W": [[(0, 0), (0.2, 1), (0.42, 0.2), (0.64, 1), (0.84, 0)]],
    "X": [[(0, 0), (0.58, 1)], [(0.58, 0), (0, 1)]],
    "Y": [[(0, 0), (0.3, 0.5), (0.6, 0)], [(0.3, 0.5), (0.3, 1)]],
    "Z": [[(0, 0), (0.54, 0), (0, 1), (0.54, 1)]],
}
SPACE = 0.36


def letters(words: str, gap: float) -> tuple[list[Line], float]:
    """Return the strokes of `words`, one letter high, and how wide they run; `gap` is the space
    between.
    """
    x = 0.0
    lines: list[Line] = []
    for letter in words:
        strokes = GLYPHS.get(letter, [])
        lines += [[(x + px, py) for px, py in stroke] for stroke in strokes]
        x += max((px for stroke in strokes for px, _ in stroke), default=SPACE - gap) + gap
    return lines, x - gap


def straight(
    words: str, cy: float, height: float, width: float, weight: float, colour: str
) -> list[Shape]:
    """Lay `words` out on a straight line centred on (0, `cy`), stretched to fill `width`."""
    if not words:
        return []
    lines, natural = letters(words, gap=0.3)
    sx = width / natural
    return [
        Stroke(
            [((px - natural / 2) * sx, cy + (py - 0.5) * height) for px, py in line], weight, colour
        )
        for line in lines
    ]


def curved(
    words: str, radius: float, height: float, middle: float, weight: float, colour: str
) -> list[Shape]:
    """Lay `words` out along a circle, centred on the angle `middle` (270 is the top, 90 the foot).

    On the upper half the letters stand with their feet towards the centre, on the lower half with
    their heads towards it, so both read from left to right.
    """
    lines, natural = letters(words, gap=0.42)
    upper = middle > 180
    turn = 1 if upper else -1

    def bend(point: Point) -> Point:
        angle = math.radians(middle) + turn * (point[0] - natural / 2) * height / radius
        out = radius + turn * (0.5 - point[1]) * height
        return out * math.cos(angle), out * math.sin(angle)

    return [Stroke([bend(p) for p in finely(line)], weight, colour) for line in lines]


def finely(line: Line) -> Line:
    """Cut each piece of a line in four, so that it can be bent round a circle."""
    cut = [
        (a[0] + (b[0] - a[0]) * i / 4, a[1] + (b[1] - a[1]) * i / 4)
        for a, b in itertools.pairwise(line)
        for i in range(4)
    ]
    return [*cut, line[-1]]


# --- parts of a seal ---------------------------------------------------------------------------------------


def star(cx: float, cy: float, radius: float, colour: str) -> Fill:
    """Return a five-pointed star that stands upright."""
    corners = [
        (radius if i % 2 == 0 else radius * 0.42, math.radians(270 + 36 * i)) for i in range(10)
    ]
    return Fill([(cx + r * math.cos(a), cy + r * math.sin(a)) for r, a in corners], colour)


def cogged(outer: float, inner: float, teeth: int, colour: str) -> Fill:
    """Return a disc with a wavy rim, as stamped seals have; the waves lie between `inner` and
    `outer`.
    """
    middle, swing = (outer + inner) / 2, (outer - inner) / 2
    steps = teeth * 12
    turns = [2 * math.pi * i / steps for i in range(steps)]
    radii = [middle + swing * math.cos(teeth * a) for a in turns]
    return Fill(
        [(r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, turns, strict=True)], colour
    )


def tick(cx: float, cy: float, size: float, weight: float, colour: str) -> Stroke:
    """Return a tick mark about `size` wide."""
    return Stroke(
        [(cx - size / 2, cy), (cx - size / 7, cy + size * 0.36), (cx + size / 2, cy - size * 0.42)],
        weight,
        colour,
    )


def block(
    half_width: float, half_height: float, corner: float, colour: str, cy: float = 0.0
) -> Fill:
    """Return a filled rectangle with round corners, centred on (0, `cy`)."""
    x, y = half_width - corner, half_height - corner
    turns = [(x, y, 0), (-x, y, 90), (-x, -y, 180), (x, -y, 270)]
    return Fill(
        [p for cx, dy, a in turns for p in arc(cx, cy + dy, corner, corner, a, a + 90, 8)], colour
    )


def hexagon(radius: float) -> Line:
    """Return the corners of a hexagon that stands on a side, the first one repeated at the end."""
    return [
        (radius * math.cos(math.radians(60 * i)), radius * math.sin(math.radians(60 * i)))
        for i in range(7)
    ]


def frame(colour: str, above: str, below: str) -> list[Shape]:
    """Return the inspection seal's frame: a solid band with pale ring text between two fine rings."""
    shapes: list[Shape] = [Ring(95, 6, colour), Ring(75, 25, colour), Ring(56.5, 3, colour)]
    shapes += curved(above, 75, 14.5, 270, 3.4, PAPER)
    return [*shapes, *curved(below, 75, 14.5, 90, 3.4, PAPER)]


def plate(colour: str, words: str, width: float) -> list[Shape]:
    """Return the solid plate across the seal with its pale word."""
    return [
        block(100, 23, 5, PAPER, 6),
        block(97, 20, 4, colour, 6),
        *straight(words, 6, 23, width, 6.6, PAPER),
    ]


# --- the seals ---------------------------------------------------------------------------------------------


def qc_tested() -> list[Shape]:
    """Return the project's own stamp: QC, TESTED on a plate, and a tick."""
    return [
        *frame(INK, "QUALITY CONTROL", "STAMPGATE"),
        *straight("QC", -33, 20, 42, 8, INK),
        tick(0, 42, 20, 6, INK),
        *plate(INK, "TESTED", 156),
    ]


def qc_rejected() -> list[Shape]:
    """Return the same frame with the opposite words and a cross."""
    cross: list[Shape] = [Stroke([(-8, 37), (8, 48)], 6, INK), Stroke([(8, 37), (-8, 48)], 6, INK)]
    words = straight("NO", -33, 20, 42, 8, INK)
    return [*frame(INK, "DO NOT SHIP", "REWORK"), *words, *cross, *plate(INK, "REJECTED", 166)]


def ok_passed() -> list[Shape]:
    """Return the same frame in green with other words."""
    words = straight("OK", -33, 20, 42, 8, GREEN)
    return [
        *frame(GREEN, "FINAL INSPECTION", "LINE FOUR"),
        *words,
        tick(0, 42, 20, 6, GREEN),
        *plate(GREEN, "PASSED", 156),
    ]


def blank_frame() -> list[Shape]:
    """Return the stamp's rings and plate with no word on them."""
    rings: list[Shape] = [Ring(95, 6, INK), Ring(75, 25, INK), Ring(56.5, 3, INK)]
    return [*rings, *plate(INK, "", 1)]


def hexagon_seal() -> list[Shape]:
    """Return a six-sided seal in the same ink."""
    return [
        Stroke(hexagon(96), 6, INK),
        Fill(hexagon(84), INK),
        *straight("HAND", -32, 26, 76, 6.5, PAPER),
        *straight("PACKED", 10, 26, 122, 6.5, PAPER),
        star(-24, 46, 9, PAPER),
        star(0, 46, 9, PAPER),
        star(24, 46, 9, PAPER),
    ]


def square_seal() -> list[Shape]:
    """Return a square red seal."""
    edge = block(94, 94, 10, RED).points
    return [
        Stroke([*edge, edge[0]], 7, RED),
        block(80, 27, 3, RED, -46),
        *straight("BATCH", -46, 32, 128, 7, PAPER),
        *straight("HELD FOR", 14, 24, 134, 6.5, RED),
        *straight("REVIEW", 56, 24, 116, 6.5, RED),
    ]


def double_ring() -> list[Shape]:
    """Return another round seal in the same ink: two open rings, no band, no plate."""
    return [
        Ring(95, 8, INK),
        Ring(59, 4, INK),
        *curved("FRESHLY BAKED", 76, 17, 270, 4.5, INK),
        *curved("EVERY DAY", 76, 17, 90, 4.5, INK),
        star(-76, 0, 9, INK),
        star(76, 0, 9, INK),
        *straight("BIO", -6, 40, 74, 9, INK),
        Stroke([(-30, 30), (30, 30)], 5, INK),
    ]


def cogged_seal() -> list[Shape]:
    """Return a solid seal with a wavy rim and a large star."""
    return [
        cogged(98, 90, 28, INK),
        Ring(80, 4, PAPER),
        *curved("BEST CHOICE", 63, 16, 270, 4.5, PAPER),
        *curved("AWARD", 63, 16, 90, 4.5, PAPER),
        star(0, 2, 42, PAPER),
    ]


# --- the two back ends -------------------------------------------------------------------------------------


def svg(shapes: Sequence[Shape], title: str) -> str:
    """Return the shapes as one SVG document."""
    body = "\n".join(f"  {svg_shape(shape)}" for shape in shapes)
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-100 -100 200 200" width="512" height="512"'
    look = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
    return f"{head} {look}>\n  <title>{title}</title>\n{body}\n</svg>\n"


def svg_shape(shape: Shape) -> str:
    """Return one shape as one SVG element."""
    if isinstance(shape, Ring):
        return (
            f'<circle r="{shape.radius:g}" stroke="{shape.colour}" stroke-width="{shape.width:g}"/>'
        )
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in shape.points)
    if isinstance(shape, Fill):
        return f'<polygon points="{points}" fill="{shape.colour}"/>'
    return f'<polyline points="{points}" stroke="{shape.colour}" stroke-width="{shape.width:g}"/>'


def paint(shapes: Sequence[Shape]) -> Image.Image:
    """Return the shapes as a picture of PIXELS by PIXELS, RGBA, transparent wherever nothing was
    drawn.
    """
    side = PIXELS * OVERSAMPLE
    large = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(large)
    for shape in shapes:
        paint_shape(pen, shape, side / 200)
    return large.resize((PIXELS, PIXELS), Image.Resampling.BOX)


def paint_shape(pen: ImageDraw.ImageDraw, shape: Shape, scale: float) -> None:
    """Paint one shape; `scale` is in pixels a drawing unit."""
    if isinstance(shape, Ring):
        reach, middle = (shape.radius + shape.width / 2) * scale, 100 * scale
        box = (middle - reach, middle - reach, middle + reach, middle + reach)
        pen.ellipse(box, outline=shape.colour, width=round(shape.width * scale))
        return
    points = [((x + 100) * scale, (y + 100) * scale) for x, y in shape.points]
    if isinstance(shape, Fill):
        pen.polygon(points, fill=shape.colour)
        return
    pen.line(points, fill=shape.colour, width=round(shape.width * scale))
    reach = shape.width * scale / 2
    for x, y in points:
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=shape.colour)


def mirrored(shapes: Sequence[Shape]) -> list[Shape]:
    """Return the shapes as a print from the wrong side of the film shows them."""

    def flip(shape: Shape) -> Shape:
        if isinstance(shape, Ring):
            return shape
        points = [(-x, y) for x, y in shape.points]
        return (
            Fill(points, shape.colour)
            if isinstance(shape, Fill)
            else Stroke(points, shape.width, shape.colour)
        )

    return [flip(shape) for shape in shapes]


def write(folder: Path, name: str, shapes: Sequence[Shape]) -> None:
    """Write one seal as NAME.svg and NAME.png."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_text(svg(shapes, name), encoding="utf-8")
    paint(shapes).save(folder / f"{name}.png", optimize=True)


def write_half(folder: Path) -> None:
    """Write the stamp with its right side cut away, two fifths of its width left."""
    keep = 80  # of 200 units
    text = svg(qc_tested(), "half-qc-tested")
    cut = text.replace(
        'viewBox="-100 -100 200 200" width="512"',
        f'viewBox="-100 -100 {keep} 200" width="{PIXELS * keep // 200}"',
    )
    (folder / "half-qc-tested.svg").write_text(cut, encoding="utf-8")
    whole = paint(qc_tested())
    ImageOps.crop(whole, (0, 0, PIXELS - PIXELS * keep // 200, 0)).save(
        folder / "half-qc-tested.png", optimize=True
    )


def main() -> None:
    """Write every seal beside this script."""
    write(HERE, "qc-tested", qc_tested())
    others = HERE / "lookalikes"
    write(others, "mirrored-qc-tested", mirrored(qc_tested()))
    write(others, "no-rejected", qc_rejected())
    write(others, "ok-passed", ok_passed())
    write(others, "blank-frame", blank_frame())
    write(others, "hexagon-packed", hexagon_seal())
    write(others, "square-held", square_seal())
    write(others, "ring-bio", double_ring())
    write(others, "cogged-award", cogged_seal())
    write_half(others)


if __name__ == "__main__":
    main()
