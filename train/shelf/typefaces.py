"""Typefaces to print labels in: font files that have the letters and digits that are wanted."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge.errors import InputError
from train.marks.fonts import SUFFIXES

WANTED = "0123456789.,ABCDEFGHabcdefgh"
"""Characters that a typeface must have."""
NOT_PRINTED = ("Thin", "Hairline", "ExtraLight", "Italic", "Oblique", "Symbol", "Emoji")
"""Parts of the names of files in a folder that are left out: no shelf label is printed so."""
INSTALLED = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
"""Where fonts are looked for when none is named."""
TRIED_PX = 24
"""Size at which a typeface is tried, in pixels."""
NOWHERE = chr(0x10FFFE)
"""A character that no font has: it shows what a font draws for what it lacks."""
ADVICE = "install some (apt install fonts-dejavu fonts-liberation), or name font files with --font"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def find_typefaces(named: Sequence[Path]) -> tuple[str, ...]:
    """Return the font files to print with: those *named*, files or folders, else the installed.

    A file that is named must have every character of :data:`WANTED`; of folders, those that lack
    one and those of :data:`NOT_PRINTED` are left out. Files of one family name count once each.
    Raises InputError when one that is named cannot be used, or when none is left.
    """
    found: dict[str, str] = {}
    for path in named or [folder for folder in INSTALLED if folder.is_dir()]:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if is_printed(file) and not lacks(str(file)):
                    found.setdefault(file.stem, str(file))
        elif not path.is_file():
            raise InputError(f"--font {path}: no such file or folder; name a .ttf or .otf file")
        elif lack := lacks(str(path)):
            raise InputError(f"--font {path}: {lack}; name another font")
        else:
            found[path.stem] = str(path)
    if not found:
        raise InputError(f"no font with letters and digits is there; {ADVICE}")
    return tuple(found.values())


def is_printed(file: Path) -> bool:
    """Return whether a file in a folder is a font that labels may be printed in."""
    return file.suffix.lower() in SUFFIXES and not any(part in file.stem for part in NOT_PRINTED)


def lacks(file: str) -> str:
    """Say what a font file lacks, as a part of a sentence; empty when it has all that is wanted."""
    try:
        font = ImageFont.truetype(file, TRIED_PX)
        nothing = _drawn(font, NOWHERE)
        lacking = [letter for letter in WANTED if _drawn(font, letter) in (nothing, b"")]
    except (OSError, ValueError):
        return "is no font that can be read"
    if lacking:
        return f"has no {' '.join(lacking[:5])}"
    return "" if len({_drawn(font, digit) for digit in WANTED[:10]}) == 10 else "has no digits"


def _drawn(font: Font, letter: str) -> bytes:
    tile = Image.new("L", (2 * TRIED_PX, 2 * TRIED_PX))
    ImageDraw.Draw(tile).text((TRIED_PX // 2, TRIED_PX), letter, 255, font, anchor="ls")
    return tile.tobytes() if np.asarray(tile).any() else b""


@functools.lru_cache(maxsize=512)
def typeface(file: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a typeface at a size in pixels."""
    return ImageFont.truetype(file, size)
