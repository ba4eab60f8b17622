"""Draw the project's own stamp and the seals it must not be mistaken for.

Run `PYTHONPATH=. python artwork/draw.py` from the project's root. Every seal is one list of shapes,
and two back ends read that same list: one writes SVG, the other paints the PNG. So the two files
cannot disagree, and neither needs a font, a browser or a system library: the letters are strokes,
laid out in `GLYPHS` below.

All coordinates are in drawing units: the seal's centre is (0, 0), x right, y down, and everything
lies within -100 … 100. Run again, the script writes the same drawing: the SVG byte for byte, the
PNG pixel for pixel.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageOps

from train.drawing.canvas import LONG_SIDE, Canvas, Colour, Point
from train.drawing.outlines import star_polygon

HERE = Path(__file__).resolve().parent
OVERSAMPLE = 8
"""Supersampling of the PNGs."""

INK = "#3a2a9b"  # violet stamp ink
PAPER = "#f4f1e6"  # the pale print inside solid ink
GREEN = "#1f7a45"
RED = "#b3202c"

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
    """A circle about the centre; `radius` runs to the middle of its line of thickness `width`."""

    radius: float
    width: float
    colour: str


Shape = Stroke | Fill | Ring


# --- letters ----------------------------------------------------------------------------------


def arc(
    cx: float, cy: float, rx: float, ry: float, start: float, end: float, steps: int = 14
) -> Line:
    """Return points on an ellipse from `start` to `end`, in degrees: 0 is right, 90 is down."""
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


ROUND = arc(0.32, 0.5, 0.32, 0.5, 0, 360, 32)
ESS = arc(0.27, 0.26, 0.26, 0.26, 325, 90) + arc(0.27, 0.75, 0.28, 0.25, 270, 505)[1:]

# Each letter: its strokes on a box 1 high (y is 0 at the top, 1 at the foot line), as wide as they.
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
    """Return the strokes of `words`, one letter high, and their width, with `gap` between."""
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

    def put(point: Point) -> Point:
        return (point[0] - natural / 2) * sx, cy + (point[1] - 0.5) * height

    return [Stroke([put(point) for point in line], weight, colour) for line in lines]


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
        (ax + (bx - ax) * i / 4, ay + (by - ay) * i / 4)
        for (ax, ay), (bx, by) in itertools.pairwise(line)
        for i in range(4)
    ]
    return [*cut, line[-1]]


# --- parts of a seal --------------------------------------------------------------------------


def star(cx: float, cy: float, radius: float, colour: str) -> Fill:
    """Return a five-pointed star that stands upright."""
    return Fill(star_polygon((cx, cy), radius, 5, inner=0.42, first_deg=270), colour)


def cogged(outer: float, inner: float, teeth: int, colour: str) -> Fill:
    """Return a disc with a wavy rim, as stamped seals have, between `inner` and `outer`."""
    middle, swing = (outer + inner) / 2, (outer - inner) / 2
    turns = [2 * math.pi * i / (teeth * 12) for i in range(teeth * 12)]
    rim = [(middle + swing * math.cos(teeth * a), a) for a in turns]
    return Fill([(r * math.cos(a), r * math.sin(a)) for r, a in rim], colour)


def tick(cx: float, cy: float, size: float, weight: float, colour: str) -> Stroke:
    """Return a tick mark about `size` wide."""
    left, elbow = (cx - size / 2, cy), (cx - size / 7, cy + size * 0.36)
    return Stroke([left, elbow, (cx + size / 2, cy - size * 0.42)], weight, colour)


def block(half_w: float, half_h: float, corner: float, colour: str, cy: float = 0.0) -> Fill:
    """Return a filled rectangle with round corners, centred on (0, `cy`)."""
    x, y = half_w - corner, half_h - corner
    turns = [(x, y, 0), (-x, y, 90), (-x, -y, 180), (x, -y, 270)]
    corners = [arc(cx, cy + dy, corner, corner, a, a + 90, 8) for cx, dy, a in turns]
    return Fill(list(itertools.chain(*corners)), colour)


def hexagon(radius: float) -> Line:
    """Return the corners of a hexagon that stands on a side, the first one repeated at the end."""
    return arc(0, 0, radius, radius, 0, 360, steps=6)


def frame(colour: str, above: str, below: str) -> list[Shape]:
    """Return the inspection seal's frame: a solid band with pale words between two fine rings."""
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


# --- the seals --------------------------------------------------------------------------------


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
    inside = [*straight("OK", -33, 20, 42, 8, GREEN), tick(0, 42, 20, 6, GREEN)]
    return [*frame(GREEN, "FINAL INSPECTION", "LINE FOUR"), *inside, *plate(GREEN, "PASSED", 156)]


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
        *(star(x, 46, 9, PAPER) for x in (-24, 0, 24)),
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


# --- the two back ends ------------------------------------------------------------------------


def svg(shapes: Sequence[Shape], title: str) -> str:
    """Return the shapes as one SVG document."""
    body = "\n".join(f"  {svg_shape(shape)}" for shape in shapes)
    size = 'viewBox="-100 -100 200 200" width="512" height="512"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
    style = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
    return f"{head} {style}>\n  <title>{title}</title>\n{body}\n</svg>\n"


def svg_shape(shape: Shape) -> str:
    """Return one shape as one SVG element."""
    if isinstance(shape, Fill):
        return f'<polygon points="{svg_points(shape.points)}" fill="{shape.colour}"/>'
    stroke = f'stroke="{shape.colour}" stroke-width="{shape.width:g}"'
    if isinstance(shape, Ring):
        return f'<circle r="{shape.radius:g}" {stroke}/>'
    return f'<polyline points="{svg_points(shape.points)}" {stroke}/>'


def svg_points(points: Sequence[Point]) -> str:
    """Return points as SVG writes them."""
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def paint(shapes: Sequence[Shape]) -> Image.Image:
    """Return the shapes as a square picture, RGBA, transparent wherever nothing was drawn."""
    canvas = Canvas(oversample=OVERSAMPLE)
    for shape in shapes:
        red, green, blue = ImageColor.getrgb(shape.colour)[:3]
        colour: Colour = (red, green, blue)
        if isinstance(shape, Ring):
            canvas.ring(shape.radius, shape.width, colour)
        elif isinstance(shape, Fill):
            canvas.polygon(np.array(shape.points), colour)
        else:
            canvas.line(np.array(shape.points), shape.width, colour, discs=True)
    # The committed pictures were reduced this way, which rounds half-covered pixels otherwise.
    return canvas.image.resize((LONG_SIDE, LONG_SIDE), Image.Resampling.BOX)


def mirrored(shapes: Sequence[Shape]) -> list[Shape]:
    """Return the shapes as a print from the wrong side of the film shows them."""

    def flip(shape: Shape) -> Shape:
        if isinstance(shape, Ring):
            return shape
        return replace(shape, points=[(-x, y) for x, y in shape.points])

    return [flip(shape) for shape in shapes]


SEALS: dict[str, list[Shape]] = {
    "qc-tested": qc_tested(),
    "lookalikes/mirrored-qc-tested": mirrored(qc_tested()),
    "lookalikes/no-rejected": qc_rejected(),
    "lookalikes/ok-passed": ok_passed(),
    "lookalikes/blank-frame": blank_frame(),
    "lookalikes/hexagon-packed": hexagon_seal(),
    "lookalikes/square-held": square_seal(),
    "lookalikes/ring-bio": double_ring(),
    "lookalikes/cogged-award": cogged_seal(),
}
"""Each whole seal by its file's name below this folder, without the ending."""


def write(name: str, shapes: Sequence[Shape]) -> None:
    """Write one seal as NAME.svg and NAME.png."""
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".svg").write_text(svg(shapes, path.name), encoding="utf-8")
    paint(shapes).save(path.with_suffix(".png"), optimize=True)


def write_half() -> None:
    """Write the stamp with its right side cut away, two fifths of its width left."""
    keep = 80  # of 200 units
    text = svg(qc_tested(), "half-qc-tested")
    width = LONG_SIDE * keep // 200
    whole_box, half_box = 'viewBox="-100 -100 200 200" width="512"', f'{keep} 200" width="{width}"'
    cut = text.replace(whole_box, f'viewBox="-100 -100 {half_box}')
    path = HERE / "lookalikes" / "half-qc-tested.svg"
    path.write_text(cut, encoding="utf-8")
    half = ImageOps.crop(paint(qc_tested()), (0, 0, LONG_SIDE - width, 0))
    half.save(path.with_suffix(".png"), optimize=True)


def main() -> None:
    """Write every seal beside this script."""
    for name, shapes in SEALS.items():
        write(name, shapes)
    write_half()


if __name__ == "__main__":
    main()
