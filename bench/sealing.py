"""What the seal costs a record: ``python -m bench.sealing``.

Records of an item are appended to two journals on one disk in turn, one sealed and one not, each
with one fdatasync a record; then the same on a disk in memory, where only the reckoning is left.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from edge.clock import MonotonicClock
from edge.record.journal import Journal
from edge.record.seal import SealKey, set_up
from edge.sections.records import JournalSettings

ITEM = {
    "verdict": "pass",
    "reason": "qc-tested found",
    "gate": "cancelled",
    "findings": [{"label": "qc-tested", "score": 0.88, "box": [515.8, 392.0, 672.2, 537.6]}],
    "picture": "01-milk-stamped.jpg",
    "evidence": "",
    "trigger_ns": 123_456_789,
    "ms": 41.3,
}
FOLDERS = [Path("/var/tmp"), Path("/dev/shm")]  # noqa: S108 - a disk, and memory
PATIENT = JournalSettings(patience_ms=10_000)


def append_ms(log: Journal) -> float:
    """Append one item's record; return how long that took, milliseconds."""
    began_s = time.perf_counter()
    log.append("item", ITEM)
    return (time.perf_counter() - began_s) * 1000


def measure(folder: Path, records: int) -> tuple[list[float], list[float]]:
    """Return the times of *records* records without and with a seal, milliseconds."""
    plain, sealed = folder / "plain" / "journal.jsonl", folder / "sealed" / "journal.jsonl"
    for path in (plain, sealed):
        path.parent.mkdir()
    set_up(sealed, SealKey.fresh())
    with (
        Journal(plain, MonotonicClock(), settings=PATIENT) as without,
        Journal(sealed, MonotonicClock(), settings=PATIENT) as with_seal,
    ):
        times = [(append_ms(without), append_ms(with_seal)) for _ in range(records)]
    return [a for a, _ in times], [b for _, b in times]


def main() -> None:
    """Measure and print, a line a folder."""
    parser = argparse.ArgumentParser(prog="python -m bench.sealing", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=FOLDERS)
    parser.add_argument("--records", type=int, default=2000)
    arguments = parser.parse_args()
    for folder in arguments.folders:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            without, sealed = measure(Path(scratch), arguments.records)
        extra = statistics.median(b - a for a, b in zip(without, sealed, strict=True))
        tail = statistics.quantiles(sealed, n=100)[98] - statistics.quantiles(without, n=100)[98]
        print(
            f"{folder}: median {statistics.median(without):.3f} ms without, "
            f"{statistics.median(sealed):.3f} ms with a seal; of each pair {extra:+.3f} ms, "
            f"at the 99th percentile {tail:+.3f} ms ({arguments.records} records each)"
        )


if __name__ == "__main__":
    main()
