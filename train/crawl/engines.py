"""The one place that knows icrawler: its crawlers for Google, Bing and Baidu, watched, counted and
made to end.

icrawler 0.6.10 does the asking: its feeders make the addresses of result pages, its parsers find
the links in them, its downloader threads fetch these and hand the bodies to a storage, which is our
:class:`Collection`. What is put around it, and why, each point seen in its source:

- Its parsers break about once a year. Google's then returns nothing where a list is expected; the
  thread dies, and the crawl ends as if all were well. Here a page without a link is a count, and
  too many of them in a row end the asking.
- Its queue remembers a link before there is room for it, so that a link which had to wait counts as
  seen and is lost; and its downloaders take an empty queue for the end, though the next page may
  only be slow. See :class:`_Links`.
- It reads bodies whole however long they are and however slowly they come. See :class:`_Net`.
- Bing's and Baidu's feeders put the keyword into the address as it stands; ``&`` and ``#`` would
  cut it off.
- It sets up logging for the whole program. Here it says nothing; what matters is counted.

It introduces itself as a browser, since the pages its parsers know are made for one.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
import urllib3
from icrawler import Downloader, Parser
from icrawler.builtin import BaiduImageCrawler, BingImageCrawler, GoogleImageCrawler
from icrawler.builtin.baidu import BaiduParser
from icrawler.builtin.bing import BingParser
from icrawler.builtin.google import GoogleParser
from icrawler.storage import BaseStorage
from icrawler.utils import CachedQueue
from requests.adapters import BaseAdapter

from train.crawl.cleaning import MOST_BYTES
from train.crawl.collection import Collection
from train.crawl.hunt import POLITE, Hunt, Manners
from train.crawl.tally import Tally

MOST_LINKS = 1000
"""What the engines give for one search, and what icrawler asks for at most."""
MOST_REDIRECTS = 5
ANSWERED = 200
NOT_NOW = frozenset({408, 425, 429, *range(500, 600)})
"""HTTP statuses that do not say 'no' for good."""


@dataclass(frozen=True)
class Answer:
    """As much of an HTTP answer as icrawler looks at."""

    status_code: int
    content: bytes


class _EndedError(Exception):
    """The crawl ends, so the rest of this body is not wanted."""


class _TooLongError(Exception):
    """A body that is longer than any photograph."""


def search(
    engine: str,
    keyword: str,
    limit: int,
    collection: Collection,
    stop: threading.Event,
    progress: Callable[[Tally], None] = lambda _: None,
    manners: Manners = POLITE,
    transport: BaseAdapter | None = None,
) -> Tally:
    """Ask *engine* for pictures of *keyword* until the collection holds *limit* from it, or it has
    no more.

    *transport*: what carries requests instead of the net, for tests. Raises InputError when the
    disk fills.
    """
    tally = Tally(engine, keyword, here=collection.count(engine, keyword))
    if tally.here >= limit:
        return tally
    hunt = Hunt(tally, limit, collection, manners, stop, progress)
    with _without_logging():
        crawler = _crawler(engine, hunt, transport)
        try:
            # Google's feeder quotes the keyword itself.
            crawler.crawl(
                keyword if engine == "google" else quote(keyword, safe=""), max_num=MOST_LINKS
            )
        finally:
            _end(crawler, hunt)
    if hunt.failure:
        raise hunt.failure
    return tally


def _crawler(engine: str, hunt: Hunt, transport: BaseAdapter | None) -> Any:
    """Build icrawler's crawler for *engine* with our watch in it."""
    crawler_class, parser_class = ENGINES[engine]
    crawler = crawler_class(
        parser_cls=parser_class,
        downloader_cls=_WatchedDownloader,
        parser_threads=1,
        downloader_threads=hunt.manners.threads,
        storage=_CollectionStorage(hunt),
        extra_parser_args={"hunt": hunt},
        extra_downloader_args={"hunt": hunt},
    )
    crawler.session.max_redirects = MOST_REDIRECTS
    for scheme in ("http://", "https://") if transport else ():
        crawler.session.mount(scheme, transport)
    crawler.feeder.out_queue = _Pages(hunt)
    crawler.parser.out_queue = _Links(hunt, crawler.signal)
    crawler.feeder.connect(crawler.parser).connect(crawler.downloader)
    return crawler


def _end(crawler: Any, hunt: Hunt) -> None:
    """Let no thread and no connection outlive the crawl."""
    hunt.done = True
    crawler.signal.set(reach_max_num=True)
    for pool in (crawler.feeder, crawler.parser, crawler.downloader):
        for worker in pool.workers:
            worker.join(hunt.manners.timeout_s + 1)  # who waits for a byte waits no longer
    crawler.session.close()


class _CollectionStorage(BaseStorage):  # type: ignore[misc]  # icrawler is not typed
    """icrawler's storage, with a collection behind it; a picture's id is its address."""

    def __init__(self, hunt: Hunt) -> None:
        self._hunt = hunt

    def write(self, id: str, data: bytes) -> None:  # noqa: A002 - icrawler names it
        """Take a body in."""
        self._hunt.arrived(id, data)


class _Links(CachedQueue):  # type: ignore[misc]
    """Links on their way from the parser to the downloaders: none is lost, and it ends when the
    parser has ended.

    Synchronization: one thread puts, so room that was seen is still there.
    """

    def __init__(self, hunt: Hunt, signal: Any) -> None:
        super().__init__(5 * hunt.manners.threads)
        self._hunt, self._signal = hunt, signal

    def put(
        self, item: Any, block: bool = True, timeout: float | None = None, dup_callback: Any = None
    ) -> None:
        """Wait for room first: what does not fit would be remembered and then taken for a
        repetition.
        """
        while self.full() and not self._hunt.ended:
            time.sleep(self._hunt.manners.tick_s)
        super().put(item, block, timeout, dup_callback)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ARG002 - icrawler gives them
        """Give the next link; Empty only when there will be none."""
        while not self._hunt.ended:
            try:
                return super().get(timeout=self._hunt.manners.tick_s)
            except queue.Empty:
                if self._signal.get("parser_exited"):
                    raise
        self._signal.set(reach_max_num=True)
        raise queue.Empty


class _Pages(CachedQueue):  # type: ignore[misc]
    """Result pages still to be asked for; none when the engine has nothing more to say."""

    def __init__(self, hunt: Hunt) -> None:
        super().__init__()
        self._hunt = hunt

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Give the next page's address."""
        if self._hunt.ended or self._hunt.barren:
            time.sleep(
                self._hunt.manners.tick_s
            )  # the parser asks again until it is told that the feeder has ended
            raise queue.Empty
        return super().get(block, timeout)


class _Net:
    """What icrawler's threads take for the session: bodies with a greatest length, a deadline, and
    an end.
    """

    def __init__(self, session: requests.Session, hunt: Hunt) -> None:
        self._session, self._hunt = session, hunt

    def get(self, url: str, timeout: float, headers: dict[str, str] | None = None) -> Answer:
        """Fetch *url*. Raises what requests and urllib3 raise, and TimeoutError when the body is
        too slow.
        """
        with self._session.get(url, timeout=timeout, headers=headers, stream=True) as response:
            return Answer(response.status_code, b"".join(self._chunks(response)))

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        until, size = time.monotonic() + self._hunt.manners.deadline_s, 0
        # read1 returns what has come; requests' own iter_content waits for a whole chunk, and a
        # drip for ever.
        while chunk := response.raw.read1(1 << 16, decode_content=True):
            size += len(chunk)
            if size > MOST_BYTES:
                raise _TooLongError(f"too many bytes: more than {MOST_BYTES}")
            if time.monotonic() > until:
                raise TimeoutError(f"not whole after {self._hunt.manners.deadline_s:g} s")
            if self._hunt.ended:
                raise _EndedError
            yield chunk


class _PageNet(_Net):
    """Fetches result pages: one after the other, with a pause, and counted."""

    def get(self, url: str, timeout: float, headers: dict[str, str] | None = None) -> Answer:
        """Fetch a result page; see :class:`_Net`."""
        if self._hunt.tally.pages:
            _pause(self._hunt)
        try:
            answer = super().get(url, timeout, headers)
        except _EndedError:
            raise
        except Exception as error:
            self._hunt.page(_short(error))
            raise
        self._hunt.page(f"HTTP {answer.status_code}")
        return answer


class _PictureNet(_Net):
    """Fetches pictures; why one could not be had is remembered for the manifest."""

    def get(self, url: str, timeout: float, headers: dict[str, str] | None = None) -> Answer:
        """Fetch a picture; see :class:`_Net`."""
        nothing = Answer(
            0, b""
        )  # icrawler tries no second time when there is an answer that is not 200
        try:
            answer = super().get(url, timeout, headers)
        except _EndedError:
            return nothing
        except _TooLongError as error:
            self._hunt.in_trouble(url, str(error), again=False)
            return nothing
        except (requests.TooManyRedirects, ValueError) as error:  # ValueError: no address at all
            self._hunt.in_trouble(url, _short(error), again=False)
            return nothing
        except Exception as error:
            self._hunt.in_trouble(url, _short(error), again=True)
            raise
        if answer.status_code == ANSWERED:
            self._hunt.well(url)
        else:
            self._hunt.in_trouble(url, f"HTTP {answer.status_code}", answer.status_code in NOT_NOW)
        return answer


class _WatchedDownloader(Downloader):  # type: ignore[misc]
    """icrawler's downloader, which passes over what is known and fetches no more than is wanted.

    Not its ImageDownloader: that one drops, without a word, what Pillow cannot open, and dies of a
    decompression bomb.
    """

    def __init__(
        self, thread_num: int, signal: Any, session: Any, storage: BaseStorage, hunt: Hunt
    ) -> None:
        super().__init__(thread_num, signal, _PictureNet(session, hunt), storage)
        self._hunt = hunt

    def worker_exec(self, **kwargs: Any) -> None:
        """Work with our patience, and until the hunt ends."""
        manners = self._hunt.manners
        kwargs.update(
            max_num=0, req_timeout=manners.timeout_s, max_retry=manners.tries, overwrite=True
        )
        super().worker_exec(**kwargs)

    def get_filename(self, task: dict[str, Any], default_ext: str) -> str:  # noqa: ARG002 - icrawler gives it
        """Name a picture by its address; the collection names the file."""
        return str(task["file_url"])

    def download(
        self, task: dict[str, Any], default_ext: str, timeout: float, **kwargs: Any
    ) -> None:
        """Fetch one link, if it is wanted."""
        url = str(task["file_url"])
        try:
            if self._hunt.begin(url):
                try:
                    super().download(task, default_ext, timeout, **kwargs)
                finally:
                    self._hunt.finish(url)
        except Exception as error:  # noqa: BLE001 - raised again where the crawl was started
            self._hunt.fail(error)


class _WatchedParser(Parser):  # type: ignore[misc]
    """Any of icrawler's parsers, counted."""

    def __init__(self, thread_num: int, signal: Any, session: Any, hunt: Hunt) -> None:
        super().__init__(thread_num, signal, _PageNet(session, hunt))
        self._hunt = hunt

    def worker_exec(self, **kwargs: Any) -> None:
        """Work with our patience."""
        manners = self._hunt.manners
        super().worker_exec(
            queue_timeout=manners.tick_s,
            req_timeout=manners.timeout_s,
            max_retry=manners.tries,
            **kwargs,
        )

    def parse(self, response: Answer, **kwargs: Any) -> list[dict[str, Any]]:
        """Find the links of a page as the engine's own parser does."""
        try:
            tasks: list[dict[str, Any]] = list(super().parse(response, **kwargs) or ())
        except Exception:  # noqa: BLE001 - a page it does not understand is a page without links
            tasks = []
        self._hunt.found([str(task["file_url"]) for task in tasks])
        return tasks


class _Google(_WatchedParser, GoogleParser):  # type: ignore[misc]
    """Google's parser, counted."""


class _Bing(_WatchedParser, BingParser):  # type: ignore[misc]
    """Bing's parser, counted."""


class _Baidu(_WatchedParser, BaiduParser):  # type: ignore[misc]
    """Baidu's parser, counted."""


ENGINES: dict[str, tuple[Any, Any]] = {
    "google": (GoogleImageCrawler, _Google),
    "bing": (BingImageCrawler, _Bing),
    "baidu": (BaiduImageCrawler, _Baidu),
}


def _pause(hunt: Hunt) -> None:
    """Wait between two result pages, unless the crawl ends."""
    until = time.monotonic() + hunt.manners.pause_s
    while not hunt.ended and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, hunt.manners.tick_s))


def _short(error: Exception) -> str:
    """What went wrong on the net, in words that are the same each time."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, TimeoutError):
        return str(error)
    if isinstance(error, requests.TooManyRedirects):
        return "redirected too often"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "cut off on the way"
    return (
        "no connection"
        if isinstance(error, requests.ConnectionError)
        else f"not to be fetched: {error}"
    )


@contextlib.contextmanager
def _without_logging() -> Iterator[None]:
    """Keep icrawler from setting up logging for the whole program, and from writing to stderr."""
    root, silence = logging.getLogger(), logging.NullHandler()
    root.addHandler(silence)
    try:
        yield
    finally:
        root.removeHandler(silence)
