"""Read text, JSON, YAML and XML of other programs, in any declared encoding, bounded.

Whatever is wrong with a file is one InputError that names it. An alias in YAML and an entity in XML
can make gigabytes of a few bytes, and neither has a place in labels: both are refused unread.
"""

import codecs
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from edge.errors import InputError
from edge.strict_json import each_once

MOST_BYTES = 400_000_000
"""Of a JSON file; those of COCO itself, with 118,000 photographs, have 448 MB with all polygons."""
MOST_TEXT_BYTES = 2_000_000
"""Of a label file of one picture: some thousand objects. XML takes 0.3 s a megabyte at worst."""
MOST_YAML_BYTES = 200_000
"""Of a data.yaml: room for some thousand classes."""
DEEPEST_YAML = 20
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, the longer ones of two that begin alike first, and what they stand for."""
DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
ENCODINGS = re.compile(
    r"utf-?(8|16|32)(-?[bl]e)?|us-ascii|ascii|latin-?1|iso-?8859-?\d+|(windows|cp)-?\d+"
    r"|gbk?|gb2312|gb18030|big5(-hkscs)?|shift[_-]?jis|sjis|euc-(jp|kr)|iso-2022-jp|koi8-[ru]"
    r"|macintosh",
    re.IGNORECASE,
)
"""Encodings that a file may declare. Python knows others that are none of text, or slow."""


def read_bytes(path: Path, most: int = MOST_TEXT_BYTES) -> bytes:
    """Return what is in the file; at most *most* bytes. Raises InputError."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); check it") from None
    if len(content) > most:
        raise InputError(
            f"{path}: must have at most {most // 1000} kB, not more; name a file of labels"
        )
    return content


def read_text(path: Path, most: int = MOST_TEXT_BYTES) -> str:
    """Return the text of the file: UTF-8, or what its byte order mark says. Raises InputError."""
    return _decode(path, read_bytes(path, most), "utf-8")


def _decode(path: Path, content: bytes, otherwise: str) -> str:
    encoding = next((name for bom, name in BOMS if content.startswith(bom)), otherwise)
    try:
        return content.decode(encoding)
    except (UnicodeError, LookupError) as error:
        raise InputError(
            f"{path}: cannot be read as {encoding} text ({error}); save it anew as UTF-8"
        ) from None


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file. Raises InputError when there is none.

    A key that an object has twice is refused: the second would silently replace the first.
    """
    text = _decode(path, read_bytes(path, MOST_BYTES), "utf-8")
    try:
        raw = json.loads(text, object_pairs_hook=each_once)
    except RecursionError:
        raise InputError(
            f"{path}: is nested too deeply for labels; name a COCO labels file"
        ) from None
    except ValueError as error:
        reason = str(error).partition(";")[0]
        raise InputError(
            f"{path}: cannot be read as JSON ({reason}); name a COCO labels file"
        ) from None
    if not isinstance(raw, dict):
        raise InputError(
            f"{path}: must hold a JSON object in COCO layout, not {type(raw).__name__}; "
            "name another file"
        )
    return raw


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases and without deep nesting, read into nodes."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Refuse an alias, which stands for as many nodes as its anchor holds."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias (*), which labels need not")
        return super().compose_node(parent, index)

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        """Refuse brackets in brackets: PyYAML's time grows with the square of their depth."""
        if self.flow_level >= DEEPEST_YAML:
            raise yaml.YAMLError("it is nested too deeply")
        super().fetch_flow_collection_start(token)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in the file, its scalars as the texts that stand there.

    A name such as ``no`` or ``1e3`` stays what was written. A key that stands twice is refused.
    Raises InputError.
    """
    text = read_text(path, MOST_YAML_BYTES)
    try:
        node = yaml.compose(text, Loader=_PlainLoader)
        raw = _plain(node, 0)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: cannot be read as YAML ({reason}); correct it") from None
    if not isinstance(raw, dict):
        raise InputError(f"{path}: must hold keys and values, such as names; correct it")
    return raw


def _plain(node: Node | None, depth: int) -> Any:
    if depth > DEEPEST_YAML:
        raise ValueError("it is nested too deeply")
    if isinstance(node, MappingNode):
        pairs = [(_plain(key, depth + 1), _plain(value, depth + 1)) for key, value in node.value]
        return each_once([(str(key), value) for key, value in pairs])
    if isinstance(node, SequenceNode):
        return [_plain(part, depth + 1) for part in node.value]
    return node.value if isinstance(node, ScalarNode) else None


def read_xml(path: Path) -> ET.Element:
    """Return the root of an XML file in whatever encoding it declares. Raises InputError."""
    content = read_bytes(path)
    declared = DECLARED.match(content.removeprefix(codecs.BOM_UTF8))
    encoding = declared[1].decode() if declared else "utf-8"
    if not ENCODINGS.fullmatch(encoding):
        raise InputError(f"{path}: declares the encoding {encoding}; save it anew as UTF-8")
    text = _decode(path, content, encoding)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError(
            f"{path}: must be plain Pascal VOC XML, without DOCTYPE or ENTITY; save it anew"
        )
    try:
        # A text is parsed as what it is, whatever its declaration says; entities, which could
        # expand, are refused above.
        return ET.fromstring(text)  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as XML ({error}); save it anew") from None


def read_numbers(where: str, words: Iterable[str]) -> list[float]:
    """Read the *words* of a label as numbers; *where*: it stands. Raises InputError."""
    words = list(words)
    try:
        return [float(word) for word in words]
    except ValueError:
        raise InputError(
            f"{where}: must hold numbers, not {' '.join(words)[:100]!r}; correct the label"
        ) from None
