"""What the project depends on, which Python it takes, and what its commands say of themselves."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import edge
from tests.house.sources import PROJECT, imported, relative
from tests.paths import ROOT

BOX_LIBRARIES = {"numpy", "onnxruntime", "PIL", "gpiod", "simplejpeg"}
PAGE_LIBRARIES = {"jinja2", "markupsafe", "starlette", "uvicorn"}
"""Of the extra ``review``: docs/decisions/0025."""
PAGE = ROOT / "edge" / "review" / "web"


def names(requirements: list[str]) -> set[str]:
    """The names of the packages in *requirements*, in lower case."""
    return {Requirement(requirement).name.lower() for requirement in requirements}


def test_the_box_depends_on_five_libraries_and_nothing_else() -> None:
    """A sixth must be argued for in docs/decisions before this list grows."""
    assert names(PROJECT["dependencies"]) == {
        "numpy",
        "onnxruntime",
        "pillow",
        "gpiod",
        "simplejpeg",
    }


def test_the_extras_are_the_promised_ones() -> None:
    """README and CONTRIBUTING name these."""
    desktop = {"train", "export", "plot", "tensorboard", "dev"}
    box = {"pi", "jetson", "bundle", "mqtt", "modbus", "review"}
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
    assert at_once <= allowed | (PAGE_LIBRARIES if PAGE in path.parents else set())


@pytest.mark.parametrize("path", sorted((ROOT / "edge").rglob("*.py")), ids=relative)
def test_nothing_but_the_review_page_knows_its_framework(path: Path) -> None:
    """Neither at once nor later; its command imports the page where it is asked for."""
    modules = dict(imported(path))
    libraries = {module.split(".")[0] for module in modules} & PAGE_LIBRARIES
    assert PAGE in path.parents or not libraries
    ours = {module for module in modules if module.startswith("edge.review.web")}
    assert not ours or PAGE in path.parents or path.name == "review.py"
    assert not any(modules[module] for module in ours if PAGE not in path.parents)


def test_the_decision_uses_the_standard_library_and_our_errors_alone() -> None:
    """So it can be read, tested and argued about without any machine."""
    modules = {module for module, _ in imported(ROOT / "edge" / "decision.py")}
    assert {
        module for module in modules if module.split(".")[0] not in sys.stdlib_module_names
    } <= {"edge.errors"}
