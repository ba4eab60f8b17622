"""Watch a camera by comparisons with its reference: moved, other light, softer. No camera here."""

import math
import statistics
from collections import deque
from dataclasses import dataclass, field
from typing import Final

MOVED: Final = "camera-moved"
LIGHT: Final = "camera-light"
SOFT: Final = "camera-soft"

CLARITY: Final = ("focus", "contrast")
"""Figures whose fall is softness: defocus lowers the first, fog the second."""
KEPT = 5
"""Number of comparisons whose median is judged: a hand or a passing shadow is no trouble."""
LEAST_KNOWN = 0.5
"""Share of the patches that must be found again for the surround to be the reference's."""
EASED = 0.7
"""Share of a limit below which trouble ends: what stands at the limit does not come and go."""
DECISION_INTERVAL, MOST_SUM = 0.5, 1.0
"""Limit of the cumulative sum in natural logarithms, see :func:`run_length`, and where it stops, so
that trouble ends soon after its cause."""
MOST_SPREAD = 0.1
"""Standard deviation of the logarithm of focus or contrast up to which the limit was chosen."""


@dataclass(frozen=True)
class Limits:
    """From which figures on a camera is in trouble.

    *moved_px*: camera pixels; *light_times*: ratio, above 1; *softer*: share, 0..1, by which focus
    or contrast may fall.
    """

    moved_px: float = 10.0
    light_times: float = 1.5
    softer: float = 0.25


@dataclass(frozen=True)
class Comparison:
    """One picture beside the reference.

    *moved_px*: how far the patches lie from their places, camera pixels, at the farthest;
    *rotation_deg*: turned clockwise; *known*: share, 0..1, of the patches that were found again;
    *light*: ratio of brightness of the darkest but one patch, *bright*: of the brightest but one;
    *focus*, *contrast*: ratios, median of the patches. 1 is as the reference.
    """

    moved_px: float = 0.0
    rotation_deg: float = 0.0
    known: float = 1.0
    light: float = 1.0
    bright: float = 1.0
    focus: float = 1.0
    contrast: float = 1.0


@dataclass(frozen=True)
class CameraTrouble:
    """One trouble: its *code*, and in words what is measured, the limit and the next step."""

    code: str
    words: str


@dataclass
class CameraWatch:
    """Judges comparison after comparison; trouble ends when its cause has ended.

    Moved and light go by the median of the last :data:`KEPT`. Softness goes by two cumulative
    sums (Page, "Continuous inspection schemes", Biometrika 41, 1954) of how far focus and contrast
    have fallen below half of what they may: a slow fall is found by what it adds up to.

    Synchronization: one thread.
    """

    limits: Limits = field(default_factory=Limits)
    _recent: deque[Comparison] = field(default_factory=lambda: deque(maxlen=KEPT))
    _sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CLARITY, 0.0))
    _means: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CLARITY, 1.0))
    _shown: dict[str, str] = field(default_factory=dict)

    def note(self, found: Comparison) -> None:
        """Take one comparison."""
        self._recent.append(found)
        for name in CLARITY:
            ratio = float(getattr(found, name))
            added = -math.log(max(ratio, 1e-3)) - allowance(self.limits.softer)
            self._sums[name] = min(max(0.0, self._sums[name] + added), MOST_SUM)
            self._means[name] += (ratio - self._means[name]) / KEPT
        worst = max(CLARITY, key=lambda name: self._sums[name])
        told = self._sums[worst]
        self._judge(SOFT, told > DECISION_INTERVAL, told > 0, self._soft_words(worst))
        if len(self._recent) == KEPT:
            self._judge_light()
            self._judge_place()

    @property
    def troubles(self) -> tuple[CameraTrouble, ...]:
        """The troubles there are now."""
        return tuple(CameraTrouble(code, words) for code, words in self._shown.items())

    @property
    def trouble(self) -> str:
        """The troubles in words; empty when there is none."""
        return "; ".join(self._shown.values())

    def forget(self) -> None:
        """Begin anew, with another reference or other limits."""
        self._recent.clear()
        self._shown.clear()
        self._sums, self._means = dict.fromkeys(CLARITY, 0.0), dict.fromkeys(CLARITY, 1.0)

    def _judge(self, code: str, begins: bool, stays: bool, words: str) -> None:
        """Show trouble that begins, or that was shown and stays; drop it else."""
        if begins or (code in self._shown and stays):
            self._shown[code] = words
        else:
            self._shown.pop(code, None)

    def _judge_light(self) -> None:
        least, most = self._median("light"), self._median("bright")
        times, eased = self.limits.light_times, 1 + EASED * (self.limits.light_times - 1)
        far = max(1 / max(least, 1e-3), most)
        change = least if 1 / max(least, 1e-3) >= most else most
        words = (
            f"the light of the place is {change:.0%} of its reference's, must be "
            f"{1 / times:.0%} to {times:.0%}; check each lamp and [camera] exposure_us"
        )
        self._judge(LIGHT, far > times, far > eased, words)

    def _judge_place(self) -> None:
        """Judge the place; what is too soft or too dark to be found again has not moved."""
        known, moved = self._median("known"), self._median("moved_px")
        limit, lost = self.limits.moved_px, known < LEAST_KNOWN and moved <= self.limits.moved_px
        if lost:
            words = (
                f"{known:.0%} of the reference's surround is found again, must be "
                f"{LEAST_KNOWN:.0%}; set the camera back, look for what covers or blinds it, or "
                "calibrate anew"
            )
            other = SOFT in self._shown or LIGHT in self._shown
            self._judge(MOVED, not other, True, words)
            return
        turned = self._median("rotation_deg")
        words = (
            f"the camera has moved by {moved:.0f} pixels (turned {turned:.1f} degrees), must be at "
            f"most {limit:g}; set it back, or calibrate anew"
        )
        self._judge(MOVED, moved > limit, moved > EASED * limit, words)

    def _soft_words(self, name: str) -> str:
        cure = {"focus": "focus the lens and lock its ring", "contrast": "clean lens and window"}
        return (
            f"the picture has {self._means[name]:.0%} of its reference's {name} left, must keep "
            f"{math.exp(-allowance(self.limits.softer)):.0%}; {cure[name]}"
        )

    def _median(self, name: str) -> float:
        return statistics.median(float(getattr(found, name)) for found in self._recent)


def allowance(softer: float) -> float:
    """Return the reference value of the sum: half the fall that is to be found, logarithms."""
    return -math.log(1 - softer) / 2


def run_length(softer: float, spread: float) -> float:
    """Return the mean number of comparisons between two false alarms of one sum.

    Siegmund's approximation ("Sequential Analysis", 1985). *spread*: standard deviation of the
    logarithm of the figure, independent from one comparison to the next.

    >>> run_length(0.25, MOST_SPREAD) > 1e7
    True
    """
    drift = allowance(softer) / spread
    height = DECISION_INTERVAL / spread + 1.166
    exponent = 2 * drift * height
    return math.inf if exponent > 700 else (math.exp(exponent) - 1 - exponent) / (2 * drift**2)
