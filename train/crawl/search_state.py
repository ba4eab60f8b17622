"""The state of one search on one engine, which its threads share, and the limits it keeps to."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from train.crawl.collection import Collection
from train.crawl.counts import Counts
from train.crawl.manifest import Source

MOST_EMPTY_PAGES = 2
"""After this many result pages in a row without a new link, an engine is asked no further."""


@dataclass(frozen=True)
class FetchSettings:
    """Rate limit, timeouts and retries.

    *threads*: pictures fetched at once. *timeout_s*: without one byte. *deadline_s*: for a whole
    body. *tries*: for each address. *pause_s*: between two result pages of one engine. *tick_s*:
    how often threads check whether to end.
    """

    threads: int = 4
    timeout_s: float = 10.0
    deadline_s: float = 60.0
    tries: int = 2
    pause_s: float = 1.0
    tick_s: float = 0.2


POLITE = FetchSettings()


@dataclass
class SearchState:
    """The state of one search on one engine, shared by all its threads.

    *limit*: pictures wanted, those that are there included. *stop*: set when the user asks for
    the end. *progress*: is called after each link that is done.

    Synchronization: the condition guards the counts; it is never held while something is fetched or
    written.
    """

    counts: Counts
    limit: int
    collection: Collection
    settings: FetchSettings
    stop: threading.Event
    progress: Callable[[Counts], None]
    done: bool = False
    failure: BaseException | None = None
    _busy: int = 0
    _empty_pages: int = 0
    _seen: set[str] = field(default_factory=set)
    _errors: dict[str, tuple[bool, str]] = field(default_factory=dict)
    _condition: threading.Condition = field(default_factory=threading.Condition)

    @property
    def ended(self) -> bool:
        """Whether the search is over, so that nothing more is begun."""
        return self.done or self.stop.is_set()

    @property
    def exhausted(self) -> bool:
        """Whether the engine has no more links."""
        return self._empty_pages >= MOST_EMPTY_PAGES

    def begin(self, url: str) -> bool:
        """Wait until the picture of *url* is sure to be wanted; return whether to fetch it."""
        with self._condition:
            known = self.collection.known(url)
            if known:
                self.counts.add(known, again=True)
                return False
            while not self.ended and self._have() + self._busy >= self.limit:
                self._condition.wait(self.settings.tick_s)
            if self.ended:
                return False
            self._busy += 1
            return True

    def finish(self, url: str) -> None:
        """Record the result of *url*, which :meth:`begin` had fetched."""
        again, reason = self._errors.pop(url, (False, ""))
        source = self.source(url)
        entry = None
        if reason:
            entry = (
                self.collection.miss(source, reason)
                if again
                else self.collection.refuse(source, reason)
            )
        with self._condition:
            self._busy -= 1
            if entry:
                self.counts.add(entry)
            self.done |= self._have() >= self.limit
            self._condition.notify_all()
            self.progress(self.counts)

    def add_body(self, url: str, body: bytes) -> None:
        """Add a fetched body to the collection. Raises InputError when it cannot be written."""
        entry = self.collection.take(self.source(url), body)
        with self._condition:
            self.counts.add(entry)

    def source(self, url: str) -> Source:
        """Return the source of a picture of this search."""
        return Source(url, self.counts.engine, self.counts.keyword)

    def fail(self, failure: BaseException) -> None:
        """End the search; *failure* is raised again where it was started."""
        self.failure = self.failure or failure
        self.done = True

    def note_error(self, url: str, reason: str, again: bool) -> None:
        """Note why *url* gave no body, and whether a later run may try *again*."""
        self._errors[url] = (again, reason)

    def clear_error(self, url: str) -> None:
        """Forget the error of *url*, as a second try succeeded."""
        self._errors.pop(url, None)

    def add_page(self, result: str) -> None:
        """Count a result page by its HTTP status or its error."""
        with self._condition:
            self.counts.pages[result] += 1
            self._empty_pages += 1  # until links are found in it

    def add_links(self, urls: Sequence[str]) -> None:
        """Count the links of the page that was fetched last."""
        with self._condition:
            if not self._seen.issuperset(urls):
                self._empty_pages = 0
            self._seen.update(urls)
            self.counts.links = len(self._seen)

    def _have(self) -> int:
        return self.counts.here + self.counts.kept
