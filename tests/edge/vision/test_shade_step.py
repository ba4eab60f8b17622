"""A step in shade, as a changed byte leaves it in a JPEG, is found; an edge is none."""

import contextlib
import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge.camera.pixels import SHADE_STEP_ABOVE, from_mjpg
from edge.errors import FrameError
from edge.sections.camera import CameraSettings
from edge.vision.shade_step import LEAST_BLOCKS, shade_step

BLOCK = (16, 8)
WIDTH, HEIGHT = 16 * 80, 8 * 40
WHOLE = np.random.default_rng(3).integers(100, 106, (HEIGHT, WIDTH, 3)).astype(np.uint8)
Pixels = NDArray[np.uint8]


def encoded(pixels: Pixels, subsampling: str = "4:2:2") -> bytes:
    """A camera's JPEG of it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90, subsampling=subsampling)
    return file.getvalue()


def shifted(
    row: int, block: int, levels: int, channels: slice = slice(3), height: int = 8
) -> Pixels:
    """Make all behind a block lighter or darker."""
    pixels = WHOLE.astype(np.int16)
    top = row * height
    pixels[top : top + height, block * 16 :, channels] += levels
    pixels[top + height :, :, channels] += levels
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("levels", [-40, -12, 12, 40])
@pytest.mark.parametrize(("row", "block"), [(1, 8), (1, 40), (20, 71), (37, 30)])
def test_what_is_lighter_or_darker_from_a_block_on_is_found(
    row: int, block: int, levels: int
) -> None:
    """Wherever the block is, but for the ends of a row and the last row of all."""
    assert shade_step(WHOLE, BLOCK) < 2
    assert shade_step(shifted(row, block, levels), BLOCK) > 8


def test_a_tint_is_found_in_its_channel() -> None:
    """A code of a colour that was changed."""
    assert shade_step(shifted(20, 40, 12, slice(2, 3)), BLOCK) > 8


@pytest.mark.parametrize("level", [0, 120])
def test_a_real_edge_is_no_step(level: int) -> None:
    """A level one between two rows of blocks, over all the width or a part; and a slanting one."""
    edge = WHOLE.copy()
    edge[160:] = level
    part = WHOLE.copy()
    part[160:, 400:] = level
    slant = WHOLE.copy()
    for x in range(WIDTH):
        slant[150 + x // 64 :, x] = level
    for pixels in (edge, part, slant):
        assert shade_step(pixels, BLOCK) < 5


def test_a_small_picture_is_not_looked_at() -> None:
    """Of few blocks chance makes a step."""
    pixels = shifted(20, 30, 40)
    assert shade_step(pixels[:, : LEAST_BLOCKS * 16], BLOCK) > 8
    assert shade_step(pixels[:, : LEAST_BLOCKS * 16 - 1], BLOCK) == 0
    assert shade_step(pixels[:16], BLOCK) == 0


@pytest.mark.parametrize(("subsampling", "height"), [("4:4:4", 8), ("4:2:2", 8), ("4:2:0", 16)])
def test_a_camera_s_picture_with_such_a_step_is_a_fault(subsampling: str, height: int) -> None:
    """Unless it is switched off; its whole picture is none."""
    assert from_mjpg(encoded(WHOLE, subsampling), WIDTH, HEIGHT).shape == (HEIGHT, WIDTH, 3)
    damaged = encoded(shifted(10, 40, 30, height=height), subsampling)
    with pytest.raises(FrameError, match=r"all behind a block is \d+ levels off"):
        from_mjpg(damaged, WIDTH, HEIGHT)
    assert from_mjpg(damaged, WIDTH, HEIGHT, 0.0).shape == (HEIGHT, WIDTH, 3)


def test_a_changed_bit_that_shows_is_told() -> None:
    """Where the code comes out again: a decoder that counts every bit could not tell."""
    data = encoded(WHOLE)
    start, rng, shown = data.index(b"\xff\xda") + 14, np.random.default_rng(4), 0
    for at in rng.integers(start, len(data) * 2 // 3, 60):
        damaged = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        with contextlib.suppress(FrameError):
            seen = from_mjpg(damaged, WIDTH, HEIGHT, 0.0).astype(np.int16)
            if (np.abs(seen - WHOLE).max(2) > 14).mean() > 0.1:
                shown += 1
                with pytest.raises(FrameError, match="levels off"):
                    from_mjpg(damaged, WIDTH, HEIGHT)
    assert shown


def test_the_setting_is_what_the_decoder_takes_of_itself() -> None:
    """One number in two places."""
    assert CameraSettings().shade_step_above == SHADE_STEP_ABOVE
