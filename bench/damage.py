"""Damage a model file in thousands of ways, and count how many of them the box would run.

``python -m bench.damage`` takes the packaged model: random bytes, zeroed sectors, every bit of the
contract and of the sum, cut and longer files. None may run; it exits with 1 when one does.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.config import DEFAULT_MODEL
from edge.errors import ModelError
from edge.vision.contract import METADATA_KEY
from edge.vision.localizer import Localizer
from edge.vision.model_file import SUM_KEY

BYTES, SECTORS, CUTS, SECTOR = 2000, 500, 200, 512
"""How many of each kind by default, and the bytes of a disk's sector."""


@dataclass(frozen=True)
class Damage:
    """One damaged file: its *kind*, *where* it is damaged, and its *content*."""

    kind: str
    where: str
    content: bytes


def random_bytes(whole: bytes, count: int, draw: random.Random) -> Iterator[Damage]:
    """Yield *whole* with one byte changed to another, *count* times."""
    for _ in range(count):
        at, mask = draw.randrange(len(whole)), draw.randrange(1, 256)
        yield Damage(
            "random byte", f"{at} ^ {mask}", _changed(whole, at, bytes([whole[at] ^ mask]))
        )


def zeroed_sectors(whole: bytes, count: int, draw: random.Random) -> Iterator[Damage]:
    """Yield *whole* with one sector zeroed, *count* times; zero sectors are passed by."""
    while count:
        at = draw.randrange(0, len(whole), SECTOR)
        sector = whole[at : at + SECTOR]
        if any(sector):
            count -= 1
            yield Damage("zeroed sector", str(at), _changed(whole, at, bytes(len(sector))))


def every_bit(whole: bytes, key: str) -> Iterator[Damage]:
    """Yield *whole* with each bit of the metadata *key* flipped, the key's own text included."""
    begin = whole.rindex(key.encode())  # the document string may name it as well
    end = whole.find(b"stampgate.", begin + len(key))
    for at in range(begin, len(whole) if end < 0 else end):
        for bit in range(8):
            flipped = bytes([whole[at] ^ 1 << bit])
            yield Damage(f"bit of {key}", f"{at}.{bit}", _changed(whole, at, flipped))


def other_lengths(whole: bytes, count: int, draw: random.Random) -> Iterator[Damage]:
    """Yield *whole* cut off, and with bytes after it, *count* times each."""
    for _ in range(count):
        at = draw.randrange(len(whole))
        yield Damage("cut off", str(at), whole[:at])
        yield Damage("longer", str(at), whole + draw.randbytes(1 + at % 600))


def _changed(whole: bytes, at: int, part: bytes) -> bytes:
    return whole[:at] + part + whole[at + len(part) :]


def damages(whole: bytes, bytes_: int, sectors: int, cuts: int, seed: int) -> Iterator[Damage]:
    """Yield all damaged files of a sweep."""
    draw = random.Random(seed)  # noqa: S311 - damage is no secret
    yield from random_bytes(whole, bytes_, draw)
    yield from zeroed_sectors(whole, sectors, draw)
    yield from every_bit(whole, METADATA_KEY)
    yield from every_bit(whole, SUM_KEY)
    yield from other_lengths(whole, cuts, draw)


def runs(damage: Damage, path: Path) -> bool:
    """Tell whether the box would run the damaged file, which is written to *path*."""
    path.write_bytes(damage.content)
    try:
        Localizer(path)
    except ModelError:
        return False
    return True


def main() -> int:
    """Run the sweep and print its counts; return 1 when a damaged file runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.damage", description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, metavar="MODEL.onnx")
    for name, count in (("bytes", BYTES), ("sectors", SECTORS), ("cuts", CUTS), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=count, help="(default %(default)d)")
    asked = parser.parse_args()
    begun, tried, ran = time.monotonic(), dict[str, int](), dict[str, int]()
    with tempfile.TemporaryDirectory(prefix="stampgate-damage-") as folder:
        path = Path(folder) / "model.onnx"
        whole = asked.model.read_bytes()
        for damage in damages(whole, asked.bytes, asked.sectors, asked.cuts, asked.seed):
            tried[damage.kind] = tried.get(damage.kind, 0) + 1
            if runs(damage, path):
                ran[damage.kind] = ran.get(damage.kind, 0) + 1
                print(f"runs: {damage.kind} at {damage.where}", flush=True)
    for kind, count in tried.items():
        print(f"{kind:32}{count:8} tried{ran.get(kind, 0):8} run")
    print(f"seed {asked.seed}, {time.monotonic() - begun:.0f} s")
    return int(bool(ran))


if __name__ == "__main__":
    sys.exit(main())
