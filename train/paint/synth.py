"""Training pictures: marks superimposed on a product by alpha compositing, then light and camera.

:func:`paint_twins` is the way of one training picture, from background to network input. Which
augmentations matter follows Dwibedi et al., *Cut, Paste and Learn* (2017): vary the blending, and
put the same seams where no mark is, so that the seam itself teaches nothing; look-alikes, the hard
negatives, are pasted by the same code as marks.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from edge.decision import Box
from edge.vision.preprocess import Frame, prepare
from train.config import SynthSettings
from train.labels.ground_truth import Labelled
from train.marks.lookalikes import LookAlike, make_lookalike
from train.marks.making import making_of, reprinted
from train.marks.mark import Mark, outline_of
from train.paint.backgrounds import Backgrounds
from train.paint.contrast import contrast_of, trace_of
from train.paint.cutouts import Cutout, resized, with_alpha
from train.paint.optics import Lighting, lens_and_sensor, light
from train.paint.placing import (
    Conditions,
    Placed,
    Pose,
    Rect,
    cover,
    inside_box,
    place,
    rotation_deg,
    spanning,
    warp,
)
from train.paint.plates import Plate, draw_plate
from train.paint.printing import RUNS, Layer, occlude, paste, printed, recoloured, stuck
from train.paint.random_draws import between, happens, ratio_between, whole

__all__ = ["Cutout", "Kit", "Picture", "Scene", "paint", "paint_twins"]

LOOKALIKE_POOL = 240
"""How many different look-alikes are made from the marks, each when it is first wanted."""
PLATE_POOL, PLATE_TRIES = 120, 4
"""How many different plates are drawn, each when it is first wanted, and how many are tried below a
cut-out before it goes without."""
REPRINT_POOL = 24
"""How many reprints in other colours are made of each mark, each when it is first wanted."""
KEPT = 512
"""Cut-outs that each painter keeps; the oldest makes room, for a class of thousands of pictures."""
PIECE_PX = 128
"""Longest side of a mark-shaped piece of a picture, in pixels."""
ASPECTS = (1.0, 1.0, 4 / 3, 3 / 4, 16 / 9)
"""Width by height of whole frames, each equally likely."""

# Ranges of the draws, least and greatest, and chances, 0..1; the settings hold the others.
PIECE = (0.3, 1.0)
"""Side of a mark-shaped piece, as a share of the shorter side of the picture it is cut from."""
WHOLE_CROP, WINDOW_CROP = (0.75, 1.0), (0.45, 1.0)
"""Width of the background of a whole frame and of a window, as a share of the widest possible."""
FLIP_SHARE = 0.5
"""Chance that a background is mirrored, before anything is superimposed on it."""
OWN_GROUND_PLATES = 0.2
"""Chance of a plate below a mark with a ground of its own, as a share of ``plate_share``."""
SHARPNESS = (0.7, 1.25)
"""Most pixels of a camera finer or coarser than the network, per pixel of the photograph."""
WHITE_MEAN = 6
"""Mean distance from white of plain ground, in grey levels of each channel (exponential)."""
ON_PLAIN = (0.3, 0.9)
"""Size of a product on plain ground, as a share of the picture."""


@dataclass(frozen=True)
class Picture:
    """A painted training picture.

    *pixels*: (height, width, 3) uint8, RGB, network input; *marks*: class index and box in network
    pixels, of those that count; *ignored*: boxes of marks too small, hidden or cut to count, and of
    look-alikes that nobody could tell from a mark; *frame*: the camera's picture that *pixels* were
    made from, (height, width, 3) uint8, RGB; *conditions*: how each of *marks* was painted, empty
    for a photograph.
    """

    pixels: Frame
    marks: tuple[tuple[int, Box], ...]
    ignored: tuple[Box, ...]
    frame: Frame
    conditions: tuple[Conditions, ...] = ()


@dataclass
class Kit:
    """All that pictures are painted from.

    Synchronization: one painter each; its caches change as it is used.

    *real*: labelled photographs of real marks, for :mod:`train.paint.real_photographs`;
    :func:`paint` does not use them.
    """

    marks: Sequence[Mark]
    backgrounds: Backgrounds
    settings: SynthSettings
    size: int
    given_lookalikes: Sequence[Mark] = ()
    real: Sequence[Labelled] = ()
    _variants: dict[int, list[Mark]] = field(default_factory=dict, repr=False)
    _kept: dict[object, Cutout] = field(default_factory=dict, repr=False)
    _plates: dict[int, Plate] = field(default_factory=dict, repr=False)

    def mark(self, rng: np.random.Generator) -> Cutout:
        """Draw one of the marks; classes are balanced, whatever the number of their variants."""
        if not self._variants:
            for mark in self.marks:
                self._variants.setdefault(mark.kind, []).append(mark)
        variants = list(self._variants.values())[whole(rng, len(self._variants))]
        mark = variants[whole(rng, len(variants))]
        cutout = self._cutout(mark, mark.kind)
        other = cutout.making.one_colour and not cutout.making.own_ground
        if other and happens(rng, self.settings.other_colours_share):
            return self._reprint(mark, whole(rng, REPRINT_POOL))
        return cutout

    def lookalike(self, rng: np.random.Generator) -> Cutout:
        """Draw a look-alike, which must not be taken for a mark (a hard negative).

        One of those given, one made from a mark, or a mark-shaped piece of another picture.
        """
        if self.given_lookalikes and happens(rng, self.settings.given_share):
            return self._cutout(self.given_lookalikes[whole(rng, len(self.given_lookalikes))], None)
        if happens(rng, self.settings.piece_share) or not self.numbers:
            return self._piece(rng)
        number = self.numbers[whole(rng, len(self.numbers))]
        made = self._made_cutout(number)
        return self._piece(rng) if made is None else made

    @functools.cached_property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the look-alikes made from the marks, without those that are the mark."""
        mine = set(self.settings.mine)
        return tuple(n for n in range(LOOKALIKE_POOL) if str(n) not in mine)

    def made_lookalike(self, number: int) -> tuple[LookAlike | None, Mark]:
        """Make look-alike *number* of the pool; it depends on the marks and its number alone.

        Returned with it is the mark that it was made from. None where all that this mark has are
        the mark as well, by ``mine``.
        """
        rng = np.random.default_rng((len(self.marks), number))
        mark = self.marks[whole(rng, len(self.marks))]
        return make_lookalike(
            mark.image, rng, frozenset(self.settings.mine), mark.making.own_ground
        ), mark

    def _made_cutout(self, number: int) -> Cutout | None:
        """Return look-alike *number* as a cut-out, or once more; None where there is none."""
        if number in self._kept:
            return self._kept[number]
        made, mark = self.made_lookalike(number)
        return None if made is None else self._keep(number, lambda: self._cut(made, mark, number))

    def _cut(self, made: LookAlike, mark: Mark, number: int) -> Cutout:
        """Cut a look-alike out, at times in other colours as its mark is."""
        image, making = made.image, mark.making
        rng = np.random.default_rng((len(self.marks), number, 3))
        if making.one_colour and happens(rng, self.settings.other_colours_share):
            image = reprinted(image, rng)
        own = making_of(image)
        return Cutout(image, outline_of(image), None, making=own, least_px=made.least_px)

    def plate(self, rng: np.random.Generator, below: Cutout) -> Plate | None:
        """Draw a plate that a cut-out can be read on, or none."""
        ink = below.mean_colour
        for _ in range(PLATE_TRIES):
            plate = self._plate(whole(rng, PLATE_POOL))
            if plate.fits(below, ink):
                return plate
        return None

    def _plate(self, number: int) -> Plate:
        """Draw plate *number* of the pool, or return it once more."""
        if number not in self._plates:
            rng = np.random.default_rng((len(self.marks), number, 2))
            mark = self.marks[whole(rng, len(self.marks))]
            photo = self.backgrounds.pixels(rng)
            self._plates[number] = draw_plate(rng, self._cutout(mark, mark.kind), photo)
        return self._plates[number]

    def _reprint(self, mark: Mark, number: int) -> Cutout:
        """Make reprint *number* of a mark."""

        def make() -> Cutout:
            image = reprinted(mark.image, np.random.default_rng((len(self.marks), number, 1)))
            return Cutout(image, mark.outline, mark.kind, making=making_of(image))

        return self._keep((id(mark), mark.kind, number), make)

    def _cutout(self, mark: Mark, kind: int | None) -> Cutout:
        # Pictures whose parts count are shared by the classes of those parts.
        key = (id(mark), kind) if mark.insides is None else (id(mark.image), -1)
        return self._keep(
            key,
            lambda: Cutout(
                mark.image, mark.outline, kind, making=mark.making, insides=mark.insides
            ),
        )

    def _keep(self, key: object, make: Callable[[], Cutout]) -> Cutout:
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = make()
        return self._kept[key]

    def _piece(self, rng: np.random.Generator) -> Cutout:
        """Cut a piece of another picture in the shape of a mark."""
        mark = self.marks[whole(rng, len(self.marks))]
        other = self.backgrounds.pixels(rng)
        side = int(min(other.shape[:2]) * between(rng, *PIECE))
        y, x = (whole(rng, length - side + 1) for length in other.shape[:2])
        shape = self._cutout(mark, mark.kind).level(PIECE_PX).unpadded()
        size = (shape.shape[1], shape.shape[0])
        piece = with_alpha(resized(other[y : y + side, x : x + side], size), shape[..., 3])
        scale = np.array(size) / np.array(mark.image.size)
        return Cutout(Image.fromarray(piece), mark.outline * scale, None, filled=True)


@dataclass
class Scene:
    """A picture while it is painted.

    *canvas*: what it shows, changed in place; *scale*: how many of its pixels one pixel of the
    network's input covers; *placed*: what lies on it.
    """

    canvas: Image.Image
    scale: float
    placed: list[Placed] = field(default_factory=list)

    def copy(self) -> "Scene":
        """Copy the scene, to be painted on in another way."""
        return Scene(self.canvas.copy(), self.scale, list(self.placed))


def paint(rng: np.random.Generator, kit: Kit, window: int) -> Picture:
    """Paint one picture by itself, for ``stampgate synth``, the threshold and the validation set.

    Training shows :func:`paint_twins`. *window*: side of the network input, in pixels, as there.
    """
    scene = background(rng, kit, window)
    for cutout in choose_cutouts(rng, kit):
        superimpose(rng, kit, scene, cutout)
    return photograph(rng, kit, scene, window)


def paint_twins(rng: np.random.Generator, kit: Kit, window: int) -> tuple[Picture, Picture]:
    """Paint the two training pictures of a pair, from background to network input.

    ::

        background → look-alikes ─┬→ marks          → light → lens and sensor → prepare → boxes
                                  └→ marks, or none → light → lens and sensor → prepare → boxes

    Twins are paired samples: one background with the same look-alikes, the first with marks, the
    second with others or none. Each has its own light, lens and sensor, so that only the mark tells
    them apart. They cost less than two pictures, as they share the way to the look-alikes. Pictures
    planned without a mark are second ones as far as ``negative_share`` allows.

    *window*: side of the network input, in pixels. One as large as ``kit.size`` shows a whole
    frame, a smaller one a part of a frame at the same scale, which costs less and teaches as much.
    """
    scene = background(rng, kit, window)
    for cutout in choose_lookalikes(rng, kit):
        superimpose(rng, kit, scene, cutout)
    second, bare = scene.copy(), 2 * kit.settings.negative_share
    for canvas, without in ((scene, bare - 1.0), (second, bare)):
        if rng.random() >= without:
            for cutout in choose_marks(rng, kit):
                superimpose(rng, kit, canvas, cutout)
    return photograph(rng, kit, scene, window), photograph(rng, kit, second, window)


def photograph(rng: np.random.Generator, kit: Kit, scene: Scene, window: int) -> Picture:
    """Photograph a scene: the network's input of side *window*, and the boxes of its marks.

    In a soft picture a print must be larger to be read. What cannot be read is neither right nor
    wrong: to call a smudge a mark would teach to see marks in smudges, and to call it none would
    teach to doubt small marks.
    """
    pixels, lighting = light(rng, kit.settings, np.asarray(scene.canvas, np.uint8))
    frame, softness = lens_and_sensor(rng, kit.settings, pixels)
    network, fit = prepare(frame, window, window)
    blur_px = softness / scene.scale
    blur = 1.0 + blur_px * kit.settings.softness_cost
    marks, ignored, shown = list[tuple[int, Box]](), list[Box](), list[Conditions]()
    for spot in counting(scene.placed):
        box = fit.to_network(spot.box)
        if spot.kind is None:
            # Too small, nobody could tell it from a mark: the network is not told either.
            least = max(kit.settings.legible_px, spot.least_px)
            if max(box.width, box.height) < least * blur:
                ignored.append(box)
        elif (not spot.ignored and is_readable(kit.settings, spot, box, blur)) and (
            spot.trace is None or contrast_of(spot.trace, frame) >= kit.settings.contrast_min
        ):
            marks.append((spot.kind, box))
            shown.append(conditions_of(spot, box, kit.size, blur_px, lighting))
        else:
            ignored.append(box)
    return Picture(network, tuple(marks), tuple(ignored), frame, tuple(shown))


def counting(placed: Sequence[Placed]) -> Iterator[Placed]:
    """Yield what counts of what lies on a canvas: a mark, or its parts in its place."""
    for spot in placed:
        yield from (spot,) if spot.parts is None else spot.parts


def conditions_of(
    spot: Placed, box: Box, size: int, blur_px: float, lighting: Lighting
) -> Conditions:
    """Return how a mark is shown. *box*: in network pixels; *size*: side of the network's input."""
    share = max(box.width, box.height) / size
    return Conditions(share, spot.turn_deg, blur_px, lighting.stops, lighting.uneven, spot.visible)


def is_readable(s: SynthSettings, spot: Placed, box: Box, blur: float) -> bool:
    """Return whether a mark counts: enough of it can be seen, and it is large for the blur."""
    return spot.visible >= s.visible_min and min(box.width, box.height) >= s.smallest_px * blur


def background(rng: np.random.Generator, kit: Kit, window: int) -> Scene:
    """Draw a piece of a product picture, as large as the camera's picture will be."""
    photo = kit.backgrounds.pixels(rng)
    if happens(rng, kit.settings.plain_share):
        photo = on_plain_ground(rng, photo)
    tall, wide = photo.shape[:2]
    frame = window >= kit.size
    aspect = ASPECTS[whole(rng, len(ASPECTS))] if frame else 1.0
    width = min(wide, tall * aspect) * between(rng, *(WHOLE_CROP if frame else WINDOW_CROP))
    height = width / aspect
    x, y = int(between(rng, 0, wide - width)), int(between(rng, 0, tall - height))
    size = camera_size(rng, kit.settings, (width, height), window)
    ground = resized(photo[y : y + int(height), x : x + int(width)], size)
    if happens(rng, FLIP_SHARE):
        ground = np.asarray(cv2.flip(ground, 1), np.uint8)
    return Scene(Image.fromarray(ground), max(size) / window)


def camera_size(
    rng: np.random.Generator, s: SynthSettings, piece: tuple[float, float], window: int
) -> tuple[int, int]:
    """Draw the camera's resolution: width and height, in pixels, of its picture of a *piece*.

    *piece*: width and height of that piece of a photograph; *window*: side of the network's input.
    """
    finest = ratio_between(rng, s.camera_min, s.camera_max) if happens(rng, s.camera_share) else 1.0
    shrink = window * finest / max(piece)
    if finest != 1.0:
        # No finer than the photograph is sharp, so that a mark is not the one sharp thing.
        shrink = min(shrink, between(rng, *SHARPNESS))
    return max(8, round(piece[0] * shrink)), max(8, round(piece[1] * shrink))


def on_plain_ground(rng: np.random.Generator, photo: Frame) -> Frame:
    """Show a product as shops do: the photograph smaller, on plain ground of the same size."""
    ground = np.empty_like(photo)
    ground[:] = [int(255 - rng.exponential(WHITE_MEAN)) for _ in range(3)]
    share = between(rng, *ON_PLAIN)
    height, width = (max(1, int(length * share)) for length in photo.shape[:2])
    x, y = whole(rng, photo.shape[1] - width), whole(rng, photo.shape[0] - height)
    ground[y : y + height, x : x + width] = resized(photo, (width, height))
    return ground


def choose_cutouts(rng: np.random.Generator, kit: Kit) -> list[Cutout]:
    """Draw what will be pasted: look-alikes and marks in random order."""
    cutouts = choose_lookalikes(rng, kit)
    if not happens(rng, kit.settings.negative_share):
        cutouts += choose_marks(rng, kit)
    return [cutouts[i] for i in rng.permutation(len(cutouts))]


def choose_lookalikes(rng: np.random.Generator, kit: Kit) -> list[Cutout]:
    """Draw some look-alikes, or none."""
    settings = kit.settings
    return [
        kit.lookalike(rng)
        for _ in range(settings.lookalikes_max)
        if happens(rng, settings.lookalike_share)
    ]


def choose_marks(rng: np.random.Generator, kit: Kit) -> list[Cutout]:
    """Draw one mark or more."""
    return [kit.mark(rng) for _ in range(1 + whole(rng, kit.settings.marks_max))]


def superimpose(rng: np.random.Generator, kit: Kit, scene: Scene, cutout: Cutout) -> None:
    """Paste a cut-out in perspective where nothing else was pasted; leave it out without room."""
    s, size = kit.settings, scene.canvas.size
    pose = place(rng, s, cutout, size, kit.size * scene.scale, scene.scale, scene.placed)
    if pose is None:
        return
    if pose.bend is None and happens(rng, plate_share(s, cutout)):
        lay_plate(rng, kit, scene, cutout, pose)
    light = cutout.making.light
    ink = happens(rng, s.ink_share) and not light
    runs = round(RUNS * max(pose.box.width, pose.box.height)) if ink else 0
    rect = cover(pose.box, size, margin=1 + runs)
    corner = (rect.x0, rect.y0)
    bare = _at(scene.canvas, rect)
    warped = warp(cutout, pose, rect)
    layer = Layer(recoloured(rng, s, warped, bare, opaque=light), corner)
    layer = (printed(rng, s, layer, bare) if ink else None) or stuck(rng, s, layer, scene.canvas)
    paste(scene.canvas, layer.pixels, layer.corner)
    hidden = 0.0
    if happens(rng, s.occlusion_share):
        hidden = occlude(rng, scene.canvas, layer, kit.backgrounds.pixels(rng))
    box = spanning(pose.box, layer.strike)
    inside = box.clipped(*size)
    visible = inside.area / max(box.area, 1e-9) * layer.left * (1.0 - hidden)
    trace = None if cutout.kind is None else trace_of(bare, _at(scene.canvas, rect), corner)
    turn = rotation_deg(pose.matrix, cutout.width / 2, cutout.height / 2)
    parts = parts_of(cutout, pose, size, turn, layer.left * (1.0 - hidden))
    scene.placed.append(
        Placed(cutout.kind, inside, visible, cutout.least_px, trace, turn, parts=parts)
    )


def parts_of(
    cutout: Cutout, pose: Pose, canvas: tuple[int, int], turn_deg: float, left: float
) -> tuple[Placed, ...] | None:
    """Return where the parts of a cut-out lie that count in its place; None without any.

    *canvas*: its width and height; *left*: share of the cut-out that can be seen, 0..1.
    """
    if cutout.insides is None:
        return None
    placed = list[Placed]()
    for part in cutout.insides:
        box = inside_box(part.box, pose)
        seen = box.clipped(*canvas)
        if seen.area <= 0:
            continue
        visible = seen.area / box.area * left
        placed.append(Placed(part.kind, seen, visible, turn_deg=turn_deg, ignored=part.ignore))
    return tuple(placed)


def lay_plate(rng: np.random.Generator, kit: Kit, scene: Scene, cutout: Cutout, pose: Pose) -> None:
    """Paste a plate below a cut-out that lies flat, where one fits it and covers nothing else."""
    plate = kit.plate(rng, cutout)
    if plate is None:
        return
    below = plate.below(cutout, pose)
    if any(below.box.intersection(other.box) > 0.0 for other in scene.placed):
        return
    rect = cover(below.box, scene.canvas.size)
    if rect.width > 0 and rect.height > 0:
        paste(scene.canvas, warp(plate.cutout, below, rect), (rect.x0, rect.y0))


def plate_share(s: SynthSettings, cutout: Cutout) -> float:
    """Return the chance of a plate below a cut-out: less where it brings a ground along."""
    return s.plate_share * (OWN_GROUND_PLATES if cutout.making.own_ground else 1.0)


def _at(canvas: Image.Image, rect: Rect) -> Frame:
    """Return a copy of a part of the canvas: (height, width, 3) uint8, RGB."""
    return np.array(canvas.crop((rect.x0, rect.y0, rect.x1, rect.y1)), np.uint8)
