"""bench/house.py: the table that says how a checkout is laid out."""

from pathlib import Path

import pytest

from bench import house
from tests.paths import ROOT

SOURCES = {
    "edge/station.py": """
from edge.camera.driver import Driver, make
from edge.decision import decide

class Station:
    driver: Driver

    def pass_item(self):
        picture = self.driver.capture()
        with make() as other:
            return decide(other.capture(), helper)

def helper():
    pass
""",
    "edge/camera/__init__.py": "",
    "edge/camera/driver.py": """
from edge.decision import Verdict

class Driver:
    def capture(self) -> list[Verdict]:
        return [Verdict()]

    def __enter__(self):
        return self

    def __exit__(self):
        pass

def make() -> Driver:
    return Driver()
""",
    "edge/decision.py": """
class Verdict:
    pass

def decide(picture, then):
    from edge.station import helper
    return helper()
""",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A program of three modules with a circle hidden in a function, and a line too long."""
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "edge" / "wide.py").write_text(f"# {'x' * 98}\n# {'x' * 99}\n")
    return tmp_path


def test_a_reader_goes_depth_first_through_what_is_named(checkout: Path) -> None:
    """Each function is read once, where it is first named; the receiver's class tells which."""
    modules = house.read_modules(checkout)
    reader = house.Reader(modules)
    reader.read(house.find(modules, ["Station.pass_item"]) or "")
    assert [key.removeprefix("edge.") for key in reader.order] == [
        "station:Station.pass_item",
        "camera.driver:Driver.capture",
        "decision:Verdict",
        "camera.driver:make",
        "camera.driver:Driver",
        "camera.driver:Driver.__enter__",
        "camera.driver:Driver.__exit__",
        "decision:decide",
        "station:helper",
    ]


def test_the_table_counts_what_it_says(checkout: Path) -> None:
    """Folders, imports, long lines, circles inside functions too, and switches."""
    rows = house.measure(checkout)
    assert list(rows.values())[:9] == [
        "2.5, 3",
        "-",
        "1, 2",
        "1, 2",
        "1",
        "1; edge.camera.driver + edge.decision + edge.station",
        "9; 3, 2, 3",
        "5, 4, 5",
        "0; 0, 0, 0",
    ]


def test_a_folder_that_is_no_checkout_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line that names it."""
    assert house.main([str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_every_entry_is_found_in_this_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    """A way whose function was renamed would be counted as nothing."""
    modules = house.read_modules(ROOT)
    assert [what for what, names in house.ENTRIES.items() if not house.find(modules, names)] == []
    assert house.main([str(ROOT)]) == 0
    assert "| import circles |" in capsys.readouterr().out
