"""Paint product pictures, so that training works with no network and no photographs.

What a detector must learn to pass over is not grass and sky but packaging: words large and small,
bar codes, price labels, round logos, stripes, fruit, shadows. `paint_product` paints such scenes
from nothing but a random generator.

The way of one picture: a ground (table, belt, shelf, tiles) → an arrangement of items on it
(cartons, cans, bottles, bags, fruit, labels) → light. The packed items share one idea, the *panel*:
a flat printed face (`paint_panel`), which is set in perspective on a carton, bent round a can or
crumpled on a bag.
"""

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw

from train.drawing.canvas import Point
from train.drawing.codes import bar_strip
from train.drawing.colours import shade, tinted
from train.drawing.lettering import typeface
from train.drawing.perspective import Quad, place
from train.drawing.random_choice import pick
from train.drawing.seals import paint_seal
from train.drawing.texture import patches
from train.drawing.words import package_word
from train.paint.panels import (
    DARK,
    KRAFT,
    WHITE,
    Range,
    package_hue,
    paint_fruit,
    paint_panel,
    print_close,
    put_words,
    scheme,
)


@dataclass(frozen=True)
class ItemRanges:
    """Proportions of the items, as shares of their height unless said otherwise."""

    carton_w: Range = (0.45, 1.3)
    carton_depth: Range = (0.15, 0.5)  # of its width
    carton_rise: Range = (-0.02, 0.16)  # of the far edge of its top
    can_w: Range = (0.4, 0.9)
    can_bulge: Range = (0.04, 0.14)  # of its width
    bottle_w: Range = (0.24, 0.42)
    bottle_glass: Range = (0.4, 1.0)  # brightness
    bottle_neck: Range = (0.3, 0.5)  # of its width
    bottle_body: Range = (0.55, 0.72)
    lamp: Range = (-0.5, 0.5)  # place of a cylinder's highlight, from side to side -1..1
    bag_w: Range = (0.6, 0.95)
    bag_waves: Range = (4.0, 14.0)  # radians of swell along a bag
    fruit_reach: Range = (0.14, 0.35)
    label_w: Range = (1.4, 2.2)
    flat_w: Range = (0.6, 1.5)


@dataclass(frozen=True)
class SceneRanges:
    """Places and sizes in a scene, *_x* of its width, *_y*, *_h* of its height; light, 1 full."""

    board: Range = (0.8, 1.1)  # brightness of wood
    rail_h: Range = (0.05, 0.2)
    joint: Range = (0.4, 0.8)  # brightness of a joint beside its tiles
    behind_y: Range = (0.3, 0.7)
    behind_h: Range = (0.2, 0.4)
    large_x: Range = (0.35, 0.65)
    large_y: Range = (0.85, 1.0)
    large_h: Range = (0.6, 0.95)
    several_x: Range = (0.05, 0.95)
    several_y: Range = (0.45, 1.02)
    several_h: Range = (0.2, 0.55)
    shelved_h: Range = (0.65, 0.98)  # of the shelf's height
    shelved_w: Range = (0.4, 0.9)  # of the pack's height
    strewn_y: Range = (0.2, 1.1)
    strewn_h: Range = (0.12, 0.4)
    vignette: Range = (0.0, 0.35)  # light lost in the corners
    tint: Range = (0.9, 1.0)  # of each channel
    level: Range = (0.75, 1.05)


ITEM, SCENE = ItemRanges(), SceneRanges()


class Stand(NamedTuple):
    """Where an item stands: its middle line, its lower edge and its height, in pixels."""

    middle: float
    foot: float
    height: float


def paint_product(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Return a made-up picture of products, RGB, of the given width and height in pixels.

    The same state of *rng* gives the same picture.
    """
    scene = pick(GROUNDS, rng)(rng, width, height)
    pick(ARRANGEMENTS, rng)(scene, rng)
    return _lit(scene, rng)


@functools.lru_cache(maxsize=16)
def _soft_spot(strength: float) -> Image.Image:
    """Return a soft round spot, the shape of every shadow, as a mask (L)."""
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    depth = np.clip(1 - np.hypot(x, y), 0, 1) ** 0.8
    return Image.fromarray((255 * strength * depth).astype(np.uint8))


def _shadow(scene: Image.Image, middle: Point, reach: Point, strength: float) -> None:
    """Darken the scene softly about a point; *strength* runs from 0 to 1."""
    size = max(2, round(reach[0] * 2)), max(2, round(reach[1] * 2))
    spot = _soft_spot(strength).resize(size, Image.Resampling.BILINEAR)
    scene.paste((12, 10, 14), (round(middle[0] - reach[0]), round(middle[1] - reach[1])), spot)


# --- items ------------------------------------------------------------------------------------


def carton(scene: Image.Image, rng: np.random.Generator, at: Stand) -> None:
    """Stand a carton in the scene: a front, one side, and the top where it is seen from above."""
    middle, foot, height = at
    width = height * rng.uniform(*ITEM.carton_w)
    deep = width * rng.uniform(*ITEM.carton_depth) * pick([-1, 1], rng)
    rise = height * rng.uniform(*ITEM.carton_rise)
    lean = height * rng.normal(0, 0.02)
    left, right, top = middle - width / 2, middle + width / 2, foot - height
    colours = scheme(rng)
    _shadow(scene, (middle + deep / 2, foot), (width * 0.8 + abs(deep), height * 0.16), 0.6)
    front = paint_panel(rng, _px(width), _px(height), colours)
    near = left if deep < 0 else right
    side = paint_panel(rng, _px(abs(deep)), _px(height), colours).point(_DIMMED)
    inner, outer = (near + lean, top), (near + deep + lean, top - rise)
    low_inner, low_outer = (near, foot), (near + deep, foot - rise * 1.4)
    if deep < 0:
        place(scene, side, (outer, inner, low_inner, low_outer))
    else:
        place(scene, side, (inner, outer, low_outer, low_inner))
    if rise > 0:
        lid = Image.new("RGB", (16, 16), shade(colours[0], 1.12))
        a, b = (left + lean, top), (right + lean, top)
        place(scene, lid, ((a[0] + deep, a[1] - rise), (b[0] + deep, b[1] - rise), b, a))
    place(scene, front, ((left + lean, top), (right + lean, top), (right, foot), (left, foot)))


def _px(length: float) -> int:
    """Return a face's side in pixels: at least a few, and no more than can be seen."""
    return int(min(460, max(12, length)))


_DIMMED = [round(i * 0.72) for i in range(256)] * 3


def can(scene: Image.Image, rng: np.random.Generator, at: Stand) -> None:
    """Stand a can or a jar in the scene, its panel bent round it."""
    middle, foot, height = at
    width = height * rng.uniform(*ITEM.can_w)
    _shadow(scene, (middle, foot), (width * 0.8, height * 0.12), 0.65)
    bulge = width * rng.uniform(*ITEM.can_bulge)
    _bent_panel(scene, rng, (middle, foot), (width, height), bulge)
    rim = width * 0.1
    metal = pick([(205, 207, 210), (150, 152, 158), package_hue(rng)], rng)
    box = (middle - width / 2, foot - height - rim, middle + width / 2 - 1, foot - height + rim)
    inside = (box[0] + rim, box[1] + rim / 3, box[2] - rim, box[3] - rim / 2)
    pen = ImageDraw.Draw(scene)
    pen.ellipse(box, fill=metal, outline=shade(metal, 0.6), width=max(1, int(rim / 5)))
    pen.ellipse(inside, fill=shade(metal, 0.82))


def bottle(scene: Image.Image, rng: np.random.Generator, at: Stand) -> None:
    """Stand a bottle in the scene: a body, shoulders, a neck with a cap, and a label."""
    middle, foot, height = at
    width = height * rng.uniform(*ITEM.bottle_w)
    glass = shade(package_hue(rng), rng.uniform(*ITEM.bottle_glass))
    neck, body = width * rng.uniform(*ITEM.bottle_neck), height * rng.uniform(*ITEM.bottle_body)
    top, shoulder = foot - height, foot - body
    _shadow(scene, (middle, foot), (width * 0.8, height * 0.07), 0.65)
    pen = ImageDraw.Draw(scene)
    left = [
        (-width / 2, foot), (-width / 2, shoulder), (-neck / 2, shoulder - width * 0.5),
        (-neck / 2, top),
    ]  # fmt: skip
    outline = [(middle + x, y) for x, y in left] + [(middle - x, y) for x, y in left[::-1]]
    pen.polygon(outline, fill=glass)
    x = middle - width * 0.36
    pen.line((x, shoulder, x, foot - 3), shade(glass, 1.5), max(1, int(width / 14)))
    cap = (middle - neck * 0.58, top, middle + neck * 0.58, top + height * 0.07)
    pen.rectangle(cap, fill=package_hue(rng))
    _bent_panel(scene, rng, (middle, foot - body * 0.14), (width, body * 0.62), bulge=width * 0.05)


def _bent_panel(
    scene: Image.Image, rng: np.random.Generator, at: Point, size: Point, bulge: float
) -> None:
    """Bend a panel round a cylinder whose lower edge has its middle *at*, sagging by *bulge*."""
    w, h = max(6, int(size[0])), max(6, int(size[1]))
    panel = np.asarray(paint_panel(rng, _px(w * 1.25), _px(h), scheme(rng)))
    across = np.linspace(-1, 1, w)
    columns = ((np.arcsin(across) / math.pi + 0.5) * (panel.shape[1] - 1)).astype(np.intp)
    sag = bulge * np.sqrt(1 - across**2)
    rows = np.arange(h + math.ceil(bulge))[:, None] - sag[None]
    inside = (rows >= 0) & (rows < h)
    source = np.clip(rows * panel.shape[0] / h, 0, panel.shape[0] - 1).astype(np.intp)
    light = _cylinder_light(across, rng.uniform(*ITEM.lamp))
    bent = np.minimum(panel[source, columns[None]] * light[None, :, None], 255).astype(np.uint8)
    mask = Image.fromarray(inside.astype(np.uint8) * 255)
    scene.paste(Image.fromarray(bent), (int(at[0] - w / 2), int(at[1] - h)), mask)


def _cylinder_light(across: npt.NDArray[np.float64], lamp: float) -> npt.NDArray[np.float32]:
    """Return a cylinder's brightness at each column: dim at its sides, a highlight at the lamp."""
    body = 0.45 + 0.6 * np.sqrt(np.maximum(0, 1 - (across - lamp * 0.5) ** 2))
    gloss = 0.45 * np.exp(-(((across - lamp) / 0.09) ** 2))
    return (body + gloss).astype(np.float32)


def bag(scene: Image.Image, rng: np.random.Generator, at: Stand) -> None:
    """Lay a crumpled bag with toothed ends in the scene."""
    middle, foot, height = at
    w, h = max(12, int(height * rng.uniform(*ITEM.bag_w))), max(12, int(height))
    panel = np.asarray(paint_panel(rng, _px(w), _px(h), scheme(rng)))
    y, x = np.arange(h)[:, None], np.arange(w)[None]
    swell = w * 0.02
    dx = swell * np.sin(y / h * rng.uniform(*ITEM.bag_waves) + x / w * 3 + rng.uniform(0, 6))
    dy = swell * np.sin(x / w * rng.uniform(*ITEM.bag_waves) + y / h * 2 + rng.uniform(0, 6))
    rows = np.clip((y + dy) * panel.shape[0] / h, 0, panel.shape[0] - 1).astype(np.intp)
    columns = np.clip((x + dx) * panel.shape[1] / w, 0, panel.shape[1] - 1).astype(np.intp)
    cells = int(rng.integers(4, 9))
    creases = np.asarray(patches(rng, (w, h), (cells, cells), (110, 255)), np.float32) / 200
    crumpled = np.minimum(panel[rows, columns] * creases[..., None], 255).astype(np.uint8)
    _shadow(scene, (middle, foot - h * 0.05), (w * 0.7, h * 0.2), 0.6)
    tilt = float(rng.normal(0, 8))
    turned, shape = (
        picture.rotate(tilt, Image.Resampling.BILINEAR, expand=True)
        for picture in (Image.fromarray(crumpled), _bag_outline(w, h))
    )
    corner = int(middle - turned.width / 2), int(foot - h / 2 - turned.height / 2)
    scene.paste(turned, corner, shape)


def _bag_outline(w: int, h: int) -> Image.Image:
    """Return a bag's outline as a mask (L): waisted sides, toothed ends."""
    outline = Image.new("L", (w, h))
    teeth = max(6, w // 8)
    tooth, waist = h * 0.015, w * 0.05
    top = [(w * i / teeth, tooth * (i % 2)) for i in range(teeth + 1)]
    right = [(w - waist * math.sin(math.pi * i / 8), h * i / 8) for i in range(1, 8)]
    foot = [(w * (1 - i / teeth), h - tooth * (i % 2)) for i in range(teeth + 1)]
    left = [(waist * math.sin(math.pi * i / 8), h * (1 - i / 8)) for i in range(1, 8)]
    ImageDraw.Draw(outline).polygon(top + right + foot + left, fill=255)
    return outline


def fruit_heap(scene: Image.Image, rng: np.random.Generator, at: Stand) -> None:
    """Heap fruit in the scene, some with a small round sticker."""
    middle, foot, height = at
    skin = package_hue(rng)
    reach = height * rng.uniform(*ITEM.fruit_reach)
    rows = max(1, int(height / reach / 1.6))
    _shadow(scene, (middle, foot), (height * 0.8, reach), 0.6)
    for row in range(rows):
        for i in range(rows - row + 1):
            x = middle + (i - (rows - row) / 2) * reach * 1.8 + rng.normal(0, reach * 0.15)
            y = foot - reach - row * reach * 1.4
            paint_fruit(scene, (x, y), reach, skin, rng)
            if reach > 14 and rng.random() < 0.25:
                side = max(10, int(reach * 0.6))
                sticker = paint_seal([package_hue(rng), WHITE, DARK], side, rng)
                scene.paste(sticker, (int(x), int(y - reach * 0.4)), sticker)


def price_label(scene: Image.Image, rng: np.random.Generator, at: Stand) -> None:
    """Hang a price label in the scene: words, a large price, a bar code."""
    w, h = _px(at.height * rng.uniform(*ITEM.label_w)), _px(at.height)
    paper = pick([WHITE, WHITE, (250, 222, 60), package_hue(rng, strong=False)], rng)
    label = Image.new("RGB", (w, h), paper)
    pen = ImageDraw.Draw(label)
    name, amount = f"{package_word(rng)} {package_word(rng)}", f"{package_word(rng)} 500 g"
    pen.text((w * 0.04, h * 0.05), name, DARK, typeface(max(6, int(h * 0.16))))
    pen.text((w * 0.04, h * 0.26), amount, DARK, typeface(max(5, int(h * 0.1))))
    price = f"{rng.integers(0, 99)}.{rng.integers(10, 99)}"
    ink = pick([DARK, (190, 20, 24)], rng)
    put_words(label, price, (w * 0.45, h * 0.4, w * 0.5, h * 0.45), ink, 2)
    code = bar_strip(rng.integers(1, 4, 40)).resize((max(4, int(w * 0.34)), max(3, int(h * 0.34))))
    label.paste(code, (int(w * 0.04), int(h * 0.52)))
    place(scene, label, _leaning(rng, at.middle, at.foot, (w, h), 0.04))


def flat_panel(scene: Image.Image, rng: np.random.Generator, at: Stand) -> None:
    """Lay a flat pack or card in the scene, turned a little."""
    middle, foot, height = at
    w = height * rng.uniform(*ITEM.flat_w)
    face = paint_panel(rng, _px(w), _px(height), scheme(rng))
    if rng.random() < 0.3:
        face = face.transpose(pick(_QUARTER_TURNS, rng))
    _shadow(scene, (middle, foot - height / 2), (w * 0.75, height * 0.75), 0.5)
    place(scene, face, _leaning(rng, middle, foot, (w, height), 0.08))


_QUARTER_TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def _leaning(
    rng: np.random.Generator, middle: float, foot: float, size: Point, sway: float
) -> Quad:
    """Return an upright rectangle's corners, turned a little and set slightly in perspective."""
    w, h = size
    turn = rng.normal(0, sway * 2)
    c, s = math.cos(turn), math.sin(turn)
    corners = []
    for x, y in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2)):
        jx, jy = x + rng.normal(0, w * sway / 2), y + rng.normal(0, h * sway / 2)
        corners.append((middle + c * jx - s * jy, foot - h / 2 + s * jx + c * jy))
    return corners[0], corners[1], corners[2], corners[3]


ITEMS = (carton, carton, carton, can, bottle, bag, bag, fruit_heap, flat_panel, price_label)


# --- grounds ----------------------------------------------------------------------------------


def _plain_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return a plain table or wall with soft patches of light."""
    colour = package_hue(rng, strong=bool(rng.random() < 0.3))
    return tinted(patches(rng, (w, h), (3, 3), (60, 255)), shade(colour, 0.55), colour)


def _wood_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return boards: long grain, and gaps between the boards."""
    wood = pick([(196, 150, 96), (150, 104, 64), (222, 200, 168), (120, 110, 104)], rng)
    colour = shade(wood, rng.uniform(*SCENE.board))
    grain = patches(rng, (w, h), (4, max(4, h // 4)), (60, 255))
    boards = tinted(grain, shade(colour, 0.6), shade(colour, 1.15))
    pen = ImageDraw.Draw(boards)
    for y in range(int(rng.integers(20, 80)), h, max(30, h // int(rng.integers(3, 9)))):
        pen.line((0, y, w, y + 1), shade(colour, 0.35), 2)
    if rng.random() < 0.6:
        return boards
    return boards.transpose(Image.Transpose.ROTATE_90).resize((w, h))


def _belt_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return a conveyor belt between two metal rails."""
    rubber = pick([(52, 54, 56), (38, 66, 58), (70, 72, 78), (210, 212, 210), (30, 70, 120)], rng)
    grain = patches(rng, (w, h), (max(2, w // 3), 3), (120, 255))
    belt = tinted(grain, shade(rubber, 0.7), rubber)
    pen = ImageDraw.Draw(belt)
    rail = int(h * rng.uniform(*SCENE.rail_h))
    for y in (0, h - rail):
        pen.rectangle((0, y, w, y + rail), fill=(168, 171, 176))
        pen.line((0, y + rail // 3, w, y + rail // 3), (226, 228, 230), max(1, rail // 6))
    for x in range(int(rng.integers(10, 60)), w, int(rng.integers(24, 120))):
        pen.line((x, rail, x, h - rail), shade(rubber, 0.82), 2)
    return belt


def _tile_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return a tiled or meshed surface."""
    colour = package_hue(rng, strong=False)
    tiles = tinted(patches(rng, (w, h), (4, 4), (140, 255)), shade(colour, 0.6), colour)
    pen = ImageDraw.Draw(tiles)
    pitch = int(rng.integers(14, 90))
    joint = shade(colour, rng.uniform(*SCENE.joint))
    for x in range(0, w, pitch):
        pen.line((x, 0, x, h), joint, max(1, pitch // 14))
    for y in range(0, h, pitch):
        pen.line((0, y, w, y), joint, max(1, pitch // 14))
    return tiles


def _rough_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return cardboard, stone or cloth: fine speckle over soft patches."""
    stuffs = [KRAFT, (150, 150, 148), package_hue(rng, strong=False), (84, 80, 76)]
    colour = pick(stuffs, rng)
    cells = max(2, w // 2), max(2, h // int(rng.integers(2, 6)))
    speckle = patches(rng, (w, h), cells, (70, 255))
    rough = ImageChops.multiply(speckle, patches(rng, (w, h), (4, 4), (120, 255)))
    return tinted(rough, shade(colour, 0.45), shade(colour, 1.2))


GROUNDS = (_plain_ground, _plain_ground, _wood_ground, _belt_ground, _tile_ground, _rough_ground)


# --- arrangements -----------------------------------------------------------------------------


def _one_large(scene: Image.Image, rng: np.random.Generator) -> None:
    """Set one large item in the middle, as a hand-held camera sees it, often with others behind."""
    w, h = scene.size
    for _ in range(int(rng.integers(0, 4))):
        item, x = pick(ITEMS, rng), w * rng.random()
        foot, height = h * rng.uniform(*SCENE.behind_y), h * rng.uniform(*SCENE.behind_h)
        item(scene, rng, Stand(x, foot, height))
    height = h * rng.uniform(*SCENE.large_h)
    item = pick(ITEMS, rng)
    x, foot = w * rng.uniform(*SCENE.large_x), h * rng.uniform(*SCENE.large_y)
    item(scene, rng, Stand(x, foot, height))


def _several(scene: Image.Image, rng: np.random.Generator) -> None:
    """Set a few items side by side, the far ones first."""
    w, h = scene.size
    feet = np.sort(rng.uniform(*SCENE.several_y, int(rng.integers(3, 7))))
    for foot in feet:
        height = h * rng.uniform(*SCENE.several_h) * (0.6 + 0.4 * foot)
        item = pick(ITEMS, rng)
        item(scene, rng, Stand(w * rng.uniform(*SCENE.several_x), h * float(foot), height))


def _shelves(scene: Image.Image, rng: np.random.Generator) -> None:
    """Fill shelves with packs, several of a kind side by side, price labels on the shelf's edge."""
    w, h = scene.size
    rows = int(rng.integers(2, 4))
    pen = ImageDraw.Draw(scene)
    edge = h / rows * 0.13
    metal = pick([(222, 222, 220), (70, 72, 76), package_hue(rng, strong=False)], rng)
    for row in range(rows):
        foot = h * (row + 1) / rows - edge
        _shelf_row(scene, rng, foot, h / rows - edge)
        pen.rectangle((0, foot, w, foot + edge), fill=metal)
        pen.line((0, foot + edge, w, foot + edge), shade(metal, 0.5), 2)
        for _ in range(int(rng.integers(0, 3))):
            price_label(scene, rng, Stand(w * rng.random(), foot + edge, edge))


def _shelf_row(scene: Image.Image, rng: np.random.Generator, foot: float, room: float) -> None:
    """Fill one shelf from left to right; packs of one kind show the same face."""
    x = -room * rng.random() * 0.5
    while x < scene.width:
        height = room * rng.uniform(*SCENE.shelved_h)
        width = height * rng.uniform(*SCENE.shelved_w)
        face, top = paint_panel(rng, _px(width), _px(height), scheme(rng)), foot - height
        _shadow(scene, (x + width / 2, foot - height / 2), (width * 0.8, height * 0.8), 0.45)
        for _ in range(int(rng.integers(1, 5))):
            j = rng.normal(0, 0.02, 4) * width
            head = (x + j[0], top + j[1]), (x + width + j[2], top + j[3])
            place(scene, face, (*head, (x + width, foot), (x, foot)))
            x += width * 1.04
        x += width * rng.random() * 0.3


def _close_up(scene: Image.Image, rng: np.random.Generator) -> None:
    """Fill the picture with one printed face, as a camera close to the belt sees it."""
    w, h = scene.size
    face = paint_panel(rng, w, h, scheme(rng))
    print_close(face, rng)
    over = 0.12  # the face reaches this far beyond each side of the picture
    size = w * (1 + 2 * over), h * (1 + 2 * over)
    place(scene, face, _leaning(rng, w / 2, h * (1 + over), size, 0.04))


def _strewn(scene: Image.Image, rng: np.random.Generator) -> None:
    """Strew flat packs, labels and loose seals about."""
    w, h = scene.size
    for _ in range(int(rng.integers(3, 7))):
        height = h * rng.uniform(*SCENE.strewn_h)
        item, x = pick((flat_panel, price_label, bag), rng), w * rng.random()
        item(scene, rng, Stand(x, h * rng.uniform(*SCENE.strewn_y), height))
    for _ in range(int(rng.integers(1, 6))):
        colours = [package_hue(rng), package_hue(rng), WHITE, DARK]
        seal = paint_seal(colours, int(rng.integers(16, max(18, w // 5))), rng)
        turned = seal.rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR, expand=True)
        x, y = int(w * rng.random()), int(h * rng.random())
        scene.paste(turned, (x - turned.width // 2, y - turned.height // 2), turned)


ARRANGEMENTS = (
    _one_large, _one_large, _several, _several, _several, _shelves, _close_up, _strewn,
)  # fmt: skip


# --- light ------------------------------------------------------------------------------------


def _lit(scene: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the scene under uneven, slightly tinted light."""
    y, x = np.mgrid[-1:1:9j, -1:1:9j]
    slope = 1 + rng.normal(0, 0.12) * x + rng.normal(0, 0.12) * y
    corners = 1 - rng.uniform(*SCENE.vignette) * (x**2 + y**2) / 2
    tint = rng.uniform(*SCENE.tint, 3)
    level = slope * corners * rng.uniform(*SCENE.level)
    light = np.clip(255 * level[..., None] * tint, 0, 255).astype(np.uint8)
    large = Image.fromarray(light).resize(scene.size, Image.Resampling.BILINEAR)
    return ImageChops.multiply(scene, large)
