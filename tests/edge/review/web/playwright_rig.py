"""A headless Chromium by Playwright, and the pages on a real socket."""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.config import Config
from edge.review.web import serving
from edge.review.web.desk import Desk
from tests.chromium import NAMES
from tests.edge.review.web.review_rig import PASSWORD, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-crash-reporter",
]
LIMIT_MS = 60_000
WIDE, NARROW = (1280, 900), (390, 844)


@contextlib.contextmanager
def chromium() -> "Iterator[Browser]":
    """Start Debian's Chromium; the test is skipped where it, or Playwright, is not there."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"needs a browser, one of {', '.join(NAMES)}")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright, of 'dev'")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def served(config: Config) -> Iterator[tuple[Desk, str]]:
    """Serve the pages; gives the desk and the address."""
    with opened(config) as desk, contextlib.closing(serving.listen(config)) as listener:
        server = serving.make_server(desk)
        thread = threading.Thread(target=serving.run_server, args=(server, listener))
        thread.start()
        try:
            yield desk, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Seat:
    """Somebody at a browser of his own; *complaints*: what the console and the network said."""

    page: "Page"
    base: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.base + path)

    def log_in(self, name: str) -> None:
        """Log in by keyboard alone, from the field that has the focus."""
        self.go("/login")
        self.waits_for_focus("name")
        self.page.keyboard.type(name)
        self.page.keyboard.press("Tab")
        self.waits_for_focus("password")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/today")

    def waits_for_focus(self, name: str) -> None:
        """Wait until the field of that name has the focus: a busy browser gives it late."""
        self.page.wait_for_function(f"document.activeElement?.name === '{name}'")

    def text(self) -> str:
        """Return what the page says, with single blanks."""
        return " ".join(self.page.inner_text("body").split())

    def waits_for(self, words: str) -> None:
        """Wait until the page says *words*."""
        self.page.get_by_text(words).first.wait_for()


@contextlib.contextmanager
def seat(browser: "Browser", base: str, size: tuple[int, int] = WIDE) -> Iterator[Seat]:
    """Sit somebody down at a window of that size, pixels."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    found = Seat(page, base)
    page.on("console", lambda said: found.complaints.append(said.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))

    def fails(asked: object) -> None:
        why = str(getattr(asked, "failure", ""))
        if "ERR_ABORTED" not in why:  # the page was left before its pictures were there
            found.complaints.append(f"{getattr(asked, 'url', '')}: {why}")

    page.on("requestfailed", fails)

    def look(asked: object) -> None:
        url = str(getattr(asked, "url", ""))
        if not url.startswith((base, "data:")):
            found.complaints.append(f"asked elsewhere: {url}")

    page.on("request", look)
    try:
        yield found
    finally:
        context.close()


def kept(page: "Page", name: str) -> None:
    """Save what the page looks like into the folder of STAMPGATE_SHOTS, where that is set."""
    if folder := os.environ.get("STAMPGATE_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
