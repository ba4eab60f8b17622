"""How the code is laid out: modules a folder, lines a function, columns a line."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.house.sources import CODE, relative, tracked
from tests.paths import ROOT

LONGEST_FUNCTION = 45
MOST_MODULES = 20
LARGER: dict[str, str] = {"edge/commands": "one module a command, and none knows another"}
"""Folders that may hold more modules than that, each with the reason."""
COLUMNS = 100
WRAPPED = {".sh", ".toml", ".service", ".target", ".conf", ".rules", ".yaml", ".md", ".c", ""}
"""Suffixes of files whose lines are counted here, the last that of scripts and of the Makefile.

ruff counts those of Python.
"""
UNWRAPPED = {
    "systemd/edge.toml": "generated: each key has its sentence on one line, for grep",
    "LICENSE": "the licence's own words",
    "packaging/copyright": "Debian's format: a line is a field",
}


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_no_function_is_longer_than_a_reader_can_hold(path: Path) -> None:
    """The limit is 45 lines, docstring included; most are 6 to 15."""
    functions = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)
    ]
    sizes = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def test_no_folder_holds_more_modules_than_a_reader_takes_in() -> None:
    """The limit is 20, ``__init__`` and ``__main__`` included; more is argued for by name."""
    held = Counter(relative(path.parent) for path in CODE)
    crowded = {folder: count for folder, count in held.items() if count > MOST_MODULES}
    assert crowded.keys() == LARGER.keys()


def test_two_files_stand_side_by_side() -> None:
    """No line is longer than 100 columns, but in tables, links and code blocks of the pages."""
    long = [
        f"{relative(path)}:{number}"
        for path in tracked()
        if path.suffix in WRAPPED and relative(path) not in UNWRAPPED
        for number, line in lines_to_wrap(path)
        if len(line) > COLUMNS
    ]
    assert long == []


def lines_to_wrap(path: Path) -> list[tuple[int, str]]:
    """Return the numbered lines of a file that must be wrapped."""
    lines = list(enumerate(path.read_text().splitlines(), start=1))
    if path.suffix != ".md":
        return lines
    fences = 0
    prose = list[tuple[int, str]]()
    for number, line in lines:
        fences += line.lstrip().startswith("```")
        other = re.match(r"\s*\||\s*!\[| {4}", line) or "](" in line or "://" in line
        if fences % 2 == 0 and not other:
            prose.append((number, line))
    return prose


def test_lines_that_must_be_wrapped_are_found(tmp_path: Path) -> None:
    """Prose of a page, and neither its tables, its links nor its code."""
    page = tmp_path / "page.md"
    page.write_text(
        "prose\n\n| a | table |\n\n    code\n\n```toml\na = 1\n```\n[a](link.md)\n- item\n"
    )
    shown = [line for _, line in lines_to_wrap(page)]
    assert [line for line in shown if line and "`" not in line] == ["prose", "- item"]
    assert (ROOT / "Makefile").suffix in WRAPPED
