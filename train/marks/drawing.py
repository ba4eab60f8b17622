"""Render a mark that is drawn (SVG), of which nobody knows who drew it.

A drawing is a program: a few lines of it can name other files, stand for a million shapes, or ask
for a picture of a terabyte. What it would cost is reckoned before it is rendered; the renderer then
works in a process of its own with bounded time and memory, so that what the reckoning did not
foresee ends that process alone.
"""

import base64
import binascii
import functools
import importlib.util
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from edge.errors import FrameError, InputError
from edge.vision.picture_files import MAX_PIXELS, open_picture
from train.marks import fonts

DRAWING_PX = 640
"""Width at which a drawing is rendered, in pixels; what is transparent around it is cut away."""
MOST_BYTES = 5_000_000
DEEPEST = 100
"""Elements within one another; the renderer calls itself for each."""
MOST_ASPECT = 8.0
"""Times that a drawing may be higher than wide: 5,120 pixels."""
MOST_ELEMENTS = 50_000
MOST_SHAPES = 200_000
"""Shapes that a drawing may stand for, each counted as often as it is used; heavy ones as several.
A traced photograph has some ten thousand."""
PER_PATH = 50
"""Characters of a path's data that count as one shape."""
LAYER, PRIMITIVE = 300, 10_000
"""Shapes that a layer (mask, pattern, group opacity) and a filter's step count as: each touches all
pixels; a step took 50 ms, so that twenty take a second."""
MOST_ENTITIES, LONGEST_ENTITY, MOST_REFERENCES = 100, 300, 10_000
"""Illustrator declares a few short ones, for its name spaces."""
MOST_NUMBER = 16.0
"""Of a filter's octaves, radius and order: the time grows with it, or with its square."""
CPU_S, MEMORY_BYTES, PATIENCE_S = 4, 2_000_000_000, 120.0
"""Processor time and memory of the renderer; and how long it is waited for on a busy machine."""
SEPARATOR = b"\n--- the picture ---\n"
"""What stands between the renderer's log and the picture, on its standard output."""
LAYERS = frozenset({"mask", "pattern", "clipPath", "marker", "symbol"})
UNSUPPORTED_WORDS = frozenset({"flowRoot", "foreignObject", "tref", "altGlyph"})
"""Elements whose words the renderer leaves out without a word: flowed text, HTML."""
SLOW = frozenset({"numOctaves", "radius", "order"})
LINK = re.compile(r"url\(\s*['\"]?\s*([^'\")]*)", re.IGNORECASE)
NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(%?)", re.IGNORECASE)

CHILD = f"""
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({CPU_S}, {CPU_S}))
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES}, {MEMORY_BYTES}))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
from resvg_py import svg_to_bytes
try:
    png = svg_to_bytes(
        svg_string=sys.stdin.read(), width={DRAWING_PX}, log_information=True,
        **json.loads(sys.argv[1]),
    )
except (ValueError, SyntaxError) as error:
    sys.exit(str(error))
sys.stdout.flush()
sys.stdout.buffer.write({SEPARATOR!r} + png)
"""
"""What the renderer's process runs: SVG comes in; its log, a line and PNG go out."""


class Rendered(NamedTuple):
    """A rendered drawing, PNG, and what is to be said of its fonts, empty for nothing."""

    png: io.BytesIO
    said: str


def render(path: Path) -> Rendered:
    """Render a drawing.

    Raises FrameError when it cannot be read or would cost too much, InputError when the renderer is
    not installed, or a font or letter of its words: words are never left out.
    """
    if importlib.util.find_spec("resvg_py") is None:
        raise InputError(
            f"{path}: SVG needs the package resvg-py; "
            "pip install resvg-py, or save the stamp as PNG"
        )
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = check_drawing(content)
        check_words(text)
    except (OSError, ValueError, LookupError, expat.ExpatError) as error:
        raise _refused(path, str(error)) from None
    return _with_words(path, text)


def _with_words(path: Path, text: str) -> Rendered:
    """Render a drawing with the fonts that it names; take another where it leaves the choice.

    The renderer leaves out words whose font it does not find, and says so in its log.
    """
    files = fonts.files_beside(path)
    options: dict[str, object] = {"font_files": files, **fonts.NO_GENERIC}
    png, log = _rendered(path, text, options)
    missing = fonts.missing_in(log)
    said, taken = fonts.missing_words(missing), dict[str, str]()
    if missing and not said:
        _, probed = _rendered(path, fonts.PROBE, options)
        taken = fonts.installed(probed)
        png, log = _rendered(path, text, options | fonts.options_of(taken))
        said = "" if taken else fonts.NOTHING_INSTALLED
    if said := said or fonts.missing_letters(log):
        raise InputError(f"{path}: {said}")
    return Rendered(io.BytesIO(png), fonts.chosen(missing, taken))


def _rendered(path: Path, text: str, options: Mapping[str, object]) -> tuple[bytes, str]:
    """Render SVG in a process of its own; return PNG and the renderer's log. Raises FrameError."""
    command = [sys.executable, "-P", "-c", CHILD, json.dumps(options)]
    try:
        done = subprocess.run(  # noqa: S603 - our own code in our own interpreter
            command, input=text.encode(), capture_output=True, check=False, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        raise _refused(path, f"it takes longer than {PATIENCE_S:g} s to render") from None
    if done.returncode > 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise _refused(path, said[-1] if said else "it cannot be rendered")
    if done.returncode < 0:
        raise _refused(path, f"it takes more than {CPU_S} s or too much memory to render")
    log, _, png = done.stdout.partition(SEPARATOR)
    return png, log.decode(errors="replace")


def _refused(path: Path, reason: str) -> FrameError:
    what = " ".join(reason.split())[:200]
    return FrameError(
        f"{path}: must be a whole drawing, not a damaged one ({what}); draw it again",
        picture=path.name,
    )


def check_drawing(content: bytes) -> str:
    """Return the text of a drawing, in whatever encoding it declares.

    Raises ValueError, LookupError or expat's ExpatError when it is no SVG, names other files, or
    stands for more than a mark may cost.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES // 10**6} MB")
    reader = _Reader()
    reader.read(content)
    if not reader.elements or reader.elements[0].name != "svg":
        raise ValueError("it is no SVG")
    _check_size(reader.elements[0].attributes)
    _check_cost(reader.elements, reader.styles)
    return reader.text(content)


def check_words(text: str) -> None:
    """Check that no words are written in a way that the renderer leaves out. Raises ValueError."""
    reader = _Reader()
    reader.read(text.encode())
    for element in reader.elements:
        if element.name in UNSUPPORTED_WORDS and element.words.strip():
            raise ValueError(
                f"its words {element.words.strip()[:40]!r} stand in <{element.name}>, which is not "
                "rendered; convert text to paths in the drawing program"
            )


@dataclass
class _Element:
    """One element: its name without a prefix, attributes, children, and what it refers to."""

    name: str
    attributes: dict[str, str]
    children: list["_Element"] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    words: str = ""


class _Reader:
    """Reads a drawing into elements, and refuses what leads out of it."""

    def __init__(self) -> None:
        self.elements: list[_Element] = []
        self.styles = ""
        self._open: list[_Element] = []
        self._entities = 0
        self._encoding = "utf-8"
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.XmlDeclHandler = self._declared
        self._parser.EntityDeclHandler = self._entity
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def read(self, content: bytes) -> None:
        """Read it; raises ValueError or ExpatError."""
        if content.count(b"<!ENTITY") and content.count(b"&") > MOST_REFERENCES:
            raise ValueError("it uses its entities too often")
        self._parser.Parse(content, True)

    def text(self, content: bytes) -> str:
        """Return the content as text that declares no other encoding."""
        text = content.decode(
            "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else self._encoding
        )
        return re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>", "", text, count=1).removeprefix("\ufeff")

    def _declared(self, _version: str, encoding: str | None, _alone: int) -> None:
        self._encoding = encoding or "utf-8"

    def _entity(self, name: str, _parameter: bool, value: str | None, *places: Any) -> None:
        self._entities += 1
        if value is None or any(places) or len(value) > LONGEST_ENTITY or "&" in value:
            raise ValueError(f"it has an entity, {name[:40]}, that names a file or holds another")
        if self._entities > MOST_ENTITIES:
            raise ValueError("it has too many entities")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= DEEPEST:
            raise ValueError(f"it has more than {DEEPEST} elements within one another")
        element = _Element(name.rpartition(":")[2], attributes)
        element.targets = list(_targets(element))
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)
        self.elements.append(element)
        if len(self.elements) > MOST_ELEMENTS:
            raise ValueError(f"it has more than {MOST_ELEMENTS} elements")

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        for element in self._open:
            if element.name in UNSUPPORTED_WORDS:
                element.words += text
        if self._open and self._open[-1].name == "style":
            self.styles += text
            if len(self.styles) > MOST_BYTES or "@import" in text.lower():
                raise ValueError("its style sheet names another, or is too long")
            list(_linked(text))


def _targets(element: _Element) -> Iterator[str]:
    """Yield the names of what an element refers to; raises ValueError for what is elsewhere."""
    for key, value in element.attributes.items():
        yield from _linked(value)
        local = key.rpartition(":")[2]
        if local in SLOW and any(abs(number) > MOST_NUMBER for number in _numbers(value)):
            raise ValueError(f"its filter has {local}={value[:40]}")
        if local != "href" or element.name in ("a", "script"):
            continue
        if value.strip().startswith("#"):
            yield value.strip()[1:]
        elif value.strip():
            _check_data(value.strip())


def _linked(text: str) -> Iterator[str]:
    for target in LINK.findall(text):
        if not target.startswith("#"):
            raise ValueError(f"it refers to {target[:60]!r}, which is not in it")
        yield target[1:]


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return []


def _check_data(link: str) -> None:
    """Check a link that is no name in the drawing: a picture within it. Raises ValueError."""
    head, comma, data = link.partition(",")
    kind = head.lower().removeprefix("data:").partition(";")[0]
    if not (head.lower().startswith("data:") and comma) or kind not in (
        *("image/png", "image/jpeg", "image/jpg", "image/webp", "image/gif"),
    ):
        raise ValueError(f"it refers to {link[:60]!r}, which is not in it, or is a drawing")
    try:
        plain = unquote_to_bytes(data)
        content = base64.b64decode(plain) if ";base64" in head.lower() else plain
    except binascii.Error as error:
        raise ValueError(f"a picture in it is damaged ({error})") from None
    try:
        with open_picture(Path("picture"), io.BytesIO(content)) as picture:
            pixels = picture.width * picture.height
    except FrameError as error:
        raise ValueError(f"a picture in it is damaged ({error})") from None
    if pixels > MAX_PIXELS:
        raise ValueError(f"a picture in it has {pixels} pixels, at most {MAX_PIXELS}")


def _check_size(attributes: dict[str, str]) -> None:
    """Check that the drawing is not much higher than wide, by both ways to say it."""
    box = _numbers(attributes.get("viewBox", ""))
    sides = [_length(attributes.get(side, "")) for side in ("width", "height")]
    for width, height in (box[2:4], sides):
        if width is None or height is None:
            continue
        if not (0 < width < 1e9 and 0 < height < 1e9 and height <= MOST_ASPECT * width):
            raise ValueError(f"it is {width:g} wide and {height:g} high")


def _length(text: str) -> float | None:
    """Return a length without its unit; None for none, or a share of something."""
    found = NUMBER.match(text)
    return None if found is None or found[2] else float(found[1])


def _check_cost(elements: list[_Element], styles: str) -> None:
    """Check how many shapes the drawing stands for, uses of uses included. Raises ValueError."""
    named: dict[str, list[_Element]] = {}
    for element in elements:
        if name := element.attributes.get("id"):
            named.setdefault(name, []).append(element)
    by_style = list(_linked(styles))
    known: dict[int, int] = {}
    waiting = set[int]()

    def cost(element: _Element, depth: int) -> int:
        if (kept := known.get(id(element))) is not None:
            return kept
        if id(element) in waiting or depth > 4 * DEEPEST:
            raise ValueError("what it refers to refers back to it, or to too much")
        waiting.add(id(element))
        whole = _own_cost(element) + sum(cost(child, depth + 1) for child in element.children)
        for target in element.targets:
            whole += sum(cost(other, depth + 1) for other in named.get(target, ()))
        waiting.discard(id(element))
        known[id(element)] = whole
        if whole > MOST_SHAPES:
            raise ValueError(f"it stands for more than {MOST_SHAPES} shapes, uses of uses included")
        return whole

    whole = cost(elements[0], 0)
    whole += len(elements) * sum(cost(e, 0) for name in by_style for e in named.get(name, ()))
    if whole > MOST_SHAPES:
        raise ValueError(f"it stands for more than {MOST_SHAPES} shapes, uses of uses included")


@functools.cache
def _weight(name: str) -> int:
    if name.startswith("fe"):
        return PRIMITIVE
    return LAYER if name in LAYERS else 1


def _own_cost(element: _Element) -> int:
    length = sum(len(element.attributes.get(key, "")) for key in ("d", "points"))
    layer = "opacity" in element.attributes or "opacity" in element.attributes.get("style", "")
    return _weight(element.name) + length // PER_PATH + LAYER * (layer and element.name == "g")
