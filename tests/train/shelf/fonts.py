"""A font for the tests of shelf labels: the one that ships in Pillow, as a file."""

from pathlib import Path

from PIL import ImageFont


def save_font(folder: Path, name: str = "some.ttf") -> Path:
    """Write Pillow's own typeface as a font file and return its path."""
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    path = folder / name
    path.write_bytes(font.font_bytes)
    return path
