"""The bench of the service beside the others: which decisions count, and what is told."""

from pathlib import Path

import pytest

from bench.beside import Round, report, sorted_in, write_settings
from edge.config import load_config
from tests.edge.review.journals import START, an_item, write


def test_the_settings_are_ones_that_the_box_takes(tmp_path: Path) -> None:
    """With every part beside the service named."""
    config = load_config(write_settings(tmp_path, 4.0))
    assert config.camera.pictures_per_second == 4.0
    assert (config.prometheus.listen, config.modbus.listen) == ("127.0.0.1:9481", "127.0.0.1:9482")


def test_each_decision_counts_in_the_round_of_its_trigger(tmp_path: Path) -> None:
    """Those between two rounds, when the others start or end, count in neither."""
    items = [("item", an_item(n, "pass", 0.8, trigger_ns=10 * n, ms=float(n))) for n in range(6)]
    write(tmp_path / "journal.jsonl", [("start", START), *items])
    rounds = [Round(False, 0, 20), Round(True, 40, 60)]
    sorted_in(rounds, tmp_path / "journal.jsonl")
    assert [one.took_ms for one in rounds] == [[0.0, 1.0], [4.0, 5.0]]


@pytest.mark.parametrize(("beside", "status"), [(104.0, 0), (106.0, 1)])
def test_more_than_five_per_cent_is_told(
    beside: float, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the median of the rounds' percentiles, which one disturbed round does not move."""
    alone = [Round(False, 0, 0, [50.0, 100.0]) for _ in range(3)]
    loaded = [Round(True, 0, 0, [50.0, ms]) for ms in (beside, beside, 900.0)]
    assert report([*alone, *loaded]) == status
    assert f"{beside / 100:.3f} (at most 1.05)" in capsys.readouterr().out
