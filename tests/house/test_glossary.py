"""docs/glossary.md: its terms are in use where it says, and the words it retires are gone."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.house.sources import CODE, PAGES, RECORDS, relative
from tests.paths import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
KEEPING = {GLOSSARY, ROOT / "CHANGELOG.md", Path(__file__), *RECORDS}
"""What keeps the words of its day, or must name them."""


def rows(columns: int) -> list[list[str]]:
    """Return the cells of each row of the glossary's tables of so many columns."""
    lines = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        row
        for row in cells
        if len(row) == columns and row[0] not in ("term", "retired") and set(row[0]) != {"-"}
    ]


TERMS = {row[0]: row[3].strip("`") for row in rows(4)}
RETIRED = [word for row in rows(3) for word in re.findall(r"`([^`]+)`", row[0])]


@cache
def spoken(path: Path) -> str:
    """Return the names, docstrings and other texts of a module as words in lower case."""
    said = [path.stem]
    for node in ast.walk(ast.parse(path.read_text())):
        said += [str(getattr(node, name, None) or "") for name in ("name", "id", "attr", "arg")]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            said.append(node.value)
    camel = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", " ".join(said))
    return " ".join(re.sub(r"[_\-]", " ", camel).lower().split())


@pytest.mark.parametrize(("term", "where"), TERMS.items())
def test_every_term_is_in_use_where_the_glossary_says(term: str, where: str) -> None:
    """As a name, in a docstring or in a message of that module."""
    words = re.escape(term.replace("-", " "))
    assert re.search(rf"\b{words}s?\b", spoken(ROOT / where))


def test_every_term_stands_once() -> None:
    """And there are tables of both kinds to read."""
    terms = [row[0] for row in rows(4)]
    assert len(terms) > 30
    assert len(set(terms)) == len(terms)
    assert len(RETIRED) > 5


@pytest.mark.parametrize("word", RETIRED)
def test_no_retired_word_comes_back(word: str) -> None:
    """In code, docstrings or pages; the change log and the decision records keep theirs."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)")
    using = [
        relative(path)
        for path in (*CODE, *PAGES)
        if path not in KEEPING and pattern.search(path.read_text())
    ]
    assert using == []


def test_what_replaces_a_retired_word_is_there() -> None:
    """As a name in the code or as the end of a file's path."""
    names = {name for row in rows(3) for name in re.findall(r"`([^`]+)`", row[1])}
    files = [relative(path) for path in CODE]
    code = "\n".join(path.read_text() for path in CODE if path not in KEEPING)
    assert {
        name
        for name in names
        if not any(file.endswith(name) for file in files)
        and not re.search(rf"\b{re.escape(name)}\b", code)
    } == set()
