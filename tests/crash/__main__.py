"""``make soak-faults``: errors at every call, and kills at every message and at any moment."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.crash.injection import ERRORS, MAIN
from tests.crash.processes import Processes
from tests.crash.trials import all_injections, all_kills

KILLS = 500
MESSAGES = 25
"""Messages of a new process's life at which it is killed; an item takes about five."""
BATCH = 50
"""Kills of each before the journal is looked at."""

Work = partial[str]
"""Takes the two processes, and returns in words what it did to them."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m tests.crash",
        description="Raise an error at every call between trigger and record, and kill eye and "
        "gate, at every message between them and at any moment under load. Each item that the gate "
        "saw must have one record, chain and seal must be whole, what passed must have been told.",
        epilog="Exit 1: something was found.",
    )
    add = made.add_argument
    add("--kills", type=int, default=KILLS, metavar="N", help="of eye and gate each (%(default)s)")
    add("--step", type=int, default=1, metavar="N", help="every N-th call only (%(default)s)")
    add("--seed", type=int, default=0, help="of the moments of the kills (%(default)s)")
    return made


class Report:
    """Counts trials and prints what is wrong."""

    def __init__(self) -> None:
        self.failed = 0

    def run(self, what: str, trials: Iterator[tuple[str, list[str]]]) -> None:
        """Run trials of one kind to their end, and print their number."""
        begun_s, number, before = time.monotonic(), 0, self.failed
        for words, found in trials:
            number += 1
            if found:
                self.failed += 1
                print(f"{what}: {words}: {'; '.join(found[:3])}", flush=True)
        took_s = time.monotonic() - begun_s
        print(f"{what}: {number}, {self.failed - before} with findings, {took_s:.0f} s", flush=True)


def kills_under_load(kills: int, seed: int) -> Iterator[tuple[str, list[str]]]:
    """Kill the two processes by turns, at any moment, and then at each message of their lives."""
    for first in range(0, kills, BATCH):
        count = min(BATCH, kills - first)
        sealed = first // BATCH % 2 == 1
        yield from _in_a_folder(seed + first, partial(_kill, count=count), sealed=sealed)
    for name in ("eye", "gate"):
        for when in ("before", "after"):
            work = partial(_kill_at_messages, name=name, when=when)
            yield from _in_a_folder(seed, work, sealed=when == "after")


def _kill(processes: Processes, count: int) -> str:
    while min(processes.killed.values()) < count:
        for name, killed in processes.killed.items():
            if killed < count:
                processes.kill_under_load(name)
    return "at any moment"


def _kill_at_messages(processes: Processes, name: str, when: str) -> str:
    for at in range(1, MESSAGES + 1):
        processes.kill_at_message(name, at, when)
    return f"{name} {when} each of {MESSAGES} messages"


def _in_a_folder(seed: int, work: Work, *, sealed: bool) -> Iterator[tuple[str, list[str]]]:
    """Run *work* with two processes of its own, and say what is wrong afterwards."""
    with tempfile.TemporaryDirectory(prefix="crash-") as scratch:
        processes = Processes(Path(scratch), seed, sealed=sealed)
        try:
            words = work(processes)
            processes.end()
        finally:
            processes.stop_all()
        found = processes.findings()
        if not processes.passed and work.func is _kill:
            found.append("no item was let pass, so nothing was tried")
        killed = ", ".join(f"{number} {name}s" for name, number in processes.killed.items())
        print(
            f"  {words}: {killed} killed, {processes.seen} items, {processes.passed} let pass",
            flush=True,
        )
        yield words, found


def main() -> int:
    """Run all of it; print the counts."""
    arguments = parser().parse_args()
    report = Report()
    report.run("processes", kills_under_load(arguments.kills, arguments.seed))
    for sealed in (False, True):
        journal = "sealed" if sealed else "without a seal"
        kills = all_kills(sealed=sealed)
        report.run(f"kills at each message, in one thread, {journal}", kills)
        for thread in (MAIN, "journal", "evidence"):
            trials = all_injections(list(ERRORS), arguments.step, thread, sealed=sealed)
            report.run(f"errors at each call, thread {thread}, {journal}", trials)
    print("nothing was found" if not report.failed else f"{report.failed} with findings")
    return int(bool(report.failed))


if __name__ == "__main__":
    sys.exit(main())
