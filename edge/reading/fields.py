"""A field: what a reading says by a pattern, and how surely.

Each place of a line may show several characters; of all texts that fit the pattern the likeliest is
taken. The search keeps the best few ways into each state of the pattern's automaton, character by
character (Viterbi's algorithm, N best; Forney, The Viterbi Algorithm, 1973). What no character can
tell alone, a check digit, a day of the calendar, is asked of whole texts, best first.
"""

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from edge.reading.check_digits import gtin_fits, luhn_fits
from edge.reading.dates import date_of
from edge.reading.pattern import Pattern, Step, parse_pattern, parts_of
from edge.reading.raised import with_raised_fraction
from edge.reading.text import Character, Line, Reading

BEAM = 24
"""Ways kept into each state; a check digit leaves one in ten."""
SKIPPED_BELOW = 0.5
"""A character of a lower score may be none: a field is also tried without it."""
LEAST_CHOICE = 0.01
"""Least weight of a character that a place may show."""
IMPLIED = 0.05
"""Weight, as a share of the score, of a character that looks like the one found, where the reader
says nothing of it."""
AMBIGUOUS = 0.5
"""From this share of the best text's weight on, the next one might be right as well."""
ALIKE = (
    "O0oQD",
    "I1il|",
    "S5s",
    "B8",
    "Z2z",
    "G6",
    "T7",
    "A4",
    "cC",
    "kK",
    "pP",
    "uUvV",
    "wW",
    "xX",
)
"""Characters that look alike, in one print or another."""


@dataclass(frozen=True)
class Field:
    """What is wanted of a reading.

    *pattern*: None takes the whole text as it is; *raised_fraction*: whether small raised digits at
    the end of a line are a fraction, as of a price.
    """

    pattern: Pattern | None = None
    raised_fraction: bool = False

    @classmethod
    def of(
        cls, pattern: str = "", lexicon: Sequence[str] = (), *, raised_fraction: bool = False
    ) -> "Field":
        """Return the field of a pattern, see :mod:`edge.reading.pattern`; raises UsageError.

        Without a pattern, words of the lexicon are looked for, where there is one.
        """
        source = pattern or ("{WORD}" if lexicon else "")
        return cls(parse_pattern(source, lexicon) if source else None, raised_fraction)


@dataclass(frozen=True)
class Match:
    """What a field says.

    *text*: with the pattern's own spaces; *score*: confidence, 0..1, of its least sure character;
    *day*: the date in it, None where the pattern has none; *rival*: another text that might be
    right as well, empty where there is none.
    """

    text: str
    score: float
    day: date | None = None
    rival: str = ""


@dataclass(frozen=True)
class _Way:
    """One way through the automaton: its weight as a logarithm, its text, the parts of that."""

    weight: float
    score: float
    text: str = ""
    parts: tuple[str, ...] = ()


def match(reading: Reading, field: Field) -> Match | None:
    """Return what *reading* says of *field*; None where nothing in it fits.

    A field stands on one line; it begins where a word begins, and ends where one ends.
    """
    lines = [with_raised_fraction(x) if field.raised_fraction else x for x in reading.lines]
    if field.pattern is None:
        return _whole(Reading(tuple(lines)))
    ways = [way for line in lines for way in _ways(line, field.pattern)]
    best: Match | None = None
    weight = 0.0
    for way in sorted(ways, key=lambda way: (-way.weight, way.text)):
        try:
            day = _checked(way)
        except ValueError:
            continue
        if best is None:
            best, weight = Match(way.text, way.score, day), way.weight
        elif (way.text, day) != (best.text, best.day):
            close = math.exp(way.weight - weight) >= AMBIGUOUS
            rival = way.text if way.text != best.text else f"{way.text} as {day}"
            return Match(best.text, best.score, best.day, rival) if close else best
    return best


def _whole(reading: Reading) -> Match | None:
    """Return all that was read, with the likeliest other text when one place is in doubt."""
    if not reading.lines:
        return None
    places = [c for line in reading.lines for c in line.characters]
    doubtful = [c for c in places if c.alternatives]
    worst = max(doubtful, key=lambda c: c.alternatives[0][1] / c.score, default=None)
    rival = ""
    if worst is not None and worst.alternatives[0][1] >= AMBIGUOUS * worst.score:
        rival = f"{worst.alternatives[0][0]} for {worst.text}"
    return Match(" ".join(reading.text.split()), reading.score, None, rival)


def _checked(way: _Way) -> date | None:
    """Return the way's date, None where it has none. Raises ValueError for what cannot be."""
    parts = parts_of(way.text, way.parts)
    for part, digits in parts:
        fits = {"GTIN": gtin_fits, "LUHN": luhn_fits}.get(part[:4])
        if fits is not None and not fits(digits):
            raise ValueError(f"the check digit of {digits} is another")
    return date_of(parts)


def _ways(line: Line, pattern: Pattern) -> Iterator[_Way]:
    """Yield the ways in which something on a line fits the pattern."""
    places = [(c, number == 0) for word in line.words for number, c in enumerate(word.characters)]
    active: dict[int, list[_Way]] = {}
    onward: dict[int, list[tuple[str, Step]]] = {}
    for index, (character, begins) in enumerate(places):
        if begins:
            active.setdefault(0, []).append(_Way(0.0, 1.0))
        coming: dict[int, list[_Way]] = {}
        for state, ways in active.items():
            if state not in onward:
                onward[state] = pattern.onward(state)
            for way in heapq.nlargest(BEAM, ways, key=lambda way: way.weight):
                _advance(way, onward[state], character, coming)
            if character.score < SKIPPED_BELOW:
                coming.setdefault(state, []).extend(_skipped(way, character) for way in ways)
        active = coming
        if index + 1 == len(places) or places[index + 1][1]:
            yield from _ended(active, onward, pattern)


def _advance(
    way: _Way,
    onward: Sequence[tuple[str, Step]],
    character: Character,
    coming: dict[int, list[_Way]],
) -> None:
    """Go on from one way by what a place may show."""
    taken = frozenset[str]().union(*(step.letters or () for _, step in onward))
    for text, weight in _weights(character, taken).items():
        for said, step in onward:
            if step.letters is not None and text in step.letters:
                parts = (*way.parts, *("" for _ in said), step.part)
                grown = _Way(
                    way.weight + math.log(weight),
                    min(way.score, weight),
                    way.text + said + text,
                    parts,
                )
                coming.setdefault(step.target, []).append(grown)


def _weights(character: Character, taken: frozenset[str]) -> Mapping[str, float]:
    """Return the weight, 0..1, of each of the pattern's next characters that a place may show.

    Of characters that look alike, those which the pattern rules out give their weight to those
    which it takes: the print of an O is that of a 0.
    """
    seen = dict(character.choices)
    total = max(1.0, sum(seen.values()))
    ruled_out = seen.keys() - taken
    weights = {}
    for text in taken & frozenset(seen).union(*map(_alike, seen)):
        alike = _alike(text)
        own = seen.get(text) or IMPLIED * max((seen[x] for x in alike & seen.keys()), default=0.0)
        given = sum(seen[other] for other in alike & ruled_out)
        weight = (given if given and text not in seen else own + given) / total
        if weight >= LEAST_CHOICE:
            weights[text] = weight
    return weights


def _alike(text: str) -> frozenset[str]:
    """Return the other characters that look like one.

    >>> sorted(_alike("8")), sorted(_alike("H"))
    (['B'], [])
    """
    return frozenset("".join(group for group in ALIKE if text in group)) - {text}


def _skipped(way: _Way, character: Character) -> _Way:
    weight = 1.0 - character.score
    return _Way(way.weight + math.log(weight), min(way.score, weight), way.text, way.parts)


def _ended(
    active: Mapping[int, Sequence[_Way]],
    onward: dict[int, list[tuple[str, Step]]],
    pattern: Pattern,
) -> Iterator[_Way]:
    """Yield the ways that may end here."""
    for state, ways in active.items():
        if state not in onward:
            onward[state] = pattern.onward(state)
        if any(step.letters is None for _, step in onward[state]):
            yield from (way for way in ways if way.text)
