"""How many damaged motion-JPEG pictures are told from whole ones, and what telling them costs.

``python -m bench.jpeg_damage``, or ``make bench-jpeg``. Packaged pictures are made what a camera
sends (1280 x 960, 4:2:2), damaged at a random place in many ways that keep the end marker, and
decoded by the box's own function. Of those that are not told, it is counted how many show another
picture: more than a fiftieth of it off by more than 8 of 255 grey levels.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from edge.camera.pixels import from_mjpg
from edge.commands.demo import SAMPLES
from edge.errors import FrameError
from edge.vision.preprocess import Frame

WIDTH, HEIGHT = 1280, 960
QUALITIES = (60, 80, 95)
NOISE_LEVELS = 3.0
"""Standard deviation of the sensor's noise that is added, grey levels."""
OFF_LEVELS, OFF_SHARE = 8, 0.02
TIMED = 20


@dataclass
class Counted:
    """What became of the damaged pictures of one kind."""

    tried: int = 0
    told: int = 0
    other: int = 0
    """Not told, and shows another picture."""


def camera_picture(place: int, quality: int, rows: int = 0) -> bytes:
    """Return a packaged picture as a camera's JPEG; *rows*: of blocks, from restart to restart."""
    path = sorted(SAMPLES.glob("*.jpg"))[place]
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").resize((WIDTH, HEIGHT)), np.float64)
    noise = np.random.default_rng(place).normal(0, NOISE_LEVELS, (HEIGHT, WIDTH, 1))
    file = io.BytesIO()
    noisy = Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))
    more = {"restart_marker_rows": rows} if rows else {}
    noisy.save(file, "JPEG", quality=quality, subsampling="4:2:2", **more)
    return file.getvalue()


def _lose(size: int) -> Callable[[bytes, int, np.random.Generator], bytes]:
    return lambda data, at, _: data[:at] + data[at + size :]


def _zero(size: int) -> Callable[[bytes, int, np.random.Generator], bytes]:
    return lambda data, at, _: data[:at] + bytes(size) + data[at + size :]


DAMAGES: dict[str, Callable[[bytes, int, np.random.Generator], bytes]] = {
    "1 byte lost": _lose(1),
    "1 byte too many": lambda d, at, rng: d[:at] + rng.bytes(1) + d[at:],
    "1 bit turned": lambda d, at, rng: (
        d[:at] + bytes([d[at] ^ 1 << int(rng.integers(8))]) + d[at + 1 :]
    ),
    "16 bytes lost": _lose(16),
    "64 bytes zeroed": _zero(64),
    "512 bytes lost": _lose(512),
    "3,060 bytes lost": _lose(3060),
    "512 bytes zeroed": _zero(512),
    "512 bytes twice": lambda d, at, _: d[: at + 512] + d[at:],
    "the end lost": lambda d, at, _: d[:at] + d[-2:],
}
"""A function of the picture, the place of the damage and a random generator, for each kind."""
LONGEST = 3060


def damaged_by(name: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Damage the coded pixels of *data* somewhere; the markers before and the end marker stay."""
    start = data.index(b"\xff\xda") + 14
    return DAMAGES[name](data, int(rng.integers(start, len(data) - 2 - LONGEST)), rng)


def measure(pictures: Sequence[bytes], tries: int, seed: int = 0) -> dict[str, Counted]:
    """Damage each of *pictures* in each way, *tries* times, and count."""
    rng, counts = np.random.default_rng(seed), {name: Counted() for name in DAMAGES}
    for data in pictures:
        whole = from_mjpg(data, WIDTH, HEIGHT)
        for name, counted in counts.items():
            for _ in range(tries):
                counted.tried += 1
                try:
                    seen = from_mjpg(damaged_by(name, data, rng), WIDTH, HEIGHT)
                except FrameError:
                    counted.told += 1
                else:
                    counted.other += _differs(seen, whole)
    return counts


def _differs(seen: Frame, whole: Frame) -> bool:
    far = np.abs(seen.astype(np.int16) - whole).max(2) > OFF_LEVELS
    return bool(far.mean() > OFF_SHARE)


def _pillow(data: bytes) -> Frame:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.array(image.convert("RGB"))


def _milliseconds(decode: Callable[[bytes], object], data: bytes) -> float:
    took = []
    for _ in range(TIMED):
        begin_ns = time.thread_time_ns()
        decode(data)
        took.append((time.thread_time_ns() - begin_ns) / 1e6)
    return float(np.median(took))


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table for each quality, without and with restart markers."""
    parser = argparse.ArgumentParser(prog="python -m bench.jpeg_damage", description=__doc__)
    parser.add_argument(
        "--tries", type=int, default=50, help="each, kind and picture (%(default)d)"
    )
    parser.add_argument("--pictures", type=int, default=4, help="packaged ones (%(default)d)")
    parser.add_argument("--quality", type=int, nargs="+", default=QUALITIES, help="of the JPEG")
    arguments = parser.parse_args(argv)
    for quality in arguments.quality:
        for rows in (0, 1):
            data = [camera_picture(place, quality, rows) for place in range(arguments.pictures)]
            ours = _milliseconds(lambda jpeg: from_mjpg(jpeg, WIDTH, HEIGHT), data[0])
            pillows = _milliseconds(_pillow, data[0])
            restarts = "each row" if rows else "none"
            print(
                f"quality {quality}, restart markers {restarts}, {len(data[0]) // 1000} kB: "
                f"{ours:.1f} ms, by Pillow {pillows:.1f} ms"
            )
            for name, found in measure(data, arguments.tries).items():
                told, other = found.told / found.tried, found.other / found.tried
                print(f"  {name:18}{found.tried:7}  FAULT {told:7.2%}  another {other:7.2%}")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
