"""What the pages say: targets that exist, links that lead somewhere, records in their form."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import PAGES, RECORDS, relative
from tests.paths import ROOT


def make_targets() -> set[str]:
    """The targets that the Makefile declares."""
    found = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return set(" ".join(found).split())


def test_make_alone_lists_every_target() -> None:
    """A target that is not listed is not found."""
    listing = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([\w-]+)", listing, re.MULTILINE)) == make_targets()


@pytest.mark.parametrize(
    "path", [*PAGES, ROOT / ".ci" / "run", ROOT / ".pre-commit-config.yaml"], ids=relative
)
def test_pages_name_only_targets_that_exist(path: Path) -> None:
    """Only code counts: `make demo`, or a line of a code block or script that begins with make."""
    named = set(re.findall(r"(?:`|^ *|entry: )make ([a-z-]+)", path.read_text(), re.MULTILINE))
    assert named <= make_targets()


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    """Links to other places on the net are not followed."""
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_decision_records_are_numbered_without_a_gap() -> None:
    """A record is never removed; one that no longer holds says which one replaced it."""
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=relative)
def test_a_decision_record_has_its_four_parts(path: Path) -> None:
    """Status, context, decision, consequences, in this order."""
    assert re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE) == [
        "Status",
        "Context",
        "Decision",
        "Consequences",
    ]


def test_the_change_log_begins_with_what_is_not_released_yet() -> None:
    """Keep a Changelog's shape."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:1] == ["Unreleased"]


OF_TODAY = [page for page in PAGES if page not in RECORDS and page.name != "CHANGELOG.md"]
"""Pages that speak of the code as it is; the others keep the names of their day."""


@pytest.mark.parametrize("page", OF_TODAY, ids=relative)
def test_files_that_pages_name_are_there(page: Path) -> None:
    """A path in the text that begins with a folder of ours."""
    named = re.findall(
        r"`((?:edge|train|export|tests|docs|bench|systemd|packaging|artwork)/[\w./-]*)`",
        page.read_text(),
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", OF_TODAY, ids=relative)
def test_functions_that_pages_name_are_where_they_say(page: Path) -> None:
    """Written as `Class.method` in `path`, or `function` in `path`."""
    named = re.findall(r"`([A-Za-z_.]+)`\s+(?:in|of)\s+\[?`([\w/]+\.py)`", page.read_text())
    assert [(name, path) for name, path in named if name not in defined(ROOT / path)] == []


def test_the_walk_names_its_functions() -> None:
    """Without this the test above could pass by finding nothing."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert len(re.findall(r"`[A-Za-z_.]+`\s+(?:in|of)\s+\[?`[\w/]+\.py`", page)) > 20


def defined(path: Path) -> set[str]:
    """Return the functions, classes, methods and constants that a module defines."""
    names = set[str]()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            inside = (getattr(part, "name", "") for part in node.body)
            fields = (getattr(getattr(part, "target", None), "id", "") for part in node.body)
            names |= {node.name, *(f"{node.name}.{name}" for name in (*inside, *fields) if name)}
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names
