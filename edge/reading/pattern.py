r"""Patterns of a field: a small language whose automaton reads characters in doubt.

======================= =====================================================================
``LOT``                 these characters; a backslash takes the next sign as it is
``[A-Z0-9]``            one of these
``(A|B)``, ``A|B``      one or the other
``{6}``, ``{4,6}``, ``?``  the one before so many times, or perhaps
space                   a space, which the print may have or not: spacing is the least sure thing
``{DD} {MM} {YY}``      day, month and year in two digits; ``{D}``, ``{M}`` in one or two,
                        ``{YYYY}`` in four, ``{MMM}`` JAN to DEC, in capitals or not
``{GTIN13}``            so many digits, the last of which is the check digit of GS1: 8, 12, 13, 14,
                        and 18 for an SSCC
``{LUHN16}``            so many digits whose last is Luhn's check digit
``{WORD}``              a word of the lexicon
======================= =====================================================================

Thompson's construction: Thompson, Regular Expression Search Algorithm (1968).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NoReturn

from edge.errors import UsageError

MOST_STATES = 40_000
"""Most states of an automaton: some thousand words of a lexicon."""
MOST_REPEATS = 64
LONGEST = 500
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DIGITS = frozenset("0123456789")
DATE_DIGITS = {
    "DD": (2, 2), "D": (1, 2), "MM": (2, 2), "M": (1, 2), "YY": (2, 2), "YYYY": (4, 4),
}  # fmt: skip
GTIN_LENGTHS = (8, 12, 13, 14, 18)


@dataclass(frozen=True)
class Step:
    """One way on from a state.

    *letters*: the characters that it takes, None for none at all; *target*: the next state;
    *says*: what it adds to the text without a character, a space or nothing; *part*: what of a
    field the character belongs to, such as ``DD`` or ``GTIN13``; empty for nothing in particular.
    """

    letters: frozenset[str] | None
    target: int
    says: str = ""
    part: str = ""


@dataclass
class Pattern:
    """The automaton of a pattern: it begins in state 0 and has read a field in :attr:`end`."""

    source: str
    steps: list[list[Step]] = field(default_factory=lambda: [[]])
    end: int = 0

    def onward(self, state: int) -> list[tuple[str, Step]]:
        """Return the steps that take a character and can be reached, with what is said before.

        The field's end is there as a step without letters whose target is the end.
        """
        found: list[tuple[str, Step]] = []
        seen: set[tuple[int, str]] = set()
        waiting = [(state, "")]
        while waiting:
            at, said = waiting.pop()
            if (at, said) in seen:
                continue
            seen.add((at, said))
            if at == self.end:
                found.append((said, Step(None, self.end)))
            for step in self.steps[at]:
                if step.letters is None:
                    waiting.append((step.target, (said + step.says).replace("  ", " ")))
                else:
                    found.append((said, step))
        return found

    def state(self) -> int:
        """Make a state. Raises UsageError for one too many."""
        if len(self.steps) >= MOST_STATES:
            raise UsageError(f"pattern {self.source!r:.80} is too large; make it shorter")
        self.steps.append([])
        return len(self.steps) - 1


def parse_pattern(source: str, lexicon: Sequence[str] = ()) -> Pattern:
    """Return the automaton of a pattern; *lexicon*: the words that ``{WORD}`` stands for.

    Raises UsageError with one line for what cannot be read.
    """
    if len(source) > LONGEST:
        raise UsageError(f"a pattern must be at most {LONGEST} characters, not {len(source)}")
    pattern = Pattern(source)
    parser = _Parser(source, pattern, tuple(lexicon))
    pattern.end = parser.alternatives(0)
    if parser.at < len(source):
        parser.refuse("has a ')' that closes nothing")
    if any(step.letters is None for _, step in pattern.onward(0)):
        parser.refuse("fits nothing at all: name at least one character")
    return pattern


@dataclass
class _Parser:
    """Recursive descent over the source; each part leads from a state to the one it returns."""

    source: str
    pattern: Pattern
    lexicon: tuple[str, ...]
    at: int = 0
    depth: int = 0

    def refuse(self, why: str) -> NoReturn:
        """Raise UsageError that says what is wrong, and where."""
        raise UsageError(f"pattern {self.source!r:.80} {why} (at character {self.at + 1})")

    def alternatives(self, start: int) -> int:
        """Parse what is parted by ``|``, up to a closing bracket or the end."""
        self.depth += 1
        if self.depth > 20:
            self.refuse("is nested too deeply")
        end = self.pattern.state()
        while True:
            self._join(self._sequence(self._branch(start)), end)
            if self._peek() != "|":
                self.depth -= 1
                return end
            self.at += 1

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _branch(self, start: int) -> int:
        state = self.pattern.state()
        self._join(start, state)
        return state

    def _join(self, start: int, end: int, says: str = "") -> None:
        self.pattern.steps[start].append(Step(None, end, says))

    def _sequence(self, state: int) -> int:
        while (sign := self._peek()) and sign not in "|)":
            begun = self.at
            state = self._repeated(state, begun)
        return state

    def _repeated(self, state: int, begun: int) -> int:
        """Parse one atom and what says how often; an atom that repeats is parsed so often."""
        end = self._atom(self._branch(state))
        least, most, after = self._count()
        if (least, most) == (1, 1):
            self.at = after
            return end
        final = self.pattern.state()
        if least == 0:
            self._join(state, final)
        for number in range(1, most + 1):
            if number > 1:
                self.at = begun
                end = self._atom(self._branch(end))
            if number >= least:
                self._join(end, final)
        self.at = after
        return final

    def _count(self) -> tuple[int, int, int]:
        """Return the least and most times of the atom before, and where that ends."""
        if self._peek() == "?":
            return 0, 1, self.at + 1
        if match := re.compile(r"\{(\d{1,3})(?:,(\d{1,3}))?\}").match(self.source, self.at):
            least, most = int(match[1]), int(match[2] or match[1])
            if not 0 <= least <= most or not 1 <= most <= MOST_REPEATS:
                self.refuse(f"must repeat 1 to {MOST_REPEATS} times, the lesser number first")
            return least, most, match.end()
        return 1, 1, self.at

    def _atom(self, state: int) -> int:
        sign = self._peek()
        self.at += 1
        if sign == "(":
            end = self.alternatives(state)
            if self._peek() != ")":
                self.refuse("lacks a ')'")
            self.at += 1
            return end
        if sign == "[":
            return self._letters(state, self._set())
        if sign == "{":
            return self._token(state)
        if sign == "\\":
            sign = self._peek()
            self.at += 1
        elif sign in "]}?*+^$":
            self.at -= 1
            self.refuse(f"has a {sign!r} where none can be; put a backslash before it")
        if not sign or not sign.isprintable():
            self.refuse("must be of characters that can be seen")
        return self._literal(state, sign)

    def _literal(self, state: int, sign: str) -> int:
        if sign == " ":
            end = self.pattern.state()
            self._join(state, end, " ")
            return end
        return self._letters(state, frozenset(sign))

    def _letters(self, state: int, letters: frozenset[str], part: str = "") -> int:
        end = self.pattern.state()
        self.pattern.steps[state].append(Step(letters, end, "", part))
        return end

    def _set(self) -> frozenset[str]:
        close = self.source.find("]", self.at)
        if close <= self.at:
            self.refuse("has a '[' without characters and a ']'")
        inside, self.at = self.source[self.at : close], close + 1
        letters = set()
        while inside:
            if len(inside) >= 3 and inside[1] == "-":
                first, last, inside = ord(inside[0]), ord(inside[2]), inside[3:]
                if not 0 <= last - first <= 300:
                    self.refuse("has a range that runs backwards or too far")
                letters |= set(map(chr, range(first, last + 1)))
            else:
                letters.add(inside[0])
                inside = inside[1:]
        return frozenset(letters)

    def _token(self, state: int) -> int:
        close = self.source.find("}", self.at)
        name, begun = self.source[self.at : max(close, self.at)], self.at
        self.at = close + 1
        if name in DATE_DIGITS:
            return self._digits(state, *DATE_DIGITS[name], name)
        if name == "MMM":
            return self._words(state, (m for month in MONTHS for m in (month, month.title())), name)
        if name == "WORD" and self.lexicon:
            return self._words(state, self.lexicon, name)
        match = re.fullmatch(r"(GTIN|LUHN)(\d{1,2})", name)
        number = int(match[2]) if match else 0
        if match and (number in GTIN_LENGTHS if match[1] == "GTIN" else 2 <= number <= 32):
            return self._digits(state, number, number, name)
        self.at = begun
        what = "asks for a word of a lexicon, and there is none; name its words"
        other = f"has no such part as {'{' + name + '}'!r:.40}"
        return self.refuse(what if name == "WORD" else other)

    def _digits(self, state: int, least: int, most: int, part: str) -> int:
        end = self.pattern.state()
        for number in range(1, most + 1):
            state = self._letters(state, DIGITS, part)
            if number >= least:
                self._join(state, end)
        return end

    def _words(self, state: int, words: Iterable[str], part: str) -> int:
        """Make a tree of words: those that begin alike share their beginning."""
        end = self.pattern.state()
        tree: dict[tuple[int, str], int] = {}
        for word in words:
            at = state
            for sign in word:
                if (at, sign) not in tree:
                    if sign == " ":
                        tree[at, sign] = self._literal(at, sign)
                    else:
                        tree[at, sign] = self._letters(at, frozenset(sign), part)
                at = tree[at, sign]
            self._join(at, end)
        return end


def parts_of(text: str, parts: Sequence[str]) -> list[tuple[str, str]]:
    """Return what a text has of each part, in its order, as (part, characters).

    *parts*: the part that each character of *text* belongs to.

    >>> parts_of("01.27", ["MM", "MM", "", "YY", "YY"])
    [('MM', '01'), ('', '.'), ('YY', '27')]
    """
    if not text:
        return []
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(parts)) if a != b), len(text)]
    return [(parts[begin], text[begin:end]) for begin, end in pairwise(cuts)]
