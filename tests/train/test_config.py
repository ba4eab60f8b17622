"""A run's ``config.toml`` holds every setting, and the pages name the numbers that are none."""

import ast
import dataclasses
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import ConfigError
from tests.paths import ROOT
from train.config import FitSettings, RunConfig, SynthSettings

CONFIG = RunConfig((("ok", "/marks/seal.png"),), "/photographs")
DRAWS = ("uniform", "between", "ratio_between")
"""Functions that draw a number from a range."""


def test_every_setting_of_a_run_stands_in_its_config_toml_with_a_sentence() -> None:
    """As README says; with the value that decides the run."""
    text = CONFIG.to_toml()
    table = tomllib.loads(text)
    assert table["marks"] == [["ok", "/marks/seal.png"]]
    for name, settings in (("synth", SynthSettings), ("fit", FitSettings)):
        fields = dataclasses.fields(settings)
        defaults = {field.name: field.default for field in fields}
        read = {k: tuple(v) if isinstance(v, list) else v for k, v in table[name].items()}
        assert read == defaults
        words = " ".join(line.removeprefix("# ") for line in text.splitlines())
        assert [f.name for f in fields if f.metadata["sentence"] not in words] == []


def test_a_path_that_no_toml_can_hold_is_refused_in_one_line() -> None:
    """Bytes that are not UTF-8 in a file's name; it used to end in a traceback."""
    with pytest.raises(ConfigError, match="must be UTF-8 to stand in a TOML file"):
        dataclasses.replace(CONFIG, backgrounds="/photographs\udcff").to_toml()


def ranges(path: Path) -> Iterator[str]:
    """Yield the draws of a module from ranges that are no settings: literals or constants."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            inside = [part for argument in node.args for part in ast.walk(argument)]
            literal = any(isinstance(p, ast.Constant) and p.value not in (0, 1) for p in inside)
            constant = any(isinstance(p, ast.Name) and p.id.isupper() for p in inside)
            if name in DRAWS and (literal or constant):
                yield ast.unparse(node)


def named_modules() -> set[Path]:
    """Return the modules that docs/training.md names as holding ranges that are no settings."""
    page = (ROOT / "docs" / "training.md").read_text()
    table = page.partition("## Numbers that are no settings")[2].partition("\n## ")[0]
    patterns = re.findall(r"`(train/[\w/*]+\.py)`", table.partition("|---")[2])
    found = [(pattern, sorted(ROOT.glob(pattern))) for pattern in patterns]
    assert [pattern for pattern, paths in found if not paths] == []
    return {path for _, paths in found for path in paths}


@pytest.mark.parametrize("section", ['[["steps", 5]]', "[[null, null]]", "[]", '{"a": 1, "a": 2}'])
def test_a_section_of_a_checkpoint_that_is_no_object_is_refused_in_one_line(section: str) -> None:
    """Pairs make an object in Python, and a key that stands twice has two values."""
    raw = {**json.loads(CONFIG.to_json()), "fit": "@"}
    with pytest.raises(ConfigError, match="must be what a run wrote") as caught:
        RunConfig.from_json(json.dumps(raw).replace('"@"', section))
    assert str(caught.value).isprintable()


def test_the_page_names_the_modules_of_every_range_that_is_no_setting() -> None:
    """README leads there; a painter with ranges that the page does not name would be hidden."""
    assert "docs/training.md#numbers-that-are-no-settings" in (ROOT / "README.md").read_text()
    folders = (ROOT / "train" / "paint", ROOT / "train" / "drawing")
    modules = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    hidden = {path.name: next(ranges(path)) for path in modules if any(ranges(path))}
    named = named_modules()
    assert {name for name in hidden if name not in {path.name for path in named}} == set()
    idle = [path.name for path in named if path.parent.name == "paint" and not any(ranges(path))]
    assert idle == []
