"""Where on its item a mark must be, as far as the box knows where the item is.

No model says where the item itself is. What is known is when it came by and when its picture
began: an item that moves by so many pixels a millisecond has its place shifted by that much.
"""

from dataclasses import dataclass

from edge.deciding.codes import OUT_OF_PLACE
from edge.decision import Box, Finding
from edge.errors import UsageError


@dataclass(frozen=True)
class Place:
    """The box in which a mark's centre must be, camera pixels, on an item at its trigger.

    *px_per_ms*: how far an item moves in the picture in a millisecond, x and y.
    """

    box: Box
    px_per_ms: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if not self.box.area:
            raise UsageError(
                "place must be [left, top, right, bottom] with right above left and bottom above "
                f"top, not {[f'{corner:g}' for corner in self.box.corners()]}"
            )

    @property
    def moves(self) -> bool:
        """Whether the place depends on when the picture began."""
        return any(self.px_per_ms)

    def refuse(
        self, finding: Finding, moved_ms: tuple[float, float] | None
    ) -> tuple[str, str] | None:
        """Return code and words when the mark may be out of its place, else None.

        *moved_ms*: how long after its item's trigger the picture began, at the earliest and at the
        latest; the mark must be in its place either way. None: it did not move.

        >>> Place(Box(0, 0, 20, 20)).refuse(Finding("seal", 0.9, Box(8, 8, 12, 12)), None)
        >>> Place(Box(0, 0, 20, 20)).refuse(Finding("seal", 0.9, Box(28, 8, 32, 12)), None)
        ('out-of-place', 'is out of its place, at 30 10, must be within 0 0 20 20')
        """
        x = (finding.box.x0 + finding.box.x1) / 2
        y = (finding.box.y0 + finding.box.y1) / 2
        box, (x_speed, y_speed) = self.box, self.px_per_ms
        for ms in moved_ms or (0.0,):
            left, top = box.x0 + x_speed * ms, box.y0 + y_speed * ms
            inside = left <= x < left + box.width and top <= y < top + box.height
            if not inside:
                within = " ".join(
                    f"{edge:.0f}" for edge in (left, top, left + box.width, top + box.height)
                )
                words = f"is out of its place, at {x:.0f} {y:.0f}, must be within {within}"
                return OUT_OF_PLACE, words
        return None
