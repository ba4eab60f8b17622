"""The code that paints, by name: what a painted data set must have in common with its resume."""

import functools
import hashlib
from pathlib import Path

import cv2
import numpy as np
import PIL

ROOT = Path(__file__).parents[2]
"""The folder that holds the packages."""
MODULES = (
    "edge.decision",
    "edge.vision.colour_profiles",
    "edge.vision.jpeg",
    "edge.vision.picture_files",
    "edge.vision.picture_folders",
    "edge.vision.preprocess",
    "train.copies",
    "train.drawing.canvas",
    "train.drawing.codes",
    "train.drawing.colours",
    "train.drawing.lettering",
    "train.drawing.likeness",
    "train.drawing.motifs",
    "train.drawing.outlines",
    "train.drawing.perspective",
    "train.drawing.random_choice",
    "train.drawing.seals",
    "train.drawing.texture",
    "train.drawing.words",
    "train.marks.cut_out",
    "train.marks.cutting",
    "train.marks.distinct",
    "train.marks.drawing",
    "train.marks.fonts",
    "train.marks.ground",
    "train.marks.insides",
    "train.marks.lookalikes",
    "train.marks.making",
    "train.marks.mark",
    "train.marks.paper_sheet",
    "train.marks.straighten",
    "train.paint.backgrounds",
    "train.paint.contrast",
    "train.paint.cutouts",
    "train.paint.inputs",
    "train.paint.optics",
    "train.paint.painted_set",
    "train.paint.panels",
    "train.paint.picture_kinds",
    "train.paint.placing",
    "train.paint.plates",
    "train.paint.printing",
    "train.paint.products",
    "train.paint.random_draws",
    "train.paint.shading",
    "train.paint.synth",
    "train.photographs",
)
"""The modules that shape a picture or its boxes.

A test follows the imports from the painting functions and fails when one that shapes them is
missing here, or when one is here that nothing of them uses.
"""


@functools.cache
def painting_digest(root: Path | None = None) -> str:
    """Return the SHA-256 of the code that paints and of its libraries' versions, as hex digits.

    With another digest the same settings may give other pictures. *root*: the folder that holds
    the packages; None is that of this program.
    """
    whole = hashlib.sha256(f"{np.__version__} {cv2.__version__} {PIL.__version__}".encode())
    for module in MODULES:
        path = (root or ROOT).joinpath(*module.split(".")).with_suffix(".py")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
