"""The plan of a study: which error rates are claimed to lie below which limits, how surely.

It is one short text, ``fa<1% fr<5% @95%``: false accepts (an item without the stamp passes) below
1 %, false rejects (an item with it is thrown off) below 5 %, each at a confidence of 95 %.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from edge.errors import UsageError
from train.judge.rates import sample_size
from train.proof.bounds import pass_chance, worth

Kind = Literal["fa", "fr"]
NAMES: dict[Kind, str] = {"fa": "false accepts", "fr": "false rejects"}
ITEMS: dict[Kind, str] = {"fa": "without the stamp", "fr": "with the stamp"}
DEFAULT_CONFIDENCE = 0.95
LEAST_LIMIT, MOST_LIMIT = 0.00001, 0.5
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999
ALLOWED_ERRORS = (0, 1, 2)
GOODNESS = (2, 5, 10, 20)
"""A good system errs by so many times less than the limit: the columns of the table of chances."""
FRAMES, CORRELATIONS = (2, 5, 10, 30), (0.1, 0.3, 0.5)
"""Frames of each item, and correlations of the errors in them, of the table of frames."""
BETWEEN = " \t\r\n,"
EXAMPLE = 'write it as "fa<1% fr<5% @95%"'
CHANCE_OF = "items {}, and the chance to pass of a system whose true rate is"
_NUMBER = r"([0-9]{1,3}(?:\.[0-9]{1,6})?)"
_CLAIM = re.compile(rf"(fa|fr)\s*<\s*{_NUMBER}\s*%", re.ASCII)
_CONFIDENCE = re.compile(rf"@\s*{_NUMBER}\s*%", re.ASCII)


@dataclass(frozen=True)
class Claim:
    """One claim: the rate of *kind* lies below *limit*, 0..1."""

    kind: Kind
    limit: float

    def __str__(self) -> str:
        return f"{self.kind}<{_percent(self.limit)}"

    @property
    def words(self) -> str:
        """The claim in words."""
        return f"{NAMES[self.kind]} below {_percent(self.limit, ' ')}"


@dataclass(frozen=True)
class Plan:
    """The claims of a study, false accepts first, and the confidence of each, 0..1."""

    claims: tuple[Claim, ...]
    confidence: float

    def __str__(self) -> str:
        return " ".join([*map(str, self.claims), f"@{_percent(self.confidence)}"])

    @property
    def words(self) -> str:
        """The plan in words."""
        claims = " and ".join(claim.words for claim in self.claims)
        each = ", each" if len(self.claims) > 1 else ""
        return f"{claims}{each} at {_percent(self.confidence, ' ')} confidence"

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
    bounds = f"must be {_percent(least)} to {_percent(most)}, not {number}%"
    _refuse(not least <= value <= most, text, f"{what} {bounds}")
    return value


def _refuse(wrong: bool, text: str, why: str) -> None:
    if wrong:
        raise UsageError(f"plan {text[:60]!r}: {why}; {EXAMPLE}")


def _percent(share: float, blank: str = "") -> str:
    return f"{round(100 * share, 8):.8f}".rstrip("0").rstrip(".") + f"{blank}%"


@dataclass(frozen=True)
class Size:
    """A sample size: with at most *allowed* errors in *items* items a claim is shown.

    *chances*: for each of :data:`GOODNESS`, how likely a system whose true rate is the limit
    divided by it makes no more errors.
    """

    allowed: int
    items: int
    chances: tuple[float, ...]


def sizes(claim: Claim, confidence: float) -> tuple[Size, ...]:
    """Return the sample sizes of a claim for no error, one and two. Raises UsageError."""
    found = []
    for allowed in ALLOWED_ERRORS:
        items = sample_size(claim.limit, allowed, confidence)
        chances = tuple(pass_chance(items, allowed, claim.limit / better) for better in GOODNESS)
        found.append(Size(allowed, items, chances))
    return tuple(found)


def both_chances(plan: Plan) -> tuple[tuple[float, ...], ...]:
    """Return the chances to pass all claims with 0, 1 and 2 errors allowed in each."""
    rows = [sizes(claim, plan.confidence) for claim in plan.claims]
    together = []
    for row in zip(*rows, strict=True):
        product = [1.0] * len(GOODNESS)
        for size in row:
            product = [a * b for a, b in zip(product, size.chances, strict=True)]
        together.append(tuple(product))
    return tuple(together)


def plan_lines(plan: Plan) -> list[str]:
    """Return the plan's sample sizes and chances as lines of text."""
    lines = [f"plan {plan}: {plan.words}"]
    for claim in plan.claims:
        rates = [f"{_percent(claim.limit / better, ' ')}" for better in GOODNESS]
        lines += [
            "",
            f"{claim.words}: {CHANCE_OF.format(ITEMS[claim.kind])}",
            f"{'errors allowed':>16}{'items':>9}" + "".join(f"{rate:>11}" for rate in rates),
        ]
        lines += [_size_line(size) for size in sizes(claim, plan.confidence)]
    if len(plan.claims) > 1:
        said = [f"{_times(better)} better" for better in GOODNESS]
        lines += [
            "",
            "both claims, of a system better than both limits by as much",
            f"{'errors allowed':>16}{'':>9}" + "".join(f"{text:>11}" for text in said),
        ]
        lines += [
            f"{allowed:>16}{'':>9}" + "".join(f"{_chance(c):>11}" for c in chances)
            for allowed, chances in zip(ALLOWED_ERRORS, both_chances(plan), strict=True)
        ]
        joint = 1 - len(plan.claims) * (1 - plan.confidence)
        lines.append(
            f"each bound holds by itself at {_percent(plan.confidence, ' ')}; both together at no "
            f"less than {_percent(joint, ' ')}"
        )
    return [*lines, "", *frame_lines(), "", *ADVICE]


ADVICE = (
    "allow one error: none forgives nothing, and a good system fails it more often;",
    "say which plan before the pictures are judged, and give more items rather than fewer;",
    "next: 'stampgate prove MODEL.onnx --unstamped DIR --plan PLAN --out proof/'",
)


def frame_lines() -> list[str]:
    """Return what frames of one item are worth, as lines of text."""
    lines = [
        "frames are no items: so many independent items is one item photographed again worth",
        f"{'frames of it':>16}{'':>9}" + "".join(f"  at r = {r:.1f}" for r in CORRELATIONS),
    ]
    for frames in FRAMES:
        shown = "".join(f"{worth(frames, frames, r):>11.1f}" for r in CORRELATIONS)
        lines.append(f"{frames:>16}{'':>9}{shown}")
    return [*lines, "r: correlation of the errors within an item; design effect 1 + (frames - 1) r"]


def _size_line(size: Size) -> str:
    chances = "".join(f"{_chance(chance):>11}" for chance in size.chances)
    return f"{size.allowed:>16}{size.items:>9}{chances}"


def _times(better: int) -> str:
    return f"{better} x"


def _chance(chance: float) -> str:
    return f"{100 * chance:.0f} %" if chance < 0.995 else f"{100 * chance:.1f} %"


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return the plan with its sizes as JSON has it."""
    return {
        "plan": str(plan),
        "confidence": plan.confidence,
        "claims": [
            {
                "kind": claim.kind,
                "limit": claim.limit,
                "sizes": [
                    {
                        "errors_allowed": size.allowed,
                        "items": size.items,
                        "chance_to_pass": {
                            f"{claim.limit / better:.8g}": chance
                            for better, chance in zip(GOODNESS, size.chances, strict=True)
                        },
                    }
                    for size in sizes(claim, plan.confidence)
                ],
            }
            for claim in plan.claims
        ],
    }
