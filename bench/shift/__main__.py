"""``python -m bench.shift``: how soon each alarm of the box comes, and how many are false."""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence

from bench.command import answer
from bench.shift.measured import Measured, measure
from bench.shift.simulate import BEGINS, ITEMS, Course, Shift, simulate

FOG_ITEMS = 10_000
"""Items in which the lens fogs, from clear to blind."""
COURSES: dict[str, tuple[str, Course]] = {
    "knocked by 20 px": ("knocked", lambda _: 20.0),
    "knocked by 80 px": ("knocked", lambda _: 80.0),
    "knocked by 320 px": ("knocked", lambda _: 320.0),
    f"fogged over {FOG_ITEMS} items": ("fogged", lambda since: min(1.0, since / FOG_ITEMS)),
    "lamp at 40 %": ("lamp", lambda _: 0.6),
    "lamp at 10 %": ("lamp", lambda _: 0.9),
}
"""What happens at item 5,000, and how it goes on."""


def run(looks: int, shifts: int, clean: int, items: int = ITEMS) -> int:
    """Measure, simulate and print; return 1 when a clean shift had an alarm, or one never came."""
    measured = measure(looks, lambda line: print(line, flush=True))
    bad = _clean(measured, clean, items)
    for name, (happening, course) in COURSES.items():
        found = [
            simulate(measured, seed, happening, course, items, items * BEGINS // ITEMS)
            for seed in range(shifts)
        ]
        bad += any(shift.false or not shift.began for shift in found)
        for line in described(name, found):
            print(line, flush=True)
    return int(bad > 0)


def _clean(measured: Measured, clean: int, items: int) -> int:
    """Simulate clean shifts, and return how many had an alarm."""
    found = [simulate(measured, 1000 + seed, items=items) for seed in range(clean)]
    false = [alarm for shift in found for alarm in shift.false]
    print(f"{clean} clean shifts of {items} items: {len(false)} false alarms {' '.join(false)}")
    return len(false)


def described(name: str, shifts: Sequence[Shift]) -> list[str]:
    """Return a line for each alarm of some shifts: after how many items, median and greatest."""
    codes: Mapping[str, list[int]] = {
        code: [shift.began[code] for shift in shifts if code in shift.began]
        for code in sorted({code for shift in shifts for code in shift.began})
    }
    rejected = statistics.median(shift.rejected for shift in shifts)
    passed = sum(shift.passed for shift in shifts)
    head = f"{name}: {rejected:g} stamped items rejected before the first alarm (median), "
    lines = [f"{head}{passed} unstamped passed in {len(shifts)} shifts"]
    for code, after in codes.items():
        lines.append(
            f"  {code:<18} after {statistics.median(after):g} items, at most {max(after)}, in "
            f"{len(after)} of {len(shifts)} shifts"
        )
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.shift", description=__doc__)
    parser.add_argument("--looks", type=int, default=6, help="pictures of each item and level")
    parser.add_argument("--shifts", type=int, default=5, help="shifts of each happening")
    parser.add_argument("--clean", type=int, default=10, help="clean shifts")
    parser.add_argument("--items", type=int, default=ITEMS, help="items of a shift")
    given = parser.parse_args(argv)
    return answer("bench.shift", lambda: run(given.looks, given.shifts, given.clean, given.items))


if __name__ == "__main__":
    sys.exit(main())
