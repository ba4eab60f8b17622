"""Picture search on Google, Bing and Baidu, by icrawler's crawlers: watched, counted, bounded.

icrawler 0.6.10 does the asking: its feeders make the addresses of result pages, its parsers find
the links in them, its downloader threads fetch these and hand the bodies to a storage, which is our
:class:`Collection`. What is put around it, and why, each point seen in its source:

- Its parsers break about once a year. Google's then returns nothing where a list is expected; the
  thread dies, and the crawl ends as if all were well. Here a page without a link is a count, and
  too many of them in a row end the asking.
- Its queue remembers a link before there is room for it, so that a link which had to wait counts as
  seen and is lost; and its downloaders take an empty queue for the end, though the next page may
  only be slow. See :class:`_Links`.
- It reads bodies whole however long they are and however slowly they come. See
  :class:`_BoundedSession`.
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
from train.crawl.counts import Counts
from train.crawl.search_state import POLITE, FetchSettings, SearchState

MOST_LINKS = 1000
"""Most links that an engine gives for one search, and that icrawler asks for."""
MOST_REDIRECTS = 5
ANSWERED = 200
NOT_NOW = frozenset({408, 425, 429, *range(500, 600)})
"""HTTP statuses after which a later run tries again."""


@dataclass(frozen=True)
class Response:
    """As much of an HTTP response as icrawler reads."""

    status_code: int
    content: bytes


class _EndedError(Exception):
    """The search has ended, so the rest of this body is not wanted."""


class _TooLongError(Exception):
    """A body that is longer than any photograph."""


def search(
    engine: str,
    keyword: str,
    limit: int,
    collection: Collection,
    stop: threading.Event,
    progress: Callable[[Counts], None] = lambda _: None,
    settings: FetchSettings = POLITE,
    transport: BaseAdapter | None = None,
) -> Counts:
    """Collect pictures of *keyword* from *engine*, until there are *limit* or it has no more.

    *limit*: counts those that the collection holds from it already. *stop*: ends the search when it
    is set. *transport*: carries requests instead of the net, for tests. Raises InputError when the
    disk fills.
    """
    counts = Counts(engine, keyword, here=collection.count(engine, keyword))
    if counts.here >= limit:
        return counts
    state = SearchState(counts, limit, collection, settings, stop, progress)
    with _without_logging():
        crawler = _crawler(engine, state, transport)
        try:
            # Google's feeder quotes the keyword itself.
            crawler.crawl(
                keyword if engine == "google" else quote(keyword, safe=""), max_num=MOST_LINKS
            )
        finally:
            _end(crawler, state)
    if state.failure:
        raise state.failure
    return counts


def _crawler(engine: str, state: SearchState, transport: BaseAdapter | None) -> Any:
    """Build icrawler's crawler for *engine* around *state*."""
    crawler_class, parser_class = ENGINES[engine]
    crawler = crawler_class(
        parser_cls=parser_class,
        downloader_cls=_WatchedDownloader,
        parser_threads=1,
        downloader_threads=state.settings.threads,
        storage=_CollectionStorage(state),
        extra_parser_args={"state": state},
        extra_downloader_args={"state": state},
    )
    crawler.session.max_redirects = MOST_REDIRECTS
    for scheme in ("http://", "https://") if transport else ():
        crawler.session.mount(scheme, transport)
    crawler.feeder.out_queue = _Pages(state)
    crawler.parser.out_queue = _Links(state, crawler.signal)
    crawler.feeder.connect(crawler.parser).connect(crawler.downloader)
    return crawler


def _end(crawler: Any, state: SearchState) -> None:
    """End the search's threads and close its connections."""
    state.done = True
    crawler.signal.set(reach_max_num=True)
    for pool in (crawler.feeder, crawler.parser, crawler.downloader):
        for worker in pool.workers:
            worker.join(state.settings.timeout_s + 1)  # who waits for a byte waits no longer
    crawler.session.close()


class _CollectionStorage(BaseStorage):  # type: ignore[misc]  # icrawler is not typed
    """icrawler's storage, backed by a collection; a picture's id is its address."""

    def __init__(self, state: SearchState) -> None:
        self._state = state

    def write(self, id: str, data: bytes) -> None:  # noqa: A002 - icrawler names it
        """Add a body to the collection."""
        self._state.add_body(id, data)


class _Links(CachedQueue):  # type: ignore[misc]
    """The queue of links from the parser to the downloaders, with back-pressure.

    No link is lost, and the queue ends when the parser has ended. Synchronization: one thread puts,
    so room that was seen is still there.
    """

    def __init__(self, state: SearchState, signal: Any) -> None:
        super().__init__(5 * state.settings.threads)
        self._state, self._signal = state, signal

    def put(
        self, item: Any, block: bool = True, timeout: float | None = None, dup_callback: Any = None
    ) -> None:
        """Wait for room before the link is put: else it would be remembered, dropped and lost."""
        while self.full() and not self._state.ended:
            time.sleep(self._state.settings.tick_s)
        super().put(item, block, timeout, dup_callback)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ARG002 - icrawler gives them
        """Return the next link; raise Empty only when there will be none."""
        while not self._state.ended:
            try:
                return super().get(timeout=self._state.settings.tick_s)
            except queue.Empty:
                if self._signal.get("parser_exited"):
                    raise
        self._signal.set(reach_max_num=True)
        raise queue.Empty


class _Pages(CachedQueue):  # type: ignore[misc]
    """The queue of result pages to fetch; empty once the engine has no more links."""

    def __init__(self, state: SearchState) -> None:
        super().__init__()
        self._state = state

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return the address of the next page."""
        if self._state.ended or self._state.exhausted:
            # The parser asks again until it is told that the feeder has ended.
            time.sleep(self._state.settings.tick_s)
            raise queue.Empty
        return super().get(block, timeout)


class _BoundedSession:
    """Stands in for icrawler's session: bodies have a greatest length and a deadline."""

    def __init__(self, session: requests.Session, state: SearchState) -> None:
        self._session, self._state = session, state

    def get(self, url: str, timeout: float, headers: dict[str, str] | None = None) -> Response:
        """Fetch *url*.

        Raises what requests and urllib3 raise, and TimeoutError when the body is too slow.
        """
        with self._session.get(url, timeout=timeout, headers=headers, stream=True) as response:
            return Response(response.status_code, b"".join(self._chunks(response)))

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        until, size = time.monotonic() + self._state.settings.deadline_s, 0
        # read1 returns what has come; requests' own iter_content waits for a whole chunk, which
        # a server that drips never completes.
        while chunk := response.raw.read1(1 << 16, decode_content=True):
            size += len(chunk)
            if size > MOST_BYTES:
                raise _TooLongError(f"too many bytes: more than {MOST_BYTES}")
            if time.monotonic() > until:
                raise TimeoutError(f"not whole after {self._state.settings.deadline_s:g} s")
            if self._state.ended:
                raise _EndedError
            yield chunk


class _PageSession(_BoundedSession):
    """Fetches result pages one after the other, with a pause, and counts them."""

    def get(self, url: str, timeout: float, headers: dict[str, str] | None = None) -> Response:
        """Fetch a result page; see :class:`_BoundedSession`."""
        if self._state.counts.pages:
            _pause(self._state)
        try:
            response = super().get(url, timeout, headers)
        except _EndedError:
            raise
        except Exception as error:
            self._state.add_page(_short(error))
            raise
        self._state.add_page(f"HTTP {response.status_code}")
        return response


class _PictureSession(_BoundedSession):
    """Fetches pictures; the errors are noted for the manifest."""

    def get(self, url: str, timeout: float, headers: dict[str, str] | None = None) -> Response:
        """Fetch a picture; see :class:`_BoundedSession`."""
        # icrawler tries no second time when there is a response whose status is not 200.
        nothing = Response(0, b"")
        try:
            response = super().get(url, timeout, headers)
        except _EndedError:
            return nothing
        except _TooLongError as error:
            self._state.note_error(url, str(error), again=False)
            return nothing
        except (requests.TooManyRedirects, ValueError) as error:  # ValueError: no address at all
            self._state.note_error(url, _short(error), again=False)
            return nothing
        except Exception as error:
            self._state.note_error(url, _short(error), again=True)
            raise
        if response.status_code == ANSWERED:
            self._state.clear_error(url)
        else:
            self._state.note_error(
                url, f"HTTP {response.status_code}", response.status_code in NOT_NOW
            )
        return response


class _WatchedDownloader(Downloader):  # type: ignore[misc]
    """icrawler's downloader, which skips known links and fetches no more than is wanted.

    Not its ImageDownloader: that one silently drops what Pillow cannot open, and dies of a
    decompression bomb.
    """

    def __init__(
        self, thread_num: int, signal: Any, session: Any, storage: BaseStorage, state: SearchState
    ) -> None:
        super().__init__(thread_num, signal, _PictureSession(session, state), storage)
        self._state = state

    def worker_exec(self, **kwargs: Any) -> None:
        """Work with our timeouts and retries, until the search ends."""
        settings = self._state.settings
        kwargs.update(
            max_num=0, req_timeout=settings.timeout_s, max_retry=settings.tries, overwrite=True
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
            if self._state.begin(url):
                try:
                    super().download(task, default_ext, timeout, **kwargs)
                finally:
                    self._state.finish(url)
        except Exception as error:  # noqa: BLE001 - raised again where the crawl was started
            self._state.fail(error)


class _WatchedParser(Parser):  # type: ignore[misc]
    """Any of icrawler's parsers, with its pages and links counted."""

    def __init__(self, thread_num: int, signal: Any, session: Any, state: SearchState) -> None:
        super().__init__(thread_num, signal, _PageSession(session, state))
        self._state = state

    def worker_exec(self, **kwargs: Any) -> None:
        """Work with our timeouts and retries."""
        settings = self._state.settings
        super().worker_exec(
            queue_timeout=settings.tick_s,
            req_timeout=settings.timeout_s,
            max_retry=settings.tries,
            **kwargs,
        )

    def parse(self, response: Response, **kwargs: Any) -> list[dict[str, Any]]:
        """Find the links of a page as the engine's own parser does."""
        try:
            tasks: list[dict[str, Any]] = list(super().parse(response, **kwargs) or ())
        except Exception:  # noqa: BLE001 - a page it does not understand is a page without links
            tasks = []
        self._state.add_links([str(task["file_url"]) for task in tasks])
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


def _pause(state: SearchState) -> None:
    """Wait between two result pages, or until the search ends."""
    until = time.monotonic() + state.settings.pause_s
    while not state.ended and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, state.settings.tick_s))


def _short(error: Exception) -> str:
    """Return a network error as a reason that is the same each time."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, TimeoutError):
        return str(error)
    if isinstance(error, requests.TooManyRedirects):
        return "redirected too often"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "cut off on the way"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"not to be fetched: {error}"


@contextlib.contextmanager
def _without_logging() -> Iterator[None]:
    """Keep icrawler from configuring logging for the whole program and from writing to stderr."""
    root, silence = logging.getLogger(), logging.NullHandler()
    root.addHandler(silence)
    try:
        yield
    finally:
        root.removeHandler(silence)
