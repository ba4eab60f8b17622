"""Draw a shelf label: title, price, unit price, bar code, numbers; with what stands where.

All that is printed beside the price is there to be told from it: a unit price, what another shop
asks, a weight, the digits of the bar code. Some labels have no price at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.decision import Box
from train.drawing.canvas import Colour
from train.drawing.codes import bar_strip
from train.drawing.random_choice import pick, pick_weighted
from train.drawing.words import firm, package_word
from train.shelf.printing import Print, line, moved, price, some_amount, some_hand

WIDTH = 640
"""Width of the printed face, in pixels."""
ASPECT = (1.7, 3.2)
"""Its width over its height."""
WITHOUT = 0.08
"""Share of labels without a price."""
PRICE_HEIGHT = (0.22, 0.5)
"""Height of the price's large digits, as a share of the face's."""
GROUNDS: tuple[tuple[tuple[Colour, Colour], float], ...] = (
    (((236, 236, 232), (26, 26, 30)), 0.3),
    (((205, 208, 200), (34, 36, 38)), 0.15),
    (((158, 164, 148), (28, 30, 30)), 0.15),
    (((122, 120, 104), (20, 20, 20)), 0.1),
    (((246, 246, 246), (190, 24, 30)), 0.06),
    (((250, 214, 40), (20, 20, 24)), 0.1),
    (((196, 24, 32), (250, 250, 250)), 0.07),
    (((30, 32, 40), (236, 236, 236)), 0.07),
)
"""Colours of ground and ink, and how often: paper, electronic paper, LCD, offers."""
GAP = 8
"""Least room between two prints, in pixels."""
TRIES = 12
"""How often a free place is looked for before a print is left out."""
CASED = 0.65
"""Share of labels in a frame or a holder."""


@dataclass(frozen=True)
class Drawn:
    """A label.

    *image*: RGBA; *price*: the box of its price, None without one; *characters*: every character
    that is printed, with its box, in pixels.
    """

    image: Image.Image
    price: Box | None
    characters: tuple[tuple[str, Box], ...]


class Face:
    """The printed face of a label while it is filled. Synchronization: one thread."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw its size and its colours."""
        self.rng = rng
        self.width, self.height = WIDTH, round(WIDTH / rng.uniform(*ASPECT))
        ground, ink = pick_weighted(GROUNDS, rng)
        self.ink = np.clip(np.array(ink) + rng.normal(0, 8, 3), 0, 255)
        self.pixels: NDArray[np.float64] = np.empty((self.height, self.width, 3))
        self.pixels[:] = np.clip(np.array(ground) + rng.normal(0, 9, 3), 0, 255)
        self.taken: list[Box] = []
        self.characters: list[tuple[str, Box]] = []

    def put(self, print_: Print, x: float, y: float, fade: float = 1.0) -> Box | None:
        """Print something where nothing else is and return its box; None without room.

        *x*, *y*: its upper left corner, in pixels; *fade*: strength of the ink, 0..1.
        """
        wide, tall = print_.size
        left, top = round(x), round(y)
        box = Box(left, top, left + wide, top + tall)
        room = Box(left - GAP, top - GAP, left + wide + GAP, top + tall + GAP)
        inside = left >= 0 and top >= 0 and box.x1 <= self.width and box.y1 <= self.height
        if not inside or any(room.intersection(other) > 0 for other in self.taken):
            return None
        share = print_.mask[..., None] / 255.0 * fade
        under = self.pixels[top : top + tall, left : left + wide]
        under += share * (self.ink - under)
        self.taken.append(box)
        self.characters += [(one, moved(at, left, top)) for one, at in print_.characters]
        return box


def draw_label(rng: np.random.Generator, fonts: tuple[str, ...]) -> Drawn:
    """Draw one label of very many. *fonts*: files of the typefaces to print in."""
    face = Face(rng)
    at = None if rng.random() < WITHOUT else print_price(rng, face, fonts)
    print_words(rng, face, fonts)
    print_code(rng, face)
    pixels = face.pixels + rng.normal(0, 2, (face.height, face.width, 1))
    flat = Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
    if rng.random() >= CASED:
        return Drawn(flat.convert("RGBA"), at, tuple(face.characters))
    image, x, y = cased(rng, flat)
    characters = tuple((one, moved(box, x, y)) for one, box in face.characters)
    return Drawn(image, at and moved(at, x, y), characters)


def print_price(rng: np.random.Generator, face: Face, fonts: tuple[str, ...]) -> Box | None:
    """Print the price, most often at the right, and at times "kr" or a unit beside or below it."""
    height = round(face.height * rng.uniform(*PRICE_HEIGHT))
    hand = some_hand(rng, fonts, bold=0.09)
    print_ = price(rng, hand, height)
    if print_.size[0] > 0.62 * face.width:
        print_ = price(rng, hand, round(height * 0.5))
    free = face.width - print_.size[0], face.height - print_.size[1]
    across = pick_weighted(((rng.uniform(0.85, 1.0), 0.7), (rng.uniform(0.0, 0.9), 0.3)), rng)
    at = face.put(print_, across * free[0], rng.uniform(0.2, 1.0) * free[1])
    if at is None:
        return None
    small = some_hand(rng, fonts)
    size = max(9, round(height * rng.uniform(0.18, 0.4)))
    if rng.random() < 0.3:
        beside = line(pick(("kr", "NOK", "Kr", "NA", "EUR", "$"), rng), small, size)
        face.put(beside, at.x0 - beside.size[0] - 2 * GAP, rng.uniform(at.y0, at.y1 - size))
    if rng.random() < 0.5:
        words = pick(("Pr stk", "pr. kg", "Pr pk", "stk", "per piece", "each", "/kg"), rng)
        below = line(words, small, size)
        face.put(below, at.x1 - below.size[0], at.y1 + rng.uniform(GAP + 1, 3 * GAP))
    return at


def print_words(rng: np.random.Generator, face: Face, fonts: tuple[str, ...]) -> None:
    """Print title, second line, unit price, weight, another shop's price and numbers."""
    title = " ".join(package_word(rng) for _ in range(int(rng.integers(1, 4))))
    sizes = rng.uniform(0.09, 0.19), rng.uniform(0.05, 0.09)
    y, left = rng.uniform(0.02, 0.1) * face.height, rng.uniform(0.02, 0.08) * face.width
    for words, size in (
        (title.upper() if rng.random() < 0.7 else title, sizes[0]),
        (pick((package_word(rng), firm(rng), some_weight(rng)), rng), sizes[1]),
        (some_unit_price(rng), sizes[1] * rng.uniform(0.9, 1.9)),
    ):
        if rng.random() < 0.9:
            print_ = line(words, some_hand(rng, fonts), max(8, round(size * face.height)))
            face.put(print_, left, y, rng.uniform(0.55, 1.0))
            y += print_.size[1] + rng.uniform(0.03, 0.08) * face.height
    for _ in range(int(rng.integers(1, 6))):
        words = pick((some_numbers, some_unit_price, some_weight, some_offer), rng)(rng)
        size = max(8, round(rng.uniform(0.04, 0.12) * face.height))
        _put_anywhere(rng, face, line(words, some_hand(rng, fonts), size), rng.uniform(0.4, 1.0))


def _put_anywhere(rng: np.random.Generator, face: Face, print_: Print, fade: float) -> None:
    for _ in range(TRIES):
        x, y = rng.random() * face.width, (0.2 + 0.78 * rng.random()) * face.height
        if face.put(print_, x, y, fade):
            return


def print_code(rng: np.random.Generator, face: Face) -> None:
    """Print a bar code, where there is room."""
    strip = np.asarray(bar_strip(rng.integers(1, 4, int(rng.integers(30, 60)))), np.uint8)
    size = round(rng.uniform(0.14, 0.3) * face.width), round(rng.uniform(0.1, 0.25) * face.height)
    bars = 255 - np.asarray(Image.fromarray(strip).resize(size, Image.Resampling.BILINEAR))
    _put_anywhere(rng, face, Print(np.asarray(bars, np.uint8), ()), rng.uniform(0.5, 1.0))


def some_unit_price(rng: np.random.Generator) -> str:
    """Return what a kilogram or a piece costs, in small print."""
    whole, fraction = some_amount(rng)
    unit = pick(("Pr/kg", "Pr. KG", "per l", "kr/kg", "Pris/kg", "Jmf-pris", "KG"), rng)
    return f"{unit} {whole}{pick(('.', ','), rng)}{fraction}"


def some_offer(rng: np.random.Generator) -> str:
    """Return what it costs elsewhere, or did before."""
    whole, fraction = some_amount(rng)
    who = pick(("kr", "Was", "NOW", "Before", firm(rng), "SPAR kr", "2 for"), rng)
    return f"{who} {whole}{pick(('.', ',', ':'), rng)}{fraction}"


def some_weight(rng: np.random.Generator) -> str:
    """Return how much is in the pack."""
    amount = pick((1, 2, 5, 6, 12, 75, 106, 150, 250, 330, 400, 500, 750, 900), rng)
    return f"{amount}{pick(('G', 'g', ' g', 'KG', 'STK', 'PK', ' ml', 'L'), rng)}"


def some_numbers(rng: np.random.Generator) -> str:
    """Return the digits of a bar code, a supplier's number or a place on the shelf."""
    digits = "".join(map(str, rng.integers(0, 10, int(rng.integers(4, 14)))))
    return pick(
        (digits, f"{digits[:3]} - {firm(rng).upper()}", f"{digits[:6]} A/P {digits[:1]}"), rng
    )


def cased(rng: np.random.Generator, face: Image.Image) -> tuple[Image.Image, int, int]:
    """Put a label's face into a frame: the picture, and where the face's corner lies in it."""
    width, height = face.size
    left, right = (round(width * rng.uniform(0.02, 0.2)) for _ in range(2))
    top, bottom = (round(height * rng.uniform(0.04, 0.22)) for _ in range(2))
    whole = width + left + right, height + top + bottom
    grey = pick((232, 215, 190, 150, 60, 30), rng) + rng.normal(0, 8)
    colour = tuple(int(v) for v in np.clip(grey + rng.normal(0, 5, 3), 0, 255))
    image = Image.new("RGBA", whole, (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    radius = round(rng.uniform(0.0, 0.14) * height)
    pen.rounded_rectangle((0, 0, whole[0] - 1, whole[1] - 1), radius, (*colour, 255))
    if rng.random() < 0.5:
        shade = tuple(max(0, v - 60) for v in colour)
        pen.rectangle((left - 3, top - 3, left + width + 2, top + height + 2), (*shade, 255))
    image.paste(face, (left, top))
    if rng.random() < 0.3:
        strip = bar_strip(rng.integers(1, 4, 45)).resize((max(8, height // 2), max(6, left // 2)))
        image.paste(strip.rotate(90, expand=True).convert("RGB"), (left // 4, top + height // 4))
    return image, left, top


def around_price(rng: np.random.Generator, drawn: Drawn) -> Drawn | None:
    """Cut the price out of a label with some of what surrounds it; None without a price."""
    if drawn.price is None:
        return None
    box, (width, height) = drawn.price, drawn.image.size
    across, down = (rng.uniform(0.05, 0.35, 2) * box.width, rng.uniform(0.15, 0.8, 2) * box.height)
    x0, y0 = max(0, int(box.x0 - across[0])), max(0, int(box.y0 - down[0]))
    x1, y1 = min(width, int(box.x1 + across[1])), min(height, int(box.y1 + down[1]))
    inside = tuple(
        (one, moved(at, -x0, -y0))
        for one, at in drawn.characters
        if at.intersection(Box(x0, y0, x1, y1)) > 0.7 * at.area
    )
    return Drawn(drawn.image.crop((x0, y0, x1, y1)), moved(box, -x0, -y0), inside)
