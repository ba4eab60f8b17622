"""Findings become characters: what overlaps at one place is one character and its alternatives."""

from collections.abc import Iterable, Sequence

from edge.decision import Finding
from edge.reading.labels import character_of
from edge.reading.text import Character

SAME_PLACE, SAME_CENTRE = 0.5, 0.25
"""Findings are of one place when they share more than the first of the smaller one's box, and their
centres lie nearer than the second of its longer side: neighbours on a line that is turned have
boxes that overlap, and centres that do not."""
MOST_CHARACTERS = 400
"""Most characters of a reading, the best ones; more are noise."""


def characters_of(findings: Iterable[Finding], least: float = 0.0) -> list[Character]:
    """Return the characters among *findings*, best first; classes that are none are left out.

    *least*: score, 0..1, from which a finding makes a place of its own. A finding at the place of a
    better one is an alternative there, whatever its score, or a duplicate when it is the same
    character.
    """
    seen = [f for f in findings if f.is_possible and character_of(f.label)]
    places: list[list[Finding]] = []
    for finding in sorted(seen, key=lambda f: (-f.score, f.label)):
        place = next((p for p in places if _is_same_place(p[0], finding)), None)
        if place is not None:
            place.append(finding)
        elif finding.score >= least and len(places) < MOST_CHARACTERS:
            places.append([finding])
    return [_character(place) for place in places]


def _is_same_place(one: Finding, other: Finding) -> bool:
    a, b = one.box, other.box
    small = min(a, b, key=lambda box: box.area)
    if a.intersection(b) <= SAME_PLACE * small.area:
        return False
    apart = max(abs(a.x0 + a.x1 - b.x0 - b.x1), abs(a.y0 + a.y1 - b.y0 - b.y1)) / 2
    return apart < SAME_CENTRE * max(small.width, small.height)


def _character(place: Sequence[Finding]) -> Character:
    """Return the character of one place; *place*: its findings, best first."""
    scores: dict[str, float] = {}
    for finding in place:
        scores.setdefault(character_of(finding.label), finding.score)
    (text, score), *others = scores.items()
    return Character(text, score, place[0].box, tuple(others))
