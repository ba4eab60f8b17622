"""Measure what the review page, the exporters and a report cost a decision that runs beside them.

Run from the project's root: ``python -m bench.beside``. The real service judges pictures at its
pace, by a replaying camera and the packaged model. Rounds alternate without and with all the others
under load: a reviewer who opens one page after the other, the three kinds of exporters (MQTT
without a broker), and a report of the day, again and again. Each has the priority of its unit. What
a decision takes stands in the journal, ``ms``; exit status 1 when its 99th percentile is more than
5 % worse beside them.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.command import answer
from bench.edge.processes import PROGRAM, Service
from bench.review.pages import PAGES
from bench.review.visitor import OF_EXPORTER, OF_REPORT, OF_REVIEW, Beside, Reviewer, reviewed
from bench.review.written import PERIOD_NS, write_journal
from bench.shift.place import SAMPLES
from edge.errors import InputError
from edge.files import make_folder
from edge.printing import print_line
from edge.record.verify import read_records

MOST = 1.05
"""Most that the 99th percentile beside the others may be, in times of that alone."""
REVIEW, METRICS, REGISTERS, NO_BROKER = 8481, 9481, 9482, 9483
done: Counter[str] = Counter()
"""How much the others got done in all rounds."""
SETTLE_S = 2.0
"""At the beginning of each round, when the others start or end: such items do not count."""
SETTINGS = """\
[camera]
driver = "replay"
folder = {frames}
loop = true
allow_repeats = true
pictures_per_second = {pace}
[trigger]
kind = "every-frame"
[model]
threads = 1
[journal]
file = "journal.jsonl"
mark = ""
status = "status.json"
[evidence]
folder = "evidence"
limit_mb = 64
keep_free_mb = 0
[challenge]
socket = ""
[review]
folder = "review"
port = {review}
[prometheus]
listen = "127.0.0.1:{metrics}"
state = "prometheus.json"
[modbus]
listen = "127.0.0.1:{registers}"
state = "modbus.json"
[mqtt]
broker = "127.0.0.1:{no_broker}"
tls = false
state = "mqtt.json"
"""


@dataclass
class Round:
    """A stretch of time with the others beside the service, or without; moments of the journal."""

    loaded: bool
    begun_ns: int
    ended_ns: int = 0
    took_ms: list[float] = field(default_factory=list)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.beside", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--rounds", type=int, default=8, metavar="N", help="of each kind (default: %(default)s)")
    add("--seconds", type=float, default=30.0, metavar="S", help="a round (default: %(default)s)")
    add("--pace", type=float, default=4.0, metavar="HZ", help="items a second")
    add("--items", type=int, default=50_000, metavar="N", help="in the journal before it begins")
    return parser


def work(rounds: int, seconds: float, pace: float, items: int) -> int:
    """Measure, and print medians and ratios; 1 when the ratio is above the bound."""
    with tempfile.TemporaryDirectory(prefix="beside-") as made:
        folder = Path(made)
        settings = write_settings(folder, pace)
        begin = datetime.now(UTC) - timedelta(microseconds=items * PERIOD_NS // 1000)
        write_journal(folder / "journal.jsonl", items, begin)
        with Service(PROGRAM, "run", settings, folder) as service:
            service.ready_s()
            found = []
            for number in range(2 * rounds):
                found.append(_round(service, settings, seconds, loaded=number % 2 == 1))
                print_line(f"round {number + 1} of {2 * rounds}", flush=True)
            service.stop()
        print_line("; ".join(f"{count} {what}" for what, count in sorted(done.items())))
        return report(sorted_in(found, folder / "journal.jsonl"))


def write_settings(folder: Path, pace: float) -> Path:
    """Write the settings of a box with everything beside the service."""
    make_folder(folder)
    path = folder / "edge.toml"
    numbers = {"review": REVIEW, "metrics": METRICS, "registers": REGISTERS}
    text = SETTINGS.format(frames=repr(str(SAMPLES)), pace=pace, no_broker=NO_BROKER, **numbers)
    path.write_text(text)
    return path


def _round(service: Service, settings: Path, seconds: float, *, loaded: bool) -> Round:
    with _others(settings) if loaded else contextlib.nullcontext():
        time.sleep(SETTLE_S)
        one = Round(loaded, time.monotonic_ns())
        ending = time.monotonic() + seconds
        while time.monotonic() < ending:
            service.listen()
            time.sleep(0.2)
        one.ended_ns = time.monotonic_ns()
    time.sleep(SETTLE_S)
    service.listen()
    return one


@contextlib.contextmanager
def _others(settings: Path) -> Iterator[None]:
    """Have all others at work beside the service while the block runs."""
    folder = settings.parent
    with contextlib.ExitStack() as opened:
        for kind in ("prometheus", "modbus", "mqtt"):
            words = ["exporter", kind, "--config", str(settings)]
            opened.enter_context(Beside(words, folder / f"{kind}.log", OF_EXPORTER))
        opened.enter_context(reviewed(settings, REVIEW, OF_REVIEW))
        ending = threading.Event()
        threads = [
            threading.Thread(target=_click, args=(ending,)),
            threading.Thread(target=_write_reports, args=(ending, settings)),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ending.set()
            for thread in threads:
                thread.join()


def _click(ending: threading.Event) -> None:
    """Open one page after the other, two a second, as a person in a hurry does."""
    reviewer, number = Reviewer(REVIEW), 0
    while not ending.wait(0.5):  # a session ends with its server
        with contextlib.suppress(InputError, OSError):  # not there yet, or going
            reviewer.ask(PAGES[number % len(PAGES)].replace("{item}", "1"))
            done["pages opened"] += 1
        number += 1
    reviewer.close()


def _write_reports(ending: threading.Event, settings: Path) -> None:
    """Write the report of the day, again and again."""
    out = settings.parent / "report.html"
    words = ["report", "--config", str(settings), "--shift", "00:00-24:00", "--out", str(out)]
    while not ending.wait(1.0):
        with Beside(words, settings.parent / "report.log", OF_REPORT) as running:
            while not (running.ended() or ending.wait(0.2)):
                pass
            done["reports written"] += running.ended()


def sorted_in(rounds: list[Round], journal: Path) -> list[Round]:
    """Give each round what the decisions in it took, as the journal has it."""
    for record in read_records(journal):
        if record["kind"] == "item" and "ms" in record:
            for one in rounds:
                if one.begun_ns <= record["trigger_ns"] < one.ended_ns:
                    one.took_ms.append(record["ms"])
    return rounds


def report(rounds: Sequence[Round]) -> int:
    """Print medians and 99th percentiles alone and beside the others; 1 above the bound."""
    p99 = {}
    print_line(f"{'':12}{'items':>8}{'median':>10}{'99 %':>10}  ms; 99 % of each round")
    for loaded in (False, True):
        mine = [one.took_ms for one in rounds if one.loaded == loaded and one.took_ms]
        took = [ms for one in mine for ms in one]
        each = [percentile(one) for one in mine]
        p99[loaded] = statistics.median(each)
        name, said = "beside" if loaded else "alone", " ".join(f"{ms:.0f}" for ms in each)
        median = statistics.median(took)
        print_line(f"{name:12}{len(took):8}{median:10.1f}{percentile(took):10.1f}  {said}")
    ratio = p99[True] / p99[False]
    print_line(f"99 % beside / alone, medians of the rounds: {ratio:.3f} (at most {MOST})")
    return 1 if ratio > MOST else 0


def percentile(took: Sequence[float], share: float = 0.99) -> float:
    """Return the value that *share* of all keep.

    >>> percentile([3.0, 1.0, 2.0]), percentile(list(range(101)))
    (3.0, 99)
    """
    return sorted(took)[round(share * (len(took) - 1))]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; 0 when a decision is as fast beside the others."""
    arguments = parser().parse_args(argv)
    return answer(
        "bench.beside",
        lambda: work(arguments.rounds, arguments.seconds, arguments.pace, arguments.items),
    )


if __name__ == "__main__":
    sys.exit(main())
