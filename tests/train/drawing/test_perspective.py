"""A flat picture is set into a scene so that its corners lie where they were asked for."""

import numpy as np
from PIL import Image

from train.drawing.perspective import Quad, coefficients, place


def source_of(way_back: tuple[float, ...], x: float, y: float) -> tuple[float, float]:
    """Return where Pillow looks in the source for the target point (x, y)."""
    a, b, c, d, e, f, g, h = way_back
    depth = g * x + h * y + 1
    return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth


def test_perspective_takes_each_corner_back_to_the_source() -> None:
    """The coefficients map the quad's corners onto the source picture's, in order."""
    quad: Quad = ((12.0, 9.0), (88.0, 20.0), (80.0, 95.0), (5.0, 70.0))
    back = [source_of(coefficients(quad, (40, 30)), x, y) for x, y in quad]
    assert np.allclose(back, [(0, 0), (40, 0), (40, 30), (0, 30)], atol=1e-6)


def test_a_placed_face_covers_its_quad_and_nothing_else() -> None:
    """A red face set over the edge of a black scene turns exactly its own part red."""
    scene = Image.new("RGB", (60, 60))
    place(scene, Image.new("RGB", (10, 10), "red"), ((-20, 10), (30, 10), (30, 40), (-20, 40)))
    red = np.asarray(scene)[..., 0] > 127
    expected = np.zeros((60, 60), bool)
    expected[10:40, 0:30] = True
    assert (red == expected).mean() > 0.97
    assert not red[:, 32:].any()
