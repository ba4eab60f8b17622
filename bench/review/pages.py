"""Measure the review page: each page's time, and sixty items judged by keyboard in a browser."""

import tempfile
import time
from pathlib import Path

from starlette.testclient import TestClient

from edge.config import load_config
from edge.files import make_folder
from edge.printing import print_line
from edge.review.people import Users
from edge.review.web.desk import open_desk
from tests.edge.review.web.playwright_rig import chromium, seat, served
from tests.edge.review.web.review_rig import cheap_passwords, client_of, make_shift

JUDGED, KEYS = 60, "ggbgu"
CALLS = 40
PAGES = (
    "/today?span=8h",
    "/items",
    "/items?verdict=reject",
    "/items?code=unsure&score_from=0.5&score_to=0.6",
    "/items?text=nowhere",
    "/items/{item}",
    "/queue",
    "/sign",
    "/audit",
    "/new?after={item}",
)
SETTINGS = """\
[journal]
file = "{journal}"
mark = ""
status = ""
[evidence]
folder = ""
[challenge]
socket = ""
[review]
folder = "review"
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
    """Print each page's time over a journal; 1 when one takes longer in more than 5 % of calls."""
    folder = journal.parent / "pages"
    make_folder(folder)
    (folder / "edge.toml").write_text(SETTINGS.replace("{journal}", str(journal.absolute())))
    with open_desk(load_config(folder / "edge.toml")) as desk:
        desk.store.index.catch_up()
        if not desk.store.users.all():
            Users(folder / "review" / "users.json").add("eng", "engineer", "a long enough word")
        client = client_of(desk, "eng")
        slow = [page for page in PAGES if _time(client, page, items) > most_ms]
    return 1 if slow else 0


def _time(client: TestClient, page: str, items: int) -> float:
    """Print a page's median and the time that 95 % of its calls keep, and return that, ms."""
    took = []
    for number in range(CALLS):
        path = page.replace("{item}", str(1 + number * (items - 1) // CALLS))
        begun = time.perf_counter()
        response = client.get(path)
        took.append((time.perf_counter() - begun) * 1000)
        assert response.status_code == 200, response.text
    took.sort()
    most = took[round(0.95 * (CALLS - 1))]
    print_line(f"{page:48}{took[CALLS // 2]:10.1f}{most:10.1f}  ms")
    return most
