"""Painted frames of a camera's size, from a run's own marks.

Golden frames of a bundle are chosen among them. They are painted by the same code as training
pictures, but as large as the camera's picture, with what is to be judged inside the region. Their
products are painted, too, unless somebody asks for the run's own photographs: a bundle is copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from edge.vision.model_file import ModelFile
from edge.vision.preprocess import Frame
from train.marks.mark import load_mark
from train.paint.cutouts import Cutout, resized
from train.paint.input_fingerprint import Fingerprint
from train.paint.inputs import Inputs, read_inputs, read_marks
from train.paint.optics import lens_and_sensor, light
from train.paint.random_draws import whole
from train.paint.synth import Kit, Scene, choose_lookalikes, superimpose
from train.proof.model_card import open_run

SEED_OFFSET = 2**34
"""Keeps these frames' seeds away from those of training, trial and painted sets."""
STAMPED, UNSTAMPED, LOOKALIKE = "stamped", "unstamped", "look-alike"
KINDS = (STAMPED, UNSTAMPED, LOOKALIKE)
"""What frame number 0, 1, 2, 3 ... shows, in turn."""


@dataclass(frozen=True)
class CameraFrames:
    """Frames of one run, by number: each is the same whenever it is painted.

    *size*: (width, height) of the camera's picture; *view*: (left, top, right, bottom) of the part
    that is looked at, in its pixels.
    """

    inputs: Inputs
    size: tuple[int, int]
    view: tuple[int, int, int, int]

    @cached_property
    def kit(self) -> Kit:
        """What they are painted from; of photographs, those that were held out from training."""
        return self.inputs.kit(held_out=True)

    def shows(self, number: int) -> str:
        """Return what frame *number* shows, one of :data:`KINDS`."""
        return KINDS[number % len(KINDS)]

    def frame(self, number: int) -> Frame:
        """Paint frame *number*: (height, width, 3) uint8, RGB."""
        rng = np.random.default_rng((SEED_OFFSET + self.inputs.config.fit.seed, number))
        left, top, right, bottom = self.view
        scene = self._ground(rng, (right - left, bottom - top))
        for cutout in self._cutouts(rng, self.shows(number)):
            superimpose(rng, self.kit, scene, cutout)
        canvas = scene.canvas
        if canvas.size != self.size:
            canvas = self._ground(rng, self.size).canvas
            canvas.paste(scene.canvas, (left, top))
        pixels, _ = light(rng, self.kit.settings, np.asarray(canvas, np.uint8))
        return lens_and_sensor(rng, self.kit.settings, pixels)[0]

    def _ground(self, rng: np.random.Generator, size: tuple[int, int]) -> Scene:
        """Fill a canvas of *size* with a product."""
        photo = self.kit.backgrounds.pixels(rng)
        tall, wide = photo.shape[:2]
        scale = min(wide / size[0], tall / size[1])
        width, height = max(1, int(size[0] * scale)), max(1, int(size[1] * scale))
        x, y = whole(rng, wide - width + 1), whole(rng, tall - height + 1)
        piece = resized(photo[y : y + height, x : x + width], size)
        return Scene(Image.fromarray(piece), max(size) / self.kit.size)

    def _cutouts(self, rng: np.random.Generator, shows: str) -> Sequence[Cutout]:
        """Draw what lies on a frame: a mark of each class, one look-alike or more, or nothing."""
        if shows == STAMPED:
            kinds = {mark.kind for mark in self.kit.marks}
            drawn = dict[int | None, Cutout]()
            while len(drawn) < len(kinds):
                mark = self.kit.mark(rng)
                drawn.setdefault(mark.kind, mark)
            return list(drawn.values())
        if shows == LOOKALIKE:
            return choose_lookalikes(rng, self.kit) or [self.kit.lookalike(rng)]
        return []


def frames_of_run(
    model: ModelFile,
    run: Path,
    size: tuple[int, int],
    view: tuple[int, int, int, int],
    *,
    photographs: bool,
) -> CameraFrames:
    """Return the frames that the run of *model* can paint, of a camera's *size*.

    *photographs*: whether on the run's own photographs, where it has any. Raises InputError when
    *run* is another's, or what is needed of it is no longer there.
    """
    kept = open_run(run, model).kept
    config = kept.config
    if photographs and config.backgrounds:
        known = Fingerprint.from_json(kept.inputs) if kept.inputs else None
        return CameraFrames(read_inputs(config, known), size, view)
    lookalikes = tuple(load_mark(Path(path), "look-alike") for path in config.lookalikes)
    return CameraFrames(Inputs(config, read_marks(config), None, None, lookalikes), size, view)
