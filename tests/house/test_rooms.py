"""docs/rooms/rooms.svg: the drawing of the rooms is the one that today's imports make."""

import re

from bench.house import read_modules
from docs.rooms.draw import DRAWING, svg
from tests.paths import ROOT


def test_the_drawing_of_the_rooms_is_current() -> None:
    """``python -m docs.rooms.draw`` writes it from the imports and the import contracts."""
    assert DRAWING.read_text() == svg()


def test_the_drawing_shows_every_module() -> None:
    """Alone or in its room's box; a command's own ``__main__`` is left out."""
    shown = " ".join(re.findall(r">([^<]+)</text>", DRAWING.read_text()))
    names = {
        name.rpartition(".")[2]
        for name, module in read_modules(ROOT).items()
        if "." in name and module.path.stem not in ("__init__", "__main__")
    }
    assert {name for name in names if not re.search(rf"\b{name}\b", shown)} == set()


def test_the_drawing_is_shown() -> None:
    """On the page that a newcomer reads first, with a text for whoever cannot see it."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert re.search(r"!\[[^\]]{10,}\]\(rooms/rooms\.svg\)", page)
