"""The plan of a study: which error rates are claimed to lie below which limits, how surely.

It is one short text, ``fa<1% fr<5% @95%``: false accepts (an item without the stamp passes) below
1 %, false rejects (an item with it is thrown off) below 5 %, each at a confidence of 95 %. The desk
proves a model by it, and the box in shadow itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from edge.errors import UsageError

Kind = Literal["fa", "fr"]
NAMES: dict[Kind, str] = {"fa": "false accepts", "fr": "false rejects"}
ITEMS: dict[Kind, str] = {"fa": "without the stamp", "fr": "with the stamp"}
DEFAULT_CONFIDENCE = 0.95
LEAST_LIMIT, MOST_LIMIT = 0.00001, 0.5
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999
BETWEEN = " \t\r\n,"
EXAMPLE = 'write it as "fa<1% fr<5% @95%"'
_NUMBER = r"([0-9]{1,3}(?:\.[0-9]{1,6})?)"
_CLAIM = re.compile(rf"(fa|fr)\s*<\s*{_NUMBER}\s*%", re.ASCII)
_CONFIDENCE = re.compile(rf"@\s*{_NUMBER}\s*%", re.ASCII)


@dataclass(frozen=True)
class Claim:
    """One claim: the rate of *kind* lies below *limit*, 0..1."""

    kind: Kind
    limit: float

    def __str__(self) -> str:
        return f"{self.kind}<{percent(self.limit)}"

    @property
    def words(self) -> str:
        """The claim in words."""
        return f"{NAMES[self.kind]} below {percent(self.limit, ' ')}"


@dataclass(frozen=True)
class Plan:
    """The claims of a study, false accepts first, and the confidence of each, 0..1."""

    claims: tuple[Claim, ...]
    confidence: float

    def __str__(self) -> str:
        return " ".join([*map(str, self.claims), f"@{percent(self.confidence)}"])

    @property
    def words(self) -> str:
        """The plan in words."""
        claims = " and ".join(claim.words for claim in self.claims)
        each = ", each" if len(self.claims) > 1 else ""
        return f"{claims}{each} at {percent(self.confidence, ' ')} confidence"

    def limit(self, kind: Kind) -> float | None:
        """Return the limit of the claim about *kind*, None when nothing is claimed of it."""
        return next((claim.limit for claim in self.claims if claim.kind == kind), None)

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """Parse a plan. Raises UsageError, which says what is wrong and how it is written.

        >>> str(Plan.parse(" fr < 5.0 %  fa<1% ")), str(Plan.parse("fa<0.1% @ 99 %"))
        ('fa<1% fr<5% @95%', 'fa<0.1% @99%')
        """
        claims, confidence = dict[Kind, Claim](), None
        for kind, number in _parts(text):
            if kind == "@":
                _refuse(confidence is not None, text, "has two confidences")
                confidence = _within(
                    number, LEAST_CONFIDENCE, MOST_CONFIDENCE, text, "the confidence"
                )
            else:
                named: Kind = "fa" if kind == "fa" else "fr"
                _refuse(named in claims, text, f"claims {kind} twice")
                limit = _within(number, LEAST_LIMIT, MOST_LIMIT, text, f"the limit of {kind}")
                claims[named] = Claim(named, limit)
        _refuse(not claims, text, "claims nothing")
        ordered = tuple(claims[kind] for kind in NAMES if kind in claims)
        return cls(ordered, DEFAULT_CONFIDENCE if confidence is None else confidence)


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the claims and confidences of a plan, as name and number. Raises UsageError."""
    at = 0
    while text[at:].strip(BETWEEN):
        at += len(text[at:]) - len(text[at:].lstrip(BETWEEN))
        claim, confidence = _CLAIM.match(text, at), _CONFIDENCE.match(text, at)
        found = claim or confidence
        if found is None:
            rest = " ".join(text[at:].split())
            raise UsageError(f"plan {text[:60]!r}: {rest[:40]!r} is no part of a plan; {EXAMPLE}")
        yield (claim[1], claim[2]) if claim else ("@", found[1])
        at = found.end()
        _refuse(
            at < len(text) and text[at] not in f"{BETWEEN}@", text, "needs blanks between its parts"
        )


def _within(number: str, least: float, most: float, text: str, what: str) -> float:
    value = round(float(number) / 100, 10)
    bounds = f"must be {percent(least)} to {percent(most)}, not {number}%"
    _refuse(not least <= value <= most, text, f"{what} {bounds}")
    return value


def _refuse(wrong: bool, text: str, why: str) -> None:
    if wrong:
        raise UsageError(f"plan {text[:60]!r}: {why}; {EXAMPLE}")


def percent(share: float, blank: str = "") -> str:
    """Return a share of 1 in percent, without needless digits.

    >>> percent(0.001), percent(0.05, " ")
    ('0.1%', '5 %')
    """
    return f"{round(100 * share, 8):.8f}".rstrip("0").rstrip(".") + f"{blank}%"
