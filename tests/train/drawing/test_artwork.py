"""The project's own stamp and its look-alikes are what their script draws."""

import numpy as np
import pytest
from PIL import Image

from artwork.draw import HERE, SEALS, paint, svg


@pytest.mark.parametrize("name", SEALS)
def test_each_seal_is_drawn_as_it_was_committed(name: str) -> None:
    """The SVG byte for byte; the PNG but for the rounding of another Pillow."""
    path = HERE / name
    assert path.with_suffix(".svg").read_text(encoding="utf-8") == svg(SEALS[name], path.name)
    with Image.open(path.with_suffix(".png")) as picture:
        committed = np.asarray(picture.convert("RGBA"), np.int16)
    assert np.abs(np.asarray(paint(SEALS[name]), np.int16) - committed).mean() < 1
