"""Colour profiles (ICC) of picture files: what a file means by its numbers, brought to sRGB.

Phones write Display P3, cameras Adobe RGB, print shops CMYK. LittleCMS converts them, by Pillow's
ImageCms. A Pillow that was built without it takes the numbers as they are: no camera of the box
writes a profile, so the box does not need it.
"""

import functools
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL import ImageCms

BASES = ("L", "RGB", "CMYK")
"""Modes of pixels that a profile describes."""
SAME_LEVELS = 1
"""Grey levels by which a profile may differ from sRGB and be taken for it."""
PROBE_STEPS = 9
"""Levels of each channel that are tried to compare a profile with sRGB."""
KEPT = 8
"""Transforms kept: pictures of one source have one profile."""


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an 8-bit *image* from its colour *profile* to sRGB, RGB or RGBA.

    It is returned as it is without a profile, with one that is sRGB's, that belongs to other modes
    or is damaged. Transparency is kept.
    """
    if not profile:
        return image
    base, alpha = _split(image)
    transform = _transform(bytes(profile), base.mode) if base.mode in BASES else None
    if transform is None:
        return image
    from PIL import ImageCms  # noqa: PLC0415 - a megabyte that the eye does not need

    converted = ImageCms.applyTransform(base, transform)
    assert converted is not None
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours of *image* in a mode that a profile describes, and its transparency."""
    grey = image.mode in ("L", "LA", "La")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layered = image.convert("LA" if grey else "RGBA")
        return layered.convert("L" if grey else "RGB"), layered.getchannel("A")
    return (image.convert("RGB") if image.mode == "P" else image), None


@functools.lru_cache(maxsize=KEPT)
def _transform(profile: bytes, mode: str) -> "ImageCms.ImageCmsTransform | None":
    """Return the transform to sRGB; None when there is none, or it changes nothing."""
    try:
        from PIL import ImageCms  # noqa: PLC0415
    except ImportError:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        probe = _probe()
        shown = ImageCms.applyTransform(probe, transform) if mode == "RGB" else None
    except (ImageCms.PyCMSError, ImportError, OSError, TypeError, ValueError):
        return None
    if shown is not None:
        far = np.abs(np.asarray(shown, np.int16) - np.asarray(probe, np.int16)).max()
        return transform if far > SAME_LEVELS else None
    return transform


def _probe() -> Image.Image:
    """Return a picture of colours from all over RGB."""
    levels = np.linspace(0, 255, PROBE_STEPS).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1)
    return Image.fromarray(colours.reshape(PROBE_STEPS, -1, 3))
