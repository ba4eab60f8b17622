"""``python -m tests.board``: prove what the package does on an emulated board.

It builds the board, puts the package on it and judges what it does.

Exit status 0 only when every claim held. README.md beside this says what is needed and what is
claimed.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from edge import __version__
from tests.board import bundles, camera, closer, settings
from tests.board.judge import Claim, judge
from tests.board.machine import HungError, Machine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "make": "make",
    "depmod": "kmod",
    "cpio": "cpio",
    "xz": "xz-utils",
    "mke2fs": "e2fsprogs",
}
"""What must be on this machine, and the Debian package that has it."""
SEEN_BEFORE_THE_CUT = 12
"""Items of the load after which the power is cut, at a moment drawn by chance."""
Facts = dict[str, dict[str, Any]]


class BoardError(Exception):
    """Why there is no verdict, in one line with the next step."""


def main() -> int:
    """Do it all; a problem that the user can act on is one line."""
    parser = argparse.ArgumentParser(prog="make test-board", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "board", help="default: build/board"
    )
    parser.add_argument(
        "--judge",
        action="store_true",
        help="judge the facts of the last run again, without a board",
    )
    arguments = parser.parse_args()
    out: Path = arguments.out.absolute()
    try:
        seen, facts = read_facts(out) if arguments.judge else try_out(out)
        return tell(out, judge(facts, stamped_pictures(), seen))
    except (BoardError, HungError) as error:
        print(f"board: {error}; what was printed is in {out}", file=sys.stderr)
        return 1


def try_out(out: Path) -> tuple[int, Facts]:
    """Build, start, cut the power, start again.

    Returns the last item seen before the cut, and the facts.
    """
    check_tools()
    package = find_package()
    if subprocess.run([HERE / "build.sh", out], check=False).returncode:
        raise BoardError("the board cannot be built, see above")
    make_payload(out, package)
    make_disk(out)
    seen, facts = boot(out, 1, {})
    return seen, boot(out, 2, facts, seen)[1]


def check_tools() -> None:
    """Raise BoardError when this machine lacks something."""
    path = "/usr/sbin:/sbin"
    lacking = [
        package
        for tool, package in TOOLS.items()
        if not (shutil.which(tool) or shutil.which(tool, path=path))
    ]
    if lacking:
        raise BoardError(
            f"install what is missing: apt-get install --no-install-recommends {' '.join(lacking)}"
        )


def find_package() -> Path:
    """The package to try. Raises BoardError."""
    package = ROOT / "dist" / f"stampgate-edge_{__version__}_arm64.deb"
    if not package.is_file():
        raise BoardError(f"{package} is not there; 'make deb' builds it")
    return package


def make_payload(out: Path, package: Path) -> None:
    """Make the second disk: the package, the test and the pictures."""
    folder = out / "payload"
    shutil.rmtree(folder, ignore_errors=True)
    closer.write_pictures(folder / camera.SAMPLES.name)
    closer.write_model(folder / settings.MODEL.name)
    bundles.write_bundles(folder / settings.BUNDLES.name)
    (folder / "tests" / "board").mkdir(parents=True)
    for path in HERE.glob("*.py"):
        shutil.copy(path, folder / "tests" / "board")
    shutil.copy(package, folder)
    make_image(folder)


def make_image(folder: Path) -> None:
    """Make a disk of *folder*, under its name with ``.raw`` behind."""
    image = folder.with_suffix(".raw")
    with image.open("wb") as file:
        file.truncate(sum(path.stat().st_size for path in folder.rglob("*")) + (32 << 20))
    subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-d", folder, image], check=True)


def make_disk(out: Path) -> None:
    """Make the first disk: an overlay on the one that was built, which stays as it is."""
    base = ["-b", "disk/disk.raw", "-F", "raw"]
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", *base, out / "run.qcow2"], check=True
    )


def boot(out: Path, number: int, facts: Facts, seen: int = 0) -> tuple[int, Facts]:
    """Start the board and hear it out, or cut its power under load.

    Returns the last item seen, and all facts.

    *facts*: those of earlier starts; each step's are written down as they come, so that a run that
    fails leaves what it saw. Raises HungError when the board says nothing for too long, BoardError
    when it says that it failed.
    """
    left, end = SEEN_BEFORE_THE_CUT, "it switched itself off"
    with Machine(
        out / "boot", out / "run.qcow2", out / "payload.raw", out / f"console-{number}.log"
    ) as machine:
        for message in machine.messages():
            match message:
                case {"say": words}:
                    print(f"board: start {number}: {words}", flush=True)
                case {"facts": step, **found}:
                    facts[step] = found
                    write_facts(out, seen, facts)
                case {"seen": seen}:
                    left -= 1
                    if not left:
                        time.sleep(random.random())
                        machine.cut_power()
                        end = ""
                case {"done": True}:
                    end = ""
                case {"failed": end}:
                    pass
                case {"log": text}:
                    (out / f"journal-{number}.txt").write_text(text)
    if end:
        raise BoardError(f"start {number}: {end}")
    write_facts(out, seen, facts)
    return seen, facts


def write_facts(out: Path, seen: int, facts: Facts) -> None:
    """Keep the facts, for ``--judge`` and for whoever wonders."""
    (out / "facts.json").write_text(json.dumps({"seen": seen, "facts": facts}))


def read_facts(out: Path) -> tuple[int, Facts]:
    """The facts of the last run. Raises BoardError."""
    try:
        kept = json.loads((out / "facts.json").read_text())
    except OSError as error:
        raise BoardError(
            f"{error.filename}: no run has left its facts there ({error.strerror})"
        ) from None
    return kept["seen"], kept["facts"]


def stamped_pictures() -> frozenset[str]:
    """The sample pictures that show the mark, as their labels say."""
    return frozenset(name for name, box in closer.labelled().items() if box is not None)


def tell(out: Path, claims: list[Claim]) -> int:
    """Print the claims, write them down, and return the exit status."""
    (out / "claims.json").write_text(json.dumps([vars(claim) for claim in claims], indent=1))
    width = max(len(claim.name) for claim in claims)
    for claim in claims:
        print(f"{'pass' if claim.passed else 'FAIL'}  {claim.name:<{width}}  {claim.figures}")
    failed = sum(not claim.passed for claim in claims)
    print(f"board: {len(claims) - failed} of {len(claims)} claims held")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
