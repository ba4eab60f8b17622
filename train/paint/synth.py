"""Training pictures: marks superimposed on a product by alpha compositing, then light and camera.

:func:`paint_twins` is the way of one training picture, from background to network input. Which
augmentations matter follows Dwibedi et al., *Cut, Paste and Learn* (2017): vary the blending, and
put the same seams where no mark is, so that the seam itself teaches nothing; look-alikes, the hard
negatives, are pasted by the same code as marks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from edge.decision import Box
from edge.vision.preprocess import Frame, prepare
from train.config import SynthSettings
from train.labels.reading import Labelled
from train.paint.backgrounds import Backgrounds
from train.paint.cutouts import Cutout, resized, with_alpha
from train.paint.lookalikes import make_lookalike
from train.paint.marks import Mark, outline_of
from train.paint.optics import lens_and_sensor, light
from train.paint.placing import Placed, cover, place, spanning, warp
from train.paint.printing import RUNS, Layer, occlude, paste, printed, recoloured, stuck
from train.paint.random_draws import between, happens, ratio_between, whole

__all__ = ["Cutout", "Kit", "Picture", "Scene", "paint", "paint_twins"]

LOOKALIKE_POOL = 240
"""How many different look-alikes are made from the marks, each when it is first wanted."""
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
    made from, (height, width, 3) uint8, RGB.
    """

    pixels: Frame
    marks: tuple[tuple[int, Box], ...]
    ignored: tuple[Box, ...]
    frame: Frame


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

    def mark(self, rng: np.random.Generator) -> Cutout:
        """Draw one of the marks; classes are balanced, whatever the number of their variants."""
        if not self._variants:
            for mark in self.marks:
                self._variants.setdefault(mark.kind, []).append(mark)
        variants = list(self._variants.values())[whole(rng, len(self._variants))]
        mark = variants[whole(rng, len(variants))]
        return self._cutout(mark, mark.kind)

    def lookalike(self, rng: np.random.Generator) -> Cutout:
        """Draw a look-alike, which must not be taken for a mark (a hard negative).

        One of those given, one made from a mark, or a mark-shaped piece of another picture.
        """
        if self.given_lookalikes and happens(rng, self.settings.given_share):
            return self._cutout(self.given_lookalikes[whole(rng, len(self.given_lookalikes))], None)
        if happens(rng, self.settings.piece_share):
            return self._piece(rng)
        number = whole(rng, LOOKALIKE_POOL)
        return self._keep(number, lambda: self._made(number))

    def _made(self, number: int) -> Cutout:
        """Make look-alike *number* of the pool; it depends on the marks and its number alone."""
        rng = np.random.default_rng((len(self.marks), number))
        image = make_lookalike(self.marks[whole(rng, len(self.marks))].image, rng)
        return Cutout(image, outline_of(image), None)

    def _cutout(self, mark: Mark, kind: int | None) -> Cutout:
        return self._keep((id(mark), kind), lambda: Cutout(mark.image, mark.outline, kind))

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

    *canvas*: what it shows, changed in place; *ground*: what it showed before anything was
    superimposed; *scale*: how many of its pixels one pixel of the network's input covers; *placed*:
    what lies on it.
    """

    canvas: Image.Image
    ground: Frame
    scale: float
    placed: list[Placed] = field(default_factory=list)

    def copy(self) -> "Scene":
        """Copy the scene, to be painted on in another way."""
        return Scene(self.canvas.copy(), self.ground, self.scale, list(self.placed))


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
    pixels = light(rng, kit.settings, np.asarray(scene.canvas, np.uint8))
    frame, softness = lens_and_sensor(rng, kit.settings, pixels)
    network, fit = prepare(frame, window, window)
    blur = 1.0 + softness / scene.scale * kit.settings.softness_cost
    marks, ignored = list[tuple[int, Box]](), list[Box]()
    for spot in scene.placed:
        box = fit.to_network(spot.box)
        if spot.kind is None:
            # Too small, nobody could tell it from a mark: the network is not told either.
            if max(box.width, box.height) < kit.settings.legible_px * blur:
                ignored.append(box)
        elif is_readable(kit.settings, spot, box, blur):
            marks.append((spot.kind, box))
        else:
            ignored.append(box)
    return Picture(network, tuple(marks), tuple(ignored), frame)


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
    return Scene(Image.fromarray(ground), ground, max(size) / window)


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
    ink = happens(rng, s.ink_share)
    runs = round(RUNS * max(pose.box.width, pose.box.height)) if ink else 0
    rect = cover(pose.box, size, margin=1 + runs)
    below = scene.ground[rect.y0 : rect.y1, rect.x0 : rect.x1]
    layer = Layer(recoloured(rng, s, warp(cutout, pose, rect), below), (rect.x0, rect.y0))
    layer = (printed(rng, s, layer, below) if ink else None) or stuck(rng, s, layer, scene.canvas)
    paste(scene.canvas, layer.pixels, layer.corner)
    hidden = 0.0
    if happens(rng, s.occlusion_share):
        hidden = occlude(rng, scene.canvas, layer, kit.backgrounds.pixels(rng))
    box = spanning(pose.box, layer.strike)
    inside = box.clipped(*size)
    visible = inside.area / max(box.area, 1e-9) * layer.left * (1.0 - hidden)
    scene.placed.append(Placed(cutout.kind, inside, visible))
