"""What was read: characters in words, words in lines, lines in a reading.

Boxes are in the pixels of the picture that was read, x right, y down, half-open.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edge.decision import Box

Alternatives = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Character:
    """One place that shows a character.

    *text*: the likeliest character there; *score*: its score, 0..1; *box*: where; *alternatives*:
    further characters that the place may show, each with its score, best first.
    """

    text: str
    score: float
    box: Box
    alternatives: Alternatives = ()

    @property
    def choices(self) -> Alternatives:
        """All characters that the place may show, with their scores, the likeliest first."""
        return ((self.text, self.score), *self.alternatives)

    @property
    def sureness(self) -> float:
        """Score of the character as a share of all that the place may show, 0..1.

        >>> Character("O", 0.6, Box(0, 0, 1, 1), (("0", 0.6),)).sureness
        0.5
        """
        return self.score / max(1.0, sum(score for _, score in self.choices))


@dataclass(frozen=True)
class Word:
    """Characters with no space between them, in reading order, at least one."""

    characters: tuple[Character, ...]

    @property
    def text(self) -> str:
        """The characters' text."""
        return "".join(character.text for character in self.characters)

    @property
    def score(self) -> float:
        """Confidence of the word, 0..1: that of its least sure character."""
        return min(character.sureness for character in self.characters)

    @property
    def box(self) -> Box:
        """Box round all characters."""
        return around(character.box for character in self.characters)


@dataclass(frozen=True)
class Line:
    """Words on one line, in reading order, at least one.

    *turn_deg*: direction in which it is read, degrees clockwise from the x axis, -180..180; of a
    curved line that from its first character to its last.
    """

    words: tuple[Word, ...]
    turn_deg: float = 0.0

    @property
    def text(self) -> str:
        """The words' text, with one space between them."""
        return " ".join(word.text for word in self.words)

    @property
    def score(self) -> float:
        """Confidence of the line, 0..1: that of its least sure word."""
        return min(word.score for word in self.words)

    @property
    def characters(self) -> tuple[Character, ...]:
        """The characters of all words."""
        return tuple(character for word in self.words for character in word.characters)

    @property
    def box(self) -> Box:
        """Box round all words."""
        return around(word.box for word in self.words)


@dataclass(frozen=True)
class Reading:
    """Lines that were read, from top to bottom; none where nothing was."""

    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        """The lines' text, one under the other."""
        return "\n".join(line.text for line in self.lines)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all lines."""
        return tuple(word for line in self.lines for word in line.words)

    @property
    def score(self) -> float:
        """Confidence of the reading, 0..1: that of its least sure word; 0 without any."""
        return min((word.score for word in self.words), default=0.0)


def around(boxes: Iterable[Box]) -> Box:
    """Return the box round *boxes*, at least one."""
    x0, y0, x1, y1 = zip(*(box.corners() for box in boxes), strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))
