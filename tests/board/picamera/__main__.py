"""``python -m tests.board.picamera``: prove the driver for ribbon cables on an emulated board.

It is tried with the real picamera2.

Exit status 0 only when every claim held. ../README.md says what is needed, what is claimed and what
is not.
"""

import argparse
import json
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

from tests.board import closer
from tests.board.__main__ import (
    ROOT,
    BoardError,
    Facts,
    check_tools,
    find_package,
    make_disk,
    make_image,
    tell,
)
from tests.board.machine import HungError, Machine
from tests.board.picamera.judge import judge
from tests.board.settings import MODEL

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Do it all; a problem that the user can act on is one line."""
    parser = argparse.ArgumentParser(prog="make test-picamera", description=__doc__)
    folder = ROOT / "build" / "board-picamera"
    parser.add_argument("--out", type=Path, default=folder, help="default: build/board-picamera")
    parser.add_argument(
        "--judge",
        action="store_true",
        help="judge the facts of the last run again, without a board",
    )
    arguments = parser.parse_args()
    out: Path = arguments.out.absolute()
    try:
        return tell(out, judge(read_facts(out) if arguments.judge else try_out(out)))
    except (BoardError, HungError) as error:
        print(f"board: {error}; what was printed is in {out}", file=sys.stderr)
        return 1


def try_out(out: Path) -> Facts:
    """Build and start the board, and hear it out; returns the facts."""
    check_tools()
    package = find_package()
    if subprocess.run([HERE / "build.sh", out, sys.executable], check=False).returncode:
        raise BoardError("the board cannot be built, see above")
    make_payload(out, package)
    make_disk(out)
    return boot(out)


def make_payload(out: Path, package: Path) -> None:
    """Make the second disk: the package and the test."""
    folder = out / "payload"
    shutil.rmtree(folder, ignore_errors=True)
    for source in (HERE.parent, HERE):
        target = folder / source.relative_to(ROOT)
        target.mkdir(parents=True)
        for path in source.glob("*.py"):
            shutil.copy(path, target)
    shutil.copy(package, folder)
    closer.write_model(folder / MODEL.name)
    make_image(folder)


def boot(out: Path) -> Facts:
    """Start the board and hear it out; each step's facts are written down as they come.

    Raises HungError when the board says nothing for too long, BoardError when it says that it
    failed.
    """
    facts: Facts = {}
    end = "it switched itself off"
    with Machine(
        out / "boot", out / "run.qcow2", out / "payload.raw", out / "console.log"
    ) as machine:
        for message in machine.messages():
            match message:
                case {"say": words}:
                    print(f"board: {words}", flush=True)
                case {"facts": step, **found}:
                    if "png" in found:
                        (out / "bars.png").write_bytes(b64decode(found.pop("png")))
                    facts[step] = found
                    (out / "facts.json").write_text(json.dumps(facts))
                case {"done": True}:
                    end = ""
                case {"failed": end}:
                    pass
                case {"log": text}:
                    (out / "journal.txt").write_text(text)
    if end:
        raise BoardError(end)
    return facts


def read_facts(out: Path) -> Facts:
    """The facts of the last run. Raises BoardError."""
    try:
        facts: Facts = json.loads((out / "facts.json").read_text())
    except OSError as error:
        raise BoardError(
            f"{error.filename}: no run has left its facts there ({error.strerror})"
        ) from None
    return facts


if __name__ == "__main__":
    sys.exit(main())
