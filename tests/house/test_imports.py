"""No two modules of the program import one another, however the import is hidden."""

from pathlib import Path

import pytest

from bench.house import circles, read_modules
from tests.paths import ROOT


def test_no_modules_import_one_another_in_a_circle() -> None:
    """The graph of all imports in edge, train and export, those inside functions included."""
    assert circles(read_modules(ROOT)) == []


@pytest.mark.parametrize(
    "hidden",
    [
        "def load():\n    from train.trainer import Trainer\n",
        "if TYPE_CHECKING:\n    import train.trainer\n",
        "from train import trainer\n",
    ],
    ids=["in a function", "for the types alone", "from the package"],
)
def test_a_hidden_circle_is_found(tmp_path: Path, hidden: str) -> None:
    """The circle that there was: weights, starter, trainer, and back by an import in a function."""
    sources = {
        "weights": "from train.starter import load\n",
        "starter": hidden,
        "trainer": "from train.weights import initial\nfrom train.other import x\n",
        "other": "x = 1\n",
    }
    (tmp_path / "train").mkdir()
    for name, source in sources.items():
        (tmp_path / "train" / f"{name}.py").write_text(source)
    assert circles(read_modules(tmp_path)) == [["train.starter", "train.trainer", "train.weights"]]
