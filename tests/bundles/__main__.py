"""``python -m tests.bundles [BUNDLE --keys DIR]``: change each byte of a bundle, and count.

All places of the manifest and of the signature, each with one bit and with all bits changed, and
random ones elsewhere. Without a bundle one is made of the tiny model; one that is named is copied.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from edge.bundles.reading import read_bundle
from edge.bundles.trust import load_trusted_keys
from tests.bundles.sweep import elsewhere, parts_of, sweep
from tests.tiny_bundle import trust, write_tiny_bundle

NAMES = ("model.sig", "manifest.json")


def main() -> int:
    """Sweep a bundle; return 1 when a changed one was not refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.bundles", description=__doc__)
    parser.add_argument("bundle", nargs="?", type=Path)
    parser.add_argument("--keys", type=Path, help="folder of trusted keys")
    parser.add_argument("--random", type=int, default=2000, help="places elsewhere (%(default)d)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "swept.bundle"
        if arguments.bundle is None:
            write_tiny_bundle(path)
            keys = trust(Path(made) / "keys")
        else:
            shutil.copyfile(arguments.bundle, path)
            keys = arguments.keys
        return _sweep(path, keys, arguments.random, arguments.seed)


def _sweep(path: Path, folder: Path, count: int, seed: int) -> int:
    begun, draw = time.monotonic(), random.Random(seed)
    read = partial(read_bundle, keys=load_trusted_keys(folder))
    places = list(parts_of(path, *NAMES))
    others = list(elsewhere(path, NAMES, count, seed))
    flips = [(place, mask) for place in places for mask in (1 << draw.randrange(8), 0xFF)]
    flips += [(place, 1 << draw.randrange(8)) for place in others]
    swept = sweep(path, read, flips)
    print(
        f"{path.stat().st_size} bytes: {swept.tried} changed bundles, {2 * len(places)} of them in "
        f"the {len(places)} places of {' and '.join(NAMES)}; "
        f"{len(swept.wrong)} not refused in one line; {time.monotonic() - begun:.0f} s"
    )
    for line in swept.wrong[:20]:
        print(line)
    return int(bool(swept.wrong))


if __name__ == "__main__":
    sys.exit(main())
