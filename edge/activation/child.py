"""The child process of a trial: ``python -P -m edge.activation.child FOLDER MB SECONDS THREADS``.

It judges the golden frames of the release in FOLDER as items are judged, and prints one line of
JSON for each: what is another than it must be, and how long it took. Whatever a bundle does to a
process, such as an instruction that this processor lacks, it does to this one.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

NICER = 10
"""How much nicer than its parent the trial is: the items of the line come first."""


def limit(memory_mb: int, cpu_s: int) -> None:
    """Bound this process: address space, seconds of processor, priority, and no core file."""
    os.nice(NICER)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))


def judge(folder: Path, threads: int) -> None:
    """Judge the golden frames of the release in *folder*. Raises StampgateError."""
    from edge.bundles.frames import each_difference, frames_in  # noqa: PLC0415 - after limits
    from edge.deciding.rules import rules_of  # noqa: PLC0415
    from edge.releases.release import read_release  # noqa: PLC0415
    from edge.sections.decision import DecisionSettings  # noqa: PLC0415
    from edge.settings import read_section  # noqa: PLC0415
    from edge.vision.localizer import Localizer  # noqa: PLC0415

    release = read_release(folder)
    localizer = Localizer(release.model, threads, release.model_sha256)
    settings = read_section(DecisionSettings, release.decision, "[decision]")
    contract = localizer.contract
    rules = rules_of(settings, contract.classes, contract.threshold)
    began_s = time.monotonic()
    for frame, words in each_difference(localizer, frames_in(folder), rules):
        ms = round((time.monotonic() - began_s) * 1000, 1)
        say({"frame": frame.name, "words": words, "ms": ms})
        began_s = time.monotonic()
    say({"done": True, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10})


def say(line: dict[str, object]) -> None:
    """Print one line of JSON, at once: what follows may end this process."""
    from edge.printing import print_line  # noqa: PLC0415 - after the limits

    print_line(json.dumps(line), flush=True)


def main(arguments: Sequence[str]) -> int:
    """Judge by the arguments; return 1, after a line that says why, where it cannot be done."""
    folder, memory_mb, cpu_s, threads = arguments
    limit(int(memory_mb), int(cpu_s))
    try:
        judge(Path(folder), int(threads))
    except MemoryError:
        say({"why": f"it needs more than [model] trial_memory_mb {memory_mb}"})
        return 1
    except Exception as error:  # noqa: BLE001 - the parent tells it
        from edge.errors import StampgateError  # noqa: PLC0415 - after the limits

        known = isinstance(error, StampgateError)
        say({"why": str(error) if known else f"{type(error).__name__}: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
