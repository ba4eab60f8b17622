"""Change one byte of a bundle after the other: none of them may be read."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.bundles.archive import BLOCK
from edge.bundles.reading import read_unverified
from edge.errors import BundleError

Read = Callable[[Path], object]
"""What reads the bundle; it raises BundleError, and nothing else, for one that is changed."""


@dataclass(frozen=True)
class Swept:
    """What a sweep found: how many changed bundles, and those that were not refused in a line."""

    tried: int
    wrong: tuple[str, ...]


def sweep(path: Path, read: Read, flips: Iterable[tuple[int, int]]) -> Swept:
    """Read the bundle *path* once for each of *flips*, with that one byte changed; then mend it.

    *flips*: a byte's place, and what it is XORed with.
    """
    tried, wrong = 0, list[str]()
    with path.open("r+b", buffering=0) as file:
        for place, mask in flips:
            file.seek(place)
            [byte] = file.read(1)
            _put(file, place, byte ^ mask)
            if told := complaint(read, path):
                wrong.append(f"byte {place}, mask {mask}: {told}")
            _put(file, place, byte)
            tried += 1
    read(path)
    return Swept(tried, tuple(wrong))


def _put(file: object, place: int, byte: int) -> None:
    file.seek(place)  # type: ignore[attr-defined]
    file.write(bytes([byte]))  # type: ignore[attr-defined]


def complaint(read: Read, path: Path) -> str:
    """Return what is wrong with how *path* is refused; empty when it is, in one line."""
    try:
        read(path)
    except BundleError as error:
        text = str(error)
        return "" if text.startswith(f"{path}: ") and "\n" not in text else f"it says {text!r}"
    except Exception as error:  # noqa: BLE001 - whatever else comes out is a crash
        return f"it ends as {error!r}"
    return "it is read"


def parts_of(path: Path, *names: str) -> Iterator[int]:
    """Yield each place of the members *names*, with their headers and what fills them up."""
    members = read_unverified(path).members
    for name in names:
        yield from range(members[name].begin - BLOCK, members[name].end)


def elsewhere(path: Path, names: Iterable[str], count: int, seed: int = 0) -> Iterator[int]:
    """Yield *count* random places outside the members *names*."""
    taken = set(parts_of(path, *names))
    size, draw = path.stat().st_size, random.Random(seed)
    for _ in range(count):
        place = draw.randrange(size)
        while place in taken:
            place = draw.randrange(size)
        yield place
