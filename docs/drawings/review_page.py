"""Make the pictures of the review page: ``python -m docs.drawings.review_page [FOLDER]``.

A made-up shift of the packaged sample pictures, judged by the packaged model, shown by the real
page in Chromium. Without FOLDER the one picture of docs/review.md is made; with it all pages, wide
and narrow, for whoever looks at them.
"""

import random
import sys
import tempfile
from functools import cache
from pathlib import Path

from PIL import Image

from edge.commands.demo import SAMPLES
from edge.config import Config
from edge.decision import Finding
from edge.printing import print_line
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from tests.edge.review.web.playwright_rig import NARROW, WIDE, chromium, seat, served
from tests.edge.review.web.review_rig import Made, cheap_passwords, make_shift

PICTURE = Path(__file__).parents[1] / "pictures" / "review.jpg"
ITEMS = 400
APART_S = 71.0
STAMPED = ("01", "03", "05", "07", "09", "11")
UNSTAMPED = ("02", "04", "06", "08", "10", "12")
PAGES = ("today", "items", "items/399", "queue", "challenge", "sign", "audit")


@cache
def judged(number: str) -> Made:
    """Return what the packaged model finds on a sample picture."""
    (path,) = SAMPLES.glob(f"{number}-*.jpg")
    frame = read_picture(path)
    found = localizer().find(frame)
    best: Finding | None = max(found, key=lambda finding: finding.score, default=None)
    passed = best is not None and best.score >= localizer().contract.threshold
    box = (0.0, 0.0, 1.0, 1.0) if best is None else best.as_object()["box"]
    score = 0.0 if best is None else best.score
    return Made("pass" if passed else "reject", round(score, 3), box, frame, "qc-tested")


@cache
def localizer() -> Localizer:
    """Load the packaged model once."""
    return Localizer.of(Config())


def item(number: int) -> Made:
    """Return item *number*: one of thirty has no stamp, and for a while every fourth."""
    draw = random.Random(number)  # noqa: S311 - a drawing
    rate = 0.25 if 250 <= number < 275 else 0.03
    return judged(draw.choice(UNSTAMPED if draw.random() < rate else STAMPED))


def main() -> None:
    """Make the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as made, cheap_passwords(), chromium() as browser:
        config = make_shift(Path(made), ITEMS, made=item, apart_s=APART_S)
        with served(config) as (_, base):
            for size in (WIDE, NARROW) if folder else (WIDE,):
                with seat(browser, base, size) as ada:
                    ada.log_in("sam")
                    for path in PAGES if folder else ("today?span=8h",):
                        ada.page.goto(f"{base}/{path}", wait_until="networkidle")
                        name = f"{path.replace('/', '-')}-{size[0]}.png"
                        shot = (folder or Path(made)) / name.replace("?", "-")
                        ada.page.screenshot(path=shot, full_page=True)
                        if folder is None:
                            Image.open(shot).convert("RGB").save(PICTURE, quality=82)
    print_line(f"made: {folder or PICTURE}")


if __name__ == "__main__":
    main()
