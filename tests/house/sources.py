"""Which files the tests of the house are about, and what those files import."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.paths import ROOT

ROOMS = ("edge", "train", "export")
"""The packages that are shipped."""
FOLDERS = (*ROOMS, "tests", "bench", "artwork", "docs")
"""Where our Python lies."""
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
CODE = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(
            path
            for folder in ("docs", "systemd", "bench", "tests")
            for path in (ROOT / folder).rglob("*.md")
        ),
    ]
)
RECORDS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def relative(path: Path) -> str:
    """Return the path from the root, after which a test is named."""
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each module that *path* imports, and whether it is imported as soon as the file is."""
    tree = ast.parse(path.read_text())
    inside = {id(n) for f in ast.walk(tree) if _is_later(f) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) not in inside


def _is_later(node: ast.AST) -> bool:
    """Tell whether what stands in *node* is not imported with the file: functions, or types."""
    for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef) or for_types


def tracked() -> list[Path]:
    """Return every file that git has or would take; skips the test where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(ROOT / name for name in set(listed.split("\0")) - {""} if (ROOT / name).is_file())
