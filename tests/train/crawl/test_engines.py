import dataclasses
import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import icrawler.crawler
import pytest
from PIL import Image

from edge.errors import InputError
from tests.train.crawl import photographs, web
from tests.train.crawl.photographs import body, jpeg, photograph
from tests.train.crawl.web import NOTHING_FOUND, ToLoopback, Web
from train.crawl.collection import Collection
from train.crawl.counts import Counts
from train.crawl.engines import ENGINES, search
from train.crawl.search_state import FetchSettings

HASTY = FetchSettings(
    threads=4, timeout_s=60.0, deadline_s=120.0, tries=1, pause_s=0.0, tick_s=0.005
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let icrawler's main loop look around every 10 milliseconds and not every second."""
    monkeypatch.setattr(
        icrawler.crawler, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 100))
    )


@pytest.fixture
def net() -> Web:
    """Serve the pages of engines and shops."""
    return Web()


@pytest.fixture
def carrier(net: Web) -> Iterator[ToLoopback]:
    """The way to them."""
    with web.serving(net) as carrier:
        yield carrier


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """An empty collection."""
    with Collection(tmp_path / "out") as collection:
        yield collection


def shop(net: Web, *seeds: int) -> list[str]:
    """Put photographs into a shop; returns their addresses."""
    return [net.put(f"https://shop.example/p{seed}.jpg", jpeg(seed)) for seed in seeds]


def ask(
    engine: str,
    collection: Collection,
    carrier: ToLoopback,
    limit: int = 10,
    keyword: str = "milk",
    settings: FetchSettings = HASTY,
) -> Counts:
    """Search in a hurry."""
    return search(
        engine, keyword, limit, collection, threading.Event(), settings=settings, transport=carrier
    )


def reasons(collection: Collection) -> dict[str, str]:
    """Return each picture's entry in the manifest: kept, or the reason why not."""
    lines = [
        json.loads(line) for line in (collection.folder / "manifest.jsonl").read_text().splitlines()
    ]
    return {
        line["url"].rsplit("/", 1)[1]: line.get("reason", line["kind"]).split(" (")[0]
        for line in lines
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_s_own_parser_finds_its_pictures(
    engine: str, net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """Feeder, parser and downloader are icrawler's; every picture of the page is kept."""
    links = shop(net, 1, 2, 3, 4, 5)
    net.results(engine, links)
    counts = ask(engine, collection, carrier)
    assert (counts.links, counts.arrived, counts.kept, dict(counts.reasons)) == (5, 5, 5, {})
    assert sorted(entry.url for entry in collection.kept) == links == net.pictures_asked()
    assert {
        (entry.engine, entry.keyword, entry.width, entry.height) for entry in collection.kept
    } == {(engine, "milk", 400, 300)}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_page_that_is_not_understood_is_counted_and_the_asking_ends(
    engine: str, net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """By itself, icrawler would lose a thread, say 'done', and go on through all pages."""
    net.results(engine, NOTHING_FOUND)
    counts = ask(engine, collection, carrier)
    assert not counts.yielded
    assert (dict(counts.pages), counts.links, counts.arrived) == ({"HTTP 200": 2}, 0, 0)
    assert net.pages_asked() == 2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("keyword", ["tea & coffee #1", "Milch für 2 €", "牛奶", "50% {off}"])
def test_the_keyword_reaches_the_engine_whole(
    engine: str, keyword: str, net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """Two of icrawler's feeders would cut it off at the first & or #."""
    net.results(engine, NOTHING_FOUND)
    ask(engine, collection, carrier, keyword=keyword)
    assert set(net.keywords) == {keyword}


def test_the_limit_counts_what_is_kept_and_nothing_is_fetched_in_vain(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """Four threads fetch, and yet no picture more than is wanted is asked for."""
    links = shop(net, *range(12))
    net.results("bing", links)
    counts = ask("bing", collection, carrier, limit=5)
    assert (counts.kept, len(collection.kept), len(net.pictures_asked())) == (5, 5, 5)


def test_pictures_are_taken_from_page_after_page(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """Until there are enough, or two pages in a row bring nothing new."""
    first, second, third = shop(net, 1, 2, 3), shop(net, 3, 4, 5), shop(net, 6)
    net.results("bing", first, second, third, third)
    counts = ask("bing", collection, carrier)
    assert (counts.kept, counts.links, dict(counts.pages)) == (6, 6, {"HTTP 200": 5})


def test_no_link_is_lost_while_its_queue_is_full(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """By itself, icrawler would lose a link that it could not queue within a second."""
    slow = [net.late(f"https://slow.example/{seed}.jpg", jpeg(seed), 1.3) for seed in range(4)]
    net.results("google", slow + shop(net, *range(4, 30)))
    assert ask("google", collection, carrier, limit=100).kept == 30


def test_a_page_that_breaks_the_parser_is_a_page_without_links(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """Baidu answers crawlers with JSON that lacks what icrawler reads, and its thread dies."""
    net.results("baidu", b'{"antiFlag": 1, "message": "Forbid spider access"}', shop(net, 1))
    counts = ask("baidu", collection, carrier)
    assert (counts.kept, counts.pages["HTTP 200"]) == (1, 4)


def test_a_page_that_comes_late_is_waited_for(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """The downloaders of icrawler would go home as soon as the first page's pictures are done."""
    net.page_s = 0.3
    net.results("bing", shop(net, 1), shop(net, 2))
    assert ask("bing", collection, carrier).kept == 2


TROUBLES = {
    "good.jpg": "kept",
    "cut.jpg": "damaged: image file is truncated",
    "torn.jpg": "cut off on the way",
    "page.jpg": "no picture: a web page",
    "moving.jpg": "animated: 2 pictures in one file",
    "tiny.jpg": "too small: 90 x 90 pixels, at least 200 on the short side",
    "huge.jpg": "too many bytes: more than 200000",
    "error.jpg": "HTTP 503",
    "moved.jpg": "kept",
    "round.jpg": "redirected too often",
    "gone.jpg": "HTTP 404",
}
"""Pictures of a shop, and what becomes of each; :func:`troubled_shop` offers all but the last."""


def troubled_shop(net: Web, at: str) -> None:
    """Offer a picture for each kind of trouble, and good ones among them."""
    good = jpeg(1)
    moving = body(photograph(2), "GIF", save_all=True, append_images=[photograph(3)])
    net.put(f"{at}/good.jpg", good)
    net.put(f"{at}/cut.jpg", good[:-4000])
    net.put(f"{at}/torn.jpg", good[:-4000], Content_Length=str(len(good)))
    net.put(f"{at}/page.jpg", b"<html>log in first</html>", Content_Type="image/jpeg")
    net.put(f"{at}/moving.jpg", moving)
    net.put(f"{at}/tiny.jpg", jpeg(4, 90, 90))
    net.put(f"{at}/huge.jpg", b"\xff" * 300_000)
    net.put(f"{at}/error.jpg", b"", status=503)
    net.put(f"{at}/moved.jpg", b"", status=302, Location="https://elsewhere.example/new/place")
    net.put("https://elsewhere.example/new/place", jpeg(5))
    net.put(f"{at}/round.jpg", b"", status=302, Location=f"{at}/round.jpg")


def test_each_kind_of_trouble_is_written_down_with_its_reason(
    net: Web, carrier: ToLoopback, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page with all of it; the good ones among them are kept."""
    monkeypatch.setattr("train.crawl.engines.MOST_BYTES", 200_000)
    troubled_shop(net, "https://shop.example")
    net.results("bing", [f"https://shop.example/{name}" for name in TROUBLES])
    counts = ask("bing", collection, carrier)
    assert reasons(collection) == TROUBLES
    assert (counts.kept, counts.missed, sum(counts.reasons.values())) == (2, 2, 7)


def test_who_does_not_answer_is_given_up(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """After the timeout, and written down as missed: it may answer another day."""
    net.results("bing", [net.never("https://shop.example/slow.jpg")])
    hasty = dataclasses.replace(HASTY, timeout_s=0.5)
    assert ask("bing", collection, carrier, settings=hasty).missed == 1
    assert reasons(collection) == {"slow.jpg": "no answer in time"}


def test_a_body_that_drips_is_given_up(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """Each byte comes within the timeout; the deadline is for the whole."""
    one = net.put("https://shop.example/drip.jpg", jpeg(1), drip_s="0.05")
    net.results("bing", [one])
    assert (
        ask("bing", collection, carrier, settings=dataclasses.replace(HASTY, deadline_s=0.5)).missed
        == 1
    )
    assert reasons(collection) == {"drip.jpg": "not whole after 0.5 s"}


def test_pictures_of_every_kind_come_out_right(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """CMYK, a palette and an EXIF turn, all the way from the socket to the file."""
    exif = Image.Exif()
    exif[0x0112] = 6
    at = "https://shop.example"
    links = [
        net.put(f"{at}/print.jpg", body(photograph(1).convert("CMYK"), quality=90)),
        net.put(f"{at}/palette.jpg", body(photograph(2).quantize(64), "PNG")),
        net.put(f"{at}/phone.jpg", body(photograph(3), exif=exif)),
    ]
    net.results("bing", links)
    ask("bing", collection, carrier)
    found: dict[str, tuple[object, ...]] = {}
    for entry in collection.kept:
        with Image.open(collection.path(entry)) as opened:
            found[entry.url.rsplit("/", 1)[1]] = (
                opened.format,
                opened.mode,
                opened.size,
                dict(opened.getexif()),
            )
    upright: tuple[object, ...] = ("JPEG", "RGB", (400, 300), {})
    assert found == {
        "print.jpg": upright,
        "palette.jpg": upright,
        "phone.jpg": ("JPEG", "RGB", (300, 400), {}),
    }


def test_the_same_picture_is_kept_once(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """Byte for byte under another address, or smaller and saved again."""
    links = shop(net, 1)
    net.results("google", links)
    ask("google", collection, carrier)
    copy = photographs.body(photograph(1).resize((300, 225)), quality=60)
    others = [
        net.put("https://b.example/same.jpg", jpeg(1)),
        net.put("https://b.example/alike.jpg", copy),
    ]
    net.results("bing", [*links, *others])
    counts = ask("bing", collection, carrier)
    assert (counts.kept, counts.known, dict(counts.reasons)) == (
        0,
        1,
        {"duplicate": 1, "near duplicate": 1},
    )
    assert counts.yielded


def test_the_next_run_goes_on_and_fetches_nothing_twice(
    net: Web, carrier: ToLoopback, tmp_path: Path
) -> None:
    """Kept, dropped and refused links are not asked for again; missed ones are."""
    links = shop(net, 1, 2, 3)
    refused = net.put("https://shop.example/page.jpg", b"<html>")
    missed = net.put("https://shop.example/later.jpg", b"", status=503)
    net.results("bing", [*links[:2], refused, missed])
    with Collection(tmp_path) as collection:
        assert ask("bing", collection, carrier).kept == 2
        collection.drop([1])
    net.asked.clear()
    net.put(missed, jpeg(9))
    net.results("bing", [*links, refused, missed])
    with Collection(tmp_path) as collection:
        counts = ask("bing", collection, carrier)
        assert (counts.here, counts.known, counts.kept) == (1, 3, 2)
        assert [entry.number for entry in collection.kept] == [2, 3, 4]
    assert net.pictures_asked() == sorted([links[2], missed])


def test_an_engine_from_which_there_is_enough_is_not_asked(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """The limit counts earlier runs, and each keyword by itself."""
    net.results("bing", shop(net, 1, 2))
    ask("bing", collection, carrier, limit=2)
    net.asked.clear()
    counts = ask("bing", collection, carrier, limit=2)
    assert (counts.yielded, counts.text(), net.asked) == (
        True,
        "bing 'milk': 0 kept; not asked, 2 are here already",
        [],
    )


def test_an_engine_that_does_not_answer_is_given_up_soon(
    net: Web, carrier: ToLoopback, collection: Collection
) -> None:
    """Fifty pages would be fifty timeouts."""
    carrier.close()
    silent = ToLoopback(9)  # the discard port: nobody is there
    counts = search(
        "bing", "milk", 10, collection, threading.Event(), settings=HASTY, transport=silent
    )
    assert (counts.yielded, dict(counts.pages)) == (False, {"no connection": 2})


def test_ctrl_c_leaves_whole_pictures_and_whole_lines(
    net: Web, carrier: ToLoopback, tmp_path: Path
) -> None:
    """The stop comes after the third picture, with others under way; the rest comes next run."""
    net.results("bing", shop(net, *range(16)))
    stop = threading.Event()
    with Collection(tmp_path) as collection:
        counts = search(
            "bing",
            "milk",
            16,
            collection,
            stop,
            lambda counts: stop.set() if counts.kept == 3 else None,
            HASTY,
            carrier,
        )
        assert 3 <= counts.kept < 16
        assert {path.name for path in (tmp_path / "pictures").iterdir()} == {
            Path(entry.file).name for entry in collection.kept
        }
    asked = net.pictures_asked()
    net.results("bing", shop(net, *range(16)))
    with Collection(tmp_path) as collection:
        ask("bing", collection, carrier, limit=16)
        assert (collection.notes, len(collection.kept)) == ([], 16)
    assert len(net.pictures_asked()) - len(asked) <= 16 - counts.kept


def test_a_full_disk_ends_the_crawl_with_its_line(
    net: Web, carrier: ToLoopback, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error arises in a thread and reaches whoever started the crawl."""

    def full(path: Path, content: bytes) -> None:
        raise InputError(f"{path.name}: cannot be written (No space left on device)")

    monkeypatch.setattr("train.crawl.collection.write_atomic", full)
    net.results("bing", shop(net, 1, 2, 3))
    with pytest.raises(InputError, match="No space left"):
        ask("bing", collection, carrier)
    assert collection.kept == []


def test_nothing_runs_on_and_nothing_is_logged(
    net: Web, carrier: ToLoopback, collection: Collection, capfd: pytest.CaptureFixture[str]
) -> None:
    """By itself, icrawler configures logging for all, and leaves threads when it ends early."""
    handlers = list(logging.getLogger().handlers)
    threads = {thread.name for thread in threading.enumerate()}
    net.page_s = 1.0  # the parser waits for the second page when there is enough from the first
    net.results("bing", shop(net, *range(8)), shop(net, 8))
    ask("bing", collection, carrier, limit=3)
    left = {t.name for t in threading.enumerate() if "process_request" not in t.name} - threads
    assert (left, logging.getLogger().handlers) == (set(), handlers)
    assert capfd.readouterr() == ("", "")
