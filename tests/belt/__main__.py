"""``make soak-belt``: random histories of a production line against the gate."""

import argparse
import sys
import time
from pathlib import Path

from tests.belt.history import History, plan
from tests.belt.proof import findings
from tests.belt.soak import read_progress, soak
from tests.belt.story import story

HISTORIES = 100_000


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m tests.belt",
        description="Run random histories of a production line: no unstamped item may pass the "
        "device without its REJECT or a trouble, and the journal must tell what became of each "
        "item. Stopped by Ctrl-C, it goes on from there when it is started again.",
        epilog="Exit 1: something was found.",
    )
    add = made.add_argument
    add("--histories", type=int, default=HISTORIES, metavar="N", help="how many (%(default)s)")
    add("--first", type=int, default=0, metavar="SEED", help="the first seed (%(default)s)")
    add("--processes", type=int, default=2, metavar="N", help="side by side (%(default)s)")
    add("--seed", type=int, metavar="SEED", help="tell this one history, and run no other")
    add("--out", type=Path, default=Path("build/soak-belt"), metavar="DIR", help="(%(default)s)")
    return made


def tell(seed: int) -> int:
    """Print one history; return 1 when something is wrong in it."""
    history = History(plan(seed))
    history.run()
    print("\n".join(story(history)))
    return int(bool(findings(history)))


def main() -> int:
    """Run the soak, and print how many histories, of which seeds, and what was found."""
    arguments = parser().parse_args()
    if arguments.seed is not None:
        return tell(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "progress.json"
    progress = read_progress(path, arguments.first)
    if progress.done:
        print(f"going on after {progress.done} histories")
    shown_s = time.monotonic()
    try:
        for step in soak(progress, arguments.histories, arguments.processes, path):
            if time.monotonic() - shown_s > 10:
                shown_s = time.monotonic()
                print(f"{step.done} histories, {len(step.found)} with findings", flush=True)
    except KeyboardInterrupt:
        print("stopped; start it again to go on")
    last = progress.first + progress.done - 1
    for seed, found in sorted(progress.found.items()):
        print(f"seed {seed}: {'; '.join(found)}  (--seed {seed} tells it)")
    print(
        f"{progress.done} histories, seeds {progress.first} to {last}: "
        f"{len(progress.found)} with findings"
    )
    return int(bool(progress.found))


if __name__ == "__main__":
    sys.exit(main())
