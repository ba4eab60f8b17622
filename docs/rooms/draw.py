"""Draw the rooms of the program from its imports: ``python -m docs.rooms.draw`` writes rooms.svg.

A room is a folder of a package, or a module that lies directly in it. Rows are the layers of the
import contracts in ``pyproject.toml``: a room may use every room below it. Arrows are the imports
that there are, those inside functions too; one that other arrows lead along is left out. Rows below
the last folder of a package are used from everywhere and stand in one frame without arrows.
"""

import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

from bench.house import Module, read_modules

ROOT = Path(__file__).resolve().parents[2]
DRAWING = Path(__file__).with_name("rooms.svg")
PACKAGES = {
    "export": "the desktop's command, and the model's file",
    "train": "the desktop: painting, training, judging",
    "edge": "the box at the production line",
}
"""From the top; an upper one may use those below."""
WIDTH, MARGIN, GAP = 1000, 20, 30
FOLDER, FILE = 206, 106
"""Widths of a folder's box and of a single module's."""
TITLE, LINE = 22, 15
ROUNDS = 12
"""How often rooms move towards their neighbours."""
INK, GREY, PAPER, FILL, WIRE = "#1f2328", "#57606a", "#ffffff", "#f3f4f6", "#1f5fbf"
STYLE = (
    "text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:13px;fill:#1f2328}"
    ".small{font-size:11px;fill:#57606a}.title{font-size:16px;font-weight:bold}"
    ".strong{font-weight:bold}"
)


@dataclass
class Room:
    """One box: a folder with its modules, or a module; *x*, *y* and its size in pixels."""

    name: str
    modules: list[str]
    is_folder: bool
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    lines: list[str] = field(default_factory=list)


@dataclass
class Panel:
    """One package: its rows of rooms from the top, those used from everywhere, and its arrows."""

    package: str
    rows: list[list[Room]]
    everywhere: list[Room]
    arrows: list[tuple[str, str]]
    count: int


def room_of(name: str, modules: dict[str, Module]) -> str:
    """Return the room of a module, as ``package.room``; of a package itself, its name."""
    return ".".join(name.split(".")[:2]) if name in modules else ""


def room_imports(modules: dict[str, Module]) -> Counter[tuple[str, str]]:
    """Count the imports from one room to another."""
    pairs = (
        (room_of(name, modules), room_of(other, modules))
        for name, module in modules.items()
        for other in module.imported & modules.keys()
    )
    return Counter((a, b) for a, b in pairs if a != b)


def layers(package: str) -> list[list[str]]:
    """Return the rows of a package's contract: the rooms of each layer, without ``__main__``."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(c for c in settings["contracts"] if c.get("containers") == [package])
    rows = ([part.strip() for part in layer.split("|")] for layer in contract["layers"])
    return [row for row in rows if row != ["__main__"]]


def needed(arrows: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out each arrow whose end is also reached by others."""
    return sorted(
        (a, b) for a, b in arrows if not any(reaches(c, b, arrows) for c in ends(a, b, arrows))
    )


def ends(start: str, without: str, arrows: set[tuple[str, str]]) -> Iterator[str]:
    """Yield what *start* points to, *without* one."""
    return (b for a, b in arrows if a == start and b != without)


def reaches(start: str, goal: str, arrows: set[tuple[str, str]]) -> bool:
    """Say whether arrows lead from *start* to *goal*."""
    return start == goal or any(reaches(b, goal, arrows) for b in ends(start, "", arrows))


def read_panel(package: str, modules: dict[str, Module]) -> Panel:
    """Read one package's rooms, rows and arrows."""
    rows = [[_room(package, name, modules) for name in row] for row in layers(package)]
    folders = [number for number, row in enumerate(rows) if any(room.is_folder for room in row)]
    last = folders[-1] if folders else len(rows)
    own = {room.name for row in rows[: last + 1] for room in row}
    arrows = {
        (a.partition(".")[2], b.partition(".")[2])
        for a, b in room_imports(modules)
        if a.startswith(f"{package}.") and b.startswith(f"{package}.")
    }
    drawn = needed({(a, b) for a, b in arrows if a in own and b in own})
    everywhere = [room for row in rows[last + 1 :] for room in row]
    count = sum(name.split(".")[0] == package for name in modules)
    return Panel(package, rows[: last + 1], everywhere, drawn, count)


def _room(package: str, name: str, modules: dict[str, Module]) -> Room:
    """Return a room with the modules in it; those of an inner folder as ``inner/module``."""
    whole = f"{package}.{name}"
    inside = [other.removeprefix(f"{whole}.") for other in modules if other.startswith(f"{whole}.")]
    names = [inner.replace(".", "/") for inner in inside]
    return Room(name, names, modules[whole].path.name == "__init__.py")


def place(panel: Panel, top: float) -> float:
    """Give each room of a panel its place below *top*; returns where the panel ends."""
    y = top + 44.0
    for row in panel.rows:
        for room in row:
            room.lines = textwrap.wrap(", ".join(room.modules), 32, break_on_hyphens=False)
            room.width = FOLDER if room.is_folder else FILE
            room.height = TITLE + 10 + LINE * len(room.lines)
        tallest = max(room.height for room in row)
        for room in row:
            room.y = y + (tallest - room.height) / 2
        y += tallest + GAP
    _spread(panel)
    return y - 6 + (56.0 if panel.everywhere else 0.0)


def _spread(panel: Panel) -> None:
    """Place the rooms of each row from left to right, each near those it has arrows to or from."""
    rooms = {room.name: room for row in panel.rows for room in row}
    for row in panel.rows:
        free = (WIDTH - 2 * MARGIN - sum(room.width for room in row)) / (len(row) + 1)
        x = float(MARGIN)
        for room in row:
            room.x = x + free
            x += free + room.width
    pairs = [(rooms[a], rooms[b]) for a, b in panel.arrows]
    for _ in range(ROUNDS):
        for row in panel.rows:
            for room in row:
                near = [b if a is room else a for a, b in pairs if room in (a, b)]
                if near:
                    middle = sum(other.x + other.width / 2 for other in near) / len(near)
                    room.x += (middle - room.width / 2 - room.x) / 2
            _push_apart(row)


def _push_apart(row: list[Room]) -> None:
    """Move the rooms of a row apart until none overlaps and all lie in the panel."""
    left = MARGIN + 16.0
    for room in row:
        room.x = max(room.x, left)
        left = room.x + room.width + GAP
    right = WIDTH - MARGIN - 16.0
    for room in reversed(row):
        room.x = round(min(room.x, right - room.width))
        right = room.x - GAP


def text(x: float, y: float, words: str, look: str = "", anchor: str = "start") -> str:
    """Return one line of text with its foot at *y*."""
    kind = f' class="{look}"' if look else ""
    return f'<text x="{x:g}" y="{y:g}"{kind} text-anchor="{anchor}">{escape(words)}</text>'


def rectangle(x: float, y: float, width: float, height: float, fill: str, edge: str) -> str:
    """Return a box with round corners."""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {place} rx="5" fill="{fill}" stroke="{edge}"/>'


def drawn_room(room: Room) -> list[str]:
    """Return a room's box: its name, how many modules it holds, and which."""
    fill = PAPER if room.is_folder else FILL
    parts = [rectangle(room.x, room.y, room.width, room.height, fill, INK)]
    if not room.is_folder:
        middle = room.x + room.width / 2
        return [*parts, text(middle, room.y + 21, room.name, "", "middle")]
    count = f"{len(room.modules) + 1} modules"
    parts.append(text(room.x + 10, room.y + 20, f"{room.name}/", "strong"))
    parts.append(text(room.x + room.width - 10, room.y + 20, count, "small", "end"))
    for number, line in enumerate(room.lines):
        parts.append(text(room.x + 10, room.y + TITLE + 14 + LINE * number, line, "small"))
    return parts


def drawn_arrows(panel: Panel) -> list[str]:
    """Return the arrows of a panel, each from a room's lower edge to another's upper edge."""
    rooms = {room.name: room for row in panel.rows for room in row}
    parts = []
    for a, b in panel.arrows:
        start = port(rooms[a], b, [end for first, end in panel.arrows if first == a], rooms)
        end = port(rooms[b], a, [first for first, end in panel.arrows if end == b], rooms)
        points = [(start, rooms[a].y + rooms[a].height)]
        for row in panel.rows:
            top, bottom = min(room.y for room in row), max(room.y + room.height for room in row)
            if points[0][1] < top and bottom < rooms[b].y:
                x = beside(
                    row, start + (end - start) * (top - points[0][1]) / (rooms[b].y - points[0][1])
                )
                points += [(x, top), (x, bottom)]
        points.append((end, rooms[b].y - 8))
        way = f"M{points[0][0]:g},{points[0][1]:g}" + "".join(
            f" C{x0:g},{(y0 + y1) / 2:g} {x1:g},{(y0 + y1) / 2:g} {x1:g},{y1:g}"
            for (x0, y0), (x1, y1) in pairwise(points)
        )
        parts.append(f'<path d="{way}" fill="none" stroke="{WIRE}" stroke-width="1.5"/>')
        head = (
            f"{end:g},{rooms[b].y:g} {end - 4:g},{rooms[b].y - 9:g} {end + 4:g},{rooms[b].y - 9:g}"
        )
        parts.append(f'<polygon points="{head}" fill="{WIRE}"/>')
    return parts


def beside(row: list[Room], x: float) -> float:
    """Return the place nearest to *x* where an arrow passes between the rooms of a row."""
    for room in row:
        left, right = room.x - GAP / 2, room.x + room.width + GAP / 2
        if left < x < right:
            return left if x - left < right - x else right
    return round(x)


def port(room: Room, other: str, others: Sequence[str], rooms: dict[str, Room]) -> float:
    """Return where on *room*'s edge its arrow to or from *other* stands, so that few cross."""
    order = sorted(others, key=lambda name: rooms[name].x + rooms[name].width / 2)
    share = (order.index(other) + 1) / (len(order) + 1)
    return round(room.x + room.width * share)


def drawn_heading(panel: Panel, top: float, bottom: float) -> list[str]:
    """Return a panel's frame and heading."""
    about = f"{PACKAGES[panel.package]}; {panel.count} modules"
    return [
        rectangle(MARGIN, top, WIDTH - 2 * MARGIN, bottom - top, PAPER, "#d0d7de"),
        text(MARGIN + 12, top + 26, f"{panel.package}/", "title"),
        text(MARGIN + 96, top + 26, about, "small"),
    ]


def drawn_row(panel: Panel, top: float, bottom: float) -> list[str]:
    """Return a panel without folders: its layers in one line."""
    layers = (", ".join(room.name for room in row) for row in panel.rows)
    return [
        *drawn_heading(panel, top, bottom),
        text(MARGIN + 12, top + 50, "  →  ".join(layers)),
    ]


def drawn_panel(panel: Panel, top: float, bottom: float) -> list[str]:
    """Return a panel: its frame, its heading, its arrows, and the rooms over them."""
    parts = drawn_heading(panel, top, bottom) + drawn_arrows(panel)
    parts += [part for row in panel.rows for room in row for part in drawn_room(room)]
    if panel.everywhere:
        names = ", ".join(room.name for room in panel.everywhere)
        y = bottom - 56
        parts.append(rectangle(MARGIN + 24, y, WIDTH - 2 * MARGIN - 48, 40, FILL, "#d0d7de"))
        parts.append(
            text(MARGIN + 36, y + 16, "used from everywhere above, so without arrows", "small")
        )
        parts.append(text(MARGIN + 36, y + 32, names))
    return parts


def uses(package: str, imports: Counter[tuple[str, str]]) -> str:
    """Say which rooms of packages below a package uses, the most used first."""
    used = Counter[str]()
    for (a, b), count in imports.items():
        if a.split(".")[0] == package != b.split(".")[0] and "." in b:
            used[b.replace(".", "/")] += count
    most = sorted(used.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count}" for name, count in most)


def svg(root: Path = ROOT) -> str:
    """Return the whole drawing."""
    modules = read_modules(root)
    imports = room_imports(modules)
    parts, top = list[str](), 56.0
    for package in PACKAGES:
        panel = read_panel(package, modules)
        has_folders = any(room.is_folder for row in panel.rows for room in row)
        bottom = place(panel, top) if has_folders else top + 64
        parts += drawn_panel(panel, top, bottom) if has_folders else drawn_row(panel, top, bottom)
        below = uses(package, imports)
        top = bottom + 20
        if below:
            for line in textwrap.wrap(f"imports from below: {below}", 150):
                parts.append(text(MARGIN + 12, top, line, "small"))
                top += LINE
            top += 8
    height = top + 2
    size = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    heading = "The rooms: a room may use those below it; arrows are the imports there are"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(heading)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height:g}" fill="{PAPER}"/>',
            text(MARGIN, 34, heading, "title"),
            *parts,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    DRAWING.write_text(svg())
