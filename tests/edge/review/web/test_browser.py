"""The pages in a real browser: by keyboard alone, two people at once, wide and narrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.review.web.desk import Desk
from tests.edge.review.web.playwright_rig import NARROW, WIDE, Seat, chromium, kept, seat, served
from tests.edge.review.web.review_rig import SETTINGS, cheap_passwords, make_shift
from tests.edge.review.web.test_challenge_page import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = ("today", "items", "items/5", "queue", "challenge", "sign", "audit")
CONTROLS = "input:not([type=hidden]):not([aria-hidden]), select, button, a, img, svg[role=img]"
UNLABELLED = f"""
[...document.querySelectorAll("{CONTROLS}")].filter((e) => !(e.labels?.length
  || e.textContent.trim() || e.alt || e.getAttribute("aria-label"))).map((e) => e.outerHTML)
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str, Service]]:
    """A served box of sixty items, with a service that answers for its challenge test."""
    folder = tmp_path_factory.mktemp("box")
    settings = SETTINGS.replace('socket = ""', 'socket = "challenge.sock"')
    with Service(folder / "challenge.sock").running() as service, cheap_passwords():
        config = make_shift(folder, 60, settings=settings)
        with served(config) as (desk, base):
            yield desk, base, service


Box = tuple[Desk, str, Service]


def at(browser: "Browser", box: Box, size: tuple[int, int]) -> Iterator[Seat]:
    """Give a seat whose browser complains of nothing."""
    with seat(browser, box[1], size) as found:
        yield found
        assert found.complaints == []


@pytest.fixture
def sam(browser: "Browser", box: Box) -> Iterator[Seat]:
    """A supervisor at a desk."""
    yield from at(browser, box, WIDE)


@pytest.fixture
def sue(browser: "Browser", box: Box) -> Iterator[Seat]:
    """Another supervisor, with a telephone."""
    yield from at(browser, box, NARROW)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_every_page_fits_and_every_control_has_a_name(
    browser: "Browser", box: Box, size: tuple[int, int], tmp_path: Path
) -> None:
    """Nothing runs out of the window, and a screen reader can say what each control is."""
    with seat(browser, box[1], size) as eng:
        eng.go("/today")
        kept(eng.page, f"login-{size[0]}")
        eng.log_in("eng")
        for path in PAGES:
            eng.go(f"/{path}")
            kept(eng.page, f"{path.replace('/', '-')}-{size[0]}")
            assert eng.page.evaluate(OVERFLOW) <= 0, path
            assert eng.page.evaluate(UNLABELLED) == [], path
            assert eng.page.locator("h1").count() == 1
            eng.page.keyboard.press("Tab")
            eng.page.keyboard.press("Tab")
            assert eng.page.evaluate(OUTLINE) == "solid", path
        assert eng.complaints == []


def test_filter_open_override_and_undo(sam: Seat, box: Box) -> None:
    """The way of a supervisor who doubts a reject; the address keeps the filter."""
    sam.log_in("sam")
    sam.go("/items")
    sam.page.get_by_label("reject", exact=True).check()
    sam.page.get_by_role("button", name="Show").click()
    sam.page.wait_for_url("**verdict=reject**")
    assert sam.page.locator(".verdict.pass").count() == 0
    sam.page.get_by_role("link", name="55", exact=True).click()
    sam.page.wait_for_url("**/items/55")
    sam.page.get_by_label("Reason").fill("worn, but it is there")
    sam.page.get_by_role("button", name="Good").click()
    sam.waits_for("worn, but it is there")
    current = box[0].store.index.current(55)
    assert current is not None
    assert (current.by, current.judgement) == ("sam", "good")
    sam.page.get_by_role("button", name="Take back").click()
    sam.waits_for("taken back")
    assert box[0].store.index.current(55) is None
    sam.page.keyboard.press("+")
    assert sam.page.locator(".stage.zoom-2").count() == 1
    sam.page.keyboard.press("ArrowRight")
    sam.page.wait_for_url("**/items/56")


def test_the_queue_goes_by_keys_alone(sue: Seat, box: Box) -> None:
    """Log in, judge, undo, leave for later, give a reason: no pointer is touched."""
    sue.log_in("sue")
    sue.go("/queue")
    page, keys = sue.page, sue.page.keyboard
    bound = page.inner_text("#bound")
    first = page.get_attribute("article >> nth=0", "data-item")
    keys.press("g")
    page.wait_for_selector('#said[data-count="1"]')
    assert page.inner_text("#bound") != bound
    second = page.get_attribute("article >> nth=0", "data-item")
    assert second != first
    keys.press("z")
    page.wait_for_selector('#said[data-count="0"]')
    assert page.get_attribute("article >> nth=0", "data-item") == first
    keys.press("ArrowRight")
    assert page.get_attribute("article >> nth=0", "data-item") == second
    keys.press("ArrowLeft")
    assert page.get_attribute("article >> nth=0", "data-item") == first
    keys.press("r")
    keys.type("bug")
    keys.press("Enter")
    keys.press("b")
    page.wait_for_selector('#said[data-count="1"]')
    said = box[0].store.index.current(int(first or 0))
    assert said is not None
    assert (said.judgement, said.reason, said.by) == ("bad", "bug", "sue")
    keys.press("?")
    assert page.is_visible("#keys")


def test_two_reviewers_at_once(sam: Seat, sue: Seat, box: Box) -> None:
    """They are given different items; who comes late on the same one is told by whom."""
    sam.log_in("sam")
    sue.log_in("sue")
    sam.go("/queue")
    sue.go("/queue")
    mine, hers = (
        {card.get_attribute("data-item") for card in who.page.locator("article").all()}
        for who in (sam, sue)
    )
    assert mine.isdisjoint(hers)
    sam.go("/items/40")
    sue.go("/items/40")
    sam.page.get_by_role("button", name="Bad").click()
    sam.waits_for("(supervisor)")
    sue.page.get_by_role("button", name="Good").click()
    sue.waits_for("sam has said bad")
    sue.complaints.clear()  # the console says once that the answer was 409
    current = box[0].store.index.current(40)
    assert current is not None
    assert current.by == "sam"


def test_who_may_only_look_sees_nothing_to_press(browser: "Browser", box: Box) -> None:
    """And is refused where he asks all the same."""
    with seat(browser, box[1]) as vera:
        vera.log_in("vera")
        assert "Queue" not in vera.page.inner_text("nav >> nth=0")
        vera.go("/items/7")
        assert vera.page.get_by_role("button", name="Good").count() == 0
        vera.go("/queue")
        assert "the role viewer may not do this" in vera.text()


def test_a_challenge_test_by_the_page(sam: Seat, box: Box) -> None:
    """The page goes on by itself when the service does."""
    service = box[2]
    sam.log_in("sam")
    sam.go("/challenge")
    sam.page.get_by_label("Occasion").select_option("changeover")
    sam.page.get_by_role("button", name="Begin").click()
    sam.page.get_by_role("button", name="I lay the BAD one on now").click()
    service.view |= {"step": "item", "words": "waits for the item at the photo-eye"}
    sam.waits_for("The page goes on by itself.")
    service.view |= {"step": "alarm", "question": "Does the alarm sound?"}
    sam.page.get_by_role("button", name="Yes").click()
    sam.page.get_by_role("button", name="Abandon").click()
    sam.waits_for("Begin a challenge test")
    assert [request.say for request in service.heard] == ["start", "announce", "answer", "abandon"]


def test_new_items_are_told_and_nothing_moves(sam: Seat, box: Box) -> None:
    """A line says how many; the list stays until somebody asks for them."""
    sam.log_in("sam")
    sam.page.clock.install()
    sam.go("/items?verdict=reject")
    rows = sam.page.locator("tbody tr").count()
    line = sam.page.locator("[data-new]")
    asked = str(line.get_attribute("data-new"))
    sam.page.evaluate(
        "(path) => { document.querySelector('[data-new]').dataset.new = path; }",
        asked.replace("after=60", "after=55"),
    )
    sam.page.clock.run_for(6000)
    sam.waits_for("1 new: show")
    assert sam.page.locator("tbody tr").count() == rows
