"""Render the sample frames that the demo inspects: product pictures of the project's own making.

Run `PYTHONPATH=. python artwork/render_samples.py` from the project's root, after
`artwork/draw.py`. It writes twelve frames of 1280 x 960 pixels into edge/default/samples and their
labels.json (COCO layout) beside that folder, which the demo replays file by file. Half of the
frames carry the QC TESTED stamp; the others carry none, or a look-alike, a mirrored print, or half
a stamp.

The scene is a small world measured in centimetres: x right, y away from the camera, z up, the belt
at z = 0. A pinhole camera looks down on it. Boxes are drawn face by face in perspective, cans by
casting a ray for each pixel. A stamp is printed on the flat face before the face is set into the
picture, and a mask of it goes the same way, so its box in the labels is read off the very pixels
that show it.
"""

import json
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from train.drawing.canvas import Colour, Point, print_mask
from train.drawing.codes import bars
from train.drawing.colours import shade
from train.drawing.lettering import fit_words, typeface, word_tile
from train.drawing.perspective import Quad, place
from train.drawing.texture import patches

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "edge" / "default" / "samples"
SIZE = (1280, 960)
OVERSAMPLE = 2  # supersampling: rendered this many times larger, then averaged down
BIG = (SIZE[0] * OVERSAMPLE, SIZE[1] * OVERSAMPLE)
QUALITY = 86
SCALE = 40  # pixels per centimetre on the flat faces

CAMERA = (0.0, -67.0, 63.0)  # centimetres
TARGET = (0.0, 0.0, 7.0)  # what it looks at
FOCAL = 1.62 * BIG[0]  # pixels

Vector = npt.NDArray[np.float64]
Face = tuple[Image.Image, Image.Image]
"""A printed face (RGB or RGBA) and the mask of the stamp on it (L)."""

PAPER: Colour = (248, 247, 243)
NIGHT: Colour = (30, 34, 44)


# --- camera -----------------------------------------------------------------------------------


def unit(v: Vector) -> Vector:
    """Return the vector at length one."""
    return np.asarray(v / np.linalg.norm(v))


EYE = np.array(CAMERA)
FORWARD = unit(np.array(TARGET) - EYE)
RIGHT = unit(np.cross(FORWARD, [0.0, 0.0, 1.0]))
DOWN = np.cross(FORWARD, RIGHT)


def project(x: float, y: float, z: float) -> Point:
    """Return where a point of the world lies in the large picture, in pixels."""
    to = np.array([x, y, z]) - EYE
    across, down, depth = (float(to @ axis) for axis in (RIGHT, DOWN, FORWARD))
    return BIG[0] / 2 + FOCAL * across / depth, BIG[1] / 2 + FOCAL * down / depth


# --- stamps -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Print:
    """A seal printed on a face.

    `seal`: file name below artwork, without its ending. `at`: its centre, as shares of the face's
    width and height. `across`: its width in centimetres. `turn`: degrees, anticlockwise. `ink`:
    printed, so that the ground shows through; otherwise stuck on. Only the stamp itself is
    labelled.
    """

    seal: str
    at: Point
    across: float
    turn: float = 0.0
    ink: bool = True


def stamped(face: Image.Image, prints: Sequence[Print], rng: np.random.Generator) -> Face:
    """Return the face with the prints on it, and the mask of the true stamp."""
    mask = Image.new("L", face.size)
    printed = face.copy()
    for one in prints:
        with Image.open(HERE / f"{one.seal}.png") as picture:
            seal = picture.convert("RGBA")
        width = round(one.across * SCALE)
        height = round(width * seal.height / seal.width)
        sized = seal.resize((width, height), Image.Resampling.LANCZOS)
        turned = sized.rotate(one.turn, Image.Resampling.BICUBIC, expand=True)
        x, y = (
            one.at[0] * face.width - turned.width / 2,
            one.at[1] * face.height - turned.height / 2,
        )
        at = round(x), round(y)
        _press(printed, turned, at, one.ink, rng)
        if one.seal == "qc-tested":
            print_mask(mask, turned.getchannel("A"), at, (255,))
    return printed, mask


def _press(
    face: Image.Image, seal: Image.Image, at: tuple[int, int], ink: bool, rng: np.random.Generator
) -> None:
    """Print one seal: as ink it darkens its ground and takes unevenly, as a sticker it covers."""
    rgb, alpha = seal.convert("RGB"), seal.getchannel("A")
    if ink:
        below = face.convert("RGB").crop((*at, at[0] + seal.width, at[1] + seal.height))
        rgb = Image.blend(ImageChops.multiply(rgb, below), rgb, 0.35)
        wear = patches(rng, seal.size, (9, 9), (214, 255), Image.Resampling.BICUBIC)
        alpha = ImageChops.multiply(alpha, wear)
    face.paste(rgb, at, alpha)


# --- package designs --------------------------------------------------------------------------


def blank(width: float, height: float, colour: Colour) -> Image.Image:
    """Return an empty face of a size in centimetres."""
    return Image.new("RGB", (round(width * SCALE), round(height * SCALE)), colour)


def words(
    face: Image.Image,
    text: str,
    box: tuple[float, float, float, float],
    ink: Colour,
    weight: int = 1,
) -> None:
    """Print words into a box (left, top, width, height) of shares of the face, bolder by weight."""
    left, width = (round(share * face.width) for share in box[::2])
    top, height = (round(share * face.height) for share in box[1::2])
    tile = word_tile(text, 3 * weight, 200)
    fit_words(face, tile, (left, top, width, height), ink, Image.Resampling.LANCZOS)


def text_block(
    face: Image.Image, lines: Sequence[str], at: Point, height: float, ink: Colour
) -> None:
    """Print lines of small text at a point given as shares of the face; `height` in centimetres."""
    where, font = (at[0] * face.width, at[1] * face.height), typeface(round(height * SCALE))
    text, gap = "\n".join(lines), round(height * 14)
    ImageDraw.Draw(face).text(where, text, ink, font, spacing=gap)


def bar_code(face: Image.Image, at: Point, width: float, rng: np.random.Generator) -> None:
    """Print a bar code `width` centimetres wide, its corner at a point in shares of the face."""
    x, y = at[0] * face.width, at[1] * face.height
    wide, high = width * SCALE, width * SCALE * 0.55
    pen = ImageDraw.Draw(face)
    pen.rectangle((x, y, x + wide, y + high), fill=PAPER)
    widths = rng.integers(1, 4, 47).tolist()
    for left, bar in bars(widths, x + wide * 0.06, wide * 0.88 / sum(widths)):
        pen.rectangle((left, y + high * 0.08, left + bar, y + high * 0.74), fill=NIGHT)
    digits = " ".join("".join(str(d) for d in rng.integers(0, 10, 6)) for _ in range(2))
    font = typeface(round(high * 0.2))
    pen.text((x + wide / 2, y + high * 0.97), digits, NIGHT, font, anchor="ms")


def disc(face: Image.Image, at: Point, reach: float, colour: Colour) -> None:
    """Draw a filled circle; `at` as shares of the face, `reach` in centimetres."""
    x, y, r = at[0] * face.width, at[1] * face.height, reach * SCALE
    ImageDraw.Draw(face).ellipse((x - r, y - r, x + r, y + r), fill=colour)


def wave(face: Image.Image, level: float, swing: float, colour: Colour) -> None:
    """Fill everything below a wavy line; `level` and `swing` as shares of the face's height."""
    w, h = face.size
    swings = [(x, swing * math.sin(2 * math.pi * x / w + 0.6)) for x in range(0, w + 8, 8)]
    line = [(x, h * (level + rise)) for x, rise in swings]
    ImageDraw.Draw(face).polygon([*line, (w, h), (0, h)], fill=colour)


Faces = tuple[Image.Image, Image.Image, Image.Image]
"""Front, side and top of a box, not yet stamped."""


def milk(rng: np.random.Generator) -> Faces:
    """Return a carton of milk, 13 x 9 x 22 cm."""
    blue, sky, leaf = (24, 84, 160), (116, 178, 226), (70, 150, 84)
    front = blank(13, 22, PAPER)
    wave(front, 0.62, 0.05, sky)
    wave(front, 0.70, 0.05, blue)
    words(front, "FJORD", (0.1, 0.08, 0.8, 0.13), blue, 3)
    words(front, "fresh whole milk", (0.16, 0.245, 0.68, 0.045), blue)
    words(front, "3.5% fat", (0.1, 0.88, 0.36, 0.045), PAPER, 2)
    words(front, "1 litre", (0.62, 0.88, 0.28, 0.045), PAPER, 2)
    side = blank(9, 22, PAPER)
    wave(side, 0.62, 0.05, sky)
    wave(side, 0.70, 0.05, blue)
    words(side, "FJORD", (0.2, 0.08, 0.6, 0.07), blue, 2)
    facts = ["per 100 ml", "energy   268 kJ", "fat   3.5 g", "protein   3.4 g", "salt   0.1 g"]
    text_block(side, facts, (0.16, 0.22), 0.62, NIGHT)
    bar_code(side, (0.22, 0.8), 5.0, rng)
    return front, side, blank(13, 9, leaf)


def crispbread(rng: np.random.Generator) -> Faces:
    """Return a box of crispbread, 24 x 8 x 17 cm."""
    gold, rust, cream = (232, 172, 52), (168, 68, 30), (252, 240, 208)
    front = blank(24, 17, gold)
    wave(front, 0.72, -0.06, rust)
    for i in range(5):
        x = 0.09 + 0.075 * i
        disc(front, (x, 0.62 + 0.06 * (i % 2)), 1.5, (196, 138, 72))
        disc(front, (x, 0.61 + 0.06 * (i % 2)), 1.2, (222, 172, 104))
    words(front, "HAVERN", (0.06, 0.09, 0.52, 0.2), rust, 4)
    words(front, "rye crispbread with seeds", (0.065, 0.34, 0.46, 0.055), rust)
    words(front, "275 g", (0.06, 0.87, 0.12, 0.06), cream, 2)
    side = blank(8, 17, cream)
    ingredients = ["Ingredients:", "rye flour,", "sesame,", "sunflower", "seeds, salt."]
    text_block(side, ingredients, (0.12, 0.1), 0.6, rust)
    bar_code(side, (0.15, 0.72), 5.4, rng)
    top = blank(24, 8, gold)
    words(top, "HAVERN", (0.25, 0.3, 0.5, 0.36), rust, 4)
    return front, side, top


def shipping(rng: np.random.Generator) -> Faces:
    """Return a brown shipping box, 30 x 22 x 20 cm, with tape and a label."""
    kraft, dark, tape = (196, 156, 108), (96, 66, 38), (214, 186, 140)
    front = blank(30, 20, kraft)
    words(front, "FRAGILE", (0.06, 0.1, 0.34, 0.14), dark, 3)
    for i in range(2):
        x, y = (0.09 + 0.12 * i) * front.width, 0.72 * front.height
        pen = ImageDraw.Draw(front)
        pen.line((x, y + 90, x, y - 20), dark, 16)
        pen.polygon([(x - 44, y - 10), (x, y - 76), (x + 44, y - 10)], fill=dark)
    text_block(front, ["THIS SIDE UP", "24 x 500 g"], (0.05, 0.88), 0.55, dark)
    side = blank(22, 20, kraft)
    words(side, "24", (0.1, 0.14, 0.24, 0.2), dark, 2)
    label = (0.42 * side.width, 0.3 * side.height, 0.92 * side.width, 0.78 * side.height)
    ImageDraw.Draw(side).rectangle(label, fill=PAPER)
    text_block(side, ["To: Warehouse 3", "Dock B", "Order 40-2219"], (0.46, 0.34), 0.7, NIGHT)
    bar_code(side, (0.47, 0.54), 8.0, rng)
    top = blank(30, 22, kraft)
    ImageDraw.Draw(top).rectangle((0, 0.42 * top.height, top.width, 0.58 * top.height), fill=tape)
    return front, side, top


def relay(rng: np.random.Generator) -> Faces:
    """Return a box of an electrical part, 20 x 14 x 12 cm."""
    slate, orange = (226, 229, 232), (232, 112, 30)
    front = blank(20, 12, slate)
    pen = ImageDraw.Draw(front)
    pen.rectangle((0, 0, front.width, 0.24 * front.height), fill=NIGHT)
    words(front, "RELAY", (0.05, 0.055, 0.26, 0.135), PAPER, 2)
    words(front, "24 V DC", (0.68, 0.07, 0.26, 0.11), orange, 2)
    lines = ["Type  KR-4 / 2 c/o", "Contacts  8 A  250 V~", "Coil  24 V DC  0.4 W", "Qty  20 pcs"]
    text_block(front, lines, (0.05, 0.32), 0.72, NIGHT)
    bar_code(front, (0.05, 0.72), 5.2, rng)
    side = blank(14, 12, slate)
    ImageDraw.Draw(side).rectangle((0, 0, side.width, 0.24 * side.height), fill=orange)
    words(side, "KR-4", (0.12, 0.4, 0.5, 0.24), NIGHT, 3)
    top = blank(20, 14, slate)
    ImageDraw.Draw(top).rectangle((0, 0.8 * top.height, top.width, top.height), fill=NIGHT)
    words(top, "KR-4 relay", (0.06, 0.12, 0.36, 0.12), NIGHT, 1)
    return front, side, top


def tea(rng: np.random.Generator) -> Faces:
    """Return a dark green box of tea, 16 x 10 x 13 cm."""
    green, mint, brass = (20, 66, 52), (128, 182, 140), (222, 186, 102)
    front = blank(16, 13, green)
    pen = ImageDraw.Draw(front)
    pen.rectangle((24, 24, front.width - 24, front.height - 24), outline=brass, width=7)
    words(front, "TEA GARDEN", (0.1, 0.12, 0.8, 0.14), brass, 2)
    words(front, "first flush  50 bags", (0.14, 0.31, 0.5, 0.06), mint)
    for i in range(3):
        x, y = (0.16 + 0.1 * i) * front.width, 0.74 * front.height
        pen.ellipse((x, y - 90 + 14 * i, x + 46, y + 40 + 14 * i), fill=mint)
    side = blank(10, 13, green)
    words(side, "TEA", (0.2, 0.12, 0.6, 0.16), brass, 2)
    bar_code(side, (0.22, 0.72), 5.4, rng)
    top = blank(16, 10, green)
    words(top, "TEA GARDEN", (0.16, 0.4, 0.68, 0.16), brass, 2)
    return front, side, top


def tomato_label(rng: np.random.Generator) -> Image.Image:
    """Return the label of a can of tomatoes, 38 x 17 cm; its middle faces the camera."""
    red, leaf, cream = (190, 30, 34), (52, 120, 56), (250, 242, 220)
    label = blank(38, 17, cream)
    pen = ImageDraw.Draw(label)
    pen.rectangle((0, 0, label.width, 0.32 * label.height), fill=red)
    pen.rectangle((0, 0.9 * label.height, label.width, label.height), fill=red)
    words(label, "POMO D'ORO", (0.355, 0.08, 0.29, 0.16), cream, 3)
    words(label, "peeled tomatoes  400 g", (0.4, 0.925, 0.2, 0.045), cream)
    for x, y in ((0.355, 0.8), (0.395, 0.8), (0.375, 0.67)):
        disc(label, (x, y), 1.5, (214, 48, 40))
        disc(label, (x, y - 0.05), 0.4, leaf)
    bar_code(label, (0.68, 0.5), 4.0, rng)
    return label


def coffee(rng: np.random.Generator) -> Image.Image:
    """Return a flat pouch of coffee, 20 x 28 cm, RGBA with toothed ends."""
    roast, sand = (196, 120, 62), (248, 232, 206)
    face = blank(20, 28, sand)
    ImageDraw.Draw(face).rectangle((0, 0, face.width, 0.1 * face.height), fill=roast)
    ImageDraw.Draw(face).rectangle((0, 0.88 * face.height, face.width, face.height), fill=roast)
    words(face, "KAFFE", (0.12, 0.15, 0.76, 0.12), roast, 3)
    words(face, "No. 7  dark roast", (0.2, 0.3, 0.6, 0.04), roast)
    for i in range(6):
        disc(face, (0.16 + 0.05 * i, 0.8 + 0.02 * (i % 2)), 0.55, (110, 66, 36))
    bar_code(face, (0.62, 0.74), 6.0, rng)
    y, x = np.mgrid[0 : face.height, 0 : face.width]
    creases = patches(rng, face.size, (6, 7), (176, 255), Image.Resampling.BICUBIC)
    light = np.asarray(creases, np.float64) / 235
    bright = np.minimum(np.asarray(face) * light[..., None], 255).astype(np.uint8)
    tooth = 12 * np.abs((x / 24) % 2 - 1)
    side = 14 * np.sin(math.pi * y / face.height)
    inside = (y > tooth) & (y < face.height - tooth) & (x > side) & (x < face.width - side)
    alpha = Image.fromarray(inside.astype(np.uint8) * 255)
    return Image.merge("RGBA", (*Image.fromarray(bright).split(), alpha))


# --- the world --------------------------------------------------------------------------------


class Scene:
    """A large picture and, beside it, one mask for each stamp that was set into it."""

    def __init__(self, ground: Image.Image) -> None:
        self.picture = ground
        self.masks: list[Image.Image] = []

    def face(self, face: Face, quad: Quad, light: float) -> None:
        """Set one face in perspective; *light* is 1 where the lamp shines straight on it."""
        printed, mask = face
        place(self.picture, lit(printed, light), quad)
        self.keep(mask, quad)

    def keep(self, mask: Image.Image, quad: Quad) -> None:
        """Keep the mask of a stamp as it appears in the picture."""
        if mask.getbbox() is not None:
            seen = Image.new("L", BIG)
            place(seen, mask, quad)
            self.masks.append(seen)

    def boxes(self) -> list[tuple[float, float, float, float]]:
        """Return the bounding box (left, top, width, height) of each stamp, in frame pixels."""
        found = []
        for mask in self.masks:
            box = mask.point([0] * 110 + [255] * 146).getbbox()
            if box is not None:
                left, top, right, bottom = (edge / OVERSAMPLE for edge in box)
                found.append((left, top, right - left, bottom - top))
        return found

    def finished(self, rng: np.random.Generator) -> Image.Image:
        """Return the frame as the camera delivers it: its size, a vignette, a little noise."""
        small = self.picture.resize(SIZE, Image.Resampling.BOX)
        y, x = np.mgrid[-1 : 1 : SIZE[1] * 1j, -1 : 1 : SIZE[0] * 1j]
        vignette = 1.03 - 0.1 * (x**2 + y**2) + 0.04 * x
        grain = rng.normal(0, 1.3, (SIZE[1], SIZE[0]))
        levels = np.asarray(small, np.float64) * vignette[..., None] + grain[..., None]
        return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def lit(face: Image.Image, light: float) -> Image.Image:
    """Return the face under a light; a slope from top to foot keeps it from looking cut out."""
    slope = np.linspace(255, 226, 32).astype(np.uint8)[:, None].repeat(2, axis=1)
    grey = Image.fromarray(slope).resize(face.size, Image.Resampling.BILINEAR)
    grey = grey.point([round(i * light) for i in range(256)])
    shaded = ImageChops.multiply(face.convert("RGB"), Image.merge("RGB", (grey, grey, grey)))
    if face.mode == "RGBA":
        shaded.putalpha(face.getchannel("A"))
    return shaded


def turned_about(at: Point, yaw: float) -> Callable[[float, float, float], Point]:
    """Return the projection of an item's own coordinates; it stands `at`, turned by `yaw`."""
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))

    def corner(x: float, y: float, z: float) -> Point:
        return project(at[0] + c * x - s * y, at[1] + s * x + c * y, z)

    return corner


def set_box(
    scene: Scene,
    faces: Sequence[Face],
    size: tuple[float, float, float],
    at: Point,
    yaw: float,
) -> None:
    """Stand a box on the belt: `faces` are front, side, top; `size` is w, d, h in cm."""
    w, d, h = size
    corner = turned_about(at, yaw)
    l, r, n, f = -w / 2, w / 2, -d / 2, d / 2  # noqa: E741 — left, right, near, far
    ground_shadow(scene.picture, [corner(x, y, 0) for x, y in ((l, f), (r, f), (r, n), (l, n))])
    sides: tuple[tuple[Face, Quad, float], ...] = (
        (faces[1], (corner(r, n, h), corner(r, f, h), corner(r, f, 0), corner(r, n, 0)), 0.74),
        (faces[1], (corner(l, f, h), corner(l, n, h), corner(l, n, 0), corner(l, f, 0)), 0.82),
        (faces[2], (corner(l, f, h), corner(r, f, h), corner(r, n, h), corner(l, n, h)), 1.0),
        (faces[0], (corner(l, n, h), corner(r, n, h), corner(r, n, 0), corner(l, n, 0)), 0.94),
    )
    for face, quad, light in sides:
        if faces_camera(quad):
            scene.face(face, quad, light)


def faces_camera(quad: Quad) -> bool:
    """Return whether the corners run clockwise on the screen: the face is seen from outside."""
    turned = zip(quad, (*quad[1:], quad[0]), strict=True)
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in turned) > 0


def lay_flat(scene: Scene, face: Face, size: Point, at: Point, yaw: float) -> None:
    """Lay a flat pouch on the belt: `size` is width and length in centimetres."""
    (w, d), corner = size, turned_about(at, yaw)
    ends = ((-w / 2, d / 2), (w / 2, d / 2), (w / 2, -d / 2), (-w / 2, -d / 2))
    a, b, c, e = (corner(x, y, 1.2) for x, y in ends)
    ground_shadow(scene.picture, [corner(x, y, 0) for x, y in ends])
    scene.face(face, (a, b, c, e), 0.98)


def circle(at: Point, radius: float, z: float, steps: int) -> list[Point]:
    """Return a level circle of the world as it lies in the large picture, its first point twice."""
    turns = np.linspace(0, 2 * math.pi, steps)
    return [project(at[0] + radius * math.cos(a), at[1] + radius * math.sin(a), z) for a in turns]


def set_can(scene: Scene, face: Face, radius: float, height: float, at: Point) -> None:
    """Stand a can on the belt; a ray is cast for each pixel, and its label wraps once round it."""
    printed, mask = face
    foot = circle(at, radius, 0, 40)
    ground_shadow(scene.picture, foot)
    rims = [*foot, *circle(at, radius, height, 40)]
    x0, y0 = math.floor(min(x for x, _ in rims)), math.floor(min(y for _, y in rims))
    x1, y1 = math.ceil(max(x for x, _ in rims)), math.ceil(max(y for _, y in rims))
    px, py = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
    across, down = (px[..., None] - BIG[0] / 2) / FOCAL, (py[..., None] - BIG[1] / 2) / FOCAL
    body, around, z = _hit_cylinder(FORWARD + across * RIGHT + down * DOWN, at, radius, height)
    u = np.clip((around / (2 * math.pi) + 0.5) * printed.width, 0, printed.width - 1)
    v = np.clip((1 - z / height) * printed.height, 0, printed.height - 1)
    source = v.astype(np.intp), u.astype(np.intp)
    light = 0.5 + 0.5 * np.cos(around + 0.3) ** 2 + 0.18 * np.exp(-(((around + 0.5) / 0.12) ** 2))
    colours = np.minimum(np.asarray(printed)[source] * light[..., None], 255).astype(np.uint8)
    wall = Image.fromarray(body.astype(np.uint8) * 255)
    scene.picture.paste(Image.fromarray(colours), (x0, y0), wall)
    seen = Image.new("L", BIG)
    seen.paste(Image.fromarray(np.where(body, np.asarray(mask)[source], 0)), (x0, y0))
    scene.masks += [seen] if seen.getbbox() is not None else []
    _draw_lid(scene.picture, at, radius, height)


def _hit_cylinder(
    rays: Vector, at: Point, radius: float, height: float
) -> tuple[npt.NDArray[np.bool_], Vector, Vector]:
    """Return for each ray whether it meets the can's wall, at which angle round it, and how high.

    The angle is 0 towards the camera and grows to the right.
    """
    ox, oy = EYE[0] - at[0], EYE[1] - at[1]
    a = rays[..., 0] ** 2 + rays[..., 1] ** 2
    b = ox * rays[..., 0] + oy * rays[..., 1]
    root = b**2 - a * (ox**2 + oy**2 - radius**2)
    t = (-b - np.sqrt(np.maximum(root, 0))) / a
    x, y, z = ox + t * rays[..., 0], oy + t * rays[..., 1], EYE[2] + t * rays[..., 2]
    return (root > 0) & (z >= 0) & (z <= height), np.arctan2(x, -y), z


def _draw_lid(picture: Image.Image, at: Point, radius: float, height: float) -> None:
    """Draw a can's lid: rings of tin, one in the other."""
    pen = ImageDraw.Draw(picture)
    for share, tone in ((1.0, 150), (0.97, 214), (0.9, 168), (0.87, 200), (0.6, 178), (0.57, 204)):
        ring = circle(at, share * radius, height, 120)
        pen.polygon(ring, fill=(tone, tone + 2, tone + 5))


def ground_shadow(picture: Image.Image, foot: Sequence[Point]) -> None:
    """Darken the belt softly round an item's foot."""
    for spread, reach, depth in ((1.16, 60, 105), (1.04, 16, 120)):
        small = Image.new("L", (BIG[0] // 4, BIG[1] // 4))
        cx, cy = sum(x for x, _ in foot) / len(foot), sum(y for _, y in foot) / len(foot)
        around = [(cx + (x - cx) * spread + 14, cy + (y - cy) * spread + 10) for x, y in foot]
        ImageDraw.Draw(small).polygon([(x / 4, y / 4) for x, y in around], fill=depth)
        soft = small.filter(ImageFilter.GaussianBlur(reach / 4))
        picture.paste((14, 15, 18), (0, 0, *BIG), soft.resize(BIG, Image.Resampling.BILINEAR))


def belt(rubber: Colour, rng: np.random.Generator) -> Image.Image:
    """Return the empty line: a belt from left to right between rails, and the hall behind it."""
    view = Image.new("RGB", BIG, (150, 156, 160))

    def across(face: Image.Image, upper: Point, lower: Point) -> None:
        """Set a face between two level edges, each at (y, z), from the left to the right."""
        left, right = ([project(x, *edge) for edge in (upper, lower)] for x in (-90, 90))
        place(view, face, (left[0], right[0], right[1], left[1]))

    across(Image.new("RGB", (64, 64), (188, 193, 196)), (60, 60), (60, -2))
    cloth = Image.new("RGB", (2400, 700), rubber)
    pen, seam = ImageDraw.Draw(cloth), shade(rubber, 0.9)
    for x in range(0, 2400, 120):
        pen.line((x, 0, x, 700), seam, 5)
    worn = patches(rng, cloth.size, (16, 6), (226, 255), Image.Resampling.BICUBIC)
    across(ImageChops.multiply(cloth, Image.merge("RGB", (worn, worn, worn))), (26, 0), (-34, 0))
    for near, far, z, tone in ((26, 31, 3, 176), (-39, -34, 3, 184)):
        rising, falling = np.linspace(tone, tone + 56, 20), np.linspace(tone + 50, tone - 40, 44)
        levels = np.concatenate([rising, falling]).astype(np.uint8)
        rail = Image.fromarray(levels[:, None].repeat(8, axis=1)).convert("RGB")
        across(rail, (far, z), (near, z))
        wall = Image.new("RGB", (8, 8), (tone - 70, tone - 68, tone - 64))
        across(wall, (near, z), (near, 0))
    return view


# --- the frames -------------------------------------------------------------------------------

GREY_BELT: Colour = (72, 76, 80)
GREEN_BELT: Colour = (48, 92, 80)
BLUE_BELT: Colour = (62, 92, 128)
WHITE_BELT: Colour = (206, 208, 206)

SIZES: dict[Callable[[np.random.Generator], Faces], tuple[float, float, float]] = {
    milk: (13, 9, 22),
    crispbread: (24, 8, 17),
    shipping: (30, 22, 20),
    relay: (20, 14, 12),
    tea: (16, 10, 13),
}


class Item(Protocol):
    """A product that stands or lies on the belt."""

    def set_down(self, scene: Scene, rng: np.random.Generator) -> None:
        """Set the product into the scene."""


@dataclass(frozen=True)
class Box:
    """A box of one of the designs at a point of the belt, with prints on its front and its top."""

    design: Callable[[np.random.Generator], Faces]
    at: Point
    yaw: float
    front: Sequence[Print] = ()
    top: Sequence[Print] = ()

    def set_down(self, scene: Scene, rng: np.random.Generator) -> None:
        """Stand the box on the belt."""
        faces, prints = self.design(rng), (self.front, (), self.top)
        dressed = [stamped(face, on, rng) for face, on in zip(faces, prints, strict=True)]
        set_box(scene, dressed, SIZES[self.design], self.at, self.yaw)


@dataclass(frozen=True)
class Can:
    """A can of tomatoes at a point of the belt."""

    at: Point
    prints: Sequence[Print]

    def set_down(self, scene: Scene, rng: np.random.Generator) -> None:
        """Stand the can on the belt."""
        label = stamped(tomato_label(rng), self.prints, rng)
        set_can(scene, label, 38 / (2 * math.pi), 17, self.at)


@dataclass(frozen=True)
class Pouch:
    """A pouch of coffee at a point of the belt."""

    at: Point
    yaw: float
    prints: Sequence[Print]

    def set_down(self, scene: Scene, rng: np.random.Generator) -> None:
        """Lay the pouch on the belt."""
        lay_flat(scene, stamped(coffee(rng), self.prints, rng), (20, 28), self.at, self.yaw)


def stamp(x: float, y: float, across: float, turn: float, ink: bool = True) -> list[Print]:
    """Return a print of the project's own stamp."""
    return [Print("qc-tested", (x, y), across, turn, ink)]


def other(
    name: str, x: float, y: float, across: float, turn: float, ink: bool = False
) -> list[Print]:
    """Return a print of one of its look-alikes, stuck on unless it is *ink*."""
    return [Print(f"lookalikes/{name}", (x, y), across, turn, ink)]


OTHER_SEALS = [
    *other("ring-bio", 0.62, 0.62, 5.4, -6),
    *other("cogged-award", 0.86, 0.26, 5.6, 8),
    *other("hexagon-packed", 0.87, 0.68, 5.2, 4),
]
REFUSED_LOT = other("no-rejected", 0.68, 0.46, 13.0, 7, ink=True)
HALF_STAMP = other("half-qc-tested", 0.93, 0.45, 3.5, 0, ink=True)  # the rest is past the edge
MIRRORED = other("mirrored-qc-tested", 0.5, 0.55, 9.5, 5, ink=True)

FRAMES: dict[str, tuple[Colour, Sequence[Item]]] = {
    "01-milk-stamped": (GREY_BELT, [Box(milk, (0, 0), -24, stamp(0.5, 0.49, 7.2, 6))]),
    "02-milk-unstamped": (GREY_BELT, [Box(milk, (3, -2), -20)]),
    "03-shipping-box-stamped": (
        GREEN_BELT,
        [Box(shipping, (-2, -3), 22, stamp(0.68, 0.46, 14.0, -9))],
    ),
    "04-shipping-box-rejected-seal": (GREEN_BELT, [Box(shipping, (1, -3), 18, REFUSED_LOT)]),
    "05-can-stamped": (BLUE_BELT, [Can((1, -3), stamp(0.535, 0.61, 6.6, -5, ink=False))]),
    "06-pouch-mirrored-print": (WHITE_BELT, [Pouch((0, -3), 14, MIRRORED)]),
    "07-relay-box-stamped": (WHITE_BELT, [Box(relay, (0, 2), 28, stamp(0.79, 0.64, 5.6, 11))]),
    "08-relay-box-half-stamp": (WHITE_BELT, [Box(relay, (-2, 0), -20, top=HALF_STAMP)]),
    "09-pouch-stamped": (GREY_BELT, [Pouch((2, -2), -17, stamp(0.5, 0.55, 10.5, 3))]),
    "10-crispbread-other-seals": (BLUE_BELT, [Box(crispbread, (0, 0), 16, OTHER_SEALS)]),
    "11-two-boxes-stamped": (
        GREEN_BELT,
        [
            Box(crispbread, (-12, 8), 12, stamp(0.78, 0.4, 7.4, -12, ink=False)),
            Box(relay, (12, -7), -16, top=stamp(0.68, 0.42, 8.2, 16)),
        ],
    ),
    "12-tea-passed-seal": (
        GREY_BELT,
        [
            Box(tea, (-12, 4), 20, other("ok-passed", 0.7, 0.66, 6.4, -8)),
            Box(crispbread, (10, -4), -18, other("blank-frame", 0.82, 0.4, 7.0, 5)),
        ],
    ),
}
"""Each frame's belt and the products on it, the far one first."""


def labels(found: dict[str, list[tuple[float, float, float, float]]]) -> str:
    """Return the boxes of all frames as COCO JSON: left, top, width, height, pixel edges."""
    images = [
        {"id": i, "file_name": f"{name}.jpg", "width": SIZE[0], "height": SIZE[1]}
        for i, name in enumerate(found, 1)
    ]
    annotations: list[dict[str, object]] = []
    for image, boxes in enumerate(found.values(), 1):
        for left, top, width, height in boxes:
            box = {"bbox": [left, top, width, height], "area": width * height, "iscrowd": 0}
            ids = {"id": len(annotations) + 1, "image_id": image, "category_id": 1}
            annotations.append({**ids, **box})
    categories = [{"id": 1, "name": "qc-tested"}]
    told = {"images": images, "annotations": annotations, "categories": categories}
    return json.dumps(told, indent=1) + "\n"


def main() -> None:
    """Render every frame, then put all of them and their labels in place."""
    SAMPLES.mkdir(parents=True, exist_ok=True)
    found = {}
    with tempfile.TemporaryDirectory(dir=SAMPLES.parent) as folder:
        for seed, (name, (rubber, items)) in enumerate(FRAMES.items(), 1):
            rng = np.random.default_rng(seed)
            scene = Scene(belt(rubber, rng))
            for item in items:
                item.set_down(scene, rng)
            found[name] = scene.boxes()
            scene.finished(rng).save(Path(folder) / f"{name}.jpg", quality=QUALITY, optimize=True)
        (Path(folder) / "labels.json").write_text(labels(found), encoding="utf-8")
        for path in sorted(Path(folder).iterdir()):
            path.replace((SAMPLES if path.suffix == ".jpg" else SAMPLES.parent) / path.name)


if __name__ == "__main__":
    main()
