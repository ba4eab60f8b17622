"""docs/operating.md and docs/wiring.md explain every message, counter and field of the box."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from docs.drawings import make
from edge import errors
from edge.__main__ import PROGRAM
from edge.command_line import make_parser
from edge.config import SECTIONS, load_config
from edge.gate.transit import GateCounters
from edge.reports.table import COLUMNS
from edge.station import Counters
from tests.paths import ROOT

DOCS = ROOT / "docs"
OPERATING, WIRING = (
    " ".join((DOCS / name).read_text().split()) for name in ("operating.md", "wiring.md")
)
TEXT_ARGUMENT = {
    **dict.fromkeys(
        ("FrameError", "CameraError", "GateError", "JournalError", "fault", "_named"), 0
    ),
    "Verdict": 1,
    "UnsettledItem": 2,
    "Item": 2,
}
"""Calls that make a fault, a reject or a process's last word, and which argument is the text."""
MESSAGE_FUNCTIONS = ("trouble", "_reasons_to_stop", "_settled")
"""Functions all of whose texts are messages of the box."""
INTERACTIVE = ("demo.py", "inspect.py", "selftest")
"""Modules whose messages go to somebody at the terminal and say there what to do."""


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the literal texts in *node*, with ``{}`` for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    elif isinstance(node, ast.IfExp):
        yield from (text for branch in (node.body, node.orelse) for text in texts(branch))


def messages(tree: ast.Module) -> Iterator[str]:
    """Yield a module's messages: reasons of verdicts, troubles, and last words of a process."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if len(node.args) > TEXT_ARGUMENT.get(name, len(node.args)):
                yield from texts(node.args[TEXT_ARGUMENT[name]])
        elif isinstance(node, ast.Return) and node.value is not None:
            yield from (text for text in texts(node.value) if re.match(r"[a-z ]+: .*; ", text))
        elif isinstance(node, ast.FunctionDef) and node.name in MESSAGE_FUNCTIONS:
            inside = ast.Module(node.body[bool(ast.get_docstring(node)) :], [])
            yield from (
                text for part in ast.walk(inside) for text in texts(part) if text.count(" ") > 1
            )
        elif isinstance(node, ast.Subscript | ast.Assign):
            yield from _latched_messages(node)


def _latched_messages(node: ast.Subscript | ast.Assign) -> Iterator[str]:
    """Yield texts that are latched as a trouble, or assigned to one or to a constant for one."""
    if isinstance(node, ast.Subscript):
        if getattr(node.value, "attr", "") in ("latched", "_latched"):
            yield from texts(node.slice)
        return
    target = getattr(node.targets[0], "attr", getattr(node.targets[0], "id", ""))
    if target in ("trouble", "why") or re.fullmatch(
        r"(NO|NOT|EYE|EDGE|BLOCKED|PASSED|WHY|STOOD|COUNTS|ITEMS)_\w+", target
    ):
        yield from texts(node.value)


def key_phrase(text: str) -> str:
    """Return a message's longest run of words, without file name, details and next step."""
    beginning = re.split(r"[:;(]", re.sub(r"^(\[\w+\] )?(\{\}|[:,; ])+", "", text))[0]
    return max(
        (piece.strip(" ,").removesuffix(", not") for piece in beginning.split("{}")), key=len
    )


def key_phrases() -> list[str]:
    """Every message of the box, each once."""
    modules = [
        path
        for path in sorted((ROOT / "edge").rglob("*.py"))
        if not set(path.parts) & set(INTERACTIVE)
    ]
    said = {key_phrase(text) for path in modules for text in messages(ast.parse(path.read_text()))}
    return sorted(said - {"", "no", "found"})


def shown_commands() -> list[str]:
    """Return the calls of the box's program in the pages' code blocks: its arguments alone."""
    pages = (DOCS / "operating.md").read_text() + (DOCS / "wiring.md").read_text()
    blocks = re.findall(r"^ {4,}(.*)$", pages, re.MULTILINE)
    calls = (
        re.match(r"(?:sudo (?:-u stampgate )?)?stampgate-edge ([^#|>]*)", line) for line in blocks
    )
    return sorted({call[1].strip() for call in calls if call})


def test_what_the_messages_are_found_by_is_there() -> None:
    """A function or class that is renamed in the box would take its messages out of sight."""
    source = "\n".join(path.read_text() for path in (ROOT / "edge").rglob("*.py"))
    named = {*TEXT_ARGUMENT, *MESSAGE_FUNCTIONS}
    assert {n for n in named if not re.search(rf"(?:def|class) {n}\b", source)} == set()
    assert "self._latched[" in source


def test_the_messages_are_found() -> None:
    """A few of each kind; without this the next test could pass by finding nothing."""
    assert {
        "frozen picture",
        "covered lens",
        "camera lost",
        "late picture",
        "its edge was lost",
        "the bin is full",
        "the encoder stands still while items come",
        "the answer came after the item was due",
        "the journal cannot be written",
        "the disk is slow",
        "pictures cannot be kept",
        "not foreseen",
        "the gate is lost",
        "triggered while the eye was busy",
        "no class is required, so nothing can pass",
    } <= set(key_phrases())


@pytest.mark.parametrize("said", key_phrases())
def test_every_message_of_the_box_is_explained(said: str) -> None:
    """A reader of the journal or the status line finds it in the page, word by word."""
    assert said in OPERATING


@pytest.mark.parametrize("kind", [kind for kind in vars(errors).values() if isinstance(kind, type)])
def test_every_exit_status_is_explained(kind: type[errors.StampgateError]) -> None:
    """As a row of the table of last words."""
    assert f"| {kind.exit_code} |" in OPERATING


@pytest.mark.parametrize(
    "counter", [*(field.name for field in fields(GateCounters)), *Counters().as_object()]
)
def test_every_counter_is_explained(counter: str) -> None:
    """The eye's and the gate's."""
    assert f"`{counter}`" in OPERATING


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_the_csv_is_explained(column: str) -> None:
    """The auditor's spreadsheet has no other heading."""
    assert f"`{column}`" in OPERATING


def test_every_field_of_an_item_is_explained() -> None:
    """Those that all records have, those of items, and those of their pictures."""
    made = {
        "station.py": "_append",
        "record/journal.py": "_record",
        "record/evidence.py": "as_fields",
    }
    functions = [
        node
        for name, function in made.items()
        for node in ast.walk(ast.parse((ROOT / "edge" / name).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    keys = {
        text
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if key is not None
        for text in texts(key)
    }
    assert {"v", "verdict", "gate_run", "evidence_sha256"} <= keys
    assert {key for key in keys if f"`{key}`" not in OPERATING} == set()


def test_every_kind_of_record_is_explained() -> None:
    """As a row of the table of records."""
    sources = (path.read_text() for path in (ROOT / "edge").rglob("*.py"))
    kinds = {
        kind
        for source in sources
        for kind in re.findall(r'\.(?:append|_put)\(\s*"(\w+)", ', source)
    }
    assert {"start", "item", "gap", "continued"} <= kinds
    assert {kind for kind in kinds if f"| `{kind}` |" not in OPERATING} == set()


@pytest.mark.parametrize("command", shown_commands())
def test_every_command_shown_is_one_that_the_program_takes(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options and choices are checked; files that must be there are put there."""
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r"--picture (\S+)=", command):
        (tmp_path / name).touch()
    asked = command.split()
    assert callable(make_parser(PROGRAM, asked).parse_args(asked).command)


@pytest.mark.parametrize("page", ["operating.md", "wiring.md"])
def test_settings_are_called_by_names_that_they_have(page: str) -> None:
    """`[section] key` in the text."""
    named = re.findall(r"`\[(\w+)\] (\w+)", (DOCS / page).read_text())
    assert len(named) > 5
    assert [
        f"[{section}] {key}"
        for section, key in named
        if key not in SECTIONS[section].__dataclass_fields__
    ] == []


@pytest.mark.parametrize("page", ["operating.md", "wiring.md"])
def test_settings_shown_are_taken(page: str, tmp_path: Path) -> None:
    """Every block of TOML is one that the box would start with, as far as its settings go."""
    for block in re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL):
        (tmp_path / "edge.toml").write_text(block)
        assert load_config(tmp_path / "edge.toml").checksum()
        assert set(tomllib.loads(block)) <= set(SECTIONS)


def test_the_drawings_are_those_that_the_program_makes() -> None:
    """``python docs/drawings/make.py`` writes them; whoever changes one changes it there."""
    there = {path.stem: path.read_text() for path in (DOCS / "drawings").glob("*.svg")}
    assert there == {name: draw().svg() for name, draw in make.DRAWINGS.items()}


@pytest.mark.parametrize("drawing", make.DRAWINGS)
def test_every_drawing_is_shown(drawing: str) -> None:
    """With a text for whoever cannot see it."""
    assert re.search(rf"!\[[^\]]{{10,}}\]\(drawings/{drawing}\.svg\)", WIRING)
