"""Drawn photographs, each unlike the others, as bodies of all kinds that the net sends."""

import io
from typing import Any

import numpy as np
from PIL import Image


def photograph(seed: int, width: int = 400, height: int = 300) -> Image.Image:
    """A picture of soft colours, RGB; another one for each *seed*."""
    few = np.random.default_rng(seed).integers(0, 256, (9, 12, 3)).astype(np.uint8)
    return Image.fromarray(few).resize((width, height), Image.Resampling.BICUBIC)


def body(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The file's bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(seed: int, width: int = 400, height: int = 300) -> bytes:
    """A photograph's JPEG file."""
    return body(photograph(seed, width, height), quality=90)
