"""Counts of a search: an engine whose pages are no longer understood does not say so itself."""

from collections import Counter
from dataclasses import dataclass, field

from train.crawl.manifest import FOLDER, Entry


@dataclass
class Counts:
    """The counts of one search, or of one folder.

    *here*: pictures that were there before. *pages*: result pages, by HTTP status or error.
    *links*: pictures that the pages named, or files in the folder. *known*: of those, judged in an
    earlier run. *arrived*: bodies that came in this run. *kept*, *reasons* (of refusal) and
    *missed*: the results of the bodies, and of links that gave none. *good*: pictures of any kind,
    new, repeated or known.
    """

    engine: str
    keyword: str
    here: int = 0
    pages: Counter[str] = field(default_factory=Counter)
    links: int = 0
    known: int = 0
    arrived: int = 0
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    good: int = 0

    def add(self, entry: Entry, again: bool = False) -> None:
        """Count a new line of the manifest, or with *again* an old one that was met once more."""
        self.good += bool(entry.number or entry.like)
        if again:
            self.known += 1
            return
        self.arrived += bool(entry.sha256)
        if entry.kind == "kept":
            self.kept += 1
        elif entry.kind == "missed":
            self.missed += 1
        else:
            self.reasons[entry.reason.split(":")[0]] += 1

    @property
    def yielded(self) -> bool:
        """Whether the source is productive: new pictures came, or duplicates of those here."""
        return bool(self.good or self.here)

    def text(self) -> str:
        """Return the counts as one line of text."""
        parts = [f"{self.kept} kept"]
        parts += [f"{count} refused ({reason})" for reason, count in self.reasons.most_common()]
        parts += [f"{self.missed} not to be had this time"] if self.missed else []
        parts += [f"{self.known} known from before"] if self.known else []
        return f"{self.engine} '{self.keyword}': {', '.join(parts)}; {self.asked()}"

    def asked(self) -> str:
        """Return the counts of result pages, links and files as text."""
        if self.engine == FOLDER:
            return f"{self.links} files"
        if not self.pages:
            return f"not asked, {self.here} are here already"
        results = ", ".join(f"{count} x {result}" for result, count in sorted(self.pages.items()))
        return f"result pages: {results}; {self.links} links, {self.arrived} files arrived"
