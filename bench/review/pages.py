"""Measure the review page: each page's time, and sixty items judged by keyboard in a browser."""

import contextlib
import sqlite3
import tempfile
import time
from pathlib import Path

from bench.review.visitor import Reviewer, reviewed
from edge.errors import InputError
from edge.printing import print_line
from tests.edge.review.web.playwright_rig import chromium, seat, served
from tests.edge.review.web.review_rig import cheap_passwords, make_shift

JUDGED, KEYS = 60, "ggbgu"
CALLS = 40
MOST_MB = 150.0
PORT = 8479
WAIT_S = 120.0
PAGES = (
    "/today?span=today",
    "/today?span=8h",
    "/today?span=7d",
    "/items",
    "/items?verdict=reject",
    "/items?score_from=0.57&score_to=0.6",
    "/items?code=unsure&score_from=0.5&score_to=0.6",
    "/items?text=nowhere",
    "/items/{item}",
    "/queue",
    "/queue?kinds=threshold",
    "/sign?span=7d",
    "/audit",
    "/challenge",
    "/items?before={item}&verdict=reject&code=unsure&label=lot-mark",
    "/new?after={item}",
    "/new?after={item}&score_from=0.57&score_to=0.6",
)
SETTINGS = """\
[journal]
file = "journal.jsonl"
mark = ""
status = ""
[evidence]
folder = "evidence"
[challenge]
socket = ""
[review]
folder = "review"
port = {port}
"""


def judge_by_keyboard() -> int:
    """Judge sixty items by keys alone, and print how long it took; 1 above sixty seconds."""
    with tempfile.TemporaryDirectory() as made, cheap_passwords(), chromium() as browser:
        config = make_shift(Path(made), 2 * JUDGED)
        with served(config) as (desk, base), seat(browser, base) as sam:
            sam.log_in("sam")
            sam.go("/queue")
            begun = time.perf_counter()
            for number in range(JUDGED):
                sam.page.keyboard.press(KEYS[number % len(KEYS)])
                sam.page.wait_for_selector("article")
            sam.page.wait_for_selector(f'#said[data-count="{JUDGED}"]')
            took_s = time.perf_counter() - begun
            counts = desk.store.index.counts(0, 2**45).judged
    print_line(f"keyboard: {JUDGED} items judged in {took_s:.1f} s ({counts})")
    return 1 if took_s > 60 or sum(counts.values()) != JUDGED else 0


def measure_pages(journal: Path, items: int, most_ms: float) -> int:
    """Print each page's time over a journal, asked by HTTP of the real service.

    Returns 1 when one takes longer in more than 5 % of calls, or the service's memory grows too
    large.
    """
    folder = journal.parent.absolute()
    (folder / "edge.toml").write_text(SETTINGS.replace("{port}", str(PORT)))
    with reviewed(folder / "edge.toml", PORT) as server:
        _wait_for_index(folder / "review" / "index.sqlite", items)
        reviewer = Reviewer(PORT)
        print_line(f"{'page':48}{'median':>10}{'95 %':>10}{'most':>10}  ms")
        slow = [page for page in PAGES if _time(reviewer, page, items) > most_ms]
        reviewer.close()
        rss_mb, cpu_s = server.rss_mb(peak=True), server.cpu_s()
    print_line(f"service: {rss_mb:.0f} MB at most, {cpu_s:.1f} s of a core")
    return 1 if slow or rss_mb > MOST_MB else 0


def _wait_for_index(path: Path, items: int) -> None:
    """Wait until the service has indexed all items, and print how long that took."""
    begun, indexed = time.perf_counter(), 0
    while indexed < items:
        time.sleep(0.5)
        with contextlib.suppress(sqlite3.Error), contextlib.closing(_opened(path)) as connection:
            found = connection.execute("SELECT max(item) FROM items").fetchone()[0] or 0
            if found == indexed and time.perf_counter() - begun > WAIT_S:
                raise InputError(f"{path}: has {found} of {items} items, and no more come")
            indexed = found
    size_mb = sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*")) / 1e6
    took_s = time.perf_counter() - begun
    print_line(f"index: {indexed} items, {size_mb:.0f} MB, there after {took_s:.1f} s")


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _time(reviewer: Reviewer, page: str, items: int) -> float:
    """Print a page's median and the time that 95 % of its calls keep, and return that, ms."""
    shown = [1 + number * (items - 1) // CALLS for number in range(CALLS)]
    took = sorted(reviewer.ask(page.replace("{item}", str(number))) for number in shown)
    most = took[round(0.95 * (CALLS - 1))]
    print_line(f"{page:48}{took[CALLS // 2]:10.1f}{most:10.1f}{took[-1]:10.1f}")
    return most
