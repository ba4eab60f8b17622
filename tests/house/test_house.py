"""The house keeps its promises: what it depends on, who may import whom, what its pages say."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import edge
from tests.paths import ROOT

ROOMS = ("edge", "train", "export")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
CODE = sorted(
    path for room in (*ROOMS, "tests", "artwork", "docs") for path in (ROOT / room).rglob("*.py")
)
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "systemd").rglob("*.md")]
)
RECORDS = sorted((ROOT / "docs" / "decisions").glob("*.md"))

BOX_LIBRARIES = {"numpy", "onnxruntime", "PIL", "gpiod"}
LONGEST_FUNCTION = 45


def names(requirements: list[str]) -> set[str]:
    """The names of the packages in *requirements*, in lower case."""
    return {Requirement(requirement).name.lower() for requirement in requirements}


def relative(path: Path) -> str:
    """How a test is named after a file: its path from the root."""
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each module that *path* imports, and whether it is imported as soon as the file is."""
    tree = ast.parse(path.read_text())
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) not in inside


def make_targets() -> set[str]:
    """The targets that the Makefile declares."""
    found = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return set(found[1].split())


def test_the_box_depends_on_four_libraries_and_nothing_else() -> None:
    """A fifth must be argued for in docs/decisions before this list grows."""
    assert names(PROJECT["dependencies"]) == {"numpy", "onnxruntime", "pillow", "gpiod"}


def test_the_extras_are_the_promised_ones() -> None:
    """README and CONTRIBUTING name these."""
    desktop, box = {"train", "export", "plot", "tensorboard", "dev"}, {"pi", "jetson"}
    assert set(PROJECT["optional-dependencies"]) == desktop | box


def test_torch_is_asked_for_by_the_train_extra_alone() -> None:
    """What a box may install must not bring a gigabyte along."""
    asking = {
        extra
        for extra, wanted in PROJECT["optional-dependencies"].items()
        if "torch" in names(wanted)
    }
    assert asking == {"train"}


@pytest.mark.parametrize(
    ("version", "welcome"),
    [("3.10", False), ("3.11", True), ("3.12", True), ("3.13", True), ("3.14", False)],
)
def test_python_3_11_to_3_13_are_welcome(version: str, welcome: bool) -> None:
    """Pi OS Bookworm, JetPack 7 and Pi OS Trixie bring these three."""
    assert SpecifierSet(PROJECT["requires-python"]).contains(version) is welcome


def test_no_index_takes_an_upload() -> None:
    """The packages have everyday names, so they must never be published by mistake."""
    assert "Private :: Do Not Upload" in PROJECT["classifiers"]


def test_the_installed_version_is_the_one_in_the_source() -> None:
    """It is written once, in edge/__init__.py."""
    assert importlib.metadata.version("stampgate") == edge.__version__


def test_both_commands_start_and_say_their_version() -> None:
    """They are run as programs, so a broken entry point shows."""
    bin_folder = Path(sys.executable).parent
    said = [
        subprocess.run(
            [bin_folder / name, "--version"], capture_output=True, text=True, check=True
        ).stdout
        for name in ("stampgate", "stampgate-edge")
    ]
    assert said == [f"stampgate {edge.__version__}\n", f"stampgate-edge {edge.__version__}\n"]


@pytest.mark.parametrize("path", sorted((ROOT / "edge").rglob("*.py")), ids=relative)
def test_the_box_starts_with_its_own_libraries_alone(path: Path) -> None:
    """A driver that needs more imports it in the function that opens the device."""
    allowed = sys.stdlib_module_names | BOX_LIBRARIES | {"edge"}
    at_once = {module.split(".")[0] for module, immediately in imported(path) if immediately}
    assert at_once <= allowed


def test_the_decision_uses_the_standard_library_and_our_errors_alone() -> None:
    """So it can be read, tested and argued about without any machine."""
    modules = {module for module, _ in imported(ROOT / "edge" / "decision.py")}
    assert {
        module for module in modules if module.split(".")[0] not in sys.stdlib_module_names
    } <= {"edge.errors"}


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_no_function_is_longer_than_a_reader_can_hold(path: Path) -> None:
    """The limit is 45 lines, docstring included; most are 6 to 15."""
    functions = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)
    ]
    sizes = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def test_make_alone_lists_every_target() -> None:
    """A target that is not listed is not found."""
    listing = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([\w-]+)", listing, re.MULTILINE)) == make_targets()


@pytest.mark.parametrize(
    "path", [*PAGES, ROOT / ".ci" / "run", ROOT / ".pre-commit-config.yaml"], ids=relative
)
def test_pages_name_only_targets_that_exist(path: Path) -> None:
    """Only what stands as code counts: `make demo`, or a line of a code block or script that begins
    with make.
    """
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
