"""One search on one engine: what its threads share, and when there is enough."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from train.crawl.collection import Collection
from train.crawl.manifest import Source
from train.crawl.tally import Tally

BARREN = 2
"""Result pages in a row without a new link, after which an engine is asked no further."""


@dataclass(frozen=True)
class Manners:
    """How politely, and how patiently.

    *threads*: pictures fetched at once. *timeout_s*: without one byte. *deadline_s*: for a whole
    body. *tries*: for each address. *pause_s*: between two result pages of one engine. *tick_s*:
    how often threads look whether to end.
    """

    threads: int = 4
    timeout_s: float = 10.0
    deadline_s: float = 60.0
    tries: int = 2
    pause_s: float = 1.0
    tick_s: float = 0.2


POLITE = Manners()


@dataclass
class Hunt:
    """One search on one engine, shared by all its threads.

    *limit*: pictures wanted, those that are there included. *stop*: set when the user asks for
    the end. *progress*: is called after each link that was dealt with.

    Synchronization: the condition guards the counts; it is never held while something is fetched or
    written.
    """

    tally: Tally
    limit: int
    collection: Collection
    manners: Manners
    stop: threading.Event
    progress: Callable[[Tally], None]
    done: bool = False
    failure: BaseException | None = None
    _busy: int = 0
    _barren: int = 0
    _seen: set[str] = field(default_factory=set)
    _trouble: dict[str, tuple[bool, str]] = field(default_factory=dict)
    _condition: threading.Condition = field(default_factory=threading.Condition)

    @property
    def ended(self) -> bool:
        """Whether to begin nothing more."""
        return self.done or self.stop.is_set()

    @property
    def barren(self) -> bool:
        """Whether the engine has nothing more to say."""
        return self._barren >= BARREN

    def begin(self, url: str) -> bool:
        """Whether to fetch *url*, once it is sure that its picture would be wanted."""
        with self._condition:
            known = self.collection.known(url)
            if known:
                self.tally.add(known, again=True)
                return False
            while not self.ended and self._have() + self._busy >= self.limit:
                self._condition.wait(self.manners.tick_s)
            if self.ended:
                return False
            self._busy += 1
            return True

    def finish(self, url: str) -> None:
        """Note what became of *url*, which :meth:`begin` had fetched."""
        again, reason = self._trouble.pop(url, (False, ""))
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
                self.tally.add(entry)
            self.done |= self._have() >= self.limit
            self._condition.notify_all()
            self.progress(self.tally)

    def arrived(self, url: str, body: bytes) -> None:
        """Take a body in. Raises InputError when the disk will not have it."""
        entry = self.collection.take(self.source(url), body)
        with self._condition:
            self.tally.add(entry)

    def source(self, url: str) -> Source:
        """Where a picture of this search comes from."""
        return Source(url, self.tally.engine, self.tally.keyword)

    def fail(self, failure: BaseException) -> None:
        """End the crawl; *failure* is raised again where it was started."""
        self.failure = self.failure or failure
        self.done = True

    def in_trouble(self, url: str, reason: str, again: bool) -> None:
        """Remember why *url* gave no body, and whether another run may try *again*."""
        self._trouble[url] = (again, reason)

    def well(self, url: str) -> None:
        """Forget trouble that a second try overcame."""
        self._trouble.pop(url, None)

    def page(self, answer: str) -> None:
        """Count a result page, or the trouble it gave."""
        with self._condition:
            self.tally.pages[answer] += 1
            self._barren += 1  # until links are found in it

    def found(self, urls: Sequence[str]) -> None:
        """Count the links of the page that was asked for last."""
        with self._condition:
            if not self._seen.issuperset(urls):
                self._barren = 0
            self._seen.update(urls)
            self.tally.links = len(self._seen)

    def _have(self) -> int:
        return self.tally.here + self.tally.kept
