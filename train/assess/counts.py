"""Counts in words: so many of so many."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """*hits* of *of*: marks found, or pictures without a mark that were accepted."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        """The share, 0..1; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """In words.

        >>> str(Count(3, 5)), str(Count(0, 0))
        ('3 of 5', 'not measured')
        """
        return f"{self.hits} of {self.of}" if self.of else "not measured"
