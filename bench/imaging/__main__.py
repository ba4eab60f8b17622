"""Measure focus and recall as pictures are spoilt: ``python -m bench.imaging``, a few minutes.

Ten scenes with two seals each are blurred (Gaussian), defocused (disc) and shaken (line), made
darker and brighter. Of each is measured: the focus, whether it falls with every step, whether
``check`` FAILs, and how many seals the packaged model still finds. It exits with 1 when focus does
not fall, four pixels of blur do not halve it, or recall has fallen by 5 % where ``check`` is ok.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bench.command import answer
from bench.imaging.scenes import Scene, blurred, lit, scenes
from edge.config import Config
from edge.decision import Box
from edge.imaging.bounds import judge_figures
from edge.imaging.figures import measure
from edge.sections.imaging import ImagingSettings
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame

SIZES = (0, 1, 2, 4, 8)
KINDS = ("blur", "defocus", "shake", "light")
GAINS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 3.0, 10.0, 30.0)
FALL = 0.05
"""Share of the recall that may be lost where check is ok."""
SAME = 0.5
"""Intersection over union from which a finding is the seal."""


@dataclass
class Row:
    """One step of one kind: of each scene its focus, mean, white share, check and seals found."""

    size: float
    focus: list[float] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)
    white: list[float] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)
    found: list[int] = field(default_factory=list)

    def add(self, frame: Frame, scene: Scene, localizer: Localizer) -> None:
        """Measure one picture and look for its seals."""
        figures = measure(frame)
        self.focus.append(figures.focus)
        self.mean.append(figures.exposure.mean)
        self.white.append(figures.exposure.bright)
        judged = judge_figures([figures], ImagingSettings())
        self.failed.append(not all(one.kept for one in judged))
        seen = [finding.box for finding in localizer.find(frame)]
        self.found.append(sum(any(_alike(box, one) for one in seen) for box in scene.boxes))


def measured(
    chosen: Sequence[Scene], kind: str, sizes: Sequence[float], localizer: Localizer
) -> list[Row]:
    """Measure all scenes at each size of one kind of blur, or gain of ``light``."""
    rows = [Row(size) for size in sizes]
    for index, scene in enumerate(chosen):
        turn = math.pi * index / len(chosen)
        for row in rows:
            light = kind == "light"
            frame = (
                lit(scene.pixels, row.size)
                if light
                else blurred(scene.pixels, kind, row.size, turn)
            )
            row.add(frame, scene, localizer)
    return rows


def falls(rows: Sequence[Row]) -> int:
    """Return on how many scenes focus falls with every step."""
    scenes_focus = zip(*(row.focus for row in rows), strict=True)
    return sum(all(a > b for a, b in pairwise(one)) for one in scenes_focus)


def halved(rows: Sequence[Row]) -> int:
    """Return on how many scenes the focus at four pixels is at most half of that at none."""
    sharp, four = (next(row for row in rows if row.size == size) for size in (0, 4))
    return sum(b <= a / 2 for a, b in zip(sharp.focus, four.focus, strict=True))


def missed(rows: Sequence[Row]) -> list[Row]:
    """Return the rows where recall has fallen by :data:`FALL` and check is ok on some scene.

    Recall is counted over the pictures that check lets through: those are what a line would run on.
    """
    whole = sum(rows[0].found) / len(rows[0].found)
    wrong = []
    for row in rows[1:]:
        kept = [found for found, failed in zip(row.found, row.failed, strict=True) if not failed]
        fallen = sum(kept) < (1 - FALL) * whole * len(kept)
        most = sum(row.failed) * 2 < len(row.failed)
        if (kept and fallen) or (most and sum(row.found) < (1 - FALL) * whole * len(row.found)):
            wrong.append(row)
    return wrong


def _alike(one: Box, other: Box) -> bool:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    if width <= 0 or height <= 0:
        return False
    areas = [(box.x1 - box.x0) * (box.y1 - box.y0) for box in (one, other)]
    return width * height >= SAME * (sum(areas) - width * height)


def _print_rows(kind: str, rows: Sequence[Row]) -> None:
    unit = "gain" if kind == "light" else "px"
    print(f"\n{kind:8} {unit:>6}  focus least/median/most    mean  white  check FAILs  recall")
    for row in rows:
        focus = sorted(row.focus)
        middle = f"{focus[0]:6.1f} {focus[len(focus) // 2]:8.1f} {focus[-1]:8.1f}"
        count = len(focus)
        print(
            f"{'':8} {row.size:6g}  {middle}   {sum(row.mean) / count:5.0f}"
            f" {sum(row.white) / count:6.0%} {sum(row.failed):6} of {count}"
            f" {sum(row.found) / (2 * count):7.0%}",
            flush=True,
        )


def bench(count: int, folder: Path | None, kinds: Sequence[str], finer: bool) -> int:
    """Print the tables; return 1 when something does not hold."""
    localizer, chosen, bad = Localizer.of(Config()), scenes(count, folder), 0
    print(f"{count} scenes with two seals each, {', '.join(scene.name for scene in chosen)}")
    sizes = sorted({*SIZES, 3, 5, 6}) if finer else SIZES
    for kind in kinds:
        longer = (*sizes, 12, 16, 24) if kind == "shake" and finer else sizes
        steps = GAINS if kind == "light" else longer
        rows = measured(chosen, kind, steps, localizer)
        _print_rows(kind, rows)
        wrong = missed(rows)
        print(f"{'':8} recall lost where check is ok: at {len(wrong)} steps")
        bad += bool(wrong)
        if kind != "light":
            fallen, half = falls(rows), halved(rows)
            print(f"{'':8} focus falls with every step on {fallen} of {count} scenes")
            print(f"{'':8} 4 px halve it on {half} of {count} scenes")
            bad += fallen < count or (kind == "blur" and half < count)
    return int(bad > 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.imaging", description=__doc__)
    parser.add_argument("--scenes", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument("--photographs", type=Path, metavar="DIR", help="default: packaged ones")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="default: all")
    parser.add_argument("--finer", action="store_true", help="more steps in between")
    given = parser.parse_args(arguments)
    return answer(
        "bench.imaging",
        lambda: bench(given.scenes, given.photographs, given.kinds, given.finer),
    )


if __name__ == "__main__":
    sys.exit(main())
