"""The least and the greatest size of a mark, in camera pixels."""

from dataclasses import dataclass

from edge.deciding.codes import TOO_LARGE, TOO_SMALL
from edge.decision import Finding
from edge.errors import UsageError


@dataclass(frozen=True)
class Size:
    """Bounds of a mark's box: its shorter side has at least *least*, its longer at most *greatest*.

    In camera pixels; 0 is no bound. Raises UsageError for bounds that no mark can meet.
    """

    least: float = 0.0
    greatest: float = 0.0

    def __post_init__(self) -> None:
        if self.greatest and self.least > self.greatest:
            raise UsageError(
                f"mark_least_px must be at most mark_greatest_px {self.greatest:g}, not "
                f"{self.least:g}"
            )

    def refuse(self, finding: Finding) -> tuple[str, str] | None:
        """Return code and words when the mark is too small or too large, else None.

        >>> from edge.decision import Box
        >>> Size(least=20).refuse(Finding("seal", 0.9, Box(0, 0, 12, 30)))
        ('too-small', 'is too small, 12 px, must have at least 20')
        """
        shorter, longer = sorted((finding.box.width, finding.box.height))
        if shorter < self.least:
            return TOO_SMALL, f"is too small, {shorter:.0f} px, must have at least {self.least:g}"
        if self.greatest and longer > self.greatest:
            return TOO_LARGE, f"is too large, {longer:.0f} px, must have at most {self.greatest:g}"
        return None
