"""Measure the review store on a long journal: making the index, its size, and each query.

Run from the project's root: ``python -m bench.review --items 1000000``. The journal is written once
by the box's own writer and kept in the folder, so that a second run measures alone. Exit status 1
when a query is slower than 300 ms in more than 5 % of all calls, or the memory is above 150 MB.
"""

import argparse
import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.command import answer
from bench.review.served import serve_items
from bench.review.written import PERIOD_NS, write_journal
from edge.files import make_folder
from edge.printing import print_line
from edge.review.audit import AuditLog
from edge.review.bound import running_bound
from edge.review.filters import Filter
from edge.review.index import ReviewIndex
from edge.review.people import Person
from edge.review.queue import queue
from edge.review.taking import Sampling

MOST_MS, MOST_MB = 300.0, 150.0
CALLS = 40
SERVED = 20_000
"""Items of the last shift, which the whole service writes: some 3 ms of a core each. All others
are written by the box's own writer alone, 0.3 ms each."""
SAMPLING = Sampling(b"bench" * 8, 1.0)
Query = Callable[[], object]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.review", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--items", type=int, default=1_000_000, metavar="N", help="default: %(default)s")
    add(
        "--out",
        type=Path,
        default=Path("build/review"),
        metavar="DIR",
        help="takes 1 kB an item (default: %(default)s)",
    )
    add("--keyboard", action="store_true", help="only judge sixty items by keys in a browser")
    add("--pages", action="store_true", help="only ask each page, over the journal of --items")
    return parser


def queries(index: ReviewIndex, items: int) -> dict[str, Query]:
    """Return each query of a page by its name, about items and spans drawn anew at each call."""
    draw = random.Random(2)  # noqa: S311 - as above
    with index.asking() as connection:
        span_ms = connection.execute("SELECT min(ms), max(ms) + 1 FROM items").fetchone()
    begin_ms, end_ms = (span_ms[0] or 0, span_ms[1] or 1)

    def span(hours: int) -> tuple[int, int]:
        since = draw.randrange(begin_ms, max(begin_ms + 1, end_ms - hours * 3_600_000))
        return since, since + hours * 3_600_000

    def listed(**fields: object) -> Query:
        return lambda: index.page(
            Filter(**fields),  # type: ignore[arg-type]
            before=draw.randrange(1, items + 2),
        )

    def spanned() -> object:
        since, until = span(1)
        return index.page(Filter(since_ms=since, until_ms=until, verdicts=("reject",)))

    return {
        "list": listed(),
        "list, rejects": listed(verdicts=("reject",)),
        "list, faults by code": listed(codes=("not-judged",)),
        "list, a code and a class": listed(codes=("unsure",), label="lot-mark"),
        "list, near the threshold": listed(score_from=0.57, score_to=0.6),
        "list, a rare score": listed(score_from=0.998, score_to=1.0, verdicts=("reject",)),
        "list, a text": listed(text="best"),
        "list, no such text": listed(text="nowhere"),
        "list, an hour's rejects": spanned,
        "list, bad by a reviewer": lambda: index.page(Filter(judgement="bad")),
        "list, another model": lambda: index.page(Filter(model="0")),
        "how many are new": lambda: index.count_newer(Filter(verdicts=("reject",)), 1),
        "one item": lambda: index.item(draw.randrange(1, items + 1)),
        "queue": lambda: queue(index, "bench"),
        "running bound": lambda: running_bound(index),
        "counts of a shift": lambda: index.counts(*span(8)),
        "counts of all": lambda: index.counts(begin_ms, end_ms),
        "chart of a shift": lambda: index.chart(*span(8)),
        "events of a week": lambda: index.events(*span(168)),
        "state": index.state,
    }


def measure(query: Query) -> list[float]:
    """Return how long each call took, milliseconds, in ascending order."""
    took = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        query()
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)


def peak_mb() -> float:
    """Return the most memory that this process had resident, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def work(items: int, out: Path) -> int:
    """Write the journal if it is not there, make the index, and measure."""
    make_folder(out)
    journal = out / f"{items}" / "journal.jsonl"
    _write(journal, items)
    before_mb = peak_mb()
    with ReviewIndex.open(
        out / "index.sqlite", journal, audit=AuditLog(out / "audit").path, sampling=SAMPLING
    ) as index:
        begun, worked = time.perf_counter(), time.process_time()
        index.rebuild()
        took_s, work_s = time.perf_counter() - begun, time.process_time() - worked
        size_mb = sum(path.stat().st_size for path in out.glob("index.sqlite*")) / 1e6
        journal_mb = sum(path.stat().st_size for path in journal.parent.glob("*.jsonl")) / 1e6
        print_line(f"journal: {items} items, {journal_mb:.0f} MB")
        print_line(f"index: made in {took_s:.1f} s ({work_s:.1f} s of a core), {size_mb:.0f} MB")
        _judge_some(index, out)
        slow = _print_queries(queries(index, items))
    print_line(f"memory: {before_mb:.0f} MB before, {peak_mb():.0f} MB at most")
    return 1 if slow or peak_mb() > MOST_MB else 0


def _write(journal: Path, items: int) -> None:
    """Write the journal where there is none: its last shift by the whole service, just now."""
    if journal.exists():
        return
    make_folder(journal.parent)
    served = min(SERVED, items // 2)
    span = timedelta(microseconds=(items - served) * PERIOD_NS // 1000)
    write_journal(journal, items - served, datetime.now(UTC) - span)
    serve_items(journal, served)


def _judge_some(index: ReviewIndex, out: Path) -> None:
    """Judge fifty items of the queue, so that there is something to list."""
    log, who = AuditLog(out / "audit"), Person("bench", "engineer")
    tasks = queue(index, "bench", limit=50)
    took = []
    for task in tasks:
        shown = index.item(task.row.item)
        assert shown is not None
        begun = time.perf_counter()
        log.judge(shown, "bad", who)
        index.catch_up()
        took.append((time.perf_counter() - begun) * 1000)
    print_line(f"judgement: median {sorted(took)[len(took) // 2]:.1f} ms, on the disk and indexed")


def _print_queries(asked: dict[str, Query]) -> int:
    slow = 0
    print_line(f"{'query':28}{'median':>10}{'95 %':>10}{'most':>10}  ms")
    for name, query in asked.items():
        took = measure(query)
        most = took[round(0.95 * (len(took) - 1))]
        slow += most > MOST_MS
        print_line(f"{name:28}{took[len(took) // 2]:10.1f}{most:10.1f}{took[-1]:10.1f}")
    return slow


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; 0 when every query is fast enough."""
    arguments = parser().parse_args(argv)
    if arguments.keyboard or arguments.pages:
        return answer("bench.review", lambda: of_pages(arguments))
    return answer("bench.review", lambda: work(arguments.items, arguments.out))


def of_pages(arguments: argparse.Namespace) -> int:
    """Measure the pages, which need the extra ``review`` and, for the keyboard, a browser."""
    from bench.review.pages import judge_by_keyboard, measure_pages  # noqa: PLC0415

    if arguments.keyboard:
        return judge_by_keyboard()
    journal = arguments.out / f"{arguments.items}" / "journal.jsonl"
    _write(journal, arguments.items)
    return measure_pages(journal, arguments.items, MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
