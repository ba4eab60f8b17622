"""How many marks of a class an item, or the items of one frame, must show."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.deciding.classes import known
from edge.deciding.codes import COUNT
from edge.decision import Finding, Verdict
from edge.errors import UsageError

MOST = 16
"""Most marks that a count may ask for: a look tells no more than 16 of them for certain."""
WRITTEN = re.compile(
    r"(?:(?:exactly )?(?P<both>\d{1,3})|at least (?P<least>\d{1,3})|at most (?P<most>\d{1,3})"
    r"|(?P<from>\d{1,3}) to (?P<to>\d{1,3}))"
)


@dataclass(frozen=True)
class Count:
    """A number of marks that must lie between *least* and *most*; None is no upper bound.

    >>> str(Count(2, 2)), str(Count(1, None)), str(Count(0, 3)), str(Count(1, 4))
    ('exactly 2', 'at least 1', 'at most 3', '1 to 4')
    """

    least: int
    most: int | None

    def holds(self, number: int) -> bool:
        """Tell whether so many marks are as many as must be."""
        return number >= self.least and (self.most is None or number <= self.most)

    def __str__(self) -> str:
        if self.most is None:
            return f"at least {self.least}"
        if self.least == self.most:
            return f"exactly {self.least}"
        return f"{self.least} to {self.most}" if self.least else f"at most {self.most}"


def parse_count(text: str) -> Count | None:
    """Parse ``2``, ``exactly 2``, ``at least 1``, ``at most 3`` or ``1 to 3``; None for no count.

    Raises UsageError for numbers that no count can have.

    >>> parse_count("at least 1"), parse_count(" 2 ")
    (Count(least=1, most=None), Count(least=2, most=2))
    """
    found = WRITTEN.fullmatch(" ".join(text.lower().split()))
    if found is None:
        return None
    both, least, most, first, last = (
        found[name] and int(found[name]) for name in ("both", "least", "most", "from", "to")
    )
    if both is not None:
        count = Count(int(both), int(both))
    elif least is not None:
        count = Count(int(least), None)
    elif most is not None:
        count = Count(0, int(most))
    else:
        count = Count(int(first or 0), int(last or 0))
    if not _is_possible(count):
        raise UsageError(
            f"a number must be between 1 and {MOST}, the first at most the last, not "
            f"{text!r}; what must not be there is forbidden"
        )
    return count


def _is_possible(count: Count) -> bool:
    """Tell whether a count asks for something, and for no more than a look can tell."""
    most = count.least if count.most is None else count.most
    written = (count.least, most) if count.least else (most,)
    return count.least <= most and all(1 <= number <= MOST for number in written)


def parse_counts(
    texts: Iterable[str], classes: Collection[str], required: Collection[str]
) -> dict[str, Count]:
    """Parse counts: each a count alone, for every required class, or ``class = count``.

    *classes*: those of the model. Raises UsageError for what is neither.
    """
    counts: dict[str, Count] = {}
    for text in texts:
        name, _, written = text.rpartition("=")
        alone = parse_count(text)
        count, names = (
            (alone, sorted(required)) if alone else (parse_count(written), [name.strip()])
        )
        if count is None:
            raise UsageError(
                'must be a number, "at least 1", "at most 3" or "1 to 3", alone or after '
                f'"class =", not {text!r}'
            )
        known(names, classes, "counted")
        for each in names:
            if alone is None or each not in counts:
                counts[each] = count
    return counts


def check_counts(
    findings: Iterable[Finding], counts: Mapping[str, Count], left_out: Sequence[str] = ()
) -> Verdict | None:
    """Reject when a class is not there as often as it must be; else None.

    *left_out*: the classes of marks that do not count, by size, place or a fixed mark.
    """
    labels = [finding.label for finding in findings]
    for label, count in sorted(counts.items()):
        if not count.holds(number := labels.count(label)):
            more = f", and {others} that do not count" if (others := left_out.count(label)) else ""
            return Verdict("reject", f"{number} {label} found{more}, must be {count}", (), COUNT)
    return None
