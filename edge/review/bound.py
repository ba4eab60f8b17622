"""The running bound of false accepts: from the random sample of passes that people have judged.

Of the passes whose picture was kept, which the box draws by number, a keyed hash orders all and
takes a share; nobody chooses. A reviewer works through them in that order, so those judged so far
are a random sample themselves. The bound holds at every look (:mod:`edge.rates.anytime`), and
``unsure`` counts as bad. An item that a reviewer left while others behind it were judged would bend
the sample: it is **passed over**, and the worst bound counts it as bad. One whose picture has made
room for newer ones can be judged no more; the ring goes by age alone, and such items are named.

It is of one basis, the same model and settings, for only then do all passes have the same chance to
be drawn.
"""

import sqlite3
from dataclasses import dataclass

from edge.rates.anytime import anytime_bound
from edge.rates.bounds import CONFIDENCE, Rate
from edge.review.index import ReviewIndex
from edge.review.tables import JUDGEMENT_NUMBERS

LIMIT = 0.01
"""Rate that is claimed where nobody says another; the bound is closest near it."""


@dataclass(frozen=True)
class RunningBound:
    """The false accepts of one basis.

    *passes*: all that passed. *sampled*: of them drawn, with a picture. *judged*, *bad*, *unsure*:
    of those. *passed_over*: left behind others that were judged. *bound*: the rate of false
    accepts lies below it, 0..1; None of nothing judged. *worst_bound*: with those passed over as
    bad.
    """

    passes: int
    sampled: int
    judged: int
    bad: int
    unsure: int
    passed_over: int
    bound: float | None
    worst_bound: float | None
    confidence: float = CONFIDENCE
    gone: int = 0
    """Left like those passed over, and their pictures have made room since."""

    @property
    def rate(self) -> float | None:
        """The share of passes that the sample has drawn, 0..1; None of none."""
        return self.sampled / self.passes if self.passes else None

    @property
    def words(self) -> str:
        """All of it in one line.

        >>> RunningBound(1000, 10, 0, 0, 0, 0, None, None).words
        'no pass of the random sample has been judged yet (10 of 1000 passes are in it)'
        """
        if self.bound is None or self.worst_bound is None:
            return (
                "no pass of the random sample has been judged yet "
                f"({self.sampled} of {self.passes} passes are in it)"
            )
        said = (
            f"{self.bad + self.unsure} of {self.judged} judged passes were not good "
            f"({self.unsure} unsure): false accepts below {self.bound:.2%} at {self.confidence:.0%}"
        )
        if self.passed_over:
            said += f"; {self.passed_over} were passed over: below {self.worst_bound:.2%} at worst"
        if self.gone:
            said += f"; {self.gone} more have lost their pictures unjudged"
        return said


def running_bound(
    index: ReviewIndex,
    *,
    confidence: float = CONFIDENCE,
    limit: float = LIMIT,
    oldest_picture: int = 0,
) -> RunningBound:
    """Return the running bound of what the last items were judged by.

    *limit*: the rate that is claimed, chosen before the first look. *oldest_picture*: the number of
    the oldest one that is still there.
    """
    with index.asking() as connection:
        row = connection.execute("SELECT basis FROM items ORDER BY item DESC LIMIT 1").fetchone()
        basis = row[0] if row else 0
        passes = connection.execute(
            "SELECT coalesce(sum(items), 0) FROM minutes WHERE basis = ? AND verdict = 0", (basis,)
        ).fetchone()[0]
        counts = dict(
            connection.execute(
                "SELECT judged, count(*) FROM items WHERE basis = ? AND draw IS NOT NULL"
                " GROUP BY judged",
                (basis,),
            ).fetchall()
        )
        over, gone = _left(connection, basis, oldest_picture)
    bad, unsure = (
        counts.get(JUDGEMENT_NUMBERS["bad"], 0),
        counts.get(JUDGEMENT_NUMBERS["unsure"], 0),
    )
    judged = counts.get(JUDGEMENT_NUMBERS["good"], 0) + bad + unsure
    bound = anytime_bound(bad + unsure, judged, confidence, limit) if judged else None
    worst = anytime_bound(bad + unsure + over, judged + over, confidence, limit) if judged else None
    return RunningBound(
        passes, sum(counts.values()), judged, bad, unsure, over, bound, worst, confidence, gone
    )


def exact_bound(found: RunningBound) -> float | None:
    """Return the exact bound of one look (Clopper and Pearson), 0..1; None of nothing judged."""
    return Rate(found.bad + found.unsure, found.judged).upper_bound(found.confidence)


def _left(connection: sqlite3.Connection, basis: int, oldest_picture: int) -> tuple[int, int]:
    """Count the sampled items that were there, unjudged, when one behind them was judged.

    *Behind*: later in the order of the draw. A judgement says how far the journal reached then.
    First those whose picture is there, then those whose is not any more.
    """
    rows = connection.execute(
        "SELECT item, judged, picture, (SELECT max(head) FROM judgements"
        " WHERE judgements.item = items.item AND undone = 0)"
        " FROM items WHERE basis = ? AND draw IS NOT NULL ORDER BY draw DESC",
        (basis,),
    )
    head, left = 0, [0, 0]
    for item, judged, picture, judged_head in rows:
        if not judged and item <= head:
            left[picture < oldest_picture] += 1
        head = max(head, judged_head or 0)
    return left[0], left[1]
